"""How a wave is planned, dated, prepared, rehearsed and run. Going live and closing belong to decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import delete, select

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, NeedsConfirmation, NotFound, RuleBroken
from erpcore.kernel.events import Event, Place
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import Process
from readiness.published import WaveClosed, WaveDated, WaveMoved, WavePlanned, WaveReplanned
from readiness.waves import register
from readiness.waves.flow import WAVE_FLOW, WaveState, move_wave
from readiness.waves.models import BlackoutWindow, Wave, WaveDependency, WaveScope
from readiness.waves.permissions import WavePermission
from readiness.waves.rules import Blackout, WavePlan, WaveProblem, wave_problems

#: Waves happen in no legal entity and at no one site.
NOWHERE = Place("live", 0)
#: Moves that a person makes directly. All others follow from a decision.
BY_PERSON = frozenset({"prepare", "rehearse", "end_rehearsal", "start_hypercare", "cancel"})
#: While a wave is in these states its dates may move.
DATABLE = frozenset({WaveState.PLANNED, WaveState.PREPARING, WaveState.IN_REHEARSAL})
#: While a wave is in these states nobody transacts under it yet, not even in rehearsal, so what it takes live may change.
REPLANNABLE = frozenset({WaveState.PLANNED, WaveState.PREPARING})
#: No rollout is planned further ahead; a later day is a slip of the keyboard.
LAST_YEAR: Final = 2099
#: Which part of a plan a problem is about.
_FIELDS: Final = {
    "no_processes": "processes",
    "no_groups": "customer_groups",
    "depends_on_itself": "depends_on",
    "dependency_unknown": "depends_on",
    "dependencies_in_a_circle": "depends_on",
    "goes_live_before_dependency": "go_live_on",
}


@dataclass(frozen=True, kw_only=True)
class PlanWave:
    """A wave over cells (live site, channel) × processes × customer groups (``None``: all).

    ``blackout_reason`` accepts a go-live inside a blackout window.
    """

    programme_id: int
    code: str
    name: str
    owner: int
    time_zone: str
    cells: tuple[tuple[int, int], ...]
    processes: tuple[Process, ...]
    customer_groups: tuple[int, ...] | None = None
    go_live_on: date
    hypercare_until: date
    depends_on: tuple[tuple[int, str], ...] = ()
    blackout_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReplanWave:
    """Another name, owner, scope or other dependencies for a wave that nobody transacts under yet; dates stay as they are."""

    wave_id: int
    name: str
    owner: int
    cells: tuple[tuple[int, int], ...]
    processes: tuple[Process, ...]
    customer_groups: tuple[int, ...] | None = None
    depends_on: tuple[tuple[int, str], ...] = ()
    reason: str
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class DateWave:
    """Another date for a wave that is not live yet."""

    wave_id: int
    go_live_on: date
    hypercare_until: date
    reason: str
    blackout_reason: str | None = None
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class BlackOut:
    """Days without go-live, for the whole programme or one wave."""

    programme_id: int
    name: str
    starts_on: date
    ends_on: date
    wave_id: int | None = None


def cell_token(site: int, channel: int) -> str:
    """How a cell is written where rules compare cells as words."""
    return f"{site}:{channel}"


def plan_wave(work: UnitOfWork, command: PlanWave) -> Wave:
    """A wave with its scope. Raises ``RuleBroken`` naming every problem of the plan beside the programme's other waves, and
    ``NeedsConfirmation`` for a go-live in a blackout window.
    """
    work.actor.require(WavePermission.PLAN)
    _check_words(code=command.code, name=command.name)
    if work.session.scalar(select(Wave.id).where(Wave.code == command.code)) is not None:
        raise RuleBroken("code_taken", field="code", code=command.code)
    _check_dates(command.go_live_on, command.hypercare_until, today=local_day(work.now, command.time_zone))
    wave = Wave(
        id=work.ids.one(), programme_id=command.programme_id, code=command.code, name=command.name,
        state=WaveState.PLANNED, version=1, owner_id=command.owner, time_zone=command.time_zone,
        go_live_on=command.go_live_on, hypercare_until=command.hypercare_until,
    )  # fmt: skip
    plan = _plan_of(work, wave, command)
    _refuse_problems(work, plan, command.programme_id, command.blackout_reason)
    work.session.add(wave)
    work.session.flush()  # scope and dependencies name it
    _write_plan(work, wave, command)
    register.touch(work)
    tell(
        work, wave,
        WavePlanned(
            programme=wave.programme_id, cells=sorted(set(command.cells)), processes=sorted(set(command.processes)),
            go_live_on=wave.go_live_on, hypercare_until=wave.hypercare_until,
        ),
    )  # fmt: skip
    work.audit(
        "wave.planned", "wave", wave.id, code=wave.code, cells=sorted(plan.cells), processes=sorted(plan.processes)
    )
    return wave


def replan_wave(work: UnitOfWork, command: ReplanWave) -> Wave:
    """Change what a wave takes live, for whom and after whom. Raises ``RuleBroken`` once it is rehearsed, and like a new plan.

    Whoever calls this has asked whether a gate is frozen on the scope as it was.
    """
    work.actor.require(WavePermission.PLAN)
    _check_words(name=command.name)
    wave = lock_wave(work, command.wave_id, command.seen_version)
    if wave.state not in REPLANNABLE:
        raise RuleBroken("wave_no_longer_plannable", wave=wave.code, state=wave.state)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="wave", move="replan")
    plan = _plan_of(work, wave, command)
    # Its day was confirmed when it was set; a change of scope does not ask about it again.
    _refuse_problems(work, plan, wave.programme_id, blackout_reason="confirmed with the date")
    before = _plans(work, wave.programme_id)[str(wave.id)]
    work.session.execute(delete(WaveScope).where(WaveScope.wave_id == wave.id))
    work.session.execute(delete(WaveDependency).where(WaveDependency.wave_id == wave.id))
    _write_plan(work, wave, command)
    wave.name, wave.owner_id = command.name.strip(), command.owner
    wave.version += 1
    register.touch(work)
    tell(
        work, wave,
        WaveReplanned(
            cells=sorted(set(command.cells)), processes=sorted(set(command.processes)),
            customer_groups=None if command.customer_groups is None else sorted(set(command.customer_groups)),
            reason=command.reason,
        ),
    )  # fmt: skip
    work.audit(
        "wave.replanned", "wave", wave.id, code=wave.code, reason=command.reason, owner=wave.owner_id,
        cells_before=sorted(before.cells), cells=sorted(plan.cells), processes_before=sorted(before.processes),
        processes=sorted(plan.processes), depends_on_before=sorted(before.depends_on), depends_on=sorted(plan.depends_on),
    )  # fmt: skip
    return wave


def _plan_of(work: UnitOfWork, wave: Wave, command: PlanWave | ReplanWave) -> WavePlan:
    """The plan as the rules take it."""
    return WavePlan(
        id=str(wave.id),
        cells=frozenset(cell_token(site, channel) for site, channel in command.cells),
        processes=frozenset(command.processes),
        groups=None if command.customer_groups is None else frozenset(map(str, command.customer_groups)),
        go_live=wave.go_live_on,
        depends_on=frozenset(str(depends_on) for depends_on, _ in command.depends_on),
        blackouts=_blackouts(work, wave.programme_id, wave.id),
    )


def _write_plan(work: UnitOfWork, wave: Wave, command: PlanWave | ReplanWave) -> None:
    """The scope, cell by cell, and what the wave waits for."""
    for site, channel in sorted(set(command.cells)):
        for process in sorted(set(command.processes)):
            for group in command.customer_groups or (None,):
                work.session.add(
                    WaveScope(
                        id=work.ids.one(), wave_id=wave.id, site_id=site, channel_id=channel, process=process,
                        customer_group_id=group,
                    )
                )  # fmt: skip
    for depends_on, why in dict(command.depends_on).items():
        work.session.add(WaveDependency(wave_id=wave.id, depends_on_id=depends_on, why=why))


def _check_words(**words: str) -> None:
    for field, word in words.items():
        if not word.strip():
            raise RuleBroken("name_missing", field=field)


def _check_dates(go_live_on: date, hypercare_until: date, *, today: date) -> None:
    if hypercare_until <= go_live_on:
        raise RuleBroken(
            "end_before_start", field="hypercare_until", go_live_on=go_live_on, hypercare_until=hypercare_until
        )
    if go_live_on < today:
        raise RuleBroken("go_live_in_the_past", field="go_live_on", day=go_live_on, today=today)
    if hypercare_until.year > LAST_YEAR:
        raise RuleBroken("day_absurd", field="hypercare_until", day=hypercare_until)


def _blackouts(work: UnitOfWork, programme_id: int, wave_id: int) -> tuple[Blackout, ...]:
    rows = work.session.scalars(select(BlackoutWindow).where(BlackoutWindow.programme_id == programme_id))
    return tuple(Blackout(row.name, row.starts_on, row.ends_on) for row in rows if row.wave_id in {None, wave_id})


def _plans(work: UnitOfWork, programme_id: int) -> dict[str, WavePlan]:
    """The programme's other waves as the rules take them."""
    scopes: dict[int, list[WaveScope]] = {}
    for scope in work.session.scalars(
        select(WaveScope).join(Wave, Wave.id == WaveScope.wave_id).where(Wave.programme_id == programme_id)
    ):
        scopes.setdefault(scope.wave_id, []).append(scope)
    depends: dict[int, set[str]] = {}
    for row in work.session.scalars(select(WaveDependency)):
        depends.setdefault(row.wave_id, set()).add(str(row.depends_on_id))
    plans = {}
    for wave in work.session.scalars(select(Wave).where(Wave.programme_id == programme_id)):
        rows = scopes.get(wave.id, [])
        groups = {row.customer_group_id for row in rows}
        plans[str(wave.id)] = WavePlan(
            id=str(wave.id),
            cells=frozenset(cell_token(row.site_id, row.channel_id) for row in rows),
            processes=frozenset(row.process for row in rows),
            groups=None if None in groups else frozenset(map(str, groups)),
            go_live=wave.go_live_on,
            depends_on=frozenset(depends.get(wave.id, ())),
            closed=wave.state in {WaveState.CLOSED, WaveState.CANCELLED},
        )
    return plans


