"""Verdicts on one criterion: what passes, what warns, what fails, and what proves nothing."""

from __future__ import annotations

import ast
import inspect
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.gates import verdicts as verdicts_module
from readiness.gates.criteria import Basis, Evidence, Phase
from readiness.gates.verdicts import Attestation, Word, judge, judge_attestation
from readiness.gates.wording import VERDICT_CODES, sentence
from readiness.measures.intervals import RateSample, Sums, mean_sample, wilson, yes_no_sample
from readiness.measures.percentiles import P90, percentile_sample
from readiness.measures.reading import Direction, Form, Stale, Unit
from readiness.measures.sketch import Sketch
from tests.unit.readiness.builders import NOW, a_criterion, a_reading
from tests.unit.readiness.test_criteria import a_baseline

BOUND = {"basis": Basis.BOUND}


def judged(reading, held=0, needed=1, level=0.95, **given):
    return judge(a_criterion(**given), [reading], held=held, needed=needed, level=level)


# --- on value ---------------------------------------------------------------------------------------------------------


def test_a_value_at_its_mark_passes_exactly():
    assert judged(a_reading(190, 200)).word is Word.PASS
    assert judged(a_reading(189, 200)).word is Word.FAIL
    third = a_reading(2, 3)
    assert judged(third, pass_mark=Decimal("0.666667")).word is Word.FAIL
    assert third.value == Decimal("0.666667")


def test_a_value_between_the_marks_warns():
    between = judged(a_reading(185, 200), warn_mark=Decimal("0.925"))
    assert (between.word, between.code, between.met) == (Word.WARN, "meets_warn_mark", False)
    assert sentence(between) == "92.5 % misses 95 % but meets the warn mark of 92.5 %"
    below = judged(a_reading(184, 200), warn_mark=Decimal("0.925"))
    assert (below.word, below.code) == (Word.FAIL, "misses_mark")
    assert sentence(below) == "92 % misses 92.5 % at Ghent"


def test_where_less_is_better_the_marks_turn_round():
    down = {"direction": Direction.DOWN}
    marks = {"pass_mark": Decimal("0.05"), "warn_mark": Decimal("0.10")}
    assert judged(a_reading(10, 200, **down), **marks).word is Word.PASS
    assert judged(a_reading(11, 200, **down), **marks).word is Word.WARN
    assert judged(a_reading(21, 200, **down), **marks).word is Word.FAIL


def test_what_must_be_nil_fails_on_either_side():
    nil = {"direction": Direction.ZERO, "form": Form.STATE, "numerator": None, "denominator": None, "sample": None}
    for value, word in ((0, Word.PASS), (1, Word.FAIL), (-1, Word.FAIL)):
        assert judged(a_reading(value=Decimal(value), **nil), pass_mark=Decimal(0)).word is word


def test_a_census_is_judged_on_its_value_even_as_a_key_criterion():
    state = a_reading(form=Form.STATE, sample=None, count=3)
    verdict = judged(state, held=1, key=True)
    assert (verdict.word, verdict.basis) == (Word.PASS, Basis.VALUE)


def test_a_relative_mark_is_a_factor_of_the_baseline():
    baseline = a_baseline(value=Decimal("0.9"))
    relative = {"relative": True, "baseline": baseline, "pass_mark": Decimal("1.05")}
    assert judged(a_reading(189, 200), **relative).word is Word.PASS
    assert judged(a_reading(188, 200), **relative).word is Word.FAIL


# --- on the bound -----------------------------------------------------------------------------------------------------


def test_98_percent_of_200_does_not_prove_95_percent():
    verdict = judged(a_reading(196, 200), **BOUND)
    assert (verdict.word, verdict.code) == (Word.NO_EVIDENCE, "more_needed")
    assert verdict.facts["bound"] == Decimal("0.949712")


def test_fourteen_more_are_needed_after_59_without_a_failure():
    verdict = judged(a_reading(59, 59, documents="receipt"), **BOUND)
    assert verdict.facts["more"] == 14
    assert sentence(verdict) == "14 more receipts needed for 95 %"
    assert judged(a_reading(73, 73), **BOUND).word is Word.PASS
    assert judged(a_reading(72, 72), **BOUND).facts["more"] == 1
    assert sentence(judged(a_reading(72, 72), **BOUND)) == "1 more invoice needed for 95 %"


@given(st.integers(1, 120), st.integers(0, 3))
def test_the_number_still_needed_is_the_smallest_that_would_pass_at_the_present_value(good, bad):
    of = good + bad
    more = judged(a_reading(good, of), pass_mark=Decimal("0.9"), **BOUND).facts.get("more")
    share = good / of
    if more is not None:
        assert wilson(share, of + more)[0] >= 0.9
        assert wilson(share, of + more - 1)[0] < 0.900001
    elif share > 0.91:
        assert wilson(share, of)[0] >= 0.9


