"""Pure decisions about prices: which holds, what a discount gives, the floor of a margin, who approves."""

from __future__ import annotations

import itertools
from datetime import date
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpcore.pricing.models import PriceKind
from erpcore.pricing.precedence import meet, precedence
from erpcore.pricing.queries import Asked, best_price, discounted
from erpcore.pricing.rules import (
    PERMISSIONS,
    Authority,
    EnteredPrice,
    is_within,
    lost_margin,
    margin_permille,
    price_floor,
    route,
)

DAY = date(2026, 3, 2)


class Rule(NamedTuple):
    id: int
    kind: str
    item_id: int | None
    item_group_id: int | None
    customer_id: int | None
    customer_group_id: int | None
    channel_id: int | None
    minimum_quantity: int
    unit_price: int | None
    discount: int | None
    currency: str
    valid_from: date
    valid_until: date | None


QUESTION = Asked(1, 5, 6, 7, 20_000, DAY, "EUR", 9)


def a_rule(id_, kind, price=None, **changes):
    """A rule that fits the question unless it is changed."""
    scope = {
        "contract": {"customer_id": 5}, "customer": {"customer_id": 5}, "group": {"customer_group_id": 6},
        "channel": {"channel_id": 7}, "break": {"minimum_quantity": 10_000},
    }.get(kind, {})  # fmt: skip
    return Rule(
        **{
            "id": id_, "kind": kind, "item_id": 1, "item_group_id": None, "customer_id": None, "customer_group_id": None,
            "channel_id": None, "minimum_quantity": 0, "unit_price": price, "discount": None, "currency": "EUR",
            "valid_from": date(2026, 1, 1), "valid_until": None, **scope, **changes,
        }
    )  # fmt: skip


ALL = [a_rule(n, kind, price=n * 1_000_000) for n, kind in enumerate(PriceKind, 1)]


def test_the_kind_decides_first_whatever_the_order_the_rules_are_read_in():
    for some in itertools.permutations(ALL, 3):
        price = best_price(some, QUESTION)
        strongest = min(some, key=lambda rule: list(PriceKind).index(rule.kind))
        assert (price.rule, price.source, price.unit_price) == (strongest.id, strongest.kind, strongest.unit_price)
        assert {one.rule for one in price.losers} == {rule.id for rule in some} - {strongest.id}


def test_within_a_kind_who_names_more_wins_then_the_higher_quantity():
    everybody = a_rule(1, "promotion", 1)
    channel = a_rule(2, "promotion", 1, channel_id=7)
    group = a_rule(3, "promotion", 1, customer_group_id=6)
    many = a_rule(4, "promotion", 1, customer_group_id=6, minimum_quantity=10_000)
    family = a_rule(5, "promotion", None, item_id=None, item_group_id=9, discount=100_000)
    ranked = sorted([family, everybody, channel, group, many], key=precedence, reverse=True)
    assert [rule.id for rule in ranked] == [4, 3, 2, 1, 5]


@pytest.mark.parametrize(
    "changes",
    [
        {"currency": "USD"}, {"customer_id": 8}, {"customer_group_id": 8}, {"channel_id": 8}, {"minimum_quantity": 20_001},
        {"valid_from": date(2026, 3, 3)}, {"valid_until": DAY},
    ],
)  # fmt: skip
def test_a_rule_of_another_scope_quantity_currency_or_time_does_not_fit(changes):
    assert best_price([a_rule(1, "promotion", 5, **changes)], QUESTION) is None


def test_a_discount_is_taken_from_the_list_price_that_holds_for_the_line():
    rules = [a_rule(1, "list", 10_000_000), a_rule(2, "break", 9_000_000), a_rule(3, "group", discount=125_000)]
    price = best_price(rules, QUESTION)
    assert (price.source, price.unit_price, price.list_price) == ("group", 7_875_000, 9_000_000)
    assert [(one.kind, one.unit_price) for one in price.losers] == [("break", 9_000_000), ("list", 10_000_000)]


def test_a_discount_without_a_list_price_gives_nothing():
    assert best_price([a_rule(3, "group", discount=125_000)], QUESTION) is None


def test_discounts_are_exact_to_six_places_and_rounded_half_away_from_zero():
    assert discounted(10_000_001, 500_000) == 5_000_001
    assert discounted(9_990_000, 333_333) == 6_660_003
    assert discounted(1, 1_000_000) == 0


