"""How often a pass must be seen, and that looking often does not make luck a proof."""

from __future__ import annotations

import random
from datetime import date, timedelta
from math import comb

import pytest

from readiness.gates.peeking import Counted, HoldRule, held, hold_rule
from readiness.measures.intervals import wilson

OPENED = date(2026, 3, 2)


def days(*met, until=date(2026, 3, 20)):
    """Counted evaluations of consecutive days, the last on the day before ``until``."""
    start = until - timedelta(days=len(met))
    return [Counted(start + timedelta(days=place), good) for place, good in enumerate(met)]


TODAY = date(2026, 3, 20)
FIVE = hold_rule(OPENED, OPENED + timedelta(days=28))


def test_four_weeks_ask_for_five_in_a_row_and_eight_for_seven():
    assert HoldRule(5, 0.95, OPENED) == FIVE
    assert hold_rule(OPENED, OPENED + timedelta(days=29)) == HoldRule(7, 0.95, OPENED)
    assert hold_rule(OPENED, OPENED + timedelta(days=56)).needed == 7


def test_a_longer_gate_fixes_its_dates_and_shares_its_error_among_them():
    with pytest.raises(ValueError, match="eight weeks"):
        hold_rule(OPENED, OPENED + timedelta(days=57))
    dates = [OPENED + timedelta(days=day) for day in (30, 60, 90, 60)]
    rule = hold_rule(OPENED, OPENED + timedelta(days=90), dates)
    assert (rule.needed, rule.dates) == (1, tuple(sorted(set(dates))))
    assert rule.level == pytest.approx(1 - 0.05 / 3, abs=1e-15)


def test_dates_outside_the_gate_are_refused():
    for wrong in (OPENED - timedelta(days=1), OPENED + timedelta(days=91)):
        with pytest.raises(ValueError, match="outside"):
            hold_rule(OPENED, OPENED + timedelta(days=90), [wrong])
    with pytest.raises(ValueError, match="before it opens"):
        hold_rule(OPENED, OPENED - timedelta(days=1))


def test_good_days_in_a_row_are_counted_up_to_today():
    assert held(days(True, True, True, True), FIVE, TODAY, met_now=True) == 5
    assert held(days(True, False, True), FIVE, TODAY, met_now=True) == 2
    assert held([], FIVE, TODAY, met_now=True) == 1
    assert held(days(True, True), FIVE, TODAY, met_now=False) == 0


def test_looking_again_on_the_same_day_counts_once_and_the_first_look_stays():
    good_first = [*days(True), Counted(TODAY, met=True)]
    assert held(good_first, FIVE, TODAY, met_now=True) == 2
    bad_first = [*days(True, True, True, True), Counted(TODAY, met=False)]
    assert held(bad_first, FIVE, TODAY, met_now=True) == 0
    with pytest.raises(ValueError, match="one counted evaluation"):
        held([Counted(TODAY, met=True), Counted(TODAY, met=True)], FIVE, TODAY, met_now=True)


def test_a_day_on_which_nobody_looked_ends_the_row():
    row = days(True, True, True, True)
    del row[1]
    assert held(row, FIVE, TODAY, met_now=True) == 3


def test_days_on_which_the_site_is_closed_are_passed_over_unless_one_was_counted():
    friday, weekend, monday = date(2026, 3, 13), (date(2026, 3, 14), date(2026, 3, 15)), date(2026, 3, 16)
    row = [Counted(friday, met=True)]
    assert held(row, FIVE, monday, met_now=True) == 1
    assert held(row, FIVE, monday, met_now=True, closed_days=weekend) == 2
    worked = [*row, Counted(weekend[0], met=False)]
    assert held(worked, FIVE, monday, met_now=True, closed_days=weekend) == 1


def test_evaluations_before_the_opening_do_not_count():
    rule = hold_rule(TODAY, TODAY + timedelta(days=7))
    assert held(days(True, True, True, True, True), rule, TODAY, met_now=True) == 1


def test_with_fixed_dates_only_these_count():
    first, second = date(2026, 3, 10), date(2026, 3, 18)
    rule = hold_rule(OPENED, OPENED + timedelta(days=90), [first, second])
    assert held([], rule, date(2026, 3, 9), met_now=True) == 0
    assert held([], rule, first, met_now=True) == 1
    seen = [Counted(first, met=True)]
    assert held(seen, rule, date(2026, 3, 12), met_now=False) == 1
    assert held(seen, rule, TODAY, met_now=True) == 0
    assert held([*seen, Counted(second, met=True)], rule, TODAY, met_now=True) == 2
    assert held([*seen, Counted(second, met=False)], rule, TODAY, met_now=True) == 0


def share_that_ever_passes(needed, open_days, per_day, mark, runs=3000):
    """Cells whose true share is the mark, a window of 14 days read daily on the lower limit of 95 %."""
    rng = random.Random(20260302)
    chances = [comb(per_day, k) * mark**k * (1 - mark) ** (per_day - k) for k in range(per_day + 1)]
    of = per_day * 14
    smallest = next(good for good in range(of + 1) if wilson(good / of, of)[0] >= mark)
    passed = 0
    for _ in range(runs):
        good = rng.choices(range(per_day + 1), chances, k=14 + open_days)
        window, row = sum(good[:14]), 0
        for day in range(open_days):
            window += good[14 + day] - good[day]
            row = row + 1 if window >= smallest else 0
            if row >= needed:
                passed += 1
                break
    return passed / runs


def test_a_cell_exactly_at_its_mark_passes_under_4_percent_of_gates_when_it_must_hold():
    needed = FIVE.needed
    assert share_that_ever_passes(needed, 28, per_day=40, mark=0.95) < 0.04
    assert share_that_ever_passes(1, 28, per_day=40, mark=0.95) > 0.10


def test_over_eight_weeks_seven_days_in_a_row_are_needed_for_the_same():
    needed = hold_rule(OPENED, OPENED + timedelta(days=56)).needed
    assert share_that_ever_passes(needed, 56, per_day=40, mark=0.95) < 0.04
    assert share_that_ever_passes(FIVE.needed, 56, per_day=40, mark=0.95) > 0.04
