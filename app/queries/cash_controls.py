"""Does every unit of money that came in stand somewhere: applied, on account, gone back, or kept by the bank?"""

from __future__ import annotations


def _posted(role: str, sign: str, *rules: tuple[str, str]) -> str:
    """What these rules posted to an account, by the document that they posted for."""
    amount = "l.debit_minor - l.credit_minor" if sign == "debit" else "l.credit_minor - l.debit_minor"
    among = " OR ".join(f"(e.document_type = '{document}' AND e.rule = '{rule}')" for document, rule in rules)
    return (
        f"SELECT e.entity_id, NULL, e.document_type || ' ' || e.document_id, {amount} FROM journal_line l "
        f"JOIN journal_entry e ON e.id = l.entry_id JOIN ledger_account a ON a.id = l.account_id "
        f"WHERE a.role = '{role}' AND ({among})"
    )


_APPLIED = "SELECT r.entity_id, NULL, a.receipt_id, a.amount_minor FROM receipt_application a JOIN receipt r ON r.id = a.receipt_id"
_RETURNED = (
    "SELECT r.entity_id, NULL, b.receipt_id, b.amount_minor FROM receipt_return b JOIN receipt r ON r.id = b.receipt_id"
)

_FEES = (
    "SELECT r.entity_id, NULL, s.receipt_id, s.amount_minor FROM dunning_fee_settlement s JOIN receipt r ON r.id = s.receipt_id "
    "UNION ALL SELECT r.entity_id, NULL, s.receipt_id, -s.amount_minor FROM dunning_fee_reversal s JOIN receipt r ON r.id = s.receipt_id"
)

CASH_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "receivable_settled", "minor", "Settled of invoices = receipts and credits applied to them",
        "SELECT entity_id, NULL, document_id, amount_minor - open_minor FROM receivable WHERE document_type = 'invoice'",
        ("SELECT i.entity_id, NULL, a.invoice_id, a.amount_minor FROM receipt_application a JOIN invoice i ON i.id = a.invoice_id "
        "UNION ALL SELECT i.entity_id, NULL, a.invoice_id, a.amount_minor FROM credit_application a "
        "JOIN invoice i ON i.id = a.invoice_id"),
    ),
    (
        "credit_settled", "minor", "Used of credit memos and debts given up = what was applied of them",
        "SELECT entity_id, NULL, document_id, open_minor - amount_minor FROM receivable WHERE document_type NOT IN ('invoice', 'dunning_fee')",
        ("SELECT r.entity_id, NULL, a.credit_id, a.amount_minor FROM credit_application a "
        "JOIN receivable r ON r.document_id = a.credit_id"),
    ),
    (
        "receipt_applied", "minor", "Receipts = applied to invoices and fees, on account and gone back to the bank",
        "SELECT entity_id, NULL, id, amount_minor FROM receipt",
        f"SELECT entity_id, NULL, id, left_minor FROM receipt UNION ALL {_APPLIED} UNION ALL {_FEES} UNION ALL {_RETURNED}",
    ),
    (
        "receipt_returned", "minor", "Gone back of receipts = their returns",
        "SELECT entity_id, NULL, id, returned_minor FROM receipt", _RETURNED,
    ),
    (
        "on_account_ledger", "minor", "Receipts not applied = on-account account",
        "SELECT entity_id, NULL, 0, left_minor FROM receipt",
        ("SELECT e.entity_id, NULL, 0, l.credit_minor - l.debit_minor FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id "
        "JOIN ledger_account a ON a.id = l.account_id WHERE a.role = 'on_account'"),
    ),
    (
        "receipt_banked", "minor", "Receipts less fees and differences = what the bank account, or a partner’s, received for them",
        "SELECT entity_id, NULL, 'receipt ' || id, amount_minor - fee_minor - difference_minor FROM receipt",
        (f"{_posted('bank', 'debit', ('receipt', 'receipt'))} UNION ALL "
        f"{_posted('bank_clearing', 'debit', ('receipt', 'receipt_from_bank'))} UNION ALL "
        f"{_posted('partner', 'debit', ('receipt', 'receipt_from_partner'))}"),
    ),
    (
        "return_banked", "minor", "Returns of receipts with their fees = what the bank account, or a partner’s, paid for them",
        ("SELECT r.entity_id, NULL, 'receipt_return ' || b.id, b.amount_minor + b.fee_minor FROM receipt_return b "
        "JOIN receipt r ON r.id = b.receipt_id"),
        (f"{_posted('bank', 'credit', ('receipt_return', 'receipt_returned'))} UNION ALL "
        f"{_posted('bank_clearing', 'credit', ('receipt_return', 'receipt_returned_by_bank'))} UNION ALL "
        f"{_posted('partner', 'credit', ('receipt_return', 'receipt_returned_by_partner'))}"),
    ),
    (
        "bank_lines", "minor", "Entries of accepted statements = what the bank account received for them",
        "SELECT entity_id, NULL, 'bank_line ' || id, amount_minor FROM bank_line WHERE state IN ('open', 'assigned')",
        _posted("bank", "debit", ("bank_line", "bank_line")),
    ),
    (
        "bank_known", "minor", "Receipts that entries of the bank turned out to be = what these took off the bank account",
        ("SELECT b.entity_id, NULL, 'bank_line ' || b.id, r.amount_minor - r.fee_minor - r.difference_minor FROM bank_line b "
        "JOIN receipt r ON r.id = b.receipt_id WHERE b.outcome = 'typed'"),
        _posted("bank", "credit", ("bank_line", "receipt_known")),
    ),
    (
        "bank_clearing", "minor", "Entries of the bank that wait = account of entries not assigned",
        "SELECT entity_id, NULL, 0, amount_minor FROM bank_line WHERE state = 'open'",
        (
            "SELECT e.entity_id, NULL, 0, l.credit_minor - l.debit_minor FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id "
            "JOIN ledger_account a ON a.id = l.account_id WHERE a.role = 'bank_clearing'"
        ),
    ),
    (
        "bank_statements", "minor", "Closing balances of statements = opening balances and their entries",
        "SELECT entity_id, NULL, id, closing_minor - opening_minor FROM bank_statement WHERE state = 'accepted'",
        (
            "SELECT l.entity_id, NULL, l.statement_id, l.amount_minor FROM bank_line l "
            "JOIN bank_statement s ON s.id = l.statement_id WHERE s.state = 'accepted'"
        ),
    ),
)  # fmt: skip
