"""Builders of events: what a core would publish, without a core. Everything goes through a real unit of work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from app.composition.uow import Database, unit_of_work
from erpcore import published as p
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock, local_day
from erpcore.kernel.events import Event, Place

PERSON = Actor(id=7, role="clerk", permissions=frozenset())
JOB = Actor.system("test")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HERE = Place(
    "live", 1, 11, 21, customer_group=31, grant=41, ruleset="a" * 64, variants="", currency="EUR",
    time_zone="Europe/Berlin",
)  # fmt: skip


@dataclass(kw_only=True)
class Said:
    """One event to be published, with everything around it."""

    event: Event
    step: str
    subject: tuple[str, int]
    journey: int
    at: datetime
    place: Place = HERE
    actor: Actor = JOB
    source: str = "system"
    refs: Sequence[tuple[str, int, int]] = ()


def publish(database: Database, said: Iterable[Said], *, per_commit: int = 500) -> int:
    """Write the events in order; one unit of work per run of the same actor, source and at most ``per_commit`` events."""
    run: list[Said] = []
    last = 0
    for one in [*said, None]:
        full = run and (
            one is None or len(run) >= per_commit or (one.actor, one.source) != (run[0].actor, run[0].source)
        )
        if full:
            # Recorded when the last of them happened: a live log, not one written afterwards.
            clock = SetClock(max(item.at for item in run))
            with unit_of_work(database, actor=run[0].actor, clock=clock, source=run[0].source) as work:
                for item in run:
                    work.publish(
                        item.event, item.place, step=item.step, subject=(*item.subject, 1), journey=item.journey,
                        at=item.at, refs=item.refs,
                    )  # fmt: skip
            last = work.last_seq or last
            run = []
        if one is not None:
            run.append(one)
    return last


def a_line(number: int = 1, **changes: Any) -> p.CapturedLine:
    """Ten pieces of a stock item at 2.50, wished and committed for Monday 2 March 2026 as a ship day."""
    day = changes.pop("day", date(2026, 3, 2))
    line = p.CapturedLine(
        line=number, item=500 + number, kind="stock", quantity=10_000, price=2_500_000, value=2_500, requested=day,
        requested_ship=day, committed=day, abc="A",
    )  # fmt: skip
    fields = {name: getattr(line, name) for name in line.__struct_fields__}
    return p.CapturedLine(**{**fields, **changes})


@dataclass(kw_only=True)
class AnOrder:
    """Says what happens to one order, step by step; times move on by an hour a step unless a step is given its own."""

    id: int
    lines: Sequence[p.CapturedLine] = field(default_factory=lambda: [a_line()])
    at: datetime = MONDAY
    place: Place = HERE
    actor: Actor = PERSON
    start: datetime | None = None
    said: list[Said] = field(default_factory=list)

    def say(
        self, event: Event, step: str, *, subject: tuple[str, int] | None = None, at: datetime | None = None,
        actor: Actor = JOB, journey: int | None = None, refs: Sequence[tuple[str, int, int]] = (),
    ) -> AnOrder:  # fmt: skip
        self.said.append(
            Said(
                event=event, step=step, subject=subject or ("order", self.id), journey=journey or self.id,
                at=at or self.at, place=self.place, actor=actor, refs=refs,
            )
        )  # fmt: skip
        self.at = (at or self.at) + timedelta(hours=1)
        return self

    def all_of(self) -> list[p.LineQuantity]:
        return [p.LineQuantity(line=line.line, quantity=line.quantity) for line in self.lines]

    def captured(self, **at: Any) -> AnOrder:
        start = self.start or at.get("at") or self.at
        start_on = local_day(self.start, self.place.time_zone) if self.start else None
        event = p.OrderCaptured(customer=91, start=start, start_on=start_on, lines=list(self.lines))
        return self.say(event, "order_to_cash.capture", actor=self.actor, **at)

    def promised(self, day: date | None = None, basis: str = "ship", **at: Any) -> AnOrder:
        lines = [
            p.LinePromise(line=line.line, day=day or line.requested, basis=basis, reason="stock") for line in self.lines
        ]
        return self.say(p.OrderPromised(lines=lines), "order_to_cash.promise", **at)

    def released(self, **at: Any) -> AnOrder:
        return self.say(p.OrderReleased(), "order_to_cash.release", **at)

    def allocated(self, lines: list[p.LineQuantity] | None = None, **at: Any) -> AnOrder:
        return self.say(p.OrderAllocated(lines=lines or self.all_of()), "order_to_cash.allocate", **at)

    def picked(self, shipment: int, lines: list[p.LineQuantity] | None = None, **at: Any) -> AnOrder:
        event = p.ShipmentPicked(lines=lines or self.all_of())
        return self.say(event, "order_to_cash.pick", subject=("shipment", shipment), **at)

    def shipped(
        self, shipment: int, lines: list[p.LineQuantity] | None = None, *, must_post: bool = False, **at: Any
    ) -> AnOrder:
        event = p.ShipmentConfirmed(lines=lines or self.all_of(), value=0, must_post=must_post)
        return self.say(event, "order_to_cash.ship", subject=("shipment", shipment), **at)

    def delivered(self, shipment: int, lines: list[p.LineQuantity] | None = None, **at: Any) -> AnOrder:
        event = p.ShipmentDelivered(lines=lines or self.all_of())
        return self.say(event, "order_to_cash.deliver", subject=("shipment", shipment), **at)

    def triggered(self, invoice: int, policy: str = "shipment_confirmed", **at: Any) -> AnOrder:
        event = p.InvoiceTriggered(policy=policy, shipment=invoice - 1, value=1_000)
        return self.say(event, "order_to_cash.invoice", subject=("shipment", invoice - 1), **at)

    def invoiced(self, invoice: int, gross: int = 11_900, *, right: bool = True, **at: Any) -> AnOrder:
        event = p.InvoicePosted(
            net=gross, tax=0, gross=gross, price_right=right, quantity_right=True, tax_determined=True,
            shipment=invoice - 1,
        )  # fmt: skip
        return self.say(event, "order_to_cash.invoice", subject=("invoice", invoice), **at)

    def posted(self, document: int, kind: str, **at: Any) -> AnOrder:
        event = p.LedgerPosted(document_type=kind, document=document, amount=1)
        return self.say(event, "record_to_report.post", subject=("entry", document + 5), **at)

    def corrected(self, invoice: int, fault: str = "ours", **at: Any) -> AnOrder:
        event = p.InvoiceCorrected(credit_memo=invoice + 7, fault=fault, reason="price", gross=100)
        return self.say(event, "order_to_cash.invoice", subject=("invoice", invoice), **at)

    def closed(self, **at: Any) -> AnOrder:
        return self.say(p.OrderClosed(), "order_to_cash.cash", **at)


def a_smooth_order(identity: int, *, lines: int = 5, at: datetime = MONDAY, place: Place = HERE) -> list[Said]:
    """Fourteen events: an order of some lines that goes through without trouble, up to its payment."""
    order = AnOrder(id=identity, lines=[a_line(n + 1, day=at.date()) for n in range(lines)], at=at, place=place)
    shipment, invoice = identity + 1, identity + 2
    order.captured().promised().released().allocated().picked(shipment).shipped(shipment, must_post=True)
    order.posted(shipment, "shipment").triggered(invoice).invoiced(invoice).posted(invoice, "invoice")
    order.delivered(shipment).say(p.InvoiceSettled(), "order_to_cash.cash", subject=("invoice", invoice)).closed()
    return order.said


def interleaved(journeys: Sequence[list[Said]], random: Random) -> list[Said]:
    """All events in one order that keeps each journey's own."""
    waiting = [list(one) for one in journeys if one]
    out: list[Said] = []
    while waiting:
        chosen = random.choice(waiting)
        out.append(chosen.pop(0))
        if not chosen:
            waiting.remove(chosen)
    return out


def elsewhere(**changes: Any) -> Place:
    """The same place but for these dimensions."""
    return HERE._replace(**changes)


def changed(said: Said, **changes: Any) -> Said:
    """The same event but for these attributes."""
    return replace(said, **changes)


Scenario = Callable[[], list[Said]]
