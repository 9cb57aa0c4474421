"""Do the totals kept with a close of the books, and those of each day, say what their entries do? Rows of name, unit, title, left, right."""

from __future__ import annotations

from erpcore.ledger.days import CONSUMER

_NEWEST = "(SELECT MAX(x.id) FROM period_close x WHERE x.entity_id = p.entity_id)"
_COVERED = (
    "(SELECT DISTINCT p.entity_id, c.covers_until FROM closed_count c JOIN period_close p ON p.id = c.close_id "
    f"WHERE p.id = {_NEWEST})"
)
_KEPT = f"FROM closed_total t JOIN period_close p ON p.id = t.close_id WHERE p.id = {_NEWEST}"
_POSTED = (
    "FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id "
    f"JOIN {_COVERED} k ON k.entity_id = e.entity_id AND e.entry_on < k.covers_until"
)

#: The entries that are in the days: those up to the cursor of who keeps them, but for what is parked.
_IN_DAYS = (
    "FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id JOIN event_log v ON v.subject_type = 'entry' "
    "AND v.subject_id = e.id AND v.type = 'ledger.posted' "
    f"WHERE v.seq <= (SELECT COALESCE(MAX(seq), 0) FROM consumer_cursor WHERE name = '{CONSUMER}') "
    f"AND v.seq NOT IN (SELECT seq FROM parked_event WHERE consumer = '{CONSUMER}')"
)
_KEY = "{site} || ':' || {channel} || ':' || {account} || ':' || {day}"
_DAY_KEY = _KEY.format(site="site_id", channel="channel_id", account="account_id", day="entry_on")
#: Days are written year first on both databases, so a month is their first seven characters.
_MONTH = "substr(CAST({day} AS TEXT), 1, 7)"
_MONTH_KEY, _MONTH_OF_DAY_KEY = (
    _KEY.format(site="site_id", channel="channel_id", account="account_id", day=_MONTH.format(day=day))
    for day in ("month_on", "entry_on")
)
_ENTRY_KEY = _KEY.format(
    site="COALESCE(e.site_id, 0)", channel="COALESCE(e.channel_id, 0)", account="l.account_id", day="e.entry_on"
)

CLOSED_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "closed_totals", "minor", "Totals kept with the newest close = lines of the entries it covers",
        (f"SELECT p.entity_id, NULL, t.site_id || ':' || t.account_id || '-debit', t.debit_minor {_KEPT} "
        f"UNION ALL SELECT p.entity_id, NULL, t.site_id || ':' || t.account_id || '-credit', t.credit_minor {_KEPT}"),
        (f"SELECT e.entity_id, NULL, COALESCE(e.site_id, 0) || ':' || l.account_id || '-debit', l.debit_minor {_POSTED} "
        f"UNION ALL SELECT e.entity_id, NULL, COALESCE(e.site_id, 0) || ':' || l.account_id || '-credit', l.credit_minor {_POSTED}"),
    ),
    (
        "closed_entries", "documents", "Entries counted with the newest close = entries it covers",
        f"SELECT p.entity_id, NULL, c.site_id, c.entries FROM closed_count c JOIN period_close p ON p.id = c.close_id WHERE p.id = {_NEWEST}",
        f"SELECT e.entity_id, NULL, COALESCE(e.site_id, 0), 1 FROM journal_entry e JOIN {_COVERED} k ON k.entity_id = e.entity_id AND e.entry_on < k.covers_until",
    ),
    (
        "ledger_days", "minor", "Totals of each day = lines of its entries",
        (f"SELECT entity_id, NULL, {_DAY_KEY} || '-debit', debit_minor FROM ledger_day "
        f"UNION ALL SELECT entity_id, NULL, {_DAY_KEY} || '-credit', credit_minor FROM ledger_day"),
        (f"SELECT e.entity_id, NULL, {_ENTRY_KEY} || '-debit', l.debit_minor {_IN_DAYS} "
        f"UNION ALL SELECT e.entity_id, NULL, {_ENTRY_KEY} || '-credit', l.credit_minor {_IN_DAYS}"),
    ),
    (
        "ledger_months", "minor", "Totals of each month = totals of its days",
        (f"SELECT entity_id, NULL, {_MONTH_KEY} || '-debit', debit_minor FROM ledger_month "
        f"UNION ALL SELECT entity_id, NULL, {_MONTH_KEY} || '-credit', credit_minor FROM ledger_month"),
        (f"SELECT entity_id, NULL, {_MONTH_OF_DAY_KEY} || '-debit', debit_minor FROM ledger_day "
        f"UNION ALL SELECT entity_id, NULL, {_MONTH_OF_DAY_KEY} || '-credit', credit_minor FROM ledger_day"),
    ),
)  # fmt: skip
