"""The late-payment score adds up from its reasons, and the next step is the first rule that holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpcore.billing.collecting.rules import Action, Situation, next_step
from erpcore.billing.collecting.scoring import Behaviour, Part, score_of

TODAY = date(2026, 4, 30)


def invoices(*late, minor=10_000, first=date(2026, 1, 1)):
    """Invoices of one amount, due ten days after each other, each so many days late."""
    return [
        Behaviour(document=at, due_on=first + timedelta(days=10 * at), amount_minor=minor, days_late=days, is_open=False)
        for at, days in enumerate(late)
    ]  # fmt: skip


def points(score):
    return {one.part: one.points for one in score.reasons}


def test_below_five_invoices_there_is_no_number_but_the_sample():
    score = score_of(invoices(90, 90, 90, 90), kept=0, broken=5)
    assert (score.points, score.band, score.sample, score.reasons) == (None, "unknown", 4, ())


def test_who_pays_on_time_has_no_points_and_every_part_says_why():
    score = score_of(invoices(0, 0, 0, 0, 0), kept=0, broken=0)
    assert (score.points, score.band) == (0, "punctual")
    assert [one.text for one in score.reasons] == [
        "On time on average, by amount", "0 % of the money came late or is overdue (0 of 5 invoices)", "No promise was made",
        "Not later than in the half before",
    ]  # fmt: skip


def test_points_follow_the_formula_part_by_part():
    # 15 of 30 days: half of 40; all late: 25; one of three promises broken: 6.67; the same days in both halves: no trend.
    score = score_of(invoices(15, 15, 15, 15, 15, 15), kept=2, broken=1)
    assert points(score) == {Part.DAYS: 20, Part.SHARE: 25, Part.PROMISES: 7, Part.TREND: 0}
    assert (score.points, score.band) == (52, "late")
    # 0 before and 12 days after: 12 of 15 days make 12 of 15 points; on average 6 days: 8 of 40.
    score = score_of(invoices(0, 0, 0, 12, 12, 12), kept=0, broken=0)
    assert points(score) == {Part.DAYS: 8, Part.SHARE: 13, Part.PROMISES: 0, Part.TREND: 12}
    assert "12 days later" in score.reasons[3].text


def test_a_large_invoice_weighs_more_than_a_small_one_and_the_most_is_a_hundred():
    late_and_large = [
        *invoices(0, 0, 0, 0),
        Behaviour(document=9, due_on=TODAY, amount_minor=160_000, days_late=30, is_open=True),
    ]
    score = score_of(late_and_large, kept=0, broken=0)
    assert "24 days late on average" in score.reasons[0].text
    assert (score.paid, score.late_open) == (4, 1)
    assert score_of(invoices(0, 0, 0, 400, 400, 400), kept=0, broken=1).points == 40 + 13 + 20 + 15


@given(
    st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 400)), min_size=5, max_size=40),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_the_reasons_always_add_up_and_stay_within_their_most(made, kept, broken):
    score = score_of(
        [
            Behaviour(document=at, due_on=TODAY + timedelta(days=at), amount_minor=minor, days_late=days, is_open=False)
            for at, (minor, days) in enumerate(made)
        ],
        kept, broken,
    )  # fmt: skip
    assert score.points == sum(one.points for one in score.reasons)
    assert all(0 <= one.points <= one.most for one in score.reasons)
    assert sum(one.most for one in score.reasons) == 100


SITUATION = Situation(today=TODAY, collect_minor=10_000, disputed_minor=0, oldest_days=20)


@pytest.mark.parametrize(
    ("changes", "action", "said"),
    [
        ({"held": "Blocked until 1 May 2026: agreed"}, Action.WAIT, "agreed"),
        ({"collect_minor": 0, "disputed_minor": 500}, Action.DISPUTE, "in dispute"),
        ({"collect_minor": 0}, Action.WAIT, "apply them"),
        ({"broken_on": date(2026, 4, 20)}, Action.BROKEN_PROMISE, "20 Apr 2026 was broken: call today"),
        ({"broken_on": date(2026, 4, 20), "follow_up_on": date(2026, 5, 9)}, Action.BROKEN_PROMISE, "broken"),
        ({"broken_on": date(2026, 4, 20), "contact_on": date(2026, 4, 28)}, Action.WAIT, "Spoken to on 28 Apr 2026"),
        ({"promised_until": date(2026, 5, 2), "promised_by": "Ms Kern"}, Action.WAIT, "Promised until 2 May 2026 by Ms Kern"),
        ({"follow_up_on": date(2026, 5, 1)}, Action.WAIT, "To be followed up on 1 May 2026"),
        ({"follow_up_on": TODAY}, Action.FOLLOW_UP, "since 30 Apr 2026"),
        ({"level": 3, "top_level": 3, "pay_until": date(2026, 4, 29)}, Action.HAND_OVER, "Level 3 is the last"),
        ({"level": 3, "top_level": 3, "pay_until": TODAY}, Action.WAIT, "they have until 30 Apr 2026"),
        ({"letter_level": 2, "points": 44}, Action.LETTER, "Level 2 is due"),
        ({"letter_level": 2, "points": 45}, Action.CALL, "Pays late as a rule, nobody has spoken to them: call, before level 2 goes out"),
        ({"letter_level": 2, "points": 90, "contact_on": TODAY}, Action.LETTER, "Level 2 is due"),
        ({"contact_on": date(2026, 4, 23)}, Action.CALL, "20 days overdue, last spoken to on 23 Apr 2026: call"),
    ],
)  # fmt: skip
def test_the_next_step_is_the_first_rule_that_holds(changes, action, said):
    found = next_step(replace(SITUATION, **changes))
    assert (found.action, said in found.reason) == (action, True), found.reason


def test_first_comes_the_step_and_then_the_amount_which_counts_up_to_double_for_who_pays_late():
    broken = next_step(replace(SITUATION, broken_on=date(2026, 4, 20), collect_minor=1))
    small_late, large = next_step(replace(SITUATION, points=100)), next_step(replace(SITUATION, collect_minor=19_000))
    assert small_late.weight_minor == 20_000
    assert sorted([large, small_late, broken], key=lambda one: one.priority) == [broken, small_late, large]
