"""Why do goods come back, of which item, from whom and where to; how much of it, how long it takes, and how often it happens?

Of the returns requested in these days, but for those that were declined: all that counts there is read once, line by line, so that
every figure is one of the very returns that its page lists.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from app.security.scopes import within_sites
from erpcore.billing.models import CreditMemo
from erpcore.fulfilment.models import ReturnLine, ReturnOrder, ReturnState, Shipment, ShipmentLine, ShipmentState
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import day_end, day_start
from erpcore.kernel.money import to_minor
from erpcore.ledger.statements import Period
from erpcore.masterdata.models import Customer, Item, ItemKind, Site
from erpcore.orders.models import OrderLine, SalesOrder

#: So many rows are shown, those worth most; the files have all.
MOST_ROWS = 100
#: So many of the newest returns behind a row are shown.
MOST_RETURNS = 200
_DAY = timedelta(days=1)


class By(StrEnum):
    """What a reason is divided by."""

    REASON = "reason"
    ITEM = "item"
    CUSTOMER = "customer"
    SITE = "site"


@dataclass(frozen=True, kw_only=True)
class AskedReasons:
    """Whose returns, requested on which days of the company; kept to the site that takes them in."""

    entity: int
    currency: str
    time_zone: str
    period: Period
    by: By = By.ITEM
    site: int | None = None

    @property
    def since(self) -> datetime:
        """The first instant of these days."""
        return day_start(self.period.since, self.time_zone)

    @property
    def until(self) -> datetime:
        """The last instant of these days."""
        return day_end(self.period.until, self.time_zone)


@dataclass(frozen=True, kw_only=True)
class ReasonRow:
    """What came back for one reason. ``key`` 0: of all. ``quantity`` is ``None`` where items of several units are added up; ``lines``:
    sold order lines of which something came back, of ``delivered`` ones. ``half`` and ``most``: days from the request to the credit memo
    that half, and nine of ten, took at most; ``None`` where as many are not credited yet. ``waiting``: returns without a credit.
    """

    reason: str
    key: int
    label: str
    name: str
    returns: int
    waiting: int
    quantity: Decimal | None
    unit: str
    value_minor: int
    lines: int
    delivered: int
    half: Decimal | None
    most: Decimal | None

    @property
    def permille(self) -> int | None:
        """Lines that came back in thousandths of those delivered in the same days; ``None`` where none was."""
        return round(self.lines * 1000 / self.delivered) if self.delivered else None


@dataclass(frozen=True, kw_only=True)
class ReasonsPage:
    """The report, what is worth most first. ``others``: so many rows are not shown; ``total``: of all of them."""

    asked: AskedReasons
    rows: Sequence[ReasonRow]
    others: int
    total: ReasonRow


@dataclass(frozen=True, kw_only=True)
class ReasonReturn:
    """What one return adds to its row; ``took``: days to its credit memo, ``None`` while there is none."""

    id: int
    number: str
    state: str
    customer: str
    site: str
    requested_at: datetime
    items: Sequence[str]
    value_minor: int
    took: Decimal | None


@dataclass(frozen=True, kw_only=True)
class ReturnsPage:
    """The newest returns behind a row."""

    row: ReasonRow
    returns: Sequence[ReasonReturn]
    is_more: bool


@dataclass(slots=True)
class _Sum:
    """What is added up for a row: each return with its time and whether it has ended, the lines, the units."""

    ages: dict[int, tuple[timedelta, bool]] = field(default_factory=dict)
    lines: set[int] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    quantity: Decimal = Decimal(0)
    value_minor: int = 0

    def add(self, fact: Any, currency: str, now: datetime) -> None:
        """Count one line of a return."""
        self.ages[fact.id] = ((fact.posted_at or now) - fact.requested_at, fact.posted_at is not None)
        if fact.quantity and fact.order_line is not None:
            self.lines.add(fact.order_line)
        self.units.add(fact.unit)
        self.quantity += fact.quantity
        self.value_minor += to_minor(fact.amount, currency)

    def row(self, reason: str, named: tuple[int, str, str], delivered: int) -> ReasonRow:
        """The row of the sum."""
        ages = sorted(self.ages.values(), key=lambda age: (age[0], age[1]))
        one_unit = next(iter(self.units)) if len(self.units) == 1 else ""
        return ReasonRow(
            reason=reason, key=named[0], label=named[1], name=named[2], returns=len(ages),
            waiting=sum(not ended for _, ended in ages), quantity=self.quantity if len(self.units) < 2 else None, unit=one_unit,
            value_minor=self.value_minor, lines=len(self.lines), delivered=delivered, half=_within(ages, 50), most=_within(ages, 90),
        )  # fmt: skip


def _within(ages: Sequence[tuple[timedelta, bool]], percent: int) -> Decimal | None:
    """The nearest-rank percentile in days; ``None`` where one that still waits is as young, for it may take longer than that."""
    rank = -(-len(ages) * percent // 100)
    if not rank or not all(ended for _, ended in ages[:rank]):
        return None
    return _days(ages[rank - 1][0])


def _days(took: timedelta) -> Decimal:
    return (Decimal(took // timedelta(seconds=1)) / Decimal(_DAY // timedelta(seconds=1))).quantize(Decimal("0.1"))


def _key(by: By) -> tuple[Any, Any, Any]:
    """The columns by which a reason is divided: the id, the code, and the name."""
    columns: dict[By, tuple[Any, Any, Any]] = {
        By.REASON: (literal(0), literal(""), literal("")), By.ITEM: (Item.id, Item.code, Item.name),
        By.CUSTOMER: (Customer.id, Customer.code, Customer.name), By.SITE: (Site.id, Site.name, Site.code),
    }  # fmt: skip
    return columns[by]


def _facts(actor: Actor, asked: AskedReasons) -> Any:
    """A row for each line of goods of the returns asked for."""
    key, label, name = _key(asked.by)
    query: Any = (
        select(
            ReturnOrder.id, ReturnOrder.number, ReturnOrder.state, ReturnOrder.reason, ReturnOrder.requested_at,
            Customer.name.label("customer"), Site.name.label("site"), ReturnLine.order_line_id.label("order_line"),
            ReturnLine.quantity, ReturnLine.amount, Item.code, Item.unit, CreditMemo.posted_at,
            key.label("key"), label.label("label"), name.label("name"),
        )
        .select_from(ReturnOrder)
        .join(ReturnLine, ReturnLine.return_id == ReturnOrder.id)
        .join(Item, Item.id == ReturnLine.item_id)
        .join(Customer, Customer.id == ReturnOrder.customer_id)
        .join(Site, Site.id == ReturnOrder.site_id)
        .join(CreditMemo, CreditMemo.return_id == ReturnOrder.id, isouter=True)
        .where(
            ReturnOrder.entity_id == asked.entity, ReturnOrder.requested_at.between(asked.since, asked.until),
            ReturnOrder.state != ReturnState.DECLINED, Item.kind != ItemKind.CHARGE,
        )
    )  # fmt: skip
    if asked.site is not None:
        query = query.where(ReturnOrder.site_id == asked.site)
    return within_sites(query, actor, ReturnOrder.site_id)


def _delivered(session: Session, actor: Actor, asked: AskedReasons) -> dict[int, int]:
    """Order lines of goods that were delivered in these days, or left where nobody recorded the arrival, by what reasons are divided by;
    under 0 all of them.
    """
    keys = {By.ITEM: OrderLine.item_id, By.CUSTOMER: SalesOrder.customer_id, By.SITE: Shipment.site_id}
    key: Any = keys.get(asked.by, literal(0))
    query = (
        select(key.label("key"), func.count(ShipmentLine.order_line_id.distinct()).label("lines"))
        .select_from(Shipment)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .where(
            Shipment.entity_id == asked.entity, Shipment.state.in_((ShipmentState.CONFIRMED, ShipmentState.DELIVERED)),
            func.coalesce(Shipment.delivered_at, Shipment.confirmed_at).between(asked.since, asked.until),
        )
        .group_by("key")
    )  # fmt: skip
    if asked.site is not None:
        query = query.where(Shipment.site_id == asked.site)
    found = {row.key: row.lines for row in session.execute(within_sites(query, actor, Shipment.site_id))}
    # A line of which some came from each of two sites counts at both, and once in all.
    whole = _delivered(session, actor, replace(asked, by=By.REASON))[0] if asked.by is By.SITE else sum(found.values())
    return {**found, 0: whole}


def reasons_page(
    session: Session, actor: Actor, asked: AskedReasons, now: datetime, *, most: int | None = MOST_ROWS
) -> ReasonsPage:  # fmt: skip
    """The report, in two statements, by site in three; ``most`` ``None``: every row, for a file or a program."""
    sums: dict[tuple[str, int], _Sum] = defaultdict(_Sum)
    names: dict[int, tuple[int, str, str]] = {0: (0, "", "")}
    total = _Sum()
    for fact in session.execute(_facts(actor, asked)):
        names[fact.key] = (fact.key, fact.label, fact.name)
        for one in (sums[fact.reason, fact.key], total):
            one.add(fact, asked.currency, now)
    delivered = _delivered(session, actor, asked)
    rows = [one.row(reason, names[key], delivered.get(key, 0)) for (reason, key), one in sums.items()]
    rows.sort(key=lambda row: (-row.value_minor, -row.returns, row.reason, row.key))
    shown = rows if most is None else rows[:most]
    whole = total.row("", (0, "All returns", ""), delivered[0])
    return ReasonsPage(asked=asked, rows=shown, others=len(rows) - len(shown), total=whole)


def reason_returns(
    session: Session, actor: Actor, asked: AskedReasons, now: datetime, *, reason: str | None, key: int
) -> ReturnsPage:  # fmt: skip
    """The returns behind a row, newest first. Without a ``reason`` of every one, with a ``key`` of 0 of every item,
    customer or site; the row has no returns where there are none.
    """
    query = _facts(actor, asked)
    if reason is not None:
        query = query.where(ReturnOrder.reason == reason)
    if key:
        query = query.where(_key(asked.by)[0] == key)
    facts = session.execute(
        query.order_by(ReturnOrder.requested_at.desc(), ReturnOrder.id.desc(), ReturnLine.line_no)
    ).all()
    whole = _Sum()
    for fact in facts:
        whole.add(fact, asked.currency, now)
    named = (key, facts[0].label, facts[0].name) if facts and key else (0, "", "")
    row = whole.row(reason or "", named, _delivered(session, actor, asked).get(key, 0))
    listed: dict[int, list[Any]] = defaultdict(list)
    for fact in facts:
        listed[fact.id].append(fact)
    shown = [_return(lines, asked.currency) for lines in list(listed.values())[:MOST_RETURNS]]
    return ReturnsPage(row=row, returns=shown, is_more=len(listed) > len(shown))


def _return(lines: Sequence[Any], currency: str) -> ReasonReturn:
    one = lines[0]
    return ReasonReturn(
        id=one.id, number=one.number, state=one.state, customer=one.customer, site=one.site, requested_at=one.requested_at,
        items=_once(line.code for line in lines), value_minor=sum(to_minor(line.amount, currency) for line in lines),
        took=None if one.posted_at is None else _days(one.posted_at - one.requested_at),
    )  # fmt: skip


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
