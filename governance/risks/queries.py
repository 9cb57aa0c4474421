"""Which entries are there, what is done about them, which of them wait for somebody, and which must be looked at by the job?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Integer, and_, case, literal, or_, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from governance.programme.models import Seat
from governance.risks.flow import STANDING, ActionState, EntryState, LinkKind
from governance.risks.models import RaidAction, RaidAssessment, RaidEntry, RaidLink
from governance.risks.records import DOCUMENT

#: So many days before its day an entry stands on its owner's home page.
AHEAD = timedelta(days=3)


def entry(session: Session, entry_id: int) -> RaidEntry:
    """One entry. Raises ``NotFound``."""
    found = session.get(RaidEntry, entry_id)
    if found is None:
        raise NotFound("risk_not_found", entry=entry_id)
    return found


def links_of(session: Session, entries: Collection[int]) -> dict[int, list[tuple[LinkKind, str]]]:
    """What entries touch, in the order of their codes. One query."""
    found: dict[int, list[tuple[LinkKind, str]]] = {}
    query = select(RaidLink).where(RaidLink.entry_id.in_(sorted(entries))).order_by(RaidLink.kind, RaidLink.target)
    for row in session.scalars(query):
        found.setdefault(row.entry_id, []).append((LinkKind(row.kind), row.target))
    return found


def actions_of(session: Session, entry_id: int) -> list[RaidAction]:
    """What is done about an entry: what is open first, by its day. One query."""
    order = case((RaidAction.state == ActionState.OPEN, 0), else_=1)
    query = select(RaidAction).where(RaidAction.entry_id == entry_id)
    return list(session.scalars(query.order_by(order, RaidAction.due_on, RaidAction.id)))


def assessments_of(session: Session, entry_id: int) -> list[RaidAssessment]:
    """How an entry was judged, the last first. One query."""
    query = select(RaidAssessment).where(RaidAssessment.entry_id == entry_id)
    return list(session.scalars(query.order_by(RaidAssessment.id.desc())))


def moves_of(session: Session, entry_id: int) -> list[Transition]:
    """What happened to an entry, newest first. One query."""
    query = select(Transition).where(Transition.document_type == DOCUMENT, Transition.document_id == entry_id)
    return list(session.scalars(query.order_by(Transition.id.desc())))


def family_of(session: Session, row: RaidEntry) -> list[RaidEntry]:
    """What an entry came of and what became of it. One query, none for one without either."""
    keys = [key for key in (row.turned_from, row.turned_into) if key is not None]
    return list(session.scalars(select(RaidEntry).where(RaidEntry.id.in_(keys)))) if keys else []


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """An entry, or something to do about one, that waits for a person. ``why`` is a word of ``REASONS``."""

    entry: int
    code: str
    title: str
    why: str
    due_on: date


#: Why something stands on a home page, the gravest first.
REASONS = ("escalated", "triggered", "due", "review", "action")


def reminders(session: Session, person: int, today: date) -> list[Reminder]:
    """What waits for this person: own entries that are triggered, due or to be reviewed, entries that have gone on to a body in
    which they sit, and actions that are due. One query.
    """
    near, stands = today + AHEAD, RaidEntry.state.in_(STANDING)
    seats = select(Seat.body_id).where(Seat.person_id == person, Seat.ended_at.is_(None))
    mine = RaidEntry.owner_id == person
    why = case(
        (and_(RaidEntry.level > 0, RaidEntry.escalated_to.in_(seats)), literal(0, Integer)),
        (RaidEntry.state == EntryState.TRIGGERED, 1),
        (RaidEntry.due_on <= near, 2),
        else_=3,
    )
    own = and_(
        mine, or_(RaidEntry.state == EntryState.TRIGGERED, RaidEntry.due_on <= near, RaidEntry.next_review_on <= today)
    )
    entries = select(
        RaidEntry.id.label("entry"), RaidEntry.code, RaidEntry.title, why.label("why"),
        case((and_(why == 3, RaidEntry.next_review_on <= today), RaidEntry.next_review_on), else_=RaidEntry.due_on).label("due_on"),
    ).where(stands, or_(own, and_(RaidEntry.level > 0, RaidEntry.escalated_to.in_(seats))))  # fmt: skip
    actions = (
        select(RaidEntry.id, RaidEntry.code, RaidAction.title, literal(4, Integer), RaidAction.due_on)
        .join(RaidEntry, RaidEntry.id == RaidAction.entry_id)
        .where(stands, RaidAction.owner_id == person, RaidAction.state == ActionState.OPEN, RaidAction.due_on <= near)
    )
    return [
        Reminder(entry=row.entry, code=row.code, title=row.title, why=REASONS[row.why], due_on=row.due_on)
        for row in session.execute(entries.union_all(actions))
    ]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the job has to know of an entry. ``is_watched``: it was late or triggered when the job last looked."""

    id: int
    state: EntryState
    due_on: date
    site: int | None
    body: int
    escalation_hours: int
    is_watched: bool


def to_pass_on(session: Session, now: datetime, today: date) -> list[Standing]:
    """Entries of which another body may have to hear, or no longer: those that are late or triggered, or were. One query.

    ``today`` is UTC's: what is due then is late already where the next day has begun, which the caller looks at.
    """
    late = and_(RaidEntry.state.in_(STANDING), or_(RaidEntry.state == EntryState.TRIGGERED, RaidEntry.due_on <= today))
    term = or_(RaidEntry.concern_since.is_(None), RaidEntry.escalates_at <= now)
    ended = and_(RaidEntry.concern_since.is_not(None), RaidEntry.state == EntryState.OPEN, RaidEntry.due_on >= today)
    query = select(RaidEntry).where(or_(and_(late, term), ended)).order_by(RaidEntry.id)
    return [
        Standing(
            id=row.id, state=EntryState(row.state), due_on=row.due_on, site=row.site_id, body=row.body_id,
            escalation_hours=row.escalation_hours, is_watched=row.concern_since is not None,
        )
        for row in session.scalars(query)
    ]  # fmt: skip


def watching(session: Session) -> Sequence[RaidEntry]:
    """Standing entries that a figure may trigger. One query."""
    query = select(RaidEntry).where(RaidEntry.state.in_(STANDING), RaidEntry.figure.is_not(None))
    return session.scalars(query.order_by(RaidEntry.id)).all()
