"""What does an invoice say to another program? The semantic model of EN 16931, as far as our documents fill it.

Each field names the business term (BT) or group (BG) that it is. Amounts are in the currency's units and exact; what nobody knows
yet is ``None`` and found by ``rules.lacking``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from erpcore.masterdata.tax_models import TaxCategory

#: BT-24: the core of the standard, without a country's own rules.
SPECIFICATION = "urn:cen.eu:en16931:2017"


class Kind(StrEnum):
    """BT-3, by the codes of UNCL 1001."""

    INVOICE = "380"
    CREDIT_MEMO = "381"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """BG-5, BG-8, BG-15: an address; ``country`` is a code of ISO 3166-1."""

    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Party:
    """BG-4, BG-7. ``vat`` is a VAT number with the letters of its country (BT-31, BT-48), ``tax_number`` another one (BT-32)."""

    name: str
    place: Place | None
    code: str = ""
    vat: str = ""
    tax_number: str = ""
    register_number: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """BG-25. ``rate`` is in percent; ``unit`` the code of UN/ECE Rec 20, ``unit_said`` what the item keeps."""

    number: int
    code: str
    name: str
    quantity: Decimal
    unit: str | None
    unit_said: str
    price: Decimal
    net: Decimal
    category: TaxCategory | None
    rate: Decimal | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaxPart:
    """BG-23: what is taxed alike, and the tax on it."""

    category: TaxCategory
    rate: Decimal
    base: Decimal
    tax: Decimal
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """BG-13: to whom and where the goods went, and on which days they left (BT-72, or BG-14 where they are several)."""

    name: str = ""
    place: Place | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PayTo:
    """BG-17: the account that the buyer pays to (BT-84), whose it is (BT-85), and the bank (BT-86)."""

    account: str
    is_iban: bool
    holder: str
    bic: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class EInvoice:
    """An invoice or a credit memo. ``places``: decimal places of its currency. ``preceding`` is BG-3: number and day."""

    kind: Kind
    realm: str
    number: str
    issued_on: date
    due_on: date | None
    terms: str
    currency: str
    places: int
    notes: Sequence[str]
    buyer_reference: str
    order: str
    shipment: str
    preceding: Sequence[tuple[str, date]]
    seller: Party
    buyer: Party
    delivery: Delivery
    lines: Sequence[Line]
    parts: Sequence[TaxPart]
    net: Decimal
    tax: Decimal
    gross: Decimal
    pay_to: PayTo | None = None

    @property
    def means(self) -> str:
        """BT-81, by the codes of UNCL 4461: a SEPA credit transfer, or another one."""
        return "58" if self.pay_to and self.pay_to.is_iban and self.currency == "EUR" else "30"

    @property
    def file_name(self) -> str:
        """The document by its number, for a file."""
        return "".join(one if one.isalnum() or one in "-_." else "-" for one in self.number)


def rounded(value: Decimal, places: int) -> Decimal:
    """Half away from zero, as all money is."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def parts_of(lines: Iterable[Line], places: int) -> list[TaxPart]:
    """The breakdown by category and rate (BR-CO-18): tax is rounded once for each, on the sum of its lines."""
    groups: dict[tuple[TaxCategory, Decimal], list[Line]] = {}
    for line in lines:
        if line.category is not None and line.rate is not None:
            groups.setdefault((line.category, line.rate.normalize()), []).append(line)
    out = []
    for (category, rate), held in sorted(groups.items()):
        base = sum((one.net for one in held), Decimal(0))
        reasons = dict.fromkeys(one.reason for one in held if one.reason)
        said = " ".join(reasons) if category not in (TaxCategory.STANDARD, TaxCategory.ZERO) else ""
        out.append(
            TaxPart(category=category, rate=rate, base=base, tax=rounded(base * rate / 100, places), reason=said)
        )
    return out


def most_apart(parts: Sequence[TaxPart], preceding: Sequence[object], places: int) -> Decimal:
    """By how much the tax of a credit memo may differ from its rate on its base: a smallest unit for each invoice and rate."""
    return Decimal(len(parts) * len(preceding)).scaleb(-places)


def as_rest(parts: Sequence[TaxPart], tax: Decimal, preceding: Sequence[object], places: int) -> list[TaxPart]:
    """The breakdown of a credit memo whose tax is the rest of what its invoices bear: the largest base bears what that differs by.

    Parts whose sum is further from the tax than such a rest can be stay as they are, and the document does not agree.
    """
    rest = tax - sum((one.tax for one in parts), Decimal(0))
    if not rest or abs(rest) > most_apart(parts, preceding, places):
        return list(parts)
    bears = max(parts, key=lambda one: abs(one.base))
    return [replace(one, tax=one.tax + rest) if one is bears else one for one in parts]


def rest_notes(parts: Iterable[TaxPart], places: int) -> list[str]:
    """Which tax is not its rate on its base, and why."""
    return [
        f"Tax at {one.rate.normalize():f} % on {one.base:f} is {one.tax:f} here, not {rounded(one.base * one.rate / 100, places):f}: "
        "with what was given back before it is the tax of the invoice."
        for one in parts
        if one.tax != rounded(one.base * one.rate / 100, places)
    ]  # fmt: skip


def rounding_notes(lines: Sequence[Line], currency: str, most: int = 12) -> list[str]:
    """Which lines cost another amount than price times quantity, since each is rounded by itself; at most so many are named."""
    other = [
        f"line {one.number}: {one.quantity.normalize():f} × {one.price.normalize():f} = {(one.quantity * one.price).normalize():f}, "
        f"rounded {one.net:f}"
        for one in lines
        if one.quantity * one.price != one.net
    ]
    if not other:
        return []
    rest = f"; and {len(other) - most} more" if len(other) > most else ""
    return [f"Each line is rounded to the smallest unit of {currency}: {'; '.join(other[:most])}{rest}."]
