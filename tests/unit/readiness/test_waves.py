"""Plans of waves beside each other."""

from __future__ import annotations

from datetime import date

import pytest

from readiness.waves.rules import Blackout, WavePlan, WaveProblem, wave_problems


def a_wave(wave="W2", **given):
    return WavePlan(
        **{
            "id": wave,
            "cells": frozenset({"Ghent"}),
            "processes": frozenset({"order to cash"}),
            "go_live": date(2026, 5, 4),
            **given,
        }
    )


FIRST = a_wave("W1", cells=frozenset({"Oslo", "Bergen"}), go_live=date(2026, 3, 2))


def problems(others=(FIRST,), **given):
    return list(wave_problems(a_wave(**given), {wave.id: wave for wave in others}))


def test_a_whole_plan_has_no_problem():
    assert problems(depends_on=frozenset({"W1"}), reference_cells=frozenset({"Oslo"})) == []


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"cells": frozenset()}, WaveProblem("no_cells")),
        ({"processes": frozenset()}, WaveProblem("no_processes")),
        ({"groups": frozenset()}, WaveProblem("no_groups")),
        ({"cells": frozenset({"Ghent", "Oslo"})}, WaveProblem("scope_of_another_wave", "W1")),
        ({"depends_on": frozenset({"W2"})}, WaveProblem("depends_on_itself")),
        ({"depends_on": frozenset({"W9"})}, WaveProblem("dependency_unknown", "W9")),
        ({"reference_cells": frozenset({"Ghent"})}, WaveProblem("reference_not_of_earlier_wave", "Ghent")),
        ({"reference_cells": frozenset({"Lille"})}, WaveProblem("reference_not_of_earlier_wave", "Lille")),
    ],
)
def test_a_broken_plan_is_refused_with_its_reason(given, problem):
    assert problems(**given) == [problem]


def test_a_wave_cannot_go_live_before_one_it_depends_on():
    before = {"go_live": date(2026, 3, 1), "depends_on": frozenset({"W1"})}
    assert problems(**before) == [WaveProblem("goes_live_before_dependency", "W1")]
    assert problems(go_live=date(2026, 3, 2), depends_on=frozenset({"W1"})) == []


def test_a_reference_cell_must_go_live_before():
    same_day = {"go_live": date(2026, 3, 2), "reference_cells": frozenset({"Oslo"})}
    assert problems(**same_day) == [WaveProblem("reference_not_of_earlier_wave", "Oslo")]


def test_dependencies_in_a_circle_are_found_over_several_waves():
    first = a_wave("W1", cells=frozenset({"A"}), depends_on=frozenset({"W3"}))
    third = a_wave("W3", cells=frozenset({"B"}), depends_on=frozenset({"W2"}))
    assert problems(others=(first, third), depends_on=frozenset({"W1"})) == [WaveProblem("dependencies_in_a_circle")]
    loose = a_wave("W3", cells=frozenset({"B"}))
    assert problems(others=(first, loose), depends_on=frozenset({"W1"})) == []


def test_nothing_goes_live_within_a_blackout():
    window = Blackout("stock count", date(2026, 5, 1), date(2026, 5, 4))
    assert problems(blackouts=(window,)) == []
    assert problems(blackouts=(window,), go_live=date(2026, 5, 3)) == [
        WaveProblem("go_live_in_blackout", "stock count")
    ]
    assert problems(blackouts=(window,), go_live=date(2026, 5, 1)) == [
        WaveProblem("go_live_in_blackout", "stock count")
    ]


def test_two_waves_share_a_cell_only_by_different_processes_or_groups():
    same = {"cells": frozenset({"Oslo"})}
    assert problems(**same, processes=frozenset({"returns"})) == []
    grouped = a_wave("W1", cells=frozenset({"Oslo"}), groups=frozenset({"retail"}), go_live=date(2026, 3, 2))
    assert problems(others=(grouped,), **same, groups=frozenset({"wholesale"})) == []
    assert problems(others=(grouped,), **same) == [WaveProblem("scope_of_another_wave", "W1")]
    closed = a_wave("W1", cells=frozenset({"Oslo"}), go_live=date(2026, 3, 2), closed=True)
    assert problems(others=(closed,), **same) == []


def test_a_wave_is_not_held_against_its_own_former_plan():
    assert problems(others=(a_wave(go_live=date(2026, 4, 1)),)) == []
