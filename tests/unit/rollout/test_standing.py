"""Whether a go still stands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance.decisions.rules import Outcome
from governance.decisions.standing import Condition, DecisionFacts, ReliedWaiver, Standing, is_valid
from tests.unit.readiness.builders import NOW

DAY = timedelta(days=1)
ENTRY = frozenset({"entry"})


def facts(**given):
    return DecisionFacts(
        **{
            "outcome": Outcome.GO,
            "gates": ENTRY,
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


def test_a_go_over_a_gate_that_reads_worse_is_outdated():
    validity = is_valid(facts(gates_worse=ENTRY), NOW)
    assert (validity.standing, validity.reasons) == (Standing.OUTDATED, (("gate_worse", "entry"),))
    assert not validity.may_open


def test_a_gate_that_is_gone_or_was_never_there_proves_nothing():
    assert is_valid(facts(gates_gone=ENTRY), NOW).reasons == (("gate_gone", "entry"),)
    assert is_valid(facts(gates=frozenset()), NOW).reasons == (("no_gate", ""),)
    assert standing(gates_gone=ENTRY) is Standing.OUTDATED


def test_an_open_vote_is_outdated_by_the_same_things_as_a_go():
    assert is_valid(facts(outcome=None, gates_worse=ENTRY), NOW).outdated == (("gate_worse", "entry"),)
    assert standing(outcome=None) is Standing.VALID


def test_what_a_go_stood_on_is_history_once_the_wave_is_live_under_it():
    assert standing(gates_worse=ENTRY, criteria_changed=ENTRY, went_live_at=NOW) is Standing.VALID


def test_a_go_is_outdated_from_the_instant_its_waiver_ends():
    assert standing(waivers=(ReliedWaiver(id="W1", until=NOW + timedelta(seconds=1)),)) is Standing.VALID
    lapsed = is_valid(facts(waivers=(ReliedWaiver(id="W1", until=NOW),)), NOW)
    assert (lapsed.standing, lapsed.reasons) == (Standing.OUTDATED, (("waiver_lapsed", "W1"),))
    taken_back = ReliedWaiver(id="W1", until=NOW + DAY, ended_at=NOW)
    assert standing(waivers=(taken_back,)) is Standing.OUTDATED


def test_a_go_is_outdated_when_criteria_change():
    assert is_valid(facts(criteria_changed=ENTRY), NOW).reasons == (("criteria_changed", "entry"),)


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
    assert standing(revoked_at=NOW, criteria_changed=ENTRY) is Standing.REVOKED
    assert standing(revoked_at=NOW + timedelta(seconds=1)) is Standing.VALID


def test_a_lapsed_go_names_also_what_made_it_outdated():
    validity = is_valid(facts(conditions=(a_condition(due=NOW - DAY),), criteria_changed=ENTRY), NOW)
    assert validity.standing is Standing.LAPSED
    assert validity.reasons == (("condition_missed", "K1"), ("criteria_changed", "entry"))
