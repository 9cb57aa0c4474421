"""Facts that leave the core: the envelope, the registry of types, the log, and the cursors of those who read it.

``seq`` is given while one lock is held until the commit, so it is commit order, and a consumer's place in the log is a
plain number.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar, NamedTuple

import msgspec
from sqlalchemy import BigInteger, Boolean, Date, Index, Integer, SmallInteger, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, UtcDateTime, append_only


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened, typed. Subclasses are published, versioned and never changed: a new shape is a new version."""

    type: ClassVar[str]
    version: ClassVar[int] = 1


class Place(NamedTuple):
    """The dimensions an event is sliced by, as they were. Ids, never names.

    ``ruleset`` is the hash of the policy values the transaction ran under and ``variants`` the sorted ids of the variants
    that set any of them, comma-separated, empty for the standard. ``time_zone`` is the site's; it gives the event its day.
    """

    realm: str
    entity: int
    site: int | None = None
    channel: int | None = None
    customer_group: int | None = None
    grant: int | None = None
    ruleset: str | None = None
    variants: str = ""
    currency: str | None = None
    time_zone: str = "UTC"


class EventLog(Base):
    """All business events in commit order."""

    __tablename__ = "event_log"
    __table_args__ = (
        Index("ix_event_log_journey", "journey", "seq"),
        Index("ix_event_log_subject", "subject_type", "subject_id"),
    )
    seq: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), unique=True)
    type: Mapped[str] = mapped_column(String(48))
    version: Mapped[int] = mapped_column(SmallInteger)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    occurred_on: Mapped[date] = mapped_column(Date)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    realm: Mapped[str] = mapped_column(String(12))
    entity: Mapped[int] = mapped_column(BigInteger)
    site: Mapped[int | None] = mapped_column(BigInteger)
    channel: Mapped[int | None] = mapped_column(BigInteger)
    customer_group: Mapped[int | None] = mapped_column(BigInteger)
    process_step: Mapped[str] = mapped_column(String(64))
    grant: Mapped[int | None] = mapped_column("grant_id", BigInteger)
    ruleset: Mapped[str | None] = mapped_column(String(64))
    variants: Mapped[str] = mapped_column(String(200))
    currency: Mapped[str | None] = mapped_column(String(3))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    subject_version: Mapped[int] = mapped_column(Integer)
    journey: Mapped[int] = mapped_column(BigInteger)
    refs: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(String(64))
    actor: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(16))
    data: Mapped[str] = mapped_column(Text)


append_only(EventLog)

#: The order in which the log is written and in which consumers read it.
EVENT_COLUMNS = tuple(column.name for column in EventLog.__table__.columns)


class EventHead(Base):
    """The last sequence number given out. Always one row."""

    __tablename__ = "event_head"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)


class ConsumerCursor(Base):
    """How far a consumer has read; moved in the transaction of its own writes.

    ``changes`` counts the transactions that wrote for it (batches, replays, rebuilds): what was worked out from its tables
    before a transaction still fits them as long as this number stands.
    """

    __tablename__ = "consumer_cursor"
    name: Mapped[str] = mapped_column(String(48), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    moved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    is_paused: Mapped[bool] = mapped_column(Boolean, default=False)
    changes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class ParkedEvent(Base):
    """An event that a consumer could not take, or that waits behind one of the same journey."""

    __tablename__ = "parked_event"
    consumer: Mapped[str] = mapped_column(String(48), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    journey: Mapped[int] = mapped_column(BigInteger, index=True)
    site: Mapped[int | None] = mapped_column(BigInteger)
    waits_behind: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str] = mapped_column(Text)
    parked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(Integer, default=1)


class Registry:
    """The published catalogue: event types by name and version."""

    def __init__(self) -> None:
        self._types: dict[tuple[str, int], type[Event]] = {}

    def add(self, *types: type[Event]) -> None:
        for event in types:
            key = (event.type, event.version)
            if self._types.setdefault(key, event) is not event:
                raise ValueError(f"event type {event.type} version {event.version} is declared twice")

    def get(self, name: str, version: int) -> type[Event] | None:
        return self._types.get((name, version))

    def names(self) -> set[str]:
        return {name for name, _ in self._types}

    def types(self) -> list[type[Event]]:
        return [self._types[key] for key in sorted(self._types)]

    def schemas(self) -> dict[str, Any]:
        """JSON Schema of every type and version, by ``type@version``."""
        return {f"{name}@{version}": msgspec.json.schema(cls) for (name, version), cls in sorted(self._types.items())}


def published(*modules: Any) -> list[type[Event]]:
    """Every event type that the modules declare."""
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Event) and getattr(value, "type", None)
    }
    return sorted(found, key=lambda event: (event.type, event.version))
