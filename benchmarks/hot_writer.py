"""What does one of several writers do? It takes orders, promises stock to them, ships or cancels them, and receives goods.

A process of its own, as a worker of the server is. Each step is a unit of work of the product's, with what follows one in the
product, and is timed as whoever asked for it would wait. What is refused for another reason than the business's is written down:
nothing is tried again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import orjson

from app.composition.cells import RegisteredCells
from app.composition.policies import RegisterRules
from app.composition.scarcity import FOLLOWERS
from app.composition.uow import Database, connect, unit_of_work
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Busy, DomainError
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.duplicates import DUPLICATE
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders

LINES = 5
#: A receipt comes after so many orders and brings about two thirds of what they took.
_ORDERS_PER_RECEIPT, _RECEIVED = 6, 20


@dataclass(frozen=True)
class Job:
    """What a writer is given. ``fully``: cancel only what stays short; otherwise every third order too, so that as many are
    cancelled where nothing is short. In ``folder`` it says that it is ready, is told until when to work, and leaves its report.
    """

    url: str
    site: int
    channel: int
    customers: tuple[int, ...]
    items: tuple[int, ...]
    seed: int
    folder: Path
    fully: bool = True

    @property
    def ready(self) -> Path:
        return self.folder / f"{self.seed}.ready"

    @property
    def go(self) -> Path:
        """There once all may begin; it says until when."""
        return self.folder / "go"

    @property
    def report(self) -> Path:
        return self.folder / f"{self.seed}.json"


@dataclass
class _Tally:
    """What came of it: orders taken care of, milliseconds of each step, refusals by their words."""

    orders: int
    shipped: int
    cancelled: int
    waits: dict[str, list[float]]
    refused: list[str]


class _Writer:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._random = Random(job.seed)
        self._database: Database = connect(job.url, followers=FOLLOWERS)
        self._rules, self._cells = RegisterRules(), RegisteredCells()
        self.tally = _Tally(0, 0, 0, {}, [])

    def _step(self, name: str, act: Callable[[UnitOfWork], Any]) -> Any:
        begun = time.perf_counter()
        try:
            with unit_of_work(self._database, actor=Actor.system("benchmark"), source="api") as work:
                return act(work)
        finally:
            self.tally.waits.setdefault(name, []).append((time.perf_counter() - begun) * 1000)

    def one_order(self) -> None:
        """From entry to shipped, or cancelled where stock was short."""
        job, rules, cells = self._job, self._rules, self._cells
        lines = [
            NewLine(item=item, quantity=Decimal(self._random.randint(1, 9)))
            for item in self._random.sample(job.items, LINES)
        ]
        # Of thousands of orders on few items some are the same by chance, which a clerk would be asked about and accept.
        command = CaptureOrder(
            site=job.site, channel=job.channel, customer=self._random.choice(job.customers), lines=lines,
            accepted={DUPLICATE: "ordered twice by chance"},
        )  # fmt: skip
        (order,) = self._step("capture", lambda work: capture_orders(work, [command], rules=rules, cells=cells))
        key = order.id
        self._step("release", lambda work: release_orders(work, [key], rules=rules, cells=cells))
        (order,) = self._step("allocate", lambda work: allocate_orders(work, [key], rules=rules, cells=cells))
        is_short = any(line.unallocated for line in order.lines)
        if is_short or (not job.fully and self.tally.orders % 3 == 2):
            cancel = CancelLines(order=key, reason="not available", by_customer=False)
            self._step("cancel", lambda work: cancel_lines(work, [cancel]))
            self.tally.cancelled += 1
        else:
            self._step("ship", lambda work: self._ship(work, key))
            self.tally.shipped += 1
        self.tally.orders += 1
        if self.tally.orders % _ORDERS_PER_RECEIPT == 0:
            items = self._random.sample(job.items, LINES)
            self._step("receive", lambda work: self._receive(work, items))

    def _ship(self, work: UnitOfWork, order: int) -> None:
        (shipment,) = pick_orders(work, [PickOrder(order=order)], cells=self._cells)
        confirm_shipments(work, [shipment.id], rules=self._rules, cells=self._cells)

    def _receive(self, work: UnitOfWork, items: list[int]) -> None:
        changes = [
            ChangeStock(site=self._job.site, item=item, quantity=Decimal(_RECEIVED), note="delivery") for item in items
        ]
        receive_stock(work, changes, rules=self._rules, cells=self._cells)

    def run(self) -> None:
        """Take an order to be warm, say that it is ready, wait for the others, and work until the time is over."""
        while not self.tally.orders:
            # All are cold at once, and who writes to SQLite meanwhile keeps the others out while its program is loaded.
            with contextlib.suppress(Busy):
                self.one_order()
        self.tally = _Tally(0, 0, 0, {}, [])
        self._job.ready.touch()
        while not self._job.go.exists():
            time.sleep(0.02)
        until = float(self._job.go.read_text())
        while time.time() < until:
            try:
                self.one_order()
            except Exception as error:  # noqa: BLE001 - every one of them is written down and none is expected
                code = error.code if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"[:300]
                self.tally.refused.append(code)
        self._job.report.write_bytes(orjson.dumps(self.tally.__dict__))
        self._database.dispose()


def write(job: Job) -> None:
    """What the process of a writer runs."""
    with contextlib.suppress(KeyboardInterrupt):
        _Writer(job).run()
