"""Rebates: what counts is accrued in the transaction that posts it, a tier that is crossed trues up, and the books agree."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from erpcore.billing.credits import CreditInvoice, credit_invoices, credit_returns
from erpcore.billing.rebate_settling import SettleRebate, settle_rebate
from erpcore.billing.rebates.agreements import agree_rebate, change_rebate, end_rebate, withdraw_rebate, write_rebate
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.kernel.errors import Conflict, DomainError, IllegalMove, NotAllowed
from erpcore.ledger.periods import ClosePeriod, close_period
from erpcore.masterdata.services import NewCustomer, add_customers
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.rebates import (
    OTHER,
    WRITER,
    accruals,
    agreed,
    asked,
    drafted,
    ended,
    in_books,
    settled,
    standing,
    state,
    terms,
    tier,
)
from tests.support.steps import invoiced, shipped, taken_back
from tests.support.threads import at_once
from tests.support.trader import PEOPLE, fingerprint_of


def refused(business, act, code, actor=None):
    """The act is refused for that reason, and nothing at all has changed."""
    before = fingerprint_of(business.database)
    with pytest.raises(DomainError) as found, business.work(actor) as work:
        act(work)
    assert found.value.code == code
    assert fingerprint_of(business.database) == before
    return found.value


def sent_back(business, order, quantity):
    """So many of the order's first line come back and are credited."""
    business.clock.advance(timedelta(days=1))
    line = ReturnedLine(item=business.items[0], quantity=Decimal(quantity), order_line=order.lines[0].id)
    command = RequestReturn(
        site=business.site, channel=business.channel, customer=business.customer, reason="damaged", fault="ours", lines=[line]
    )  # fmt: skip
    with business.work() as work:
        (row,) = request_returns(work, [command], rules=RULES, cells=OPEN)
        authorise_returns(work, [row.id])
        taken_back(work, row.id)
        return credit_returns(work, [row.id], cells=OPEN)[0]


def test_what_an_invoice_line_earns_is_accrued_in_the_transaction_that_posts_it(database):
    business = a_business(database)
    key = agreed(business)
    invoiced(business, [(0, 10), (1, 5)])
    assert standing(business, key) == (15_000, 15_000, 1, 300)
    assert accruals(business, key) == [("invoice", 300, 0)]
    assert (in_books(business, "rebates"), in_books(business, "rebates_accrued")) == (-300, 300)
    assert_books_agree(database)


def test_a_rebate_tier_crossed_trues_up_what_was_accrued_before(database):
    business = a_business(database)
    key = agreed(business)
    invoiced(business, [(0, 20)])
    invoiced(business, [(0, 10)])
    assert standing(business, key) == (30_000, 30_000, 2, 1_500)
    assert accruals(business, key) == [("invoice", 400, 0), ("invoice", 500, 600)]
    assert in_books(business, "rebates_accrued") == 1_500
    assert_books_agree(database)


def test_a_rebate_tier_crossed_by_a_return(database):
    business = a_business(database)
    key = agreed(business)
    order, _, _ = invoiced(business, [(0, 30)])
    other = agreed(business, [tier(0, 1)], item=business.items[2], adds_up=True)
    assert standing(business, key) == (30_000, 30_000, 2, 1_500)
    sent_back(business, order, 10)
    assert standing(business, key) == (20_000, 20_000, 1, 400)
    assert accruals(business, key) == [("invoice", 1_500, 0), ("credit_memo", -200, -900)]
    assert (in_books(business, "rebates"), in_books(business, "rebates_accrued")) == (-400, 400)
    # Nothing else moved: not what the customer owes for it, not the agreement on other goods.
    assert standing(business, other) == (0, 0, 0, 0)
    assert [minor for (minor,) in asked(business, "SELECT amount_minor FROM receivable ORDER BY document_id")] == [
        36_000, -12_000,
    ]  # fmt: skip
    assert_books_agree(database)


