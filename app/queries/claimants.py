"""Who could give stock back, who asked for it, and what is kept for whom by contract?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from app.queries.listing import PAGE, SqlList
from app.security.scopes import check_site, within_sites
from erpcore.inventory.models import Reservation
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Customer, Entity, Item, Site
from erpcore.orders.allocation_models import StockProtection, TakeBackState, TakeBackWish
from erpcore.orders.models import OrderLine, SalesOrder

#: Lines that hold an item, on its page.
MOST_LINES = 500


@dataclass(frozen=True, kw_only=True)
class WishRow:
    """A wish to take stock back that waits for a second person."""

    id: int
    site_id: int
    site: str
    realm: str
    item_id: int
    code: str
    unit: str
    from_order: str
    from_order_id: int
    to_order: str
    to_order_id: int
    quantity: Decimal
    reason: str
    asked_by: int
    asked_at: datetime


def open_wishes(session: Session, actor: Actor, *, realm: str | None = None, only: int | None = None) -> list[WishRow]:
    """Wishes that nobody has decided yet, the oldest first."""
    loser, winner = aliased(OrderLine), aliased(OrderLine)
    loses, wins = aliased(SalesOrder), aliased(SalesOrder)
    query: Any = (
        select(
            TakeBackWish, Site.name.label("site"), Entity.realm, Item.code, Item.unit, loses.number.label("from_order"),
            loses.id.label("from_order_id"), wins.number.label("to_order"), wins.id.label("to_order_id"),
        )
        .join(Site, Site.id == TakeBackWish.site_id)
        .join(Entity, Entity.id == TakeBackWish.entity_id)
        .join(Item, Item.id == TakeBackWish.item_id)
        .join(loser, loser.id == TakeBackWish.from_line_id)
        .join(winner, winner.id == TakeBackWish.to_line_id)
        .join(loses, loses.id == loser.order_id)
        .join(wins, wins.id == winner.order_id)
        .where(TakeBackWish.state == TakeBackState.PROPOSED)
        .order_by(TakeBackWish.asked_at, TakeBackWish.id)
        .limit(PAGE)
    )  # fmt: skip
    if realm is not None:
        query = query.where(Entity.realm == realm)
    if only is not None:
        query = query.where(TakeBackWish.id == only)
    return [
        WishRow(
            id=row.TakeBackWish.id, site_id=row.TakeBackWish.site_id, site=row.site, realm=row.realm,
            item_id=row.TakeBackWish.item_id, code=row.code, unit=row.unit, from_order=row.from_order,
            from_order_id=row.from_order_id, to_order=row.to_order, to_order_id=row.to_order_id,
            quantity=row.TakeBackWish.quantity, reason=row.TakeBackWish.reason, asked_by=row.TakeBackWish.asked_by,
            asked_at=row.TakeBackWish.asked_at,
        )
        for row in session.execute(within_sites(query, actor, TakeBackWish.site_id))
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class HeldLine:
    """An order line that has stock allocated which is not picked yet: it could be taken back."""

    line_id: int
    order_id: int
    number: str
    line_no: int
    customer: str
    allocated: Decimal
    promised_on: date
    promised_at: datetime


def held_lines(session: Session, actor: Actor, site: int, item: int) -> list[HeldLine]:
    """Lines that hold stock of an item at a site and have not picked it, the latest promise first."""
    check_site(actor, site)
    query = (
        select(
            OrderLine.id, SalesOrder.id.label("order_id"), SalesOrder.number, OrderLine.line_no, OrderLine.allocated,
            Customer.name.label("customer"), OrderLine.promised_on, OrderLine.promised_due_at,
        )
        .join(Reservation, Reservation.order_line_id == OrderLine.id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .where(
            Reservation.site_id == site, Reservation.item_id == item,
            Reservation.consumed + Reservation.freed < Reservation.quantity, OrderLine.allocated > 0,
        )
        .distinct()
        .order_by(OrderLine.promised_due_at.desc(), OrderLine.id)
        .limit(MOST_LINES)
    )  # fmt: skip
    return [
        HeldLine(
            line_id=row.id, order_id=row.order_id, number=row.number, line_no=row.line_no, customer=row.customer,
            allocated=row.allocated, promised_on=row.promised_on, promised_at=row.promised_due_at,
        )
        for row in session.execute(query)
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ProtectionRow:
    """So much of an item at a site is kept for a customer by contract."""

    id: int
    site_id: int
    site: str
    time_zone: str
    realm: str
    item_id: int
    code: str
    unit: str
    customer_id: int
    customer: str
    quantity: Decimal
    contract: str
    valid_from: Any
    valid_until: Any


def _protections() -> Any:
    return (
        select(StockProtection, Site.name.label("site"), Site.time_zone, Entity.realm, Item.code, Item.unit, Customer.name.label("customer"))
        .select_from(StockProtection)
        .join(Site, Site.id == StockProtection.site_id)
        .join(Entity, Entity.id == StockProtection.entity_id)
        .join(Item, Item.id == StockProtection.item_id)
        .join(Customer, Customer.id == StockProtection.customer_id)
    )  # fmt: skip


def _protection(row: Any) -> ProtectionRow:
    names = ("id", "site_id", "item_id", "customer_id", "quantity", "contract", "valid_from", "valid_until")
    return ProtectionRow(
        site=row.site, time_zone=row.time_zone, realm=row.realm, code=row.code, unit=row.unit, customer=row.customer,
        **{name: getattr(row.StockProtection, name) for name in names},
    )  # fmt: skip


#: Protections, by site and item; ended ones too, since runs looked at them.
PROTECTIONS: SqlList[ProtectionRow] = SqlList(
    select=_protections, row=_protection, usual="site", steady=True,
    tie=(Site.id, Item.code, StockProtection.valid_from, StockProtection.id), site=StockProtection.site_id,
    realm=Entity.realm, flags=("open",), text=(Item.code, Customer.name, StockProtection.contract),
    sorts={
        "item": Item.code, "site": Site.name, "customer": Customer.name, "quantity": StockProtection.quantity,
        "from": StockProtection.valid_from, "until": StockProtection.valid_until,
    },
    wanted={
        "open": lambda _value, _: StockProtection.valid_until.is_(None),
        "item": lambda value, _: StockProtection.item_id == value,
        "customer": lambda value, _: StockProtection.customer_id == value,
    },
)  # fmt: skip


def one_protection(session: Session, actor: Actor, protection: int) -> ProtectionRow:
    """One protection; raises ``NotFound`` for an unknown one and another site's."""
    found = PROTECTIONS.one(session, actor, protection)
    if found is None:
        raise NotFound("protection_unknown", protection=protection)
    return found
