"""What do sites ask each other for, when should it arrive, and has it?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.queries.listing import SqlList
from app.queries.order_detail import steps_of
from app.queries.order_facts import Step
from erpcore.fulfilment.branch.models import TransferOrder, TransferOrderLine, TransferOrderState
from erpcore.inventory.documents import StockTransfer, StockTransferLine
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Entity, Item, Site

State = TransferOrderState
STATES = tuple(state.value for state in TransferOrderState)
_TO, _FROM = aliased(Site), aliased(Site)


@dataclass(frozen=True, kw_only=True)
class TransferOrderRow:
    id: int
    number: str
    state: str
    from_site_id: int
    from_site: str
    site_id: int
    site: str
    realm: str
    wanted_on: date
    promised_on: date
    promise_reason: str
    requested_at: datetime
    requested_by: int
    note: str | None
    version: int

    @property
    def is_late(self) -> bool:
        """Promised for a later day than it was asked for, and not on its way yet."""
        return self.promised_on > self.wanted_on and self.state in ("requested", "approved")


@dataclass(frozen=True, kw_only=True)
class AskedLineFact:
    """Quantities in the item's unit. ``arrived``: what of it the site that asked has received."""

    id: int
    line_no: int
    item_id: int
    code: str
    name: str
    unit: str
    quantity: Decimal
    reserved: Decimal
    shipped: Decimal
    cancelled: Decimal
    arrived: Decimal

    @property
    def open(self) -> Decimal:
        return self.quantity - self.shipped - self.cancelled


@dataclass(frozen=True, kw_only=True)
class TransferFact:
    """A stock transfer that was shipped for it."""

    id: int
    number: str
    state: str
    shipped_at: datetime
    arrives_on: date
    settled_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class TransferOrderPage:
    row: TransferOrderRow
    lines: list[AskedLineFact]
    transfers: list[TransferFact] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def _all() -> Any:
    return (
        select(TransferOrder, _TO.name.label("site"), _FROM.name.label("from_site"), Entity.realm)
        .select_from(TransferOrder)
        .join(_TO, _TO.id == TransferOrder.site_id)
        .join(_FROM, _FROM.id == TransferOrder.from_site_id)
        .join(Entity, Entity.id == TransferOrder.entity_id)
    )


def _seen(query: Any, actor: Actor) -> Any:
    """A transfer order is seen at both of its sites."""
    if actor.sites is None:
        return query
    sites = sorted(actor.sites)
    return query.where(or_(TransferOrder.site_id.in_(sites), TransferOrder.from_site_id.in_(sites)))


def _row(row: Any) -> TransferOrderRow:
    one: TransferOrder = row.TransferOrder
    return TransferOrderRow(
        id=one.id, number=one.number, state=one.state, from_site_id=one.from_site_id, from_site=row.from_site,
        site_id=one.site_id, site=row.site, realm=row.realm, wanted_on=one.wanted_on, promised_on=one.promised_on,
        promise_reason=one.promise_reason, requested_at=one.requested_at, requested_by=one.requested_by, note=one.note,
        version=one.version,
    )  # fmt: skip


def _is_late() -> ColumnElement[bool]:
    """Promised for a later day than it was asked for, and not on its way yet."""
    return and_(
        TransferOrder.promised_on > TransferOrder.wanted_on,
        TransferOrder.state.in_((TransferOrderState.REQUESTED, TransferOrderState.APPROVED)),
    )


#: The list of transfer orders, the newest first. The site is either of the two.
TRANSFER_ORDERS: SqlList[TransferOrderRow] = SqlList(
    select=_all, row=_row, tie=(TransferOrder.id,), usual="-requested", scope=_seen, realm=Entity.realm,
    by=("state", TransferOrder.state), flags=("late",), text=(TransferOrder.number, TransferOrder.note),
    sorts={
        "number": TransferOrder.number, "from": _FROM.name, "to": _TO.name, "requested": TransferOrder.requested_at,
        "wanted": TransferOrder.wanted_on, "promised": TransferOrder.promised_on,
    },
    wanted={
        "state": lambda value, _: TransferOrder.state == value,
        "late": lambda _value, _: _is_late(),
        "site": lambda value, _: or_(TransferOrder.site_id == value, TransferOrder.from_site_id == value),
    },
)  # fmt: skip


def transfer_order_page(session: Session, actor: Actor, order_id: int) -> TransferOrderPage:
    """One transfer order; raises ``NotFound`` for an unknown one and for one between other sites."""
    row = session.execute(_seen(_all(), actor).where(TransferOrder.id == order_id)).one_or_none()
    if row is None:
        raise NotFound("transfer_order_unknown", id=order_id)
    transfers = session.scalars(
        select(StockTransfer).where(StockTransfer.order_id == order_id).order_by(StockTransfer.id)
    ).all()
    received = session.execute(
        select(StockTransferLine.item_id, func.sum(StockTransferLine.received))
        .where(StockTransferLine.transfer_id.in_([one.id for one in transfers]))
        .group_by(StockTransferLine.item_id)
    )
    arrived: dict[int, Decimal] = {row[0]: row[1] for row in received}
    lines = []
    found = session.execute(
        select(TransferOrderLine, Item.code, Item.name, Item.unit)
        .join(Item, Item.id == TransferOrderLine.item_id)
        .where(TransferOrderLine.order_id == order_id)
        .order_by(TransferOrderLine.line_no)
    )
    for line in found:
        one: TransferOrderLine = line.TransferOrderLine
        # Two lines of one item share what has arrived of it, the first one first.
        came = min(one.shipped, arrived.get(one.item_id) or Decimal(0))
        arrived[one.item_id] = (arrived.get(one.item_id) or Decimal(0)) - came
        lines.append(
            AskedLineFact(
                id=one.id, line_no=one.line_no, item_id=one.item_id, code=line.code, name=line.name, unit=line.unit,
                quantity=one.quantity, reserved=one.reserved, shipped=one.shipped, cancelled=one.cancelled, arrived=came,
            )
        )  # fmt: skip
    return TransferOrderPage(
        row=_row(row), lines=lines,
        transfers=[
            TransferFact(
                id=one.id, number=one.number, state=one.state, shipped_at=one.shipped_at, arrives_on=one.arrives_on,
                settled_at=one.settled_at,
            )
            for one in transfers
        ],
        steps=steps_of(session, {"transfer_order": [order_id], "transfer": [one.id for one in transfers]}),
    )  # fmt: skip
