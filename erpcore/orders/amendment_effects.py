"""What an amendment does to its order: quantities, values, reservations, days and promises, and what is told of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import select, update

from erpcore.inventory.services import free_reservations
from erpcore.inventory.supply import waiting_at
from erpcore.kernel.clock import day_end, local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.events import EventLog
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import exact_amount, scaled_amount
from erpcore.kernel.quantity import MOST_WORTH
from erpcore.kernel.rows import Change, param
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import commitment, customers, items, site_facts, tax_rate
from erpcore.orders.addressing import country_of
from erpcore.orders.amendment_rules import Amend, Planned
from erpcore.orders.availability import FUTURE, whole
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import ChangeKind, LineKind, OrderAmendment, OrderLine
from erpcore.orders.moving import captured_line, publish_order
from erpcore.orders.promise import RECEIPTS, Wanted, day_there, promised_parts, say_day
from erpcore.orders.records import save_orders
from erpcore.orders.rules import line_dates, rush_day
from erpcore.orders.services import NewLine, extend_order
from erpcore.orders.splitting import Senders, held_for, part_of, split_off
from erpcore.ports import ProcessRules
from erpcore.published import LinePromise, LineQuantity, OrderAmended, OrderCancelled, OrderRepromised
from erpcore.published.sourcing import OrderSplit, SplitPart


@dataclass
class Effects:
    """What came of it. ``freed`` are thousandths of stock that nobody holds any more, by line id.

    ``anew``: the lines of which the customer wants more, less or another day, with the day, until they are promised.
    ``parts``: the lines that were split off; ``split``: those of them that are judged with what they were part of; ``direct``:
    lines that a supplier sends, each with its part.
    """

    ordered: list[Line] = field(default_factory=list)
    taken_back: list[LineQuantity] = field(default_factory=list)
    promised: list[Line] = field(default_factory=list)
    freed: dict[str, int] = field(default_factory=dict)
    anew: dict[int, tuple[Line, date]] = field(default_factory=dict)
    parts: list[Line] = field(default_factory=list)
    split: list[SplitPart] = field(default_factory=list)
    direct: list[tuple[Line, Line]] = field(default_factory=list)
    grew: bool = False
    moved: bool = False


def _save_days() -> Any:
    table = OrderLine.__table__
    names = ("requested_on", "requested_ship_on", "first_promised_on", "ship_to_id", "tax_rate")
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values(**{name: param(f"new_{name}", table.c[name]) for name in names})
    )


_SAVE_DAYS = Change(_save_days)


def carry_out(
    work: UnitOfWork,
    order: Order,
    planned: Sequence[Planned],
    amendment: OrderAmendment,
    *,
    rules: ProcessRules,
    senders: Senders,
) -> Effects:
    """Make the planned changes true and tell of them. The order is locked; it is saved here, one version on."""
    effects = Effects()
    _free(work, planned, effects)
    for one in planned:
        if one.line is None:
            continue
        if one.change.kind == ChangeKind.SPLIT:
            _split_off(work, order, one.line, one.change, effects, by_customer=amendment.by_customer)
        elif one.change.kind == ChangeKind.ADDRESS:
            _send_elsewhere(work, order, one.line, one.change.ship_to)
        elif one.change.kind == ChangeKind.DATE:
            _move_day(
                work,
                order,
                one.line,
                one.change.day or one.line.promised_on,
                effects,
                by_customer=amendment.by_customer,
            )
        elif amendment.by_customer and one.change.kind == ChangeKind.QUANTITY:
            _resize(work, order, one.line, one.by, effects)
        else:
            one.line.cancelled -= one.by
            effects.taken_back.append(LineQuantity(line=one.line.id, quantity=-one.by))
    _promise_anew(work, order, effects)
    if effects.direct:
        senders.split(work, order, effects.direct)
    new = [
        NewLine(item=one.item, quantity=one.change.quantity, requested_on=one.change.day, ship_to=one.change.ship_to)
        for one in planned
        if one.line is None and one.change.quantity is not None
    ]
    if new:
        with _at_their_place(planned):
            added = extend_order(work, order, new, rules=rules)
        effects.ordered += added
        effects.promised += added
    effects.grew = any(one.grows for one in planned)
    effects.moved = any(one.line is not None and one.change.ship_to is not None for one in planned)
    _tell(work, order, amendment, effects)
    touched = {one.line.id: one.line for one in planned if one.line is not None}
    touched |= {line.id: line for line in effects.parts}
    save_orders(work, [order], list(touched.values()))
    _SAVE_DAYS.run(
        work,
        [
            {
                "of": line.id, "new_requested_on": line.requested_on, "new_requested_ship_on": line.requested_ship_on,
                "new_first_promised_on": line.first_promised_on, "new_ship_to_id": line.ship_to_id,
                "new_tax_rate": line.tax_rate,
            }
            for line in touched.values()
        ],
    )  # fmt: skip
    return effects


@contextmanager
def _at_their_place(planned: Sequence[Planned]) -> Iterator[None]:
    """A refusal of an added line names the change that adds it."""
    try:
        yield
    except RuleBroken as refusal:
        part = (refusal.field or "").split("-")
        if len(part) == 3 and part[0] == "lines" and part[1].isdecimal():
            places = [place for place, one in enumerate(planned) if one.line is None]
            refusal.field = f"changes-{places[int(part[1])]}-{part[2]}"
        raise


def _free(work: UnitOfWork, planned: Sequence[Planned], effects: Effects) -> None:
    """Give back what smaller lines had reserved beyond what they still need."""
    wanted = {
        one.line.id: min(one.line.allocated, -one.by - one.line.unallocated)
        for one in planned
        if one.line is not None and one.line.has_stock and one.by < 0 and -one.by > one.line.unallocated
    }
    lines = {one.line.id: one.line for one in planned if one.line is not None}
    for key, quantity in free_reservations(work, wanted).items() if wanted else ():
        lines[key].allocated -= quantity
        effects.freed[str(key)] = quantity


def _split_off(
    work: UnitOfWork, order: Order, line: Line, change: Amend, effects: Effects, *, by_customer: bool
) -> None:
    """Part of the line is one of its own. With a day that the customer wishes both are ordered anew, else it stays one order."""
    quantity = scaled_int(change.quantity or Decimal(0), QUANTITY_PLACES)
    held = held_for(line, quantity)
    part = part_of(order, line, work.ids.one(), quantity)
    if change.ship_to is not None:
        _send_elsewhere(work, order, part, change.ship_to)
    split_off(work, order, line, part, held)
    effects.parts.append(part)
    if line.kind == LineKind.DROP_SHIP:
        effects.direct.append((line, part))
    if by_customer and change.day is not None and change.day != line.requested_on:
        effects.ordered += [line, part]
        effects.anew[part.id] = (part, change.day)
        return
    effects.split.append(SplitPart(line=line.id, part=part.id, quantity=quantity, value=part.value_minor))
    if change.day is not None and change.day != part.promised_on:
        _promise(work, order, part, change.day, "moved")
        effects.promised.append(part)


def _send_elsewhere(work: UnitOfWork, order: Order, line: Line, ship_to: int | None) -> None:
    """The line goes to another address; where that is in another country, at the tax of today there."""
    line.ship_to_id = ship_to
    customer = customers(work, {order.customer_id})[order.customer_id]
    item = items(work, {line.item_id})[line.item_id]
    today = local_day(work.now, site_facts(work, order.site_id).time_zone)
    country = country_of(work, ship_to, order)
    line.tax_rate = tax_rate(
        work, order.entity_id, country, customer.tax_class, item.tax_class, today,
        ship_from=site_facts(work, line.site_id).country, customer=customer.id,
    )  # fmt: skip


def _resize(work: UnitOfWork, order: Order, line: Line, by: int, effects: Effects) -> None:
    """The customer wants more or less of the line, at the price agreed."""
    before = line.value_minor
    line.quantity += by
    # What left beyond the order is part of what is ordered now.
    line.extra = max(0, line.shipped + line.picked + line.cancelled - line.quantity)
    line.amount = exact_amount(line.quantity, line.unit_price)
    if line.amount >= MOST_WORTH * 10**PRICE_PLACES:
        raise RuleBroken("value_absurd", field="changes", line=line.line_no, item="")
    line.value_minor = scaled_amount(line.quantity, line.unit_price, order.currency)
    order.value_minor += line.value_minor - before
    effects.ordered.append(line)
    effects.anew.setdefault(line.id, (line, line.requested_on))


def _move_day(work: UnitOfWork, order: Order, line: Line, day: date, effects: Effects, *, by_customer: bool) -> None:
    if by_customer:
        effects.ordered.append(line)
        effects.anew[line.id] = (line, day)
        return
    _promise(work, order, line, day, "moved")
    effects.promised.append(line)


def _promise_anew(work: UnitOfWork, order: Order, effects: Effects) -> None:
    """The customer's own change starts a new first promise, under the terms of today; the committed day stays what it was.

    What nobody holds for a line yet comes from where it is free or comes next, after who waits for it longer.
    """
    if not effects.anew:
        return
    site = site_facts(work, order.site_id)
    today = local_day(work.now, site.time_zone)
    terms = commitment(work, order.site_id, order.channel_id, order.customer_group, today)
    lacking = [line for line, _ in effects.anew.values() if line.has_stock and line.unallocated > 0]
    parts = promised_parts(work, _wanted(work, lacking)) if lacking else {}
    for line, day in effects.anew.values():
        dates = line_dates(work.now, site.time_zone, terms, day, line.basis)
        if day != line.requested_on:
            line.requested_on, line.requested_ship_on = dates.requested, dates.requested_ship
        usual = rush_day(dates, today) if line.is_rush else max(dates.committed, dates.requested)
        promised, reason = usual, "amended"
        if line.id in parts:
            part = whole(parts[line.id])
            promised = max(promised, day_there(line, part))
            reason = part.reason if part.reason in FUTURE else reason
            work.memo.setdefault(RECEIPTS, {})[line.id] = part.receipt
        elif line.kind == LineKind.DROP_SHIP and line in effects.parts:
            # Its supplier is asked for the wish; sooner than it sends the whole is no promise of ours.
            promised, reason = max(promised, line.promised_on), line.promise_reason
        line.first_promised_on = promised
        _promise(work, order, line, promised, reason)
        effects.promised.append(line)


def _wanted(work: UnitOfWork, lines: Sequence[Line]) -> list[Wanted]:
    """What these lines lack. One that waits already keeps its turn; the others come after all who wait."""
    places = {(line.site_id, line.item_id) for line in lines if line.may_wait}
    since = {one.line: one.since for one in waiting_at(work, places)} if places else {}
    return [
        Wanted(
            line.id, line.site_id, line.item_id, line.unallocated,
            since.get(line.id, work.now + timedelta(microseconds=number)),
        )
        for number, line in enumerate(lines, 1)
    ]  # fmt: skip


def _customer_cancelled(work: UnitOfWork, order: Order) -> dict[int, int]:
    """What the customer has taken back of each line so far: it is no longer part of what they ordered."""
    out: dict[int, int] = defaultdict(int)
    query = select(EventLog.data).where(
        EventLog.subject_type == "order", EventLog.subject_id == order.id, EventLog.type == OrderCancelled.type
    )
    for data in work.session.execute(query).scalars():
        event = msgspec.json.decode(data, type=OrderCancelled)
        for part in event.lines if event.by_customer else ():
            out[part.line] += part.quantity
    return out


def _promise(work: UnitOfWork, order: Order, line: Line, day: date, reason: str) -> None:
    say_day(work, line, day, reason)
    line.promised_due_at = day_end(day, site_facts(work, order.site_id).time_zone)


def _tell(work: UnitOfWork, order: Order, amendment: OrderAmendment, effects: Effects) -> None:
    known = items(work, {line.item_id for line in order.lines})
    ordered = {line.id: line for line in effects.ordered}
    if effects.split:
        split = OrderSplit(by_customer=amendment.by_customer, reason=amendment.reason, parts=effects.split)
        publish_order(work, order, split, "capture", work.now)
    if ordered or not (effects.taken_back or effects.split):
        some = any(line.cancelled for line in ordered.values())
        gone = _customer_cancelled(work, order) if some else defaultdict(int)
        event = OrderAmended(
            by_customer=amendment.by_customer, reason=amendment.reason,
            lines=[
                captured_line(line, known[line.item_id].abc, order.currency, less=gone[line.id])
                for line in ordered.values()
            ],
        )  # fmt: skip
        publish_order(work, order, event, "capture", work.now)
    if effects.taken_back:
        cancelled = OrderCancelled(by_customer=amendment.by_customer, reason=amendment.reason, lines=effects.taken_back)
        publish_order(work, order, cancelled, "capture", work.now)
    promised = {line.id: line for line in effects.promised}
    if promised:
        said = [
            LinePromise(line=line.id, day=line.promised_on, basis=line.basis, reason=line.promise_reason)
            for line in promised.values()
        ]
        publish_order(work, order, OrderRepromised(lines=said), "promise", work.now)
