"""Do the accruals of each period's end tie to the ledger, and was each turned back once? Rows of name, unit, title, left, right."""

from __future__ import annotations

_ASSETS = "'unbilled_revenue', 'goods_on_the_way', 'returns_expected'"
_DEBTS = "'deferred_revenue', 'freight_accrued', 'refunds_expected'"
#: What an account of accruals holds, as a positive figure.
_HELD = f"CASE WHEN a.role IN ({_ASSETS}) THEN l.debit_minor - l.credit_minor ELSE l.credit_minor - l.debit_minor END"
_LINES = "FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id JOIN ledger_account a ON a.id = l.account_id"
_THEIRS = f"a.role IN ({_ASSETS}, {_DEBTS})"
_ACCRUED = (
    "SELECT r.entity_id, n.site_id, n.id, n.amount_minor FROM accrual_line n JOIN accrual_run r ON r.id = n.run_id"
)

ACCRUAL_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "accruals_ledger", "minor", "Accruals of each period’s end = what they posted to their accounts on its last day",
        _ACCRUED,
        (f"SELECT e.entity_id, e.site_id, e.document_id, {_HELD} {_LINES} WHERE e.document_type = 'accrual' "
        f"AND e.reverses_id IS NULL AND {_THEIRS}"),
    ),
    (
        "accruals_back", "minor", "Accruals of each period’s end = what was turned back on the day after, once",
        _ACCRUED,
        (f"SELECT e.entity_id, e.site_id, e.document_id, -({_HELD}) {_LINES} JOIN accrual_line n ON n.reversal_id = e.id "
        "AND n.entry_id = e.reverses_id AND n.id = e.document_id JOIN accrual_run r ON r.id = n.run_id "
        f"AND r.until = e.entry_on WHERE e.document_type = 'accrual' AND {_THEIRS}"),
    ),
    (
        "accruals_empty", "minor", "Accounts of accruals hold nothing once every period is turned back",
        f"SELECT e.entity_id, NULL, a.id, {_HELD} {_LINES} WHERE {_THEIRS}",
        "SELECT id, NULL, 0, 0 FROM entity",
    ),
)  # fmt: skip
