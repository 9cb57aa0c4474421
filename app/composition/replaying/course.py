"""How does one side of a replay go? Part by part of the period: what comes from elsewhere, then the orders of that part.

The core's services do all of it, as they do for real orders: take, source, promise, hold or release, allocate, pick, allocate
again when stock has come, cure, and what the rule of a backorder says. What is allocated leaves at once; what is held waits for its
cause to go away, since nobody is there to let it go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import select, update

from app.composition.replaying.inputs import Replayed
from app.composition.replaying.place import Place
from app.composition.replaying.rules import CellsAt, RulesAt
from app.composition.replaying.start import EXPECTED, Came, Moved, Paid, Start
from erpcore.credit.models import CreditExposure, Receivable
from erpcore.fulfilment.services import PickOrder, pick_orders
from erpcore.inventory.documents import ExpectedReceipt
from erpcore.kernel.clock import zone
from erpcore.kernel.errors import DomainError
from erpcore.kernel.rows import raw_columns, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import ServiceCommitment, Site
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.backorders import act_by_rule, orders_that_wait
from erpcore.orders.documents import Line, Order
from erpcore.orders.exposure import parts_of
from erpcore.orders.models import HoldKind, OrderHold, OrderLine, OrderState, SalesOrder
from erpcore.orders.releasing import cure_orders, release_orders
from erpcore.orders.rerun import places_to_serve, run_allocation
from erpcore.orders.services import capture_orders

#: So many orders are taken in one unit of work.
_AT_ONCE = 500


class TakenLine(NamedTuple):
    """A line as it was promised. Quantities are thousandths, prices and costs millionths."""

    id: int
    no: int
    item: int
    site: int
    source: str | None
    quantity: int
    has_stock: bool
    is_goods: bool
    unit_price: int
    unit_cost: int | None
    value_minor: int
    requested_on: date
    requested_ship_on: date
    promised_on: date
    promise_reason: str
    rules: str


class Taken(NamedTuple):
    """An order as it was taken."""

    site: int
    currency: str
    value_minor: int
    rules: str
    lines: tuple[TakenLine, ...]


class Held(NamedTuple):
    """A hold that stopped an order; ``level`` is who may end it, where a rule routes that."""

    kind: str
    level: str | None
    reason: str


class Left(NamedTuple):
    """A shipment: when it was picked, from where, and so much of each line."""

    at: datetime
    site: int
    lines: dict[int, int]


@dataclass
class Course:
    """What became of each order on one side, by its id."""

    taken: dict[int, Taken] = field(default_factory=dict)
    refused: dict[int, DomainError] = field(default_factory=dict)
    held: dict[int, list[Held]] = field(default_factory=lambda: defaultdict(list))
    left: dict[int, list[Left]] = field(default_factory=lambda: defaultdict(list))
    cancelled: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """Orders that are taken together, at the instant of the last of them."""

    at: datetime
    orders: tuple[Replayed, ...]


def parts_of_period(orders: Sequence[Replayed], clocks: Sequence[tuple[str, Any]], until: datetime) -> list[Part]:
    """The orders in their order, cut wherever a day begins or a cut-off passes at any of the sites; the last part has none.

    Within a part no promise depends on the minute, so that an order is promised what it would have been at its own.
    """

    def key(one: Replayed) -> tuple[Any, ...]:
        out: list[Any] = []
        for name, cut_off in clocks:
            local = one.at.astimezone(zone(name))
            out.append((local.date(), cut_off is not None and local.time().replace(tzinfo=None) > cut_off))
        return tuple(out)

    parts = []
    for _, group in groupby(orders, key):
        same = list(group)
        for first in range(0, len(same), _AT_ONCE):
            some = tuple(same[first : first + _AT_ONCE])
            parts.append(Part(some[-1].at, some))
    return [*parts, Part(until, ())]


def clocks_of(work: UnitOfWork) -> list[tuple[str, Any]]:
    """Time zones and cut-offs that matter in a place."""
    rows = work.session.execute(
        select(Site.time_zone, ServiceCommitment.cut_off).outerjoin(
            ServiceCommitment, ServiceCommitment.site_id == Site.id
        )
    )
    return sorted({(row[0], row[1]) for row in rows}, key=str)


class Side:
    """One side of a replay in its own place."""

    def __init__(self, place: Place, rules: RulesAt, cells: CellsAt, start: Start) -> None:
        self._place, self._rules, self._cells, self._start = place, rules, cells, start
        self.course = Course()
        self._next = {"moved": 0, "came": 0, "expected": 0, "paid": 0}
        self._owing: dict[int, int] = {}
        self._early: list[Paid] = []
        self._waiting = False
        self._day: Any = None

    def run(self, parts: Iterable[Part], told: Callable[[], None]) -> Course:
        """All parts; ``told`` is called after each."""
        for part in parts:
            self._place.clock.set(part.at)
            places = self._world(part.at)
            self._serve(places)
            self._daily(part.at)
            if part.orders:
                self._take(part.orders)
            told()
        self._read_end()
        return self.course

    # -- what comes from elsewhere -------------------------------------------------------------------------------------

    def _due(self, name: str, at: datetime) -> list[Any]:
        found: list[Any] = getattr(self._start, name)
        first = last = self._next[name]
        while last < len(found) and found[last][0] <= at:
            last += 1
        self._next[name] = last
        return found[first:last]

    def _world(self, at: datetime) -> set[tuple[int, int]]:
        """Let what came from elsewhere until this instant come; the places of which more is there."""
        moved, came, expected = self._due("moved", at), self._due("came", at), self._due("expected", at)
        # Who paid at the counter paid before the order is taken here; who is held owes nothing yet.
        paid = self._due("paid", at) + self._early
        self._early = [one for one in paid if one.order is not None and one.order not in self._owing]
        paid = [one for one in paid if one.order is None or one.order in self._owing]
        if not (moved or came or expected or paid):
            return set()
        with self._place.work() as work:
            write_rows(work, ExpectedReceipt.__table__, EXPECTED, [row for _, row in expected])
            places = self._stock(work, moved)
            self._receipts(work, came)
            self._payments(work, paid)
        return places

    def _stock(self, work: UnitOfWork, moved: Sequence[Moved]) -> set[tuple[int, int]]:
        net: dict[tuple[int, int], int] = defaultdict(int)
        for one in moved:
            net[one.site, one.item] += one.quantity
        # Others cannot take what is promised here: they find the rest.
        work.driver.executemany(
            "UPDATE stock_balance SET on_hand = MAX(reserved, on_hand + ?) WHERE site_id = ? AND item_id = ?",
            [(quantity, *place) for place, quantity in sorted(net.items())],
        )
        return {place for place, quantity in net.items() if quantity > 0}

    def _receipts(self, work: UnitOfWork, came: Sequence[Came]) -> None:
        work.driver.executemany(
            "UPDATE expected_receipt SET received = received + ? WHERE id = ?",
            [(one.quantity, one.receipt) for one in came],
        )

    def _payments(self, work: UnitOfWork, paid: Sequence[Paid]) -> None:
        freed: set[int] = set()
        for one in paid:
            exposure = update(CreditExposure).where(CreditExposure.customer_id == one.customer)
            if one.order is None:
                work.session.execute(
                    update(Receivable)
                    .where(Receivable.document_id == one.document)
                    .values(open_minor=Receivable.open_minor - one.amount)
                )
                column, amount = CreditExposure.receivable_minor, one.amount
            else:
                # A replayed order is paid as it was, as far as this side owes anything for it.
                amount = min(one.amount, self._owing[one.order])
                self._owing[one.order] -= amount
                column = CreditExposure.released_minor
            if amount:
                work.session.execute(exposure.values({column: column - amount}))
                freed.add(one.customer)
        if freed:
            self._cure(work, freed)

    # -- what follows --------------------------------------------------------------------------------------------------

    def _serve(self, places: set[tuple[int, int]]) -> None:
        """Who waits gets what has come, by the rule of the place, and it leaves."""
        if not self._waiting or not places:
            return
        with self._place.work() as work:
            found = places_to_serve(work.session, sorted(places))
        for (_, site), items in found.items():
            with self._place.work() as work:
                run_allocation(work, site, items, rules=self._rules, cells=self._cells, keep=False)
                self._pick(work)

    def _daily(self, at: datetime) -> None:
        """Once a day what the rule of a backorder says; who owes less by it may go on."""
        day = at.date()
        if day == self._day:
            return
        self._day = day
        if not self._waiting:
            return
        with self._place.work() as work:
            waiting = [key for _, key in orders_that_wait(work.session)]
            touched = act_by_rule(work, waiting, rules=self._rules) if waiting else 0
        if touched:
            with self._place.work() as work:
                self._cure(work, None)

    def _cure(self, work: UnitOfWork, customers: Iterable[int] | None) -> None:
        """Look again at orders that credit held, of these customers: nothing else that holds an order changes here by itself."""
        held = select(OrderHold.order_id).where(OrderHold.released_at.is_(None), OrderHold.kind == HoldKind.CREDIT)
        if customers is not None:
            held = held.join(SalesOrder, SalesOrder.id == OrderHold.order_id).where(
                SalesOrder.customer_id.in_(sorted(customers))
            )
        orders = cure_orders(work, work.session.scalars(held).all(), rules=self._rules, cells=self._cells)
        self._go_on(work, [order.id for order in orders if order.state == OrderState.RELEASED])

    # -- orders --------------------------------------------------------------------------------------------------------

    def _take(self, orders: Sequence[Replayed]) -> None:
        """Take these orders together; where one is refused, in halves, so that it is refused alone."""
        try:
            with self._place.work("api") as work:
                taken = capture_orders(
                    work, [one.command for one in orders], rules=self._rules, cells=self._cells
                )  # fmt: skip
                going = [order.id for order in taken if order.state == OrderState.CAPTURED]
                released = release_orders(work, going, rules=self._rules, cells=self._cells)
                self._go_on(work, [order.id for order in released if order.state == OrderState.RELEASED])
        except DomainError as refusal:
            for one in orders:
                self.course.left.pop(one.command.id or 0, None)
            if len(orders) == 1:
                self.course.refused[orders[0].command.id or 0] = refusal
                return
            half = len(orders) // 2
            self._take(orders[:half])
            self._take(orders[half:])
            return
        for order in taken:
            self.course.taken[order.id] = _as_taken(order)
            self._waiting |= order.state == OrderState.RELEASED and any(
                line.has_stock and line.unallocated > 0 for line in order.lines
            )

    def _go_on(self, work: UnitOfWork, orders: Sequence[int]) -> None:
        """Allocate what may go on, and let what is allocated leave."""
        if not orders:
            return
        ranked = sorted(orders)
        for order in allocate_orders(work, ranked, rules=self._rules, cells=self._cells):
            self._owing[order.id] = sum(parts_of(order))
            self._waiting |= any(line.has_stock and line.unallocated > 0 for line in order.lines)
        self._pick(work)

    def _pick(self, work: UnitOfWork) -> None:
        """Take from the shelf whatever is allocated. A supplier sends its own lines, when that is asked of it."""
        held: dict[int, Order] = work.memo.get("orders", {})
        commands = []
        for order in held.values():
            if order.state != OrderState.RELEASED:
                continue
            there = {line.id: line.allocated for line in order.lines if line.has_stock and line.allocated}
            if there:
                direct = any(line.is_goods and not line.has_stock for line in order.lines)
                commands.append(PickOrder(order=order.id, lines=there if direct else None))
        for shipment in pick_orders(work, commands, cells=self._cells) if commands else ():
            self.course.left[shipment.order_id].append(Left(work.now, shipment.site_id, dict(shipment.lines)))

    def _read_end(self) -> None:
        """What is only known at the end: every hold there was, and what was cancelled by rule."""
        with self._place.work() as work:
            for row in work.session.scalars(select(OrderHold).order_by(OrderHold.id)):
                self.course.held[row.order_id].append(Held(row.kind, row.level, row.reason))
            gone = select(*raw_columns(OrderLine, "id", "cancelled")).where(OrderLine.cancelled > 0)
            self.course.cancelled = {row.id: row.cancelled for row in work.session.execute(gone)}


def _as_taken(order: Order) -> Taken:
    return Taken(
        order.site_id,
        order.currency,
        order.value_minor,
        order.ruleset,
        tuple(_line(order, line) for line in order.lines),
    )


def _line(order: Order, line: Line) -> TakenLine:
    return TakenLine(
        line.id, line.line_no, line.item_id, line.site_id, line.source_reason, line.quantity, line.has_stock, line.is_goods,
        line.unit_price, line.unit_cost, line.value_minor, line.requested_on, line.requested_ship_on, line.promised_on,
        line.promise_reason, line.ruleset or order.ruleset,
    )  # fmt: skip
