"""What is sold besides goods: the charges and services of the companies one sees, and when each leaves with its order."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.places import entities_seen
from erpcore.kernel.actor import Actor
from erpcore.masterdata.charges import KINDS
from erpcore.masterdata.models import ChargeLeaves, ChargeTerms, Item

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


def charges(session: Session, actor: Actor, *, realm: str | None = None) -> list[ChargeRow]:
    """By company and code; what nobody declared leaves with the first goods."""
    seen = {one.id: one for one in entities_seen(session, actor) if realm in (None, one.realm)}
    query = (
        select(Item, ChargeTerms.leaves, ChargeTerms.is_rush)
        .outerjoin(ChargeTerms, ChargeTerms.item_id == Item.id)
        .where(Item.entity_id.in_(seen), Item.kind.in_(KINDS))
        .order_by(Item.entity_id, Item.code)
    )
    return [
        ChargeRow(
            item=row.Item.id, entity_id=row.Item.entity_id, entity=seen[row.Item.entity_id].name,
            realm=seen[row.Item.entity_id].realm, code=row.Item.code, name=row.Item.name, kind=row.Item.kind,
            leaves=row.leaves or ChargeLeaves.FIRST_GOODS, is_rush=bool(row.is_rush),
        )
        for row in session.execute(query)
    ]  # fmt: skip
