"""What was done on paper while a site was in fallback is entered afterwards, with the times at which it happened.

An order and what left for it, or what left for an order that was under way. The steps are those of any order, as of the times
on the paper; only what a fallback of the cell covers may be entered so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from erpcore.fulfilment.services import DeliverShipment, PickOrder, confirm_shipments, deliver_shipments, pick_orders
from erpcore.kernel.errors import NotAllowed, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.documents import Order
from erpcore.orders.models import OrderState
from erpcore.orders.records import lock_orders
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders
from erpcore.ports import CellStates, Process, ProcessRules
from readiness.waves.queries import fallbacks

SOURCE = "back-entry"
PERMISSION = "orders:order:back-enter"


@dataclass(frozen=True, kw_only=True)
class PaperLine:
    """A line of the paper. ``left`` is how much of it left with the goods; ``None``: all of it."""

    item: int
    quantity: Decimal
    unit_price: Decimal | None = None
    left: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class PaperOrder:
    """An order taken on paper: ``number`` is the paper's own, so that it is entered once; ``left_at`` when goods left for it."""

    site: int
    channel: int
    customer: int
    number: str
    taken_at: datetime
    lines: Sequence[PaperLine]
    left_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PaperShipment:
    """Goods that left on paper for an order: thousandths by line; ``None``: all that is open."""

    order: int
    left_at: datetime
    lines: Mapping[int, int] | None = None
    delivered_at: datetime | None = None
    number: str | None = None


def enter_order(work: UnitOfWork, paper: PaperOrder, *, rules: ProcessRules, cells: CellStates) -> Order:
    """The order as of the time on the paper, released, with what left for it.

    Raises ``RuleBroken`` for times that do not follow each other or that no fallback covers, ``Conflict`` for a paper entered
    before, and ``RuleBroken("paper_held")`` when goods left for an order that its customer's standing holds.
    """
    work.actor.require(PERMISSION, site=paper.site)
    if not paper.number.strip():
        raise RuleBroken("paper_number", field="number")
    _in_order(work, taken_at=paper.taken_at, left_at=paper.left_at, delivered_at=paper.delivered_at)
    _covered(work, paper.site, paper.channel, paper.taken_at, "taken_at")
    if paper.left_at is not None:
        _covered(work, paper.site, paper.channel, paper.left_at, "left_at")
    if paper.left_at is None and any(line.left is not None for line in paper.lines):
        raise RuleBroken("paper_left_when", field="left_at")
    (order,) = capture_orders(
        work,
        [
            CaptureOrder(
                site=paper.site, channel=paper.channel, customer=paper.customer, number=paper.number.strip(),
                at=paper.taken_at,
                lines=[
                    NewLine(item=line.item, quantity=line.quantity, unit_price=line.unit_price) for line in paper.lines
                ],
            )
        ],
        rules=rules, cells=cells,
    )  # fmt: skip
    (order,) = release_orders(work, [order.id], rules=rules, cells=cells, at={order.id: paper.taken_at})
    if paper.left_at is not None:
        if order.state != OrderState.RELEASED:
            raise RuleBroken("paper_held", field="left_at", document=order.number)
        left = {
            line.id: int((typed.left if typed.left is not None else typed.quantity).scaleb(3))
            for line, typed in zip(order.lines, paper.lines, strict=True)
        }
        _send(work, order, left, paper.left_at, paper.delivered_at, None, rules, cells)
    return order


def enter_shipment(work: UnitOfWork, paper: PaperShipment, *, rules: ProcessRules, cells: CellStates) -> Order:
    """What left on paper for a released order, as of when it left. Raises as ``enter_order``, and ``not_released``."""
    (order,) = lock_orders(work, [paper.order])
    work.actor.require(PERMISSION, site=order.site_id)
    _in_order(work, taken_at=order.captured_at, left_at=paper.left_at, delivered_at=paper.delivered_at)
    _covered(work, order.site_id, order.channel_id, paper.left_at, "left_at")
    if order.state != OrderState.RELEASED:
        raise RuleBroken("not_released", document=order.number, state=order.state)
    left = dict(paper.lines) if paper.lines is not None else {line.id: line.open - line.picked for line in order.lines}
    _send(work, order, left, paper.left_at, paper.delivered_at, paper.number, rules, cells)
    return order


def _send(
    work: UnitOfWork, order: Order, left: Mapping[int, int], left_at: datetime, delivered_at: datetime | None, number: str | None,
    rules: ProcessRules, cells: CellStates,
) -> None:  # fmt: skip
    """Allocate, pick, confirm and deliver what left, each as of then."""
    wanted = {key: quantity for key, quantity in left.items() if quantity > 0}
    if not wanted:
        raise RuleBroken("paper_nothing_left", field="left_at", document=order.number)
    for one in order.lines:
        if wanted.get(one.id, 0) > one.open - one.picked:
            raise RuleBroken("paper_more_than_open", line=one.line_no, document=order.number)
    (order,) = allocate_orders(work, [order.id], rules=rules, cells=cells, at={order.id: left_at})
    by_line = {line.id: line for line in order.lines}
    for key, quantity in wanted.items():
        line = by_line.get(key)
        if line is not None and line.has_stock and quantity > line.allocated:
            raise RuleBroken("paper_more_than_stock", line=line.line_no, document=order.number, there=line.allocated)
    shipments = pick_orders(work, [PickOrder(order=order.id, lines=wanted, at=left_at, number=number)], cells=cells)
    confirm_shipments(
        work, [one.id for one in shipments], rules=rules, cells=cells, at={one.id: left_at for one in shipments}
    )
    if delivered_at is not None:
        deliver_shipments(
            work, [DeliverShipment(shipment=one.id, at=delivered_at) for one in shipments], rules=rules, cells=cells
        )


def _in_order(work: UnitOfWork, *, taken_at: datetime, left_at: datetime | None, delivered_at: datetime | None) -> None:
    if work.source != SOURCE:
        raise NotAllowed("time_not_stated", source=work.source)
    if delivered_at is not None and left_at is None:
        raise RuleBroken("paper_left_when", field="left_at")
    before = taken_at
    for name, at in (("taken_at", taken_at), ("left_at", left_at), ("delivered_at", delivered_at)):
        if at is None:
            continue
        if at > work.now:
            raise RuleBroken("paper_in_future", field=name)
        if at < before:
            raise RuleBroken("paper_out_of_order", field=name)
        before = at


def _covered(work: UnitOfWork, site: int, channel: int, at: datetime, field: str) -> None:
    """Whether the cell was on paper then; what happened in the core is entered in the core, as of now."""
    live = site_facts(work, site).live_id
    spans = fallbacks(work.session, live, channel, Process.ORDER_TO_CASH)
    if not any(since <= at and (until is None or at <= until) for since, until in spans):
        raise RuleBroken("paper_without_fallback", field=field)