@given(st.integers(0, 10**12), st.integers(1, 10**6))
def test_a_discount_never_raises_a_price_nor_makes_it_negative(price, discount):
    assert 0 <= discounted(price, discount) <= price


def test_times_meet_when_they_have_a_day_in_common():
    one, two, three = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
    assert meet(one, None, three, None)
    assert meet(one, three, two, None)
    assert not meet(one, two, two, three)
    assert not meet(two, two, one, None), "a rule that never held meets nothing"


def test_the_floor_leaves_the_margin_after_the_cost_and_is_rounded_up():
    assert price_floor(4_000_000, 200) == 5_000_000
    assert price_floor(1_000_000, 300) == 1_428_572
    assert price_floor(None, 200) is None
    assert price_floor(4_000_000, 0) is None


@given(st.integers(1, 10**10), st.integers(1, 900))
def test_at_the_floor_the_margin_is_kept_and_one_millionth_below_it_is_not(cost, permille):
    floor = price_floor(cost, permille)
    assert (floor - cost) * 1000 >= permille * floor
    assert (floor - 1 - cost) * 1000 < permille * (floor - 1)


def test_margin_is_a_share_of_the_price():
    assert margin_permille(5_000_000, 4_000_000) == 200
    assert margin_permille(0, 4_000_000) is None
    assert margin_permille(5_000_000, None) is None
    assert margin_permille(3_000_000, 4_000_000) == -334


def an_entry(given, **changes):
    return EnteredPrice(
        **{
            "line": 10, "quantity": 10_000, "resolved": 10_000_000, "given": given, "floor": None,
            "tolerance_permille": 50, **changes,
        }
    )  # fmt: skip


def routed(*entered, authority="site_lead", limit=50_000, tier=2):
    return route(entered, authority=authority, limit_minor=limit, tier=tier, currency="EUR")


def test_within_the_tolerance_a_price_stands_and_a_cent_beyond_it_does_not():
    assert is_within(an_entry(9_500_000))
    assert not is_within(an_entry(9_499_999))
    assert is_within(an_entry(12_000_000)), "a higher price loses nothing"
    assert not is_within(an_entry(9_900_000, floor=9_950_000)), "the floor holds within the tolerance too"
    assert not is_within(an_entry(9_900_000, resolved=None)), (
        "without a price of the rules there is nothing to be within of"
    )


def test_what_is_lost_is_the_difference_over_the_whole_line_never_less_than_nothing():
    assert lost_margin(an_entry(9_000_000), "EUR") == 1_000
    assert lost_margin(an_entry(11_000_000), "EUR") == 0
    assert lost_margin(an_entry(9_000_000, resolved=None), "EUR") == 0


def test_an_order_whose_prices_all_stand_goes_to_nobody():
    assert routed(an_entry(9_600_000), an_entry(10_500_000)) is None


def test_the_level_rises_with_the_margin_lost_the_floor_and_the_key_account_and_ends_at_the_highest():
    assert routed(an_entry(9_000_000)).level == Authority.SITE_LEAD
    above = routed(an_entry(9_000_000), limit=999)
    assert (above.level, above.why, above.lost_minor) == (Authority.PROCESS_OWNER, ("lost_margin_above_limit",), 1_000)
    assert routed(an_entry(9_000_000), limit=1_000).level == Authority.SITE_LEAD, "at the limit it stays"
    assert routed(an_entry(9_000_000), authority="desk").level == Authority.DESK
    assert routed(an_entry(9_000_000), authority="desk", tier=1).level == Authority.SITE_LEAD
    below = routed(an_entry(9_000_000, floor=9_100_000), authority="desk", limit=1, tier=1)
    assert below.level == Authority.PROCESS_OWNER
    assert below.why == ("lost_margin_above_limit", "below_minimum_margin", "key_account")


def test_only_the_lines_beyond_the_tolerance_are_named_and_counted():
    found = routed(an_entry(9_900_000), an_entry(5_000_000, line=20))
    assert (found.lines, found.lost_minor) == ((20,), 5_000)


def test_each_level_of_approval_has_a_permission():
    assert set(PERMISSIONS) == set(Authority)
