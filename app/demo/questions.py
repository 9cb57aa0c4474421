"""What is open in the demo's design, and what was decided: questions with their options and who decides them."""

from __future__ import annotations

from datetime import timedelta

from app.composition.question_desk import Asking, put_question
from app.composition.uow import Database, unit_of_work
from app.demo.people import Staff
from erpcore.kernel.clock import Clock, local_day
from governance.questions.queries import question
from governance.questions.services import DecideQuestion, Option, decide_question

_ZONE = "Europe/Berlin"
#: Title, question, process, options, who decides, in how many days, impact, points, steps; which option is chosen and why.
_QUESTIONS = (
    (
        "Who may grant a price below the list?", "Does the desk decide up to a limit, or the site lead alone?", "order_to_cash",
        (("The desk, up to its limit", "Nine of ten overrides need no second person; margin is watched each week."),
         ("The site lead alone", "Every override waits for a lead; counters lose customers at the till.")),
        "process", 10, "Order capture, margin reporting and the rebates of regulars.",
        ("override_authority", "override_limit_minor", "price_tolerance_permille"), ("order_to_cash.capture", "quote_to_order.price"),
        (0, "Within the tolerance the desk decides, as it does today; beyond it the lead."),
    ),
    (
        "When is an invoice made?", "Once goods have left, or once they are delivered?", "order_to_cash",
        (("At shipping", "Cash comes two days earlier; damage on the way becomes a credit memo."),
         ("At delivery", "Fewer credits; month end waits for proofs of delivery.")),
        "finance", 20, "Revenue cut-off and the billing cycle time.", ("invoice_trigger",), ("order_to_cash.invoice",),
        (0, "Terms of sale pass the risk at shipping."),
    ),
    (
        "Does Praha ship part orders?", "May what is there leave before the rest, across the border?", "warehouse",
        (("Ship part", "Customers have most of it earlier; two customs papers for one order."),
         ("Wait for all", "One paper; the fill rate on the first day falls.")),
        "process", 75, "Freight and customs of the site's exports.", ("partial_shipment",), ("warehouse.ship", "order_to_cash.release"),
        None,
    ),
    (
        "How long may a return wait for its inspection?", "Two working days, or credit before the inspection?", "returns_to_credit",
        (("Two working days", "Credit follows what was seen; needs a second inspector in peak weeks."),
         ("Credit at receipt", "Customers are credited at once; what does not fit is charged again.")),
        "process.billing", 60, "The time to credit and the trust of retail partners.", (), ("returns_to_credit.inspect", "returns_to_credit.credit"),
        None,
    ),
    (
        "Who counts A items, and how often?", "Each month by the site, or by a team that travels?", "warehouse",
        (("The site, each month", "Cheap and quick; whoever picks also counts."),
         ("A travelling team", "Blind and even between sites; costs two people.")),
        "process", 90, "The inventory adjustment rate that the gates read.", ("recount_rule", "count_tolerance_permille"), ("warehouse.count",),
        None,
    ),
)  # fmt: skip


def ask_questions(database: Database, staff: Staff, clock: Clock) -> None:
    """The questions, and the decisions on the first two."""
    for title, text, process, options, decider, days, impact, points, steps, chosen in _QUESTIONS:
        with unit_of_work(database, actor=staff["pmo"], clock=clock) as work:
            row = put_question(
                work,
                Asking(
                    title=title, question=text, process=process, options=tuple(Option(title=a, consequences=b) for a, b in options),
                    decider=staff.ids[decider], due_on=local_day(clock.now(), _ZONE) + timedelta(days=days), impact=impact,
                    points=points, steps=steps, time_zone=_ZONE,
                ),
            )  # fmt: skip
            key = row.id
        if chosen is None:
            continue
        with unit_of_work(database, actor=staff[decider], clock=clock) as work:
            option = question(work.session, key).options[chosen[0]].id
            decide_question(work, DecideQuestion(question=key, option=option, reason=chosen[1]))
