"""What is in the core of what a profile brought? Totals by SQL over the posted documents, in exact decimals.

Sums are of quantity × price at six places, as the documents state them; what the ledger posts is rounded by line, and
``queries.ledger_totals`` shows the difference. The keys are those that the data sets of the shipped profiles are published with.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.composition.imports import ImportDocument, ImportLine, ImportProfile, Outcome
from app.importers.queries import open_rejects
from erpcore.billing.models import DebtJournal
from erpcore.fulfilment.models import ReturnLine, Shipment, ShipmentLine
from erpcore.inventory.models import StockMove
from erpcore.kernel.clock import local_day
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES
from erpcore.kernel.rows import raw
from erpcore.masterdata.models import Entity
from erpcore.orders.models import OrderLine

_LINE, _DOCUMENT = ImportLine.__table__.c, ImportDocument.__table__.c
_ORDERED = (Outcome.ORDER_LINE, Outcome.FREE_LINE, Outcome.CHARGE_LINE)


def totals(session: Session, profile: ImportProfile) -> dict[str, Any]:
    """The totals in the keys of the profile's kind of report."""
    return _deliveries(session, profile) if profile.totals == "deliveries" else _sales(session, profile)


def money(millionths: int, lines: int = 1) -> str:
    """An exact sum in decimal notation: two places, more where it has more; ``0`` where nothing was summed."""
    if not lines:
        return "0"
    value = Decimal(millionths).scaleb(-PRICE_PLACES).normalize()
    return format(value if -_exponent(value) > 2 else value.quantize(Decimal("0.01")), "f")


def _exponent(value: Decimal) -> int:
    return int(value.as_tuple().exponent)


def _plain(value: int, places: int) -> str:
    """A quantity without superfluous zeros."""
    return format(Decimal(value).scaleb(-places).normalize(), "f") if value else "0"


def _units(thousandths: int) -> int | str:
    whole, rest = divmod(thousandths, 10**QUANTITY_PLACES)
    return whole if not rest else _plain(thousandths, QUANTITY_PLACES)


class _Sums:
    """Additive figures of a month, or of all."""

    def __init__(self) -> None:
        self.count: dict[str, int] = defaultdict(int)
        self.amount: dict[str, int] = defaultdict(int)
        self.units: dict[str, int] = defaultdict(int)
        self.zero_price = 0
        self.written_off = 0

    @property
    def net(self) -> int:
        return sum(self.amount.values())


def _sales(session: Session, profile: ImportProfile) -> dict[str, Any]:
    every = _Sums()
    months: dict[str, _Sums] = defaultdict(_Sums)
    countries: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for kind, country, day, count, amount, units, zero, negative in _posted(session, profile):
        for sums in (every, months[f"{day:%Y-%m}"]):
            sums.count[kind] += count
            sums.amount[kind] += amount
            sums.units["sale" if kind == "adjustment" else kind] += units
            sums.zero_price += zero
            sums.written_off += negative
        countries[country][0] += amount
        countries[country][1] += 1
    documents = _documents(session, profile)
    lines, invoices = _lines_by_month(session, profile)
    negative_prices = session.execute(
        select(func.count())
        .select_from(ImportLine)
        .join(ImportDocument, _LINE.document_id == _DOCUMENT.id)
        .join(DebtJournal, DebtJournal.id == _LINE.target_id)
        .where(
            _DOCUMENT.profile_id == profile.id,
            _LINE.outcome == Outcome.DEBT_JOURNAL,
            raw(DebtJournal.__table__.c.amount) < 0,
        )
    ).scalar_one()
    return {
        "dataset": profile.name.replace("-", "_"),
        "lines": sum(lines.values()),
        "documents": len(documents),
        "cancellation_documents": sum(1 for kind in documents.values() if kind == "return"),
        "other_prefixed_documents": sorted(key for key, kind in documents.items() if kind == "debt"),
        **_distinct(session, profile),
        "negative_quantity_lines_not_on_C_documents": _written_off_lines(session, profile),
        "zero_price_lines": every.zero_price,
        "negative_price_lines": negative_prices,
        **_mixed_documents(session, profile),
        "sum_sales": money(every.amount["sale"], every.count["sale"]),
        "sum_cancellations": money(every.amount["return"], every.count["return"]),
        "sum_other_prefixed": money(every.amount["debt"], every.count["debt"]),
        "sum_net": money(every.net),
        "units_sold": _units(every.units["sale"]),
        "units_cancelled": _units(every.units["return"]),
        "by_month": {
            month: {
                "lines": lines[month],
                "invoices": invoices[month],
                "sales": money(sums.amount["sale"], sums.count["sale"]),
                "cancellations": money(sums.amount["return"], sums.count["return"]),
                "other_prefix": money(sums.amount["debt"], sums.count["debt"]),
                "net": money(sums.net),
                "sale_units": _units(sums.units["sale"]),
                "cancel_units": _units(sums.units["return"]),
                "zero_price_lines": sums.zero_price,
                "adjust_units_zero_price_negative": _units(sums.written_off),
            }
            for month, sums in sorted(months.items())
        },
        "net_by_country": {
            country: money(net, count)
            for country, (net, count) in sorted(countries.items(), key=lambda pair: (-pair[1][0], pair[0]))
        },
    }


