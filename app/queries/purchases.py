"""What have we ordered from suppliers, what do they confirm, and what has come of it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList, like
from app.queries.order_detail import steps_of
from app.queries.order_facts import Step
from app.security.scopes import within_sites
from erpcore.inventory.documents import ExpectedReceipt
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.model import QUANTITY_PLACES
from erpcore.masterdata.addresses import CustomerAddress
from erpcore.masterdata.models import Customer, Entity, Item, Site, Supplier, SupplierItem
from erpcore.orders.models import OrderLine, OrderState, SalesOrder
from erpcore.purchasing.models import PurchaseOrder, PurchaseOrderLine, PurchaseState

STATES = tuple(state.value for state in PurchaseState)
OPEN = (PurchaseState.ORDERED, PurchaseState.CONFIRMED)
_DUE = func.coalesce(PurchaseOrderLine.confirmed_on, PurchaseOrderLine.requested_on)
_LEFT = PurchaseOrderLine.quantity - PurchaseOrderLine.received - PurchaseOrderLine.cancelled


@dataclass(frozen=True, kw_only=True)
class PurchaseRow:
    """``due_on``: the next day on which something of it should come; ``None``: nothing should."""

    id: int
    number: str
    state: str
    is_direct: bool
    supplier_id: int
    supplier: str
    site_id: int
    site: str
    realm: str
    currency: str
    value_minor: int
    order_id: int | None
    order: str | None
    customer: str | None
    ordered_at: datetime
    confirmation: str | None
    note: str | None
    due_on: date | None
    open_lines: int
    version: int


@dataclass(frozen=True, kw_only=True)
class PurchaseLineFact:
    """Quantities in the item's unit. ``expected``: what the warehouse receives against; ``order_line``: whom it serves, which is
    ``customer_line`` of the customer's order and goes to ``ship_to``.
    """

    id: int
    line_no: int
    item_id: int
    code: str
    name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    value_minor: int
    requested_on: date
    first_confirmed_on: date | None
    confirmed_on: date | None
    received: Decimal
    cancelled: Decimal
    expected: int | None
    order_line: int | None
    customer_line: int | None = None
    ship_to: str = ""

    @property
    def open(self) -> Decimal:
        return max(self.quantity - self.received - self.cancelled, Decimal(0))

    @property
    def due_on(self) -> date:
        return self.confirmed_on or self.requested_on


@dataclass(frozen=True, kw_only=True)
class PurchasePage:
    """``rest``: by our lines, what the customer of a direct one still wants and nobody is to send."""

    row: PurchaseRow
    lines: list[PurchaseLineFact]
    steps: list[Step]
    rest: dict[int, Decimal]


#: Of each purchase order the next day on which something should come, and how many lines are open.
_OPEN_LINES = (
    select(
        PurchaseOrderLine.purchase_id,
        func.min(case((_LEFT > 0, _DUE))).label("due_on"),
        func.sum(case((_LEFT > 0, 1), else_=0)).label("open_lines"),
    )
    .group_by(PurchaseOrderLine.purchase_id)
    .subquery()
)


def _all() -> Any:
    return (
        select(
            PurchaseOrder, Supplier.name.label("supplier"), Site.name.label("site"), Entity.realm, _OPEN_LINES.c.due_on,
            _OPEN_LINES.c.open_lines, SalesOrder.number.label("order"), Customer.name.label("customer"),
        )
        .select_from(PurchaseOrder)
        .join(Supplier, Supplier.id == PurchaseOrder.supplier_id)
        .join(Site, Site.id == PurchaseOrder.site_id)
        .join(Entity, Entity.id == PurchaseOrder.entity_id)
        .join(_OPEN_LINES, _OPEN_LINES.c.purchase_id == PurchaseOrder.id)
        .outerjoin(SalesOrder, SalesOrder.id == PurchaseOrder.order_id)
        .outerjoin(Customer, Customer.id == SalesOrder.customer_id)
    )  # fmt: skip


def _query(actor: Actor) -> Any:
    return within_sites(_all(), actor, PurchaseOrder.site_id)


def _row(row: Any) -> PurchaseRow:
    one: PurchaseOrder = row.PurchaseOrder
    return PurchaseRow(
        id=one.id, number=one.number or f"purchase order {one.id}", state=one.state, is_direct=one.is_direct,
        supplier_id=one.supplier_id, supplier=row.supplier, site_id=one.site_id, site=row.site, realm=row.realm,
        currency=one.currency, value_minor=one.value_minor, order_id=one.order_id, order=row.order, customer=row.customer,
        ordered_at=one.ordered_at, confirmation=one.confirmation, note=one.note,
        due_on=row.due_on if one.state in OPEN else None, open_lines=int(row.open_lines or 0), version=one.version,
    )  # fmt: skip


def _named(text: str) -> ColumnElement[bool]:
    """Purchase orders by number, supplier, or an item on one of their lines."""
    pattern = like(text)
    found = select(PurchaseOrderLine.purchase_id).join(Item, Item.id == PurchaseOrderLine.item_id)
    return or_(
        PurchaseOrder.number.ilike(pattern, escape="\\"), Supplier.name.ilike(pattern, escape="\\"),
        PurchaseOrder.id.in_(found.where(Item.code.ilike(pattern, escape="\\"))),
    )  # fmt: skip


#: What should come next; nothing of what has ended.
_COMES = case((PurchaseOrder.state.in_(OPEN), _OPEN_LINES.c.due_on))

#: The list of purchase orders: what should come next leads.
PURCHASES: SqlList[PurchaseRow] = SqlList(
    select=_all, row=_row, tie=(PurchaseOrder.id,), usual="due", site=PurchaseOrder.site_id, realm=Entity.realm,
    by=("state", PurchaseOrder.state), flags=("late",), sums={"Value": PurchaseOrder.value_minor}, currency=PurchaseOrder.currency,
    sorts={
        "number": PurchaseOrder.number, "supplier": Supplier.name, "due": _COMES, "ordered": PurchaseOrder.ordered_at,
        "value": PurchaseOrder.value_minor,
    },
    wanted={
        "state": lambda value, _: PurchaseOrder.state == value,
        "late": lambda _value, eyes: eyes.now.date() > _COMES,
        "text": lambda value, _: _named(value),
    },
)  # fmt: skip


def purchases_of_order(session: Session, actor: Actor, order: int) -> list[PurchaseRow]:
    """What was ordered from suppliers to be sent straight to this order's customer."""
    query = _query(actor).where(PurchaseOrder.order_id == order).order_by(PurchaseOrder.id)
    return [_row(row) for row in session.execute(query)]


