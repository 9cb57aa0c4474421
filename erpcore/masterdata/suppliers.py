"""Whom do we buy an item from, for how much, and how long does it take?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.rows import chunks, raw_columns, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Site, SiteKind, Supplier, SupplierItem
from erpcore.masterdata.queries import entity_facts, items

CHANGE = "masterdata:record:change"
#: Nobody waits longer for goods than this many days.
MOST_DAYS = 730


class SupplierFacts(NamedTuple):
    """``site_id``: the drop-ship site that stands for its works."""

    id: int
    entity_id: int
    code: str
    name: str
    lead_days: int
    ships_direct: bool
    site_id: int | None
    is_blocked: bool


class Offer(NamedTuple):
    """An item at a supplier: price in millionths, days from the order to the goods."""

    supplier: SupplierFacts
    item: int
    price: int
    lead_days: int
    supplier_code: str | None
    rank: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSupplier:
    """Somebody we buy from. ``site``: the drop-ship site that stands for its works."""

    entity: int
    code: str
    name: str
    country: str
    lead_days: int
    ships_direct: bool = False
    site: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferItem:
    """What a supplier asks for an item; given again it replaces what stood there. ``lead_days`` ``None``: the supplier's."""

    supplier: int
    item: int
    price: Decimal
    lead_days: int | None = None
    supplier_code: str | None = None
    rank: int = 1


def suppliers(work: UnitOfWork, ids: Iterable[int]) -> dict[int, SupplierFacts]:
    """Suppliers by id; raises ``NotFound`` for an unknown one."""
    wanted = set(ids)
    rows = read_rows(work, Supplier, SupplierFacts._fields, "id", wanted)
    found = {row.id: SupplierFacts(*row) for row in rows}
    if absent := wanted - found.keys():
        raise NotFound("supplier_unknown", id=min(absent))
    return found


def offers(work: UnitOfWork, wanted: Iterable[int]) -> dict[int, list[Offer]]:
    """Who sells each item, whom we ask first leading; blocked suppliers are left out, and items nobody sells."""
    found: dict[int, list[Offer]] = {}
    names = ("item_id", "price", "lead_days", "supplier_code", "rank")
    for part in chunks(sorted(set(wanted))):
        query = (
            select(*raw_columns(Supplier, *SupplierFacts._fields), *raw_columns(SupplierItem, *names[:2]),
                   SupplierItem.lead_days.label("own_days"), *raw_columns(SupplierItem, *names[3:]))
            .join(SupplierItem, SupplierItem.supplier_id == Supplier.id)
            .where(SupplierItem.item_id.in_(part), Supplier.is_blocked.is_(False))
            .order_by(SupplierItem.item_id, SupplierItem.rank, SupplierItem.price, Supplier.id)
        )  # fmt: skip
        for row in work.session.execute(query):
            supplier = SupplierFacts(*row[: len(SupplierFacts._fields)])
            days = supplier.lead_days if row.own_days is None else row.own_days
            offer = Offer(supplier, row.item_id, row.price, days, row.supplier_code, row.rank)
            found.setdefault(row.item_id, []).append(offer)
    return found


def _days(days: int | None) -> None:
    if days is not None and not 0 <= days <= MOST_DAYS:
        raise RuleBroken("lead_days_absurd", field="lead_days", most=MOST_DAYS)


def add_suppliers(work: UnitOfWork, commands: Sequence[NewSupplier]) -> list[int]:
    """New suppliers; raises ``Conflict`` for a code in use. Returns the ids."""
    work.actor.require(CHANGE)
    made = []
    for c in commands:
        entity_facts(work, c.entity)
        code, name, country = c.code.strip(), c.name.strip(), c.country.strip()
        for field, given in (("code", code), ("name", name), ("country", country)):
            if not given:
                raise RuleBroken("supplier_incomplete", field=field)
        _days(c.lead_days)
        if c.site is not None:
            _check_works(work, c)
        taken = select(Supplier.id).where(Supplier.entity_id == c.entity, Supplier.code == code)
        if work.session.execute(taken).first():
            raise Conflict("code_in_use", field="code", code=code)
        row = Supplier(
            id=work.ids.one(), entity_id=c.entity, code=code, name=name, country=country, lead_days=c.lead_days,
            ships_direct=c.ships_direct or c.site is not None, site_id=c.site, is_blocked=False,
        )  # fmt: skip
        work.session.add(row)
        # Two commands of one batch with the same code are noticed.
        work.session.flush()
        work.audit("supplier.added", "supplier", row.id, code=code)
        made.append(row.id)
    return made


def _check_works(work: UnitOfWork, command: NewSupplier) -> None:
    site = work.session.get(Site, command.site)
    if site is None or site.entity_id != command.entity:
        raise NotFound("site_unknown", site=command.site)
    if site.kind != SiteKind.DROP_SHIP:
        raise RuleBroken("works_no_drop_ship", field="site", site=site.code)
    other = work.session.execute(select(Supplier.name).where(Supplier.site_id == command.site)).scalar_one_or_none()
    if other is not None:
        raise RuleBroken("works_taken", field="site", site=site.code, supplier=other)


def offer_items(work: UnitOfWork, commands: Sequence[OfferItem]) -> None:
    """Keep what suppliers ask for items; purchase orders placed before keep their prices."""
    work.actor.require(CHANGE)
    known = suppliers(work, {c.supplier for c in commands})
    goods = items(work, {c.item for c in commands})
    for c in commands:
        supplier, item = known[c.supplier], goods[c.item]
        if supplier.entity_id != item.entity_id:
            raise RuleBroken("other_entity", field="item", customer=item.code, site=supplier.code)
        if item.kind != "stock":
            raise RuleBroken("item_without_stock", field="item", item=item.code)
        if c.price <= 0:
            raise RuleBroken("purchase_price_positive", field="price", item=item.code)
        if not 1 <= c.rank <= 99:
            raise RuleBroken("offer_rank_absurd", field="rank")
        _days(c.lead_days)
        row = work.session.get(SupplierItem, (c.supplier, c.item))
        if row is None:
            row = SupplierItem(supplier_id=c.supplier, item_id=c.item)
            work.session.add(row)
        row.price, row.lead_days, row.rank = c.price, c.lead_days, c.rank
        row.supplier_code = (c.supplier_code or "").strip() or None
        work.audit("supplier.offered", "supplier", c.supplier, item=c.item, price=str(c.price))
    work.session.flush()


def block_supplier(work: UnitOfWork, supplier: int, *, is_blocked: bool) -> None:
    """Order nothing more from a supplier, or do so again; what is ordered already goes on."""
    work.actor.require(CHANGE)
    row = work.session.get(Supplier, supplier)
    if row is None:
        raise NotFound("supplier_unknown", id=supplier)
    row.is_blocked = is_blocked
    work.audit("supplier.blocked" if is_blocked else "supplier.unblocked", "supplier", supplier)
