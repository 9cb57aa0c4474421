"""Do layers, late costs and the ledger agree? Rows of name, unit, title, left, right.

``VALUED_LATER`` is what stock is worth more without having moved, for the control of its value.
"""

from __future__ import annotations

VALUED_LATER = (
    " UNION ALL SELECT c.entity_id, c.site_id, l.item_id, l.stock_minor FROM late_cost_line l JOIN late_cost c ON c.id = l.late_cost_id"
    " UNION ALL SELECT c.entity_id, c.site_id, r.item_id, r.value_minor FROM stock_revaluation r JOIN site_costing c ON c.id = r.costing_id"
)

#: Sites that keep layers now.
_LAYERED = (
    "(SELECT c.site_id FROM site_costing c WHERE c.method = 'fifo' "
    "AND NOT EXISTS (SELECT 1 FROM site_costing d WHERE d.site_id = c.site_id AND d.id > c.id))"
)

COSTING_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "layers_stock", "thousandths", "Left of cost layers = stock on hand where layers are kept",
        "SELECT entity_id, site_id, item_id, quantity_left FROM cost_layer",
        "SELECT entity_id, site_id, item_id, on_hand FROM stock_balance WHERE method = 'fifo'",
    ),
    (
        "layers_value", "minor", "Value of cost layers = stock value where layers are kept",
        "SELECT entity_id, site_id, item_id, value_minor FROM cost_layer",
        "SELECT entity_id, site_id, item_id, value_minor FROM stock_balance WHERE method = 'fifo'",
    ),
    (
        "layers_ledger", "minor", "Value of cost layers, and of what has none = inventory account of sites that keep layers",
        ("SELECT entity_id, site_id, 0, value_minor FROM cost_layer UNION ALL SELECT entity_id, site_id, 0, value_minor "
        f"FROM stock_balance WHERE method <> 'fifo' AND site_id IN {_LAYERED}"),
        ("SELECT e.entity_id, e.site_id, 0, l.debit_minor - l.credit_minor FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id "
        f"JOIN ledger_account a ON a.id = l.account_id WHERE a.role = 'inventory' AND e.site_id IN {_LAYERED}"),
    ),
    (
        "layers_steps", "thousandths", "Left of every cost layer = sum of its steps",
        "SELECT entity_id, site_id, id, quantity_left FROM cost_layer",
        "SELECT l.entity_id, l.site_id, l.id, s.quantity FROM cost_layer_step s JOIN cost_layer l ON l.id = s.layer_id",
    ),
    (
        "layers_worth", "minor", "Value of every cost layer = sum of its steps",
        "SELECT entity_id, site_id, id, value_minor FROM cost_layer",
        "SELECT l.entity_id, l.site_id, l.id, s.value_minor FROM cost_layer_step s JOIN cost_layer l ON l.id = s.layer_id",
    ),
    (
        "late_costs_shared", "minor", "Late costs = their parts on goods still here and on what had left",
        "SELECT entity_id, site_id, id, amount_minor FROM late_cost",
        "SELECT c.entity_id, c.site_id, c.id, l.stock_minor + l.sold_minor FROM late_cost_line l JOIN late_cost c ON c.id = l.late_cost_id",
    ),
    (
        "late_costs_ledger", "minor", "Late costs on goods still here = what their entries put on the inventory account",
        "SELECT entity_id, site_id, id, stock_minor FROM late_cost WHERE stock_minor <> 0",
        ("SELECT e.entity_id, e.site_id, e.document_id, l.debit_minor - l.credit_minor FROM journal_line l "
        "JOIN journal_entry e ON e.id = l.entry_id JOIN ledger_account a ON a.id = l.account_id "
        "WHERE e.document_type = 'late_cost' AND a.role = 'inventory'"),
    ),
)  # fmt: skip
