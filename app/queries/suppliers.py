"""Whom do we buy from, and what do they ask?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.places import entities_seen
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Entity, Item, Site, Supplier, SupplierItem

#: Of one supplier, so many offers are shown.
MOST_OFFERS = 500


@dataclass(frozen=True, kw_only=True)
class OfferFact:
    """What a supplier asks for an item. ``lead_days`` ``None``: the supplier's own."""

    item_id: int
    code: str
    name: str
    unit: str
    price: Decimal
    lead_days: int | None
    supplier_code: str | None
    rank: int


@dataclass(frozen=True, kw_only=True)
class SupplierFact:
    id: int
    entity_id: int
    entity: str
    realm: str
    code: str
    name: str
    country: str
    currency: str
    lead_days: int
    ships_direct: bool
    works: str | None
    is_blocked: bool
    offers: list[OfferFact] = field(default_factory=list)


def all_suppliers(session: Session, actor: Actor) -> list[SupplierFact]:
    """The suppliers of the companies this person sees, by name, without what they offer."""
    entities = [one.id for one in entities_seen(session, actor)]
    return _suppliers(session, entities)


def _suppliers(session: Session, entities: Iterable[int], only: int | None = None) -> list[SupplierFact]:
    query = (
        select(Supplier, Entity, Site.name.label("works"))
        .join(Entity, Entity.id == Supplier.entity_id)
        .outerjoin(Site, Site.id == Supplier.site_id)
        .where(Supplier.entity_id.in_(list(entities)))
        .order_by(Entity.realm != "live", Supplier.name, Supplier.id)
    )
    if only is not None:
        query = query.where(Supplier.id == only)
    return [
        SupplierFact(
            id=row.Supplier.id, entity_id=row.Entity.id, entity=row.Entity.name, realm=row.Entity.realm,
            code=row.Supplier.code, name=row.Supplier.name, country=row.Supplier.country, currency=row.Entity.currency,
            lead_days=row.Supplier.lead_days, ships_direct=row.Supplier.ships_direct, works=row.works,
            is_blocked=row.Supplier.is_blocked,
        )
        for row in session.execute(query)
    ]  # fmt: skip


def supplier_page(session: Session, actor: Actor, supplier_id: int) -> SupplierFact:
    """One supplier with what it offers; raises ``NotFound`` for an unknown one or another company's."""
    found = _suppliers(session, [one.id for one in entities_seen(session, actor)], supplier_id)
    if not found:
        raise NotFound("supplier_unknown", id=supplier_id)
    query = (
        select(SupplierItem, Item.code, Item.name, Item.unit)
        .join(Item, Item.id == SupplierItem.item_id)
        .where(SupplierItem.supplier_id == supplier_id)
        .order_by(Item.code)
        .limit(MOST_OFFERS)
    )
    found[0].offers.extend(
        OfferFact(
            item_id=row.SupplierItem.item_id, code=row.code, name=row.name, unit=row.unit, price=row.SupplierItem.price,
            lead_days=row.SupplierItem.lead_days, supplier_code=row.SupplierItem.supplier_code, rank=row.SupplierItem.rank,
        )
        for row in session.execute(query)
    )  # fmt: skip
    return found[0]
