"""What the people of ``trader`` do in the warehouse: receive, put away, move, block, adjust, count, send goods to another site."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, put_back, start_task
from erpcore.fulfilment.floor.planning import pick_now
from erpcore.fulfilment.floor.tasks import cancel_task, give_back
from erpcore.fulfilment.taking_back import take_back_shipment
from erpcore.inventory.adjusting import Adjust, adjust, decide_adjustment
from erpcore.inventory.count_plan import PlanCount, plan_counts
from erpcore.inventory.counting import cancel_count, decide_count, record_count, start_count
from erpcore.inventory.losing import GiveUp, give_up
from erpcore.inventory.receiving import ReceivedLine, ReceiveGoods, receive_goods
from erpcore.inventory.shifting import ChangeStatus, MoveBin, PutAway, change_status, move_bins, put_away
from erpcore.inventory.transfers import (
    ArrivedLine,
    ReceiveTransfer,
    ShipTransfer,
    TransferLine,
    receive_transfer,
    ship_transfers,
)
from tests.support.core import OPEN, RULES
from tests.support.policies import approve
from tests.support.trader import Trader
from tests.support.walking import move
from tests.support.warehouse import locations, no_names

SAME: dict[str, Any] = {"rules": RULES, "cells": OPEN}
QUANTITIES = (1, 2, 3, 5, 8, 0, -1, 40, 500)
ITEMS = range(2)
WHO = range(3)
NUMBER = range(51)
STATUSES = ("available", "quarantine", "damaged", "received", "in_transit")


class WarehouseMoves:
    """Rules for a machine with ``business``, ``attempt``, ``ids`` and ``pick``."""

    business: Any
    attempt: Callable[..., Any]
    ids: Callable[[str], list[int]]
    pick: Callable[[list[int], int], int | None]
    places: list[int | None]
    elsewhere: int
    rows_of: Callable[[str], list[Any]]

    def furnish(self) -> None:
        """Two shelves and a place where goods arrive; the other site is the supplied branch."""
        dock = locations(self.business, "DOCK", kind="receiving")
        self.places = [None, *locations(self.business, "A-01", "A-02"), *dock]
        self.elsewhere = self.branch
        approve(self.business, "over_ship_tolerance_permille", 200)

    @move(often=3, who=WHO, item=ITEMS, quantity=QUANTITIES, damaged=(0, 0, 1, 9))
    def take_goods_in(self, who: int, item: int, quantity: int, damaged: int) -> None:
        line = ReceivedLine(item=self.business.items[item], quantity=Decimal(quantity), damaged=Decimal(damaged))
        command = ReceiveGoods(site=self.business.site, paper="DN 1", lines=[line])
        self.attempt(who, lambda work: receive_goods(work, command, **SAME))

    @move(
        who=WHO,
        item=ITEMS,
        quantity=QUANTITIES,
        place=NUMBER,
        way=("put away", "move"),
        source=NUMBER,
        status=STATUSES,
    )
    def carry(self, who: int, item: int, quantity: int, place: int, way: str, source: int, status: str) -> None:
        site, key, amount = self.business.site, self.business.items[item], Decimal(quantity)
        to, origin = self.places[place % 4], self.places[source % 4]
        acts: dict[str, Callable[[Any], Any]] = {
            "put away": lambda work: put_away(
                work, [PutAway(site=site, item=key, quantity=amount, source=self.places[3], location=to)],
                order_names=no_names, **SAME,
            ),
            "move": lambda work: move_bins(
                work, [MoveBin(site=site, item=key, quantity=amount, source=origin, location=to, status=status)],
                order_names=no_names, **SAME,
            ),
        }  # fmt: skip
        self.attempt(who, acts[way], way)

    @move(often=4, who=WHO, number=NUMBER, quantity=(1, 2, 5, None), place=NUMBER)
    def stow(self, who: int, number: int, quantity: int | None, place: int) -> None:
        """So much of what waits at the dock, or all of it, is put away."""
        waiting = self.rows_of(
            "SELECT item_id, quantity FROM stock_bin WHERE status = 'received' AND quantity > 0 ORDER BY id"
        )
        found = self.pick(waiting, number)
        if found is None:
            return
        amount = Decimal(found[1]).scaleb(-3) if quantity is None else Decimal(quantity)
        command = PutAway(
            site=self.business.site,
            item=found[0],
            quantity=amount,
            source=self.places[3],
            location=self.places[place % 3],
        )
        self.attempt(who, lambda work: put_away(work, [command], order_names=no_names, **SAME), "put away")

    @move(often=6, who=WHO, number=NUMBER, more=(0, 1, 1, 9))
    def pick_a_little_more(self, who: int, number: int, more: int) -> None:
        """All of the first line of a task that is under way, and so much more than its order wants."""
        found = self.pick(
            self.rows_of(
                "SELECT t.id, l.line_no, l.quantity - l.picked - l.damaged - l.short, t.state FROM warehouse_task t "
                "JOIN warehouse_task_line l ON l.task_id = t.id WHERE t.kind = 'pick' AND t.state IN ('open', 'claimed', 'started') ORDER BY t.id DESC, 2"
            ),
            number,
        )
        if found is None:
            return
        task, line, left, _ = found
        taken = ConfirmPick(task=task, line=line, quantity=left + more * 1000)

        def act(work: Any) -> Any:
            start_task(work, task)
            return confirm_pick(work, taken, rules=RULES)

        self.attempt(who, act, "picked more" if more else "picked all")

    @move(who=WHO, item=ITEMS, quantity=QUANTITIES, place=NUMBER, source=STATUSES, goal=STATUSES)
    def change_its_status(self, who: int, item: int, quantity: int, place: int, source: str, goal: str) -> None:
        command = ChangeStatus(
            site=self.business.site, item=self.business.items[item], quantity=Decimal(quantity), source=source, target=goal,
            note="seen", location=self.places[place % 4],
        )  # fmt: skip
        self.attempt(who, lambda work: change_status(work, [command], order_names=no_names, **SAME))

    @move(who=WHO, item=ITEMS, quantity=(1, -1, -3, 0, 200, -500), place=NUMBER, status=STATUSES)
    def correct(self, who: int, item: int, quantity: int, place: int, status: str) -> None:
        command = Adjust(
            site=self.business.site, item=self.business.items[item], quantity=Decimal(quantity), reason="other", note="found",
            location=self.places[place % 4], status=status,
        )  # fmt: skip
        self.attempt(who, lambda work: adjust(work, [command], **SAME))

    @move(who=WHO, number=NUMBER, approved=(False, True))
    def decide_a_correction(self, who: int, number: int, approved: bool) -> None:
        found = self.pick(self.ids("SELECT id FROM stock_adjustment ORDER BY id"), number)
        if found is not None:
            self.attempt(who, lambda work: decide_adjustment(work, found, approved=approved, note="seen", **SAME))

    @move(who=WHO, item=ITEMS, place=NUMBER)
    def ask_for_a_count(self, who: int, item: int, place: int) -> None:
        command = PlanCount(site=self.business.site, item=self.business.items[item], location=self.places[place % 4])
        self.attempt(who, lambda work: plan_counts(work, [command], **SAME))

    @move(
        who=WHO,
        number=NUMBER,
        found=(0, 1, 5, 39, 40, 400),
        often=3,
        move=("start", "record", "record", "approve", "again", "cancel"),
    )
    def move_a_count(self, who: int, number: int, found: int, move: str) -> None:
        task = self.pick(self.ids("SELECT id FROM count_task ORDER BY id"), number)
        if task is None:
            return
        acts: dict[str, Callable[[Any], Any]] = {
            "start": lambda work: start_count(work, task, **SAME),
            "record": lambda work: record_count(work, task, Decimal(found), **SAME),
            "approve": lambda work: decide_count(work, task, approved=True, note="seen", **SAME),
            "again": lambda work: decide_count(work, task, approved=False, note="not sure", **SAME),
            "cancel": lambda work: cancel_count(work, task, "no time"),
        }
        self.attempt(who, acts[move])

    @move(who=WHO, item=ITEMS, quantity=QUANTITIES)
    def send_elsewhere(self, who: int, item: int, quantity: int) -> None:
        business = self.business
        command = ShipTransfer(
            from_site=business.site, to_site=self.elsewhere, arrives_on=(business.clock.now() + timedelta(days=2)).date(),
            lines=[TransferLine(item=business.items[item], quantity=Decimal(quantity))],
        )  # fmt: skip
        self.attempt(who, lambda work: ship_transfers(work, [command], **SAME))

    @move(who=WHO, number=NUMBER, quantity=QUANTITIES, way=("receive", "receive", "damaged", "lost"))
    def end_a_transfer(self, who: int, number: int, quantity: int, way: str) -> None:
        line = self.pick(self.ids("SELECT id FROM stock_transfer_line ORDER BY id"), number)
        if line is None:
            return
        (transfer,) = self.ids(f"SELECT transfer_id FROM stock_transfer_line WHERE id = {line}")  # a number
        amount = Decimal(quantity)
        arrived = ArrivedLine(line=line, quantity=amount, damaged=amount if way == "damaged" else Decimal(0))
        if way == "lost":
            lost = GiveUp(transfer=transfer, line=line, quantity=amount, reason="fell off")
            self.attempt(who, lambda work: give_up(work, lost, **SAME))
            return
        command = ReceiveTransfer(transfer=transfer, lines=[arrived])
        self.attempt(who, lambda work: receive_transfer(work, command, order_names=no_names, **SAME))

    @move(often=4, who=WHO, number=NUMBER)
    def plan_a_pick(self, who: int, number: int) -> None:
        order = self.pick(self.ids("SELECT id FROM sales_order ORDER BY id"), number)
        if order is not None:
            self.attempt(who, lambda work: pick_now(work, [order], site=self.business.site, **SAME))

    @move(who=WHO, number=NUMBER)
    def take_a_shipment_back(self, who: int, number: int) -> None:
        shipment = self.pick(
            self.ids("SELECT id FROM shipment WHERE state <> 'delivered' ORDER BY state DESC, id"), number
        )
        if shipment is not None:
            self.attempt(who, lambda work: take_back_shipment(work, shipment, "waits for the rest", cells=OPEN))

    @move(
        who=WHO, number=NUMBER, quantity=(0, 1, 2, 5, 8), damaged=(0, 0, 0, 1),
        often=4, move=("start", "take", "take", "rest", "back", "finish", "finish", "give", "drop"),
    )  # fmt: skip
    def move_a_task(self, who: int, number: int, quantity: int, damaged: int, move: str) -> None:
        task = self.pick(self.ids("SELECT id FROM warehouse_task WHERE kind = 'pick' ORDER BY id"), number)
        if task is None:
            return
        taken = ConfirmPick(task=task, line=1, quantity=quantity * 1000, damaged=damaged * 1000)
        rest = ConfirmPick(task=task, line=1, quantity=0, short_reason="not found")
        acts: dict[str, Callable[[Any], Any]] = {
            "start": lambda work: start_task(work, task),
            "take": lambda work: confirm_pick(work, taken),
            "rest": lambda work: confirm_pick(work, rest),
            "back": lambda work: put_back(work, task, 1, quantity=quantity * 1000),
            "finish": lambda work: finish_pick(work, task, **SAME),
            "give": lambda work: give_back(work, task),
            "drop": lambda work: cancel_task(work, task, reason="not wanted"),
        }
        self.attempt(who, acts[move])


class WarehouseTrader(WarehouseMoves, Trader):
    """The trader's people, and a warehouse with places and another site for them."""

    def __init__(self) -> None:
        super().__init__()
        self.furnish()

    def begin(self) -> None:
        """As for the office, and a task with enough on the shelf that a picker may take a little more."""
        super().begin()
        self.change_stock(0, 0, 40, "receive")
        self.prove()
        self.take_order(0, 0, 13, 1, buyer=1)
        self.prove()
        self.go_on(1, 0, 2)
        order = self.an_order(0)
        self.attempt(0, lambda work: pick_now(work, [order], site=self.business.site, **SAME))
        self.prove()