def test_a_value_at_the_mark_will_never_prove_it_by_more_of_the_same():
    verdict = judged(a_reading(190, 200), **BOUND)
    assert (verdict.word, verdict.facts["more"]) == (Word.NO_EVIDENCE, None)
    assert sentence(verdict) == (
        "The lower limit does not reach 95 %, and more of the same would not change it: the value is 95 %"
    )


def test_a_bound_between_the_marks_warns_and_a_value_below_the_warn_mark_fails():
    marks = {"pass_mark": Decimal("0.95"), "warn_mark": Decimal("0.90"), **BOUND}
    warned = judged(a_reading(190, 200), **marks)
    assert (warned.word, warned.code) == (Word.WARN, "bound_meets_warn_mark")
    assert judged(a_reading(179, 200), **marks).word is Word.FAIL
    assert judged(a_reading(181, 200), **marks).word is Word.NO_EVIDENCE


def test_a_key_criterion_takes_the_bound_whatever_it_says():
    assert judged(a_reading(196, 200), basis=Basis.VALUE).word is Word.PASS
    assert judged(a_reading(196, 200), basis=Basis.VALUE, key=True).word is Word.NO_EVIDENCE


def test_a_stricter_level_asks_for_more_documents():
    assert judged(a_reading(73, 73), **BOUND).word is Word.PASS
    strict = judged(a_reading(73, 73), level=0.99, **BOUND)
    # z² · p ÷ (1 − p) = 6.6349 · 19 = 126.06
    assert (strict.word, strict.facts["more"]) == (Word.NO_EVIDENCE, 127 - 73)


def test_clustered_documents_need_more_than_their_count():
    days = [Sums(20, 20, 20, 20, 20, 20)] * 9 + [Sums(20, 16, 20, 16, 16, 20)]
    sample = yes_no_sample(days)
    clustered = judged(a_reading(196, 200, sample=sample), pass_mark=Decimal("0.9"), **BOUND)
    assert clustered.word is Word.NO_EVIDENCE
    assert judged(a_reading(196, 200), pass_mark=Decimal("0.9"), **BOUND).word is Word.PASS
    more = clustered.facts["more"]
    assert wilson(0.98, sample.cases * (200 + more) / 200)[0] >= 0.9
    assert wilson(0.98, sample.cases * (199 + more) / 200)[0] < 0.9


def test_a_mean_is_held_against_its_t_limit():
    costs = [Sums(5, 35, 5, 255, 35, 5)]
    cost = {"form": Form.MEAN, "unit": Unit.MONEY, "direction": Direction.DOWN, "sample": mean_sample(costs)}
    reading = a_reading(35, 5, **cost)
    # V = 5/4 · (255 − 5·7²) ÷ 25 = 0.5; 7 + 2.776445·√0.5 = 8.963
    assert judged(reading, pass_mark=Decimal("8.964"), **BOUND).word is Word.PASS
    assert judged(reading, pass_mark=Decimal("8.963"), **BOUND).word is Word.NO_EVIDENCE


def test_a_rate_is_held_against_its_poisson_limit():
    rate = {"form": Form.RATE, "direction": Direction.DOWN, "sample": RateSample(3.0, 1.0, 100.0)}
    reading = a_reading(3, 100, **rate)
    assert judged(reading, pass_mark=Decimal("0.0877"), **BOUND).word is Word.PASS
    assert judged(reading, pass_mark=Decimal("0.0876"), **BOUND).word is Word.NO_EVIDENCE


def a_time(done, waiting, **given):
    sample = percentile_sample(Sketch.of(done), waiting, P90)
    estimate = sample.estimate()
    return a_reading(
        **{
            "form": Form.PERCENTILE,
            "unit": Unit.HOURS,
            "direction": Direction.DOWN,
            "sample": sample,
            "value": Decimal(str(round(estimate.seconds, 6))),
            "numerator": None,
            "denominator": None,
            "reached": estimate.reached,
            "count": len(done) + len(waiting),
            **given,
        }
    )


def test_a_percentile_needs_enough_documents_for_its_upper_limit():
    marks = {"pass_mark": Decimal(7500), **BOUND}
    assert judged(a_time([7200] * 36, []), **marks).word is Word.PASS
    short = judged(a_time([7200] * 30, []), **marks)
    assert (short.word, short.facts["more"], short.facts["bound"]) == (Word.NO_EVIDENCE, 6, None)
    assert sentence(short) == "6 more invoices needed for 2.08 h"


