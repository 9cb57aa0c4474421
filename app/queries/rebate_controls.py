"""Is every rebate accrued what its lines say, and in the books by agreement? Rows of name, unit, title, left, right."""

from __future__ import annotations

_OF = "JOIN rebate_agreement a ON a.id ="
_LINES = "FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id JOIN ledger_account c ON c.id = l.account_id"

REBATE_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "rebates_open", "minor", "Open of rebate agreements = what their documents posted to rebates accrued",
        ("SELECT a.entity_id, NULL, a.id, s.accrued_minor - s.settled_minor + s.difference_minor FROM rebate_standing s "
        f"{_OF} s.agreement_id"),
        (f"SELECT e.entity_id, NULL, p.agreement_id, l.credit_minor - l.debit_minor {_LINES} JOIN rebate_posting p "
        "ON p.id = e.document_id WHERE c.role = 'rebates_accrued' AND e.document_type = 'rebate_posting' "
        f"UNION ALL SELECT e.entity_id, NULL, s.agreement_id, l.credit_minor - l.debit_minor {_LINES} JOIN rebate_settlement s "
        "ON s.id = e.document_id WHERE c.role = 'rebates_accrued' AND e.document_type = 'rebate_settlement' "
        f"UNION ALL SELECT e.entity_id, NULL, s.agreement_id, l.credit_minor - l.debit_minor {_LINES} JOIN rebate_credit r "
        "ON r.credit_memo_id = e.document_id JOIN rebate_settlement s ON s.id = r.settlement_id "
        "WHERE c.role = 'rebates_accrued' AND e.document_type = 'credit_memo'"),
    ),
    (
        "rebates_ledger", "minor", "Open of all rebate agreements = rebates accrued in the books",
        ("SELECT a.entity_id, NULL, 0, s.accrued_minor - s.settled_minor + s.difference_minor FROM rebate_standing s "
        f"{_OF} s.agreement_id"),
        f"SELECT e.entity_id, NULL, 0, l.credit_minor - l.debit_minor {_LINES} WHERE c.role = 'rebates_accrued'",
    ),
    (
        "rebates_lines", "minor", "Accrued of rebate agreements = what their lines accrued and adjusted",
        f"SELECT a.entity_id, NULL, a.id, s.accrued_minor FROM rebate_standing s {_OF} s.agreement_id",
        f"SELECT a.entity_id, NULL, a.id, r.amount_minor + r.adjusted_minor FROM rebate_accrual r {_OF} r.agreement_id",
    ),
    (
        "rebates_counted", "minor", "Counted for rebate agreements = net of the lines that count",
        f"SELECT a.entity_id, NULL, a.id, s.net_minor FROM rebate_standing s {_OF} s.agreement_id",
        f"SELECT a.entity_id, NULL, a.id, r.net_minor FROM rebate_accrual r {_OF} r.agreement_id",
    ),
    (
        "rebates_quantity", "thousandths", "Quantity that counts for rebate agreements = quantity of the lines that count",
        f"SELECT a.entity_id, NULL, a.id, s.quantity FROM rebate_standing s {_OF} s.agreement_id",
        f"SELECT a.entity_id, NULL, a.id, r.quantity FROM rebate_accrual r {_OF} r.agreement_id",
    ),
    (
        "rebates_postings", "minor", "What documents accrued for rebates = what their lines accrued and adjusted",
        f"SELECT a.entity_id, NULL, p.id, p.amount_minor + p.adjusted_minor FROM rebate_posting p {_OF} p.agreement_id",
        f"SELECT a.entity_id, NULL, r.posting_id, r.amount_minor + r.adjusted_minor FROM rebate_accrual r {_OF} r.agreement_id",
    ),
    (
        "rebates_settled", "minor", "Settled of rebate agreements = credit memos of their settlements",
        f"SELECT a.entity_id, NULL, a.id, s.settled_minor FROM rebate_standing s {_OF} s.agreement_id",
        ("SELECT c.entity_id, NULL, s.agreement_id, c.net_minor FROM rebate_credit r JOIN credit_memo c ON c.id = r.credit_memo_id "
        "JOIN rebate_settlement s ON s.id = r.settlement_id"),
    ),
    (
        "rebates_credited", "minor", "Credited lines of what counts for rebates = what they took back, line by line",
        ("SELECT c.entity_id, NULL, r.agreement_id || ':' || l.credit_memo_id || ':' || l.line_no, -l.net_minor "
        "FROM credit_memo_line l JOIN credit_memo c ON c.id = l.credit_memo_id JOIN rebate_accrual r "
        "ON r.order_line_id = l.order_line_id AND r.document_type = 'invoice' "
        "AND r.invoice_id = COALESCE(l.invoice_id, c.invoice_id) WHERE NOT l.is_charge"),
        (f"SELECT a.entity_id, NULL, r.agreement_id || ':' || r.document_id || ':' || r.document_line, r.net_minor "
        f"FROM rebate_accrual r {_OF} r.agreement_id WHERE r.document_type = 'credit_memo'"),
    ),
    (
        "events_rebates", "documents", "An event for every document that accrued for a rebate",
        f"SELECT a.entity_id, NULL, p.id, 1 FROM rebate_posting p {_OF} p.agreement_id",
        "SELECT entity, NULL, subject_id, 1 FROM event_log WHERE type = 'rebate.accrued'",
    ),
)  # fmt: skip
