"""The committee's arithmetic."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.decisions.rules import (
    Ballot,
    Choice,
    Outcome,
    Rule,
    Seat,
    Vote,
    cast_refusal,
    is_settled,
    more_needed,
    quorum_needed,
    tally,
    votes_needed,
)
from readiness.gates.rules import ALLOWED as ALLOWED_BY_GATE
from readiness.gates.rules import GateWord
from tests.unit.readiness.builders import NOW

ALLOWED = {word: frozenset(Choice(choice.value) for choice in found) for word, found in ALLOWED_BY_GATE.items()}
GO, COND, NO, LATER = Choice.GO, Choice.CONDITIONAL_GO, Choice.NO_GO, Choice.POSTPONE
ROLES = ("sponsor", "finance", "operations", "it", "data", "sales")
SEATS = tuple(Seat(role[:3], f"{role} head", role, f"{role} deputy") for role in ROLES)


def a_ballot(word=GateWord.READY, recused=(), seats=SEATS, **rule):
    given_rule = Rule(**{"quorum": Fraction(1, 2), **rule})
    return Ballot(seats, given_rule, ALLOWED[word], NOW, NOW + timedelta(days=2), frozenset(recused))


def a_vote(seat="spo", choice=GO, by=None, reason="seen the evidence", at=NOW):
    holder = next((s.person for s in SEATS if s.id == seat), "nobody")
    return Vote(seat, by or holder, choice, reason, at)


def votes(*choices):
    return [a_vote(seat.id, choice) for seat, choice in zip(SEATS, choices, strict=False) if choice]


def outcome(*choices, **given):
    return tally(a_ballot(**given), votes(*choices)).outcome


# --- casting ----------------------------------------------------------------------------------------------------------


def test_the_holder_and_the_delegate_may_cast_the_vote_of_a_seat():
    assert cast_refusal(a_ballot(), [], a_vote()) is None
    assert cast_refusal(a_ballot(), [], a_vote(by="sponsor deputy")) is None


@pytest.mark.parametrize(
    ("vote", "code"),
    [
        (a_vote("xyz"), "not_your_seat"),
        (a_vote(by="finance head"), "not_your_seat"),
        (a_vote(at=NOW - timedelta(seconds=1)), "vote_not_open"),
        (a_vote(at=NOW + timedelta(days=2)), "vote_closed"),
        (a_vote("fin"), "seat_recused"),
        (a_vote("fin", by="finance deputy"), "seat_recused"),
        (a_vote("ope", by="operations deputy"), "holder_has_voted"),
        (a_vote("sal"), "seat_absent"),
        (a_vote(choice=NO, reason="  "), "reason_required"),
        (a_vote(choice=GO, reason=""), "reason_required"),
    ],
)
def test_a_vote_is_refused_with_its_reason(vote, code):
    ballot = replace(a_ballot(recused={"fin"}), absent=frozenset({"sal"}))
    assert cast_refusal(ballot, [a_vote("ope")], vote) == code


def test_a_holder_changes_the_own_vote_and_one_that_the_delegate_cast():
    assert cast_refusal(a_ballot(), [a_vote("ope")], a_vote("ope", NO)) is None
    assert cast_refusal(a_ballot(), [a_vote("ope", by="operations deputy")], a_vote("ope", NO)) is None


def test_a_delegate_changes_what_the_delegate_has_cast():
    mine = a_vote("ope", by="operations deputy")
    assert cast_refusal(a_ballot(), [mine], a_vote("ope", NO, by="operations deputy")) is None


def test_a_delegate_votes_for_an_absent_holder():
    ballot = replace(a_ballot(), absent=frozenset({"sal"}))
    assert cast_refusal(ballot, [], a_vote("sal", by="sales deputy")) is None


def test_nobody_votes_for_a_vacant_seat():
    ballot = a_ballot(seats=(Seat("v", "", "it"),))
    assert cast_refusal(ballot, [], Vote("v", "", GO, "as shown", NOW)) == "not_your_seat"


def test_a_seat_without_a_delegate_has_none():
    alone = a_ballot(seats=(Seat("spo", "sponsor head", "sponsor"),))
    assert cast_refusal(alone, [], a_vote(by="sponsor deputy")) == "not_your_seat"


def test_the_last_instant_of_a_vote_is_just_before_it_closes():
    assert cast_refusal(a_ballot(), [], a_vote(at=NOW + timedelta(days=2, microseconds=-1))) is None


@pytest.mark.parametrize("word", list(GateWord))
def test_only_what_the_gates_allow_may_be_cast(word):
    for choice in Choice:
        allowed = choice in ALLOWED[word]
        assert cast_refusal(a_ballot(word), [], a_vote(choice=choice)) == (None if allowed else "choice_not_allowed")


def test_one_person_stands_in_for_one_seat_at_most_beside_the_own():
    seats = (Seat("a", "ann", "it", "bob"), Seat("b", "bob", "data"), Seat("c", "cid", "sales", "bob"))
    ballot = a_ballot(seats=seats)
    own = Vote("b", "bob", GO, "seen", NOW)
    first = Vote("a", "bob", GO, "seen", NOW)
    assert cast_refusal(ballot, [own], first) is None
    assert cast_refusal(ballot, [own, first], Vote("c", "bob", GO, "seen", NOW)) == "one_delegation_only"
    assert cast_refusal(ballot, [first], own) is None


def test_who_is_recused_stands_in_for_nobody():
    seats = (Seat("a", "ann", "it", "bob"), Seat("b", "bob", "data"))
    assert (
        cast_refusal(a_ballot(seats=seats, recused={"b"}), [], Vote("a", "bob", GO, "seen", NOW)) == "delegate_recused"
    )


# --- quorum -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quorum", "eligible", "needed"), [("1/2", 6, 3), ("1/2", 5, 3), ("2/3", 7, 5), ("1", 4, 4), ("1/2", 0, 1)]
)
def test_the_quorum_is_the_next_whole_seat(quorum, eligible, needed):
    assert quorum_needed(Rule(Fraction(quorum)), eligible) == needed


def test_without_quorum_nothing_is_decided():
    assert outcome(GO, GO) is Outcome.NO_QUORUM
    assert outcome(GO, GO, GO) is Outcome.GO


def test_seats_that_attend_without_voting_count_for_the_quorum_alone():
    state = tally(a_ballot(), votes(GO, GO), present={"ope", "nobody"})
    assert (state.present, state.cast, state.outcome) == (3, 2, Outcome.GO)


def test_a_recused_seat_leaves_numerator_and_denominator():
    state = tally(a_ballot(recused={"dat", "sal"}), votes(GO, GO))
    assert (state.eligible, state.quorum_needed, state.outcome) == (4, 2, Outcome.GO)
    with pytest.raises(ValueError, match="no vote here"):
        tally(a_ballot(recused={"spo"}), votes(GO))
    attending = tally(a_ballot(recused={"dat"}), votes(GO, GO), present={"dat"})
    assert attending.present == 2


def test_a_committee_in_which_all_are_recused_decides_nothing():
    state = tally(a_ballot(recused={seat.id for seat in SEATS}), [])
    assert (state.quorate, state.outcome) == (False, Outcome.NO_QUORUM)


def test_mandatory_roles_must_be_there():
    ballot = a_ballot(mandatory_roles=frozenset({"finance", "data"}))
    state = tally(ballot, votes(GO, GO, GO, GO))
    assert (state.roles_missing, state.outcome) == (("data",), Outcome.NO_QUORUM)
    assert tally(ballot, votes(GO, GO, GO, GO, GO)).outcome is Outcome.GO
    assert tally(ballot, votes(GO, GO, GO, GO), present={"dat"}).outcome is Outcome.GO


def test_a_recused_mandatory_role_is_missing_until_another_seat_holds_it():
    rule = {"mandatory_roles": frozenset({"data"})}
    assert tally(a_ballot(recused={"dat"}, **rule), votes(GO, GO, GO, GO)).roles_missing == ("data",)
    second = (*SEATS, Seat("da2", "data steward", "data"))
    ballot = a_ballot(recused={"dat"}, seats=second, **rule)
    assert tally(ballot, [*votes(GO, GO, GO, GO), Vote("da2", "data steward", GO, "seen", NOW)]).outcome is Outcome.GO


# --- outcome ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("majority", "cast", "needed"),
    [
        ("2/3", 6, 4),
        ("2/3", 5, 4),
        ("2/3", 3, 2),
        ("1/2", 6, 4),
        ("1/2", 5, 3),
        ("1", 4, 4),
        ("1/4", 8, 5),
        ("2/3", 0, 1),
    ],
)
def test_a_choice_needs_its_share_and_always_more_than_half(majority, cast, needed):
    assert votes_needed(Rule(Fraction(1), majority=Fraction(majority)), cast) == needed


@pytest.mark.parametrize(
    ("cast", "said"),
    [
        ((GO, GO, GO, GO, NO, NO), Outcome.GO),
        ((GO, GO, GO, NO, NO, NO), Outcome.NOT_PASSED),
        ((GO, GO, GO, COND, NO, NO), Outcome.CONDITIONAL_GO),
        ((COND, COND, COND, COND, NO, NO), Outcome.CONDITIONAL_GO),
        ((GO, GO, COND, NO, NO, NO), Outcome.NOT_PASSED),
        ((NO, NO, NO, NO, GO, GO), Outcome.NO_GO),
        ((LATER, LATER, LATER, LATER, GO, NO), Outcome.POSTPONE),
        ((NO, NO, NO, LATER, LATER, LATER), Outcome.NOT_PASSED),
        ((GO, GO, GO, GO, GO, GO), Outcome.GO),
    ],
)
def test_the_votes_cast_decide_by_two_thirds(cast, said):
    assert outcome(*cast) is said


def test_a_tie_never_passes_even_by_simple_majority():
    assert outcome(GO, GO, GO, NO, NO, NO, majority=Fraction(1, 2)) is Outcome.NOT_PASSED
    assert outcome(GO, GO, NO, NO, LATER, LATER, majority=Fraction(1, 3)) is Outcome.NOT_PASSED


def test_a_veto_role_stops_a_go_and_a_conditional_go_but_no_stop():
    veto = {"veto_roles": frozenset({"finance"})}
    assert outcome(GO, NO, GO, GO, GO, GO, **veto) is Outcome.NOT_PASSED
    assert outcome(COND, NO, COND, COND, COND, COND, **veto) is Outcome.NOT_PASSED
    assert outcome(NO, NO, NO, NO, GO, GO, **veto) is Outcome.NO_GO
    assert outcome(GO, LATER, GO, GO, GO, GO, **veto) is Outcome.GO
    assert tally(a_ballot(**veto), votes(GO, NO, GO, GO)).vetoed_by == ("finance",)


def test_a_gate_that_got_worse_during_the_vote_takes_the_go_with_it():
    cast = votes(GO, GO, GO, GO, GO, GO)
    assert tally(a_ballot(GateWord.READY), cast).outcome is Outcome.GO
    assert tally(a_ballot(GateWord.CONDITIONAL), cast).outcome is Outcome.CONDITIONAL_GO
    assert tally(a_ballot(GateWord.NOT_READY), cast).outcome is Outcome.NOT_PASSED


def test_a_seat_is_counted_once():
    with pytest.raises(ValueError, match="two votes"):
        tally(a_ballot(), [a_vote(), a_vote(choice=NO)])
    with pytest.raises(ValueError, match="no vote here"):
        tally(a_ballot(), [a_vote("xyz")])


def test_a_vote_by_a_delegate_counts_as_the_seat():
    by_deputies = [
        replace(vote, cast_by=f"{seat.role} deputy") for seat, vote in zip(SEATS, votes(*[GO] * 4), strict=False)
    ]
    assert tally(a_ballot(), by_deputies) == tally(a_ballot(), votes(*[GO] * 4))


# --- how many more ----------------------------------------------------------------------------------------------------


def test_how_many_more_votes_a_choice_needs():
    assert more_needed(a_ballot(), votes(GO), GO) == 2
    assert more_needed(a_ballot(), votes(GO, GO, GO), GO) == 0
    assert more_needed(a_ballot(), votes(GO, NO), GO) == 1
    assert more_needed(a_ballot(), votes(NO, NO), GO) == 4
    assert more_needed(a_ballot(), votes(NO, NO, NO), GO) is None
    assert more_needed(a_ballot(GateWord.CONDITIONAL), [], GO) is None
    assert more_needed(a_ballot(GateWord.CONDITIONAL), [], COND) == 3


def test_missing_mandatory_roles_are_counted_on_first():
    ballot = a_ballot(mandatory_roles=frozenset({"sales", "data"}))
    assert more_needed(ballot, votes(GO, GO, GO), GO) == 2
    assert more_needed(a_ballot(mandatory_roles=frozenset({"legal"})), votes(GO, GO, GO), GO) is None


def test_a_vote_is_settled_when_the_seats_that_are_left_cannot_change_what_it_says():
    assert not is_settled(a_ballot(), votes(GO, GO))
    assert not is_settled(a_ballot(), votes(GO, GO, GO))
    assert not is_settled(a_ballot(), votes(GO, GO, GO, NO, NO))
    assert is_settled(a_ballot(), votes(GO, GO, GO, GO, NO))
    assert is_settled(a_ballot(), votes(GO, GO, GO, GO, GO))
    assert is_settled(a_ballot(), votes(GO, GO, GO, GO, GO, GO))
    assert not is_settled(a_ballot(veto_roles=frozenset({"sales"})), votes(GO, GO, GO, GO, GO))


def test_shares_of_nothing_or_more_than_all_are_refused():
    for wrong in ({"quorum": Fraction(0)}, {"quorum": Fraction(3, 2)}, {"majority": Fraction(0)}):
        with pytest.raises(ValueError, match="shares"):
            a_ballot(**wrong)


choices = st.lists(st.sampled_from([GO, COND, NO, LATER, None]), min_size=6, max_size=6)
words = st.sampled_from(list(GateWord))


@given(choices, words, st.sets(st.sampled_from([seat.id for seat in SEATS])))
def test_a_go_always_has_the_gate_the_quorum_and_the_majority_behind_it(cast, word, recused):
    ballot = a_ballot(word, recused)
    counted = [vote for vote in votes(*cast) if vote.seat not in recused]
    state = tally(ballot, counted)
    if state.outcome in {Outcome.GO, Outcome.CONDITIONAL_GO}:
        assert Choice(state.outcome.value) in ALLOWED[word]
        assert 2 * len(counted) >= 6 - len(recused)
        carried = sum(1 for vote in counted if vote.choice in {GO, COND})
        assert 3 * carried >= 2 * len(counted) > 0
    assert tally(ballot, counted[::-1]) == state


@given(choices)
def test_the_number_of_votes_still_needed_is_kept_and_one_less_is_not_enough(cast):
    counted = votes(*cast)
    more = more_needed(a_ballot(), counted, GO)
    open_seats = [seat.id for seat in SEATS if seat.id not in {vote.seat for vote in counted}]
    results = [
        tally(a_ballot(), counted + [a_vote(seat) for seat in open_seats[:further]]).outcome is Outcome.GO
        for further in range(len(open_seats) + 1)
    ]
    assert more == (results.index(True) if True in results else None)
