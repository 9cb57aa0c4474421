"""Which papers go with an order, a task, a shipment and a shelf, and what stands on them?

Words are those of the glossary. A paper says only what the documents say, and is made from them outside of any transaction;
the same documents give the same bytes, for its date is that of the document.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from app.queries.addresses import AddressFact
from app.queries.companies import ToldAddress
from app.queries.floor import TaskPage
from app.queries.order_facts import OrderPage
from app.queries.quotes import QuotedItem, QuotePage
from app.queries.returns import ReturnPage
from app.queries.shelves import LocationFact
from app.queries.shipments import CartonFact, ShipmentPage
from app.reports.barcode import code_128
from app.reports.typesetting import product_sign, set_pages, templates
from erpcore.billing.einvoice.document import PayTo
from erpcore.kernel.clock import local_day, zone
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.money import from_minor, places

#: How the day that is promised came about, as customers read it.
_BASIS = {"ship": "leaves us", "delivery": "arrives"}


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A PDF with its name."""

    file_name: str
    content: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def quantity_text(value: Decimal, unit: str = "") -> str:
    """A quantity without idle zeros, as papers write it: ``1,200 pc``."""
    text = f"{value:,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} {unit}".strip()


def amount_text(minor: int, currency: str) -> str:
    """Minor units as an amount with its places, thousands apart."""
    return f"{from_minor(minor, currency):,.{places(currency)}f}"


def _price(value: Decimal) -> str:
    whole, _, part = f"{value:,f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def day_text(on: date | None) -> str:
    """A day as letters write it."""
    return "–" if on is None else f"{on:%a} {on.day} {on:%b %Y}"


def _moment(at: datetime | None, time_zone: str) -> str:
    if at is None:
        return "–"
    here = at.astimezone(zone(time_zone))
    return f"{here:%a} {here.day} {here:%b %Y %H:%M}"


def _weight(kg: Decimal | None) -> str:
    return "–" if kg is None else f"{quantity_text(kg)} kg"


def frame(kind: str, number: str, made_at: datetime, *, realm: str, of: str = "", foot: str = "") -> dict[str, Any]:
    """What every paper has: its kind, number and date, the sign, and how a number becomes bars."""
    paper = {
        "kind": kind, "number": number, "title": f"{kind} {number}", "foot": foot or f"{kind} {number}",
        "made_at": made_at, "realm": realm, "of": of,
    }  # fmt: skip
    return {
        "paper": paper,
        "sign": product_sign,
        "bars": lambda text: code_128(text, height_mm=13) if _is_plain(text) else "",
    }


def pay_rows(to: PayTo | None, reference: str) -> list[tuple[str, str]]:
    """Where and under which reference to pay, as a letter says it; nothing where no account is named."""
    if to is None:
        return []
    number = " ".join(to.account[at : at + 4] for at in range(0, len(to.account), 4)) if to.is_iban else to.account
    rows = [("To", to.holder), ("IBAN" if to.is_iban else "Account", number), ("BIC", to.bic), ("Reference", reference)]
    return [one for one in rows if one[1]]


def set_paper(template: str, context: dict[str, Any], name: str) -> Paper:
    """Set the paper of that template."""
    html = templates().get_template(f"papers/{template}.html").render(**context)
    return Paper(file_name=f"{name}.pdf", content=set_pages(html, "slips"))


