"""What do a posted invoice and a credit memo say to other programs? Read as they were posted, with who is who on their day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.queries.letterheads import pay_to, usual_address
from app.queries.taxes import stamps
from erpcore.billing.einvoice.document import (
    Delivery,
    EInvoice,
    Kind,
    Line,
    Party,
    Place,
    as_rest,
    parts_of,
    rest_notes,
    rounding_notes,
)
from erpcore.billing.einvoice.rules import identified
from erpcore.billing.models import CreditMemo, CreditMemoLine, Invoice, InvoiceLine, InvoiceState
from erpcore.billing.taxing import ROUNDING
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.money import from_minor, places
from erpcore.masterdata.addresses import CustomerAddress
from erpcore.masterdata.company_address import address_on, addresses_told
from erpcore.masterdata.countries import country_code
from erpcore.masterdata.models import Customer, Entity, Item, Site
from erpcore.masterdata.tax_models import TaxCategory, TaxRate, TaxRegistration
from erpcore.masterdata.unit_codes import unit_code
from erpcore.orders.models import OrderLine, SalesOrder

#: Letters before a VAT number that are not the code of the country.
_VAT_LETTERS = {"GR": "EL"}


class _Stamps(NamedTuple):
    """What the rules and exemptions of a document's lines are: kind, sentence, and where a rule asks us to be registered."""

    rules: dict[int, Any]
    said: dict[tuple[str, int], tuple[str, str]]


class _Names(NamedTuple):
    """The document with the people it is between."""

    entity: Entity
    customer: Customer
    site: Site
    day: date


def invoice_document(session: Session, actor: Actor, invoice_id: int) -> EInvoice:
    """A posted invoice in the model of EN 16931; what it lacks is ``None`` in it.

    Raises ``NotFound`` as the invoice's page does, and ``RuleBroken("einvoice_not_posted")`` before it has its number.
    """
    row = session.execute(
        _with_names(select(Invoice, SalesOrder.number.label("order"), SalesOrder.customer_reference), Invoice)
        .join(SalesOrder, SalesOrder.id == Invoice.order_id)
        .where(Invoice.id == invoice_id)
    ).one_or_none()
    if row is None or (actor.sites is not None and row.Invoice.site_id not in actor.sites):
        raise NotFound("invoice_unknown", id=invoice_id)
    invoice: Invoice = row.Invoice
    if invoice.state != InvoiceState.POSTED or invoice.number is None or invoice.invoice_on is None:
        raise RuleBroken("einvoice_not_posted", document=row.order)
    names = _Names(row.Entity, row.Customer, row.Site, invoice.invoice_on)
    found = session.execute(
        select(InvoiceLine, Item.code, Item.name, Item.unit)
        .join(OrderLine, OrderLine.id == InvoiceLine.order_line_id)
        .join(Item, Item.id == InvoiceLine.item_id)
        .where(InvoiceLine.invoice_id == invoice_id)
        .order_by(OrderLine.order_id, OrderLine.line_no)
    ).all()
    rows = [(one.InvoiceLine, one.code, one.name, one.unit) for one in found]
    shipments = list(
        session.scalars(select(Shipment).where(Shipment.invoice_id == invoice_id).order_by(Shipment.id))
    ) or [session.get_one(Shipment, invoice.shipment_id)]
    return _document(
        session, names, rows, kind=Kind.INVOICE, number=invoice.number, due_on=invoice.due_on, currency=invoice.currency,
        terms="", sums=(invoice.net_minor, invoice.tax_minor, invoice.gross_minor), shipments=shipments,
        buyer_reference=row.customer_reference or "", order=row.order, shipment=shipments[0].number,
    )  # fmt: skip


