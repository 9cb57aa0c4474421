"""How much customers deduct, and what of partners' payouts nobody explains: each held against amounts written out here."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from app.composition.calendars import SiteCalendars
from app.composition.uow import reading
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.dispute_settling import CreditLine
from erpcore.billing.settling.explaining import accept_difference
from erpcore.billing.settling.posting import post_payout
from readiness.conformance.drilldown import journeys_behind
from readiness.measures.queries import Asked, Scope, read_many, read_measure
from tests.support.disputes import paid_short, settled
from tests.support.queries import queries
from tests.support.settlement import a_market, hand_in, payout_file, rows, sold
from tests.support.steps import invoiced

DEDUCTED, UNEXPLAINED = "deduction_rate", "settlement_unexplained"
DAY = timedelta(days=1)


def read(business, key, scope=None, **more):
    with reading(business.database) as session:
        return read_measure(
            session, key, scope or Scope(), as_of=business.clock.now(), calendars=SiteCalendars(session), **more
        )


def behind(business, key):
    with reading(business.database) as session:
        return journeys_behind(
            session, key, Scope(), as_of=business.clock.now(), calendars=SiteCalendars(session), limit=9
        )


def pay(business, invoice):
    with business.work() as work:
        money = ReceiveCash(
            entity=business.entity, customer=business.customer, amount_minor=invoice.gross_minor, reference="all of it"
        )
        (receipt,) = receive_cash(work, [money])
        apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=invoice.gross_minor)])


def test_what_is_deducted_is_a_share_of_the_invoices_settled_by_what_became_of_it(database):
    business = a_market(database)
    whole, short, wrong, _ = (invoiced(business, [(0, pieces)])[2] for pieces in (10, 5, 4, 1))
    pay(business, whole)
    paid_short(business, short, 5_400, reason="freight", note="none was agreed")
    _, dispute = paid_short(business, wrong, 3_600, reason="damaged", note="one dented")
    line = wrong.lines[0].order_line_id
    settled(business, dispute, credit=[CreditLine(order_line=line, quantity=Decimal(1))])
    assert read(business, DEDUCTED).value is None, "the day is not over"
    business.clock.advance(DAY)
    found = read(business, DEDUCTED)
    assert (found.numerator, found.denominator, found.count) == (600 + 1_200, 12_000 + 6_000 + 4_800, 3)
    for outcome, minor in (("valid", 1_200), ("open", 600), ("invalid", 0), ("recovered", 0)):
        part = read(business, DEDUCTED, dimension=outcome)
        assert (part.numerator, part.denominator) == (minor, 22_800), outcome
    assert [(one.id, one.weight, one.flags) for one in behind(business, DEDUCTED)] == [
        (wrong.id, 1_200, ("valid",)), (short.id, 600, ("open",)),
    ]  # fmt: skip
    assert read(business, DEDUCTED, Scope(sites=frozenset({1}))).denominator == 0


def test_what_nobody_explains_of_payouts_is_a_share_of_what_was_sold_until_somebody_does(database):
    business = a_market(database)
    sold(business, "B-1")
    content = payout_file(("Order", "B-1", "120,00"), ("Refund", "B-9", "-9,00"), ("Correction", "", "3,00"))
    payout, _ = hand_in(business, content, total=11_400)
    business.clock.advance(DAY)
    young = read(business, UNEXPLAINED)
    assert young.value is None or young.provisional, "it has a week to be explained"
    business.clock.advance(7 * DAY)
    found = read(business, UNEXPLAINED)
    assert (found.numerator, found.denominator, found.value) == (1_200, 12_000, Decimal("0.1"))
    assert read(business, UNEXPLAINED, dimension="Bazaar").numerator == 1_200
    assert read(business, UNEXPLAINED, dimension="nobody").numerator == 0
    assert [(one.id, one.kind, one.weight, one.title) for one in behind(business, UNEXPLAINED)] == [
        (payout, "payout", 1_200, "Payout P-1")
    ]
    (line,) = rows(business, "SELECT id FROM settlement_line WHERE line_no = 2")[0]
    with business.work() as work:
        post_payout(work, payout)
    with business.work() as work:
        accept_difference(work, line, reason="too small to ask")
    assert read(business, UNEXPLAINED).numerator == 300


def test_both_are_read_with_what_is_disputed_in_one_statement(database):
    business = a_market(database)
    hand_in(business, payout_file(("Correction", "", "3,00")), total=300)

    def asked(*keys):
        with reading(database) as session, queries(database) as ran:
            read_many(
                session,
                [Asked(key=key, scope=Scope()) for key in keys],
                as_of=business.clock.now(),
                calendars=SiteCalendars(session),
            )
        return len(ran)

    assert asked("dispute_rate", DEDUCTED, UNEXPLAINED) == asked("dispute_rate")
