"""What would this order be, if it were entered now? Items by any code or name, availability, price, promise, credit.

Prices, dates and the cell are looked up by the rules that capturing applies, so a quote and the order agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.composition.trading import looking
from app.queries.entry_margins import Margin, Typed, margins_of
from app.queries.entry_promises import promise_of, promised_lines
from app.queries.entry_rush import RushCharge, is_rush, rush_charge_of
from app.queries.listing import like
from app.queries.order_detail import exposure_of
from app.queries.places import SitePick
from erpcore.inventory.models import StockBalance
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import scaled_amount, share_of
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Customer, CustomerGroup, Item, ItemKind
from erpcore.masterdata.queries import SiteFacts, commitment, site_facts, tax_rate
from erpcore.masterdata.search import search_items
from erpcore.orders.rules import line_dates
from erpcore.ports import Cell, CellStates, Process, admit
from erpcore.pricing.queries import Asked, Price, resolve_prices
from governance.variants.register import Scope

MOST_FOUND = 8


@dataclass(frozen=True, kw_only=True)
class CustomerPick:
    """A customer as order entry needs it."""

    id: int
    code: str
    name: str
    group: str | None
    group_id: int | None
    country: str
    currency: str
    tax_class: str
    payment_days: int
    credit_limit_minor: int | None
    is_blocked: bool
    tier: int


@dataclass(frozen=True, kw_only=True)
class AskedLine:
    """A line as typed so far: its item, and whatever else can be read of it."""

    item: int
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    requested_on: date | None = None
    rush: bool = False


@dataclass(frozen=True, kw_only=True)
class QuotedLine:
    """What the line would be. ``unit_price`` ``None``: no rule gives one. ``days_late``: promise after the wish."""

    item: int
    code: str
    name: str
    unit: str
    has_stock: bool
    available: Decimal
    promised_on: date
    reason: str
    days_late: int
    unit_price: Decimal | None
    price_source: str
    net_minor: int | None
    tax_minor: int | None
    cost_minor: int | None = None
    margin: Margin | None = None

    def covers(self, quantity: Decimal | None) -> bool:
        return not self.has_stock or self.available >= (quantity or Decimal(1))


@dataclass(frozen=True, kw_only=True)
class Quote:
    """The whole order as typed so far. ``closed``: why its cell would not take it; amounts in minor units. ``approval``: the
    level that would have to approve its entered prices; ``rush``: what the rules add for a rush, or why they refuse it.
    """

    currency: str
    lines: list[QuotedLine | None]
    committed_on: date | None
    cut_off: str
    lead_days: int
    closed: RuleBroken | None
    exposure_minor: int = 0
    credit_limit_minor: int | None = None
    problems: dict[int, str] = field(default_factory=dict)
    approval: str = ""
    rush: RushCharge | None = None

    @property
    def margin_permille(self) -> int | None:
        """Of all lines whose cost is known; ``None`` when there is none."""
        known = [line for line in self.lines if line and line.cost_minor is not None and line.net_minor]
        net = sum(line.net_minor or 0 for line in known)
        cost = sum(line.cost_minor or 0 for line in known)
        return (net - cost) * 1000 // net if net else None

    @property
    def net_minor(self) -> int:
        return sum(line.net_minor or 0 for line in self.lines if line) + (self.rush.net_minor if self.rush else 0)

    @property
    def tax_minor(self) -> int | None:
        """``None`` when no rate determines the tax of some line."""
        parts = [line.tax_minor for line in self.lines if line and line.net_minor is not None]
        parts += [self.rush.tax_minor] if self.rush else []
        return None if any(part is None for part in parts) else sum(part or 0 for part in parts)

    @property
    def on_request(self) -> int:
        return sum(1 for line in self.lines if line and line.days_late <= 0)

    @property
    def count(self) -> int:
        return sum(1 for line in self.lines if line)

    @property
    def over_limit_minor(self) -> int:
        """How far the order would take its customer over the limit when it is released; 0 or less: not at all."""
        if self.credit_limit_minor is None:
            return 0
        return self.exposure_minor + self.net_minor - self.credit_limit_minor


def find_customers(session: Session, entity: int, text: str) -> list[CustomerPick]:
    """Customers whose code or name holds the text; the one of exactly that code alone, when there is one."""
    typed = text.strip()
    if not typed:
        return []
    query = (
        select(Customer, CustomerGroup.name.label("group"))
        .join(CustomerGroup, CustomerGroup.id == Customer.group_id, isouter=True)
        .where(
            Customer.entity_id == entity,
            or_(Customer.code.ilike(like(typed), escape="\\"), Customer.name.ilike(like(typed), escape="\\")),
        )
        .order_by(Customer.code)
        .limit(200)
    )
    found = [_customer(row) for row in session.execute(query)]
    same = [one for one in found if typed.lower() in (one.code.lower(), one.name.lower())]
    return same if len(same) == 1 else found[:MOST_FOUND]


def _customer(row: Any) -> CustomerPick:
    one: Customer = row.Customer
    return CustomerPick(
        id=one.id, code=one.code, name=one.name, group=row.group, group_id=one.group_id, country=one.country,
        currency=one.currency, tax_class=one.tax_class, payment_days=one.payment_days,
        credit_limit_minor=one.credit_limit_minor, is_blocked=one.is_blocked, tier=one.tier,
    )  # fmt: skip


def customer_by_id(session: Session, entity: int | None, customer: int | None) -> CustomerPick | None:
    """The company's customer of that id."""
    row = session.execute(
        select(Customer, CustomerGroup.name.label("group"))
        .join(CustomerGroup, CustomerGroup.id == Customer.group_id, isouter=True)
        .where(Customer.id == customer, Customer.entity_id == entity)
    ).one_or_none()
    return None if row is None else _customer(row)


