"""What does a carrier's bill say? A file in known columns, or lines as a person types them.

A file that is none is refused at once; a line that cannot be read says why and stays with the bill.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from app.importers.bankfiles.values import Unreadable, clean, minor_of
from app.importers.sheets import Layout, read_sheet
from erpcore.billing.freight.taking import BillEntry, TakeCarrierBill, TakenBill, take_carrier_bill
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.ports import ProcessRules

MOST_LINES = 20_000
LAYOUT = Layout(
    columns=("shipment", "amount", "tax", "text"), required=frozenset({"shipment", "amount"}),
    model="shipment, amount, tax, text", most_rows=MOST_LINES,
)  # fmt: skip
_SIGNS = "-\N{MINUS SIGN}"


@dataclass(frozen=True, kw_only=True, slots=True)
class BillHead:
    """What stands on a bill besides its lines; ``total_minor`` with tax."""

    carrier: int
    site: int
    number: str
    billed_on: date
    total_minor: int
    due_on: date | None = None
    currency: str = ""


def take_bill_file(
    work: UnitOfWork, head: BillHead, content: bytes, file_name: str, *, rules: ProcessRules
) -> TakenBill:
    """Read a carrier's file, and take the bill. Raises ``RuleBroken`` for a file that is none, or has other columns."""
    sheet = read_sheet(file_name, io.BytesIO(content), LAYOUT)
    currency = site_facts(work, head.site).entity.currency
    lines = [_entry(row[1:], currency) for row in sheet.content]
    return _take(work, head, lines, sheet.file_name, sheet.digest, rules)


def take_typed_bill(work: UnitOfWork, head: BillHead, lines: Sequence[BillEntry], *, rules: ProcessRules) -> TakenBill:
    """Take a bill whose lines somebody typed, or a program sent."""
    said = [[head.number, str(head.billed_on)], *([one.reference, one.amount_minor, one.tax_minor] for one in lines)]
    return _take(work, head, lines, "entered line by line", sha256(repr(said).encode()).hexdigest(), rules)


def typed_lines(text: str, currency: str) -> list[BillEntry]:
    """Lines as they are typed: ``shipment; amount; tax; text``, the last two may be left out.

    Raises ``RuleBroken`` for a line that cannot be read, which its writer mends at once.
    """
    out = []
    for line in text.splitlines():
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split(";", 3)]
        entry = _entry([*cells, *[""] * (4 - len(cells))], currency)
        if len(cells) < 2 or entry.fault:
            raise RuleBroken("carrier_bill_lines_unclear", field="lines", line=clean(line, 80))
        out.append(entry)
    return out


def _take(
    work: UnitOfWork, head: BillHead, lines: Sequence[BillEntry], file_name: str, digest: str, rules: ProcessRules
) -> TakenBill:
    command = TakeCarrierBill(
        carrier=head.carrier, site=head.site, number=head.number, billed_on=head.billed_on, due_on=head.due_on,
        total_minor=head.total_minor, currency=head.currency, file_name=file_name, digest=digest, lines=lines,
    )  # fmt: skip
    return take_carrier_bill(work, command, rules=rules)


def _entry(cells: Sequence[str], currency: str) -> BillEntry:
    """A row of the file; one of a single cell is no row, and the cell says why."""
    raw = clean("; ".join(cells), 2000)
    if len(cells) == 1:
        return BillEntry(raw=raw, fault=cells[0])
    shipment, amount, tax, text = cells
    try:
        net, on_top = signed(amount, currency), signed(tax, currency) if tax.strip() else 0
    except Unreadable as unread:
        return BillEntry(raw=raw, reference=clean(shipment, 120), text=clean(text), fault=str(unread))
    return BillEntry(raw=raw, reference=clean(shipment, 120), amount_minor=net, tax_minor=on_top, text=clean(text))


def signed(text: str, currency: str) -> int:
    """An amount with its sign; what stands last of comma and point is the decimal mark. Raises ``Unreadable``."""
    bare = text.strip()
    sign = -1 if bare[:1] in _SIGNS or bare.endswith("-") else 1
    bare = bare.strip(f"+{_SIGNS} ")
    return sign * minor_of(bare, currency, mark="," if bare.rfind(",") > bare.rfind(".") else ".")