def _posted(session: Session, profile: ImportProfile) -> list[tuple[str, str, date, int, int, int, int, int]]:
    """By kind, country and day: lines, amount, units, lines at price zero, and units written off."""
    order, back = OrderLine.__table__.c, ReturnLine.__table__.c
    debt, move = DebtJournal.__table__.c, StockMove.__table__.c
    nothing = func.sum(0)
    first = func.sum(case((_LINE.share == 0, 1), else_=0))
    sources = (
        ("sale", OrderLine, order.id, _ORDERED, func.sum(raw(order.amount)), func.sum(raw(order.quantity)),
         func.sum(case((raw(order.unit_price) == 0, 1), else_=0)), nothing),
        ("return", ReturnLine, back.id, (Outcome.RETURN_LINE,), -func.sum(raw(back.amount)), -func.sum(raw(back.quantity)),
         func.sum(case((raw(back.unit_price) == 0, 1), else_=0)), nothing),
        ("debt", DebtJournal, debt.id, (Outcome.DEBT_JOURNAL,), func.sum(raw(debt.amount)), nothing, nothing, nothing),
        ("adjustment", StockMove, move.id, (Outcome.ADJUSTMENT,), nothing, func.sum(raw(move.quantity)), func.count(),
         func.sum(case((raw(move.quantity) < 0, raw(move.quantity)), else_=0))),
    )  # fmt: skip
    out = []
    for kind, table, key, outcomes, *figures in sources:
        query = (
            select(_DOCUMENT.country, _LINE.stated_on, first, *figures)
            .select_from(ImportDocument)
            .join(ImportLine, _LINE.document_id == _DOCUMENT.id)
            .join(table, key == _LINE.target_id)
            .where(_DOCUMENT.profile_id == profile.id, _LINE.outcome.in_(outcomes))
            .group_by(_DOCUMENT.country, _LINE.stated_on)
        )
        out += [(kind, row[0], row[1], *(int(value) for value in row[2:])) for row in session.execute(query)]
    return out


def _documents(session: Session, profile: ImportProfile) -> dict[str, str]:
    """Kind by key of the documents that came in."""
    query = select(_DOCUMENT.key, _DOCUMENT.kind).where(_DOCUMENT.profile_id == profile.id, _DOCUMENT.kind != "rejects")
    return {row.key: row.kind for row in session.execute(query)}


def _lines_by_month(session: Session, profile: ImportProfile) -> tuple[dict[str, int], dict[str, int]]:
    """Lines and documents per month; a line that was rejected and came right later is one line. Undated lines have no month."""
    per_document: dict[tuple[str, str], int] = defaultdict(int)
    query = (
        select(_DOCUMENT.key, _LINE.stated_on, func.count())
        .join_from(ImportDocument, ImportLine, _LINE.document_id == _DOCUMENT.id)
        .where(_DOCUMENT.profile_id == profile.id, _LINE.share == 0, _LINE.outcome != Outcome.REJECTED)
        .group_by(_DOCUMENT.key, _LINE.stated_on)
    )
    for key, day, count in session.execute(query):
        per_document[key, f"{day:%Y-%m}" if day else ""] += count
    for key, day in {(r["document"], r["position"]): r["stated_on"] for r in open_rejects(session, profile)}.items():
        per_document[key[0], f"{day:%Y-%m}" if day else ""] += 1
    lines: dict[str, int] = defaultdict(int)
    documents: dict[str, int] = defaultdict(int)
    for (_, month), count in per_document.items():
        lines[month] += count
        documents[month] += 1
    return lines, documents


def _distinct(session: Session, profile: ImportProfile) -> dict[str, int]:
    items, = session.execute(
        select(func.count(_LINE.item_id.distinct()))
        .join_from(ImportDocument, ImportLine, _LINE.document_id == _DOCUMENT.id)
        .where(_DOCUMENT.profile_id == profile.id)
    ).one()  # fmt: skip
    customers, = session.execute(
        select(func.count(_DOCUMENT.customer_id.distinct())).where(_DOCUMENT.profile_id == profile.id)
    ).one()  # fmt: skip
    unnamed, = session.execute(
        select(func.count())
        .select_from(ImportDocument)
        .join(ImportLine, _LINE.document_id == _DOCUMENT.id)
        .where(
            _DOCUMENT.profile_id == profile.id, _DOCUMENT.customer_id.is_(None), _LINE.share == 0,
            _LINE.outcome != Outcome.REJECTED,
        )
    ).one()  # fmt: skip
    return {"stock_codes": items, "customers": customers, "lines_without_customer": unnamed}


