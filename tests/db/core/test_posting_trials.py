"""What a document would post is what it posts when it happens, and asking for it leaves nothing behind."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from app.composition.uow import reading
from app.queries.journal_lines import entries_with_lines
from app.queries.posting_trials import Event, Means, find_waiting, waiting, would_post
from erpcore.billing.bank_lines import AssignLine, Part, assign_lines
from erpcore.billing.credits import credit_returns
from erpcore.billing.models import Invoice
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.billing.settling.posting import post_payout
from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.returned_goods import InspectReturn, ReceiveReturn, inspect_returns, receive_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.fulfilment.services import DeliverShipment, PickOrder, confirm_shipments, deliver_shipments, pick_orders
from erpcore.inventory.costing.late import AddLateCost, add_late_costs
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.ledger.journals import move_journal
from erpcore.ledger.models import JournalEntry
from tests.support import bankdesk
from tests.support.bankfiles import camt, entry
from tests.support.core import OPEN, RULES, a_business
from tests.support.costing import bought
from tests.support.journals import HANNE, ILSE, a_journal, with_rent
from tests.support.queries import queries
from tests.support.rows import rows
from tests.support.settlement import a_market, hand_in, payout_file, sold
from tests.support.steps import allocated, invoiced
from tests.support.trader import fingerprint_of

READER = Actor(id=9, role="auditor", permissions=frozenset({"ledger:entry:read"}))
MEANS = Means(RULES, OPEN, None)


def tried(business, event, key, means=MEANS):
    """The entries of a trial by somebody who may only read; nothing of the database is another afterwards."""
    before = left_by(business.database)
    try:
        with business.work(READER) as work:
            document = find_waiting(work.session, work.actor, event, key)
            return said(would_post(work, document, means))
    finally:
        assert left_by(business.database) == before


def left_by(database):
    """All that an act leaves behind: rows, and what sequences gave out, which no rollback takes back."""
    given = "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1"
    return fingerprint_of(database), rows(database, given) if not database.is_sqlite else []


def replace_amount(amount):
    return MEANS._replace(amount=Decimal(amount))


def said(found):
    return [
        (one.rule, one.document_type, one.currency, one.entry_on, one.site_id, [(line.account, line.party, line.debit_minor, line.credit_minor) for line in one.lines])
        for one in found
    ]  # fmt: skip


def really(business, act):
    """The entries that the act posts."""
    with reading(business.database) as session:
        known = set(session.scalars(select(JournalEntry.id)))
    with business.work() as work:
        act(work)
    with reading(business.database) as session:
        new = [key for key in session.scalars(select(JournalEntry.id).order_by(JournalEntry.id)) if key not in known]
        return said(entries_with_lines(session, new))


def picked(business):
    order = allocated(business)
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
    return shipment


def test_a_shipment_and_its_invoice_would_post_what_they_post(database):
    business = a_business(database)
    shipment = picked(business)
    foreseen = tried(business, Event.SHIPMENT, shipment.id)
    assert [(one[0], one[5][0][2:]) for one in foreseen] == [("cost_of_sales", (4_000, 0))]
    assert tried(business, Event.SHIPMENT, shipment.id) == foreseen, "asked twice it says the same"
    assert really(business, lambda work: confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)) == foreseen
    with business.work() as work:
        deliver_shipments(work, [DeliverShipment(shipment=shipment.id)], rules=RULES, cells=OPEN)
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
    foreseen = tried(business, Event.INVOICE, invoice.id)
    assert [one[0] for one in foreseen] == ["invoice"]
    assert really(business, lambda work: post_invoices(work, [invoice.id], cells=OPEN)) == foreseen


def test_a_late_cost_would_post_what_it_posts_and_wants_an_amount(database):
    business = a_business(database, stock=0)
    receipt = bought(business, "4.00", 10)
    foreseen = tried(business, Event.LATE_COST, receipt.id, replace_amount("12.50"))
    assert [one[0] for one in foreseen] == ["late_cost"]
    command = AddLateCost(receipt=receipt.id, paper="FR 77", amount=Decimal("12.50"))
    assert really(business, lambda work: add_late_costs(work, [command])) == foreseen
    with pytest.raises(RuleBroken, match="trial_amount_missing"):
        tried(business, Event.LATE_COST, receipt.id)
    with pytest.raises(RuleBroken, match="late_cost_amount"):
        tried(business, Event.LATE_COST, receipt.id, replace_amount("12.505"))


def test_a_return_would_post_what_it_posts_at_inspection_and_credit(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    with business.work() as work:
        line = ReturnedLine(item=business.items[0], quantity=Decimal(2), order_line=order.lines[0].id)
        command = RequestReturn(
            site=business.site,
            channel=business.channel,
            customer=business.customer,
            reason="damaged",
            fault="ours",
            lines=[line],
        )
        (back,) = request_returns(work, [command], rules=RULES, cells=OPEN)
        authorise_returns(work, [back.id])
        receive_returns(work, [ReceiveReturn(id=back.id)], cells=OPEN)
    foreseen = tried(business, Event.RETURN, back.id)
    assert [one[0] for one in foreseen] == ["returned_to_stock"]
    assert really(business, lambda work: inspect_returns(work, [InspectReturn(id=back.id)], cells=OPEN)) == foreseen
    foreseen = tried(business, Event.CREDIT_MEMO, back.id)
    assert [one[0] for one in foreseen] == ["credit_memo"]
    assert really(business, lambda work: credit_returns(work, [back.id], cells=OPEN)) == foreseen


def test_a_payout_would_post_what_it_posts(database):
    business = a_market(database)
    sold(business, "M-1")
    sold_file = payout_file(("Order", "M-1", "120,00"), ("Commission", "M-1", "-14,40"), ("Transfer", "", "-105,60"))
    payout, _ = hand_in(business, sold_file)
    foreseen = tried(business, Event.PAYOUT, payout)
    assert {one[0] for one in foreseen} >= {"payout", "receipt_from_partner", "application"}
    assert really(business, lambda work: post_payout(work, payout)) == foreseen


def test_a_journal_by_hand_would_post_what_it_posts_once_it_is_approved(database):
    business = with_rent(a_business(database))
    journal = a_journal(business)
    with pytest.raises(NotFound, match="trial_document_unknown"):
        tried(business, Event.JOURNAL, journal)
    for who, move in ((HANNE, "submit"), (ILSE, "approve")):
        with business.work(who) as work:
            move_journal(work, journal, move)
    foreseen = tried(business, Event.JOURNAL, journal)
    assert [one[0] for one in foreseen] == ["manual_journal"]
    assert really(business, lambda work: move_journal(work, journal, "post")) == foreseen


def test_a_bank_entry_would_post_what_its_proposal_posts(database):
    business = bankdesk.a_desk(database)
    _, _, invoice = invoiced(business)
    number = _number(business, invoice.id)
    bankdesk.hand_in(business, camt(entry("120.00", text=number), entry("7.77", text="nobody"), closing="127.77"))
    known, unknown = (line for (line,) in rows(database, "SELECT id FROM bank_line ORDER BY line_no"))
    foreseen = tried(business, Event.BANK_ENTRY, known)
    assert [one[0] for one in foreseen] == ["receipt_from_bank", "application"]
    command = AssignLine(line=known, customer=business.customer, parts=[Part(invoice=invoice.id, amount_minor=12_000)])
    assert really(business, lambda work: assign_lines(work, [command])) == foreseen
    with pytest.raises(RuleBroken, match="nothing_proposed"):
        tried(business, Event.BANK_ENTRY, unknown)


def _number(business, invoice):
    with reading(business.database) as session:
        return session.get_one(Invoice, invoice).number


def test_only_what_waits_and_is_seen_is_offered_in_one_query(database):
    business = a_business(database)
    shipment = picked(business)
    elsewhere = Actor(id=9, role="auditor", permissions=READER.permissions, sites=frozenset({4711}))
    with reading(database) as session, queries(database) as ran:
        found = waiting(session, READER)
    assert len(ran) == 1
    assert [(one.event, one.id, one.title, one.site_id) for one in found] == [
        (Event.SHIPMENT, shipment.id, shipment.number, business.site)
    ]
    with reading(database) as session:
        assert waiting(session, elsewhere) == []
        with pytest.raises(NotFound, match="trial_document_unknown"):
            find_waiting(session, elsewhere, Event.SHIPMENT, shipment.id)
    with business.work() as work:
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    with reading(database) as session:
        assert waiting(session, READER) == []


def test_whoever_may_only_read_posts_nothing_by_asking(database):
    business = a_business(database)
    shipment = picked(business)
    tried(business, Event.SHIPMENT, shipment.id)
    before = fingerprint_of(database)
    with pytest.raises(NotAllowed), business.work(READER) as work:
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    assert fingerprint_of(database) == before


def test_nobody_waits_for_what_a_trial_held(database):
    business = a_business(database)
    shipment = picked(business)
    with business.work(READER) as work:
        would_post(work, find_waiting(work.session, work.actor, Event.SHIPMENT, shipment.id), MEANS)
        if not database.is_sqlite:
            with database.read_engine.connect() as other:
                free = "SELECT id FROM {} WHERE id = {} FOR UPDATE NOWAIT"
                for table, key in (
                    ("shipment", shipment.id),
                    ("item", business.items[0]),
                    ("sales_order", shipment.order_id),
                ):
                    assert other.exec_driver_sql(free.format(table, key)).one() == (key,)
                others = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'"
                assert other.exec_driver_sql(others).scalar_one() == 0
    assert really(business, lambda work: confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN))


def test_an_entry_that_somebody_assigned_meanwhile_is_said_to_be_gone(database):
    business = bankdesk.a_desk(database)
    bankdesk.hand_in(business, camt(entry("7.77"), closing="7.77"))
    ((line,),) = rows(database, "SELECT id FROM bank_line")
    with reading(database) as session:
        document = find_waiting(session, READER, Event.BANK_ENTRY, line)
    with business.work() as work:
        assign_lines(work, [AssignLine(line=line, customer=business.customer)])
    with pytest.raises(NotFound, match="trial_document_unknown"), business.work(READER) as work:
        would_post(work, document, MEANS)
