"""Which site ships a line: each rule has its own winner, ties go to the site that sells, and few sites are as few as can be."""

from __future__ import annotations

import itertools
import random

import pytest

from erpcore.orders.source_rules import Candidate, choose, fewest

OWN = Candidate(1, 50, is_own=True, transit_days=3, cost_minor=900)
RICH = Candidate(2, 90, is_own=False, transit_days=4, cost_minor=700)
NEAR = Candidate(3, 20, is_own=False, transit_days=1, cost_minor=800)
CHEAP = Candidate(4, 20, is_own=False, transit_days=5, cost_minor=100)
NO_LANE = Candidate(5, 60, is_own=False)
ALL = [NO_LANE, CHEAP, NEAR, RICH, OWN]


@pytest.mark.parametrize(
    ("rule", "quantity", "site"),
    [
        ("own_site", 10, 1), ("most_stock", 10, 2), ("nearest", 10, 3), ("cheapest", 10, 4), ("fewest_splits", 10, 1),
        ("nearest", 30, 1), ("cheapest", 30, 2), ("own_site", 80, 2), ("most_stock", 95, None), ("nearest", 55, 2),
    ],
)  # fmt: skip
def test_each_rule_takes_its_own_of_those_that_have_all_of_it(rule, quantity, site):
    found = choose(rule, ALL, quantity)
    assert (found and found.site) == site


def test_the_cheapest_that_keeps_the_committed_day_ships_and_else_the_least_late():
    slow, dear = CHEAP._replace(late_days=2), NEAR._replace(late_days=0)
    assert choose("commitment", [slow, dear, OWN._replace(late_days=1)], 10).site == NEAR.site
    assert choose("commitment", [slow, OWN._replace(late_days=1)], 10).site == OWN.site
    assert choose("commitment", [NO_LANE, NEAR], 10).site == NEAR.site
    assert choose("commitment", [NEAR, OWN._replace(late_days=9)], 30).site == OWN.site


def test_equals_go_to_the_site_that_sells_then_to_the_older_site():
    twins = [Candidate(9, 50, is_own=False), Candidate(7, 50, is_own=False), Candidate(8, 50, is_own=True)]
    assert choose("most_stock", twins, 5).site == 8
    assert choose("most_stock", twins[:2], 5).site == 7


def test_an_order_leaves_from_one_site_where_one_has_it_all():
    lines = {10: (5, [OWN, RICH]), 20: (5, [RICH, NEAR]), 30: (99, [RICH])}
    assert {line: one.site for line, one in fewest(lines).items()} == {10: 2, 20: 2}


def test_no_choice_of_fewer_sites_would_have_done():
    for seed in range(200):
        rng = random.Random(seed)
        lines = {
            line: (10, [Candidate(site, rng.choice((0, 10, 20)), is_own=site == 1) for site in range(1, 6)])
            for line in range(rng.randint(1, 6))
        }
        found = fewest(lines)
        able = {line: {one.site for one in there if one.free >= 10} for line, (_, there) in lines.items()}
        able = {line: there for line, there in able.items() if there}
        assert found.keys() == able.keys()
        assert all(found[line].site in there for line, there in able.items())
        used = len({one.site for one in found.values()})
        fewer = itertools.combinations(range(1, 6), used - 1) if used > 1 else ()
        assert not any(all(set(some) & there for there in able.values()) for some in fewer)
