"""Is everything that left billed once, or known to wait for its invoice? Rows of name, unit, title, left, right."""

from __future__ import annotations

BILLING_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "shipped_billed", "thousandths", "Shipped on orders = on invoices, and on shipments that wait for one",
        "SELECT o.entity_id, o.site_id, l.id, l.shipped FROM order_line l JOIN sales_order o ON o.id = l.order_id",
        ("SELECT i.entity_id, i.site_id, l.order_line_id, l.quantity FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id "
        "UNION ALL SELECT o.entity_id, o.site_id, l.order_line_id, l.quantity FROM shipment_line l "
        "JOIN shipment s ON s.id = l.shipment_id JOIN sales_order o ON o.id = s.order_id "
        "WHERE s.confirmed_at IS NOT NULL AND s.invoice_id IS NULL"),
    ),
    (
        "tax_ledger", "minor", "Tax of posted invoices and credit memos = what they posted to the tax account",
        ("SELECT entity_id, site_id, id, tax_minor FROM invoice WHERE state = 'posted' "
        "UNION ALL SELECT entity_id, site_id, id, -tax_minor FROM credit_memo"),
        ("SELECT e.entity_id, e.site_id, e.document_id, l.credit_minor - l.debit_minor FROM journal_line l "
        "JOIN journal_entry e ON e.id = l.entry_id JOIN ledger_account a ON a.id = l.account_id "
        "WHERE a.role = 'tax' AND e.document_type IN ('invoice', 'credit_memo')"),
    ),
    (
        "credit_memo_fees", "minor", "Restocking fees kept by credit memos = what they posted to the account of these fees",
        ("SELECT c.entity_id, c.site_id, c.id, -l.net_minor FROM credit_memo_line l "
        "JOIN credit_memo c ON c.id = l.credit_memo_id WHERE l.is_fee"),
        ("SELECT e.entity_id, e.site_id, e.document_id, l.credit_minor - l.debit_minor FROM journal_line l "
        "JOIN journal_entry e ON e.id = l.entry_id JOIN ledger_account a ON a.id = l.account_id "
        "WHERE a.role = 'restocking' AND e.document_type = 'credit_memo'"),
    ),
)  # fmt: skip
