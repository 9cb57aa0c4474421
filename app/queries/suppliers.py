"""Whom do we buy from, and what do they ask?"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from app.security.scopes import within_companies
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


def _suppliers() -> Any:
    return (
        select(Supplier, Entity.name.label("entity"), Entity.realm, Entity.currency, Site.name.label("works"))
        .select_from(Supplier)
        .join(Entity, Entity.id == Supplier.entity_id)
        .outerjoin(Site, Site.id == Supplier.site_id)
    )


def _supplier(row: Any) -> SupplierFact:
    one: Supplier = row.Supplier
    return SupplierFact(
        id=one.id, entity_id=one.entity_id, entity=row.entity, realm=row.realm, code=one.code, name=one.name,
        country=one.country, currency=row.currency, lead_days=one.lead_days, ships_direct=one.ships_direct, works=row.works,
        is_blocked=one.is_blocked,
    )  # fmt: skip


def _mine(query: Any, actor: Actor) -> Any:
    """Kept to the companies of the sites that the person sees."""
    return within_companies(query, actor, Supplier.entity_id)


#: The suppliers of the companies one sees, by name, without what they offer.
SUPPLIERS: SqlList[SupplierFact] = SqlList(
    select=_suppliers, row=_supplier, tie=(Supplier.name, Supplier.id), steady=True, usual="supplier", scope=_mine,
    realm=Entity.realm, flags=("direct", "blocked"), text=(Supplier.code, Supplier.name),
    sorts={"supplier": Supplier.name, "company": Entity.name, "country": Supplier.country, "days": Supplier.lead_days},
    wanted={
        "direct": lambda _value, _: Supplier.ships_direct.is_(True),
        "blocked": lambda _value, _: Supplier.is_blocked.is_(True),
        "entity": lambda value, _: Supplier.entity_id == value, "country": lambda value, _: Supplier.country == value,
    },
)  # fmt: skip


def all_suppliers(session: Session, actor: Actor) -> list[SupplierFact]:
    """The suppliers of the companies this person sees, live ones first, by name, without what they offer."""
    query = _mine(_suppliers(), actor).order_by(Entity.realm != "live", Supplier.name, Supplier.id)
    return [_supplier(row) for row in session.execute(query)]


def supplier_countries(session: Session, actor: Actor) -> list[str]:
    """Where the suppliers of the companies this person sees are at home."""
    return list(session.scalars(_mine(select(Supplier.country).distinct(), actor).order_by(Supplier.country)))


def supplier_page(session: Session, actor: Actor, supplier_id: int) -> SupplierFact:
    """One supplier with what it offers; raises ``NotFound`` for an unknown one or another company's."""
    found = SUPPLIERS.one(session, actor, supplier_id)
    if found is None:
        raise NotFound("supplier_unknown", id=supplier_id)
    query = (
        select(SupplierItem, Item.code, Item.name, Item.unit)
        .join(Item, Item.id == SupplierItem.item_id)
        .where(SupplierItem.supplier_id == supplier_id)
        .order_by(Item.code)
        .limit(MOST_OFFERS)
    )
    found.offers.extend(
        OfferFact(
            item_id=row.SupplierItem.item_id, code=row.code, name=row.name, unit=row.unit, price=row.SupplierItem.price,
            lead_days=row.SupplierItem.lead_days, supplier_code=row.SupplierItem.supplier_code, rank=row.SupplierItem.rank,
        )
        for row in session.execute(query)
    )  # fmt: skip
    return found