def purchase_page(session: Session, actor: Actor, purchase_id: int) -> PurchasePage:
    """One purchase order; raises ``NotFound`` for an unknown one and for another site's."""
    row = session.execute(_query(actor).where(PurchaseOrder.id == purchase_id)).one_or_none()
    if row is None:
        raise NotFound("purchase_unknown", id=purchase_id)
    lines = session.execute(
        select(
            PurchaseOrderLine,
            Item.code,
            Item.name,
            Item.unit,
            ExpectedReceipt.id.label("expected"),
            OrderLine.line_no.label("customer_line"),
            CustomerAddress.name.label("to_name"),
            CustomerAddress.city.label("to_city"),
        )
        .join(Item, Item.id == PurchaseOrderLine.item_id)
        .outerjoin(OrderLine, OrderLine.id == PurchaseOrderLine.order_line_id)
        .outerjoin(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .outerjoin(CustomerAddress, CustomerAddress.id == func.coalesce(OrderLine.ship_to_id, SalesOrder.ship_to_id))
        .outerjoin(
            ExpectedReceipt,
            (ExpectedReceipt.document_id == PurchaseOrderLine.purchase_id)
            & (ExpectedReceipt.line_id == PurchaseOrderLine.id),
        )
        .where(PurchaseOrderLine.purchase_id == purchase_id)
        .order_by(PurchaseOrderLine.line_no)
    )
    facts = [_line(one) for one in lines]
    rest = _rest(session, facts) if row.PurchaseOrder.is_direct else {}
    return PurchasePage(row=_row(row), lines=facts, steps=steps_of(session, {"purchase": [purchase_id]}), rest=rest)


def _rest(session: Session, lines: list[PurchaseLineFact]) -> dict[int, Decimal]:
    """Of each of these lines whose customer wants more than suppliers are to send; nothing of orders that are not released."""
    served = {line.order_line: line.id for line in lines if line.order_line is not None}
    wanted = OrderLine.quantity - OrderLine.shipped - OrderLine.cancelled - OrderLine.picked
    on_order = (
        select(PurchaseOrderLine.order_line_id, func.sum(case((_LEFT > 0, _LEFT), else_=0)).label("open"))
        .where(PurchaseOrderLine.order_line_id.in_(sorted(served)))
        .group_by(PurchaseOrderLine.order_line_id)
        .subquery()
    )
    rows = session.execute(
        select(OrderLine.id, wanted.label("wanted"), on_order.c.open)
        .join(on_order, on_order.c.order_line_id == OrderLine.id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .where(SalesOrder.state == OrderState.RELEASED)
    )
    # Sums and differences are thousandths on both databases.
    left = {served[row.id]: Decimal(int(row.wanted) - int(row.open)).scaleb(-QUANTITY_PLACES) for row in rows}
    return {line: quantity for line, quantity in left.items() if quantity > 0}


def direct_suppliers(session: Session, lines: list[PurchaseLineFact]) -> list[tuple[int, str]]:
    """Suppliers, not blocked, that send an item of these lines straight to customers: id and name."""
    query = (
        select(Supplier.id, Supplier.name)
        .join(SupplierItem, SupplierItem.supplier_id == Supplier.id)
        .where(
            Supplier.ships_direct, Supplier.is_blocked.is_(False), SupplierItem.item_id.in_(sorted({line.item_id for line in lines}))
        )
        .distinct()
        .order_by(Supplier.name)
    )  # fmt: skip
    return [(row.id, row.name) for row in session.execute(query)]


def _line(row: Any) -> PurchaseLineFact:
    one: PurchaseOrderLine = row.PurchaseOrderLine
    return PurchaseLineFact(
        id=one.id, line_no=one.line_no, item_id=one.item_id, code=row.code, name=row.name, unit=row.unit,
        quantity=one.quantity, unit_price=one.unit_price, value_minor=one.value_minor, requested_on=one.requested_on,
        first_confirmed_on=one.first_confirmed_on, confirmed_on=one.confirmed_on, received=one.received,
        cancelled=one.cancelled, expected=row.expected, order_line=one.order_line_id, customer_line=row.customer_line,
        ship_to=", ".join(part for part in (row.to_name, row.to_city) if part),
    )  # fmt: skip
