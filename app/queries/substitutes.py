"""What may be sent instead of what, and which substitutions wait for somebody's answer?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased

from app.queries.listing import SqlList
from app.security.scopes import within_companies, within_sites
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Entity, Item, ItemSubstitute
from erpcore.orders.models import HoldKind, OrderHold, OrderLine, SalesOrder


@dataclass(frozen=True, kw_only=True)
class SubstituteRow:
    item_id: int
    code: str
    name: str
    substitute_id: int
    substitute_code: str
    substitute_name: str
    rank: int
    same_group: bool
    realm: str


_OTHER = aliased(Item)


def _substitutes() -> Any:
    return (
        select(ItemSubstitute, Item, _OTHER, Entity.realm)
        .select_from(ItemSubstitute)
        .join(Item, Item.id == ItemSubstitute.item_id)
        .join(_OTHER, _OTHER.id == ItemSubstitute.substitute_id)
        .join(Entity, Entity.id == Item.entity_id)
    )


def _row(row: Any) -> SubstituteRow:
    kept, item, other, realm = row
    return SubstituteRow(
        item_id=item.id, code=item.code, name=item.name, substitute_id=other.id, substitute_code=other.code,
        substitute_name=other.name, rank=kept.rank, realm=realm,
        same_group=item.group_id is not None and item.group_id == other.group_id,
    )  # fmt: skip


def _mine(query: Any, actor: Actor) -> Any:
    """Kept to the companies of the sites that the person sees."""
    return within_companies(query, actor, Item.entity_id)


def _same_group() -> ColumnElement[bool]:
    return and_(Item.group_id.is_not(None), Item.group_id == _OTHER.group_id)


#: What may be sent instead of what, by item and rank, of the companies one sees.
SUBSTITUTES: SqlList[SubstituteRow] = SqlList(
    select=_substitutes, row=_row, tie=(Item.code, ItemSubstitute.rank, _OTHER.code, Item.id, _OTHER.id), steady=True, usual="item",
    scope=_mine, realm=Entity.realm, flags=("same_group", "other_group"),
    text=(Item.code, Item.name, _OTHER.code, _OTHER.name),
    sorts={"item": Item.code, "instead": _OTHER.code, "rank": ItemSubstitute.rank},
    wanted={
        "same_group": lambda _value, _: _same_group(),
        "other_group": lambda _value, _: or_(
            Item.group_id.is_(None), _OTHER.group_id.is_(None), Item.group_id != _OTHER.group_id
        ),
        "item": lambda value, _: ItemSubstitute.item_id == value,
        "entity": lambda value, _: Item.entity_id == value,
    },
)  # fmt: skip


def substitutes_of(session: Session, actor: Actor, item: int) -> list[SubstituteRow]:
    """What may be sent instead of this item, first what is offered first."""
    query = _mine(_substitutes(), actor).where(ItemSubstitute.item_id == item)
    return [_row(row) for row in session.execute(query.order_by(ItemSubstitute.rank, _OTHER.code))]


@dataclass(frozen=True, kw_only=True)
class AskedSubstitution:
    """A substitution that waits for somebody else's answer."""

    hold_id: int
    order_id: int
    order: str
    realm: str
    asked_by: int | None
    reason: str
    since: datetime
    quantity: Decimal
    unit: str
    item: str
    substitute: str
    is_open: bool


def asked_substitution(session: Session, actor: Actor, hold_id: int) -> AskedSubstitution:
    """One that was asked for; raises ``NotFound`` for another kind of hold, an unknown one and another site's."""
    query: Any = (
        select(OrderHold, SalesOrder, Entity.realm)
        .join(SalesOrder, SalesOrder.id == OrderHold.order_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .where(OrderHold.id == hold_id, OrderHold.kind == HoldKind.SUBSTITUTION)
    )
    row = session.execute(within_sites(query, actor, SalesOrder.site_id)).one_or_none()
    facts = orjson.loads(row.OrderHold.facts) if row is not None else {}
    if row is None or "item" not in facts:
        raise NotFound("hold_unknown", hold=hold_id)
    line = session.get(OrderLine, facts["line"])
    old, new = (session.get(Item, key) for key in (line.item_id if line else 0, facts["item"]))
    if old is None or new is None:
        raise NotFound("hold_unknown", hold=hold_id)
    return AskedSubstitution(
        hold_id=hold_id, order_id=row.SalesOrder.id, order=row.SalesOrder.number, realm=row.realm,
        asked_by=row.OrderHold.asked_by, reason=row.OrderHold.reason, since=row.OrderHold.since,
        quantity=Decimal(facts["quantity"]).scaleb(-3), unit=old.unit, item=f"{old.code} {old.name}",
        substitute=f"{new.code} {new.name}", is_open=row.OrderHold.released_at is None,
    )  # fmt: skip