def test_a_price_corrected_takes_net_back_and_no_quantity(database):
    business = a_business(database)
    key = agreed(business)
    _, _, invoice = invoiced(business, [(0, 10)])
    with business.work() as work:
        command = CreditInvoice(
            invoice=invoice.id, order_line=invoice.lines[0].order_line_id, quantity=Decimal(10),
            unit_price=Decimal("1.00"), reason="price", fault="ours",
        )  # fmt: skip
        credit_invoices(work, [command])
    assert standing(business, key) == (9_000, 10_000, 1, 180)
    assert_books_agree(database)


def test_a_rebate_posted_into_a_locked_period_is_refused_and_nothing_moves(database):
    business = a_business(database)
    key = agreed(business)
    invoiced(business)
    _, shipment = shipped(business)
    with business.work() as work:
        (draft,) = draft_invoices(work, [shipment.id], cells=OPEN)
        close_period(work, ClosePeriod(entity=business.entity, until=date(2026, 3, 1), reason="February is over"))
    before, late = standing(business, key), business.clock.now() - timedelta(days=3)
    refused(business, lambda work: post_invoices(work, [draft.id], cells=OPEN, at={draft.id: late}), "period_closed")
    assert standing(business, key) == before
    assert_books_agree(database)


def test_only_goods_of_the_agreement_in_its_days_and_of_its_customer_count(database):
    business = a_business(database)
    on_item = agreed(business, [tier(0, 10)], item=business.items[1])
    past = agreed(
        business, [tier(0, 1)], item=business.items[0], valid_from=date(2025, 1, 1), valid_until=date(2026, 3, 2)
    )
    with business.work() as work:
        new = NewCustomer(entity=business.entity, code="X", name="Else", country="Germany", currency="EUR")
        (somebody,) = add_customers(work, [new])
    elses = agreed(business, [tier(0, 1)], customer=somebody.id)
    invoiced(business, [(0, 1), (1, 1)])
    assert standing(business, on_item) == (1_000, 1_000, 1, 100)
    assert standing(business, past) == standing(business, elses) == (0, 0, 0, 0)


def test_what_was_billed_before_it_was_agreed_counts_as_well_and_once(database):
    business = a_business(database)
    order, _, _ = invoiced(business, [(0, 30)])
    sent_back(business, order, 10)
    key = agreed(business)
    assert standing(business, key) == (20_000, 20_000, 1, 400)
    assert [row[0] for row in accruals(business, key)] == ["rebate"]
    sent_back(business, order, 20)
    assert standing(business, key) == (0, 0, 0, 0)
    assert_books_agree(database)


def test_growth_counts_beyond_what_the_books_say_was_bought_the_year_before(database):
    business = a_business(database)
    invoiced(business, [(0, 30)])
    key = drafted(
        business, [tier(0, 10)], valid_from=date(2027, 1, 1), valid_until=date(2028, 1, 1), base_from_books=True
    )
    assert asked(business, "SELECT base FROM rebate_agreement WHERE id = :key", key=key) == [(30_000,)]


def test_two_who_post_at_the_same_moment_count_each_once(database):
    business = a_business(database)
    key = agreed(business)
    drafts = []
    for _ in range(4):
        _, shipment = shipped(business)
        with business.work() as work:
            drafts += [one.id for one in draft_invoices(work, [shipment.id], cells=OPEN)]

    def post(draft):
        with business.work() as work:
            post_invoices(work, [draft], cells=OPEN)

    found = at_once(*(lambda draft=draft: post(draft) for draft in drafts))
    assert found == [None] * 4
    assert standing(business, key) == (40_000, 40_000, 2, 2_000)
    assert_books_agree(database)


