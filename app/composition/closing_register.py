"""How many working days did companies take to close the books of their months, as a figure counts it?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.composition.register_rows import Places, part
from erpcore.kernel.clock import day_start, local_day
from erpcore.ledger.closing.models import Closing
from erpcore.ledger.closing.tasks import working_days
from erpcore.ledger.models import JournalEntry, PeriodClose
from erpcore.masterdata.calendars import Rest, common_rest
from erpcore.masterdata.models import Entity, Site, SiteCalendar
from readiness.measures.ports import RegisterEntry

#: The figure that all this is read for.
CLOSE_CYCLE = "close_cycle_time"
_BOOKS, _CLOSE, _CLOSING, _CALENDAR = "books", "period_close", "closing", "calendar"
_DAY, _INSTANT = timedelta(days=1), timedelta(microseconds=1)


def closing_parts() -> list[Any]:
    """What is read: companies with the first day of their books, every move of the day they are closed up to, closings to
    lead to, and on which days their sites rest.
    """
    first = (
        select(func.min(JournalEntry.entry_on))
        .where(JournalEntry.entity_id == Entity.id)
        .correlate(Entity)
        .scalar_subquery()
    )
    close, told = PeriodClose, SiteCalendar
    return [
        part(
            _BOOKS, id=Entity.id, title=Entity.code, realm=Entity.realm, entity_id=Entity.id, zone=Entity.time_zone, ends_on=first
        ),
        part(_CLOSE, id=close.id, entity_id=close.entity_id, ends_on=close.closed_until, valid_from=close.closed_at),
        part(_CLOSING, id=Closing.id, entity_id=Closing.entity_id, ends_on=Closing.until),
        part(
            _CALENDAR, id=told.number, entity_id=Site.entity_id, site_id=told.site_id, ends_on=told.valid_from, title=told.closed
        ).where(Site.id == told.site_id),
    ]  # fmt: skip


def closing_entries(
    rows: Mapping[str, Sequence[Any]], places: Places, since: datetime | None, at: datetime
) -> list[RegisterEntry]:
    """Every month of each company's books that ended between the two, with its working days; none without ``since``."""
    if since is None:
        return []
    moves, closings = _by_company(rows[_CLOSE], "id"), _by_company(rows[_CLOSING], "ends_on")
    calendars = _by_company(rows[_CALENDAR], "id")
    found = []
    for books in rows[_BOOKS]:
        if books.ends_on is None:
            continue
        rest = common_rest(Rest.of(one.site_id, one.ends_on, one.title) for one in calendars[books.id])
        for until in _ends(max(books.ends_on, since.date()), local_day(at, books.zone)):
            closed = _closed_at(moves[books.id], until)
            led = next((one.id for one in closings[books.id] if one.ends_on >= until), None)
            mine = frozenset({CLOSE_CYCLE})
            found.append(
                RegisterEntry(
                    register="period" if led is None else _CLOSING, id=led or books.id,
                    title=f"{books.title} {until - _DAY:%Y-%m}", kind="open" if closed is None else "closed", of=mine, counts=mine,
                    since=day_start(until, books.zone) - _INSTANT, until=closed, zone=books.zone, realm=books.realm,
                    process="record_to_report", days=working_days(until, local_day(closed or at, books.zone), rest),
                    **places.where(books),
                )
            )  # fmt: skip
    return found


def _by_company(rows: Sequence[Any], order: str) -> Mapping[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: getattr(one, order)):
        found[row.entity_id].append(row)
    return found


def _ends(first: date, today: date) -> Iterator[date]:
    """The first days after the months that ended after ``first``, and by today."""
    until = (first.replace(day=1) + 31 * _DAY).replace(day=1)
    while until <= today:
        yield until
        until = (until + 31 * _DAY).replace(day=1)


def _closed_at(moves: Sequence[Any], until: date) -> datetime | None:
    """When the days before this one were closed for good: what was opened again since is not."""
    at: datetime | None = None
    for move in moves:
        if move.ends_on < until:
            at = None
        elif at is None:
            at = move.valid_from
    return at
