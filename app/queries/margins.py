"""What margin was left, by channel, customer or item, out of the very entries of the books, and which entries those are.

Revenue is what invoices and credit memos put on the revenue account, cost what shipments, returns and late costs put on the one of
cost of sales; what nobody can be named for (accruals, journals by hand) is a row of its own, so that all adds up to the profit
and loss of the same days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, cast, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from app.queries.statements import AskedReport, report_page
from erpcore.billing.models import CreditMemo, CreditMemoLine, Invoice, InvoiceLine
from erpcore.fulfilment.models import ReturnOrder, Shipment, ShipmentLine
from erpcore.inventory.cost_models import LateCost, LateCostLine
from erpcore.inventory.models import StockMove
from erpcore.kernel.actor import Actor
from erpcore.ledger.models import AccountRole, JournalEntry, JournalLine
from erpcore.ledger.statements import Period, Report
from erpcore.masterdata.models import Channel, Customer, Item
from erpcore.orders.models import LineKind, OrderLine, SalesOrder

#: So many rows are shown, those with the most revenue; the others are one row.
MOST_ROWS = 100
#: So many of the newest entries behind a row are shown.
MOST_ENTRIES = 200


class By(StrEnum):
    """What the rows of the report are."""

    CHANNEL = "channel"
    CUSTOMER = "customer"
    ITEM = "item"


@dataclass(frozen=True, kw_only=True)
class AskedMargin:
    """Which company's margin, of which days, by what; kept to a site or a channel."""

    entity: int
    period: Period
    by: By = By.CHANNEL
    site: int | None = None
    channel: int | None = None


@dataclass(frozen=True, kw_only=True)
class MarginRow:
    """Revenue and cost in minor units; ``key`` 0: of none that can be named."""

    key: int
    label: str
    name: str
    revenue: int
    cost: int

    @property
    def margin(self) -> int:
        return self.revenue - self.cost

    @property
    def permille(self) -> int | None:
        """The margin in thousandths of the revenue; ``None`` without any."""
        return round(self.margin * 1000 / self.revenue) if self.revenue > 0 else None


@dataclass(frozen=True, kw_only=True)
class MarginPage:
    """The report. ``others``: so many further rows, added up; ``rest``: entries that name none; ``total``: as in profit and loss."""

    asked: AskedMargin
    rows: Sequence[MarginRow]
    others: int
    other: MarginRow
    rest: MarginRow
    total: MarginRow


@dataclass(frozen=True, kw_only=True)
class MarginEntry:
    """What one entry put on revenue and cost for one item."""

    entry: int
    on: date
    rule: str
    document_type: str
    document_id: int
    document: str
    customer: str | None
    item: str | None
    revenue: int
    cost: int


@dataclass(frozen=True, kw_only=True)
class EntriesPage:
    """The newest entries behind a row, and what all of them come to."""

    row: MarginRow
    entries: Sequence[MarginEntry]
    is_more: bool


_ENTRY, _LINE = JournalEntry.__table__.c, JournalLine.__table__.c
_GOODS_KINDS = [kind for kind in LineKind if kind not in (LineKind.CHARGE, LineKind.SERVICE)]


def _entries(actor: Actor, asked: AskedMargin, rule: str, document: str) -> ColumnElement[bool]:
    """Entries of a rule in the period, of what is asked for and what the person sees."""
    parts = [
        _ENTRY.rule == rule, _ENTRY.document_type == document, _ENTRY.entity_id == asked.entity,
        _ENTRY.entry_on.between(asked.period.since, asked.period.until),
    ]  # fmt: skip
    if asked.site is not None:
        parts.append(_ENTRY.site_id == asked.site)
    if asked.channel is not None:
        parts.append(_ENTRY.channel_id == asked.channel)
    if actor.sites is not None:
        parts.append(_ENTRY.site_id.in_(sorted(actor.sites)))
    return and_(*parts)


