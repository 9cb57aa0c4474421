"""What the core's own services publish arrives as journeys, figures and nothing that waits without reason."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import text

from app.composition.measuring import SiteRecords
from app.composition.uow import reading
from app.jobs.consumers import ConsumerRunner
from erpcore.billing.credits import credit_returns
from erpcore.billing.services import AmendInvoice, amend_invoices, draft_invoices, post_invoices, unblock_invoices
from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.returns import request_returns
from erpcore.inventory.stock import ChangeStock, adjust_stock, reverse_adjustment
from readiness.measures.consumer import JourneyConsumer
from readiness.measures.drilldown import journeys_behind
from readiness.measures.proof import compare_up_to_cursor, compare_with_rebuild
from readiness.measures.queries import Scope, read_measure
from readiness.measures.samples import sample_day_end
from tests.db.core.test_order_to_cash import a_return
from tests.support import recomputation as plain
from tests.support.core import OPEN, RULES, a_business
from tests.support.steps import captured, invoiced, paid, shipped, taken_back
from tests.support.trader import PEOPLE

START, END = date(2026, 2, 1), date(2026, 4, 1)


def trading(database):
    """A week: paid orders, one short, one only shipped, one captured, a wrong invoice, a return by our fault, adjustments."""
    business = a_business(database, stock=30)
    paid(business, [(0, 10), (1, 5)])
    business.clock.advance(timedelta(days=1))
    paid(business, [(0, 5)])
    shipped(business, [(0, 40), (1, 2)])
    business.clock.advance(timedelta(days=1))
    order, shipment = shipped(business, [(1, 3)])
    with business.work() as work:
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
        line = order.lines[0].id
        change = AmendInvoice(invoice=invoice.id, order_line=line, unit_price=Decimal("9.00"), reason="agreed")
        amend_invoices(work, [change])
    with business.work(actor=PEOPLE[0]) as work:
        unblock_invoices(work, [invoice.id], "agreed")
        post_invoices(work, [invoice.id], cells=OPEN)
    invoiced(business, [(2, 4)])
    business.clock.advance(timedelta(days=1))
    with business.work() as work:
        (back,) = request_returns(work, [a_return(business, 2, item=2)], rules=RULES, cells=OPEN)
        authorise_returns(work, [back.id])
    business.clock.advance(timedelta(hours=5))
    with business.work() as work:
        taken_back(work, back.id)
    business.clock.advance(timedelta(hours=30))
    with business.work() as work:
        credit_returns(work, [back.id], cells=OPEN)
        change = ChangeStock(site=business.site, item=business.items[2], quantity=Decimal(-5), note="broken")
        adjust_stock(work, [change], rules=RULES, cells=OPEN)
        change = ChangeStock(site=business.site, item=business.items[2], quantity=Decimal(-1), note="typing")
        (moved,) = adjust_stock(work, [change], rules=RULES, cells=OPEN)
        reverse_adjustment(work, moved.id, "was there", rules=RULES, cells=OPEN)
    captured(business, [(1, 1)])
    ConsumerRunner(database, JourneyConsumer(), clock=business.clock, batch=23).run_to_head()
    return business


def test_figures_equal_the_events_of_real_documents(database):
    business = trading(database)
    log = plain.told(database)
    scope = Scope(sites=frozenset({business.site}))
    as_of = business.clock.now() + timedelta(days=400)
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees
        assert [total.name for total in compare_up_to_cursor(session) if total.difference] == []
        found = plain.orders(log, business.site)
        for key, recomputed in plain.RATES.items():
            one = read_measure(session, key, scope, as_of=as_of, window=800)
            assert (one.numerator, one.denominator) == recomputed(found, START, END), key
        for key in ("invoice_right_at_posting", "invoice_accuracy", "invoice_accuracy_value"):
            one = read_measure(session, key, scope, as_of=as_of, window=800)
            assert (one.numerator, one.denominator) == plain.invoices(log, key, START, END, business.site), key
        right = read_measure(session, "invoice_right_at_posting", scope, as_of=as_of, window=800)
        assert (right.numerator, right.denominator) == (3, 4)
        credited = read_measure(session, "return_credit_time.p90", scope, as_of=as_of, window=800)
        assert (credited.count, round(credited.value / 3600)) == (1, 30)


def test_documents_from_the_core_are_posted_and_matched_so_that_nothing_waits_for_the_ledger(database):
    trading(database)
    with reading(database) as session:
        points = dict(session.execute(text("SELECT point, COUNT(*) FROM journey_wait GROUP BY point")).all())
        assert "ledger posting" not in points
        # One order captured last, one short: released but not allocated in full, and not shipped in full.
        assert points["order release"] == 1
        assert points["backlog"] == 2
        # Two shipments were never invoiced: the short order's, and none else.
        assert points["invoice generation"] == 1


def test_the_rate_of_adjustments_needs_a_sample_of_the_stock_and_leaves_reversed_pairs_out(database):
    business = trading(database)
    scope = Scope(sites=frozenset({business.site}))
    now = business.clock.now() + timedelta(days=1)
    with reading(database) as session:
        one = read_measure(session, "inventory_adjustment_rate", scope, as_of=now)
        assert (one.value, one.stale_detail) == (None, "the value of the stock was not sampled in this window")
    with business.work() as work:
        records = SiteRecords(work.session)
        value, unvalued = records.stock_value(business.site)
        sites = records.sampled_sites()
        assert sample_day_end(work, sites, now.date() - timedelta(days=1), calendars=records, stock=records) == 1
        assert sample_day_end(work, sites, now.date() - timedelta(days=1), calendars=records, stock=records) == 0
    assert unvalued == 0
    with reading(database) as session:
        one = read_measure(session, "inventory_adjustment_rate", scope, as_of=now)
        assert (one.numerator, one.denominator, one.count) == (2000, value, 1)
        broken = read_measure(session, "inventory_adjustment_rate", scope, as_of=now, dimension="broken")
        assert broken.numerator in {0, 2000}


def test_the_documents_behind_a_miss_are_found_worst_first(database):
    business = trading(database)
    scope = Scope(sites=frozenset({business.site}))
    as_of = business.clock.now() + timedelta(days=5)
    with reading(database) as session:
        missed = journeys_behind(session, "fill_rate_lines", scope, as_of=as_of)
        one = read_measure(session, "fill_rate_lines", scope, as_of=as_of)
        assert sum(row.weight for row in missed) == one.denominator - one.numerator
        assert [row.kind for row in missed] == ["order"] * len(missed)
        assert missed[0].value >= missed[-1].value
        wrong = journeys_behind(session, "invoice_right_at_posting", scope, as_of=as_of)
        assert [(row.kind, row.flags) for row in wrong] == [("invoice", ("blocked", "wrong at posting"))]
