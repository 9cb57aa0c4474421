"""The paper that goes with goods to their supplier: what comes, from which return, and what is expected for it."""

from __future__ import annotations

from app.queries.companies import ToldAddress
from app.queries.sending_back import SupplierReturnPage
from app.reports.papers import Paper, amount_text, day_text, frame, quantity_text, set_paper
from erpcore.kernel.clock import local_day


def supplier_return_paper(page: SupplierReturnPage, home: ToldAddress | None) -> Paper:
    """The document as it lies in the parcel; ``home``: where the company has its post, to which the credit goes."""
    row = page.row
    lines = [
        {
            "code": one.code, "name": one.name, "quantity": quantity_text(one.quantity, one.unit),
            "return": one.return_number, "expected": amount_text(one.expected_minor, row.currency),
        }
        for one in page.lines
    ]  # fmt: skip
    context = frame("Supplier return", row.number, row.sent_at, realm=row.realm, of=row.supplier)
    facts = [
        ("From", ", ".join([home.name, *home.lines] if home else [row.entity])),
        ("Site", row.site),
        ("Sent", day_text(local_day(row.sent_at, row.time_zone))),
        ("Note", row.note or "–"),
    ]
    shown = {
        "whose": row.entity, "facts": facts, "lines": lines, "to": row.supplier, "currency": row.currency,
        "expected": amount_text(row.expected_minor, row.currency),
    }  # fmt: skip
    return set_paper("supplier_return", context | shown, f"supplier-return-{row.number}")
