"""What does the standard of each process demand, and what is a departure from it called?

Codes of deviations are stable: the register's variants name them. A changed rule is a new ``VERSION``, and everything that was
judged before is judged again from its steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from erpcore.kernel.errors import NotFound
from readiness.conformance import activities as a
from readiness.conformance.templates import DAY, HOUR, Absence, ExactlyOnce, Precedence, Response, Template, WithinTime
from readiness.measures.catalogue import RULES_VERSION

#: Of all rules together; see there.
VERSION = RULES_VERSION


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One demand. ``code`` is the deviation from it, ``step`` the step of the process whose standard it belongs to.

    ``standard`` is what the standard says, ``title`` the departure in a few words, and ``sentence`` in one for people.
    """

    code: str
    step: str
    title: str
    standard: str
    sentence: str
    template: Template


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process whose journeys are checked. ``ends``: what ends one; ``overdue_days``: the age at which one that is still open
    counts as not conforming: the 95th percentile of what a journey takes, agreed with the version.

    ``stages`` are the steps that most journeys go through, for the picture of the flow.
    """

    key: str
    title: str
    documents: str
    ends: frozenset[int]
    overdue_days: int
    rules: tuple[Rule, ...]
    stages: tuple[tuple[str, int], ...]

    @property
    def overdue_after(self) -> timedelta:
        return timedelta(days=self.overdue_days)


def _only(*activities: int) -> frozenset[int]:
    return frozenset(activities)


_INVOICED, _SHIPPED, _RECEIVED = _only(a.INVOICE_POSTED), _only(a.GOODS_SHIPPED), _only(a.RETURN_RECEIVED)
_GOODS_CAME = _only(a.PURCHASE_RECEIVED, a.PURCHASE_SETTLED)
_TRANSFER_DONE = _only(a.TRANSFER_SETTLED, a.TRANSFER_LOST)

ORDER_TO_CASH = Process(
    key="order_to_cash", title="Order to cash", documents="orders",
    ends=_only(a.ORDER_CLOSED, a.ORDER_REJECTED, a.ORDER_CANCELLED_WHOLE), overdue_days=60,
    stages=(
        ("Captured", a.ORDER_CAPTURED), ("Released", a.ORDER_RELEASED), ("Allocated", a.ORDER_ALLOCATED),
        ("Picked", a.GOODS_PICKED), ("Shipped", a.GOODS_SHIPPED), ("Invoiced", a.INVOICE_POSTED), ("Paid", a.INVOICE_SETTLED),
    ),
    rules=(
        Rule(
            code="captured_twice", step="order_to_cash.capture", title="Captured more than once",
            standard="An order is captured once.", sentence="The order was captured again, or ended without ever being captured.",
            template=ExactlyOnce(step=_only(a.ORDER_CAPTURED)),
        ),
        Rule(
            code="price_overridden", step="order_to_cash.capture", title="Price overridden",
            standard="An order is taken at the price that the lists and agreements give.",
            sentence="Somebody put another price on a line than the lists and agreements give.",
            template=Absence(step=_only(a.PRICE_OVERRIDDEN)),
        ),
        Rule(
            code="amended_after_release", step="order_to_cash.capture", title="Amended after release",
            standard="An order is changed before it is released to the warehouse, not after.",
            sentence="The order was changed after it had been released to the warehouse.",
            template=Absence(step=_only(a.ORDER_AMENDED), after=_only(a.ORDER_RELEASED)),
        ),
        Rule(
            code="released_without_promise", step="order_to_cash.confirm", title="Released without a promise",
            standard="The customer has a promised day before the order is released.",
            sentence="The order was released before the customer had been promised a day.",
            template=Precedence(first=_only(a.ORDER_PROMISED, a.ORDER_REPROMISED), then=_only(a.ORDER_RELEASED)),
        ),
        Rule(
            code="released_under_override", step="order_to_cash.release", title="Hold lifted by hand",
            standard="A hold ends when its reason is cured: paid, within the limit again, corrected.",
            sentence="Somebody let the order go on although the reason it was held for was not cured.",
            template=Absence(step=_only(a.HOLD_OVERRIDDEN)),
        ),
        Rule(
            code="allocation_overridden", step="order_to_cash.allocate", title="Allocation overridden",
            standard="Scarce stock goes to who is first by the rules of allocation.",
            sentence="Somebody changed by hand which order gets scarce stock.",
            template=Absence(step=_only(a.ALLOCATION_OVERRIDDEN)),
        ),
        Rule(
            code="picked_before_release", step="warehouse.pick", title="Picked before release",
            standard="The warehouse picks what is released.", sentence="Goods were picked before the order was released.",
            template=Precedence(first=_only(a.ORDER_RELEASED), then=_only(a.GOODS_PICKED)),
        ),
        Rule(
            code="picked_short", step="warehouse.pick", title="Picked short",
            standard="What is allocated lies where the book says and is picked whole.",
            sentence="Less was found at the place than the book says, and the order was picked short.",
            template=Absence(step=_only(a.PICKED_SHORT)),
        ),
        Rule(
            code="pick_over_limit", step="warehouse.pick", title="Pick over its time limit",
            standard="A task of the floor that was started is finished within 4 hours.",
            sentence="A task of the floor was left standing for more than 4 hours after it was started.",
            template=WithinTime(first=_only(a.TASK_STARTED), then=_only(a.TASK_FINISHED), limit=4 * HOUR, keyed=True),
        ),
        Rule(
            code="shipped_before_release", step="warehouse.ship", title="Shipped before release",
            standard="Nothing leaves before its order is released.", sentence="Goods left before the order was released.",
            template=Precedence(first=_only(a.ORDER_RELEASED), then=_SHIPPED),
        ),
        Rule(
            code="shipped_without_pick", step="warehouse.ship", title="Shipped without a pick",
            standard="What is shipped was picked under the same shipment.",
            sentence="A shipment left that nobody had picked.",
            template=Precedence(first=_only(a.GOODS_PICKED), then=_SHIPPED, keyed=True),
        ),
        Rule(
            code="shipment_left_standing", step="warehouse.ship", title="Picked, and left standing",
            standard="What was picked is shipped within a day, or taken back.",
            sentence="A picked shipment stood for more than a day before it left.",
            template=WithinTime(first=_only(a.GOODS_PICKED), then=_SHIPPED | {a.TAKEN_BACK}, limit=DAY, keyed=True),
        ),
        Rule(
            code="invoiced_before_shipped", step="order_to_cash.invoice", title="Invoiced before shipped",
            standard="A shipment is invoiced after it left.", sentence="A shipment was invoiced before it left.",
            template=Precedence(first=_SHIPPED, then=_INVOICED, keyed=True),
        ),
        Rule(
            code="invoiced_late", step="order_to_cash.invoice", title="Invoiced late",
            standard="An invoice is posted within 2 days of the moment its policy makes it due.",
            sentence="An invoice was posted, or still waits, more than 2 days after it was due.",
            template=WithinTime(first=_only(a.INVOICE_DUE), then=_INVOICED, limit=2 * DAY, keyed=True),
        ),
        Rule(
            code="shipped_not_invoiced", step="order_to_cash.invoice", title="Shipped, never invoiced",
            standard="What was shipped is invoiced before the order ends.",
            sentence="The order ended with a shipment that was never invoiced.",
            template=Response(first=_SHIPPED, then=_INVOICED, keyed=True),
        ),
        Rule(
            code="credit_without_return", step="returns_to_credit.credit", title="Credit without a return",
            standard="A credit follows goods that came back.",
            sentence="The customer was credited although nothing came back.",
            template=Absence(step=_only(a.CREDIT_WITHOUT_RETURN)),
        ),
    ),
)  # fmt: skip

RETURNS_TO_CREDIT = Process(
    key="returns_to_credit", title="Returns to credit", documents="returns",
    ends=_only(a.RETURN_CREDITED, a.RETURN_DECLINED), overdue_days=21,
    stages=(
        ("Requested", a.RETURN_REQUESTED), ("Authorised", a.RETURN_AUTHORISED), ("Received", a.RETURN_RECEIVED),
        ("Credited", a.RETURN_CREDITED),
    ),
    rules=(
        Rule(
            code="return_requested_twice", step="returns_to_credit.request", title="Not requested, or twice",
            standard="A return is requested once.", sentence="The return was requested again, or ended without a request.",
            template=ExactlyOnce(step=_only(a.RETURN_REQUESTED)),
        ),
        Rule(
            code="return_authorised_late", step="returns_to_credit.authorise", title="Answered late",
            standard="A request is authorised or declined within 2 days.",
            sentence="The customer waited more than 2 days for the answer to a return.",
            template=WithinTime(
                first=_only(a.RETURN_REQUESTED), then=_only(a.RETURN_AUTHORISED, a.RETURN_DECLINED), limit=2 * DAY
            ),
        ),
        Rule(
            code="received_without_authorisation", step="returns_to_credit.receive", title="Received without authorisation",
            standard="Goods come back after the return was authorised.",
            sentence="Goods came back that nobody had authorised.",
            template=Precedence(first=_only(a.RETURN_AUTHORISED), then=_RECEIVED),
        ),
        Rule(
            code="credited_before_received", step="returns_to_credit.credit", title="Credited before the goods came",
            standard="A return is credited after its goods came.", sentence="The return was credited before its goods came.",
            template=Precedence(first=_RECEIVED, then=_only(a.RETURN_CREDITED)),
        ),
        Rule(
            code="credited_late", step="returns_to_credit.credit", title="Credited late",
            standard="A return is credited within 5 days of its goods coming in.",
            sentence="The credit came, or still waits, more than 5 days after the goods.",
            template=WithinTime(first=_RECEIVED, then=_only(a.RETURN_CREDITED), limit=5 * DAY),
        ),
        Rule(
            code="received_not_credited", step="returns_to_credit.credit", title="Received, never credited",
            standard="Goods that came back are credited before the return ends.",
            sentence="The return ended with goods received and nothing credited.",
            template=Response(first=_RECEIVED, then=_only(a.RETURN_CREDITED)),
        ),
    ),
)  # fmt: skip

PROCURE_TO_RECEIVE = Process(
    key="procure_to_pay", title="Procure to receive", documents="purchase orders",
    ends=_only(a.PURCHASE_SETTLED, a.PURCHASE_CLOSED, a.PURCHASE_CANCELLED), overdue_days=45,
    stages=(
        ("Ordered", a.PURCHASE_ORDERED), ("Confirmed", a.PURCHASE_CONFIRMED), ("Received", a.PURCHASE_SETTLED),
    ),
    rules=(
        Rule(
            code="ordered_twice", step="procure_to_pay.order", title="Not ordered, or twice",
            standard="Goods are ordered once before they come.",
            sentence="The purchase order was placed again, or ended without being placed.",
            template=ExactlyOnce(step=_only(a.PURCHASE_ORDERED)),
        ),
        Rule(
            code="received_without_order", step="procure_to_pay.receive", title="Received without an order",
            standard="Goods are received against an order.", sentence="Goods came before they were ordered.",
            template=Precedence(first=_only(a.PURCHASE_ORDERED), then=_GOODS_CAME),
        ),
        Rule(
            code="received_unconfirmed", step="procure_to_pay.confirm", title="Received unconfirmed",
            standard="The supplier confirms what it sends and when before it comes.",
            sentence="Goods came that the supplier had never confirmed.",
            template=Precedence(first=_only(a.PURCHASE_CONFIRMED), then=_GOODS_CAME),
        ),
        Rule(
            code="confirmed_late", step="procure_to_pay.confirm", title="Confirmed late",
            standard="A purchase order is confirmed within 3 days.",
            sentence="The supplier's confirmation came, or still waits, more than 3 days after the order.",
            template=WithinTime(
                first=_only(a.PURCHASE_ORDERED), limit=3 * DAY,
                then=_only(a.PURCHASE_CONFIRMED, a.PURCHASE_RECEIVED, a.PURCHASE_SETTLED, a.PURCHASE_CANCELLED),
            ),
        ),
        Rule(
            code="closed_unreceived", step="procure_to_pay.receive", title="Closed with nothing received",
            standard="What was ordered comes, or the order is cancelled.",
            sentence="The purchase order was closed though nothing had ever come.",
            template=Response(
                first=_only(a.PURCHASE_ORDERED), then=_only(a.PURCHASE_RECEIVED, a.PURCHASE_SETTLED, a.PURCHASE_CANCELLED)
            ),
        ),
    ),
)  # fmt: skip

WAREHOUSE = Process(
    key="warehouse", title="Warehouse", documents="transfers, pick waves and tasks",
    ends=_only(a.TRANSFER_SETTLED, a.TRANSFER_LOST, a.WAVE_COMPLETED, a.TASK_FINISHED), overdue_days=7,
    stages=(
        ("Sent", a.TRANSFER_SHIPPED), ("Received", a.TRANSFER_SETTLED), ("Wave released", a.WAVE_RELEASED),
        ("Wave completed", a.WAVE_COMPLETED),
    ),
    rules=(
        Rule(
            code="received_without_sending", step="warehouse.transfer", title="Received without sending",
            standard="A transfer is received after it was sent.", sentence="A transfer was received that nobody had sent.",
            template=Precedence(
                first=_only(a.TRANSFER_SHIPPED), then=_only(a.TRANSFER_RECEIVED, a.TRANSFER_SETTLED, a.TRANSFER_LOST)
            ),
        ),
        Rule(
            code="transfer_lost", step="warehouse.transfer", title="Lost on the way",
            standard="What is sent to another site arrives there.", sentence="Part of a transfer never arrived.",
            template=Absence(step=_only(a.TRANSFER_LOST)),
        ),
        Rule(
            code="transfer_late", step="warehouse.transfer", title="Transfer received late",
            standard="A transfer is received within 3 days of being sent.",
            sentence="A transfer was received, or still is on its way, more than 3 days after it was sent.",
            template=WithinTime(first=_only(a.TRANSFER_SHIPPED), then=_TRANSFER_DONE, limit=3 * DAY),
        ),
        Rule(
            code="wave_before_release", step="warehouse.plan", title="Wave completed unreleased",
            standard="A pick wave is released before it is completed.",
            sentence="A pick wave was completed that had never been released.",
            template=Precedence(first=_only(a.WAVE_RELEASED), then=_only(a.WAVE_COMPLETED)),
        ),
        Rule(
            code="wave_interrupted", step="warehouse.plan", title="Wave interrupted",
            standard="A pick wave that was released is picked to its end.",
            sentence="A released pick wave was interrupted.",
            template=Absence(step=_only(a.WAVE_INTERRUPTED)),
        ),
        Rule(
            code="task_over_limit", step="warehouse.pick", title="Task over its time limit",
            standard="A task of the floor that was started is finished within 4 hours.",
            sentence="A task of several orders was left standing for more than 4 hours after it was started.",
            template=WithinTime(first=_only(a.TASK_STARTED), then=_only(a.TASK_FINISHED), limit=4 * HOUR, keyed=True),
        ),
    ),
)  # fmt: skip

PROCESSES: Mapping[str, Process] = {
    one.key: one for one in (ORDER_TO_CASH, RETURNS_TO_CREDIT, PROCURE_TO_RECEIVE, WAREHOUSE)
}
RULES: Mapping[str, Rule] = {rule.code: rule for one in PROCESSES.values() for rule in one.rules}
#: The process that a deviation is found in.
PROCESS_OF: Mapping[str, str] = {rule.code: one.key for one in PROCESSES.values() for rule in one.rules}


def find_rule(code: str) -> Rule:
    """The rule behind a deviation's code. Raises ``NotFound`` for one that there is not."""
    if code not in RULES:
        raise NotFound("deviation_unknown", deviation=code)
    return RULES[code]
