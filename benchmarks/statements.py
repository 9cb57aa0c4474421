"""How long do reports take over five million journal lines? Three years of a dozen sites, their days kept, some entries behind the cursor.

The entries are written by plain SQL and the days as their consumer would have left them (a test proves that the two agree); a
thousand entries lie behind its cursor.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import text

from app.composition.uow import Database, connect, reading
from app.queries.statements import AskedReport, By, report_page
from benchmarks.registry import Bench, Figure
from erpcore.kernel.actor import Actor
from erpcore.ledger.days import CONSUMER
from erpcore.ledger.statements import Period, Report
from tests.support.core import Business, a_business

LINES, PER_ENTRY, SITES, CHANNELS, DAYS = 5_000_000, 8, 12, 3, 1_095
BEHIND = 1_000
FIRST = date(2023, 3, 1)
LIMIT_MS = 500
_WHO = Actor.system("bench")


def measure(bench: Bench) -> Iterator[Figure]:
    """Each report over the whole past, the median of several."""
    lines = LINES // 50 if bench.quick else LINES
    for kind in bench.databases:
        database = connect(bench.new_database(kind))
        try:
            business = a_business(database, items=1)
            write_past(database, business, lines // PER_ENTRY)
            yield from _figures(bench, kind, database, business, lines)
        finally:
            database.dispose()


def _figures(bench: Bench, kind: str, database: Database, business: Business, lines: int) -> Iterator[Figure]:
    year = Period(since=date(2025, 1, 1), until=date(2025, 12, 31))
    for report in Report:
        for by in (By.NOTHING, By.SITE, By.CELL):
            asked = AskedReport(report=report, entity=business.entity, period=year, by=by)
            taken = bench.median(_once(database, asked) for _ in range(2 * bench.repeat + 1))
            what = f"{report.value}{f' by {by}' if by else ''} over {lines:,} lines"
            yield Figure(what, kind, taken, "ms", limit=LIMIT_MS)


def _once(database: Database, asked: AskedReport) -> float:
    with reading(database) as session:
        begun = time.perf_counter()
        page = report_page(session, _WHO, asked)
        taken = (time.perf_counter() - begun) * 1000
    if any(page.statement.check):
        raise RuntimeError("the report does not balance")
    return taken


def write_past(database: Database, business: Business, entries: int) -> None:
    """So many entries of eight lines, spread over the days, sites and channels; the newest lie behind the cursor."""
    values: dict[str, Any] = {
        "entity": business.entity, "channel": business.channel, "site": business.site, "entries": entries,
        "kept": entries - BEHIND, "first": FIRST.isoformat(), "days": DAYS, "sites": SITES, "channels": CHANNELS,
        "per": PER_ENTRY, "base": _BASE, "name": CONSUMER,
    }  # fmt: skip
    is_sqlite = database.write_engine.dialect.name == "sqlite"
    with database.write_engine.begin() as connection:
        for statement in (
            *_PLACES, *_entries(is_sqlite=is_sqlite), *kept(is_sqlite=is_sqlite, among=_BEFORE),
            _event(is_sqlite=is_sqlite), _HEAD, _CURSOR,
        ):  # fmt: skip
            connection.execute(text(statement), {key: value for key, value in values.items() if f":{key}" in statement})
        if not is_sqlite:
            connection.execute(text("ANALYZE"))


#: Keys that nothing of the business has.
_BASE = 10**9
_MOMENT = "'2026-03-02 09:00:00.000000'"
_PLACES = (
    (
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < :sites) INSERT INTO site (id, entity_id, code, "
        "name, kind, country, time_zone, opens_at, closes_at) SELECT :base + n, s.entity_id, 'S' || n, 'Site ' || n, s.kind, s.country, "
        "s.time_zone, s.opens_at, s.closes_at FROM n, site s WHERE s.id = :site"
    ),
    (
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < :channels) INSERT INTO channel (id, code, name, "
        "priority) SELECT :base + n, 'C' || n, 'Channel ' || n, c.priority FROM n, channel c WHERE c.id = :channel"
    ),
)
#: An entry of the past: four accounts debited, four credited, so that every one of the chart has figures.
_ROLES = ("receivable", "cost_of_sales", "bank", "inventory", "revenue", "tax", "on_account", "received_not_invoiced")


def _entries(*, is_sqlite: bool) -> tuple[str, str]:
    day = (
        "date(:first, '+' || (n * :days / :entries) || ' days')"
        if is_sqlite
        else "CAST(:first AS date) + CAST(n * :days / :entries AS int)"
    )
    numbers = "WITH RECURSIVE n(n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1 FROM n WHERE n + 1 < :entries)"
    heads = (
        f"{numbers} INSERT INTO journal_entry (id, entity_id, site_id, channel_id, rule, entry_on, posted_at, currency, document_type, "
        "document_id, rounding) SELECT :base + n, :entity, CASE WHEN n % :sites = 0 THEN :site ELSE :base + n % :sites END, "
        "CASE WHEN n % :channels = 0 THEN :channel ELSE :base + n % :channels END, 'invoice', "
        f"{day}, {_MOMENT}, 'EUR', 'invoice', :base + n, 0 FROM n"
    )
    sides = " UNION ALL ".join(f"SELECT {place} AS place, '{role}' AS role" for place, role in enumerate(_ROLES))
    lines = (
        f"{numbers}, sides AS ({sides}) INSERT INTO journal_line (entry_id, line_no, account_id, debit_minor, credit_minor) "
        "SELECT :base + n, s.place + 1, a.id, CASE WHEN s.place * 2 < :per THEN 100 + n % 900 ELSE 0 END, "
        "CASE WHEN s.place * 2 < :per THEN 0 ELSE 100 + n % 900 END FROM n CROSS JOIN sides s "
        "JOIN ledger_account a ON a.role = s.role AND a.entity_id = :entity"
    )
    return heads, lines


def kept(*, is_sqlite: bool, among: str = "") -> tuple[str, str]:
    """Statements that keep what the consumer of the days would have kept of entries that were written without it."""
    month = "date(entry_on, 'start of month')" if is_sqlite else "CAST(date_trunc('month', entry_on) AS date)"
    days = (
        "INSERT INTO ledger_day (entity_id, entry_on, account_id, site_id, channel_id, debit_minor, credit_minor) "
        "SELECT e.entity_id, e.entry_on, l.account_id, COALESCE(e.site_id, 0), COALESCE(e.channel_id, 0), SUM(l.debit_minor), "
        f"SUM(l.credit_minor) FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id {among} GROUP BY 1, 2, 3, 4, 5"
    )
    months = (
        "INSERT INTO ledger_month (entity_id, month_on, account_id, site_id, channel_id, debit_minor, credit_minor) "
        f"SELECT entity_id, {month}, account_id, site_id, channel_id, SUM(debit_minor), SUM(credit_minor) FROM ledger_day "
        "GROUP BY 1, 2, 3, 4, 5"
    )
    return days, months


#: All but the newest, which are behind the cursor.
_BEFORE = "WHERE e.id < :base + :kept"


def _event(*, is_sqlite: bool) -> str:
    new_id = "lower(hex(randomblob(16)))" if is_sqlite else "gen_random_uuid()"
    return (
        "INSERT INTO event_log (seq, id, type, version, occurred_at, occurred_on, recorded_at, realm, entity, process_step, variants, "
        f"subject_type, subject_id, subject_version, journey, actor, role, source, data) SELECT :base + id, {new_id}, "
        f"'ledger.posted', 1, {_MOMENT}, entry_on, {_MOMENT}, 'live', entity_id, 'record_to_report.post', '', 'entry', id, 1, id, 0, "
        "'system', 'system', '{}' FROM journal_entry WHERE id >= :base + :kept"
    )


_HEAD = "UPDATE event_head SET seq = (SELECT MAX(seq) FROM event_log) WHERE id = 1"
_CURSOR = (
    "INSERT INTO consumer_cursor (name, seq, moved_at, is_paused, changes) SELECT :name, MAX(seq), "
    f"{_MOMENT}, FALSE, 1 FROM event_log WHERE seq < :base"
)