def test_a_percentile_beyond_the_oldest_age_fails_below_it_and_proves_nothing_above():
    late = a_time([3600] * 50, [90000] * 20)
    assert (late.value, late.reached) == (Decimal(90000), False)
    failed = judged(late, pass_mark=Decimal(80000))
    assert (failed.word, failed.code) == (Word.FAIL, "beyond_oldest_age")
    assert sentence(failed) == "Beyond the oldest open age of 25 h, which misses 22.22 h"
    for mark in (90000, 100000):
        assert judged(late, pass_mark=Decimal(mark)).word is Word.NO_EVIDENCE
        assert judged(late, pass_mark=Decimal(mark)).code == "percentile_not_reached"


# --- holding ----------------------------------------------------------------------------------------------------------


def test_a_key_pass_warns_until_it_has_held():
    two_of_five = judged(a_reading(400, 400), held=2, needed=5, key=True)
    assert (two_of_five.word, two_of_five.met) == (Word.WARN, True)
    assert sentence(two_of_five) == "Holds 2 of 5 days"
    held = judged(a_reading(400, 400), held=5, needed=5, key=True)
    assert (held.word, held.met) == (Word.PASS, True)
    assert sentence(held) == "The lower limit of 99.05 % meets 95 %"


def test_only_key_criteria_and_those_that_ask_for_it_must_hold():
    assert judged(a_reading(), held=0, needed=5).word is Word.PASS
    assert judged(a_reading(), held=4, needed=5, hold=True).word is Word.WARN
    assert judged(a_reading(), held=5, needed=5, hold=True).word is Word.PASS


def test_holding_turns_nothing_else_green():
    for reading in (a_reading(0, 0), a_reading(100, 200), a_reading(196, 200), a_reading(provisional=True)):
        verdict = judged(reading, held=99, needed=5, key=True)
        assert verdict.word is not Word.PASS
        assert not verdict.met


# --- several cells ----------------------------------------------------------------------------------------------------


def reference(**given):
    return a_criterion(evidence=Evidence.REFERENCE, cells=("Oslo", "Bergen"), **given)


def live(cell, good=200, **given):
    return a_reading(good, 200, scope=cell, realm="live", **given)


def test_of_several_reference_cells_the_worst_counts():
    assert judge(reference(), [live("Oslo"), live("Bergen")]).word is Word.PASS
    failed = judge(reference(), [live("Oslo"), live("Bergen", 100)])
    assert (failed.word, failed.facts["cell"]) == (Word.FAIL, "Bergen")
    unproven = judge(reference(), [live("Oslo", provisional=True), live("Bergen")])
    assert unproven.word is Word.NO_EVIDENCE
    both = judge(reference(), [live("Oslo", provisional=True), live("Bergen", 100)])
    assert both.word is Word.FAIL


def test_a_reference_cell_without_a_reading_is_no_evidence():
    verdict = judge(reference(), [live("Oslo")])
    assert (verdict.word, sentence(verdict)) == (Word.NO_EVIDENCE, "No reading of Bergen")


def test_readings_of_cells_that_were_not_named_do_not_count():
    verdict = judge(reference(), [live("Oslo"), live("Tromso"), live("Alta")])
    assert (verdict.word, verdict.code) == (Word.NO_EVIDENCE, "source_missing")


def test_one_cell_read_twice_is_no_evidence():
    assert judge(reference(), [live("Oslo"), live("Oslo", 0), live("Bergen")]).code == "cell_read_twice"


# --- fail closed: each case by name -----------------------------------------------------------------------------------


def test_no_data_is_no_evidence():
    verdict = judge(a_criterion(), [])
    assert (verdict.word, verdict.code) == (Word.NO_EVIDENCE, "source_missing")


def test_a_division_by_zero_is_no_evidence():
    verdict = judged(a_reading(0, 0, count=5))
    assert (verdict.word, verdict.code) == (Word.NO_EVIDENCE, "nothing_to_measure")
    down = judged(a_reading(0, 0, count=5, direction=Direction.DOWN), pass_mark=Decimal("0.1"))
    assert down.word is Word.NO_EVIDENCE


def test_no_value_is_no_evidence_even_where_zero_would_be_perfect():
    nothing = a_reading(value=None, numerator=None, denominator=None, direction=Direction.ZERO, form=Form.STATE)
    assert judged(nothing, pass_mark=Decimal(0)).word is Word.NO_EVIDENCE


