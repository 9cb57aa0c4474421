"""Do the books hold what journals by hand say, each once? Rows of name, unit, title, left, right."""

from __future__ import annotations

_POSTED = "m.state IN ('posted', 'reversed')"
_LINES = f"FROM manual_journal_line l JOIN manual_journal m ON m.id = l.journal_id WHERE {_POSTED}"
_ENTRIES = "FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id WHERE e.document_type = 'journal'"

JOURNAL_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "manual_journals", "minor", "Lines of posted journals by hand = lines of their entries",
        (f"SELECT m.entity_id, m.site_id, m.id || ':' || l.account_id || '-debit', l.debit_minor {_LINES} "
        f"UNION ALL SELECT m.entity_id, m.site_id, m.id || ':' || l.account_id || '-credit', l.credit_minor {_LINES}"),
        (f"SELECT e.entity_id, e.site_id, e.document_id || ':' || l.account_id || '-debit', l.debit_minor {_ENTRIES} "
        f"UNION ALL SELECT e.entity_id, e.site_id, e.document_id || ':' || l.account_id || '-credit', l.credit_minor {_ENTRIES}"),
    ),
    (
        "reversed_journals", "documents", "A posted mirror image for every journal that is reversed, and only then",
        "SELECT m.entity_id, m.site_id, m.id, 1 FROM manual_journal m WHERE m.state = 'reversed'",
        f"SELECT m.entity_id, m.site_id, m.reverses_id, 1 FROM manual_journal m WHERE m.reverses_id IS NOT NULL AND {_POSTED}",
    ),
)  # fmt: skip
