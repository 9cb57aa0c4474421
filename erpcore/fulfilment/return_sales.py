"""Which sales does a return reverse, and what of them is left to give back?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.rows import chunks, raw, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import items
from erpcore.orders.documents import Line
from erpcore.orders.models import OrderLine, SalesOrder
from erpcore.orders.records import lines_by_id, lock_orders, save_orders, write_changed_lines


class Sale(NamedTuple):
    """A sale of an item to a customer, and what is left of it to give back."""

    order: int
    line: int
    at: datetime
    left: int
    price: int
    tax_rate: int | None


def sales_of(work: UnitOfWork, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], list[Sale]]:
    """Sales of (customer, item), latest first, with what is left of each to give back."""
    write_changed_lines(work)
    found: dict[tuple[int, int], list[Sale]] = {pair: [] for pair in wanted}
    orders = SalesOrder.__table__.c
    lines = OrderLine.__table__.c
    for part in chunks(sorted({item for _, item in wanted}), 500):
        buyers = sorted({customer for customer, item in wanted if item in set(part)})
        for some in chunks(buyers, 500):
            query = (
                select(
                    orders.customer_id, lines.item_id, orders.id, lines.id, orders.captured_at,
                    (raw(lines.shipped) - raw(lines.returned)).label("left"), raw(lines.unit_price), raw(lines.tax_rate),
                )
                .join_from(OrderLine, SalesOrder, orders.id == lines.order_id)
                .where(lines.item_id.in_(part), orders.customer_id.in_(some), lines.shipped > 0)
                .order_by(orders.captured_at.desc(), lines.id.desc())
            )  # fmt: skip
            for row in work.session.execute(query):
                pair = (row[0], row[1])
                if pair in found:
                    found[pair].append(Sale(row[2], row[3], row[4], row[5], row[6], row[7]))
    return found


def count_returned(work: UnitOfWork, changes: Mapping[int, int]) -> None:
    """Count what comes back on its order lines, by so much more or less; raises ``RuleBroken`` beyond what was delivered."""
    owners = read_rows(work, OrderLine, ("order_id",), "id", changes)
    orders = lock_orders(work, {row.order_id for row in owners})
    changed: list[Line] = []
    for line in lines_by_id(orders).values():
        if changes.get(line.id):
            line.returned += changes[line.id]
            if line.returned > line.shipped:
                code = items(work, {line.item_id})[line.item_id].code
                raise RuleBroken("return_too_much", field="quantity", item=code)
            changed.append(line)
    save_orders(work, orders, changed)
