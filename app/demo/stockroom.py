"""Keeping the shelves of a site filled, counted and corrected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select

from app.composition.uow import reading
from app.demo.desk import Desk, NodeKey, working_day
from app.demo.plan import STREAMS
from app.demo.world import Good, Node
from erpcore.inventory.adjusting import CountStock, count_stock, decide_adjustment
from erpcore.inventory.models import StockBalance
from erpcore.inventory.stock import ChangeStock, adjust_stock, open_stock, receive_stock
from erpcore.kernel.actor import Actor
from erpcore.kernel.model import QUANTITY_PLACES
from erpcore.kernel.rows import raw_columns

_UNIT: int = 10**QUANTITY_PLACES
_BRANCH_RANGE = 110
#: Why a supervisor corrects the book.
_REASONS = ("breakage", "found at another place", "wrong unit booked", "not found")


class Stockroom:
    """Range, demand and deliveries under way of each site."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._range: dict[NodeKey, list[Good]] = {}
        self._demand: dict[NodeKey, dict[int, float]] = {}
        self._coming: dict[NodeKey, list[tuple[date, int, int]]] = defaultdict(list)
        self._turn: dict[NodeKey, int] = defaultdict(int)

    def range_of(self, key: NodeKey) -> list[Good]:
        """What the site sells from its own shelves; a supplier's works has its tiles."""
        if key not in self._range:
            node = self.desk.world.nodes[key]
            goods = self.desk.world.goods[key[0], node.plan.entity]
            if node.plan.kind == "drop_ship":
                found = [good for good in goods if good.is_tile]
            else:
                found = [good for good in goods if not good.is_tile]
                if node.plan.kind == "branch":
                    found = sorted(found, key=lambda good: (good.abc, good.id))[:_BRANCH_RANGE]
            self._range[key] = found
        return self._range[key]

    def demand(self, key: NodeKey) -> dict[int, float]:
        """Pieces of each item that leave on an average working day."""
        if key not in self._demand:
            goods = self.range_of(key)
            whole = sum(good.weight for good in goods)
            pieces = sum(
                self.desk.world.rate(one) * one.lines * one.size for one in STREAMS if (one.realm, one.site) == key
            )
            self._demand[key] = {good.id: pieces * good.weight / whole for good in goods}
        return self._demand[key]

    def _levels(self, key: NodeKey, good: Good) -> tuple[int, int]:
        """When to order and up to where, in pieces: the demand of the wait, and twice a usual line on top."""
        node, rate = self.desk.world.nodes[key], self.demand(key)[good.id]
        line = max(one.size for one in STREAMS if (one.realm, one.site) == key)
        safety = node.habits.safety
        least = rate * good.days * safety + line * safety
        return round(least), round(least + rate * 5 + line * safety)

    def open(self, key: NodeKey) -> None:
        """Take the opening stock into the books on the first day."""
        node = self.desk.world.nodes[key]
        if node.plan.kind == "drop_ship":
            return
        with self.desk.work(Actor.system("cut-over"), key[0]) as work:
            commands = [
                ChangeStock(
                    site=node.id, item=good.id, quantity=Decimal(self._levels(key, good)[1]), note="opening stock"
                )
                for good in self.range_of(key)
            ]
            open_stock(work, commands, rules=self.desk.rules, cells=self.desk.cells)

    def balances(self, node: Node) -> dict[int, tuple[int, int]]:
        """On hand and reserved by item, in thousandths."""
        with reading(self.desk.database) as session:
            query = select(*raw_columns(StockBalance, "item_id", "on_hand", "reserved")).where(
                StockBalance.site_id == node.id
            )
            return {row[0]: (row[1], row[2]) for row in session.execute(query)}

    def receive(self, key: NodeKey, today: date) -> bool:
        """Put away what suppliers deliver today; says whether anything came."""
        here = [entry for entry in self._coming[key] if entry[0] <= today]
        if not here:
            return False
        self._coming[key] = [entry for entry in self._coming[key] if entry[0] > today]
        node = self.desk.world.nodes[key]
        with self.desk.work(self.desk.staff.at(key[1], "warehouse"), key[0], "screen") as work:
            commands = [
                ChangeStock(site=node.id, item=item, quantity=Decimal(quantity), note="supplier delivery")
                for _, item, quantity in here
            ]
            receive_stock(work, commands, rules=self.desk.rules, cells=self.desk.cells)
        return True

    def reorder(self, key: NodeKey, today: date, owed: Mapping[int, int]) -> None:
        """Order from suppliers what falls below its level; ``owed`` is what waits for stock, in thousandths by item."""
        node, desk = self.desk.world.nodes[key], self.desk
        held = self.balances(node)
        on_way: dict[int, int] = defaultdict(int)
        for _, item, quantity in self._coming[key]:
            on_way[item] += quantity
        for good in self.range_of(key):
            on_hand, reserved = held.get(good.id, (0, 0))
            free = (on_hand - reserved - owed.get(good.id, 0)) // _UNIT + on_way[good.id]
            least, most = self._levels(key, good)
            if free >= least:
                continue
            days = good.days + (desk.random.randint(2, 9) if desk.chance(node.habits.supplier_late) else 0)
            self._coming[key].append((working_day(today + timedelta(days=days)), good.id, most - free))

    def count(self, key: NodeKey) -> None:
        """The day's cycle counts: some items in turn, blind, some of them wrong."""
        node, desk = self.desk.world.nodes[key], self.desk
        goods = self.range_of(key)
        held = self.balances(node)
        commands: list[CountStock] = []
        for _ in range(node.habits.counts):
            good = goods[self._turn[key] % len(goods)]
            self._turn[key] += 7
            on_hand, reserved = held.get(good.id, (0, 0))
            found = on_hand // _UNIT
            if desk.chance(node.habits.count_wrong):
                found += desk.random.choice((-3, -2, -1, -1, 1, 2))
            found = max(found, -(-reserved // _UNIT))
            if all(command.item != good.id for command in commands):
                commands.append(CountStock(site=node.id, item=good.id, counted=Decimal(found)))
        if commands:
            with desk.work(desk.staff.at(key[1], "supervisor"), key[0], "screen") as work:
                found_ = count_stock(work, commands, rules=desk.rules, cells=desk.cells)
            self._agree(key, [one.adjustment for one in found_ if one.adjustment is not None])

    def _agree(self, key: NodeKey, asked: list[int]) -> None:
        """The site lead looks at the shelf and agrees to what was counted above the limit."""
        desk = self.desk
        for adjustment in asked:
            with desk.work(desk.staff.at(key[1], "lead"), key[0], "screen") as work:
                decide_adjustment(
                    work, adjustment, approved=True, note="seen at the shelf", rules=desk.rules, cells=desk.cells
                )

    def adjust(self, key: NodeKey) -> None:
        """Corrections of the book by the supervisor, as often as the site needs them."""
        node, desk = self.desk.world.nodes[key], self.desk
        for _ in range(desk.poisson(node.habits.adjust)):
            good = desk.random.choice(self.range_of(key))
            self.write_off(key, good.id, desk.random.randint(1, 6), desk.random.choice(_REASONS))

    def write_off(self, key: NodeKey, item: int, pieces: int, reason: str) -> None:
        """Take pieces out of the book, as far as nobody was promised them."""
        node, desk = self.desk.world.nodes[key], self.desk
        on_hand, reserved = self.balances(node).get(item, (0, 0))
        pieces = min(pieces, (on_hand - reserved) // _UNIT)
        if pieces <= 0:
            return
        with desk.work(desk.staff.at(key[1], "supervisor"), key[0], "screen") as work:
            command = ChangeStock(site=node.id, item=item, quantity=Decimal(-pieces), note=reason)
            adjust_stock(work, [command], rules=desk.rules, cells=desk.cells)
