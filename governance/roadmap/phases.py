"""How a roadmap is laid out, what must hold before a phase closes, and how it closes.

A phase is closed by ``close_phase`` alone, which the composition calls when the body has approved; it releases the phase's
tranches in the same unit of work, each of them once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.events import Event, Place
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from governance import published
from governance.programme.models import Programme
from governance.programme.permissions import ProgrammePermission
from governance.roadmap.flow import PHASE_FLOW
from governance.roadmap.kinds import PhaseCode, PhaseState
from governance.roadmap.models import (
    RoadmapPhase,
    StageCriterion,
    StageStatement,
    Tranche,
    TrancheRelease,
    TrancheWithdrawal,
)


@dataclass(frozen=True, kw_only=True)
class LayOut:
    """The six phases of a programme with their days; the first begins at once."""

    programme_id: int
    days: tuple[tuple[date, date], ...]


@dataclass(frozen=True, kw_only=True)
class Reschedule:
    """Other days for a phase that is not closed, and why."""

    phase_id: int
    starts_on: date
    ends_on: date
    reason: str
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class AddCriterion:
    """A figure of a realm against a mark in base units, or (without a figure) what ``owner`` states."""

    phase_id: int
    code: str
    title: str
    owner: int
    figure: str | None = None
    realm: str | None = None
    pass_mark: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class State:
    """What the owner of a criterion states."""

    criterion_id: int
    holds: bool
    statement: str


def lay_out(work: UnitOfWork, command: LayOut) -> list[RoadmapPhase]:
    """The roadmap of a programme. Raises ``RuleBroken`` where it has one, or its phases end before they begin."""
    work.actor.require(ProgrammePermission.MANAGE)
    programme = work.session.get(Programme, command.programme_id, with_for_update={"key_share": True})
    if programme is None:
        raise NotFound("programme_not_found", programme=command.programme_id)
    if work.session.scalar(select(RoadmapPhase.id).where(RoadmapPhase.programme_id == programme.id).limit(1)):
        raise RuleBroken("roadmap_there", programme=programme.name)
    if len(command.days) != len(PhaseCode):
        raise RuleBroken("roadmap_phases", field="days", phases=len(PhaseCode))
    _in_order(command.days)
    phases = []
    for position, (code, (start, end)) in enumerate(zip(PhaseCode, command.days, strict=True), start=1):
        phase = RoadmapPhase(
            id=work.ids.one(), programme_id=programme.id, position=position, code=code, starts_on=start, ends_on=end,
            state=PHASE_FLOW.initial, version=1,
        )  # fmt: skip
        work.session.add(phase)
        phases.append(phase)
    work.session.flush()
    _move(work, phases[0], "begin")
    work.audit("roadmap.laid_out", "programme", programme.id, days=[[start, end] for start, end in command.days])
    return phases


def reschedule(work: UnitOfWork, command: Reschedule) -> RoadmapPhase:
    """Give a phase other days. It is another version of the phase: the body decides on the days that it was shown."""
    work.actor.require(ProgrammePermission.MANAGE)
    phase = open_phase(work, command.phase_id, command.seen_version)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="roadmap phase", move="reschedule")
    others = work.session.scalars(
        select(RoadmapPhase).where(RoadmapPhase.programme_id == phase.programme_id).order_by(RoadmapPhase.position)
    )
    _in_order(
        [(command.starts_on, command.ends_on) if one.id == phase.id else (one.starts_on, one.ends_on) for one in others]
    )
    before = [phase.starts_on, phase.ends_on]
    phase.starts_on, phase.ends_on = command.starts_on, command.ends_on
    phase.version += 1
    tell(work, phase, published.RoadmapPhaseRescheduled, starts_on=phase.starts_on, ends_on=phase.ends_on)
    work.audit(
        "roadmap_phase.rescheduled", "roadmap_phase", phase.id, before=before,
        after=[command.starts_on, command.ends_on], reason=command.reason.strip(),
    )  # fmt: skip
    return phase


def _in_order(days: Sequence[tuple[date, date]]) -> None:
    starts = [start for start, _ in days]
    if any(end <= start for start, end in days) or starts != sorted(starts):
        raise RuleBroken("roadmap_order", field="days")


def lock_phase(work: UnitOfWork, phase_id: int, seen_version: int | None = None) -> RoadmapPhase:
    """The phase, locked. Raises ``NotFound``, or ``Conflict`` when it has moved on since it was seen."""
    phase = work.session.get(RoadmapPhase, phase_id, with_for_update={"key_share": True}, populate_existing=True)
    if phase is None:
        raise NotFound("phase_not_found", phase=phase_id)
    if seen_version is not None and phase.version != seen_version:
        raise Conflict("changed_meanwhile", document="roadmap phase", seen=seen_version, now=phase.version)
    return phase


def open_phase(work: UnitOfWork, phase_id: int, seen_version: int | None = None) -> RoadmapPhase:
    """The phase, locked. Raises ``RuleBroken`` once it is closed: nothing about its stage gate changes any more."""
    phase = lock_phase(work, phase_id, seen_version)
    if phase.state == PhaseState.CLOSED:
        raise RuleBroken("phase_closed", phase=phase.code)
    return phase


def add_criteria(work: UnitOfWork, commands: Sequence[AddCriterion]) -> list[StageCriterion]:
    """What must hold before the phase closes. It is another version of the phase: no earlier yes closes it."""
    work.actor.require(ProgrammePermission.MANAGE)
    added = []
    for command in commands:
        phase = open_phase(work, command.phase_id)
        named(command.code, command.title)
        is_measured = command.figure is not None
        if (command.pass_mark is not None, command.realm is not None) != (is_measured, is_measured):
            raise RuleBroken("stage_mark_missing", field="pass_mark")
        taken = select(StageCriterion.id).where(
            StageCriterion.phase_id == phase.id, StageCriterion.code == command.code
        )
        if work.session.scalar(taken) is not None:
            raise RuleBroken("code_taken", field="code", code=command.code)
        row = StageCriterion(
            id=work.ids.one(), phase_id=phase.id, code=command.code, title=command.title.strip(), figure=command.figure,
            realm=command.realm, pass_mark=command.pass_mark, owner_id=command.owner,
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        phase.version += 1
        work.audit(
            "stage_criterion.added", "stage_criterion", row.id, phase=phase.id, code=row.code, figure=row.figure,
            mark=row.pass_mark, owner=row.owner_id,
        )  # fmt: skip
        added.append(row)
    return added


def remove_criterion(work: UnitOfWork, criterion_id: int, *, reason: str) -> RoadmapPhase:
    """It no longer stands between the phase and its end. It is another version of the phase."""
    work.actor.require(ProgrammePermission.MANAGE)
    phase = open_phase(work, require_criterion(work, criterion_id).phase_id)
    criterion = require_criterion(work, criterion_id)  # as it is under the phase's lock
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="stage criterion", move="remove")
    criterion.removed_at = work.now
    phase.version += 1
    work.audit("stage_criterion.removed", "stage_criterion", criterion.id, phase=phase.id, reason=reason.strip())
    return phase


def state(work: UnitOfWork, command: State) -> RoadmapPhase:
    """What the owner of a criterion states; only its owner does. It is another version of the phase."""
    work.actor.require(ProgrammePermission.VIEW)
    phase = open_phase(work, require_criterion(work, command.criterion_id).phase_id)
    criterion = require_criterion(work, command.criterion_id)  # as it is under the phase's lock
    if criterion.figure is not None:
        raise RuleBroken("stage_is_measured", criterion=criterion.title)
    if criterion.owner_id != work.actor.id:
        raise NotAllowed("not_your_criterion", criterion=criterion.title)
    if not command.statement.strip():
        raise RuleBroken("statement_missing", field="statement", criterion=criterion.title)
    row = StageStatement(
        id=work.ids.one(), criterion_id=criterion.id, holds=command.holds, statement=command.statement.strip(),
        stated_by=work.actor.id, at=work.now,
    )  # fmt: skip
    work.session.add(row)
    phase.version += 1
    work.audit("stage_criterion.stated", "stage_criterion", criterion.id, phase=phase.id, holds=command.holds)
    return phase


def close_phase(work: UnitOfWork, phase_id: int, *, request_id: int, version: int) -> list[int]:
    """Close the phase by the decision of a request, begin the next, and release its tranches. Returns these.

    The caller has the body's approval and has judged every criterion anew. Raises ``Conflict`` when the phase has moved on since
    the body was asked, ``IllegalMove`` when it is closed.
    """
    phase = lock_phase(work, phase_id, version)
    _move(work, phase, "close", request_id)
    work.session.flush()  # one phase is current at a time
    following = work.session.scalar(
        select(RoadmapPhase.id).where(
            RoadmapPhase.programme_id == phase.programme_id, RoadmapPhase.position == phase.position + 1
        )
    )
    if following is not None:
        _move(work, lock_phase(work, following), "begin")
    return _release(work, phase, request_id)


def _release(work: UnitOfWork, phase: RoadmapPhase, request_id: int) -> list[int]:
    tranches = work.session.scalars(
        select(Tranche)
        .outerjoin(TrancheWithdrawal, TrancheWithdrawal.tranche_id == Tranche.id)
        .where(Tranche.phase_id == phase.id, TrancheWithdrawal.tranche_id.is_(None))
        .order_by(Tranche.id)
    ).all()
    for tranche in tranches:
        work.session.add(TrancheRelease(tranche_id=tranche.id, request_id=request_id, released_at=work.now))
        work.audit(
            "tranche.released", "tranche", tranche.id, phase=phase.code, amount=tranche.amount_minor,
            currency=tranche.currency, request=request_id,
        )  # fmt: skip
        tell_tranche(work, phase, tranche, published.TrancheReleased, request=request_id)
    work.session.flush()
    return [tranche.id for tranche in tranches]


def _move(work: UnitOfWork, phase: RoadmapPhase, move: str, request_id: int | None = None) -> None:
    before, phase.state = phase.state, PHASE_FLOW.target(move, phase.state)
    phase.version += 1
    if phase.state == PhaseState.CLOSED:
        phase.closed_at, phase.request_id = work.now, request_id
    record_move(work, "roadmap_phase", phase.id, move, before, phase.state)
    work.audit(f"roadmap_phase.{move}", "roadmap_phase", phase.id, code=phase.code, request=request_id)
    if request_id is None:
        tell(work, phase, published.RoadmapPhaseBegun)
    else:
        tell(work, phase, published.RoadmapPhaseClosed, request=request_id)


def tell(work: UnitOfWork, phase: RoadmapPhase, event: Callable[..., Event], **facts: Any) -> None:
    """Publish what became of a phase; a roadmap is one journey."""
    work.publish(
        event(programme=phase.programme_id, phase=phase.code, **facts), Place(realm="live", entity=0),
        step="governance.stage_gate", subject=("roadmap_phase", phase.id, phase.version), journey=phase.programme_id,
    )  # fmt: skip


def tell_tranche(
    work: UnitOfWork, phase: RoadmapPhase, tranche: Tranche, event: Callable[..., Event], **facts: Any
) -> None:
    """Publish what became of the money of a phase."""
    work.publish(
        event(programme=phase.programme_id, phase=phase.code, amount=tranche.amount_minor, **facts),
        Place(realm="live", entity=0, currency=tranche.currency), step="governance.stage_gate",
        subject=("tranche", tranche.id, 1), journey=phase.programme_id,
    )  # fmt: skip


def require_criterion(work: UnitOfWork, criterion_id: int) -> StageCriterion:
    """The criterion. Raises ``NotFound``, also where it was removed."""
    found = work.session.get(StageCriterion, criterion_id, populate_existing=True)
    if found is None or found.removed_at is not None:
        raise NotFound("stage_criterion_not_found", criterion=criterion_id)
    return found


def named(code: str, title: str) -> None:
    """Raise ``RuleBroken`` for what has no code or no title."""
    if not code.strip():
        raise RuleBroken("name_missing", field="code")
    if not title.strip():
        raise RuleBroken("name_missing", field="title")