def find_items(session: Session, entity: int, text: str) -> list[Item]:
    """Items by any code or name; the one of exactly that code alone, when there is one."""
    typed = text.strip()
    if not typed.strip("%_ "):
        return []
    found = search_items(session, entity, typed, limit=MOST_FOUND)
    same = [one for one in found if one.code.lower() == typed.lower()]
    return same[:1] if same else found


def items_with_codes(session: Session, entity: int, typed: Sequence[str]) -> dict[str, int]:
    """Which of the texts typed are the code of an item, in any case of letters: one query for all lines."""
    wanted = {text.strip().lower() for text in typed if text.strip()}
    if not wanted:
        return {}
    both = wanted | {text.upper() for text in wanted} | {text.strip() for text in typed}
    rows = session.execute(select(Item.code, Item.id).where(Item.entity_id == entity, Item.code.in_(both)))
    return {row.code.lower(): row.id for row in rows}


def quote_order(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    site: int,
    realm: str,
    channel: int,
    customer: CustomerPick | None,
    lines: Sequence[AskedLine | None],
    cells: CellStates,
) -> Quote:
    """What the order typed so far would be. Positions without a known item stay empty."""
    look = looking(session, actor=actor, now=now, realm=realm)
    facts = site_facts(look, site)
    group = customer.group_id if customer else None
    day = local_day(now, facts.time_zone)
    terms = commitment(look, site, channel, group, day)
    standard = line_dates(now, facts.time_zone, terms, None, None)
    ids = sorted({line.item for line in lines if line})
    known = {item.id: item for item in session.scalars(select(Item).where(Item.id.in_(ids)))} if ids else {}
    free = _free(session, site, ids)
    groups = {key: item.group_id for key, item in known.items()}
    prices = _prices(look, lines, groups, customer, channel, day, facts.entity.currency)
    scope = Scope(None, group, channel, facts.live_id, facts.entity.live_id)
    parts = promised_lines(look, site, lines, known, scope)
    quoted: list[QuotedLine | None] = []
    for number, (line, price) in enumerate(zip(lines, prices, strict=True)):
        if line is None or line.item not in known:
            quoted.append(None)
            continue
        item = known[line.item]
        dates = line_dates(now, facts.time_zone, terms, line.requested_on, None)
        quantity = line.quantity or Decimal(0)
        left = free.get(item.id, Decimal(0))
        free[item.id] = left - quantity
        promised, reason = promise_of(dates, day, parts.get(number), rush=is_rush(line, item))
        unit_price = line.unit_price if line.unit_price is not None else price and Decimal(price.unit_price).scaleb(-6)
        source = "override" if line.unit_price is not None and not _same(line, price) else price.source if price else ""
        net, tax = _worth(look, line, item, unit_price, facts, customer, day)
        quoted.append(
            QuotedLine(
                item=item.id, code=item.code, name=item.name, unit=item.unit, has_stock=item.kind == ItemKind.STOCK,
                available=max(left, Decimal(0)), promised_on=promised, reason=reason,
                days_late=(promised - dates.requested).days, unit_price=unit_price, price_source=source, net_minor=net,
                tax_minor=tax,
            )
        )  # fmt: skip
    quoted, approval = _with_margins(
        look,
        quoted,
        prices,
        lines,
        known,
        site=facts,
        channel=channel,
        group=group,
        tier=customer.tier if customer else 2,
    )
    return Quote(
        rush=rush_charge_of(look, lines, known, site=facts, buyer=customer, day=day, scope=scope),
        approval=approval, currency=facts.entity.currency, lines=quoted, committed_on=standard.committed,
        cut_off=f"{terms.cut_off:%H:%M}" if terms.cut_off else "", lead_days=terms.lead_days,
        closed=_closed(look, cells, realm, Cell(facts.live_id, channel, Process.ORDER_TO_CASH, group)),
        exposure_minor=exposure_of(session, customer.id) if customer else 0,
        credit_limit_minor=customer.credit_limit_minor if customer else None,
    )  # fmt: skip


