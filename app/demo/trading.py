"""From order to delivery: what customers order hour by hour, and what each site makes of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from sqlalchemy import select

from app.demo.aftermath import Aftermath
from app.demo.desk import Agenda, Desk, NodeKey, moment, working_day
from app.demo.plan import HOURS, STREAMS, WEEKDAYS, Stream
from app.demo.stockroom import Stockroom
from app.demo.world import Buyer, Good, Node
from erpcore.fulfilment.direct import release_with_purchases
from erpcore.fulfilment.leaving import send_off
from erpcore.fulfilment.records import lock_shipments, orders_of
from erpcore.fulfilment.services import DeliverShipment, PickOrder, deliver_shipments, pick_orders
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import zone
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.documents import Order
from erpcore.orders.duplicates import DUPLICATE
from erpcore.orders.holds import ReleaseHold, release_holds
from erpcore.orders.models import OrderHold, OrderState
from erpcore.orders.records import lock_orders
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders

_SATURDAY = 5
#: What falls due so soon after a look is done with it.
_AROUND = timedelta(minutes=25)
#: Customers of a channel, by group.
_BUYS = {
    "wholesale": {"trade", "key", "public"},
    "branch": {"trade", "public"},
    "ecommerce": {"consumer", "trade"},
    "marketplace": {"consumer"},
}
#: Two orders of a day may happen to be the same; who took the second asked.
_TWICE = {DUPLICATE: "the customer wants it a second time"}
_WHY = ("quote agreed by phone", "matching a competitor's offer", "project price", "old price list still valid")


@dataclass(slots=True)
class Deal:
    """An order under way, as the trading remembers it."""

    key: NodeKey
    channel: str
    buyer: Buyer
    captured_on: date
    ships_on: date


class Trading:
    """Plays one day after the other. All figures come from the seeded dice; all changes go through the services."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.agenda = Agenda()
        self.stockroom = Stockroom(desk)
        self.aftermath = Aftermath(desk, self.agenda)
        self.deals: dict[int, Deal] = {}
        #: Orders with something that waits for stock, by site: order id → thousandths by item.
        self.waiting: dict[NodeKey, dict[int, dict[int, int]]] = defaultdict(dict)
        self._weights: dict[NodeKey, list[float]] = {}
        self.orders = self.lines = 0

    def begin(self, key: NodeKey) -> None:
        """A site starts to trade in a realm."""
        self.stockroom.open(key)
        self.desk.open.add(key)

    def end(self, key: NodeKey) -> None:
        """A rehearsal is over; what is still open there stays as it is."""
        self.desk.open.discard(key)
        self.desk.ended.add(key)

    def play(self, day: date, *, until: datetime) -> None:
        """One day, hour by hour, up to ``until``."""
        for place, (hour, minute, share) in enumerate(HOURS):
            at = moment(day, hour, minute, "Europe/Berlin")
            if at > until:
                return
            self.desk.clock.set(max(self.desk.clock.now(), at))
            if place == 0 and day.weekday() < _SATURDAY:
                self._morning(day)
            self._capture(day, share)
            self._work_off(at)

    def _morning(self, day: date) -> None:
        for key in sorted(self.desk.open):
            if self.desk.world.nodes[key].plan.kind == "drop_ship":
                continue
            self.stockroom.receive(key, day)
            owed: dict[int, int] = defaultdict(int)
            for items in self.waiting[key].values():
                for item, quantity in items.items():
                    owed[item] += quantity
            self.stockroom.reorder(key, day, owed)
            self._give_up(key, day)
            self._serve_waiting(key)
            self.stockroom.count(key)
            self.stockroom.adjust(key)

    def _serve_waiting(self, key: NodeKey) -> None:
        if not self.waiting[key]:
            return
        before = {order: sum(items.values()) for order, items in self.waiting[key].items()}
        with self.desk.work(Actor.system("allocation"), key[0]) as work:
            orders = allocate_orders(work, list(before), rules=self.desk.rules, cells=self.desk.cells)
        for order in orders:
            self._note_waiting(key, order)
            if sum(self.waiting[key].get(order.id, {}).values()) < before[order.id]:
                self.agenda.add(self.desk.at(self.desk.world.nodes[key], 0, 9), "pick", key, order.id)

    def _note_waiting(self, key: NodeKey, order: Order) -> None:
        short = {line.item_id: line.unallocated for line in order.lines if line.has_stock and line.unallocated > 0}
        if short and order.state == OrderState.RELEASED:
            self.waiting[key][order.id] = short
        else:
            self.waiting[key].pop(order.id, None)

    def _give_up(self, key: NodeKey, day: date) -> None:
        """Cancel what has waited too long, where the site works like that."""
        limit = timedelta(days=self.desk.world.nodes[key].habits.give_up_days)
        old = [order for order in self.waiting[key] if day - self.deals[order].captured_on > limit]
        self._cancel(key, old, by_customer=False, reason="no stock in time")

    def _capture(self, day: date, share: float) -> None:
        """Orders that came in since the last look, by hand at the sites and by machine for all."""
        taken: dict[tuple[str, str, str], list[tuple[CaptureOrder, Stream, Buyer]]] = defaultdict(list)
        for stream in STREAMS:
            key = (stream.realm, stream.site)
            if key not in self.desk.open or not self._is_on(stream, day):
                continue
            for _ in range(self.desk.poisson(self.desk.world.rate(stream) * WEEKDAYS[day.weekday()] * share)):
                command, buyer, is_special = self._order(stream, key)
                duty = (
                    "machine"
                    if not stream.by_person
                    else "lead"
                    if is_special
                    else self.desk.random.choice(("desk", "desk.two"))
                )
                site = stream.site if stream.by_person else ""
                taken[stream.realm, site, duty].append((command, stream, buyer))
        released: dict[str, list[int]] = defaultdict(list)
        for (realm, site, duty), entries in sorted(taken.items(), key=lambda entry: entry[0]):
            actor = self.desk.staff.at(site, duty) if site else Actor.system("web-shop")
            with self.desk.work(actor, realm, "screen" if site else "api") as work:
                orders = capture_orders(
                    work, [command for command, _, _ in entries], rules=self.desk.rules, cells=self.desk.cells
                )
            for order, (_, stream, buyer) in zip(orders, entries, strict=True):
                ships = max(line.requested_ship_on for line in order.lines)
                self.deals[order.id] = Deal((realm, stream.site), stream.channel, buyer, day, ships)
                self.orders += 1
                self.lines += len(order.lines)
                released[realm].append(order.id)
        for realm, ids in sorted(released.items()):
            self._release(realm, ids)

    def _is_on(self, stream: Stream, day: date) -> bool:
        if day.weekday() >= _SATURDAY and not stream.weekend:
            return False
        options = self.desk.options
        days = {
            "first": 0, "go_live": options.go_live, "rehearsal": options.rehearsal,
            "late_rehearsal": options.late_rehearsal, "end": options.days + 1,
        }  # fmt: skip
        number = (day - options.first).days
        # The last orders of a rehearsal are finished before it ends; a supplier's works needs longer.
        rest = 11 if stream.drop_ship else 4
        last = days[stream.until] - (rest if stream.until != "end" else 0)
        return days[stream.since] <= number < last

    def _order(self, stream: Stream, key: NodeKey) -> tuple[CaptureOrder, Buyer, bool]:
        desk, node = self.desk, self.desk.world.nodes[key]
        wants_abroad = desk.chance(node.habits.abroad) and stream.by_person
        buyers = [
            buyer
            for buyer in desk.world.buyers[key[0], node.plan.entity]
            if (buyer.group in _BUYS[stream.channel] or wants_abroad) and buyer.is_abroad == wants_abroad
        ]
        buyer = desk.random.choice(buyers)
        is_special = stream.by_person and node.plan.kind != "drop_ship" and desk.chance(node.habits.override)
        count = max(1, min(12, desk.poisson(stream.lines)))
        goods = self._pick_goods(key, count)
        lines = [
            NewLine(item=good.id, quantity=Decimal(self._pieces(stream, good)), drop_ship=stream.drop_ship)
            for good in goods
        ]
        if is_special:
            place = desk.random.randrange(len(lines))
            price = (goods[place].price * Decimal(desk.random.choice(("0.80", "0.85", "0.90")))).quantize(
                Decimal("0.01")
            )
            lines[place] = NewLine(
                item=lines[place].item,
                quantity=lines[place].quantity,
                unit_price=price,
                price_reason=desk.random.choice(_WHY),
            )
        command = CaptureOrder(
            site=node.id, channel=desk.world.channels[stream.channel], customer=buyer.id, lines=lines,
            customer_reference=f"{desk.random.randint(10_000, 99_999)}", accepted=_TWICE,
        )  # fmt: skip
        return command, buyer, is_special

    def _pick_goods(self, key: NodeKey, count: int) -> list[Good]:
        goods = self.stockroom.range_of(key)
        if key not in self._weights:
            self._weights[key] = list(accumulate(good.weight for good in goods))
        found: dict[int, Good] = {}
        for good in self.desk.random.choices(goods, cum_weights=self._weights[key], k=count * 2):
            found.setdefault(good.id, good)
        return list(found.values())[:count]

    def _pieces(self, stream: Stream, good: Good) -> int:
        return max(1, round(self.desk.random.gammavariate(2.0, stream.size / 2)))

    def _release(self, realm: str, ids: list[int]) -> None:
        """Let orders go on and promise them stock, as the system does by itself; who is over the limit is held."""
        with self.desk.work(Actor.system("order-release"), realm) as work:
            orders = release_with_purchases(work, ids, rules=self.desk.rules, cells=self.desk.cells)
            held = [order for order in orders if order.state == OrderState.HELD]
            free = [order.id for order in orders if order.state == OrderState.RELEASED]
            orders = allocate_orders(work, free, rules=self.desk.rules, cells=self.desk.cells) if free else []
        for order in held:
            node = self.desk.world.nodes[self.deals[order.id].key]
            hours = self.desk.random.choice((2, 4, 24, 26) if node.habits.forgets == 0 else (4, 24, 48, 72))
            self.agenda.add(
                self.desk.clock.now() + timedelta(hours=hours), "unhold", self.deals[order.id].key, order.id
            )
        for order in orders:
            self._plan_picking(order)

    def _plan_picking(self, order: Order) -> None:
        deal = self.deals[order.id]
        node, now = self.desk.world.nodes[deal.key], self.desk.clock.now()
        self._note_waiting(deal.key, order)
        if self.desk.chance(node.habits.cancel):
            self.agenda.add(now + timedelta(minutes=30), "cancel", deal.key, order.id)
        if not any(line.allocated > 0 or not line.has_stock for line in order.lines):
            return
        today = self.desk.today(node)
        early = deal.ships_on - today <= timedelta(days=1) and today.weekday() < _SATURDAY
        if deal.ships_on <= today:
            when = now
        elif early and self.desk.chance(0.35):
            when = now + timedelta(minutes=40)
        else:
            day = max(working_day(today), deal.ships_on)
            hour, minute = self.desk.random.choice(((7, 20), (9, 5), (10, 50)))
            when = moment(day, hour, minute, node.zone)
        if self.desk.chance(node.habits.pick_late):
            when = moment(
                working_day(deal.ships_on + timedelta(days=self.desk.random.choice((1, 1, 2)))), 10, 0, node.zone
            )
        self.agenda.add(when, "pick", deal.key, order.id)

    def _work_off(self, at: datetime) -> None:
        """Everything that has fallen due, in the order of the process."""
        now = max(at, self.desk.clock.now()) + _AROUND
        steps = (
            ("unhold", self._unhold), ("cancel", self._cancel_wish), ("pick", self._pick), ("confirm", self._confirm),
            ("deliver", self._deliver),
        )  # fmt: skip
        for kind, step in steps:
            for key, tasks in self.agenda.take(kind, now).items():
                if key not in self.desk.ended:
                    step(key, tasks)
        self.aftermath.work_off(now)

    def _unhold(self, key: NodeKey, ids: list[int]) -> None:
        actor = self.desk.staff["collections"] if self.desk.chance(0.7) else self.desk.staff.at(key[1], "lead")
        with self.desk.work(actor, key[0], "screen") as work:
            query = select(OrderHold.id).where(OrderHold.order_id.in_(ids), OrderHold.released_at.is_(None))
            commands = [
                ReleaseHold(hold=hold, reason="payment announced by the customer")
                for hold in work.session.execute(query).scalars().all()
            ]
            orders = release_holds(work, commands)
        if orders:
            self._release(key[0], sorted(order.id for order in orders))

    def _cancel_wish(self, key: NodeKey, ids: list[int]) -> None:
        self._cancel(key, ids, by_customer=True, reason="customer ordered twice")

    def _cancel(self, key: NodeKey, ids: list[int], *, by_customer: bool, reason: str) -> None:
        if not ids:
            return
        actor = self.desk.staff.at(key[1], "desk" if by_customer else "lead")
        with self.desk.work(actor, key[0], "screen") as work:
            found = [
                order.id
                for order in lock_orders(work, ids)
                if order.state in (OrderState.CAPTURED, OrderState.HELD, OrderState.RELEASED)
                and any(line.open - line.picked > 0 for line in order.lines)
            ]
            commands = [CancelLines(order=order, reason=reason, by_customer=by_customer) for order in found]
            orders = cancel_lines(work, commands) if commands else []
        for order in orders:
            self._note_waiting(key, order)

    def _pick(self, key: NodeKey, ids: list[int]) -> None:
        desk, node = self.desk, self.desk.world.nodes[key]
        duty = "warehouse" if desk.chance(0.5) else "warehouse.two"
        commands = []
        with desk.work(desk.staff.at(key[1], duty), key[0], "screen") as work:
            for order in lock_orders(work, set(ids)):
                if order.state != OrderState.RELEASED:
                    continue
                short = {
                    line.id: min(line.allocated, 1000 * desk.random.randint(1, 3))
                    for line in order.lines
                    if line.has_stock and line.allocated and desk.chance(node.habits.short_pick)
                }
                if any(line.allocated or (not line.has_stock and line.open > line.picked) for line in order.lines):
                    commands.append(PickOrder(order=order.id, short=short))
            shipments = pick_orders(work, commands, cells=desk.cells) if commands else []
            missing = [
                (line.item_id, command.short[line.id])
                for command in commands
                for line in lock_orders(work, [command.order])[0].lines
                if line.id in command.short
            ]
            for command in commands:
                self._note_waiting(key, lock_orders(work, [command.order])[0])
        for item, quantity in missing:
            self.stockroom.write_off(key, item, quantity // 1000, "not found at picking")
        for shipment in shipments:
            if desk.is_late_in_story and desk.chance(node.habits.forgets):
                continue
            wait = timedelta(minutes=1 if node.plan.kind == "branch" else desk.random.choice((15, 60, 90)))
            self.agenda.add(desk.clock.now() + wait, "confirm", key, shipment.id)

    def _confirm(self, key: NodeKey, ids: list[int]) -> None:
        desk, node = self.desk, self.desk.world.nodes[key]
        duty = "warehouse" if desk.chance(0.5) else "warehouse.two"
        with desk.work(desk.staff.at(key[1], duty), key[0], "screen") as work:
            shipments = send_off(work, ids, rules=desk.rules, cells=desk.cells)
        for shipment in shipments:
            deal = self.deals[shipment.order_id]
            self.agenda.add(self._arrival(node, deal), "deliver", key, shipment.id)
            self.aftermath.shipped(key, deal.buyer, shipment)

    def _arrival(self, node: Node, deal: Deal) -> datetime:
        if deal.channel == "branch":
            return self.desk.clock.now() + timedelta(minutes=5)
        day = self.desk.today(node) + timedelta(days=2 if node.plan.kind == "drop_ship" else 1)
        if self.desk.chance(node.habits.deliver_late):
            day += timedelta(days=self.desk.random.choice((1, 2, 3)))
        if day.weekday() > _SATURDAY:
            day += timedelta(days=1)
        return datetime.combine(day, datetime.min.time(), zone(node.zone)) + timedelta(
            hours=self.desk.random.choice((9, 11))
        )

    def _deliver(self, key: NodeKey, ids: list[int]) -> None:
        desk, node = self.desk, self.desk.world.nodes[key]
        damaged: dict[int, tuple[int, int]] = {}
        with desk.work(Actor.system("carrier"), key[0]) as work:
            orders = {order.id: order for order in lock_orders(work, orders_of(work, ids))}
            for shipment in lock_shipments(work, ids):
                if desk.chance(node.habits.damage):
                    line, quantity = desk.random.choice(shipment.lines)
                    damaged[shipment.id] = (line, min(quantity, 1000 * desk.random.randint(1, 3)))
            commands = [
                DeliverShipment(shipment=one, damaged=dict([damaged[one]]) if one in damaged else {}) for one in ids
            ]
            shipments = deliver_shipments(work, commands, rules=desk.rules, cells=desk.cells)
        for shipment in shipments:
            deal = self.deals[shipment.order_id]
            order = orders[shipment.order_id]
            self.aftermath.delivered(key, deal.channel, deal.buyer, order, shipment, damaged.get(shipment.id))
