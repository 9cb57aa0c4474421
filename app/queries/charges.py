"""What is sold besides goods: the charges and services of the companies one sees, and when each leaves with its order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from app.security.scopes import within_companies
from erpcore.kernel.actor import Actor
from erpcore.masterdata.charges import KINDS
from erpcore.masterdata.models import ChargeLeaves, ChargeTerms, Entity, Item

#: When a charge or service leaves, in words.
LEAVES = {
    ChargeLeaves.FIRST_GOODS: "with the first goods",
    ChargeLeaves.LAST_GOODS: "once the last goods leave",
    ChargeLeaves.BY_ITSELF: "by itself, once somebody says that it is done",
}


@dataclass(frozen=True, kw_only=True)
class ChargeRow:
    """One charge or service. ``is_rush``: what a rush costs in its company."""

    item: int
    entity_id: int
    entity: str
    realm: str
    code: str
    name: str
    kind: str
    leaves: str
    is_rush: bool


def _charges() -> Any:
    return (
        select(Item, ChargeTerms.leaves, ChargeTerms.is_rush, Entity.name.label("entity"), Entity.realm)
        .select_from(Item)
        .join(Entity, Entity.id == Item.entity_id)
        .outerjoin(ChargeTerms, ChargeTerms.item_id == Item.id)
        .where(Item.kind.in_(KINDS))
    )


def _row(row: Any) -> ChargeRow:
    return ChargeRow(
        item=row.Item.id, entity_id=row.Item.entity_id, entity=row.entity, realm=row.realm, code=row.Item.code,
        name=row.Item.name, kind=row.Item.kind, leaves=row.leaves or ChargeLeaves.FIRST_GOODS, is_rush=bool(row.is_rush),
    )  # fmt: skip


def _mine(query: Any, actor: Actor) -> Any:
    """Kept to the companies of the sites that the person sees."""
    return within_companies(query, actor, Item.entity_id)


_LEAVES = func.coalesce(ChargeTerms.leaves, ChargeLeaves.FIRST_GOODS.value)

#: The charges and services of the companies one sees, by code; what nobody declared leaves with the first goods.
CHARGES: SqlList[ChargeRow] = SqlList(
    select=_charges, row=_row, tie=(Item.code, Item.id), steady=True, usual="code", scope=_mine, realm=Entity.realm,
    by=("kind", Item.kind), flags=("rush",), text=(Item.code, Item.name),
    sorts={"code": Item.code, "company": Entity.name, "kind": Item.kind, "leaves": _LEAVES},
    wanted={
        "kind": lambda value, _: Item.kind == value, "entity": lambda value, _: Item.entity_id == value,
        "leaves": lambda value, _: value == _LEAVES, "rush": lambda _value, _: ChargeTerms.is_rush.is_(True),
    },
)  # fmt: skip


def one_charge(session: Session, actor: Actor, item: int | None) -> ChargeRow | None:
    """The charge or service with this item; ``None`` for an unknown one and another company's."""
    return CHARGES.one(session, actor, item)