def test_who_agrees_while_somebody_posts_misses_nothing(database):
    business = a_business(database)
    key = drafted(business)
    drafts = []
    for _ in range(3):
        _, shipment = shipped(business)
        with business.work() as work:
            drafts += [one.id for one in draft_invoices(work, [shipment.id], cells=OPEN)]

    def post(draft):
        with business.work() as work:
            post_invoices(work, [draft], cells=OPEN)

    def agree():
        with business.work(OTHER) as work:
            agree_rebate(work, key)

    found = at_once(agree, *(lambda draft=draft: post(draft) for draft in drafts))
    assert found == [None] * 4
    assert standing(business, key) == (30_000, 30_000, 2, 1_500)
    assert_books_agree(database)


def test_where_nothing_is_agreed_a_run_asks_no_more_than_once(sqlite_database):
    business = a_business(sqlite_database)
    drafts = []
    for _ in range(5):
        _, shipment = shipped(business)
        with business.work() as work:
            drafts += [one.id for one in draft_invoices(work, [shipment.id], cells=OPEN)]
    said = []
    with business.work() as work:
        connection = work.driver
        connection.set_trace_callback(lambda sql: said.append(sql) if "rebate" in sql else None)
        try:
            post_invoices(work, drafts, cells=OPEN)
        finally:
            connection.set_trace_callback(None)
    assert len(said) == 1


def test_another_person_agrees_and_what_overlaps_is_named(database):
    business = a_business(database)
    first, second = agreed(business, name="Pipes"), drafted(business, item=business.items[0])
    refused(business, lambda work: agree_rebate(work, second), "rebate_own", WRITER)
    error = refused(business, lambda work: agree_rebate(work, second), "rebate_overlaps", OTHER)
    assert (error.facts["other"], error.facts["name"]) == (f"RB-{first}", "Pipes")
    with business.work(WRITER) as work:
        change_rebate(work, second, terms(business, item=business.items[0], adds_up=True))
    with pytest.raises(Conflict), business.work(OTHER) as work:
        agree_rebate(work, second, seen_version=1)
    with business.work(OTHER) as work:
        agree_rebate(work, second, seen_version=2)
    invoiced(business, [(0, 1)])
    assert [standing(business, key)[3] for key in (first, second)] == [20, 20]
    assert_books_agree(database)


def test_a_draft_may_be_withdrawn_and_what_is_agreed_may_not_be_changed(database):
    business = a_business(database)
    key = drafted(business)
    with business.work(WRITER) as work:
        withdraw_rebate(work, key, reason="Lost the customer")
    assert state(business, key) == "withdrawn"
    other = agreed(business)
    with pytest.raises(IllegalMove), business.work(WRITER) as work:
        change_rebate(work, other, terms(business))
    refused(business, lambda work: end_rebate(work, other), "rebate_early", OTHER)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "rebate_nameless"),
        ({"customer": None}, "rebate_for_nobody"),
        ({"valid_until": date(2026, 1, 1)}, "rebate_days"),
        ({"tiers": ()}, "rebate_tiers_few"),
        ({"tiers": (tier(10, 1), tier(10, 2))}, "rebate_tiers_rise"),
        ({"tiers": (tier(10),)}, "rebate_tier_gives"),
        ({"tiers": (tier(10, 101),)}, "rebate_percent"),
        ({"base": Decimal(-1)}, "amount_not_positive"),
        ({"customer": 987_654}, "customer_unknown"),
    ],
)
def test_what_is_no_agreement_is_refused_and_nothing_is_kept(sqlite_database, changes, code):
    business = a_business(sqlite_database)
    refused(business, lambda work: write_rebate(work, terms(business, **changes)), code, WRITER)