def memo_document(session: Session, actor: Actor, memo_id: int) -> EInvoice:
    """A credit memo in the model of EN 16931, with the invoices it corrects; raises ``NotFound`` as its page does."""
    row = session.execute(
        _with_names(select(CreditMemo), CreditMemo).where(CreditMemo.id == memo_id)
    ).one_or_none()  # fmt: skip
    if row is None or (actor.sites is not None and row.CreditMemo.site_id not in actor.sites):
        raise NotFound("not_found")
    memo: CreditMemo = row.CreditMemo
    if memo.number is None:
        raise RuleBroken("einvoice_not_posted", document="The credit memo")
    names = _Names(row.Entity, row.Customer, row.Site, memo.credit_on)
    found = session.execute(
        select(CreditMemoLine, Item.code, Item.name, Item.unit)
        .join(Item, Item.id == CreditMemoLine.item_id)
        .where(CreditMemoLine.credit_memo_id == memo_id)
        .order_by(CreditMemoLine.line_no)
    ).all()
    rows = [(one.CreditMemoLine, one.code, one.name, one.unit) for one in found]
    keys = {line.invoice_id for line, *_ in rows} | {memo.invoice_id}
    preceding = session.scalars(select(Invoice).where(Invoice.id.in_(keys - {None})).order_by(Invoice.id)).all()
    shipments: Sequence[Shipment] = []
    if preceding:
        query = select(Shipment).where(Shipment.invoice_id.in_([one.id for one in preceding]))
        shipments = session.scalars(query.order_by(Shipment.id)).all()
    return _document(
        session, names, rows, kind=Kind.CREDIT_MEMO, number=memo.number, due_on=None, currency=memo.currency,
        terms="Set against what is open, or paid back when asked for.", sums=(memo.net_minor, memo.tax_minor, memo.gross_minor),
        shipments=shipments, notes=[f"Reason: {memo.reason}."],
        preceding=[(one.number, one.invoice_on) for one in preceding if one.number and one.invoice_on],
    )  # fmt: skip


def _with_names(query: Any, document: Any) -> Any:
    return (
        query.add_columns(Entity, Customer, Site)
        .join(Entity, Entity.id == document.entity_id)
        .join(Customer, Customer.id == document.customer_id)
        .join(Site, Site.id == document.site_id)
    )


def _document(
    session: Session,
    names: _Names,
    rows: Sequence[tuple[Any, str, str, str]],
    *,
    kind: Kind,
    number: str,
    due_on: date | None,
    currency: str,
    terms: str,
    sums: tuple[int, int, int],
    shipments: Sequence[Shipment],
    notes: Sequence[str] = (),
    preceding: Sequence[tuple[str, date]] = (),
    buyer_reference: str = "",
    order: str = "",
    shipment: str = "",
) -> EInvoice:
    stamped = _stamps(session, [line for line, *_ in rows])
    lines = [_line(n, *row, currency, stamped) for n, row in enumerate(rows, 1)]
    net, tax, gross = (from_minor(minor, currency) for minor in sums)
    parts = parts_of(lines, places(currency))
    if kind is Kind.CREDIT_MEMO:
        parts = as_rest(parts, tax, preceding, places(currency))
    asked = [rule.registration for rule in stamped.rules.values() if rule.registration]
    delivery, gone_to = _delivery(session, names, shipments)
    buyer = _buyer(session, names, gone_to)
    seller = _seller(session, names, asked)
    if {part.category for part in parts} == {TaxCategory.OUTSIDE}:
        seller, buyer = identified(seller), identified(buyer)
    realm = [] if names.entity.realm == "live" else [f"{names.entity.realm.capitalize()}: nothing of this is owed."]
    return EInvoice(
        kind=kind, realm=names.entity.realm, number=number, issued_on=names.day, due_on=due_on, terms=terms, currency=currency, places=places(currency),
        notes=[*realm, *notes, ROUNDING, *rest_notes(parts, places(currency)), *rounding_notes(lines, currency)], buyer_reference=buyer_reference, order=order,
        shipment=shipment, preceding=preceding, seller=seller, buyer=buyer, delivery=delivery, lines=lines, parts=parts,
        net=net, tax=tax, gross=gross, pay_to=pay_to(session, names.entity.id, currency, names.day, seller.name) if kind is Kind.INVOICE else None,
    )  # fmt: skip


def _stamps(session: Session, lines: Iterable[Any]) -> _Stamps:
    held = list(lines)
    rules = {line.tax_rule_id for line in held if line.tax_rule_id}
    said = stamps(session, rules, {line.tax_exemption_id for line in held if line.tax_exemption_id})
    found = session.scalars(select(TaxRate).where(TaxRate.id.in_(rules))).all() if rules else []
    return _Stamps({rule.id: rule for rule in found}, said)


def _line(number: int, line: Any, code: str, name: str, unit: str, currency: str, stamped: _Stamps) -> Line:
    category, reason = _category(line, stamped)
    return Line(
        number=number, code=code, name=name, quantity=line.quantity, unit=unit_code(unit), unit_said=unit, price=line.unit_price,
        net=from_minor(line.net_minor, currency), category=category,
        rate=None if line.tax_rate is None else line.tax_rate * 100, reason=reason,
    )  # fmt: skip