@pytest.mark.parametrize(
    ("given", "minimum", "said"),
    [
        ({"count": 26}, {"min_documents": 30}, "4 more invoices needed: 26 of at least 30"),
        ({"count": 0}, {}, "1 more invoice needed: 0 of at least 1"),
        ({"days": 3}, {"min_days": 5}, "2 more days needed: 3 of at least 5"),
        ({"days": 0}, {}, "1 more day needed: 0 of at least 1"),
        ({"actors": 2}, {"min_actors": 5}, "3 more people needed: 2 of at least 5"),
        ({"actors": None}, {"min_actors": 2}, "2 more people needed: 0 of at least 2"),
        ({"actors": 0}, {"min_actors": 2}, "2 more people needed: 0 of at least 2"),
    ],
)
def test_too_little_data_is_no_evidence_and_says_how_much_is_missing(given, minimum, said):
    verdict = judged(a_reading(**given), **minimum)
    assert (verdict.word, sentence(verdict)) == (Word.NO_EVIDENCE, said)


def test_a_minimum_just_met_is_enough():
    assert judged(a_reading(count=30, days=5, actors=2), min_documents=30, min_days=5, min_actors=2).word is Word.PASS
    assert judged(a_reading(actors=None)).word is Word.PASS
    assert judged(a_reading(actors=0)).word is Word.PASS


@pytest.mark.parametrize("stale", list(Stale))
def test_a_source_that_cannot_be_believed_is_no_evidence(stale):
    for reading in (a_reading(stale=stale), a_reading(10, 200, stale=stale)):
        verdict = judged(reading)
        assert (verdict.word, verdict.code) == (Word.NO_EVIDENCE, stale.value)


def test_an_unreadable_source_is_no_evidence():
    assert sentence(judged(a_reading(stale=Stale.SOURCE_UNREADABLE))) == "The source cannot be read"


def test_a_consumer_more_than_60_seconds_behind_is_no_evidence():
    verdict = judged(a_reading(stale=Stale.CONSUMER_BEHIND, stale_detail="journeys, 75 s"))
    assert sentence(verdict) == "The figures are more than 60 seconds behind the events: journeys, 75 s"


def test_figures_judged_by_earlier_rules_are_no_evidence_and_say_until_when():
    verdict = judged(a_reading(stale=Stale.EARLIER_RULES, stale_detail="the rules changed"))
    assert verdict.word is Word.NO_EVIDENCE
    assert sentence(verdict) == "The figures are behind until all is judged anew: the rules changed"


def test_a_parked_event_in_scope_is_no_evidence():
    verdict = judged(a_reading(stale=Stale.PARKED_EVENT))
    assert sentence(verdict) == "An event of this scope is parked"


def test_a_provisional_reading_can_fail_but_never_warn_or_pass():
    marks = {"warn_mark": Decimal("0.9")}
    assert judged(a_reading(200, 200, provisional=True), **marks).word is Word.NO_EVIDENCE
    assert judged(a_reading(185, 200, provisional=True), **marks).word is Word.NO_EVIDENCE
    assert judged(a_reading(100, 200, provisional=True), **marks).word is Word.FAIL
    assert judged(a_reading(400, 400, provisional=True), **marks, **BOUND).word is Word.NO_EVIDENCE


def test_a_baseline_that_is_not_comparable_is_no_evidence():
    for baseline in (None, a_baseline(comparable=False), a_baseline(version=2), a_baseline(value=Decimal(0))):
        verdict = judged(a_reading(), relative=True, baseline=baseline, pass_mark=Decimal("0.1"))
        assert (verdict.word, verdict.code) == (Word.NO_EVIDENCE, "baseline_not_comparable")


def test_own_live_readings_prove_no_entry_criterion():
    live_reading = a_reading(realm="live")
    verdict = judged(live_reading, evidence=Evidence.OWN_LIVE)
    assert (verdict.word, verdict.code) == (Word.NO_EVIDENCE, "entry_reads_own_live")
    assert judged(live_reading, evidence=Evidence.OWN_LIVE, phase=Phase.EXIT).word is Word.PASS


@pytest.mark.parametrize(
    "given", [{"realm": "live"}, {"realm": "training"}, {"measure": "otif_lines"}, {"version": 2}, {"statistic": "p90"}]
)
def test_a_reading_of_another_realm_or_measure_is_no_evidence(given):
    verdict = judged(a_reading(**given))
    assert (verdict.word, verdict.code) == (Word.NO_EVIDENCE, "wrong_source")


def test_a_criterion_without_mark_or_cell_is_no_evidence():
    assert judged(a_reading(), pass_mark=None).code == "no_pass_mark"
    assert judged(a_reading(), cells=()).code == "no_cells_named"
    assert judged(a_reading(direction=Direction.INFO)).code == "measure_only_informs"


