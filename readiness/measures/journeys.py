"""The working form of a journey while events are applied to it: plain objects, loaded and saved by store.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

import msgspec

# Bits of ``journey.flags``. Plain integers: they are tested for every event.
HELD = 1
BLOCKED = 2
TOUCHED = 4
SHORT = 8
SPLIT = 16
DELAYED = 32
DAMAGED = 64
LATE = 128
DISPUTED = 256
CORRECTED = 512
OFF_PATH = 1024
WRONG_AT_POSTING = 2048
REVERSED = 4096

FLAG_NAMES = {
    HELD: "held",
    BLOCKED: "blocked",
    TOUCHED: "touched",
    SHORT: "short",
    SPLIT: "split",
    DELAYED: "delayed",
    DAMAGED: "damaged",
    LATE: "late",
    DISPUTED: "disputed",
    CORRECTED: "corrected",
    OFF_PATH: "off path",
    WRONG_AT_POSTING: "wrong at posting",
    REVERSED: "reversed",
}

Moves = list[list[int]]
"""[microseconds since 1970, ordinal of the site's day, quantity] of each shipment or delivery, by time."""

Substitutes = list[tuple[int, int, int, str]]
"""(line that is sent instead, quantity of this line that it replaces, value of that in minor units, reason), as they came."""

moves_to_text = msgspec.json.Encoder().encode
moves_from_text = msgspec.json.Decoder(list[list[int]]).decode
substitutes_from_text = msgspec.json.Decoder(Substitutes).decode


def flag_names(flags: int) -> list[str]:
    """The words of a set of flags, in a fixed order."""
    return [word for bit, word in FLAG_NAMES.items() if flags & bit]


class Part(Protocol):
    """What an event says of one line."""

    @property
    def line(self) -> int: ...


#: The kind of a line that was split off: it says which line it is part of (as ``item``), and how much of that it is.
PART = "part"


class Line(msgspec.Struct, gc=False):
    """An order line; attributes are the columns of ``journey_line`` in their order, absent ones have these values.

    A structure of fixed fields, since a batch makes tens of thousands; it never stands in a circle.
    """

    journey_id: int
    line: int
    item: int = 0
    kind: str = ""
    abc: str | None = None
    basis: str = "ship"
    quantity: int = 0
    priced_quantity: int = 0
    value: int = 0
    requested: date | None = None
    requested_ship: date | None = None
    committed: date | None = None
    early: int = 0
    late: int = 0
    first_promised: date | None = None
    promise_basis: str | None = None
    promise_is_void: bool = False
    current_promised: date | None = None
    dropped: int = 0
    allocated: int = 0
    backordered: int = 0
    picked: int = 0
    short: int = 0
    shipped: int = 0
    delivered: int = 0
    shipments: Moves | None = None
    deliveries: Moves | None = None
    misses: int = 0
    backordered_at: datetime | None = None
    substitutes: Substitutes | None = None

    @property
    def unmet(self) -> int:
        """What of it is still to come and nothing is kept for; 0 of a line that was never backordered."""
        if self.backordered_at is None:
            return 0
        served = max(self.allocated - self.short, self.picked, self.shipped)
        return max(0, self.quantity - self.dropped - served)

    def value_of(self, quantity: int) -> int:
        """Minor units of so much of the line at its order price, half up."""
        if quantity == self.priced_quantity:
            return self.value
        if not self.priced_quantity:
            return 0
        return (2 * self.value * quantity + self.priced_quantity) // (2 * self.priced_quantity)


class Journey(msgspec.Struct, gc=False):
    """A document; attributes are the columns of ``journey`` in their order, absent ones have these values."""

    root_id: int
    id: int
    kind: str = ""
    realm: str = ""
    entity: int = 0
    site: int | None = None
    channel: int | None = None
    customer_group: int | None = None
    grant_id: int | None = None
    ruleset: str | None = None
    variants: str = ""
    currency: str | None = None
    actor: int = 0
    opened_at: datetime | None = None
    opened_on: date | None = None
    start_at: datetime | None = None
    start_on: date | None = None
    released_at: datetime | None = None
    allocated_at: datetime | None = None
    picked_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    invoiced_at: datetime | None = None
    invoiced_on: date | None = None
    received_at: datetime | None = None
    received_on: date | None = None
    credited_at: datetime | None = None
    paid_at: datetime | None = None
    closed_at: datetime | None = None
    ended_at: datetime | None = None
    hold_ended_at: datetime | None = None
    holds: str | None = None
    postings: str | None = None
    must_post: int = 0
    shipments: int = 0
    shipment_id: int | None = None
    value: int = 0
    gross: int = 0
    remaining: int = 0
    topic: str = ""
    flags: int = 0
    misses: int = 0
    is_open: bool = False
    steps: str = ""
    calendar_seq: int | None = None


@dataclass(slots=True)
class Family:
    """A root document with its lines and the invoices that belong to it: what one batch loads and saves together."""

    root: Journey
    lines: dict[int, Line] = field(default_factory=dict)
    invoices: dict[int, Journey] = field(default_factory=dict)
    changed_lines: set[int] = field(default_factory=set)
    #: Ids that invoices went by before they were drafted.
    gone: set[int] = field(default_factory=set)

    def line(self, number: int) -> Line:
        """The line, made on its first mention; of a part that line that it is part of."""
        found = self.lines.get(number)
        if found is None:
            found = self.lines[number] = Line(self.root.id, number)
        if found.kind == PART:
            return self.line(found.item)
        self.changed_lines.add(number)
        return found

    def lines_of(self, parts: Sequence[Part]) -> list[Line]:
        """The line of each part of an event, made on its first mention."""
        if self.root.flags & SPLIT:
            return [self.line(part.line) for part in parts]
        numbers = [part.line for part in parts]
        self.changed_lines.update(numbers)
        try:
            return [self.lines[number] for number in numbers]
        except KeyError:
            return [self.line(number) for number in numbers]
