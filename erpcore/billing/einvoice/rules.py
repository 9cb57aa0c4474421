"""May a document be given to other programs? What EN 16931 demands of ours, and whether its sums agree.

Both are asked before a document leaves. Nothing here stops posting: what lacks is entered, and the document can be had then.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from erpcore.billing.einvoice.document import EInvoice, Kind, Party, most_apart, parts_of, rounded
from erpcore.masterdata.tax_models import TaxCategory as T

#: The standard knows amounts of at most so many decimal places (BR-DEC).
MOST_PLACES = 2
_SELLER_VAT = frozenset({T.REVERSE_CHARGE, T.INTRA_COMMUNITY, T.EXPORT})
_BUYER_VAT = frozenset({T.REVERSE_CHARGE, T.INTRA_COMMUNITY})
#: Kinds whose breakdown says why no tax is charged (BR-AE-10, BR-E-10, BR-G-10, BR-IC-10, BR-O-10).
_REASONED = frozenset({T.REVERSE_CHARGE, T.INTRA_COMMUNITY, T.EXPORT, T.EXEMPT, T.OUTSIDE})
_WORDS = {
    T.REVERSE_CHARGE: "a reverse charge", T.INTRA_COMMUNITY: "an intra-Community supply", T.EXPORT: "an export", T.EXEMPT: "an exemption",
    T.OUTSIDE: "what is outside the scope of tax",
}  # fmt: skip
_COMPANY = "Enter it under Tax rules, at the company’s address and tax numbers"
_CUSTOMER = "Enter it at the customer, under Addresses"


class Lack(NamedTuple):
    """What the standard demands and the document has not: the rule, a sentence, and where to enter it."""

    rule: str
    sentence: str
    way_out: str


def lacking(said: EInvoice) -> list[Lack]:
    """All that lacks, in the order of the document; empty: it may be given out once its sums agree."""
    return [*_of_seller(said), *_of_buyer(said), *_of_lines(said), *_of_taxes(said), *_of_rest(said)]


def _of_seller(said: EInvoice) -> Iterator[Lack]:
    seller = said.seller
    if seller.place is None:
        yield Lack("BR-08", f"{seller.name} has no address that held on {said.issued_on:%d.%m.%Y}", _COMPANY)
    elif seller.place.country is None:
        yield Lack("BR-09", f"the country of {seller.name} is unknown", _COMPANY)
    charged = {part.category for part in said.parts}
    if charged - {T.OUTSIDE} and not (seller.vat or seller.tax_number):
        yield Lack("BR-S-02", f"{seller.name} has no tax number that held on {said.issued_on:%d.%m.%Y}", _COMPANY)
    elif charged & _SELLER_VAT and not seller.vat:
        yield Lack("BR-IC-02", f"{seller.name} has no VAT number that begins with the letters of its country", _COMPANY)
    if not (seller.vat or seller.register_number or seller.tax_number):
        yield Lack(
            "BR-CO-26", f"nothing identifies {seller.name}: neither a VAT number nor one of a register", _COMPANY
        )


def _of_buyer(said: EInvoice) -> Iterator[Lack]:
    buyer = said.buyer
    if not buyer.name.strip():
        yield Lack("BR-07", "the customer has no name", _CUSTOMER)
    if buyer.place is None or buyer.place.country is None:
        yield Lack("BR-11", f"the country of {buyer.name} is no country of ISO 3166", f"{_CUSTOMER}, by its usual name")
    asked = sorted({part.category for part in said.parts} & _BUYER_VAT)
    if asked and not buyer.vat:
        kinds = " and ".join(_WORDS[one] for one in asked)
        yield Lack(
            "BR-IC-02", f"{buyer.name} has no VAT number that held on {said.issued_on:%d.%m.%Y}, and {kinds} needs one", _CUSTOMER
        )  # fmt: skip


def _of_lines(said: EInvoice) -> Iterator[Lack]:
    if not said.lines:
        yield Lack("BR-16", "the document has no line", "Credit it and bill anew")
    units = {line.unit_said: line.code for line in reversed(said.lines) if line.unit is None}
    for unit, code in sorted(units.items()):
        yield Lack(
                "BR-23", f"the unit “{unit}” of {code} has no code of UN/ECE Recommendation 20",
                "Keep the item in a unit with a code, such as pc, kg, m, or the code itself",
            )  # fmt: skip
    for why, rule in (("no known tax", False), ("no tax, and no tax rule or exemption says why", True)):
        found = [line.number for line in said.lines if line.category is None and (line.rate is not None) is rule]
        if found:
            named = ", ".join(map(str, found))
            verb = f"lines {named} bear" if len(found) > 1 else f"line {named} bears"
            yield Lack("BR-CO-04", f"{verb} {why}", "Credit it, and bill it anew once a tax rule fits")


def _of_taxes(said: EInvoice) -> Iterator[Lack]:
    for part in said.parts:
        if part.category in _REASONED and not part.reason:
            yield Lack(
                f"BR-{part.category}-10", f"{_WORDS[part.category]} says no reason why no tax is charged",
                "Add a tax rule with its sentence, then credit and bill anew",
            )  # fmt: skip
    if T.OUTSIDE in {part.category for part in said.parts} and len(said.parts) > 1:
        yield Lack("BR-O-11", "it mixes what is outside the scope of tax with what is not", "Bill these lines apart")
    if T.INTRA_COMMUNITY in {part.category for part in said.parts}:
        if said.delivery.first is None:
            yield Lack(
                "BR-IC-11", "an intra-Community supply names the day on which the goods left", "Confirm the shipment"
            )
        if said.delivery.place is None or said.delivery.place.country is None:
            yield Lack("BR-IC-12", "an intra-Community supply names the country to which the goods went", _CUSTOMER)


def _of_rest(said: EInvoice) -> Iterator[Lack]:
    if said.places > MOST_PLACES:
        yield Lack(
            "BR-DEC", f"amounts in {said.currency} have {said.places} decimal places, the standard knows {MOST_PLACES}",
            "Send the document in another way",
        )  # fmt: skip


class Difference(NamedTuple):
    """A sum that does not agree, by the rule that says it should."""

    rule: str
    sentence: str


def differences(said: EInvoice) -> list[Difference]:
    """Where the document's sums do not agree with each other; empty: all do. To the smallest unit; only the rates of a credit memo
    have room for what its invoices' tax was rounded by.
    """
    zero = Decimal(0)
    out = []

    def same(rule: str, what: str, found: Decimal, due: Decimal) -> None:
        if found != due:
            out.append(Difference(rule, f"{what} is {found:f}, and should be {due:f}"))

    lines = sum((one.net for one in said.lines), zero)
    # Without allowances and charges on the document the sum of lines (BT-106) is its net (BT-109).
    same("BR-CO-10", "the sum of the lines", lines, said.net)
    same("BR-CO-13", "the sum of what is taxed", sum((one.base for one in said.parts), zero), said.net)
    same("BR-CO-14", "the sum of the tax of each rate", sum((one.tax for one in said.parts), zero), said.tax)
    same("BR-CO-15", "net and tax together", said.net + said.tax, said.gross)
    # The tax of a later credit is the rest of what its invoices bear; the standard's own check leaves room for that.
    room = most_apart(said.parts, said.preceding, said.places) if said.kind is Kind.CREDIT_MEMO else zero
    for part in said.parts:
        name, by_rate = f"the tax of {part.category} at {part.rate.normalize():f} %", part.base * part.rate / 100
        if abs(part.tax - rounded(by_rate, said.places)) > room:
            same("BR-CO-17", name, part.tax, rounded(by_rate, said.places))
    for due in parts_of(said.lines, said.places):
        held = next((one for one in said.parts if (one.category, one.rate) == (due.category, due.rate)), None)
        name = f"what is taxed as {due.category} at {due.rate:f} %"
        same(f"BR-{due.category}-08", name, held.base if held else zero, due.base)
    amounts = (said.net, said.tax, said.gross, *(line.net for line in said.lines))
    odd = [one for one in amounts if one != rounded(one, min(said.places, MOST_PLACES))]
    return out + [Difference("BR-DEC", f"{one:f} has more decimal places than {said.currency}") for one in odd]


def identified(party: Party) -> Party:
    """The party as a document that is outside the scope of tax names it: without numbers of tax (BR-O-02)."""
    return Party(name=party.name, place=party.place, code=party.code, register_number=party.register_number)
