"""What stands in the matrix of duties: every process, data domain and wave, who has which duty for it, and where that is not clear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from app.identity.models import Account
from app.queries.listing import Asked
from app.queries.worked_out import MemoryList
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from governance.processes.models import BusinessProcess
from governance.programme.models import Body, Seat
from governance.raci.models import RaciDuty
from governance.raci.rules import DOMAINS, Duty, Gap, Held, HolderKind, SubjectKind, gaps
from readiness.waves.models import Wave

GAP_WORDS = {
    Gap.NOBODY_ACCOUNTABLE: "nobody is accountable", Gap.NOBODY_RESPONSIBLE: "nobody is responsible",
    Gap.HAS_LEFT: "somebody has left", Gap.SEAT_VACANT: "a seat is vacant",
}  # fmt: skip
KIND_WORDS = {SubjectKind.PROCESS: "Process", SubjectKind.DOMAIN: "Data domain", SubjectKind.WAVE: "Wave"}


@dataclass(frozen=True, kw_only=True)
class DutyRow:
    """A duty with the name of who has it: a person, or a seat with whoever sits on it."""

    id: int
    duty: Duty
    holder_kind: HolderKind
    holder_id: int
    person: int | None
    name: str
    seat: str
    is_here: bool
    given_at: datetime
    reason: str

    @property
    def shown(self) -> str:
        """``Ines Keller``, or ``Finance, Steering committee (Ines Keller)``."""
        who = self.name if self.is_here else f"{self.name}, has left" if self.person else "vacant"
        return f"{self.seat} ({who})" if self.seat else who


@dataclass(frozen=True, kw_only=True)
class SubjectRow:
    """A process, data domain or wave with its duties."""

    kind: SubjectKind
    subject: str
    name: str
    duties: tuple[DutyRow, ...]
    gaps: tuple[Gap, ...]

    def of(self, duty: Duty) -> tuple[DutyRow, ...]:
        """Who has this duty."""
        return tuple(one for one in self.duties if one.duty is duty)

    def said(self, duty: Duty) -> str:
        return "; ".join(one.shown for one in self.of(duty))

    @property
    def gap_words(self) -> str:
        return "; ".join(GAP_WORDS[one] for one in self.gaps)


def _duties(session: Session) -> dict[tuple[str, str], list[DutyRow]]:
    """All duties that stand, by kind and subject. One query."""
    is_seat = RaciDuty.holder_kind == HolderKind.SEAT
    query = (
        select(
            RaciDuty, Seat.id.label("seat_id"), Seat.function, Seat.ended_at.label("seat_ended"), Seat.person_id, Body.name.label("body"),
            Account.id.label("account"), Account.name, Account.closed_at,
        )
        .select_from(RaciDuty)
        .outerjoin(Seat, and_(is_seat, Seat.id == RaciDuty.holder_id))
        .outerjoin(Body, Body.id == Seat.body_id)
        .outerjoin(
            Account,
            ((~is_seat) & (Account.id == RaciDuty.holder_id))
            | (is_seat & (Account.id == Seat.person_id) & Seat.ended_at.is_(None)),
        )
        .where(RaciDuty.ended_at.is_(None))
        .order_by(RaciDuty.id)
    )  # fmt: skip
    found: dict[tuple[str, str], list[DutyRow]] = defaultdict(list)
    for row in session.execute(query):
        one: RaciDuty = row.RaciDuty
        seat = f"{row.function}, {row.body}" if row.seat_id is not None else ""
        found[one.subject_kind, one.subject].append(
            DutyRow(
                id=one.id, duty=Duty(one.duty), holder_kind=HolderKind(one.holder_kind), holder_id=one.holder_id,
                person=row.account, name=row.name or "nobody", seat=seat,
                is_here=row.account is not None and row.closed_at is None, given_at=one.given_at, reason=one.reason,
            )
        )  # fmt: skip
    return found


def subjects(session: Session) -> list[tuple[SubjectKind, str, str]]:
    """Everything that somebody should answer for: processes, data domains, waves that are not over. Two queries."""
    processes = session.execute(select(BusinessProcess.code, BusinessProcess.name).order_by(BusinessProcess.name))
    waves = session.execute(
        select(Wave.id, Wave.code, Wave.name).where(Wave.state != "cancelled").order_by(Wave.go_live_on, Wave.id)
    )
    return [
        *((SubjectKind.PROCESS, row.code, row.name) for row in processes),
        *((SubjectKind.DOMAIN, code, name) for code, name in DOMAINS.items()),
        *((SubjectKind.WAVE, str(row.id), f"{row.code} {row.name}") for row in waves),
    ]


def raci_rows(session: Session) -> list[SubjectRow]:
    """The whole matrix. Three queries."""
    duties = _duties(session)
    return [_row(kind, subject, name, duties.get((kind, subject), ())) for kind, subject, name in subjects(session)]


def _row(kind: SubjectKind, subject: str, name: str, duties: Sequence[DutyRow]) -> SubjectRow:
    held = [Held(duty=one.duty, holder_kind=one.holder_kind, person=one.person) for one in duties]
    here = {one.person for one in duties if one.is_here and one.person is not None}
    return SubjectRow(kind=kind, subject=subject, name=name, duties=tuple(duties), gaps=gaps(held, here))


def raci_row(session: Session, kind: str, subject: str) -> SubjectRow:
    """One subject. Raises ``NotFound``. Three queries."""
    for row in raci_rows(session):
        if (row.kind, row.subject) == (kind, subject):
            return row
    raise NotFound("not_found")


def past_duties(session: Session, kind: str, subject: str) -> list[RaciDuty]:
    """Duties of a subject that ended, the last first. One query."""
    query = select(RaciDuty).where(
        RaciDuty.subject_kind == kind, RaciDuty.subject == subject, RaciDuty.ended_at.is_not(None)
    )
    return list(session.scalars(query.order_by(RaciDuty.ended_at.desc(), RaciDuty.id.desc()).limit(50)))


def seat_choices(session: Session) -> list[tuple[int, str]]:
    """Seats that may have a duty, with their bodies. One query."""
    query = select(Seat.id, Seat.function, Body.name).join(Body, Body.id == Seat.body_id).where(Seat.ended_at.is_(None))
    return [
        (row.id, f"{row.name}: {row.function}") for row in session.execute(query.order_by(Body.name, Seat.position))
    ]


def _rows(session: Session, _actor: Actor, _asked: Asked, _now: datetime) -> Sequence[SubjectRow]:
    return raci_rows(session)


RACI: MemoryList[SubjectRow] = MemoryList(
    rows=_rows, text=lambda row: f"{row.name} {' '.join(one.shown for one in row.duties)}",
    by=("kind", lambda row: row.kind.value), flags=("gap", "mine"),
    sorts={"name": lambda row: row.name.lower(), "gaps": lambda row: len(row.gaps)},
    wanted={
        "kind": lambda row, value, _: row.kind == value,
        # A page asks whether there is any, a program also for one of them.
        "gap": lambda row, value, _eyes: value in row.gaps if isinstance(value, Gap) else bool(row.gaps),
        "mine": lambda row, _value, eyes: any(one.person == eyes.actor.id for one in row.duties),
    },
)  # fmt: skip