def _category(line: Any, stamped: _Stamps) -> tuple[TaxCategory | None, str]:
    """The kind of tax with its sentence. A rate that no rule stands behind (billed before there were any) is the standard one."""
    if line.tax_exemption_id:
        return TaxCategory.EXEMPT, stamped.said.get(("exemption", line.tax_exemption_id), ("", ""))[1]
    rule = stamped.rules.get(line.tax_rule_id or 0)
    if rule is not None and not (rule.category == TaxCategory.STANDARD and not line.tax_rate):
        return TaxCategory(rule.category), rule.sentence or ""
    return (TaxCategory.STANDARD, "") if line.tax_rate else (None, "")


def _seller(session: Session, names: _Names, asked: Sequence[str]) -> Party:
    told = address_on(addresses_told(session, names.entity.id), names.day)
    numbers = _numbers(session, names, None)
    country = told.country if told else country_code(names.entity.country)
    vat, other = _chosen(numbers, [*map(country_code, asked), country])
    place = None
    if told is not None:
        place = Place(
            street=told.street, postal_code=told.postal_code, city=told.city, region=told.region or "", country=told.country
        )  # fmt: skip
    return Party(
        name=told.name if told else names.entity.name, place=place, vat=vat, tax_number=other,
        register_number=(told.register_number or "") if told else "",
    )  # fmt: skip


def _buyer(session: Session, names: _Names, gone_to: str | None) -> Party:
    """The customer at the address that was the usual one on the day; where none was, the one that is, and its country at least."""
    held = usual_address(session, names.customer.id, names.day)
    place = Place(country=country_code(names.customer.country)) if held is None else place_of(held)
    vat, _ = _chosen(_numbers(session, names, names.customer.id), [gone_to, place.country])
    return Party(name=names.customer.name, place=place, code=names.customer.code, vat=vat)


def place_of(address: CustomerAddress) -> Place:
    """A customer's address, its country by its code."""
    return Place(
        street=address.street, postal_code=address.postal_code, city=address.city, region=address.region or "",
        country=country_code(address.country),
    )  # fmt: skip


def _numbers(session: Session, names: _Names, customer: int | None) -> list[tuple[str | None, str]]:
    """The tax numbers in force on the day, with the code of their country."""
    whose = TaxRegistration.customer_id.is_(None) if customer is None else TaxRegistration.customer_id == customer
    rows = session.scalars(
        select(TaxRegistration)
        .where(
            TaxRegistration.entity_id == names.entity.id, whose, TaxRegistration.valid_from <= names.day,
            or_(TaxRegistration.valid_until.is_(None), TaxRegistration.valid_until > names.day),
        )
        .order_by(TaxRegistration.valid_from.desc(), TaxRegistration.id.desc())
    )  # fmt: skip
    return [(country_code(row.country), "".join(row.number.split())) for row in rows]


def _chosen(numbers: Sequence[tuple[str | None, str]], wanted: Sequence[str | None]) -> tuple[str, str]:
    """A VAT number and another tax number: those of the first country that is wanted and has one, else of any."""
    ranked = sorted(numbers, key=lambda one: wanted.index(one[0]) if one[0] in wanted else len(wanted))
    vat = next((number for country, number in ranked if _is_vat(number, country)), "")
    return vat, "" if vat else next((number for _, number in ranked), "")


def _is_vat(number: str, country: str | None) -> bool:
    """Whether it begins with the letters of its country (BR-CO-9)."""
    return country is not None and number.upper().startswith((country, _VAT_LETTERS.get(country, country)))


def _delivery(session: Session, names: _Names, shipments: Sequence[Shipment]) -> tuple[Delivery, str | None]:
    """To whom the goods of the first shipment went, and from when to when all of them left."""
    if not shipments:
        return Delivery(), None
    first = shipments[0]
    address = session.get(CustomerAddress, first.ship_to_id) if first.ship_to_id else None
    if address is not None:
        name, place = address.name, place_of(address)
    else:
        order = session.get_one(SalesOrder, first.order_id)
        name, place = "", Place(country=country_code(order.ship_country))
    days = [local_day(one.confirmed_at, names.site.time_zone) for one in shipments if one.confirmed_at]
    delivery = Delivery(
        name=name, place=place if place.country else None, first=min(days, default=None), last=max(days, default=None)
    )
    return delivery, place.country
