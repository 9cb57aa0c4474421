"""What must agree about goods between companies: each side has its mirror, and the accounts say what the documents say.

Each is name, unit, title and the two queries of a control. The mirror is looked for from the other side, so that a document that is gone
at one company shows at the pair.
"""

from __future__ import annotations


def _ledger(role: str, amount: str) -> str:
    return (
        f"SELECT e.entity_id, NULL, 0, {amount} FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id "
        f"JOIN ledger_account a ON a.id = l.account_id WHERE a.role = '{role}'"
    )


_SIGNED = "CASE WHEN kind = 'sent' THEN amount_minor ELSE -amount_minor END"
_LINES = "FROM sister_document d JOIN sister_document_line l ON l.document_id = d.id"

SISTER_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "sister_mirrored", "minor", "Each sale to a sister company = its purchase there, in what was agreed",
        "SELECT entity_id, NULL, transfer_id || ':' || kind, agreed_minor FROM sister_document WHERE side = 'sale'",
        "SELECT sister_id, NULL, transfer_id || ':' || kind, agreed_minor FROM sister_document WHERE side = 'purchase'",
    ),
    (
        "sister_goods", "thousandths", "Goods of each sale to a sister company = those of its purchase there, line by line",
        f"SELECT d.entity_id, NULL, d.transfer_id || ':' || d.kind || ':' || l.line_no, l.quantity {_LINES} WHERE d.side = 'sale'",
        f"SELECT d.sister_id, NULL, d.transfer_id || ':' || d.kind || ':' || l.line_no, l.quantity {_LINES} WHERE d.side = 'purchase'",
    ),
    (
        "sister_sums", "minor", "What documents between sister companies come to = the sum of their lines",
        "SELECT entity_id, NULL, id, amount_minor FROM sister_document",
        f"SELECT d.entity_id, NULL, d.id, l.amount_minor {_LINES}",
    ),
    (
        "sister_receivable", "minor", "Sold to sister companies less what was turned back = account of receivables from them",
        f"SELECT entity_id, NULL, 0, {_SIGNED} FROM sister_document WHERE side = 'sale'",
        _ledger("sister_receivable", "l.debit_minor - l.credit_minor"),
    ),
    (
        "sister_payable", "minor", "Bought from sister companies less what was turned back = account of payables to them",
        f"SELECT entity_id, NULL, 0, {_SIGNED} FROM sister_document WHERE side = 'purchase'",
        _ledger("sister_payable", "l.credit_minor - l.debit_minor"),
    ),
)  # fmt: skip
