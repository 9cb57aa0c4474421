"""A change of prices is decided by the rules of approval, by what it touches of what is sold; it holds from the approval on."""

from __future__ import annotations

import io
from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import select, text

from app.composition.approving import Answer, answer
from app.importers.priceapprovals import plan_now, request_of_list, settle, weigh_list
from app.importers.pricechanges import hand_in, save_row
from app.importers.pricelists import COLUMNS, read_list
from app.importers.priceweights import changes_of, weigh
from app.jobs.approvals import escalate_due
from erpcore.kernel.errors import Conflict, DomainError, NeedsConfirmation, NotAllowed, RuleBroken
from erpcore.orders.services import capture_orders
from erpcore.pricing.lists import SettleList
from erpcore.pricing.models import PriceList, PriceRule
from governance.approvals.models import ApprovalRequest
from governance.approvals.rules import Materiality
from tests.support.approvals import a_rule, answered, delegated, person, state_of
from tests.support.core import OPEN, RULES, a_business
from tests.support.threads import at_once


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    return made


def a_row(**cells):
    return {
        "kind": "list", "item": "40-0", "currency": "EUR", "unit_price": "9.00", "valid_from": "2026-03-20", **cells
    }  # fmt: skip


def a_list(business, by, *rows):
    lines = [",".join(COLUMNS), *(",".join(row.get(name, "") for name in COLUMNS) for row in rows)]
    with business.work(by) as work:
        return hand_in(work, business.entity, read_list("spring.csv", io.BytesIO("\n".join(lines).encode())))


def plan(business, kept):
    with business.work() as work:
        return plan_now(work, kept, rules=RULES)


def step(business, who, kept, move, *, reason="the market fell", seen=None):
    digest = plan(business, kept).digest if seen is None else seen
    with business.work(who) as work:
        return settle(work, SettleList(list=kept, move=move, reason=reason, seen=digest), rules=RULES).state


def asked(business, kept):
    with business.work() as work:
        return request_of_list(work.session, kept)


def prices(business):
    """What was saved beside the lists that the business began with."""
    with business.work() as work:
        query = select(PriceRule.unit_price, PriceRule.valid_from).where(PriceRule.price_list_id.is_not(None))
        return [(str(price), day) for price, day in work.session.execute(query.order_by(PriceRule.id))]


def state(business, kept):
    with business.work() as work:
        return work.session.scalar(select(PriceList.state).where(PriceList.id == kept))


def sold(business):
    with business.work() as work:
        capture_orders(work, [business.order()], rules=RULES, cells=OPEN)


def weight(business, kept):
    with business.work() as work:
        return weigh(work, business.entity, changes_of(plan_now(work, kept, rules=RULES)))


def test_what_one_person_may_do_alone_is_approved_automatically_and_says_so(business):
    data = person(business, "data_owner")
    kept = a_list(business, data, a_row(unit_price="10.50"))
    assert step(business, data, kept, "apply", reason="") == "applied"
    request = asked(business, kept)
    assert (request.state, request.is_automatic, request.asked_by) == ("approved", True, data.id)
    assert "nobody is asked" in request.rule_text
    assert step(business, data, kept, "apply", reason="") == "applied", "a second time finds the first"
    assert prices(business) == [("10.500000", date(2026, 3, 20))]


def test_a_lower_price_waits_for_somebody_else_and_holds_only_then(business):
    data, judge = person(business, "data_owner"), person(business, "process_owner")
    kept = a_list(business, data, a_row())
    with pytest.raises(RuleBroken) as refused:
        step(business, data, kept, "apply")
    assert refused.value.code == "price_list_needs_second"
    assert step(business, data, kept, "ask") == "asked"
    assert prices(business) == []
    request = asked(business, kept)
    assert request.rule_text.startswith("Of medium materiality or higher, one person who may")
    assert request.summary == "Prices: spring.csv (1 item)"
    assert answered(business, judge, request.id) == "approved"
    assert (state(business, kept), prices(business)) == ("applied", [("9.000000", date(2026, 3, 20))])


def test_what_it_touches_of_what_was_sold_says_how_much_hangs_on_it(business):
    sold(business)
    data = person(business, "data_owner")
    kept = a_list(business, data, a_row())
    found = weight(business, kept)
    assert (found.items, found.share_permille, found.materiality, found.beyond) == (1, 1000, "high", 1)
    with business.work() as work:
        pieces = work.session.scalar(text("SELECT SUM(quantity) FROM order_line")) // 1000
    assert found.lost_minor == pieces * 100
    assert "100.0 % of the revenue of 90 days" in found.words
    other = a_list(business, data, a_row(item="40-1", unit_price="10.10"))
    assert (weight(business, other).share_permille, weight(business, other).materiality) == (0, "low")
    business.clock.set(business.clock.now() + timedelta(days=91))
    again = a_list(business, data, a_row(valid_from="2026-07-01"))
    assert (weight(business, again).share_permille, weight(business, again).materiality) == (None, "medium")