def _refuse_problems(work: UnitOfWork, plan: WavePlan, programme_id: int, blackout_reason: str | None) -> None:
    register.lock(work)  # two plans at once would each find the cells free
    problems = wave_problems(plan, _plans(work, programme_id))
    hard = [problem for problem in problems if problem.code != "go_live_in_blackout"]
    if hard:
        raise RuleBroken(
            "wave_plan_refused", field=_FIELDS.get(hard[0].code, "cells"), problems=_named(work, programme_id, hard)
        )
    windows = [problem.about for problem in problems]
    if windows and not (blackout_reason or "").strip():
        raise NeedsConfirmation("go_live_in_blackout", field="go_live_on", day=plan.go_live, windows=windows)


def _named(work: UnitOfWork, programme_id: int, problems: list[WaveProblem]) -> list[tuple[str, str]]:
    """Problems with other waves by their codes, which people know."""
    rows = work.session.execute(select(Wave.id, Wave.code).where(Wave.programme_id == programme_id))
    codes = {str(row.id): row.code for row in rows}
    return [(problem.code, codes.get(problem.about, problem.about)) for problem in problems]


def lock_wave(work: UnitOfWork, wave_id: int, seen_version: int | None = None) -> Wave:
    """The wave, locked for change. Raises ``NotFound``, and ``Conflict`` when it is not the version that was seen."""
    wave = work.session.get(Wave, wave_id, with_for_update={"key_share": True}, populate_existing=True)
    if wave is None:
        raise NotFound("wave_not_found", wave=wave_id)
    if seen_version is not None and wave.version != seen_version:
        raise Conflict("changed_meanwhile", wave=wave.code, seen=seen_version, now=wave.version)
    return wave