def test_settling_gives_back_what_is_accrued_at_the_tax_of_what_was_bought_and_closes_it(database):
    business = a_business(database)
    key = agreed(business)
    invoiced(business, [(0, 20), (1, 10)])
    ended(business, key)
    settled(business, key)
    assert state(business, key) == "settled"
    memos = asked(business, "SELECT net_minor, tax_minor, gross_minor, reason FROM credit_memo")
    assert memos == [(1_500, 300, 1_800, f"Rebate RB-{key}")]
    lines = asked(business, "SELECT item_id, net_minor FROM credit_memo_line ORDER BY line_no")
    assert lines == [(business.items[0], 1_000), (business.items[1], 500)]
    assert (in_books(business, "rebates"), in_books(business, "rebates_accrued")) == (-1_500, 0)
    refused(business, lambda work: settle_rebate(work, SettleRebate(agreement=key)), "illegal_move", OTHER)
    assert_books_agree(database)


def test_part_is_paid_while_it_runs_and_the_rest_takes_that_into_account(database):
    business = a_business(database)
    key = agreed(business)
    invoiced(business, [(0, 30)])
    part = SettleRebate(agreement=key, paid_minor=1_501)
    refused(business, lambda work: settle_rebate(work, part), "rebate_part_too_much", OTHER)
    settled(business, key, paid_minor=1_000)
    assert state(business, key) == "agreed"
    invoiced(business, [(0, 10)])
    ended(business, key)
    settled(business, key)
    paid = asked(
        business, "SELECT accrued_minor, paid_minor, difference_minor, is_final FROM rebate_settlement ORDER BY id"
    )
    assert [tuple(map(int, row)) for row in paid] == [(1_500, 1_000, 0, 0), (1_000, 1_000, 0, 1)]
    assert in_books(business, "rebates_accrued") == 0
    assert_books_agree(database)


def test_a_claim_above_what_is_accrued_takes_a_reason_and_authority_and_is_expense(database):
    business = a_business(database)
    key = agreed(business)
    invoiced(business, [(0, 30)])
    ended(business, key)
    more = SettleRebate(agreement=key, paid_minor=2_000, claimed_minor=2_000)
    refused(business, lambda work: settle_rebate(work, more), "rebate_difference", OTHER)
    clerk = type(OTHER)(id=73, role="billing", permissions=frozenset({"billing:rebate:settle"}))
    named = SettleRebate(agreement=key, paid_minor=2_000, claimed_minor=2_000, reason="Goodwill")
    with pytest.raises(NotAllowed), business.work(clerk) as work:
        settle_rebate(work, named)
    settled(business, key, paid_minor=2_000, claimed_minor=2_000, reason="Goodwill")
    assert (in_books(business, "rebates"), in_books(business, "rebates_accrued")) == (-2_000, 0)
    told = [row[0] for row in asked(business, "SELECT type FROM event_log WHERE type LIKE 'rebate.%' ORDER BY seq")]
    assert told == ["rebate.agreed", "rebate.accrued", "rebate.claimed", "rebate.settled"]
    assert_books_agree(database)


def test_what_comes_back_after_all_was_settled_is_to_be_settled_again(database):
    business = a_business(database)
    key = agreed(business)
    order, _, _ = invoiced(business, [(0, 30)])
    ended(business, key)
    settled(business, key)
    sent_back(business, order, 10)
    assert state(business, key) == "ended"
    assert in_books(business, "rebates_accrued") == -1_100
    settled(business, key, reason="Too little to ask for")
    assert (state(business, key), in_books(business, "rebates_accrued")) == ("settled", 0)
    assert in_books(business, "rebates") == -1_500
    assert_books_agree(database)


def test_two_who_settle_at_the_same_moment_settle_once(database):
    business = a_business(database)
    key = agreed(business)
    invoiced(business, [(0, 30)])
    ended(business, key)

    def settle(who):
        with business.work(PEOPLE[who]) as work:
            return settle_rebate(work, SettleRebate(agreement=key))

    found = at_once(lambda: settle(0), lambda: settle(1))
    assert sum(isinstance(one, IllegalMove) for one in found) == 1
    assert asked(business, "SELECT COUNT(*), SUM(net_minor) FROM credit_memo") == [(1, 1_500)]
    assert_books_agree(database)
