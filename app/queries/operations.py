"""How far are the consumers, which events are parked and why, does the schema fit?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from erpcore.kernel.events import ConsumerCursor, EventHead, EventLog, ParkedEvent

#: A consumer further behind than this is no evidence for any gate.
STALE_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class ConsumerStatus:
    """One consumer. ``behind_seconds``: age of the oldest event it has not taken; 0 when it has all. ``None``: never ran."""

    name: str
    seq: int
    events_behind: int
    behind_seconds: int | None
    moved_at: datetime | None
    is_paused: bool
    parked: int

    @property
    def verdict(self) -> str:
        """As a gate would judge it: parked events or a long way behind are no evidence."""
        if self.parked:
            return "fail"
        if self.behind_seconds is None or self.behind_seconds > STALE_AFTER.total_seconds():
            return "no evidence"
        return "warn" if self.is_paused else "pass"


@dataclass(frozen=True, kw_only=True)
class Parked:
    """An event that a consumer could not take. ``waits_behind``: it only waits for that earlier one of its journey."""

    consumer: str
    seq: int
    type: str
    journey: int
    site: int | None
    error: str
    parked_at: datetime
    tries: int
    waits_behind: int | None


def head_seq(session: Session) -> int:
    """The last sequence number of the event log."""
    return session.scalar(select(EventHead.seq)) or 0


def consumer_status(session: Session, names: list[str], now: datetime) -> list[ConsumerStatus]:
    """Where each consumer stands, in the order of ``names``; one that never ran is listed too."""
    head = head_seq(session)
    cursors = {cursor.name: cursor for cursor in session.scalars(select(ConsumerCursor))}
    counted = session.execute(select(ParkedEvent.consumer, func.count()).group_by(ParkedEvent.consumer))
    parked = {row[0]: row[1] for row in counted}
    out = []
    for name in [*names, *sorted(set(cursors) - set(names))]:
        cursor = cursors.get(name)
        seq = cursor.seq if cursor else 0
        out.append(
            ConsumerStatus(
                name=name,
                seq=seq,
                events_behind=head - seq,
                behind_seconds=_behind(session, seq, head, now) if cursor or head == 0 else None,
                moved_at=cursor.moved_at if cursor else None,
                is_paused=cursor.is_paused if cursor else False,
                parked=parked.get(name, 0),
            )
        )
    return out


def _behind(session: Session, seq: int, head: int, now: datetime) -> int:
    if seq >= head:
        return 0
    oldest = session.scalar(select(EventLog.recorded_at).where(EventLog.seq > seq).order_by(EventLog.seq).limit(1))
    return max(int((now - oldest).total_seconds()), 0) if oldest else 0


def parked_events(session: Session, *, limit: int = 200) -> list[Parked]:
    """Parked events, first those that failed themselves, in the order of the log."""
    rows = session.execute(
        select(ParkedEvent, EventLog.type)
        .outerjoin(EventLog, EventLog.seq == ParkedEvent.seq)
        .order_by(ParkedEvent.waits_behind.is_not(None), ParkedEvent.seq, ParkedEvent.consumer)
        .limit(limit)
    )
    return [
        Parked(
            consumer=row.consumer,
            seq=row.seq,
            type=kind or "unknown",
            journey=row.journey,
            site=row.site,
            error=row.error,
            parked_at=row.parked_at,
            tries=row.tries,
            waits_behind=row.waits_behind,
        )
        for row, kind in rows
    ]


def parked_count(session: Session) -> int:
    """How many events are parked, over all consumers."""
    return session.scalar(select(func.count()).select_from(ParkedEvent)) or 0


def schema_revision(session: Session) -> str | None:
    """The revision the database stands at; raises what the database says when it has no schema at all."""
    return session.scalar(text("SELECT version_num FROM alembic_version"))
