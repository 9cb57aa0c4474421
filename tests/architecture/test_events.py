"""Every fact that leaves the core reaches somebody, is said by somebody, and is named in the past tense."""

from __future__ import annotations

import re

from app.composition.subscriptions import CONSUMERS, event_catalogue
from tests.architecture.source import PRODUCT, modules

CATALOGUE = event_catalogue()
CONSUMED = frozenset().union(*(consumer.types for consumer in CONSUMERS))
#: Types, or families of types, whose events no consumer turns into figures, and why they are published all the same.
FOR_THE_RECORD: dict[str, str] = {
    "approval": "the request holds its state; the event dates it for other systems and the export",
    "bank_line": "the entry holds what became of it, and the receipt what figures read",
    "bank_statement": "the statement holds it; the event dates it for other systems and the export",
    "condition": "the register holds the state; the event dates it for other systems and the export",
    "decision": "as condition",
    "gate": "as condition",
    "fallback": "as condition",
    "grant": "as condition",
    "waiver": "as condition",
    "variant": "as condition",
    "raid": "as condition",
    "roadmap_phase": "as condition",
    "tranche": "as condition",
    "wave": "as condition",
    "credit": "the receivable holds it, and invoice.settled and invoice.reopened what figures read",
    "deduction": "the dispute holds it, and its steps what became of it; the event dates it for other systems",
    "dispute": "as deduction",
    "dunning": "the notice holds it, and the letter what is told; the event dates it for other systems",
    "payment_promise": "the promise holds it, and receipts whether it is kept; the event dates it for other systems",
    "debt.written_off": "the books hold it; no figure of this release reads it",
    "invoice.unblocked": "invoice.posted follows and is what figures read",
    "accruals": "the lines of the run hold them, and ledger.posted what they post; the event dates the run for other systems",
    "pick_wave": "the floor shows where its waves stand; the event dates them for other systems",
    "late_cost": "the late cost holds it, and ledger.posted what it posts; the event dates it for other systems",
    "supplier_claim": "the entry holds it, and ledger.posted what it posts; the event dates it for other systems",
    "supplier_return": "the document holds it, and ledger.posted what it posts; the event dates it for other systems",
    "costing": "the choice holds it, and ledger.posted what it revalues; the event dates it for other systems",
    "journal": "the journal holds it, and ledger.posted what it posts; the event dates it for other systems",
    "order.sourced": "the line holds the site that ships it; figures read the order at the site that sells",
    "purchase": "the purchase order holds it; no figure of this release reads suppliers yet",
    "rebate": "the agreement holds it, and the ledger what it costs; the event dates it for other systems and the export",
    "shipment.freight_settled": "the carriage holds it; no figure of this release reads freight",
    "shipment.lost": "the exception holds owner and outcome; the event dates it",
    "shipment.packed": "as pick_wave",
    "shipment.refused": "as shipment.lost",
    "task": "as pick_wave",
    "quote": "the quote holds its state; the event dates it in the journey of the order that it may become",
    "carrier_bill": "the bill and its lines hold it, and ledger.posted what it posts; the event dates it for other systems",
    "settlement": "the payout and its lines hold it, and figures read them; the event dates it for other systems",
    "stock.counted": "a difference is a stock.adjusted of its own",
    "stock.recounted": "as stock.counted",
    "stock.transfer_received": "the transfer holds it; the event dates it for other systems and the export",
    "stock.transfer_shipped": "as stock.transfer_received",
    "transfer": "the transfer order holds it; the event dates it for other systems and the export",
    "stock.moved": "the balance is proved against the moves themselves, not against events",
}
#: Types that no service says yet although consumers know them, and who will.
UNSAID: dict[str, str] = dict.fromkeys(
    ("order.rejected",),
    "the core has no such step yet; figures know the type already, so that its arrival rebuilds nothing",
)
FORM = re.compile(r"^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$")


def test_every_event_type_has_a_consumer_or_its_family_stands_on_the_list():
    assert not sorted(
        name for name in CATALOGUE.names() - CONSUMED if not {name, name.partition(".")[0]} & set(FOR_THE_RECORD)
    )


def test_the_lists_name_only_what_exists():
    assert not set(FOR_THE_RECORD) - CATALOGUE.names() - {name.partition(".")[0] for name in CATALOGUE.names()}
    assert not set(UNSAID) - CATALOGUE.names()
    assert all(FOR_THE_RECORD.values())
    assert all(UNSAID.values())


def test_consumers_ask_only_for_types_that_are_published():
    assert CONSUMED
    assert not sorted(CONSUMED - CATALOGUE.names())


def test_every_event_type_is_a_family_and_a_past_tense():
    assert not [name for name in CATALOGUE.names() if not FORM.match(name)]


def is_said(event: type) -> bool:
    """Whether some module makes one of it; the projections only name the types that they read."""
    made, named = (
        re.compile(rf"\b{event.__name__}\("),
        re.compile(rf"^(?!from|import).*\b{event.__name__}\b", re.MULTILINE),
    )
    return any(
        named.search(module.text) if not module.path.startswith("readiness/measures/") else made.search(module.text)
        for module in modules(*PRODUCT)
        if not module.path.endswith("published.py") and "/published/" not in module.path
    )


def test_every_event_type_is_said_somewhere_or_stands_on_the_list():
    said = {event.type for event in CATALOGUE.types() if is_said(event)}
    assert len(said) > 10
    assert not sorted(CATALOGUE.names() - said - set(UNSAID))
    assert not said & set(UNSAID), "take these off the list"