def _worth(
    look: UnitOfWork,
    line: AskedLine,
    item: Item,
    unit_price: Decimal | None,
    site: SiteFacts,
    customer: CustomerPick | None,
    day: date,
) -> tuple[int | None, int | None]:
    """Net and tax of the line in minor units, as far as price, quantity and rate are known."""
    if unit_price is None or line.quantity is None:
        return None, None
    currency = site.entity.currency
    net = scaled_amount(scaled_int(line.quantity, QUANTITY_PLACES), scaled_int(unit_price, PRICE_PLACES), currency)
    rate = tax_rate(
        look, site.entity.id, customer.country if customer else site.country,
        customer.tax_class if customer else "standard", item.tax_class, day,
    )  # fmt: skip
    return net, None if rate is None else share_of(net, rate)


def _with_margins(
    look: UnitOfWork,
    quoted: Sequence[QuotedLine | None],
    prices: Sequence[Price | None],
    asked: Sequence[AskedLine | None],
    known: Mapping[int, Item],
    *,
    site: SiteFacts,
    channel: int,
    group: int | None,
    tier: int,
) -> tuple[list[QuotedLine | None], str]:
    """The lines with what their prices leave, and who would have to approve the entered ones."""
    places, typed = [], []
    for place, (line, price, wish) in enumerate(zip(quoted, prices, asked, strict=True)):
        if line is None or line.unit_price is None:
            continue
        item, quantity = known[line.item], wish.quantity if wish and wish.quantity is not None else Decimal(1)
        places.append(place)
        typed.append(
            Typed(
                line=place, quantity=scaled_int(quantity, QUANTITY_PLACES), item_group=item.group_id,
                price=scaled_int(line.unit_price, PRICE_PLACES), resolved=price.unit_price if price else None,
                cost=None if item.standard_cost is None else scaled_int(item.standard_cost, PRICE_PLACES),
                entered=line.price_source == "override",
            )
        )  # fmt: skip
    found, approval = margins_of(
        look, typed, site=site, channel=channel, group=group, tier=tier, currency=site.entity.currency
    )
    out = list(quoted)
    for place, one, margin in zip(places, typed, found, strict=True):
        line = out[place]
        if line is not None:
            cost = None if one.cost is None else scaled_amount(one.quantity, one.cost, site.entity.currency)
            out[place] = replace(line, margin=margin, cost_minor=cost if line.net_minor is not None else None)
    return out, approval


def first_open(
    session: Session, actor: Actor, now: datetime, sites: Sequence[SitePick], channels: Sequence[int], cells: CellStates
) -> tuple[int, int] | None:
    """The first site and channel, in the order given, whose cell takes orders now."""
    for site in sites:
        look = looking(session, actor=actor, now=now, realm=site.realm)
        for channel in channels:
            cell = Cell(site.live_id, channel, Process.ORDER_TO_CASH, None)
            if _closed(look, cells, site.realm, cell) is None:
                return site.id, channel
    return None


def _same(line: AskedLine, price: Price | None) -> bool:
    return price is not None and line.unit_price == Decimal(price.unit_price).scaleb(-6)


def _free(session: Session, site: int, items: Sequence[int]) -> dict[int, Decimal]:
    """What is on hand and not promised, by item."""
    if not items:
        return {}
    rows = session.execute(
        select(StockBalance.item_id, StockBalance.on_hand, StockBalance.reserved, StockBalance.blocked).where(
            StockBalance.site_id == site, StockBalance.item_id.in_(items)
        )
    )
    return {row.item_id: row.on_hand - row.reserved - row.blocked for row in rows}


def _prices(
    look: UnitOfWork,
    lines: Sequence[AskedLine | None],
    groups: Mapping[int, int | None],
    customer: CustomerPick | None,
    channel: int,
    day: date,
    currency: str,
) -> list[Price | None]:
    asked = [
        Asked(
            line.item, customer.id if customer else 0, customer.group_id if customer else None, channel,
            scaled_int(line.quantity or Decimal(1), QUANTITY_PLACES), day, currency, groups.get(line.item),
        )
        for line in lines
        if line
    ]  # fmt: skip
    found = iter(resolve_prices(look, asked) if asked else [])
    return [next(found) if line else None for line in lines]


def _closed(look: UnitOfWork, cells: CellStates, realm: str, cell: Cell) -> RuleBroken | None:
    try:
        admit(look, cells, realm, cell, begins=True)
    except RuleBroken as refusal:
        return refusal
    return None
