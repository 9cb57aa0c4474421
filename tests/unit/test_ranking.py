"""Who gets scarce stock: each rule with exact shares, whole orders, places given by hand, and never more than there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from erpcore.orders.ranking import AllocationRule as R
from erpcore.orders.ranking import Claim, Why, outranks, plan, ranked, rule_of, shares

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PLACE, OTHER = (1, 10), (1, 11)


def a_claim(line, wanted, *, hour=0, **more):
    return Claim(
        **{
            "line": line, "order": line, "customer": line, "wanted": wanted, "since": NINE + timedelta(hours=hour), **more,
        }
    )  # fmt: skip


def got(found):
    return {share.line: share.got for share in found}


def test_first_come_serves_who_waits_longest():
    claims = [a_claim(1, 6, hour=2), a_claim(2, 6, hour=1), a_claim(3, 6, hour=3)]
    found = shares(R.FIRST_COME, 10, claims)
    assert [(s.line, s.rank, s.got, s.why) for s in found] == [
        (2, 1, 6, Why.SERVED), (1, 2, 4, Why.PART), (3, 3, 0, Why.EARLIER_RANKS)
    ]  # fmt: skip


def test_priority_serves_the_channel_then_the_tier_then_who_waits_longest():
    claims = [
        a_claim(1, 5), a_claim(2, 5, hour=9, priority=1), a_claim(3, 5, hour=8, tier=1), a_claim(4, 5, hour=5, priority=1)
    ]  # fmt: skip
    assert [claim.line for claim in ranked(R.PRIORITY, claims)] == [4, 2, 3, 1]
    assert got(shares(R.PRIORITY, 12, claims)) == {4: 5, 2: 5, 3: 2, 1: 0}


def test_a_contract_gets_its_protected_part_first_and_the_rest_in_turn():
    claims = [a_claim(1, 8), a_claim(2, 8, hour=1, customer=70), a_claim(3, 2, hour=2)]
    assert got(shares(R.CONTRACT_PROTECTION, 10, claims, protected={70: 5})) == {1: 5, 2: 5, 3: 0}


def test_what_is_protected_for_who_does_not_ask_is_kept_from_the_others():
    (only,) = shares(R.CONTRACT_PROTECTION, 10, [a_claim(1, 8)], protected={70: 5})
    assert (only.got, only.why) == (5, Why.HELD_FOR_CONTRACT)


def test_fair_share_gives_everybody_the_same_part_in_whole_units():
    claims = [a_claim(1, 60_000), a_claim(2, 30_000), a_claim(3, 10_000)]
    found = shares(R.FAIR_SHARE, 55_000, claims, step=1000)
    assert got(found) == {1: 33_000, 2: 17_000, 3: 5_000}
    assert {share.why for share in found} == {Why.SHARE}


def test_a_place_given_by_hand_comes_before_every_rule():
    claims = [a_claim(1, 6), a_claim(2, 6, hour=1), a_claim(3, 6, hour=2, moved=1)]
    for rule in (R.FIRST_COME, R.PRIORITY, R.CONTRACT_PROTECTION):
        assert got(shares(rule, 10, claims)) == {3: 6, 1: 4, 2: 0}, rule
    assert got(shares(R.FAIR_SHARE, 10, claims)) == {3: 6, 1: 2, 2: 2}


def test_where_rules_meet_the_most_protective_holds():
    assert rule_of([a_claim(1, 1), a_claim(2, 1, rule=R.FAIR_SHARE)]) == R.FAIR_SHARE
    assert rule_of([a_claim(1, 1, rule=R.PRIORITY), a_claim(2, 1, rule=R.CONTRACT_PROTECTION)]) == R.CONTRACT_PROTECTION
    assert rule_of([a_claim(1, 1)]) == R.FIRST_COME


def test_stock_may_be_taken_back_only_for_who_ranks_better():
    early, late, important = a_claim(1, 1), a_claim(2, 1, hour=1), a_claim(3, 1, hour=2, tier=1)
    assert outranks(early, late)
    assert outranks(important, early)
    assert not outranks(late, early)


def planned(claims, free, rule=R.FIRST_COME):
    return plan(claims, free, rules=dict.fromkeys(claims, rule), steps=dict.fromkeys(claims, 1))


def test_an_order_that_leaves_whole_gets_all_or_nothing_and_its_part_serves_the_next():
    whole = {"order": 90, "whole": True}
    found = planned(
        {PLACE: [a_claim(1, 6, **whole), a_claim(3, 6, hour=1)], OTHER: [a_claim(2, 6, **whole)]}, {PLACE: 10, OTHER: 5}
    )
    assert got(found[PLACE]) == {1: 0, 3: 6}
    assert got(found[OTHER]) == {2: 0}
    assert {share.why for share in found[OTHER]} == {Why.ORDER_NOT_WHOLE}


def test_of_two_whole_orders_the_younger_gives_way_when_one_can_be_covered():
    found = planned({PLACE: [a_claim(1, 6, whole=True), a_claim(2, 6, hour=1, whole=True)]}, {PLACE: 10})
    assert got(found[PLACE]) == {1: 6, 2: 0}


def test_a_whole_order_short_at_two_places_gets_nothing_at_either():
    found = planned(
        {
            PLACE: [a_claim(1, 6, order=90, whole=True), a_claim(3, 6, order=91, whole=True, hour=1)],
            OTHER: [a_claim(2, 6, order=90, whole=True)],
        },
        {PLACE: 8, OTHER: 2},
    )
    assert got(found[PLACE]) == {1: 0, 3: 6}
    assert got(found[OTHER]) == {2: 0}


@pytest.mark.parametrize("seed", range(40))
def test_no_rule_ever_gives_more_than_is_free_or_more_than_is_wanted(seed):
    random = Random(seed)
    places = [(1, 10), (1, 11), (2, 10)]
    claims = {
        place: [
            a_claim(
                100 * n + k, 1000 * random.randint(1, 20), hour=random.randrange(9), order=random.randrange(6),
                customer=random.randrange(4), priority=random.randint(1, 3), tier=random.randint(1, 3),
                whole=random.random() < 0.3, moved=random.choice((None, None, None, 1)),
            )
            for k in range(random.randint(1, 8))
        ]
        for n, place in enumerate(places)
    }  # fmt: skip
    free = {place: 1000 * random.randrange(40) for place in places}
    for rule in R:
        found = plan(
            claims, free, rules=dict.fromkeys(places, rule), steps=dict.fromkeys(places, 1000),
            protected={place: {1: 5000, 9: 2000} for place in places},
        )  # fmt: skip
        for place in places:
            assert sum(share.got for share in found[place]) <= free[place]
            wanted = {claim.line: claim for claim in claims[place]}
            assert sorted(wanted) == sorted(share.line for share in found[place])
            assert all(0 <= share.got <= wanted[share.line].wanted and share.got % 1000 == 0 for share in found[place])
        by_order = {}
        for place in places:
            for share in found[place]:
                claim = next(c for c in claims[place] if c.line == share.line)
                if claim.whole:
                    by_order.setdefault(claim.order, []).append(share.got == claim.wanted)
        # Lines of one order that are all whole: covered all, or none served.
        for order, covered in by_order.items():
            assert all(covered) or not any(
                share.got for place in places for share in found[place]
                if next(c for c in claims[place] if c.line == share.line).order == order
                and next(c for c in claims[place] if c.line == share.line).whole
            )  # fmt: skip
