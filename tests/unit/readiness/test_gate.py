"""From verdicts to the word of the gate: every rule, in its order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.gates.criteria import Layer
from readiness.gates.rules import (
    ALLOWED,
    WORST_FIRST,
    Choice,
    GateWord,
    allowed_choices,
    evaluate,
    is_worse,
    worst,
)
from readiness.gates.verdicts import Word
from readiness.gates.waivers import Body, Waiver, grant_refusal, is_in_force
from readiness.gates.wording import REASON_CODES, gate_sentence, reason_sentence
from tests.unit.readiness.builders import NOW, a_criterion, a_verdict

P, W, F, N = Word.PASS, Word.WARN, Word.FAIL, Word.NO_EVIDENCE


def a_waiver(criterion="C1", **given):
    return Waiver(
        **{
            "id": f"W-{criterion}",
            "criterion": criterion,
            "requested_by": "site lead",
            "granted_by": "sponsor",
            "body": Body.STEERING,
            "granted_at": NOW - timedelta(days=1),
            "until": NOW + timedelta(days=30),
            **given,
        }
    )


def gate(*lines, waivers=(), **given):
    """Lines are words, or (word, what is special about the criterion)."""
    criteria, verdicts = [], {}
    for number, line in enumerate(lines, 1):
        word, special = line if isinstance(line, tuple) else (line, {})
        criterion = a_criterion(**{"id": f"C{number}", **special})
        criteria.append(criterion)
        if word is not None:
            verdicts[criterion.id] = a_verdict(word, criterion.id)
    return evaluate(criteria, verdicts, waivers, now=NOW, **given)


KEY, STATUTORY = {"key": True}, {"statutory": True}


def codes(result):
    return [reason.code for reason in result.reasons]


def test_a_gate_without_criteria_is_not_ready_for_want_of_evidence():
    result = gate()
    assert (result.word, result.score, codes(result)) == (GateWord.NOT_READY_NO_EVIDENCE, 0, ["no_criteria"])


def test_a_gate_whose_weights_sum_to_nothing_is_not_ready_for_want_of_evidence():
    result = gate((P, {"weight": Decimal(0)}), (P, {"weight": Decimal(0)}))
    assert (result.word, codes(result)) == (GateWord.NOT_READY_NO_EVIDENCE, ["no_weight"])


def test_a_criterion_that_was_never_evaluated_counts_as_no_evidence():
    result = gate(None, P)
    assert result.lines[0].verdict.code == "not_evaluated"
    assert (result.score, result.word) == (Fraction(1, 2), GateWord.NOT_READY)
    assert gate((None, KEY), *[P] * 99).word is GateWord.NOT_READY_NO_EVIDENCE


@pytest.mark.parametrize("word", [W, F, N])
def test_a_statutory_criterion_that_is_not_at_pass_stops_everything(word):
    result = gate((word, STATUTORY), *[P] * 99)
    assert (result.word, codes(result)[0]) == (GateWord.NOT_READY, "statutory_not_passed")
    assert gate((P, STATUTORY), *[P] * 99).word is GateWord.READY


def test_a_key_criterion_at_fail_stops_whatever_the_score():
    result = gate((F, KEY), *[P] * 99)
    assert (result.word, codes(result)[0], result.score) == (GateWord.NOT_READY, "key_failed", Fraction(99, 100))


def test_a_key_criterion_without_evidence_makes_the_gate_unproven():
    result = gate((N, KEY), *[P] * 99)
    assert (result.word, codes(result)[0]) == (GateWord.NOT_READY_NO_EVIDENCE, "key_without_evidence")


def test_a_failing_key_comes_before_one_without_evidence_and_a_statutory_one_before_both():
    assert gate((N, KEY), (F, KEY), *[P] * 98).word is GateWord.NOT_READY
    result = gate((N, KEY), (F, KEY), (N, STATUTORY))
    assert codes(result)[:3] == ["statutory_not_passed", "key_failed", "key_without_evidence"]


def test_a_key_criterion_at_warn_keeps_a_high_score_from_being_ready():
    result = gate((W, KEY), *[P] * 99)
    assert (result.word, codes(result)) == (GateWord.CONDITIONAL, ["key_warns"])
    assert gate(W, *[P] * 99).word is GateWord.READY


def test_the_marks_are_met_exactly_and_missed_by_anything_less():
    assert gate(*[P] * 9, F).word is GateWord.READY
    assert gate(*[P] * 9, (F, {"weight": Decimal("1.000001")})).word is GateWord.CONDITIONAL
    assert gate(P, P, P, F).word is GateWord.CONDITIONAL
    below = gate(P, P, P, (F, {"weight": Decimal("1.000001")}))
    assert (below.word, codes(below)) == (GateWord.NOT_READY, ["score_below_warn_mark"])


def test_the_marks_come_from_the_template():
    assert gate(*[P] * 9, F, pass_mark=Decimal("0.91")).word is GateWord.CONDITIONAL
    assert gate(P, F, pass_mark=Decimal("0.6"), warn_mark=Decimal("0.5")).word is GateWord.CONDITIONAL


def test_the_score_weighs_pass_one_warn_half_and_the_rest_nothing():
    result = gate((P, {"weight": Decimal(3)}), (W, {"weight": Decimal(2)}), F, N)
    assert result.score == Fraction(4, 7)
    assert result.score_shown == Decimal("0.5714")


def test_the_score_of_a_layer_counts_its_own_criteria_only():
    result = gate((P, {"layer": Layer.DATA}), (F, {"layer": Layer.DATA}), P)
    assert result.score_by_layer == {
        Layer.PROCESS: Fraction(1),
        Layer.DATA: Fraction(1, 2),
        Layer.DEPLOYMENT: None,
        Layer.ADOPTION: None,
    }


def test_what_holds_back_most_names_blocking_criteria_first_and_then_points_lost():
    result = gate(
        (F, {"weight": Decimal(5)}), (W, KEY), P, (N, KEY), (F, KEY), (F, STATUTORY), (W, {"weight": Decimal(2)})
    )
    assert [(h.criterion, h.blocks, h.lost) for h in result.holds_back] == [
        ("C6", "statutory_not_passed", Fraction(1, 12)),
        ("C5", "key_failed", Fraction(1, 12)),
        ("C4", "key_without_evidence", Fraction(1, 12)),
        ("C2", "key_warns", Fraction(1, 24)),
        ("C1", None, Fraction(5, 12)),
        ("C7", None, Fraction(1, 12)),
    ]
    assert sum(h.lost for h in result.holds_back) == 1 - result.score


# --- waivers ----------------------------------------------------------------------------------------------------------


def test_a_waived_criterion_counts_as_warn_is_named_and_keeps_its_own_verdict():
    result = gate((F, KEY), *[P] * 9, waivers=[a_waiver()])
    line = result.lines[0]
    assert (line.verdict.word, line.counts_as, line.waiver.id) == (F, W, "W-C1")
    assert [waiver.id for waiver in result.waivers_used] == ["W-C1"]
    assert (result.word, result.score) == (GateWord.CONDITIONAL, Fraction(19, 20))
    unproven = gate((N, KEY), *[P] * 9, waivers=[a_waiver()])
    assert unproven.word is GateWord.CONDITIONAL


def test_an_expired_waiver_gives_the_criterion_its_own_verdict_back():
    for lapsed in (
        a_waiver(until=NOW),
        a_waiver(granted_at=NOW + timedelta(seconds=1)),
        a_waiver(ended_at=NOW),
    ):
        result = gate((F, KEY), *[P] * 9, waivers=[lapsed])
        assert (result.word, result.waivers_used, result.waivers_idle) == (GateWord.NOT_READY, (), (lapsed,))
    assert gate((F, KEY), *[P] * 9, waivers=[a_waiver(until=NOW + timedelta(seconds=1))]).word is GateWord.CONDITIONAL


def test_a_waiver_that_changes_nothing_lies_idle_and_costs_nothing():
    waiver = a_waiver()
    for word in (P, W):
        result = gate((word, {"weight": Decimal(9)}), P, waivers=[waiver])
        assert (result.waivers_used, result.waivers_idle, result.waived_share) == ((), (waiver,), 0)
    assert gate(P, *[P] * 9, waivers=[waiver]).word is GateWord.READY


def test_a_statutory_criterion_is_never_waived():
    result = gate((F, STATUTORY), *[P] * 99, waivers=[a_waiver()])
    assert (result.word, result.waivers_used) == (GateWord.NOT_READY, ())


def test_a_waiver_granted_by_the_wrong_body_or_by_its_requester_changes_nothing():
    by_template = a_waiver(body=Body.TEMPLATE)
    assert gate((F, KEY), *[P] * 9, waivers=[by_template]).word is GateWord.NOT_READY
    assert gate(F, *[P] * 9, waivers=[by_template]).waivers_used == (by_template,)
    own = a_waiver(granted_by="site lead")
    assert gate(F, *[P] * 9, waivers=[own]).waivers_used == ()


def test_who_may_grant_a_waiver():
    def refusal(**special):
        case = {"requested_by": "site lead", "granted_by": "sponsor", "body": Body.TEMPLATE}
        case |= {name: special.pop(name) for name in list(special) if name in case}
        return grant_refusal(a_criterion(**special), **case)

    assert refusal() is None
    assert refusal(granted_by="site lead") == "requester_may_not_grant"
    assert refusal(key=True) == "key_waived_by_steering_only"
    assert refusal(key=True, body=Body.STEERING) is None
    assert refusal(statutory=True, body=Body.STEERING) == "statutory_never_waived"


def test_a_waiver_of_another_criterion_changes_nothing():
    assert gate((F, KEY), *[P] * 9, waivers=[a_waiver("C2")]).word is GateWord.NOT_READY


def test_the_longest_of_two_waivers_is_the_one_that_counts():
    short, long = a_waiver(id="A", until=NOW + timedelta(days=1)), a_waiver(id="B", until=NOW + timedelta(days=2))
    result = gate(F, *[P] * 9, waivers=[long, short])
    assert (result.waivers_used, result.waivers_idle) == ((long,), (short,))


def test_waived_weight_up_to_15_percent_is_borne_and_more_is_not():
    at_cap = gate((F, {"weight": Decimal(15)}), (P, {"weight": Decimal(85)}), waivers=[a_waiver()])
    assert (at_cap.word, at_cap.waived_share) == (GateWord.READY, Fraction(15, 100))
    over = gate((F, {"weight": Decimal("15.1")}), (P, {"weight": Decimal("84.9")}), waivers=[a_waiver()])
    assert (over.word, codes(over)[0]) == (GateWord.NOT_READY, "waived_over_cap")
    assert gate_sentence(over, {}) == "Not ready. Waivers cover 15.1 % of the weight, more than 15 %."


def test_a_waiver_has_its_last_instant_just_before_its_end():
    waiver = a_waiver()
    assert is_in_force(waiver, waiver.granted_at)
    assert is_in_force(waiver, waiver.until - timedelta(microseconds=1))
    assert not is_in_force(waiver, waiver.until)


# --- votes, words and order -------------------------------------------------------------------------------------------


def test_what_the_committee_may_cast_follows_the_gate():
    stop = {Choice.NO_GO, Choice.POSTPONE}
    assert gate(P).allowed == set(Choice)
    assert gate((W, KEY), *[P] * 9).allowed == stop | {Choice.CONDITIONAL_GO}
    assert gate(F).allowed == stop
    assert gate().allowed == stop
    assert set(ALLOWED) == set(GateWord)


def test_of_several_gates_the_worst_decides_what_may_be_cast():
    assert worst([GateWord.READY, GateWord.CONDITIONAL]) is GateWord.CONDITIONAL
    assert worst([GateWord.NOT_READY, GateWord.NOT_READY_NO_EVIDENCE]) is GateWord.NOT_READY
    assert allowed_choices([GateWord.READY, GateWord.NOT_READY]) == {Choice.NO_GO, Choice.POSTPONE}
    assert worst([]) is GateWord.NOT_READY_NO_EVIDENCE
    assert Choice.GO not in allowed_choices([])


def test_gate_words_have_one_order_from_worst_to_best():
    assert set(WORST_FIRST) == set(GateWord)
    for place, word in enumerate(WORST_FIRST):
        assert [is_worse(word, other) for other in WORST_FIRST] == [place < at for at in range(4)]


def test_the_sentence_of_a_gate_says_the_word_and_the_reason_that_decided():
    assert gate_sentence(gate(P), {}) == "Ready. The score of 100 % meets 90 %."
    result = gate((N, KEY), P)
    assert gate_sentence(result, {"C1": "Invoice right at posting"}) == (
        "Not ready: no evidence. A key criterion has no evidence: Invoice right at posting."
    )
    assert gate_sentence(gate(W), {}) == "Not ready. The score of 50 % misses 75 %."


def test_every_reason_of_a_gate_has_its_words():
    results = [
        gate(),
        gate((P, {"weight": Decimal(0)})),
        gate((N, KEY), (F, KEY), (W, STATUTORY), F, waivers=[a_waiver("C4")]),
        gate(P),
        gate(P, P, P, F),
        gate((W, KEY), *[P] * 9),
    ]
    seen = set()
    for result in results:
        for reason in result.reasons:
            assert "{" not in reason_sentence(reason, {})
            seen.add(reason.code)
    assert seen == REASON_CODES


def test_nonsense_is_refused_before_anything_is_scored():
    with pytest.raises(ValueError, match="same id"):
        gate((P, {"id": "C9"}), (P, {"id": "C9"}))
    with pytest.raises(ValueError, match="weight"):
        gate((P, {"weight": Decimal(-1)}))
    for marks in ({"warn_mark": Decimal(0)}, {"pass_mark": Decimal("1.1")}, {"warn_mark": Decimal("0.95")}):
        with pytest.raises(ValueError, match="marks"):
            gate(P, **marks)
    with pytest.raises(ValueError, match="handed in"):
        evaluate([a_criterion()], {"C1": a_verdict(P, "C2")}, now=NOW)


# --- properties -------------------------------------------------------------------------------------------------------

lines = st.tuples(
    st.sampled_from([P, W, F, N]),
    st.fixed_dictionaries(
        {
            "weight": st.decimals(0, 100, places=2),
            "key": st.booleans(),
            "statutory": st.booleans(),
            "layer": st.sampled_from(list(Layer)),
        }
    ),
)
gates = st.lists(lines, max_size=8)
RANK = {F: 0, N: 0, W: 1, P: 2}


@given(gates, st.data())
def test_a_better_verdict_never_lowers_the_score(given_lines, data):
    here = gate(*given_lines)
    better = [
        (data.draw(st.sampled_from([w for w in (P, W, F, N) if RANK[w] >= RANK[word]])), s) for word, s in given_lines
    ]
    assert gate(*better).score >= here.score
    assert 0 <= here.score <= 1


@given(gates)
def test_a_gate_is_ready_only_if_nothing_that_must_pass_is_open(given_lines):
    result = gate(*given_lines)
    if result.word is GateWord.READY:
        assert result.score >= Fraction(9, 10)
        assert all(word is P for word, special in given_lines if special["key"] or special["statutory"])
    if result.word is GateWord.CONDITIONAL:
        assert result.score >= Fraction(3, 4)
        assert all(word in {P, W} for word, special in given_lines if special["key"])


@given(gates)
def test_waivers_never_make_a_statutory_criterion_pass_nor_a_key_one_more_than_warn(given_lines):
    waivers = [a_waiver(f"C{number}") for number in range(1, len(given_lines) + 1)]
    result = gate(*given_lines, waivers=waivers)
    for line in result.lines:
        if line.criterion.statutory:
            assert line.waiver is None
            assert line.counts_as is line.verdict.word
        if line.waiver:
            assert line.counts_as is W
    assert result.waived_share <= Fraction(15, 100) or result.word in {
        GateWord.NOT_READY,
        GateWord.NOT_READY_NO_EVIDENCE,
    }


@given(gates)
def test_without_a_single_pass_or_warning_no_go_may_be_cast(given_lines):
    dark = [(F if word is P else N, special) for word, special in given_lines]
    assert gate(*dark).allowed == {Choice.NO_GO, Choice.POSTPONE}


@given(gates)
def test_points_lost_and_score_make_one(given_lines):
    result = gate(*given_lines)
    if any(special["weight"] for _, special in given_lines):
        assert sum((h.lost for h in result.holds_back), Fraction(0)) + result.score == 1
