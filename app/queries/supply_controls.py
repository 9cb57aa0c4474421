"""What must agree about goods on order: purchase orders and transfer orders against what is expected, shipped and posted.

Each is name, unit, title and the two queries of a control.
"""

from __future__ import annotations

SUPPLY_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "received_ledger", "minor", "Value of goods that came from suppliers, late costs too = account of goods received, not invoiced",
        ("SELECT entity_id, site_id, 0, COALESCE(value_minor, 0) FROM stock_move WHERE reason = 'receipt' "
        "UNION ALL SELECT entity_id, site_id, 0, amount_minor FROM late_cost"),
        ("SELECT e.entity_id, e.site_id, 0, l.credit_minor - l.debit_minor FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id "
        "JOIN ledger_account a ON a.id = l.account_id WHERE a.role = 'received_not_invoiced' AND e.document_type <> 'shipment'"),
    ),
    (
        "supplier_claims", "minor", "Open with suppliers for goods sent back = the account of these claims, document by document",
        ("SELECT entity_id, site_id, id, expected_minor FROM supplier_return "
        "UNION ALL SELECT entity_id, site_id, supplier_return_id, -amount_minor FROM supplier_claim_entry"),
        ("SELECT e.entity_id, e.site_id, coalesce(c.supplier_return_id, e.document_id), l.debit_minor - l.credit_minor "
        "FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id JOIN ledger_account a ON a.id = l.account_id "
        "LEFT JOIN supplier_claim_entry c ON c.id = e.document_id AND e.document_type = 'supplier_claim' "
        "WHERE a.role = 'supplier_claims'"),
    ),
    (
        "supplier_credits", "minor", "Credit notes of suppliers = what they posted to their account",
        "SELECT entity_id, site_id, id, amount_minor FROM supplier_claim_entry WHERE kind = 'credit'",
        ("SELECT e.entity_id, e.site_id, e.document_id, l.debit_minor - l.credit_minor FROM journal_line l "
        "JOIN journal_entry e ON e.id = l.entry_id JOIN ledger_account a ON a.id = l.account_id "
        "WHERE a.role = 'supplier_credits' AND e.document_type = 'supplier_claim'"),
    ),
    (
        "sent_back_stock", "thousandths", "Lines sent back to suppliers = what of their goods left stock",
        ("SELECT r.entity_id, r.site_id, r.id || ':' || l.item_id, l.quantity FROM supplier_return_line l "
        "JOIN supplier_return r ON r.id = l.supplier_return_id"),
        ("SELECT entity_id, site_id, document_id || ':' || item_id, -quantity FROM stock_move "
        "WHERE document_type = 'supplier_return'"),
    ),
    (
        "transfer_orders_shipped", "thousandths", "Shipped on transfer orders = lines of their transfers",
        ("SELECT t.entity_id, t.site_id, l.order_id || ':' || l.item_id, l.shipped FROM transfer_order_line l "
        "JOIN transfer_order t ON t.id = l.order_id"),
        ("SELECT t.entity_id, t.site_id, t.order_id || ':' || l.item_id, l.quantity FROM stock_transfer_line l "
        "JOIN stock_transfer t ON t.id = l.transfer_id WHERE t.order_id IS NOT NULL"),
    ),
    (
        "purchases_expected", "thousandths", "Received and cancelled of purchase orders = the same of what is expected from them",
        ("SELECT p.entity_id, p.site_id, l.id, l.received + l.cancelled FROM purchase_order_line l "
        "JOIN purchase_order p ON p.id = l.purchase_id WHERE NOT p.is_direct"),
        ("SELECT entity_id, site_id, line_id, received + cancelled FROM expected_receipt "
        "WHERE source = 'purchase_order' AND document_id IS NOT NULL"),
    ),
    (
        "purchases_direct", "thousandths", "Sent straight of purchase orders = their part of the shipments of orders",
        ("SELECT p.entity_id, p.site_id, l.order_line_id, l.received FROM purchase_order_line l "
        "JOIN purchase_order p ON p.id = l.purchase_id WHERE p.is_direct"),
        ("SELECT s.entity_id, s.site_id, l.order_line_id, l.quantity FROM shipment_line l JOIN shipment s ON s.id = l.shipment_id "
        "JOIN journal_entry e ON e.document_type = 'shipment' AND e.document_id = s.id AND e.rule = 'direct_cost'"),
    ),
    (
        "purchase_lines", "minor", "Value of purchase orders = sum of their lines",
        "SELECT entity_id, site_id, id, value_minor FROM purchase_order",
        "SELECT p.entity_id, p.site_id, p.id, l.value_minor FROM purchase_order_line l JOIN purchase_order p ON p.id = l.purchase_id",
    ),
)  # fmt: skip
