"""How much hangs on a change of prices? The revenue and the items it touches, and what it would have given away of what was sold.

Measured by the orders of the last 90 days. What one person may do alone is of low materiality; a price beyond the tolerance or
below the floor, and a change of much of what is sold, weighs more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

from sqlalchemy import func, null, or_, select

from app.importers.pricelists import meaning
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import from_minor, places, scaled_amount
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Customer, Item
from erpcore.masterdata.queries import customers, entity_facts
from erpcore.orders.models import OrderLine, OrderState, SalesOrder
from erpcore.pricing.flow import PriceListState
from erpcore.pricing.lists import GIVES, ListPlan, kept_rows
from erpcore.pricing.lowering import Lowering
from erpcore.pricing.models import PriceList, PriceRule
from erpcore.pricing.newprice import NewPrice
from erpcore.pricing.rules import margin_permille
from governance.approvals.rules import Facts, Materiality

WINDOW = timedelta(days=90)
#: What the same person changed within this time, and nobody else has agreed to, counts with it.
TOGETHER = timedelta(days=7)
#: From this share of revenue on, or this many items: materiality.
_SHARES = ((500, Materiality.HIGH), (250, Materiality.MEDIUM))
_ITEMS = ((1_000, Materiality.HIGH), (200, Materiality.MEDIUM))
_PERMILLE = 1000
#: What a price may name beside the item, and where an order says it.
_SCOPES: tuple[tuple[str, Any], ...] = (
    ("customer", SalesOrder.customer_id), ("customer_group", Customer.group_id), ("channel", SalesOrder.channel_id),
)  # fmt: skip
_ONE = 10**PRICE_PLACES


class Change(NamedTuple):
    """A price that would hold, and what it does to the one before it."""

    price: NewPrice
    lowering: Lowering


@dataclass(frozen=True, kw_only=True)
class PriceWeight:
    """What a change of prices touches. ``share_permille``: of the revenue of the window, ``None`` where nothing was sold;
    ``lost_minor``: what those sales would have brought less; ``margin_permille``: the lowest that a price leaves, where costs
    are known; ``tier``: of the most important customer named. ``counted_with``: so many prices of the same person are in items and
    share too.
    """

    items: int
    share_permille: int | None
    lost_minor: int
    currency: str
    margin_permille: int | None
    tier: int | None
    beyond: int
    counted_with: int = 0

    @property
    def materiality(self) -> Materiality:
        """The gravest of what it touches; medium at least where somebody gives away more than the tolerance."""
        for (share, weight), (items, _) in zip(_SHARES, _ITEMS, strict=True):
            if (self.share_permille or 0) >= share or self.items >= items:
                return weight
        return Materiality.MEDIUM if self.beyond else Materiality.LOW

    @property
    def words(self) -> str:
        """What it touches, in a line."""
        parts = [f"{self.items:,} item{'' if self.items == 1 else 's'}"]
        if self.share_permille is not None:
            parts.append(f"{self.share_permille / 10:.1f} % of the revenue of {WINDOW.days} days")
        if self.lost_minor:
            lost = from_minor(self.lost_minor, self.currency)
            parts.append(f"{lost:,.{places(self.currency)}f} {self.currency} less at what was sold")
        if self.counted_with:
            prices = "price" if self.counted_with == 1 else "prices"
            parts.append(f"with {self.counted_with:,} {prices} of the same person in {TOGETHER.days} days")
        return ", ".join(parts)

    @property
    def facts(self) -> Facts:
        """As the rules of approval look at it."""
        return Facts(
            amount_minor=self.lost_minor, currency=self.currency, margin_permille=self.margin_permille, tier=self.tier,
            materiality=self.materiality,
        )  # fmt: skip


def changes_of(plan: ListPlan) -> list[Change]:
    """The rows of a list that would give a price."""
    return [
        Change(one.row.price, one.lowering)
        for one in plan.rows
        if one.outcome in GIVES and one.row.price is not None and one.lowering is not None
    ]


def weigh(
    work: UnitOfWork, entity: int, changes: Sequence[Change], *, by: Collection[int] = (), but: int | None = None
) -> PriceWeight:
    """What these changes touch, together with what the people ``by`` changed in the last week and nobody else agreed to: a list
    that is cut into small ones weighs as much as the whole. ``but``: the list that they are of. Amount, margin and tier are theirs alone.

    Three queries at most, whatever the number of rows, and two more, with four where lists wait.
    """
    named = {change.price.customer for change in changes if change.price.customer is not None}
    others = _others(work, entity, by, but) if by else []
    every = [*(change.price for change in changes), *others]
    sold = _sold(work, entity, every)
    currency = entity_facts(work, entity).currency
    touched, lost = _touched(changes, others, sold, currency)
    whole = sum(sale.value for sale in sold)
    margins = [
        margin_permille(change.lowering.after, change.lowering.cost)
        for change in changes
        if change.lowering.after is not None and change.price.item is not None
    ]
    known = [margin for margin in margins if margin is not None]
    tiers = [one.tier for one in customers(work, named).values()] if named else []
    return PriceWeight(
        items=len(_items_of(work, entity, every)), counted_with=len(others),
        share_permille=touched * _PERMILLE // whole if whole else None,
        lost_minor=lost, currency=currency, tier=min(tiers, default=None),
        margin_permille=min(known, default=None) if len(known) == len(margins) else None,
        beyond=sum(change.lowering.is_beyond for change in changes),
    )  # fmt: skip


class Scoped(Protocol):
    """For which sales a price is."""

    @property
    def item(self) -> int | None: ...
    @property
    def item_group(self) -> int | None: ...
    @property
    def customer(self) -> int | None: ...
    @property
    def customer_group(self) -> int | None: ...
    @property
    def channel(self) -> int | None: ...


class _Of(NamedTuple):
    item: int | None
    item_group: int | None
    customer: int | None
    customer_group: int | None
    channel: int | None


def _others(work: UnitOfWork, entity: int, by: Collection[int], but: int | None) -> list[Scoped]:
    """Prices of these people of the last week that hold without anybody else, and those of their lists that wait."""
    since = work.now - TOGETHER
    held = work.session.execute(
        select(
            PriceRule.item_id, PriceRule.item_group_id, PriceRule.customer_id, PriceRule.customer_group_id, PriceRule.channel_id
        )
        .outerjoin(PriceList, PriceList.id == PriceRule.price_list_id)
        .where(
            PriceRule.entity_id == entity, PriceRule.saved_by.in_(sorted(by)), PriceRule.saved_at > since,
            PriceList.asked_by.is_(None), or_(PriceList.id.is_(None), PriceList.id != (but or 0)),
        )
        .order_by(PriceRule.id)
    ).all()  # fmt: skip
    waiting = work.session.scalars(
        select(PriceList.content).where(
            PriceList.entity_id == entity, PriceList.state == PriceListState.ASKED, PriceList.asked_at > since,
            or_(PriceList.asked_by.in_(sorted(by)), PriceList.uploaded_by.in_(sorted(by))), PriceList.id != (but or 0),
        )
        .order_by(PriceList.id)
    ).all()  # fmt: skip
    rows = [row for content in waiting for row in kept_rows(content)]
    asked = [row.price for row in meaning(work.session, entity, rows) if row.price is not None] if rows else []
    return [*(_Of(*row) for row in held), *asked]


class _Sale(NamedTuple):
    item: int
    item_group: int | None
    customer: int | None
    customer_group: int | None
    channel: int | None
    quantity: int
    value: int


def _sold(work: UnitOfWork, entity: int, prices: Sequence[Scoped]) -> list[_Sale]:
    """What was ordered in the window, by item and by what the prices tell apart beside it."""
    parts: list[Any] = [OrderLine.item_id, Item.group_id]
    shown = list(parts)
    for name, column in _SCOPES:
        is_named = any(getattr(price, name) is not None for price in prices)
        shown.append(column if is_named else null())
        parts += [column] if is_named else []
    query = (
        select(*shown, func.sum(OrderLine.quantity), func.sum(OrderLine.value_minor))
        .select_from(SalesOrder)
        .join(OrderLine, OrderLine.order_id == SalesOrder.id)
        .join(Item, Item.id == OrderLine.item_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .where(
            SalesOrder.entity_id == entity,
            SalesOrder.state != OrderState.CANCELLED,
            SalesOrder.captured_at > work.now - WINDOW,
        )
        .group_by(*parts)
    )
    return [
        _Sale(*row[:5], quantity=scaled_int(row[5], QUANTITY_PLACES), value=int(row[6]))
        for row in work.session.execute(query)
    ]


def _items_of(work: UnitOfWork, entity: int, prices: Sequence[Scoped]) -> set[int]:
    """The items that the prices are for, those of item groups one by one."""
    groups = {price.item_group for price in prices if price.item is None} - {None}
    named = {price.item for price in prices if price.item is not None}
    if groups:
        named |= set(work.session.scalars(select(Item.id).where(Item.entity_id == entity, Item.group_id.in_(groups))))
    return named


def _touched(
    changes: Iterable[Change], others: Iterable[Scoped], sold: Iterable[_Sale], currency: str
) -> tuple[int, int]:
    """The value of the sales that a change or another price is for, and what they would have brought less by the changes, in minor
    units.
    """
    of_items: dict[int | None, list[tuple[Scoped, Change | None]]] = defaultdict(list)
    of_groups: dict[int | None, list[tuple[Scoped, Change | None]]] = defaultdict(list)
    for price, change in (*((one.price, one) for one in changes), *((one, None) for one in others)):
        if price.item is not None:
            of_items[price.item].append((price, change))
        elif price.item_group is not None:
            of_groups[price.item_group].append((price, change))
    value = lost = 0
    for sale in sold:
        beside = of_groups.get(sale.item_group, []) if sale.item_group is not None else []
        met = [one for one in (*of_items.get(sale.item, []), *beside) if _is_for(one[0], sale)]
        if met:
            value += sale.value
            lost += max((_less(change, sale, currency) for _, change in met if change is not None), default=0)
    return value, lost


def _is_for(price: Scoped, sale: _Sale) -> bool:
    return (
        price.customer in (None, sale.customer)
        and price.customer_group in (None, sale.customer_group)
        and price.channel in (None, sale.channel)
    )


def _less(change: Change, sale: _Sale, currency: str) -> int:
    before, after = change.lowering.before, change.lowering.after
    if before is None or after is None or after >= before:
        return 0
    if change.price.item is None:
        # Of a group both are shares of the list price; what was sold stands in for it.
        return sale.value * (before - after) // _ONE
    return scaled_amount(sale.quantity, before - after, currency)