def order_confirmation(order: OrderPage) -> Paper:
    """What the customer ordered, what we promise for each line, and what it comes to. Dated by the order's capture."""
    lines = [
        {
            "line_no": line.line_no, "code": line.code, "name": line.name,
            "quantity": quantity_text(line.quantity - line.cancelled, line.unit), "day": day_text(line.promised_on),
            "day_note": _BASIS.get(line.basis, ""), "price": _price(line.unit_price),
            "net": amount_text(_left_value(line, order.currency), order.currency),
        }
        for line in order.lines
        if line.quantity > line.cancelled
    ]  # fmt: skip
    context = frame(
        "Order confirmation", order.number, order.captured_at, realm=order.realm,
        foot=f"Order {order.number} · {order.entity}",
    )  # fmt: skip
    facts = [
        ("Order date", day_text(local_day(order.captured_at, order.time_zone))), ("Customer", order.customer_code),
        ("Your reference", order.reference or "–"), ("Ships from", order.site),
    ]  # fmt: skip
    shown = {
        "customer": order.ship_to.name if order.ship_to else order.customer,
        "address": _paper_lines(order.ship_to, order.ship_country), "to_label": "Ship to", "currency": order.currency,
        "day_label": "Promised date", "lines": lines, "sums": order_sums(order),
    }  # fmt: skip
    note = "The promised date is the day our promise is kept by; a line that must wait is confirmed anew."
    return set_paper("order", context | {"whose": order.entity, "facts": facts, "order": shown, "note": note},
                f"order-confirmation-{order.number}")  # fmt: skip


def quote_paper(quote: QuotePage) -> Paper:
    """What we offer, at which prices, until which day. Dated by the day it was sent, or written while it is a draft."""
    row = quote.row
    name = row.number + (f"-{row.revision}" if row.revision > 1 else "")
    lines = [
        {
            "line_no": line.line_no, "code": line.code, "name": line.name, "quantity": quantity_text(line.quantity, line.unit),
            "day": "with the goods" if line.is_rush_charge else day_text(line.promised_on), "day_note": _if_ordered(line),
            "price": _price(line.unit_price), "net": amount_text(line.value_minor, row.currency),
        }
        for line in quote.lines
    ]  # fmt: skip
    kind = "Quote" if row.sent_at is not None else "Draft quote"
    made = row.sent_at or row.entered_at
    context = frame(kind, name, made, realm=row.realm, foot=f"{kind} {name} · {quote.entity}")
    facts = [
        ("Date", day_text(local_day(made, row.time_zone))), ("Prices hold until", day_text(row.last_day)),
        ("Customer", row.customer_code), ("Your reference", row.reference or "–"), ("Ships from", row.site),
        ("Revision", str(row.revision)),
    ]  # fmt: skip
    shown = {
        "customer": row.customer, "address": [quote.ship_country], "to_label": "For", "currency": row.currency,
        "day_label": "Could come", "lines": lines,
        "sums": _sums([(line.value_minor, line.tax_rate) for line in quote.lines], row.currency),
    }  # fmt: skip
    binding = (
        f"The prices hold for orders that reach us by {day_text(row.last_day)}. Days are those of an order placed now; "
        "the confirmation of your order promises them."
    )  # fmt: skip
    note = binding if row.sent_at is not None else "A draft: it binds nobody until it is sent."
    said = {"words": quote.note or "", "note": note}
    return set_paper("order", context | {"whose": quote.entity, "facts": facts, "order": shown, **said},
                f"quote-{name}")  # fmt: skip


def _if_ordered(line: QuotedItem) -> str:
    """What a day on a quote means; the charge for a rush has none of its own."""
    if line.is_rush_charge:
        return ""
    return "rush, if ordered now" if line.is_rush else "if ordered now"


def _paper_lines(address: AddressFact | None, country: str) -> list[str]:
    """What stands below the name: the whole address where one is known, else the country."""
    return [*address.lines, address.country] if address else [country]


def _left_value(line: Any, currency: str) -> int:
    """A line's value without what was cancelled of it, rounded once."""
    if not line.cancelled:
        return int(line.value_minor)
    scale = Decimal(10) ** places(currency)
    return int(((line.quantity - line.cancelled) * line.unit_price * scale).quantize(Decimal(1), ROUND_HALF_UP))


def order_sums(order: OrderPage) -> list[tuple[str, str]]:
    """Net, tax by rate, and what is due of what is left of the order."""
    return _sums([(_left_value(line, order.currency), line.tax_rate) for line in order.lines], order.currency)


