"""Which rules of approval hold, whose agreement they ask for, and what the answers say; without any database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.composition.approval_words import rule_sentence
from governance.approvals.rules import (
    Asked,
    Condition,
    Facts,
    Given,
    Link,
    Materiality,
    Need,
    Outcome,
    Rule,
    kept_out,
    needs_of,
    rules_for,
    standing,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _rule(code, people=1, capacity="role:finance", *, automatic=False, hours=None, to=None, **condition):
    if "amount_from_minor" in condition:
        condition.setdefault("currency", "EUR")
    return Rule(
        id=hash(code), code=code, condition=Condition(**condition), is_automatic=automatic,
        capacity="" if automatic else capacity, people=None if automatic else people, timeout_hours=hours, escalate_to=to,
    )  # fmt: skip


def _held(rules, **facts):
    if "amount_minor" in facts:
        facts.setdefault("currency", "EUR")
    return [rule.code for rule in rules_for(rules, Facts(**facts))]


BANDS = (
    _rule("free", automatic=True),
    _rule("desk", capacity="role:site_lead", amount_from_minor=500_00),
    _rule("money", 2, amount_from_minor=5_000_00),
    _rule("margin", capacity="role:process_owner", margin_below_permille=100),
)  # fmt: skip


@pytest.mark.parametrize(
    ("amount", "margin", "held"),
    [
        (499_99, 300, ["free"]), (500_00, 300, ["desk"]), (4_999_99, 300, ["desk"]), (5_000_00, 300, ["money"]),
        (100_00, 99, ["margin"]), (100_00, 100, ["free"]), (5_000_00, 99, ["money", "margin"]),
    ],
)  # fmt: skip
def test_the_narrower_rule_replaces_the_wider_and_those_that_look_at_different_things_are_all_met(amount, margin, held):
    assert _held(BANDS, amount_minor=amount, margin_permille=margin) == held


def test_a_credit_weighs_what_it_would_as_a_charge():
    assert _held(BANDS, amount_minor=-6_000_00, margin_permille=300) == ["money"]


def test_a_fact_that_nobody_knows_meets_every_rule_that_asks_for_people_and_no_automatic_one():
    assert _held(BANDS, margin_permille=300) == ["desk", "money"]
    assert _held((_rule("small", automatic=True, materiality=Materiality.LOW),)) == []
    assert _held((_rule("key", automatic=True, tier=1), _rule("all")), tier=None) == ["all"]


def test_an_amount_in_another_currency_is_not_known():
    assert _held(BANDS, amount_minor=1_00, currency="USD", margin_permille=300) == ["desk", "money"]


def test_no_rule_holds_and_nobody_is_asked_are_different_things():
    assert _held((_rule("large", amount_from_minor=500_00),), amount_minor=1_00) == []
    assert _held((_rule("free", automatic=True),), amount_minor=1_00) == ["free"]


def test_two_rules_of_the_very_same_condition_are_both_met():
    assert _held((_rule("one"), _rule("two", capacity="role:pmo")), amount_minor=1) == ["one", "two"]


def test_materiality_holds_from_a_weight_on():
    rules = (_rule("any"), _rule("weighty", 2, materiality=Materiality.MEDIUM))
    assert [_held(rules, materiality=weight) for weight in Materiality] == [["any"], ["any"], ["weighty"], ["weighty"]]


def test_one_capacity_is_asked_once_with_the_stricter_of_its_numbers():
    rules = (
        _rule("a", 1, amount_from_minor=1, hours=40, to="body:steering"),
        _rule("b", 2, margin_below_permille=100, hours=8),
    )
    assert needs_of(rules, [Need(capacity="person:7")]) == (
        Need(capacity="role:finance", people=2, timeout_hours=8, escalate_to="body:steering"), Need(capacity="person:7"),
    )  # fmt: skip


def _asked(*people):
    return [Asked(position=i, people=n, capacities=("role:finance",)) for i, n in enumerate(people, 1)]


def _given(*answers, approves=True):
    return [Given(person=by, on_behalf_of=behalf, need=need, approves=approves) for by, behalf, need in answers]


@pytest.mark.parametrize(
    ("answers", "outcome", "lacking"),
    [
        ([], Outcome.OPEN, 2), ([(1, 1, 1)], Outcome.OPEN, 1), ([(1, 1, 1), (2, 2, 1)], Outcome.APPROVED, 0),
        ([(1, 1, 1), (2, 1, 1)], Outcome.OPEN, 1), ([(1, 1, 1), (1, 3, 1)], Outcome.OPEN, 1),
        ([(2, 1, 1), (1, 3, 1)], Outcome.OPEN, 1), ([(2, 1, 1), (4, 3, 1)], Outcome.APPROVED, 0),
    ],
)  # fmt: skip
def test_only_different_people_count_whoever_acts_for_whom(answers, outcome, lacking):
    found = standing(_asked(2), _given(*answers))
    assert (found.outcome, found.lacking) == (outcome, lacking)


def test_every_need_is_to_be_met_and_one_no_settles_it():
    assert standing(_asked(1, 1), _given((1, 1, 1))).lacks == ((2, 1),)
    assert standing(_asked(1, 1), [*_given((1, 1, 1)), *_given((2, 2, 2), approves=False)]).outcome is Outcome.REJECTED


def test_without_a_need_nobody_may_decide():
    assert standing([], []).outcome is Outcome.NOBODY


def test_whoever_is_tied_to_somebody_excluded_is_kept_out_for_as_long_as_the_request_waits():
    day = timedelta(days=1)
    links = [
        Link(giver=1, taker=2, since=NOON - day, until=NOON + day), Link(giver=3, taker=1, since=NOON - day, until=NOON),
        Link(giver=1, taker=4, since=NOON - 2 * day, until=NOON - day), Link(giver=1, taker=5, since=NOON + day, until=NOON + 2 * day),
        Link(giver=2, taker=6, since=NOON - day, until=NOON + day),
    ]  # fmt: skip
    asked_at = NOON - timedelta(hours=3)
    assert kept_out({1}, links, asked_at=asked_at, now=NOON) == {1, 2, 3}
    assert kept_out({1}, links, asked_at=asked_at, now=NOON + day) == {1, 2, 3, 5}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (_rule("x", 2, amount_from_minor=5_000_00), "From 5,000.00 EUR on, two different people of Finance decide."),
        (_rule("x", automatic=True), "In every case, nobody is asked: it is approved automatically."),
        (_rule("x", 1, "body:design_authority", hours=40, to="body:steering"),
         "In every case, one member of the design authority decides within 40 working hours, afterwards the steering committee may too."),
        (_rule("x", None, "body:steering", materiality=Materiality.HIGH),
         "Of high materiality, a quorum of the steering committee decides."),
        (_rule("x", 1, "may:billing:credit_memo:post", margin_below_permille=125, tier=1),
         "With a margin below 12.5 %, for customers of tier 1, one person who may post credit memos decides."),
    ],
)  # fmt: skip
def test_a_rule_is_one_sentence(rule, said):
    assert rule_sentence(rule) == said