def _written_off_lines(session: Session, profile: ImportProfile) -> int:
    return session.execute(
        select(func.count())
        .select_from(ImportDocument)
        .join(ImportLine, _LINE.document_id == _DOCUMENT.id)
        .join(StockMove, StockMove.id == _LINE.target_id)
        .where(
            _DOCUMENT.profile_id == profile.id, _LINE.outcome == Outcome.ADJUSTMENT,
            raw(StockMove.__table__.c.quantity) < 0,
        )
    ).scalar_one()  # fmt: skip


def _mixed_documents(session: Session, profile: ImportProfile) -> dict[str, int]:
    """Documents whose lines differ in what a document has one of."""

    def count(*conditions: Any) -> int:
        return session.execute(
            select(func.count(_DOCUMENT.key.distinct()))
            .join_from(ImportDocument, ImportLine, _LINE.document_id == _DOCUMENT.id)
            .where(_DOCUMENT.profile_id == profile.id, *conditions)
        ).scalar_one()

    return {
        "documents_with_more_than_one_timestamp": count(_LINE.stated_at.is_not(None)),
        "documents_with_more_than_one_customer": count(
            _LINE.outcome == Outcome.REJECTED, _LINE.reason.startswith("another customer")
        ),
    }


def _deliveries(session: Session, profile: ImportProfile) -> dict[str, Any]:
    order, ship, part = OrderLine.__table__.c, Shipment.__table__.c, ShipmentLine.__table__.c
    zone = session.get_one(Entity, profile.entity_id).time_zone
    query = (
        select(
            raw(order.quantity), raw(order.amount), order.first_promised_on, ship.delivered_at, raw(part.freight),
            raw(part.weight_kg), raw(part.insurance), _LINE.kept, ship.id, _DOCUMENT.key,
        )
        .select_from(ImportDocument)
        .join(ImportLine, _LINE.document_id == _DOCUMENT.id)
        .join(OrderLine, order.id == _LINE.target_id)
        .join(ShipmentLine, part.order_line_id == order.id)
        .join(Shipment, ship.id == part.shipment_id)
        .where(_DOCUMENT.profile_id == profile.id, _LINE.outcome.in_(_ORDERED))
    )  # fmt: skip
    sums: dict[str, int] = defaultdict(int)
    years: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    orders, shipments = set(), set()
    for quantity, amount, promised, delivered_at, freight, weight, insurance, kept, shipment, key in session.execute(
        query
    ):
        delivered = local_day(delivered_at, zone)
        orders.add(key)
        shipments.add(shipment)
        sums["lines"] += 1
        sums["quantity"] += quantity
        sums["value"] += amount
        for name, value in (("freight", freight), ("weight", weight), ("insurance", insurance)):
            sums[f"{name}_lines"] += value is not None
            sums[name] += value or 0
        year = years[f"{delivered:%Y}"]
        year[0] += 1
        year[1] += amount
        year[2] += delivered > promised
        sums["late" if delivered > promised else "early" if delivered < promised else "on_day"] += 1
        words = orjson.loads(kept) if kept else {}
        sent, quoted = _as_day(words.get("order_sent")), _as_day(words.get("quote_sent"))
        recorded = _as_day(words.get("delivery_recorded"))
        sums["recorded_before"] += recorded is not None and recorded < delivered
        sums["sent_after"] += sent is not None and sent > delivered
        sums["quoted_after_sent"] += sent is not None and quoted is not None and quoted > sent
        sums["quoted_after"] += quoted is not None and quoted > delivered
    return {
        "lines": sums["lines"] + len(open_rejects(session, profile)),
        "orders": len(orders),
        "shipments": len(shipments),
        "sum_line_quantity": _plain(sums["quantity"], QUANTITY_PLACES),
        "sum_line_value": money(sums["value"], sums["lines"]),
        "freight_numeric_lines": sums["freight_lines"],
        "sum_freight": money(sums["freight"], sums["freight_lines"]),
        "weight_numeric_lines": sums["weight_lines"],
        "sum_weight_kg": _plain(sums["weight"], 3),
        "insurance_lines": sums["insurance_lines"],
        "sum_insurance": money(sums["insurance"], sums["insurance_lines"]),
        "delivered_late": sums["late"],
        "delivered_on_day": sums["on_day"],
        "delivered_early": sums["early"],
        "recorded_before_delivered": sums["recorded_before"],
        "po_sent_after_delivered": sums["sent_after"],
        "quote_after_po": sums["quoted_after_sent"],
        "quote_after_delivered": sums["quoted_after"],
        "by_delivery_year": {
            year: {"lines": lines, "value": money(value), "late": late}
            for year, (lines, value, late) in sorted(years.items())
        },
    }


def _as_day(word: str | None) -> date | None:
    """A kept word that was a day, as it was kept; anything else is words."""
    try:
        return date.fromisoformat(word) if word else None
    except ValueError:
        return None