def tell(work: UnitOfWork, wave: Wave, event: Event) -> None:
    """Report what happened to a wave."""
    work.publish(event, NOWHERE, step="readiness.wave", subject=("wave", wave.id, wave.version), journey=wave.id)


def date_wave(work: UnitOfWork, command: DateWave) -> Wave:
    """Give a wave other dates. Raises ``RuleBroken`` once it is live, or where the new date contradicts the other waves."""
    work.actor.require(WavePermission.PLAN)
    wave = lock_wave(work, command.wave_id, command.seen_version)
    if wave.state not in DATABLE:
        raise RuleBroken("wave_no_longer_datable", wave=wave.code, state=wave.state)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="wave", move="date")
    _check_dates(command.go_live_on, command.hypercare_until, today=local_day(work.now, wave.time_zone))
    plans = _plans(work, wave.programme_id)
    plan = plans[str(wave.id)]
    changed = WavePlan(
        id=plan.id, cells=plan.cells, processes=plan.processes, groups=plan.groups, go_live=command.go_live_on,
        depends_on=plan.depends_on, blackouts=_blackouts(work, wave.programme_id, wave.id),
    )  # fmt: skip
    _refuse_problems(work, changed, wave.programme_id, command.blackout_reason)
    before = wave.go_live_on
    wave.go_live_on, wave.hypercare_until = command.go_live_on, command.hypercare_until
    wave.version += 1
    register.touch(work)
    tell(
        work, wave,
        WaveDated(
            go_live_before=before, go_live_on=wave.go_live_on, hypercare_until=wave.hypercare_until, reason=command.reason
        ),
    )  # fmt: skip
    work.audit("wave.dated", "wave", wave.id, before=before, after=wave.go_live_on, reason=command.reason)
    return wave


