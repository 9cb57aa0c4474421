"""Whether a go still stands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from readiness.gates.rules import WORST_FIRST, GateWord
from readiness.gates.validity import Condition, DecisionFacts, ReliedWaiver, Standing, is_valid
from readiness.gates.voting import Outcome
from tests.unit.readiness.builders import NOW

DAY = timedelta(days=1)
READY = {"entry": GateWord.READY}


def facts(**given):
    return DecisionFacts(
        **{
            "outcome": Outcome.GO,
            "decided_at": NOW - DAY,
            "gates_then": READY,
            "gates_now": READY,
            "criteria_then": "aa",
            "criteria_now": "aa",
            **given,
        }
    )


def a_condition(**given):
    return Condition(**{"id": "K1", "owner": "site lead", "due": NOW, **given})


def standing(**given):
    return is_valid(facts(**given), NOW).standing


def test_a_go_over_unchanged_facts_is_valid_and_may_open_grants():
    validity = is_valid(facts(), NOW)
    assert (validity.standing, validity.reasons, validity.may_open) == (Standing.VALID, (), True)


@pytest.mark.parametrize("outcome", [Outcome.NO_GO, Outcome.POSTPONE, Outcome.NOT_PASSED, Outcome.NO_QUORUM])
def test_anything_but_a_go_opens_nothing(outcome):
    validity = is_valid(facts(outcome=outcome), NOW)
    assert (validity.standing, validity.may_open) == (Standing.NOT_A_GO, False)


@pytest.mark.parametrize("then", list(GateWord))
@pytest.mark.parametrize("now", list(GateWord))
def test_a_go_is_outdated_exactly_when_a_gate_reads_worse(then, now):
    validity = is_valid(facts(gates_then={"entry": then}, gates_now={"entry": now}), NOW)
    worse = WORST_FIRST.index(now) < WORST_FIRST.index(then)
    assert validity.standing is (Standing.OUTDATED if worse else Standing.VALID)
    assert validity.reasons == ((("gate_worse", "entry"),) if worse else ())


def test_a_gate_that_is_gone_or_was_never_there_proves_nothing():
    assert is_valid(facts(gates_now={}), NOW).reasons == (("gate_gone", "entry"),)
    assert is_valid(facts(gates_then={}), NOW).reasons == (("no_gate", ""),)
    assert standing(gates_now={}) is Standing.OUTDATED


def test_one_worse_gate_of_several_is_enough():
    then = {"entry": GateWord.READY, "data": GateWord.CONDITIONAL}
    assert is_valid(facts(gates_then=then, gates_now={**then, "data": GateWord.NOT_READY}), NOW).reasons == (
        ("gate_worse", "data"),
    )


def test_a_go_is_outdated_from_the_instant_its_waiver_ends():
    assert standing(waivers=(ReliedWaiver(id="W1", until=NOW + timedelta(seconds=1)),)) is Standing.VALID
    lapsed = is_valid(facts(waivers=(ReliedWaiver(id="W1", until=NOW),)), NOW)
    assert (lapsed.standing, lapsed.reasons) == (Standing.OUTDATED, (("waiver_lapsed", "W1"),))
    taken_back = ReliedWaiver(id="W1", until=NOW + DAY, ended_at=NOW)
    assert standing(waivers=(taken_back,)) is Standing.OUTDATED


def test_a_go_is_outdated_when_criteria_change():
    assert is_valid(facts(criteria_now="bb"), NOW).reasons == (("criteria_changed", ""),)


def test_a_condition_missed_before_going_live_lapses_the_go():
    conditional = {"outcome": Outcome.CONDITIONAL_GO}
    assert standing(conditions=(a_condition(),), **conditional) is Standing.VALID
    missed = is_valid(facts(conditions=(a_condition(due=NOW - DAY),), **conditional), NOW)
    assert (missed.standing, missed.reasons, missed.may_open) == (
        Standing.LAPSED,
        (("condition_missed", "K1"),),
        False,
    )
    assert missed.urgent == ()


def test_a_condition_met_in_time_holds_and_one_met_late_does_not():
    due = NOW - DAY
    assert standing(conditions=(a_condition(due=due, met_at=due),)) is Standing.VALID
    assert standing(conditions=(a_condition(due=due, met_at=due + timedelta(seconds=1)),)) is Standing.LAPSED


def test_a_condition_missed_after_going_live_opens_an_urgent_decision_and_shuts_nothing():
    late = a_condition(due=NOW - timedelta(hours=1))
    validity = is_valid(facts(conditions=(late,), went_live_at=NOW - timedelta(hours=2)), NOW)
    assert (validity.standing, validity.urgent) == (Standing.VALID, ("K1",))


def test_a_condition_missed_before_the_go_live_that_followed_still_lapses():
    early = a_condition(due=NOW - timedelta(hours=3))
    validity = is_valid(facts(conditions=(early,), went_live_at=NOW - timedelta(hours=2)), NOW)
    assert (validity.standing, validity.urgent) == (Standing.LAPSED, ())


def test_a_go_live_in_the_future_has_not_happened():
    missed = (a_condition(due=NOW - timedelta(hours=1)),)
    assert standing(conditions=missed, went_live_at=NOW + timedelta(hours=1)) is Standing.LAPSED


def test_a_revoked_go_is_revoked_whatever_else_is_true():
    assert standing(revoked_at=NOW, criteria_now="bb") is Standing.REVOKED
    assert standing(revoked_at=NOW + timedelta(seconds=1)) is Standing.VALID


def test_a_lapsed_go_names_also_what_made_it_outdated():
    validity = is_valid(facts(conditions=(a_condition(due=NOW - DAY),), criteria_now="bb"), NOW)
    assert validity.standing is Standing.LAPSED
    assert validity.reasons == (("condition_missed", "K1"), ("criteria_changed", ""))