def _sums(lines: list[tuple[int, Decimal | None]], currency: str) -> list[tuple[str, str]]:
    """Net, tax by rate, and the total of values in minor units. Lines whose tax no rate determines are said to be untaxed yet."""
    net, unknown = 0, False
    taxes: dict[Decimal, int] = {}
    for value, rate in lines:
        net += value
        if rate is None:
            unknown = True
            continue
        taxes[rate] = taxes.get(rate, 0) + value
    sums = [("Net", f"{amount_text(net, currency)} {currency}")]
    total = net
    for rate, base in sorted(taxes.items()):
        tax = int((base * rate).quantize(Decimal(1), ROUND_HALF_UP))
        total += tax
        sums.append((f"Tax {quantity_text(rate * 100)} %", f"{amount_text(tax, currency)} {currency}"))
    if unknown:
        sums.append(("Tax of other lines", "not determined yet"))
    return [*sums, ("Total", f"{amount_text(total, currency)} {currency}")]


def pick_list(task: TaskPage) -> Paper:
    """A task on paper, in the order of the walk; what was picked already is not on it."""
    card = task.card
    lines = [
        {
            "location": line.location, "lot": line.lot, "code": line.code, "name": line.name, "order": line.order,
            "quantity": quantity_text(line.left), "unit": line.unit, "tote": line.tote,
            "bars": code_128(line.code, height_mm=8, module_um=250, label=False) if _is_plain(line.code) else "",
        }
        for line in task.lines
        if not line.is_done
    ]  # fmt: skip
    if not lines:
        raise RuleBroken(
            "nothing_on_paper",
            paper="pick list",
            why="all of it is picked or said to be short. What was picked is on the packing slip",
        )
    totes: dict[int, dict[str, Any]] = {}
    for line in task.lines:
        totes.setdefault(line.tote, {"number": line.tote, "order": line.order, "customer": line.customer})
    facts = [
        ("Site", card.site), ("Zone", card.zone or "all"), ("Pick wave", card.wave or "none"),
        ("Due", _moment(card.due_at, task.time_zone)), ("Priority", str(card.priority)), ("Lines", str(len(lines))),
        ("Orders", str(len(totes))), ("Picker", card.owner or "–"),
    ]  # fmt: skip
    context = frame("Pick list", f"T-{card.id}", card.created_at, realm=task.realm, of=card.title)
    return set_paper("pick_list", context | {"whose": card.site, "facts": facts, "lines": lines, "totes": list(totes.values())},
                f"pick-list-{card.id}")  # fmt: skip


def _is_plain(code: str) -> bool:
    return code.isascii() and code.isprintable() and len(code) <= 24


def packing_slip(page: ShipmentPage) -> Paper:
    """What lies in the shipment and in which carton, for whoever opens it. No prices."""
    closed = page.closed_cartons
    where: dict[int, list[str]] = {}
    for carton in closed:
        for line_no, *_ in carton.contents:
            where.setdefault(line_no, []).append(str(closed.index(carton) + 1))
    lines = [
        {
            "line_no": line.line_no, "code": line.code, "name": line.name, "ordered": quantity_text(line.ordered, line.unit),
            "quantity": quantity_text(line.quantity, line.unit), "cartons": ", ".join(where.get(line.line_no, [])),
        }
        for line in page.lines
    ]  # fmt: skip
    cartons = [
        {
            "of": f"{number} of {len(closed)}", "number": one.number, "kind": one.kind, "size": one.size,
            "weight": _weight(one.weight_kg),
        }
        for number, one in enumerate(closed, start=1)
    ]  # fmt: skip
    facts = [
        ("Order", page.order), ("Your reference", page.reference or "–"), ("Customer", page.customer_code),
        ("Ships from", page.site), ("Carrier", page.carriage.service or "–"),
        ("Tracking number", page.carriage.tracking_number or "–"), ("Weight", _weight(page.carriage.weight_kg)),
        ("Cartons", str(len(closed)) if closed else "–"),
    ]  # fmt: skip
    made = page.confirmed_at or page.carriage.packed_at or page.picked_at
    context = frame("Packing slip", page.number, made, realm=page.realm, of=f"Order {page.order}")
    to = {
        "name": page.ship_to.name if page.ship_to else page.customer,
        "address": _paper_lines(page.ship_to, page.ship_country),
    }
    return set_paper("packing_slip", context | {"whose": page.entity, "facts": facts, "lines": lines, "cartons": cartons, "to": to},
                f"packing-slip-{page.number}")  # fmt: skip


