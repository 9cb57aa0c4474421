"""Where is the thing with this number, code or name? Over all that the person may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.queries.listing import like
from app.security.permissions import Permission
from app.security.scopes import within_companies, within_sites
from erpcore.billing.models import CreditMemo, Invoice, Receipt
from erpcore.fulfilment.models import ReturnOrder, Shipment
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Customer, Entity, Item, Site, Supplier
from erpcore.masterdata.search import find_item_ids
from erpcore.orders.models import SalesOrder
from erpcore.orders.quotes.models import Quote
from erpcore.purchasing.models import PurchaseOrder

#: Of each kind, so many are shown; more is a reason to be more precise.
MOST = 8
LEAST_LETTERS = 2


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One thing that was found. ``kind`` names what it is; an item or customer is found again by its ``code`` and company (``other``)."""

    kind: str
    id: int
    title: str
    detail: str
    code: str = ""
    other: int | None = None
    is_exact: bool = False


def _matches(column: Any, pattern: str) -> Any:
    return column.ilike(pattern, escape="\\")


def search_everything(session: Session, actor: Actor, text: str) -> dict[str, list[Hit]]:
    """What fits, by kind; exact numbers and codes first. Kinds that the person may not see are not looked for."""
    typed = text.strip()
    if len(typed) < LEAST_LETTERS:
        return {}
    pattern = like(typed)
    found: dict[str, list[Hit]] = {}
    for kind, permission, finder in _FINDERS:
        if actor.may(permission):
            hits = finder(session, actor, pattern, typed)
            if hits:
                found[kind] = sorted(hits, key=lambda hit: (not hit.is_exact, hit.title))
    return found


def _orders(session: Session, actor: Actor, pattern: str, typed: str) -> list[Hit]:
    query: Any = (
        select(SalesOrder.id, SalesOrder.number, SalesOrder.state, Customer.name.label("customer"), Site.name.label("site"))
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Site, Site.id == SalesOrder.site_id)
        .where(or_(_matches(SalesOrder.number, pattern), _matches(SalesOrder.customer_reference, pattern)))
        .order_by(SalesOrder.captured_at.desc())
        .limit(MOST)
    )  # fmt: skip
    return [
        _hit("order", row.id, row.number, f"{row.customer} · {row.site} · {row.state}", typed)
        for row in session.execute(within_sites(query, actor, SalesOrder.site_id))
    ]


def _quotes(session: Session, actor: Actor, pattern: str, typed: str) -> list[Hit]:
    query: Any = (
        select(Quote.id, Quote.number, Quote.revision, Quote.state, Customer.name.label("customer"))
        .join(Customer, Customer.id == Quote.customer_id)
        .where(or_(_matches(Quote.number, pattern), _matches(Quote.customer_reference, pattern)))
        .order_by(Quote.entered_at.desc())
        .limit(MOST)
    )
    return [
        _hit("quote", row.id, row.number, f"revision {row.revision} · {row.customer} · {row.state}", typed)
        for row in session.execute(within_sites(query, actor, Quote.site_id))
    ]


def _shipments(session: Session, actor: Actor, pattern: str, typed: str) -> list[Hit]:
    query: Any = (
        select(Shipment.order_id, Shipment.number, Shipment.state)
        .where(_matches(Shipment.number, pattern))
        .order_by(Shipment.id.desc())
        .limit(MOST)
    )
    return [
        _hit("order", row.order_id, row.number, f"shipment, {row.state}", typed)
        for row in session.execute(within_sites(query, actor, Shipment.site_id))
    ]


def _invoices(session: Session, actor: Actor, pattern: str, typed: str) -> list[Hit]:
    out = []
    for kind, table, label in (("invoice", Invoice, "invoice"), ("memo", CreditMemo, "credit memo")):
        query: Any = (
            select(table.id, table.number, Customer.name.label("customer"))
            .join(Customer, Customer.id == table.customer_id)
            .where(_matches(table.number, pattern))
            .order_by(table.id.desc())
            .limit(MOST)
        )
        out += [
            _hit(kind, row.id, row.number, f"{label} · {row.customer}", typed)
            for row in session.execute(within_sites(query, actor, table.site_id))
        ]
    return out