def test_an_interval_that_is_not_known_is_no_evidence():
    verdict = judged(a_reading(sample=None), **BOUND)
    assert (verdict.word, verdict.code) == (Word.NO_EVIDENCE, "interval_not_known")


def test_a_warn_mark_on_the_wrong_side_hides_no_failure():
    assert judged(a_reading(190, 200), pass_mark=Decimal("0.9"), warn_mark=Decimal("0.97")).word is Word.FAIL


# --- attestations -----------------------------------------------------------------------------------------------------

ATTESTED = a_criterion(measure=None, pass_mark=None, cells=(), evidence=Evidence.ATTESTATION, key=True)


def a_statement(**given):
    return Attestation(**{"criterion": "C1", "holds": True, "by": "Data owner", "at": NOW, **given})


def test_an_attestation_passes_or_fails_as_stated():
    assert judge_attestation(ATTESTED, a_statement(), NOW).word is Word.PASS
    refused = judge_attestation(ATTESTED, a_statement(holds=False), NOW)
    assert (refused.word, sentence(refused)) == (Word.FAIL, "Data owner states that this is not met")


def test_a_statement_is_missing_until_somebody_made_it_for_this_line():
    for statement in (None, a_statement(criterion="C2"), a_statement(at=NOW + timedelta(seconds=1))):
        verdict = judge_attestation(ATTESTED, statement, NOW)
        assert (verdict.word, sentence(verdict)) == (Word.NO_EVIDENCE, "No statement yet by billing lead")


def test_an_expired_attestation_is_no_evidence_from_its_last_instant_on():
    assert judge_attestation(ATTESTED, a_statement(until=NOW + timedelta(seconds=1)), NOW).word is Word.PASS
    lapsed = judge_attestation(ATTESTED, a_statement(until=NOW), NOW)
    assert (lapsed.word, lapsed.code) == (Word.NO_EVIDENCE, "attestation_lapsed")
    negative = judge_attestation(ATTESTED, a_statement(until=NOW, holds=False), NOW)
    assert negative.word is Word.NO_EVIDENCE


def test_statements_and_figures_are_never_mixed_up():
    with pytest.raises(ValueError, match="statement"):
        judge(ATTESTED, [a_reading()])
    with pytest.raises(ValueError, match="attestation"):
        judge_attestation(a_criterion(), a_statement(), NOW)


# --- properties -------------------------------------------------------------------------------------------------------

readings = st.builds(
    lambda good, bad, **given: a_reading(good, good + bad, **given),
    st.integers(0, 300),
    st.integers(0, 300),
    provisional=st.booleans(),
    stale=st.none() | st.sampled_from(list(Stale)),
    count=st.integers(0, 600),
    days=st.integers(0, 20),
)


@given(readings, st.booleans(), st.integers(0, 9))
def test_nothing_passes_that_is_stale_young_empty_or_thin(reading, key, held):
    verdict = judged(reading, held=held, needed=5, key=key, min_documents=30)
    if verdict.word is Word.PASS:
        assert reading.stale is None
        assert not reading.provisional
        assert reading.denominator > 0
        assert reading.count >= 30
        assert reading.days >= 1
        assert reading.numerator * 20 >= reading.denominator * 19
        assert not key or held >= 5
    assert verdict.met <= (verdict.word in {Word.PASS, Word.WARN})


@given(st.integers(0, 200), st.integers(1, 200), st.booleans())
def test_a_better_value_never_gets_a_worse_verdict(good, of, key):
    order = [Word.FAIL, Word.NO_EVIDENCE, Word.WARN, Word.PASS]
    good = min(good, of - 1)
    given_marks = {"pass_mark": Decimal("0.9"), "warn_mark": Decimal("0.8"), "key": key}
    here = judged(a_reading(good, of), held=5, needed=5, **given_marks)
    better = judged(a_reading(good + 1, of), held=5, needed=5, **given_marks)
    assert order.index(better.word) >= order.index(here.word)


def test_every_reason_code_of_a_verdict_has_its_words():
    source = ast.parse(inspect.getsource(verdicts_module))
    strings = {
        node.value for node in ast.walk(source) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    used = {text for text in strings if text in VERDICT_CODES} | {stale.value for stale in Stale} | {"not_evaluated"}
    assert used == VERDICT_CODES
    literal_codes = {
        keyword.value.value
        for node in ast.walk(source)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }
    assert literal_codes <= VERDICT_CODES
    assert len(literal_codes) >= 10