def carton_labels(page: ShipmentPage, carton: int | None = None) -> Paper:
    """The labels of a shipment's closed cartons, or of one of them, in the format of the carrier's service."""
    closed = page.closed_cartons
    wanted = [one for one in closed if carton in (None, one.id)]
    if not wanted:
        raise RuleBroken(
            "nothing_on_paper", paper="carton label", why="no carton is closed. Pack one and close it, then print"
        )
    labels = [_carton_label(page, one, closed.index(one) + 1, len(closed)) for one in wanted]
    made = max(one.closed_at for one in wanted if one.closed_at is not None)
    context = {"labels": labels, "title": f"Carton labels {page.number}", "made_at": made}
    name = f"carton-label-{wanted[0].number}" if carton is not None else f"carton-labels-{page.number}"
    return set_paper("labels", context, name)


def return_label(page: ReturnPage, home: ToldAddress | None) -> Paper:
    """What the customer sticks on the parcel that comes back: the number as bars, what is to lie in it, and where it goes: to the
    company's postal address (``home``), with the site that takes it in; to the site by name alone where no address was told.
    """
    row = page.row
    if row.state not in ("authorised", "received", "inspected", "credited"):
        raise RuleBroken(
            "nothing_on_paper", paper="return label", why="the return is not authorised. Authorise it, then print"
        )
    lines = [
        {"code": line.code, "name": line.name, "quantity": quantity_text(line.asked, line.unit)}
        for line in page.lines
        if line.asked
    ]
    context = frame("Return", row.number, row.requested_at, realm=row.realm, of=row.customer)
    facts = [
        ("From", row.customer), ("Order", row.order or "–"), ("Reason", row.reason.replace("_", " ")),
        ("Condition", row.condition), ("Requested", day_text(row.requested_at.date())),
    ]  # fmt: skip
    shown = {"whose": row.entity, "facts": facts, "lines": lines, "to": {
        "name": row.entity if home is None else home.name, "site": row.site, "lines": [] if home is None else home.lines,
    }}  # fmt: skip
    return set_paper("return_label", context | shown, f"return-{row.number}")


def _carton_label(page: ShipmentPage, one: CartonFact, position: int, count: int) -> dict[str, Any]:
    tracking = page.carriage.tracking_number
    return {
        "shelf": False, "format": "a6" if page.carriage.label_format == "a6" else "", "from_name": page.entity,
        "from_site": page.site, "to_name": page.ship_to.name if page.ship_to else page.customer,
        "address": page.ship_to.lines if page.ship_to else [], "country": page.ship_to.country if page.ship_to else page.ship_country,
        "carrier": page.carriage.service, "order": page.order, "reference": page.reference,
        "tracking": code_128(tracking, height_mm=16, module_um=250) if tracking and _is_plain(tracking) else "",
        "bars": code_128(one.number, height_mm=18, module_um=380), "position": position, "count": count,
        "weight": _weight(one.weight_kg),
    }  # fmt: skip


def location_labels(shelves: list[LocationFact]) -> Paper:
    """A label for each location, to be stuck where the scanner looks for it. It has no date: it is as old as the shelf."""
    if not shelves:
        raise RuleBroken(
            "nothing_on_paper",
            paper="location label",
            why="this site has no locations. Add one under Stock, then print",
        )
    labels = [
        {
            "shelf": True, "code": one.code, "where": " · ".join(part for part in (one.site, one.zone) if part),
            "bars": code_128(one.code, height_mm=13, module_um=400, label=False),
        }
        for one in shelves
    ]  # fmt: skip
    context = {"labels": labels, "title": f"Location labels {shelves[0].site}", "made_at": None}
    return set_paper("labels", context, f"location-labels-{shelves[0].site_code}")
