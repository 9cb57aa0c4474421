"""Plans of waves, what a go opens, and what taking it back closes."""

from __future__ import annotations

from datetime import date

import pytest

from readiness.waves.rules import (
    Blackout,
    GrantFact,
    GrantKey,
    GrantState,
    WavePlan,
    WaveProblem,
    admits,
    grants_to_drain,
    keys_of,
    wave_problems,
)


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


def test_a_go_opens_every_cell_process_and_group_of_its_wave():
    wide = a_wave(cells=frozenset({"B", "A"}), processes=frozenset({"p", "o"}))
    assert keys_of(wide) == (
        GrantKey("A", "o", None),
        GrantKey("A", "p", None),
        GrantKey("B", "o", None),
        GrantKey("B", "p", None),
    )
    grouped = a_wave(groups=frozenset({"retail", "export"}))
    assert [key.group for key in keys_of(grouped)] == ["export", "retail"]


O2C = GrantKey("Oslo", "order to cash", None)


def a_grant(grant="G1", wave="W1", state=GrantState.OPEN, key=O2C):
    return GrantFact(grant, key, wave, state)


def test_taking_back_a_go_drains_the_grants_of_that_wave_alone():
    own, drained = a_grant(), a_grant("G2", state=GrantState.DRAINING)
    of_another, already_live = a_grant("G3", wave="W2"), a_grant("G4", wave=None)
    assert grants_to_drain([own, drained, of_another, already_live], "W1") == (own,)


def test_a_transaction_runs_under_an_open_grant_of_its_cell_process_and_group():
    retail = a_grant("G1", key=GrantKey("Oslo", "order to cash", "retail"))
    assert admits([retail], GrantKey("Oslo", "order to cash", "retail")) is retail
    assert admits([retail], GrantKey("Oslo", "order to cash", "wholesale")) is None
    assert admits([a_grant()], GrantKey("Oslo", "order to cash", "wholesale")) == a_grant()
    assert admits([a_grant()], GrantKey("Oslo", "returns", None)) is None
    assert admits([a_grant()], GrantKey("Bergen", "order to cash", None)) is None
    assert admits([], O2C) is None


def test_a_draining_grant_admits_only_what_is_in_flight():
    draining = a_grant(state=GrantState.DRAINING)
    assert admits([draining], O2C) is None
    assert admits([draining], O2C, in_flight=True) is draining
    assert admits([a_grant(state=GrantState.CLOSED)], O2C, in_flight=True) is None


def test_an_open_grant_comes_before_a_draining_one():
    draining, opened = a_grant("G1", state=GrantState.DRAINING), a_grant("G2", wave=None)
    assert admits([draining, opened], O2C, in_flight=True) is opened
