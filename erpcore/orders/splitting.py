"""A part of an order line becomes a line of its own, with its own day or address, at the price of the line it was part of.

Quantities, amounts and values of both add up to what the line had, and so does what is reserved. The part keeps the dates that
the line is judged by, unless the customer wishes another day for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from erpcore.inventory.services import Demand, free_reservations, reserve
from erpcore.inventory.supply import waiting_at
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.money import exact_amount, scaled_amount
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.documents import Line, Order
from erpcore.orders.promise import RECEIPTS
from erpcore.orders.records import WAITS_SINCE, insert_lines


class Wanted(NamedTuple):
    """So many thousandths that shall be split off a line which a supplier sends; ``field`` is where that was typed."""

    line: Line
    quantity: int
    field: str


class Senders(Protocol):
    """Whoever has been asked to send lines straight to the customer. Orders do not know them; who does hands them in."""

    def may_split(self, work: UnitOfWork, wanted: Sequence[Wanted]) -> None:
        """Raise ``RuleBroken`` for what they can no longer send otherwise."""

    def split(self, work: UnitOfWork, order: Order, parts: Sequence[tuple[Line, Line]]) -> None:
        """Ask them for each part, of which its line has been split, apart from the line."""


class _Nobody:
    """Where nobody hands senders in, what others send stays whole."""

    def may_split(self, work: UnitOfWork, wanted: Sequence[Wanted]) -> None:
        for one in wanted:
            raise RuleBroken("amend_split_goods", field=one.field, line=one.line.line_no)

    def split(self, work: UnitOfWork, order: Order, parts: Sequence[tuple[Line, Line]]) -> None:
        """Nothing comes here: it was refused."""


NOBODY: Senders = _Nobody()


def part_of(order: Order, line: Line, key: int, quantity: int) -> Line:
    """So much of a line as one of its own; the line keeps the rest. Nothing is held for the part yet."""
    if line.amount == exact_amount(line.quantity, line.unit_price):
        amount = exact_amount(quantity, line.unit_price)
        value = scaled_amount(quantity, line.unit_price, order.currency)
    else:
        # Its total was stated: each part has its share of it.
        amount = line.amount * quantity // line.quantity
        value = scaled_amount(1000, amount, order.currency)
    part = replace(
        line, id=key, line_no=max(one.line_no for one in order.lines) + 10, quantity=quantity, amount=amount, value_minor=value,
        allocated=0, picked=0, shipped=0, delivered=0, invoiced=0, cancelled=0, returned=0, extra=0,
        split_from_id=line.split_from_id or line.id,
    )  # fmt: skip
    line.quantity, line.amount, line.value_minor = (
        line.quantity - quantity,
        line.amount - amount,
        line.value_minor - value,
    )
    return part


def held_for(line: Line, quantity: int) -> int:
    """Of what is reserved for a line, how much goes with so much of it: what is not there yet goes first."""
    return max(0, quantity - line.unallocated)


def split_off(work: UnitOfWork, order: Order, line: Line, part: Line, held: int) -> None:
    """Write a part with what was ``held`` for it, and take that from its line. The caller saves both.

    A part of a line that waits has waited as long, and for the same receipt.
    """
    places = [(line.site_id, line.item_id)] if line.may_wait else []
    own = next((wait for wait in waiting_at(work, places) if wait.line == line.id), None)
    if own is not None:
        work.memo.setdefault(WAITS_SINCE, {})[part.id] = own.since
        work.memo.setdefault(RECEIPTS, {})[part.id] = own.receipt
    if held:
        freed = free_reservations(work, {line.id: held})
        line.allocated -= freed.get(line.id, 0)
    if part.quantity == held:
        part.backordered_at = None
    insert_lines(work, order, [part])
    if held:
        demand = Demand(part.id, order.entity_id, part.site_id, part.item_id, held)
        (part.allocated,) = reserve(work, [demand], at=work.now)