def _receipts(session: Session, actor: Actor, pattern: str, typed: str) -> list[Hit]:
    query: Any = (
        select(Receipt.id, Receipt.number, Receipt.reference, Customer.name.label("customer"))
        .join(Customer, Customer.id == Receipt.customer_id)
        .where(or_(_matches(Receipt.number, pattern), _matches(Receipt.reference, pattern)))
        .limit(MOST)
    )
    rows = session.execute(_of_company(query, actor, Receipt.entity_id))
    return [
        _hit("receipt", row.id, row.number, f"{row.customer} · {row.reference or 'no reference'}", typed)
        for row in rows
    ]


def _returns(session: Session, actor: Actor, pattern: str, typed: str) -> list[Hit]:
    query: Any = (
        select(ReturnOrder.id, ReturnOrder.number, ReturnOrder.state, Customer.name.label("customer"))
        .join(Customer, Customer.id == ReturnOrder.customer_id)
        .where(_matches(ReturnOrder.number, pattern))
        .limit(MOST)
    )
    rows = session.execute(within_sites(query, actor, ReturnOrder.site_id))
    return [_hit("return", row.id, row.number, f"{row.customer} · {row.state}", typed) for row in rows]


def _purchases(session: Session, actor: Actor, pattern: str, typed: str) -> list[Hit]:
    query: Any = (
        select(PurchaseOrder.id, PurchaseOrder.number, PurchaseOrder.state, Supplier.name.label("supplier"))
        .join(Supplier, Supplier.id == PurchaseOrder.supplier_id)
        .where(_matches(PurchaseOrder.number, pattern))
        .order_by(PurchaseOrder.id.desc())
        .limit(MOST)
    )
    rows = session.execute(within_sites(query, actor, PurchaseOrder.site_id))
    return [_hit("purchase", row.id, row.number, f"{row.supplier} · {row.state}", typed) for row in rows]


def _customers(session: Session, actor: Actor, pattern: str, typed: str) -> list[Hit]:
    query: Any = (
        select(Customer.id, Customer.code, Customer.name, Customer.entity_id, Entity.name.label("entity"), Entity.realm)
        .join(Entity, Entity.id == Customer.entity_id)
        .where(or_(_matches(Customer.code, pattern), _matches(Customer.name, pattern)))
        .order_by(Entity.realm != "live", Customer.code)
        .limit(MOST)
    )
    return [
        Hit(
            kind="customer",
            id=row.id,
            title=f"{row.code} {row.name}",
            detail=_of(row.entity, row.realm),
            code=row.code,
            other=row.entity_id,
            is_exact=row.code.lower() == typed.lower(),
        )
        for row in session.execute(_of_company(query, actor, Customer.entity_id))
    ]


def _items(session: Session, actor: Actor, pattern: str, typed: str) -> list[Hit]:
    entities = session.scalars(_of_company(select(Entity.id), actor, Entity.id)).all()
    keys = find_item_ids(session, entities, typed, limit=MOST)
    query = (
        select(Item.id, Item.code, Item.name, Item.entity_id, Entity.name.label("entity"), Entity.realm)
        .join(Entity, Entity.id == Item.entity_id)
        .where(Item.id.in_(keys))
        .order_by(Entity.realm != "live", Item.code)
    )
    return [
        Hit(
            kind="item", id=row.id, title=f"{row.code} {row.name}", detail=_of(row.entity, row.realm),
            code=row.code, other=row.entity_id, is_exact=row.code.lower() == typed.lower(),
        )
        for row in (session.execute(query) if keys else ())
    ]  # fmt: skip


def _of(entity: str, realm: str) -> str:
    return entity if realm == "live" else f"{entity} · {realm}"


def _of_company(query: Any, actor: Actor, column: Any) -> Any:
    """Rows of a company are seen by people who have one of its sites."""
    return within_companies(query, actor, column)


def _hit(kind: str, key: int, title: str, detail: str, typed: str, code: str = "") -> Hit:
    return Hit(kind=kind, id=key, title=title, detail=detail, is_exact=(code or title).lower() == typed.lower())


_FINDERS: tuple[tuple[str, Permission, Any], ...] = (
    ("Orders", Permission.ORDER_READ, _orders),
    ("Quotes", Permission.ORDER_READ, _quotes),
    ("Shipments", Permission.ORDER_READ, _shipments),
    ("Invoices and credit memos", Permission.INVOICE_READ, _invoices),
    ("Receipts", Permission.INVOICE_READ, _receipts),
    ("Returns", Permission.RETURN_READ, _returns),
    ("Purchase orders", Permission.PURCHASE_READ, _purchases),
    ("Customers", Permission.ORDER_READ, _customers),
    ("Items", Permission.STOCK_READ, _items),
)