def _fact(customer: Any, item: Any, number: Any, revenue: Any, cost: Any) -> Select[Any]:
    return select(
        _ENTRY.id.label("entry"), _ENTRY.entry_on.label("day"), _ENTRY.rule.label("rule"),
        _ENTRY.document_type.label("document_type"), _ENTRY.document_id.label("document_id"), number.label("number"),
        _ENTRY.channel_id.label("channel"), customer.label("customer"), item.label("item"),
        cast(revenue, BigInteger).label("revenue"), cast(cost, BigInteger).label("cost"),
    )  # fmt: skip


def _facts(actor: Actor, asked: AskedMargin) -> Any:
    """Every part of an entry that names an item (or at least a customer): one select of what posts revenue and cost of goods."""
    zero, nobody = literal(0), cast(null(), BigInteger)
    billed = (
        _fact(Invoice.customer_id, InvoiceLine.item_id, func.coalesce(Invoice.number, ""), InvoiceLine.net_minor, zero)
        .join(Invoice, Invoice.id == _ENTRY.document_id)
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .where(_entries(actor, asked, "invoice", "invoice"), InvoiceLine.kind.in_(_GOODS_KINDS))
    )
    credited = (
        _fact(
            CreditMemo.customer_id, CreditMemoLine.item_id, func.coalesce(CreditMemo.number, ""), -CreditMemoLine.net_minor, zero
        )
        .join(CreditMemo, CreditMemo.id == _ENTRY.document_id)
        .join(CreditMemoLine, CreditMemoLine.credit_memo_id == CreditMemo.id)
        .where(_entries(actor, asked, "credit_memo", "credit_memo"), CreditMemoLine.is_charge.is_(False))
    )  # fmt: skip
    left = (
        _fact(SalesOrder.customer_id, StockMove.item_id, Shipment.number, zero, -StockMove.value_minor)
        .join(Shipment, Shipment.id == _ENTRY.document_id)
        .join(SalesOrder, SalesOrder.id == Shipment.order_id)
        .join(StockMove, and_(StockMove.document_id == Shipment.id, StockMove.document_type == "shipment"))
        .where(_entries(actor, asked, "cost_of_sales", "shipment"), StockMove.value_minor.is_not(None))
    )
    # A supplier's price is posted for a whole shipment: it is an item's where the shipment has one.
    only = (
        select(func.min(OrderLine.item_id))
        .join(ShipmentLine, ShipmentLine.order_line_id == OrderLine.id)
        .where(ShipmentLine.shipment_id == Shipment.id)
        .having(func.count(OrderLine.item_id.distinct()) == 1)
        .correlate(Shipment)
        .scalar_subquery()
    )
    direct = (
        _fact(SalesOrder.customer_id, only, Shipment.number, zero, _LINE.debit_minor)
        .join(Shipment, Shipment.id == _ENTRY.document_id)
        .join(SalesOrder, SalesOrder.id == Shipment.order_id)
        .join(JournalLine, and_(_LINE.entry_id == _ENTRY.id, _LINE.debit_minor > 0))
        .where(_entries(actor, asked, "direct_cost", "shipment"))
    )
    back = (
        _fact(ReturnOrder.customer_id, StockMove.item_id, ReturnOrder.number, zero, -StockMove.value_minor)
        .join(ReturnOrder, ReturnOrder.id == _ENTRY.document_id)
        .join(StockMove, and_(StockMove.document_id == ReturnOrder.id, StockMove.document_type == "return"))
        .where(_entries(actor, asked, "returned_to_stock", "return"), StockMove.value_minor.is_not(None))
    )
    late = (
        _fact(nobody, LateCostLine.item_id, LateCost.paper, zero, LateCostLine.sold_minor)
        .join(LateCost, LateCost.id == _ENTRY.document_id)
        .join(LateCostLine, LateCostLine.late_cost_id == LateCost.id)
        .where(_entries(actor, asked, "late_cost", "late_cost"), LateCostLine.sold_minor != 0)
    )
    return union_all(billed, credited, left, direct, back, late).subquery()


