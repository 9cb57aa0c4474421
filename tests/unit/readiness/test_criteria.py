"""What is refused when criteria are frozen."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from readiness.gates.criteria import Baseline, Evidence, MeasureFacts, Phase, problems_of
from readiness.measures.reading import Direction, Form
from tests.unit.readiness.builders import a_criterion

RIGHT = MeasureFacts("invoice_right_at_posting", 1, Direction.UP, Form.YES_NO)
WAITING = MeasureFacts("invoice_right_at_posting", 1, Direction.DOWN, Form.PERCENTILE, ("p50", "p90"))
OWN = {"Ghent", "Lille"}


def codes(entry=RIGHT, own=OWN, **given):
    return [problem.code for problem in problems_of(a_criterion(**given), entry, own)]


def a_baseline(**given):
    return Baseline(
        **{
            "measure": "invoice_right_at_posting",
            "version": 1,
            "value": Decimal("0.9"),
            "comparable": True,
            "as_of": datetime(2026, 1, 1, tzinfo=UTC),
            **given,
        }
    )


def test_a_whole_criterion_has_no_problem():
    assert codes() == []
    assert codes(warn_mark=Decimal("0.9"), key=True, statutory=True, min_documents=30) == []


def test_own_live_readings_are_refused_for_entry_and_taken_for_stay_live_and_exit():
    assert codes(evidence=Evidence.OWN_LIVE) == ["entry_reads_own_live"]
    assert codes(evidence=Evidence.OWN_LIVE, phase=Phase.STAY_LIVE) == []
    assert codes(evidence=Evidence.OWN_LIVE, phase=Phase.EXIT) == []


def test_a_relative_mark_needs_a_baseline_by_the_same_formula():
    assert codes(relative=True) == ["baseline_missing"]
    assert codes(relative=True, baseline=a_baseline()) == []
    for broken in (
        {"comparable": False},
        {"version": 2},
        {"measure": "otif_lines"},
        {"statistic": "p90"},
        {"value": Decimal(0)},
        {"value": Decimal(-1)},
    ):
        assert codes(relative=True, baseline=a_baseline(**broken)) == ["baseline_not_comparable"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"weight": Decimal(-1)}, "weight_negative"),
        ({"min_documents": 0}, "minimum_below_one"),
        ({"min_actors": 0}, "minimum_below_one"),
        ({"min_days": 0}, "minimum_below_one"),
        ({"min_actors": 3}, "actors_not_counted"),
        ({"cells": ()}, "no_cells_named"),
        ({"cells": ("Ghent", "Ghent")}, "cell_named_twice"),
        ({"cells": ("Oslo",)}, "cell_of_another_wave"),
        ({"evidence": Evidence.REFERENCE}, "reference_is_own_cell"),
        ({"pass_mark": None}, "no_pass_mark"),
        ({"pass_mark": Decimal("NaN")}, "mark_not_a_number"),
        ({"warn_mark": Decimal("0.96")}, "warn_mark_stricter_than_pass_mark"),
        ({"statistic": "p90"}, "statistic_unknown"),
        ({"measure": "otif_lines"}, "measure_unknown"),
        ({"version": 2}, "measure_unknown"),
        ({"evidence": Evidence.ATTESTATION}, "attestation_has_no_measure"),
    ],
)
def test_a_broken_criterion_is_refused_with_its_reason(given, code):
    assert codes(**given) == [code]


def test_a_measure_that_is_not_in_the_catalogue_is_refused():
    assert codes(entry=None) == ["measure_unknown"]


def test_where_less_is_better_the_warn_mark_lies_above():
    assert codes(WAITING, statistic="p90", warn_mark=Decimal("0.96")) == []
    assert codes(WAITING, statistic="p90", warn_mark=Decimal("0.9")) == ["warn_mark_stricter_than_pass_mark"]


def test_a_time_must_name_its_statistic():
    assert codes(WAITING) == ["statistic_not_named"]
    assert codes(WAITING, statistic="p99") == ["statistic_not_named"]


def test_a_measure_that_only_informs_cannot_be_a_criterion():
    assert codes(MeasureFacts(RIGHT.id, 1, Direction.INFO, Form.SHARE)) == ["measure_only_informs"]


def test_a_measure_that_must_be_nil_has_no_mark_below_zero():
    nil = MeasureFacts(RIGHT.id, 1, Direction.ZERO, Form.STATE)
    assert codes(nil, pass_mark=Decimal(0)) == []
    assert codes(nil, pass_mark=Decimal(-1), warn_mark=Decimal(0)) == ["mark_below_zero"]


def test_reference_cells_are_those_of_others():
    assert codes(evidence=Evidence.REFERENCE, cells=("Oslo", "Bergen")) == []


def test_an_attestation_needs_neither_measure_nor_mark_nor_cell():
    assert codes(entry=None, evidence=Evidence.ATTESTATION, cells=()) == ["attestation_has_no_measure"]
    criterion = {"evidence": Evidence.ATTESTATION, "cells": ()}
    assert problems_of(a_criterion(measure=None, pass_mark=None, **criterion), None, OWN) == ()