def test_a_list_cut_into_small_ones_weighs_as_much_as_the_whole(business, monkeypatch):
    """Each names one of three items; from two on somebody is asked, from three on two people are."""
    monkeypatch.setattr("app.importers.priceweights._ITEMS", ((3, Materiality.HIGH), (2, Materiality.MEDIUM)))
    data, judge = person(business, "data_owner"), person(business, "process_owner")
    whole = a_list(business, data, *(a_row(item=f"40-{n}", unit_price="10.50") for n in range(3)))
    assert weight(business, whole).materiality == "high"
    cut = [a_list(business, data, a_row(item=f"40-{n}", unit_price=f"10.5{n}")) for n in range(3)]
    assert step(business, data, cut[0], "apply", reason="") == "applied"
    with pytest.raises(RuleBroken) as refused:
        step(business, data, cut[1], "apply", reason="")
    assert refused.value.code == "price_list_needs_second"
    assert step(business, data, cut[1], "ask") == "asked"
    assert "with 1 price of the same person in 7 days" in asked(business, cut[1]).summary
    # What waits counts as well: the third makes it three.
    assert step(business, data, cut[2], "ask") == "asked"
    third = asked(business, cut[2])
    assert "3 items" in third.summary
    assert '"materiality":"high"' in third.facts
    # Another's changes are not theirs, and what somebody else agreed to does not count a second time.
    assert answered(business, judge, asked(business, cut[1]).id) == "approved"
    for who, counted in ((data, 2), (person(business, "data_owner"), 0)):
        another = a_list(business, who, a_row(item="40-1", unit_price=f"10.6{counted}"))
        with business.work(who) as work:
            kept = work.session.get_one(PriceList, another)
            assert weigh_list(work, kept, plan_now(work, another, rules=RULES)).counted_with == counted


def test_a_typed_price_counts_for_a_week_and_not_longer(business, monkeypatch):
    monkeypatch.setattr("app.importers.priceweights._ITEMS", ((3, Materiality.HIGH), (2, Materiality.MEDIUM)))
    data = person(business, "data_owner")

    def typed(item):
        row = a_row(kind="contract", customer="10482", item=item, unit_price="10.50")
        with business.work(data) as work:
            return save_row(work, business.entity, row, rules=RULES, accepted={}).rule

    assert typed("40-0") is not None
    with pytest.raises(NeedsConfirmation):
        typed("40-1")
    business.clock.advance(timedelta(days=8))
    assert typed("40-1") is not None


def test_a_price_for_one_customer_touches_what_that_customer_bought(business):
    sold(business)
    kept = a_list(
        business, person(business, "data_owner"),
        a_row(kind="contract", customer="10482", unit_price="9.99"),
    )  # fmt: skip
    assert weight(business, kept).share_permille == 1000
    with business.work() as work:
        work.session.execute(text("UPDATE sales_order SET state = 'cancelled'"))
    assert weight(business, kept).share_permille is None


def test_much_of_the_revenue_takes_two_different_people(business):
    sold(business)
    data, one, two = person(business, "data_owner"), person(business, "process_owner"), person(business, "finance")
    kept = a_list(business, data, a_row(unit_price="10.10"))
    with pytest.raises(RuleBroken):
        step(business, data, kept, "apply")
    assert step(business, data, kept, "ask") == "asked"
    assert step(business, one, kept, "approve") == "asked"
    assert step(business, one, kept, "approve") == "asked", "acting twice is harmless"
    assert prices(business) == []
    assert answered(business, two, asked(business, kept).id) == "approved"
    assert prices(business) == [("10.100000", date(2026, 3, 20))]


def test_who_asked_and_who_handed_it_in_do_not_decide(business):
    hander, asker = person(business, "data_owner"), person(business, "data_owner")
    kept = a_list(business, hander, a_row())
    step(business, asker, kept, "ask")
    request = asked(business, kept).id
    for who in (hander, asker):
        with pytest.raises(NotAllowed) as refused:
            answered(business, who, request)
        assert refused.value.code == "approval_own"
        with pytest.raises(NotAllowed) as refused:
            step(business, who, kept, "approve")
        assert refused.value.code == "own_request"
    assert (state(business, kept), prices(business)) == ("asked", [])


