"""Is what carriers billed the same by their bills, by the shipments, and by the ledger?"""

from __future__ import annotations

_POSTED = (
    "FROM carrier_bill_line l JOIN carrier_bill b ON b.id = l.bill_id WHERE b.state = 'posted' AND l.owed_minor <> 0"
)


def _ledger(role: str, sign: str) -> str:
    """What carriers' bills did to an account, by the line that they posted for."""
    amount = "l.debit_minor - l.credit_minor" if sign == "debit" else "l.credit_minor - l.debit_minor"
    return (
        f"SELECT e.entity_id, NULL, e.document_id, {amount} FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id "
        f"JOIN ledger_account a ON a.id = l.account_id WHERE a.role = '{role}' AND e.document_type = 'carrier_bill_line'"
    )


FREIGHT_CONTROLS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "carrier_bills_owed", "minor", "Owed by carriers’ bills = account of trade payables",
        f"SELECT b.entity_id, NULL, l.id, l.owed_minor {_POSTED}",
        _ledger("payable", "credit"),
    ),
    (
        "carrier_bills_payable", "minor", "Owed of posted bills = what the account of trade payables holds",
        "SELECT entity_id, NULL, 0, owed_minor FROM carrier_bill WHERE state = 'posted'",
        ("SELECT e.entity_id, NULL, 0, l.credit_minor - l.debit_minor FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id "
        "JOIN ledger_account a ON a.id = l.account_id WHERE a.role = 'payable'"),
    ),
    (
        "carrier_bills_freight", "minor", "Freight of carriers’ bills = what they posted to freight",
        f"SELECT b.entity_id, NULL, l.id, l.amount_minor {_POSTED}",
        _ledger("freight", "debit"),
    ),
    (
        "carrier_bills_tax", "minor", "Tax of carriers’ bills = account of input tax",
        f"SELECT b.entity_id, NULL, l.id, l.tax_minor {_POSTED}",
        _ledger("input_tax", "debit"),
    ),
    (
        "carrier_bills_sums", "minor", "What carriers’ bills ask = the sum of their lines",
        "SELECT entity_id, NULL, id, net_minor + tax_minor FROM carrier_bill WHERE state <> 'refused'",
        ("SELECT b.entity_id, NULL, b.id, l.amount_minor + l.tax_minor FROM carrier_bill_line l "
        "JOIN carrier_bill b ON b.id = l.bill_id WHERE b.state <> 'refused'"),
    ),
    (
        "carrier_bills_carriage", "minor", "Freight of shipments that carriers billed = the lines that settled it",
        ("SELECT s.entity_id, NULL, g.shipment_id, g.freight_actual_minor FROM carriage g JOIN shipment s ON s.id = g.shipment_id "
        f"WHERE g.shipment_id IN (SELECT l.shipment_id {_POSTED} AND l.settles)"),
        f"SELECT b.entity_id, NULL, l.shipment_id, l.amount_minor {_POSTED} AND l.settles",
    ),
)  # fmt: skip
