"""Do the totals that were kept with a close of the books still say what its entries do? Rows of name, unit, title, left, right."""

from __future__ import annotations

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
)  # fmt: skip
