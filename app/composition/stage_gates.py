"""How a phase of the roadmap is closed: its stage gate is judged, a body is asked, and its yes closes the phase and releases money.

A figure that cannot be read, is too young or is not there proves nothing, and a stage gate without criteria is never ready. What
held when the body was asked is judged anew when it has decided: a yes does not close what no longer holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.composition import approving
from app.composition.calendars import SiteCalendars
from app.composition.planning import require_person
from erpcore.kernel.canonical import canonical_json, fingerprint
from erpcore.kernel.errors import DomainError, RuleBroken
from erpcore.kernel.money import from_minor
from erpcore.kernel.work import UnitOfWork
from governance.approvals import services as approvals
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest
from governance.approvals.services import Ask
from governance.programme.permissions import ProgrammePermission
from governance.roadmap import funding, phases
from governance.roadmap.kinds import PhaseState
from governance.roadmap.models import RoadmapPhase, StageCriterion, StageEvidence, Tranche
from governance.roadmap.queries import CriterionView, PhaseView, phase, version_of
from readiness.measures.catalogue import find_figure
from readiness.measures.queries import Asked, Scope, read_many
from readiness.measures.reading import Direction, Reading

KIND = "stage_gate"
SUBJECT = "roadmap_phase"


@dataclass(frozen=True, kw_only=True)
class StageLine:
    """A criterion with its word: *pass*, *fail* or *no evidence*, and why. ``reading``: of one that is measured."""

    criterion: CriterionView
    word: str
    why: str
    reading: Reading | None = None

    @property
    def value(self) -> Decimal | None:
        return None if self.reading is None else self.reading.value


def judge(session: Session, shown: PhaseView, now: datetime) -> list[StageLine]:
    """Every criterion of a phase at one moment. About ten queries, however many criteria."""
    measured = [one for one in shown.criteria if one.figure is not None]
    readings = dict(zip([one.id for one in measured], _read(session, measured, now), strict=True))
    return [_stated(one) if one.figure is None else _measured(one, readings[one.id]) for one in shown.criteria]


def _read(session: Session, criteria: Sequence[CriterionView], now: datetime) -> list[Reading | None]:
    if not criteria:
        return []
    asked = [Asked(key=one.figure or "", scope=Scope(realm=one.realm or "live", name=one.code)) for one in criteria]
    try:
        return list(read_many(session, asked, as_of=now, calendars=SiteCalendars(session)))
    except (DomainError, SQLAlchemyError):
        # An unreadable source proves nothing; every criterion on it then says so.
        return [None] * len(criteria)


def _stated(one: CriterionView) -> StageLine:
    if one.holds is None:
        return StageLine(criterion=one, word="no evidence", why="its owner has stated nothing")
    return StageLine(criterion=one, word="pass" if one.holds else "fail", why=one.statement)


def _measured(one: CriterionView, reading: Reading | None) -> StageLine:
    if reading is None:
        return StageLine(criterion=one, word="no evidence", why="its source cannot be read")
    if reading.stale is not None or reading.nothing_measured or reading.value is None:
        why = "its source is late" if reading.stale is not None else "nothing was measured"
        return StageLine(criterion=one, word="no evidence", why=reading.stale_detail or why, reading=reading)
    if one.pass_mark is None or not meets(reading, one.pass_mark):
        return StageLine(criterion=one, word="fail", why="it misses its mark", reading=reading)
    if reading.provisional or not reading.reached:
        return StageLine(criterion=one, word="no evidence", why="it is younger than its maturity", reading=reading)
    return StageLine(criterion=one, word="pass", why="it meets its mark", reading=reading)


def meets(reading: Reading, mark: Decimal) -> bool:
    """Whether a reading that has a value reaches a mark, by the exact quotient."""
    value = reading.exact()
    if reading.direction is Direction.ZERO:
        value = abs(value)
    return value >= Fraction(mark) if reading.direction is Direction.UP else value <= Fraction(mark)


def ask_the_body(work: UnitOfWork, phase_id: int, *, seen_version: int | None = None) -> ApprovalRequest:
    """Ask the body of the rules to close the phase. Raises ``RuleBroken`` as long as a criterion is not proven."""
    work.actor.require(ProgrammePermission.MANAGE)
    locked = phases.lock_phase(work, phase_id, seen_version)
    if locked.state != PhaseState.CURRENT:
        raise RuleBroken("phase_not_current", phase=locked.code)
    shown, lines = _ready(work, phase_id)
    releases = ", ".join(
        f"{from_minor(one.amount_minor, one.currency):,f} {one.currency} ({one.code})" for one in shown.tranches
    )
    request = approving.ask(
        work,
        Ask(
            kind=KIND, subject_type=SUBJECT, subject_id=phase_id, subject_version=locked.version,
            summary=f"Close the phase “{shown.title}”" + (f" and release {releases}" if releases else ""),
        ),
    )  # fmt: skip
    content = {
        "phase": shown.code, "version": locked.version, "days": [shown.starts_on, shown.ends_on],
        "criteria": [
            [line.criterion.code, line.criterion.title, line.word, line.why, line.criterion.pass_mark,
             None if line.reading is None else line.reading.facts()]
            for line in lines
        ],
        "tranches": [[one.code, one.amount_minor, one.currency] for one in shown.tranches],
    }  # fmt: skip
    work.session.add(
        StageEvidence(
            request_id=request.id, phase_id=phase_id, sha256=fingerprint(content),
            content=canonical_json(content).decode(), at=work.now,
        )
    )  # fmt: skip
    return request


def _ready(work: UnitOfWork, phase_id: int) -> tuple[PhaseView, list[StageLine]]:
    work.session.flush()  # it is read with queries
    shown = phase(work.session, phase_id)
    lines = judge(work.session, shown, work.now)
    if not lines:
        raise RuleBroken("stage_without_criteria", phase=shown.title)
    missing = [line.criterion.title for line in lines if line.word != "pass"]
    if missing:
        raise RuleBroken("stage_not_ready", phase=shown.title, missing=missing)
    return shown, lines


@approving.settles(
    KIND, title="Stage gate of the roadmap", version_of=version_of, page=("roadmap.show_phase", "phase_id")
)
def _decided(work: UnitOfWork, request: ApprovalRequest) -> None:
    """A yes closes the phase and releases its money, in the unit of work of the last answer; a no changes nothing."""
    if request.state != RequestState.APPROVED:
        return
    phases.lock_phase(work, request.subject_id, request.subject_version)
    _ready(work, request.subject_id)
    phases.close_phase(work, request.subject_id, request_id=request.id, version=request.subject_version)


def add_criterion(work: UnitOfWork, command: phases.AddCriterion) -> StageCriterion:
    """A criterion on a figure of the catalogue, or on what somebody with an open account states."""
    work.actor.require(ProgrammePermission.MANAGE)
    require_person(work, command.owner, field="owner")
    if command.figure is not None:
        require_direction(command.figure)
    row = phases.add_criteria(work, [command])[0]
    _outdate(work, row.phase_id, f"A criterion was added: {row.title}")
    return row


def require_direction(figure: str) -> None:
    """Raise ``NotFound`` for no figure, ``RuleBroken`` for one of which neither more nor less is better: it proves nothing."""
    if find_figure(figure).measure.direction is Direction.INFO:
        raise RuleBroken("figure_proves_nothing", field="figure", figure=figure)


def reschedule(work: UnitOfWork, command: phases.Reschedule) -> RoadmapPhase:
    """Give a phase other days; see ``governance.roadmap.phases.reschedule``."""
    row = phases.reschedule(work, command)
    _outdate(work, row.id, f"The phase has other days. {command.reason.strip()}")
    return row


def remove_criterion(work: UnitOfWork, criterion_id: int, *, reason: str) -> RoadmapPhase:
    """Take a criterion away; see ``governance.roadmap.phases.remove_criterion``."""
    row = phases.remove_criterion(work, criterion_id, reason=reason)
    _outdate(work, row.id, f"A criterion was removed. {reason.strip()}")
    return row


def state(work: UnitOfWork, command: phases.State) -> RoadmapPhase:
    """State a criterion; see ``governance.roadmap.phases.state``."""
    row = phases.state(work, command)
    _outdate(work, row.id, "A criterion was stated anew")
    return row


def plan_tranche(work: UnitOfWork, command: funding.PlanTranche) -> Tranche:
    """Plan a tranche; see ``governance.roadmap.funding.plan_tranche``."""
    row = funding.plan_tranche(work, command)
    _outdate(work, row.phase_id, f"A tranche was planned: {row.title}")
    return row


def withdraw_tranche(work: UnitOfWork, tranche_id: int, *, reason: str) -> RoadmapPhase:
    """Withdraw a tranche; see ``governance.roadmap.funding.withdraw_tranche``."""
    row = funding.withdraw_tranche(work, tranche_id, reason=reason)
    _outdate(work, row.id, f"A tranche was withdrawn. {reason.strip()}")
    return row


def _outdate(work: UnitOfWork, phase_id: int, reason: str) -> None:
    """What the body was asked is not what there is now: the request ends, so that it can be asked anew."""
    approvals.outdate(work, SUBJECT, [phase_id], reason=reason)
