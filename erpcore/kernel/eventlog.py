"""Reading the log: what stands behind a consumer's cursor, in commit order, without objects nobody asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from erpcore.kernel.events import EventLog

#: What a projection is handed; the envelope's identity stays in the log.
READ = (
    "seq", "type", "version", "occurred_at", "occurred_on", "recorded_at", "realm", "entity", "site", "channel",
    "customer_group", "process_step", "grant_id", "ruleset", "variants", "currency", "subject_type", "subject_id",
    "journey", "refs", "actor", "source", "data",
)  # fmt: skip
#: Where occurred_at, occurred_on and recorded_at stand, in this order.
_AT = READ.index("occurred_at")
_COLUMNS = ", ".join(READ)
assert set(READ) <= {column.name for column in EventLog.__table__.columns}  # noqa: S101 - the catalogue of this module


class LoggedEvent(NamedTuple):
    """One row of the log as a consumer sees it; ``data`` is still JSON, decoded by whoever needs it."""

    seq: int
    type: str
    version: int
    at: datetime
    on: date
    recorded_at: datetime
    realm: str
    entity: int
    site: int | None
    channel: int | None
    customer_group: int | None
    step: str
    grant: int | None
    ruleset: str | None
    variants: str
    currency: str | None
    subject_type: str
    subject: int
    journey: int
    refs: str | None
    actor: int
    source: str
    data: str


def newest_seq(connection: Connection) -> int:
    """The last sequence number that is committed; everything up to it can be read."""
    return int(connection.execute(text("SELECT seq FROM event_head WHERE id = 1")).scalar_one())


def read_events(connection: Connection, types: Collection[str], after: int, up_to: int) -> list[LoggedEvent]:
    """The events of these types with ``after`` < seq ≤ ``up_to``, in order, by the driver's own cursor."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    wanted = ", ".join([mark] * len(types))
    return _select(
        connection,
        f"SELECT {_COLUMNS} FROM event_log WHERE seq > {mark} AND seq <= {mark} AND type IN ({wanted}) ORDER BY seq",
        (after, up_to, *sorted(types)),
    )


def read_numbers(connection: Connection, numbers: Sequence[int]) -> list[LoggedEvent]:
    """The events with these sequence numbers, in order: parked ones that are tried again."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    out: list[LoggedEvent] = []
    for start in range(0, len(numbers), 500):
        part = sorted(numbers)[start : start + 500]
        wanted = ", ".join([mark] * len(part))
        out += _select(
            connection, f"SELECT {_COLUMNS} FROM event_log WHERE seq IN ({wanted}) ORDER BY seq", tuple(part)
        )
    return out


def _select(connection: Connection, sql: str, values: tuple[Any, ...]) -> list[LoggedEvent]:
    cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]  # in use, so it is there
    try:
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    finally:
        cursor.close()
    make: Callable[[Any], LoggedEvent] = LoggedEvent._make
    if connection.dialect.name != "sqlite":
        return [make(row) for row in rows]
    out, instants, days = [], _Known(_instant), _Known(date.fromisoformat)
    for row in rows:
        at, on, recorded = instants[row[_AT]], days[row[_AT + 1]], instants[row[_AT + 2]]
        out.append(make((*row[:_AT], at, on, recorded, *row[_AT + 3 :])))
    return out


def _instant(stored: str) -> datetime:
    return datetime.fromisoformat(stored + "+00:00")


class _Known(dict[str, Any]):
    """Texts already read: the events of one unit of work share their instants and days."""

    def __init__(self, read: Callable[[str], Any]) -> None:
        self._read = read

    def __missing__(self, stored: str) -> Any:
        found = self[stored] = self._read(stored)
        return found
