"""Can this wave be planned like this, beside the others of its programme?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Blackout:
    """Days on which nothing goes live, half open [start, end)."""

    name: str
    start: date
    end: date


@dataclass(frozen=True, kw_only=True, slots=True)
class WavePlan:
    """What a wave takes live and when: cells × processes × customer groups (None: all)."""

    id: str
    cells: frozenset[str]
    processes: frozenset[str]
    groups: frozenset[str] | None = None
    go_live: date
    depends_on: frozenset[str] = frozenset()
    reference_cells: frozenset[str] = frozenset()
    blackouts: tuple[Blackout, ...] = ()
    closed: bool = False


@dataclass(frozen=True, order=True, slots=True)
class WaveProblem:
    """Why a plan is refused: a code and what it is about."""

    code: str
    about: str = ""


def wave_problems(plan: WavePlan, others: Mapping[str, WavePlan]) -> tuple[WaveProblem, ...]:
    """Everything that forbids the plan beside the other waves of its programme, () where nothing does."""
    rest = {wave: each for wave, each in others.items() if wave != plan.id}
    found = [*_scope_problems(plan, rest.values()), *_dependency_problems(plan, rest)]
    found += [
        WaveProblem("go_live_in_blackout", each.name)
        for each in plan.blackouts
        if each.start <= plan.go_live < each.end
    ]
    earlier = {cell for each in rest.values() if each.go_live < plan.go_live for cell in each.cells}
    found += [WaveProblem("reference_not_of_earlier_wave", cell) for cell in sorted(plan.reference_cells - earlier)]
    return tuple(found)


def _scope_problems(plan: WavePlan, others: Iterable[WavePlan]) -> Iterable[WaveProblem]:
    if not plan.cells:
        yield WaveProblem("no_cells")
    if not plan.processes:
        yield WaveProblem("no_processes")
    if plan.groups is not None and not plan.groups:
        yield WaveProblem("no_groups")
    for other in others:
        if not other.closed and _overlap(plan, other):
            yield WaveProblem("scope_of_another_wave", other.id)


def _overlap(one: WavePlan, other: WavePlan) -> bool:
    groups = one.groups is None or other.groups is None or bool(one.groups & other.groups)
    return groups and bool(one.cells & other.cells) and bool(one.processes & other.processes)


def _dependency_problems(plan: WavePlan, others: Mapping[str, WavePlan]) -> Iterable[WaveProblem]:
    for wave in sorted(plan.depends_on):
        if wave == plan.id:
            yield WaveProblem("depends_on_itself")
        elif wave not in others:
            yield WaveProblem("dependency_unknown", wave)
        elif others[wave].go_live > plan.go_live:
            yield WaveProblem("goes_live_before_dependency", wave)
    if _reaches(plan, others):
        yield WaveProblem("dependencies_in_a_circle")


def _reaches(plan: WavePlan, others: Mapping[str, WavePlan]) -> bool:
    seen: set[str] = set()
    waiting = [wave for wave in plan.depends_on if wave != plan.id]
    while waiting:
        wave = waiting.pop()
        if wave == plan.id:
            return True
        if wave in others and wave not in seen:
            seen.add(wave)
            waiting.extend(others[wave].depends_on)
    return False