def _named(session: Session, by: By, keys: Sequence[int]) -> dict[int, tuple[str, str]]:
    tables: dict[By, tuple[Any, Any, Any]] = {
        By.CHANNEL: (Channel.id, Channel.name, Channel.code), By.CUSTOMER: (Customer.id, Customer.code, Customer.name),
        By.ITEM: (Item.id, Item.code, Item.name),
    }  # fmt: skip
    rows = session.execute(select(*tables[by]).where(tables[by][0].in_(keys)))
    return {row[0]: (row[1], row[2]) for row in rows}


def _ledger(session: Session, actor: Actor, asked: AskedMargin) -> tuple[int, int]:
    """Revenue and cost of sales of the same days by the profit and loss."""
    report = AskedReport(
        report=Report.PROFIT_AND_LOSS, entity=asked.entity, period=asked.period, site=asked.site, channel=asked.channel
    )
    page = report_page(session, actor, report)
    found = {AccountRole.REVENUE: 0, AccountRole.COST_OF_SALES: 0}
    for section in page.statement.sections:
        for row in section.rows:
            if row.account is not None and row.account.role in found:
                found[AccountRole(row.account.role)] += row.figures[0]
    return found[AccountRole.REVENUE], found[AccountRole.COST_OF_SALES]


def margin_page(session: Session, actor: Actor, asked: AskedMargin, *, most: int | None = MOST_ROWS) -> MarginPage:
    """The report; ``most`` ``None``: every row, for a file or a program."""
    facts = _facts(actor, asked)
    key = facts.c[asked.by]
    sums = session.execute(
        select(key, func.sum(facts.c.revenue), func.sum(facts.c.cost)).group_by(key)
    )  # fmt: skip
    found = sorted(
        ((row[0], int(row[1] or 0), int(row[2] or 0)) for row in sums), key=lambda row: (-row[1], row[2], row[0] or 0)
    )
    named = [row for row in found if row[0] is not None]
    shown = named if most is None else named[:most]
    names = _named(session, asked.by, [row[0] for row in shown])
    rows = [
        MarginRow(key=key, label=names[key][0], name=names[key][1], revenue=revenue, cost=cost)
        for key, revenue, cost in shown
    ]
    hidden = named[len(shown) :]
    other = MarginRow(
        key=0, label="All others", name="", revenue=sum(row[1] for row in hidden), cost=sum(row[2] for row in hidden)
    )
    revenue, cost = _ledger(session, actor, asked)
    rest = MarginRow(
        key=0, label="Other entries", name="", revenue=revenue - sum(row[1] for row in named),
        cost=cost - sum(row[2] for row in named),
    )  # fmt: skip
    total = MarginRow(key=0, label="As in profit and loss", name="", revenue=revenue, cost=cost)
    return MarginPage(asked=asked, rows=rows, others=len(hidden), other=other, rest=rest, total=total)


def margin_entries(session: Session, actor: Actor, asked: AskedMargin, key: int) -> EntriesPage:
    """The entries behind one row, the newest first; all of them make its sums, also those not shown."""
    facts = _facts(actor, asked)
    mine = facts.c[asked.by] == key
    sums = session.execute(select(func.sum(facts.c.revenue), func.sum(facts.c.cost)).where(mine)).one()
    rows = session.execute(
        select(facts, Customer.name.label("who"), Item.code.label("code"))
        .select_from(facts)
        .outerjoin(Customer, Customer.id == facts.c.customer)
        .outerjoin(Item, Item.id == facts.c.item)
        .where(mine)
        .order_by(facts.c.day.desc(), facts.c.entry.desc(), Item.code, facts.c.revenue, facts.c.cost)
        .limit(MOST_ENTRIES + 1)
    ).all()
    label, name = _named(session, asked.by, [key]).get(key, ("", ""))
    row = MarginRow(key=key, label=label, name=name, revenue=int(sums[0] or 0), cost=int(sums[1] or 0))
    entries = [
        MarginEntry(
            entry=one.entry, on=one.day, rule=one.rule, document_type=one.document_type, document_id=one.document_id,
            document=one.number, customer=one.who, item=one.code, revenue=int(one.revenue), cost=int(one.cost),
        )
        for one in rows[:MOST_ENTRIES]
    ]  # fmt: skip
    return EntriesPage(row=row, entries=entries, is_more=len(rows) > MOST_ENTRIES)
