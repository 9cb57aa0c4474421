"""Which returned goods wait for their supplier, what was sent back, and what do suppliers owe for it?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from app.security.scopes import within_sites
from erpcore.fulfilment.models import Disposition, ReturnLine, ReturnOrder, ReturnState
from erpcore.fulfilment.sending_back.models import ClaimKind, SupplierClaimEntry, SupplierReturn, SupplierReturnLine
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Entity, Item, Site, Supplier, SupplierItem

#: So many lines are offered at a time, those that came first leading.
MOST_WAITING = 200


@dataclass(frozen=True, kw_only=True)
class SupplierReturnRow:
    """A document of goods sent back. ``value_minor``: what they were worth; ``expected_minor``: what the supplier owes for them, of
    which it has credited so much, and so much was given up.
    """

    id: int
    number: str
    realm: str
    entity_id: int
    entity: str
    site_id: int
    site: str
    time_zone: str
    supplier_id: int
    supplier: str
    note: str | None
    currency: str
    value_minor: int
    expected_minor: int
    sent_at: datetime
    credited_minor: int
    accepted_minor: int

    @property
    def open_minor(self) -> int:
        """What it still owes; below zero: it credited more than was expected."""
        return self.expected_minor - self.credited_minor - self.accepted_minor


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """By what a claim fell; ``is_gone``: taken back, or taking back (``reverses``)."""

    id: int
    kind: str
    paper: str | None
    paper_on: date | None
    reason: str | None
    amount_minor: int
    reverses: int | None
    is_gone: bool
    settled_by: int
    settled_at: datetime


@dataclass(frozen=True, kw_only=True)
class SentLine:
    """A line of it, with the customer's return that it came with."""

    line_no: int
    item_id: int
    code: str
    name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    expected_minor: int
    return_id: int
    return_number: str


@dataclass(frozen=True, kw_only=True)
class SupplierReturnPage:
    """The document with its lines, and by what it was settled, in the order in which that was entered."""

    row: SupplierReturnRow
    lines: list[SentLine]
    settled: list[Settlement]


class Seller(NamedTuple):
    """Who sells us an item."""

    id: int
    name: str


@dataclass(frozen=True, kw_only=True)
class WaitingLine:
    """Goods that were set apart for a supplier and are still here; ``id`` is the line of their return. ``suppliers``: who sells us
    the item, whom we ask first leading.
    """

    id: int
    return_id: int
    return_number: str
    site_id: int
    site: str
    item_id: int
    code: str
    name: str
    unit: str
    quantity: Decimal
    suppliers: Sequence[Seller] = ()


def _settled(*kinds: ClaimKind) -> Any:
    """By how much a document's claim has fallen for these."""
    fallen = select(func.coalesce(func.sum(SupplierClaimEntry.amount_minor), 0)).where(
        SupplierClaimEntry.supplier_return_id == SupplierReturn.id, SupplierClaimEntry.kind.in_(kinds)
    )
    return fallen.correlate(SupplierReturn).scalar_subquery()


#: What is open of a document.
_OPEN: Any = SupplierReturn.expected_minor - _settled(*ClaimKind)


def _documents() -> Any:
    return (
        select(
            SupplierReturn, _settled(ClaimKind.CREDIT).label("credited"), _settled(ClaimKind.DIFFERENCE).label("accepted"), Site.name.label("site"), Site.time_zone, Supplier.name.label("supplier"), Entity.name.label("entity"), Entity.realm
        )
        .select_from(SupplierReturn)
        .join(Site, Site.id == SupplierReturn.site_id)
        .join(Supplier, Supplier.id == SupplierReturn.supplier_id)
        .join(Entity, Entity.id == SupplierReturn.entity_id)
    )  # fmt: skip


def _row(found: Any) -> SupplierReturnRow:
    one: SupplierReturn = found.SupplierReturn
    return SupplierReturnRow(
        id=one.id, number=one.number, realm=found.realm, entity_id=one.entity_id, entity=found.entity, site_id=one.site_id,
        site=found.site, time_zone=found.time_zone, supplier_id=one.supplier_id, supplier=found.supplier, note=one.note, currency=one.currency,
        value_minor=one.value_minor, expected_minor=one.expected_minor, sent_at=one.sent_at,
        credited_minor=int(found.credited), accepted_minor=int(found.accepted),
    )  # fmt: skip


#: What was sent back to suppliers, and what they owe for it.
SUPPLIER_RETURNS: SqlList[SupplierReturnRow] = SqlList(
    select=_documents, row=_row, tie=(SupplierReturn.id,), usual="-sent", site=SupplierReturn.site_id, realm=Entity.realm,
    text=(SupplierReturn.number, Supplier.name, Supplier.code), sums={"Expected": SupplierReturn.expected_minor, "Open": _OPEN},
    currency=SupplierReturn.currency,
    sorts={
        "number": SupplierReturn.id, "supplier": Supplier.name, "sent": SupplierReturn.sent_at, "site": Site.name,
        "expected": SupplierReturn.expected_minor, "open": _OPEN,
    },
    flags=("open",),
    wanted={"supplier": lambda value, _: SupplierReturn.supplier_id == value, "open": lambda _value, _: _OPEN != 0},
)  # fmt: skip