def test_self_approval_of_prices_through_a_delegate_is_refused(business):
    data, helper, other = person(business, "data_owner"), person(business, "finance"), person(business, "finance")
    delegated(business, data, helper)
    kept = a_list(business, data, a_row())
    step(business, data, kept, "ask")
    request = asked(business, kept).id
    for act in (partial(answered, business, helper, request), partial(step, business, helper, kept, "approve")):
        with pytest.raises(NotAllowed) as refused:
            act()
        assert refused.value.code == "approval_tied"
    assert prices(business) == []
    assert answered(business, other, request) == "approved"


def test_approving_an_outdated_version_of_a_list_is_refused(business):
    """Taken back and asked for again, and prices that moved after it was asked for: neither is agreed to by an old answer."""
    data, judge = person(business, "data_owner"), person(business, "process_owner")
    kept = a_list(business, data, a_row())
    step(business, data, kept, "ask")
    first = asked(business, kept).id
    assert step(business, data, kept, "withdraw", reason="not yet") == "kept"
    assert state_of(business, first) == "outdated"
    step(business, data, kept, "ask", reason="now")
    with pytest.raises(Conflict) as refused:
        answered(business, judge, first)
    assert refused.value.code == "approval_settled"
    with business.work() as work:
        work.session.execute(text("UPDATE price_rule SET valid_until = '2026-03-10' WHERE price_list_id IS NULL"))
    second = asked(business, kept).id
    with pytest.raises(Conflict) as refused:
        answered(business, judge, second)
    assert refused.value.code == "price_list_asked_otherwise"
    assert (state(business, kept), state_of(business, second), prices(business)) == ("asked", "waiting", [])


def test_a_list_that_is_agreed_to_late_begins_with_the_approval(business):
    data, judge = person(business, "data_owner"), person(business, "process_owner")
    kept = a_list(business, data, a_row(valid_from="2026-03-03"))
    step(business, data, kept, "ask")
    business.clock.set(business.clock.now() + timedelta(days=3))
    assert answered(business, judge, asked(business, kept).id) == "approved"
    assert prices(business) == [("9.000000", date(2026, 3, 5))]


def test_a_no_refuses_the_list_with_its_reason_and_after_the_time_others_may_decide_too(business):
    data, judge, sponsor = (person(business, role) for role in ("data_owner", "process_owner", "sponsor"))
    kept = a_list(business, data, a_row())
    step(business, data, kept, "ask")
    assert answered(business, judge, asked(business, kept).id, "reject", "not before May") == "rejected"
    assert state(business, kept) == "declined"
    step(business, data, kept, "ask", reason="it is May")
    business.clock.set(business.clock.now() + timedelta(days=4))
    assert escalate_due(business.database, clock=business.clock) == 1
    assert answered(business, sponsor, asked(business, kept).id) == "approved"
    assert len(prices(business)) == 1


def test_a_rule_of_the_amount_given_away_asks_finance_too(business):
    a_rule(business, "dear", kind="price_change", amount_from_minor=1, currency="EUR", capacity="role:sponsor")
    sold(business)
    data, judge, other = (person(business, role) for role in ("data_owner", "process_owner", "finance"))
    kept = a_list(business, data, a_row())
    step(business, data, kept, "ask")
    request = asked(business, kept).id
    assert [answered(business, who, request) for who in (judge, other)] == ["waiting", "waiting"]
    assert answered(business, person(business, "sponsor"), request) == "approved"


def test_two_approvers_of_prices_at_once_make_them_hold_once(business):
    data, one, two = person(business, "data_owner"), person(business, "process_owner"), person(business, "finance")
    kept = a_list(business, data, a_row())
    step(business, data, kept, "ask")
    request = asked(business, kept).id
    seen = plan(business, kept).digest
    found = at_once(partial(step, business, one, kept, "approve", seen=seen), partial(_agreed, business, two, request))
    assert [isinstance(each, DomainError) for each in found].count(True) == 1, found
    assert (state(business, kept), prices(business)) == ("applied", [("9.000000", date(2026, 3, 20))])


def _agreed(business, who, request):
    with business.work(who) as work:
        return answer(work, Answer(request=request, verdict="approve")).state


def test_an_approval_while_it_is_taken_back_is_one_of_the_two(business):
    data, judge = person(business, "data_owner"), person(business, "process_owner")
    kept = a_list(business, data, a_row())
    step(business, data, kept, "ask")
    request, seen = asked(business, kept).id, plan(business, kept).digest
    found = at_once(
        partial(_agreed, business, judge, request),
        partial(step, business, data, kept, "withdraw", reason="not yet", seen=seen),
    )
    assert [isinstance(each, DomainError) for each in found].count(True) == 1, found
    assert (state(business, kept), len(prices(business))) in {("applied", 1), ("kept", 0)}
    with business.work() as work:
        assert work.session.scalar(select(ApprovalRequest.id).where(ApprovalRequest.state == "waiting")) is None
