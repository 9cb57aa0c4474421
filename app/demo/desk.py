"""What every part of the trading shares: the moving clock, the seeded dice, units of work, and an agenda of what is to be done."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import exp
from random import Random
from typing import Any

from sqlalchemy import select

from app.composition.cells import RegisteredCells
from app.composition.policies import RegisterRules
from app.composition.uow import Database, unit_of_work
from app.demo.people import Staff
from app.demo.plan import DemoOptions
from app.demo.world import Node, World
from erpcore.billing.models import Invoice
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock, zone
from erpcore.kernel.work import UnitOfWork

_SATURDAY = 5
NodeKey = tuple[str, str]
"""Realm and site code."""


@dataclass
class Desk:
    """One world being traded in."""

    database: Database
    world: World
    staff: Staff
    clock: SetClock
    random: Random
    rules: RegisterRules = field(default_factory=RegisterRules)
    cells: RegisteredCells = field(default_factory=RegisteredCells)
    #: Nodes where trading has begun, and where it has ended again.
    open: set[NodeKey] = field(default_factory=set)
    ended: set[NodeKey] = field(default_factory=set)

    @property
    def options(self) -> DemoOptions:
        return self.world.options

    @contextmanager
    def work(self, actor: Actor, realm: str, source: str = "system") -> Iterator[UnitOfWork]:
        """A unit of work some moments after the last one: people and machines need time between two things."""
        self.clock.advance(timedelta(seconds=self.random.randint(8, 45)))
        with unit_of_work(self.database, actor=actor, clock=self.clock, realm=realm, source=source) as work:
            yield work

    def today(self, node: Node) -> date:
        return self.clock.now().astimezone(zone(node.zone)).date()

    def at(self, node: Node, days: int, hour: int, minute: int = 0) -> datetime:
        """So many calendar days from today at an hour of the site; on the next working day where that is none."""
        return moment(working_day(self.today(node) + timedelta(days=days)), hour, minute, node.zone)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def poisson(self, mean: float) -> int:
        """How often something happens that happens so often on average (Knuth's method)."""
        limit, product, count = exp(-mean), self.random.random(), 0
        while product > limit:
            product *= self.random.random()
            count += 1
        return count

    @property
    def is_late_in_story(self) -> bool:
        """The last working days, in which some documents get stuck."""
        left = (self.options.until - self.clock.now()).days
        return 1 <= left <= 6


def invoice_numbers(work: UnitOfWork, invoices: Collection[int]) -> dict[int, str]:
    """By which number payers name each of these posted invoices."""
    rows = work.session.execute(select(Invoice.id, Invoice.number).where(Invoice.id.in_(invoices)))
    return {key: number or "" for key, number in rows}


def moment(day: date, hour: int, minute: int, zone_name: str) -> datetime:
    """An instant of a site's day."""
    return datetime.combine(day, time(hour, minute), zone(zone_name))


def working_day(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return day


class Agenda:
    """What has to be done when, by kind and site; taken in the order of time."""

    def __init__(self) -> None:
        self._heaps: dict[str, list[tuple[datetime, int, NodeKey, Any]]] = defaultdict(list)
        self._count = 0

    def add(self, when: datetime, kind: str, node: NodeKey, task: Any) -> None:
        self._count += 1
        heapq.heappush(self._heaps[kind], (when, self._count, node, task))

    def take(self, kind: str, until: datetime) -> dict[NodeKey, list[Any]]:
        """Everything of a kind that is due, by site."""
        heap, found = self._heaps[kind], defaultdict(list)
        while heap and heap[0][0] <= until:
            _, _, node, task = heapq.heappop(heap)
            found[node].append(task)
        return dict(sorted(found.items()))
