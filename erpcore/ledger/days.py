"""What did the entries of each day and of each month come to, by account, site and channel?

Kept beside the entries, so that a report adds up months, and days only of months in which one of its periods begins or ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from erpcore.kernel.rows import chunks
from erpcore.kernel.work import UnitOfWork

#: Who keeps the days: its cursor says up to which event they go.
CONSUMER = "ledger-days"
_READ = (
    "SELECT e.entity_id, e.entry_on, l.account_id, COALESCE(e.site_id, 0), COALESCE(e.channel_id, 0), SUM(l.debit_minor), "
    "SUM(l.credit_minor) FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id WHERE e.id {among} GROUP BY 1, 2, 3, 4, 5"
)
_ADD = (
    "INSERT INTO {table} (entity_id, {day}, account_id, site_id, channel_id, debit_minor, credit_minor) "
    "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (entity_id, {day}, account_id, site_id, channel_id) "
    "DO UPDATE SET debit_minor = {table}.debit_minor + excluded.debit_minor, "
    "credit_minor = {table}.credit_minor + excluded.credit_minor"
)


class DayKey(NamedTuple):
    """One row of the days, or of the months, which go by their first day; the day is as the driver gives and takes it."""

    entity: int
    day: Any
    account: int
    site: int
    channel: int


DayTotals = Mapping[DayKey, tuple[int, int]]


def day_totals(connection: Connection, entries: Iterable[int]) -> DayTotals:
    """Debits and credits of these entries; they never change, so this can be read before a transaction begins."""
    is_sqlite = connection.dialect.name == "sqlite"
    found: dict[DayKey, tuple[int, int]] = defaultdict(lambda: (0, 0))
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor()
    try:
        for part in chunks(sorted(set(entries))):
            among = f"IN ({', '.join('?' * len(part))})" if is_sqlite else "= ANY(%s)"
            cursor.execute(_READ.format(among=among), list(part) if is_sqlite else [list(part)])
            for *key, debit, credit in cursor.fetchall():
                before = found[DayKey(*key)]
                found[DayKey(*key)] = (before[0] + int(debit), before[1] + int(credit))
    finally:
        cursor.close()
    return dict(found)


def by_month(totals: DayTotals) -> DayTotals:
    """The same for whole months."""
    found: dict[DayKey, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for key, (debit, credit) in totals.items():
        first = key.day[:8] + "01" if isinstance(key.day, str) else key.day.replace(day=1)
        month = key._replace(day=first)
        found[month] = (found[month][0] + debit, found[month][1] + credit)
    return dict(found)


def add_totals(work: UnitOfWork, totals: DayTotals) -> None:
    """Add these to the days and months, in the order of their keys, so that nobody waits for each other in a ring."""
    if not totals:
        return
    cursor = work.driver.cursor()
    try:
        for table, day, sums in (("ledger_day", "entry_on", totals), ("ledger_month", "month_on", by_month(totals))):
            rows: Sequence[tuple[Any, ...]] = [(*key, *sums[key]) for key in sorted(sums)]
            add = _ADD.format(table=table, day=day)
            cursor.executemany(add if work.dialect.name == "sqlite" else add.replace("?", "%s"), rows)
    finally:
        cursor.close()
