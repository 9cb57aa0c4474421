"""What do a company's books lack at the end of a period? Of each shipment that is billed and controlled on different sides of it.

Everything is read as it was known for that day: what was billed, delivered or credited since does not change it, so that a run
finds today what it found then, unless somebody dated something back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from erpcore.billing.accruals.candidates import among, not_billed, not_controlled
from erpcore.billing.accruals.ends import PeriodEnd
from erpcore.billing.accruals.models import AccrualKind
from erpcore.billing.freight.models import CarrierBill, CarrierBillLine
from erpcore.billing.models import CreditMemo, CreditMemoLine, Invoice, InvoiceLine
from erpcore.fulfilment.carriers.models import Carriage
from erpcore.fulfilment.models import Shipment, ShipmentLine
from erpcore.kernel.money import line_amount
from erpcore.ledger.models import Account, AccountRole, JournalEntry, JournalLine
from erpcore.orders.models import LineKind, OrderLine, SalesOrder

_CHARGES = (LineKind.CHARGE, LineKind.SERVICE)


class DueKey(NamedTuple):
    """Of what something is due: of a shipment, or of a channel of a site."""

    kind: AccrualKind
    shipment: int | None
    site: int
    channel: int
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """What is to stand in the books at the end of the period, in minor units; ``charges`` is the part of it that is of charges."""

    key: DueKey
    amount: int
    charges: int = 0
    order: int | None = None
    invoice: int | None = None
    basis: str | None = None


def rounded(amount: Decimal | int) -> int:
    """To the minor unit, half away from zero, as everywhere."""
    return int(Decimal(amount).quantize(Decimal(1), ROUND_HALF_UP))


def shipments_of(end: PeriodEnd, *columns: Any) -> Any:
    """Shipments of the company that have left, with these columns."""
    return (
        select(
            Shipment.id, Shipment.order_id, Shipment.invoice_id, SalesOrder.site_id, SalesOrder.channel_id,
            SalesOrder.currency, *columns,
        )
        .join(SalesOrder, SalesOrder.id == Shipment.order_id)
        .where(Shipment.entity_id == end.entity, Shipment.confirmed_at.is_not(None))
        .order_by(Shipment.id)
    )  # fmt: skip


def with_lines(query: Any) -> Any:
    """Each line of the shipments, with what its invoice asks for it."""
    return (
        query.join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(Invoice, Invoice.id == Shipment.invoice_id, isouter=True)
        .join(
            InvoiceLine,
            and_(InvoiceLine.invoice_id == Shipment.invoice_id, InvoiceLine.order_line_id == OrderLine.id),
            isouter=True,
        )
        .order_by(OrderLine.id)
    )


LINE = (
    OrderLine.id.label("line"), ShipmentLine.quantity, OrderLine.kind, OrderLine.unit_price, OrderLine.value_minor,
    OrderLine.quantity.label("ordered"), InvoiceLine.quantity.label("invoiced"), InvoiceLine.net_minor,
)  # fmt: skip


def worth_of(row: Any, credited: int = 0) -> int:
    """What a line of a shipment is worth: its part of what its invoice asks, less what was credited; else by its order."""
    if row.net_minor is not None:
        return rounded((row.net_minor - credited) * row.quantity / row.invoiced)
    return row.value_minor if row.quantity == row.ordered else line_amount(row.quantity, row.unit_price, row.currency)


def _summed(kind: AccrualKind, rows: Iterable[tuple[Any, int]], *, billed: bool) -> list[Due]:
    amounts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    heads = {}
    for row, worth in rows:
        heads[row.id] = row
        amounts[row.id][0] += worth
        amounts[row.id][1] += worth if row.kind in _CHARGES else 0
    return [
        Due(
            key=DueKey(kind, row.id, row.site_id, row.channel_id, row.currency), amount=amounts[key][0], charges=amounts[key][1],
            order=row.order_id, invoice=row.invoice_id if billed else None,
        )
        for key, row in heads.items()
        if amounts[key][0]
    ]  # fmt: skip


def unbilled(session: Session, end: PeriodEnd) -> list[Due]:
    """Shipments that the customer controls and no invoice of the period bills."""
    open_ = or_(Invoice.id.is_(None), ~end.is_billed)
    rows = session.execute(with_lines(shipments_of(end, *LINE)).where(among(not_billed(end)), end.passed(), open_))
    return _summed(AccrualKind.UNBILLED, ((row, worth_of(row)) for row in rows), billed=False)


def deferred(session: Session, end: PeriodEnd) -> list[Due]:
    """Shipments that an invoice of the period bills and the customer does not control yet, less what was credited of them."""
    rows = session.execute(
        with_lines(shipments_of(end, *LINE)).where(among(not_controlled(end)), end.not_passed(), end.is_billed)
    ).all()
    credited = credited_of(session, {row.invoice_id for row in rows}, end.until)
    found = ((row, worth_of(row, credited[row.invoice_id, row.line])) for row in rows)
    return _summed(AccrualKind.DEFERRED, found, billed=True)


def credited_of(session: Session, invoices: Collection[int], until: date) -> dict[tuple[int | None, int | None], int]:
    """What was credited of these invoices before that day, by invoice and order line; nothing of what is not in it."""
    out: dict[tuple[int | None, int | None], int] = defaultdict(int)
    query = (
        select(CreditMemoLine.invoice_id, CreditMemoLine.order_line_id, func.sum(CreditMemoLine.net_minor))
        .join(CreditMemo, CreditMemo.id == CreditMemoLine.credit_memo_id)
        .where(CreditMemoLine.invoice_id.in_(invoices), CreditMemo.credit_on < until)
        .group_by(CreditMemoLine.invoice_id, CreditMemoLine.order_line_id)
    )
    for invoice, line, minor in session.execute(query):
        out[invoice, line] = int(minor)
    return out


def cost_on_the_way(session: Session, end: PeriodEnd, waiting: Iterable[Due]) -> list[Due]:
    """What goods cost that have left and that the customer does not control yet. Of what was credited meanwhile only the part
    that still waits (``waiting``: the deferred revenue): the rest came back, or is lost.
    """
    cost = func.sum(JournalLine.debit_minor - JournalLine.credit_minor)
    query = (
        shipments_of(end, SalesOrder.ruleset, Invoice.net_minor.label("billed"), cost.label("cost"))
        .join(Invoice, and_(Invoice.id == Shipment.invoice_id, end.is_billed), isouter=True)
        .join(JournalEntry, and_(JournalEntry.document_type == "shipment", JournalEntry.document_id == Shipment.id))
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .join(Account, and_(Account.id == JournalLine.account_id, Account.role == AccountRole.COST_OF_SALES))
        .where(
            among(not_controlled(end)), end.is_late, end.after(Shipment.delivered_at), end.before(Shipment.confirmed_at)
        )
        .group_by(
            Shipment.id, Shipment.order_id, Shipment.invoice_id, SalesOrder.site_id, SalesOrder.channel_id,
            SalesOrder.currency, SalesOrder.ruleset, Invoice.net_minor,
        )
    )  # fmt: skip
    rows = session.execute(query).all()
    billed = [row.id for row in rows if row.billed is not None]
    left = {due.key.shipment: due.amount for due in waiting}
    asked = {row.id: minor for row, minor in _asked(session, end, billed)}
    out = []
    for row in rows:
        amount = int(row.cost)
        if asked.get(row.id):
            amount = rounded(Decimal(amount) * left.get(row.id, 0) / asked[row.id])
        if amount:
            key = DueKey(AccrualKind.COST, row.id, row.site_id, row.channel_id, row.currency)
            out.append(Due(key=key, amount=amount, order=row.order_id))
    return out


def _asked(session: Session, end: PeriodEnd, shipments: Collection[int]) -> list[tuple[Any, int]]:
    """What the invoices of these shipments ask for them before anything is credited."""
    if not shipments:
        return []
    rows = session.execute(with_lines(shipments_of(end, *LINE)).where(Shipment.id.in_(shipments))).all()
    amounts: dict[int, int] = defaultdict(int)
    for row in rows:
        amounts[row.id] += worth_of(row)
    return [(row, amounts[row.id]) for row in {row.id: row for row in rows}.values()]


def freight(session: Session, end: PeriodEnd) -> list[Due]:
    """Shipments that have left and that no carrier's bill of the period has posted: what a person had noted of the freight by then, else
    what was estimated when they left.
    """
    noted = end.before(Carriage.settled_at)
    amount = case((noted, Carriage.freight_actual_minor), else_=Carriage.freight_estimate_minor)
    billed = (
        select(CarrierBillLine.id)
        .join(CarrierBill, CarrierBill.id == CarrierBillLine.bill_id)
        .where(
            CarrierBillLine.shipment_id == Shipment.id, CarrierBillLine.owed_minor != 0, end.before(CarrierBill.posted_at),
            end.after(CarrierBill.reversed_at),
        )
        .correlate(Shipment, SalesOrder)
        .exists()
    )  # fmt: skip
    rows = session.execute(
        shipments_of(end, Carriage.currency.label("paid_in"), amount.label("amount"))
        .join(Carriage, Carriage.shipment_id == Shipment.id)
        .where(amount > 0, end.before(Shipment.confirmed_at), ~billed)
    )
    return [
        Due(
            key=DueKey(AccrualKind.FREIGHT, row.id, row.site_id, row.channel_id, row.paid_in), amount=row.amount,
            order=row.order_id,
        )
        for row in rows
    ]  # fmt: skip