def black_out(work: UnitOfWork, command: BlackOut) -> BlackoutWindow:
    """Name days on which nothing goes live. A wave that is dated inside them already is shown as such, not moved."""
    work.actor.require(WavePermission.PLAN)
    _check_words(name=command.name)
    if command.ends_on <= command.starts_on:
        raise RuleBroken("end_before_start", field="ends_on", starts_on=command.starts_on, ends_on=command.ends_on)
    if command.wave_id is not None:
        lock_wave(work, command.wave_id)
    window = BlackoutWindow(
        id=work.ids.one(), programme_id=command.programme_id, wave_id=command.wave_id, name=command.name,
        starts_on=command.starts_on, ends_on=command.ends_on,
    )  # fmt: skip
    work.session.add(window)
    work.audit(
        "blackout.named", "blackout", window.id, name=window.name, starts_on=window.starts_on, ends_on=window.ends_on,
        wave=window.wave_id,
    )  # fmt: skip
    return window


def lift_blackout(work: UnitOfWork, window_id: int, *, reason: str) -> None:
    """Take a blackout window out of the calendar; the audit trail keeps that it was there. Raises ``NotFound``."""
    work.actor.require(WavePermission.PLAN)
    window = work.session.get(BlackoutWindow, window_id, with_for_update={"key_share": True})
    if window is None:
        raise NotFound("blackout_not_found", window=window_id)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="blackout", move="lift")
    work.session.delete(window)
    work.audit(
        "blackout.lifted", "blackout", window.id, name=window.name, starts_on=window.starts_on, ends_on=window.ends_on,
        reason=reason,
    )  # fmt: skip


def step_wave(
    work: UnitOfWork, wave_id: int, move: str, *, reason: str | None = None, seen_version: int | None = None
) -> Wave:
    """Take one of the steps that need no decision: prepare, rehearse, end_rehearsal, start_hypercare, cancel."""
    if move not in BY_PERSON:
        raise RuleBroken("wave_step_needs_decision", move=move)
    work.actor.require(WAVE_FLOW.moves[move].permission)
    wave = lock_wave(work, wave_id, seen_version)
    take_step(work, wave, move, reason=reason)
    return wave


def take_step(
    work: UnitOfWork, wave: Wave, move: str, *, reason: str | None = None, decision: int | None = None
) -> None:
    """Move a locked wave, tell it and keep it. Whoever may do so has been asked already."""
    move_wave(work, wave, move, reason=reason, facts=None if decision is None else {"decision": decision})
    if wave.state == WaveState.LIVE and wave.live_at is None:
        wave.live_at = work.now
    if wave.state == WaveState.PREPARING:
        wave.live_at = None
    if wave.state == WaveState.CLOSED:
        wave.closed_at = work.now
    register.touch(work)
    if move == "close" and decision is not None:
        tell(work, wave, WaveClosed(decision=decision))
    else:
        tell(work, wave, WaveMoved(move=move, state=wave.state, reason=reason))
    work.audit(f"wave.{move}", "wave", wave.id, code=wave.code, state=wave.state, reason=reason, decision=decision)
