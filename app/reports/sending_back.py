"""The paper that goes with goods to their supplier: what comes, from which return, and what is expected for it."""

from __future__ import annotations

from app.queries.sending_back import SupplierReturnPage
from app.reports.papers import Paper, day_text, frame, set_paper
from erpcore.kernel.money import from_minor


def supplier_return_paper(page: SupplierReturnPage) -> Paper:
    """The document as it lies in the parcel."""
    row = page.row
    lines = [
        {
            "code": one.code, "name": one.name, "quantity": f"{one.quantity:f}".rstrip("0").rstrip(".") + f" {one.unit}",
            "return": one.return_number, "expected": f"{from_minor(one.expected_minor, row.currency):,}",
        }
        for one in page.lines
    ]  # fmt: skip
    context = frame("Supplier return", row.number, row.sent_at, realm=row.realm, of=row.supplier)
    facts = [("From", row.site), ("Sent", day_text(row.sent_at.date())), ("Note", row.note or "–")]
    shown = {
        "whose": row.entity, "facts": facts, "lines": lines, "to": row.supplier, "currency": row.currency,
        "expected": f"{from_minor(row.expected_minor, row.currency):,}",
    }  # fmt: skip
    return set_paper("supplier_return", context | shown, f"supplier-return-{row.number}")