def supplier_return_page(session: Session, actor: Actor, key: int) -> SupplierReturnPage:
    """One document with its lines; raises ``NotFound`` for an unknown one and for another site's."""
    found = SUPPLIER_RETURNS.one(session, actor, key)
    if found is None:
        raise NotFound("supplier_return_unknown", id=key)
    lines = session.execute(
        select(SupplierReturnLine, Item.code, Item.name, Item.unit, ReturnOrder.id.label("of"), ReturnOrder.number)
        .join(Item, Item.id == SupplierReturnLine.item_id)
        .join(ReturnLine, ReturnLine.id == SupplierReturnLine.return_line_id)
        .join(ReturnOrder, ReturnOrder.id == ReturnLine.return_id)
        .where(SupplierReturnLine.supplier_return_id == key)
        .order_by(SupplierReturnLine.line_no)
    )
    return SupplierReturnPage(
        row=found,
        lines=[
            SentLine(
                line_no=one.SupplierReturnLine.line_no, item_id=one.SupplierReturnLine.item_id, code=one.code, name=one.name,
                unit=one.unit, quantity=one.SupplierReturnLine.quantity, unit_price=one.SupplierReturnLine.unit_price,
                expected_minor=one.SupplierReturnLine.expected_minor, return_id=one.of, return_number=one.number,
            )
            for one in lines
        ],
        settled=_settlements(session, key),
    )  # fmt: skip


def _settlements(session: Session, key: int) -> list[Settlement]:
    entries = session.scalars(
        select(SupplierClaimEntry).where(SupplierClaimEntry.supplier_return_id == key).order_by(SupplierClaimEntry.id)
    ).all()
    gone = {one.reverses_id for one in entries}
    return [
        Settlement(
            id=one.id, kind=one.kind, paper=one.paper, paper_on=one.paper_on, reason=one.reason, amount_minor=one.amount_minor,
            reverses=one.reverses_id, is_gone=one.id in gone or one.reverses_id is not None, settled_by=one.settled_by,
            settled_at=one.settled_at,
        )
        for one in entries
    ]  # fmt: skip


def _waiting(query: Any, actor: Actor) -> Any:
    """Narrow a select of lines of returns to those that were set apart for a supplier and have not left, at the sites of this person."""
    left_behind = (
        query.join(ReturnOrder, ReturnOrder.id == ReturnLine.return_id)
        .join(Site, Site.id == ReturnOrder.site_id)
        .outerjoin(SupplierReturnLine, SupplierReturnLine.return_line_id == ReturnLine.id)
        .where(
            ReturnLine.disposition == Disposition.SUPPLIER, ReturnLine.quantity > 0, SupplierReturnLine.return_line_id.is_(None),
            ReturnOrder.state.in_((ReturnState.INSPECTED, ReturnState.CREDITED)),
        )
    )  # fmt: skip
    return within_sites(left_behind, actor, ReturnOrder.site_id)


def waiting_sites(session: Session, actor: Actor) -> dict[int, str]:
    """Where goods wait for their supplier, by site with its name; where the oldest wait leads."""
    query = _waiting(select(Site.id, Site.name).select_from(ReturnLine), actor)
    found = session.execute(query.group_by(Site.id, Site.name).order_by(func.min(ReturnLine.id)))
    return {one.id: one.name for one in found}


def waiting_lines(session: Session, actor: Actor, site: int | None = None) -> list[WaitingLine]:
    """The oldest goods that wait for their supplier, at the sites of this person or at one of them."""
    query = _waiting(
        select(
            ReturnLine.id, ReturnLine.return_id, ReturnLine.quantity, ReturnLine.item_id, ReturnOrder.number, ReturnOrder.site_id,
            Site.name.label("site"), Item.code, Item.name, Item.unit,
        ).select_from(ReturnLine).join(Item, Item.id == ReturnLine.item_id),
        actor,
    )  # fmt: skip
    if site is not None:
        query = query.where(ReturnOrder.site_id == site)
    found = session.execute(query.order_by(ReturnLine.id).limit(MOST_WAITING)).all()
    sold = _sellers(session, {one.item_id for one in found})
    return [
        WaitingLine(
            id=one.id, return_id=one.return_id, return_number=one.number, site_id=one.site_id, site=one.site,
            item_id=one.item_id, code=one.code, name=one.name, unit=one.unit, quantity=one.quantity,
            suppliers=sold.get(one.item_id, ()),
        )
        for one in found
    ]  # fmt: skip


def _sellers(session: Session, items: Iterable[int]) -> Mapping[int, Sequence[Seller]]:
    """Who sells us each of these items, whom we ask first leading."""
    query = (
        select(SupplierItem.item_id, Supplier.id, Supplier.name)
        .join(Supplier, Supplier.id == SupplierItem.supplier_id)
        .where(SupplierItem.item_id.in_(sorted(items)))
        .order_by(SupplierItem.rank, Supplier.id)
    )
    found: dict[int, list[Seller]] = defaultdict(list)
    for one in session.execute(query):
        found[one.item_id].append(Seller(one.id, one.name))
    return found
