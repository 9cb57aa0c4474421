"""E-invoices as tests name them: valid in everything a test does not say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from erpcore.billing.einvoice.document import Delivery, EInvoice, Kind, Line, Party, Place, parts_of
from erpcore.masterdata.company_address import CompanyAddress, TellAddress, tell_address
from erpcore.masterdata.tax_keeping import NewTaxNumber, keep_tax_number
from erpcore.masterdata.tax_models import TaxCategory

SEAT = CompanyAddress(
    name="Nordhaus GmbH", street="Ruhrstraße 4", postal_code="47051", city="Duisburg", country="DE", register_number="HRB 4711"
)  # fmt: skip
SELLER = Party(
    name="Nordhaus GmbH", vat="DE811907980", register_number="HRB 4711 Duisburg",
    place=Place(street="Ruhrstraße 4", postal_code="47051", city="Duisburg", country="DE"),
)  # fmt: skip
BUYER = Party(
    name="Bautechnik & Söhne <GmbH>", code="10482", place=Place(street="Am Ring 1", postal_code="6900", city="Bregenz", country="AT")
)  # fmt: skip


def a_line(number=1, **changes):
    """Seven pieces at 1.234567."""
    quantity, price = changes.pop("quantity", Decimal(7)), changes.pop("price", Decimal("1.234567"))
    net = changes.pop("net", (quantity * price).quantize(Decimal("0.01")))
    said = {
        "number": number, "code": f"40-{number}", "name": f"Pipe {number}", "quantity": quantity, "unit": "H87", "unit_said": "pc",
        "price": price, "net": net, "category": TaxCategory.STANDARD, "rate": Decimal(19),
    }  # fmt: skip
    return Line(**{**said, **changes})


def an_einvoice(lines=None, **changes):
    """An invoice whose sums follow from its lines unless they are named."""
    lines = [a_line(1), a_line(2, price=Decimal("10.00"), rate=Decimal(7))] if lines is None else lines
    parts = parts_of(lines, 2)
    net, tax = sum((one.net for one in lines), Decimal(0)), sum((one.tax for one in parts), Decimal(0))
    said = EInvoice(
        kind=Kind.INVOICE, realm="live", number="INV-2026-000001", issued_on=date(2026, 3, 2), due_on=date(2026, 4, 1), terms="",
        currency="EUR", places=2, notes=["Tax is rounded once."], buyer_reference="PO 17", order="SO-1", shipment="SH-1",
        preceding=(), seller=SELLER, buyer=BUYER,
        delivery=Delivery(name="Baustelle", place=BUYER.place, first=date(2026, 3, 1), last=date(2026, 3, 1)),
        lines=lines, parts=parts, net=net, tax=tax, gross=net + tax,
    )  # fmt: skip
    return replace(said, **changes)


def known_to_others(business, *, since=date(2020, 1, 1)):
    """The company has an address and a VAT number, as its e-invoices need."""
    with business.work() as work:
        tell_address(work, TellAddress(entity=business.entity, address=SEAT, valid_from=since, reason="as registered"))
        keep_tax_number(
            work, NewTaxNumber(entity=business.entity, country="Germany", number="DE 811 907 980", valid_from=since)
        )
