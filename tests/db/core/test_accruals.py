"""Accruals of a period's end: what is controlled and not billed, billed and not controlled, on the way, and expected back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import event, text

from app.composition.terms import late_rulesets
from app.composition.uow import reading
from app.messages import sentence
from app.queries.closing_checks import find
from app.queries.controls import compare_controls
from erpcore.billing.accruals import services
from erpcore.billing.accruals.cutoff import shipments_around
from erpcore.billing.accruals.ends import period_end
from erpcore.billing.accruals.services import RunAccruals, due_at, run_accruals
from erpcore.billing.credits import CreditInvoice, credit_invoices, credit_returns
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.carriers.models import Carriage
from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.fulfilment.services import DeliverShipment, deliver_shipments
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.ledger.closing.services import move_close
from erpcore.ledger.kinds import JournalKind, Strength
from erpcore.ledger.models import AccountRole
from erpcore.ledger.periods import ClosePeriod, LockJournal, close_period, lock_journals
from erpcore.ledger.services import Entry, Side, ensure_account, open_chart, post_entries
from erpcore.masterdata.models import Entity
from erpcore.masterdata.services import NewEntity, add_entity
from tests.support.accruals import assert_none_is_missed
from tests.support.closings import CLERK, FINANCE, OTHER
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.policies import approve
from tests.support.steps import invoiced, qty, shipped, taken_back
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of

APRIL, MAY = date(2026, 4, 1), date(2026, 5, 1)
END, LATER = datetime(2026, 3, 31, 9, tzinfo=UTC), datetime(2026, 4, 2, 9, tzinfo=UTC)


@pytest.fixture
def business(database):
    return a_business(database, items=2)


def rows(business, query):
    with reading(business.database) as session:
        return [tuple(row) for row in session.execute(text(query))]


def accrue(business, until=APRIL, actor=FINANCE):
    with business.work(actor) as work:
        return run_accruals(
            work, RunAccruals(entity=business.entity, until=until), late=late_rulesets(work.session)
        ).lines


def billed(business, shipment):
    with business.work() as work:
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
        post_invoices(work, [invoice.id], cells=OPEN)
    return invoice


def delivered(business, shipment, at=None):
    with business.work() as work:
        deliver_shipments(work, [DeliverShipment(shipment=shipment.id, at=at)], rules=RULES, cells=OPEN)


def lines(business):
    return rows(business, "SELECT kind, amount_minor FROM accrual_line ORDER BY id")


def entries(business, rule):
    """Day, account role, debit and credit of what a rule posted."""
    query = (
        "SELECT e.entry_on, a.role, l.debit_minor, l.credit_minor FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id "
        f"JOIN ledger_account a ON a.id = l.account_id WHERE e.rule = '{rule}' ORDER BY e.id, l.line_no"
    )
    return [(str(day), role, debit, credit) for day, role, debit, credit in rows(business, query)]


def found(business, until=APRIL, name="accruals"):
    """What a check says."""
    with reading(business.database) as session:
        entity = session.get_one(Entity, business.entity)
        assert_none_is_missed(session, period_end(session, entity.id, until, late_rulesets(session)))
        return next(one for one in find(session, entity, until, frozenset({JournalKind.SALES})) if one.name == name)


def test_revenue_counts_when_goods_have_left_though_the_invoice_is_of_the_next_month(business):
    business.clock.set(END)
    _, shipment = shipped(business, [(0, 10)])
    business.clock.set(LATER)
    billed(business, shipment)
    assert found(business).found == (
        "Not accrued as it should be: revenue not invoiced 100.00 EUR (1). Run the accruals of these days."
    )
    assert accrue(business) == 1
    assert entries(business, "unbilled_revenue") == [
        ("2026-03-31", "unbilled_revenue", 10_000, 0), ("2026-03-31", "revenue", 0, 10_000)
    ]  # fmt: skip
    assert entries(business, "unbilled_revenue_back") == [
        ("2026-04-01", "unbilled_revenue", 0, 10_000), ("2026-04-01", "revenue", 10_000, 0)
    ]  # fmt: skip
    # One click from the line: its shipment, and what turned it back.
    assert rows(business, "SELECT shipment_id, order_id FROM accrual_line") == [(shipment.id, shipment.order_id)]
    assert found(business).agrees
    assert found(business, MAY).agrees
    assert_books_agree(business.database)


def test_what_is_billed_with_the_delivery_terms_waits_with_its_cost_until_it_arrives(business):
    approve(business, "control_transfer", "delivered")
    business.clock.set(END)
    _, shipment = shipped(business, [(0, 10)])
    invoice = billed(business, shipment)
    business.clock.set(LATER)
    assert accrue(business) == 2
    assert lines(business) == [("deferred", 10_000), ("cost", 4_000)]
    assert entries(business, "deferred_revenue") == [
        ("2026-03-31", "revenue", 10_000, 0), ("2026-03-31", "deferred_revenue", 0, 10_000)
    ]  # fmt: skip
    assert entries(business, "cost_on_the_way") == [
        ("2026-03-31", "goods_on_the_way", 4_000, 0), ("2026-03-31", "cost_of_sales", 0, 4_000)
    ]  # fmt: skip
    assert rows(business, "SELECT invoice_id FROM accrual_line WHERE kind = 'deferred'") == [(invoice.id,)]
    # It arrives, and April's end asks for nothing.
    delivered(business, shipment)
    assert accrue(business) == 0
    business.clock.set(datetime(2026, 5, 4, 9, tzinfo=UTC))
    assert accrue(business, MAY) == 0
    assert_books_agree(business.database)


def test_what_arrived_by_its_terms_and_was_not_billed_is_revenue_and_what_did_neither_is_cost_on_the_way(business):
    approve(business, "control_transfer", "delivered")
    business.clock.set(END)
    _, first = shipped(business, [(0, 10)])
    shipped(business, [(1, 5)])
    delivered(business, first)
    business.clock.set(LATER)
    accrue(business)
    assert lines(business) == [("unbilled", 10_000), ("cost", 2_000)]
    assert_books_agree(business.database)


def test_a_credit_of_what_is_deferred_takes_its_part_of_revenue_and_cost_away(business):
    approve(business, "control_transfer", "delivered")
    business.clock.set(END)
    order, shipment = shipped(business, [(0, 10)])
    invoice = billed(business, shipment)
    with business.work() as work:
        credit = CreditInvoice(
            invoice=invoice.id, order_line=order.lines[0].id, quantity=qty(3000), unit_price=qty(10_000), reason="damaged", fault="ours",
        )  # fmt: skip
        credit_invoices(work, [credit])
    business.clock.set(LATER)
    accrue(business)
    assert lines(business) == [("deferred", 7_000), ("cost", 2_800)]
    assert_books_agree(business.database)


def test_a_run_posts_what_was_dated_back_since_and_nothing_twice(business):
    approve(business, "control_transfer", "delivered")
    business.clock.set(END)
    _, shipment = shipped(business, [(0, 10)])
    billed(business, shipment)
    business.clock.set(LATER)
    assert [accrue(business), accrue(business)] == [2, 0]
    # The proof of delivery comes late and is dated as it was.
    delivered(business, shipment, at=datetime(2026, 3, 31, 15, tzinfo=UTC))
    assert not found(business).agrees
    assert [accrue(business), accrue(business)] == [2, 0]
    assert lines(business) == [("deferred", 10_000), ("cost", 4_000), ("deferred", -10_000), ("cost", -4_000)]
    assert rows(business, "SELECT COUNT(*), MAX(version) FROM accrual_run") == [(1, 4)]
    assert found(business).agrees
    assert_books_agree(business.database)


def test_two_who_run_at_once_post_each_line_once(business):
    business.clock.set(END)
    for _ in range(3):
        shipped(business, [(0, 2)])
    business.clock.set(LATER)
    posted = at_once(lambda: accrue(business), lambda: accrue(business, actor=OTHER))
    assert sorted(posted) == [0, 3]
    assert lines(business) == [("unbilled", 2_000)] * 3
    assert_books_agree(business.database)


def test_a_run_killed_half_way_leaves_nothing_and_is_made_again(business, monkeypatch):
    business.clock.set(END)
    shipped(business, [(0, 2)])
    business.clock.set(LATER)
    before, turned = fingerprint_of(business.database), services.turned

    def dies(*_):
        raise RuntimeError("the power went")

    monkeypatch.setattr(services, "turned", dies)
    with pytest.raises(RuntimeError):
        accrue(business)
    assert fingerprint_of(business.database) == before
    monkeypatch.setattr(services, "turned", turned)
    assert accrue(business) == 1
    assert_books_agree(business.database)


@pytest.mark.parametrize("lock", ["books", "journal"])
def test_a_locked_period_is_refused_with_the_way_out_and_moves_nothing(business, lock):
    business.clock.set(END)
    shipped(business, [(0, 2)])
    business.clock.set(LATER)
    with business.work(FINANCE) as work:
        if lock == "books":
            close_period(work, ClosePeriod(entity=business.entity, until=APRIL, reason="final"))
        else:
            lock_journals(
                work,
                [LockJournal(entity=business.entity, journal=JournalKind.STOCK, strength=Strength.HARD, until=APRIL, reason="final")],
            )  # fmt: skip
    before = fingerprint_of(business.database)
    with pytest.raises(RuleBroken) as refused:
        accrue(business)
    assert refused.value.code == "accruals_locked"
    assert "Open those days again in the close room" in sentence(refused.value)
    assert fingerprint_of(business.database) == before


def test_nobody_accrues_a_period_that_is_not_over_or_without_authority_or_of_another_company(business):
    business.clock.set(END)
    with pytest.raises(RuleBroken) as refused:
        accrue(business)
    assert refused.value.code == "period_not_over"
    business.clock.set(LATER)
    with pytest.raises(NotAllowed):
        accrue(business, actor=CLERK)
    with pytest.raises(NotFound), business.work(FINANCE) as work:
        run_accruals(work, RunAccruals(entity=999_999, until=APRIL), late=frozenset())
    assert rows(business, "SELECT COUNT(*) FROM accrual_run") == [(0,)]


def test_each_company_has_its_own_end_in_its_own_currency(business):
    with business.work() as work:
        swiss = add_entity(
            work, NewEntity(code="CH01", name="Nordhaus AG", country="Switzerland", currency="CHF", time_zone="Europe/Zurich")
        )  # fmt: skip
        open_chart(work, swiss.id)
    business.clock.set(END)
    shipped(business, [(0, 2)])
    business.clock.set(LATER)
    with business.work(FINANCE) as work:
        assert run_accruals(work, RunAccruals(entity=swiss.id, until=APRIL), late=frozenset()).lines == 0
    assert accrue(business) == 1
    assert rows(business, "SELECT currency FROM accrual_line") == [("EUR",)]
    assert_books_agree(business.database)


def test_freight_is_owed_until_its_carrier_has_billed_it(business):
    business.clock.set(END)
    _, shipment = shipped(business, [(0, 2)])
    _, other = shipped(business, [(0, 2)])
    with business.work() as work:
        for one in (shipment, other):
            work.session.add(
                Carriage(
                    shipment_id=one.id, service_id=None, currency="EUR", freight_estimate_minor=650, missed_cut_off=False, version=1,
                    settled_at=END if one is other else None, freight_actual_minor=700 if one is other else None,
                )
            )  # fmt: skip
    business.clock.set(LATER)
    accrue(business)
    # What somebody noted of it is known, and still not in the books.
    assert sorted(entries(business, "freight_accrued")) == [
        ("2026-03-31", "freight", 650, 0), ("2026-03-31", "freight", 700, 0), ("2026-03-31", "freight_accrued", 0, 650),
        ("2026-03-31", "freight_accrued", 0, 700),
    ]  # fmt: skip
    assert_books_agree(business.database)


def test_so_much_is_expected_back_as_came_back_in_the_channel(business):
    # 200.00 sold, 20.00 of it back on the shelf: a tenth of what is sold comes back.
    order, _, _ = invoiced(business, [(0, 20)])
    with business.work() as work:
        (back,) = request_returns(
            work,
            [
                RequestReturn(
                    site=business.site, channel=business.channel, customer=business.customer, reason="not needed", fault="customer",
                    lines=[ReturnedLine(item=business.items[0], quantity=qty(2000), order_line=order.lines[0].id)],
                )
            ],
            rules=RULES, cells=OPEN,
        )  # fmt: skip
        authorise_returns(work, [back.id])
    with business.work() as work:
        taken_back(work, back.id)
        credit_returns(work, [back.id], cells=OPEN)
    business.clock.set(END)
    invoiced(business, [(1, 10)])
    business.clock.set(LATER)
    accrue(business)
    # Of 300.00 in thirty days 20.00 ÷ 300.00 is expected and has come already: nothing more.
    assert lines(business) == []
    # A month on only the later sale counts, of which nothing has come.
    business.clock.set(datetime(2026, 4, 15, 9, tzinfo=UTC))
    invoiced(business, [(1, 30)])
    business.clock.set(datetime(2026, 5, 4, 9, tzinfo=UTC))
    accrue(business, MAY)
    # 20.00 ÷ 600.00 of 300.00 is 10.00, whose goods cost 4.00.
    assert lines(business) == [("refund", 1_000), ("returned", 400)]
    (basis,) = rows(business, "SELECT basis FROM accrual_line WHERE kind = 'refund'")
    assert basis == ("3.33 % of 300.00 EUR sold in 30 days, less 0.00 refunded; the rate is 20.00 of 600.00 in a year",)
    assert_books_agree(business.database)


def test_the_books_are_not_closed_before_they_are_accrued(business):
    approve(business, "control_transfer", "delivered")
    business.clock.set(END)
    _, shipment = shipped(business, [(0, 10)])
    billed(business, shipment)
    business.clock.set(LATER)
    close = ClosePeriod(entity=business.entity, until=APRIL, reason="final")
    with pytest.raises(RuleBroken) as refused, business.work(FINANCE) as work:
        move_close(work, close, find)
    assert refused.value.code == "closing_checks_fail"
    assert "revenue deferred 100.00 EUR (1)" in refused.value.facts["found"]
    accrue(business)
    with business.work(FINANCE) as work:
        move_close(work, close, find)
    assert_books_agree(business.database)


def test_the_cut_off_test_finds_what_a_run_left_out_and_keeps_the_books_open(business):
    approve(business, "control_transfer", "delivered")
    business.clock.set(END)
    _, late = shipped(business, [(0, 10)])
    invoice = billed(business, late)
    _, early = shipped(business, [(1, 5)])
    delivered(business, early)
    business.clock.set(LATER)
    assert "stands in another period" in found(business, name="revenue").found
    accrue(business)
    assert found(business, name="revenue").agrees
    with business.work() as work:
        end = period_end(work.session, business.entity, APRIL, late_rulesets(work.session))
        rows_ = {one.shipment: one for one in shipments_around(work.session, end)}
    assert (rows_[late.id].should_minor, rows_[late.id].has_minor, rows_[late.id].accrued_minor) == (0, 0, -10_000)
    assert (rows_[early.id].should_minor, rows_[early.id].has_minor) == (5_000, 5_000)
    # The proof of delivery turns up: what is deferred should not be, until the accruals run again.
    delivered(business, late, at=datetime(2026, 3, 31, 15, tzinfo=UTC))
    wrong = found(business, name="revenue")
    assert wrong.found == f"Revenue of 100.00 EUR stands in another period than the transfer of control: {late.number}."
    close = ClosePeriod(entity=business.entity, until=APRIL, reason="final")
    with pytest.raises(RuleBroken), business.work(FINANCE) as work:
        move_close(work, close, find)
    accrue(business)
    assert found(business, name="revenue").agrees
    assert invoice.shipment_id == late.id
    assert_books_agree(business.database)


def test_an_invoice_that_nobody_makes_is_found_however_long_ago_the_goods_left(business):
    _, shipment = shipped(business, [(0, 10)])
    business.clock.set(LATER)
    assert found(business, name="revenue").found == (
        f"Revenue of 100.00 EUR stands in another period than the transfer of control: {shipment.number}."
    )
    accrue(business)
    assert found(business, name="revenue").agrees


def test_an_accrual_that_nobody_turns_back_is_found(business):
    with business.work(FINANCE) as work:
        for role in (AccountRole.UNBILLED, AccountRole.REVENUE):
            ensure_account(work, business.entity, role)
        entity = work.session.get_one(Entity, business.entity)
        entry = Entry(
            rule="unbilled_revenue", place=services.place_of(entity, "Europe/Berlin"), document_type="accrual", document_id=7,
            journey=7, entry_on=date(2026, 3, 2), posted_at=work.now, currency="EUR",
            sides=[Side(AccountRole.UNBILLED, 500), Side(AccountRole.REVENUE, -500)],
        )  # fmt: skip
        post_entries(work, [entry])
    with reading(business.database) as session:
        wrong = {row.control: row.difference for row in compare_controls(session) if row.difference}
    assert wrong == {"accruals_ledger": 500, "accruals_empty": 500}


def test_a_look_reads_no_table_of_the_trade_through(sqlite_database):
    """What a period's end is about is found by indexes, so that years of shipments cost nothing."""
    business = a_business(sqlite_database)
    approve(business, "control_transfer", "delivered")
    shipped(business, [(0, 1)])
    ran = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        ran.append((statement, parameters))

    with reading(sqlite_database) as session:
        end = period_end(session, business.entity, APRIL, late_rulesets(session))
        event.listen(sqlite_database.read_engine, "before_cursor_execute", note)
        try:
            assert end.late
            due_at(session, end)
            shipments_around(session, end)
        finally:
            event.remove(sqlite_database.read_engine, "before_cursor_execute", note)
        plans = [
            step[-1]
            for statement, parameters in ran
            for step in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    trade = (
        "shipment",
        "shipment_line",
        "carriage",
        "invoice",
        "sales_order",
        "order_line",
        "journal_entry",
        "journal_line",
    )
    assert [step for step in plans if step.startswith("SCAN ") and step.split()[1] in trade] == []
    assert {
        "ix_shipment_invoice",
        "ix_shipment_confirmed",
        "ix_shipment_delivered",
        "ix_shipment_to_bill",
        "ix_shipment_not_due",
        "ix_invoice_unposted",
        "ix_invoice_on",
    } <= set(" ".join(plans).split())
