"""What tiers give for so much bought, and what one line does to what was accrued before it."""

from __future__ import annotations

import random

import pytest

from erpcore.billing.rebates.rules import Step, Terms, Tier, earned, measured, reached, step

BACK = (Tier(1, 0, 20_000, None, False), Tier(2, 100_000, 50_000, None, True))
ON_TOP = (Tier(1, 0, 20_000, None, False), Tier(2, 100_000, 50_000, None, False))
PER_UNIT = (Tier(1, 10_000, None, 250_000, True),)


def net(*tiers, base=0):
    return Terms("net", base, "EUR", tiers)


@pytest.mark.parametrize(
    ("bought", "back", "on_top"),
    [(0, 0, 0), (50_000, 1_000, 1_000), (99_999, 2_000, 2_000), (100_000, 5_000, 2_000), (150_000, 7_500, 4_500)],
)
def test_a_retroactive_tier_is_for_all_that_counts_and_another_for_what_goes_beyond(bought, back, on_top):
    assert earned(net(*BACK), bought, 0) == back
    assert earned(net(*ON_TOP), bought, 0) == on_top


def test_an_amount_per_unit_begins_with_its_quantity():
    terms = Terms("quantity", 0, "EUR", PER_UNIT)
    assert earned(terms, 5_000, 9_999) == 0
    assert earned(terms, 5_000, 10_000) == 250
    assert earned(terms, 5_000, 12_500) == 313  # 3.125 is rounded half up, once


def test_a_percentage_by_quantity_takes_the_share_of_the_net_that_goes_beyond():
    terms = Terms("quantity", 0, "EUR", (Tier(1, 10_000, 100_000, None, False),))
    assert earned(terms, 40_000, 20_000) == 2_000


def test_only_growth_counts_beyond_what_was_bought_the_year_before():
    terms = net(Tier(1, 0, 100_000, None, False), base=80_000)
    assert measured(terms, 79_000, 0) == 0
    assert (earned(terms, 80_000, 0), reached(terms, 80_000, 0)) == (0, 0)
    assert (earned(terms, 90_000, 0), reached(terms, 90_000, 0)) == (1_000, 1)


def test_who_crosses_a_tier_trues_up_what_was_accrued_before_and_back_again():
    up = step(net(*BACK), (90_000, 0), 1_800, (110_000, 0))
    assert up == Step(1_000, 2_700, 2)
    down = step(net(*BACK), (110_000, 0), 5_500, (90_000, 0))
    assert down == Step(-400, -3_300, 1)


def test_a_tier_that_is_not_retroactive_trues_nothing_up():
    assert step(net(*ON_TOP), (90_000, 0), 1_800, (110_000, 0)) == Step(700, 0, 2)


def test_below_the_first_tier_nothing_accrues_and_a_retroactive_one_brings_all_of_it():
    terms = net(Tier(1, 100_000, 30_000, None, True))
    assert step(terms, (0, 0), 0, (60_000, 0)) == Step(0, 0, 0)
    assert step(terms, (60_000, 0), 0, (120_000, 0)) == Step(1_800, 1_800, 1)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_and_goes_what_is_accrued_is_what_the_tiers_give_for_all_that_counts(seed):
    dice = random.Random(seed)
    starts = sorted(dice.sample(range(200_000), 3))
    tiers = tuple(
        Tier(level, at, dice.randrange(100_000), None, dice.random() < 0.5) for level, at in enumerate(starts, 1)
    )
    terms, bought, accrued, lines = net(*tiers, base=dice.choice((0, 30_000))), 0, 0, []
    for _ in range(60):
        back = bool(lines) and dice.random() < 0.4
        line = -lines.pop(dice.randrange(len(lines))) if back else dice.randrange(1, 30_000)
        if not back:
            lines.append(line)
        done = step(terms, (bought, 0), accrued, (bought + line, 0))
        bought, accrued = bought + line, accrued + done.amount + done.adjusted
        assert accrued == earned(terms, bought, 0)
        assert done.level == reached(terms, bought, 0)
    for line in lines:
        done = step(terms, (bought, 0), accrued, (bought - line, 0))
        bought, accrued = bought - line, accrued + done.amount + done.adjusted
    assert (bought, accrued) == (0, 0)
