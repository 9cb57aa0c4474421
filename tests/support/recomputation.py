"""Every flow measure once more, the slow and obvious way: from a document's list of events, with no code of the projection."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.composition.uow import Database
from erpcore.kernel.events import EventLog


@dataclass
class Told:
    """One event as it stands in the log."""

    seq: int
    type: str
    at: datetime
    on: date
    subject: int
    journey: int
    site: int | None
    channel: int | None
    group: int | None
    actor: int
    source: str
    data: dict[str, Any]


def told(database: Database) -> dict[int, list[Told]]:
    """The whole log by journey, in commit order."""
    out: dict[int, list[Told]] = defaultdict(list)
    with database.read_engine.connect() as connection:
        for row in connection.execute(select(EventLog.__table__).order_by(EventLog.seq)):
            out[row.journey].append(
                Told(
                    row.seq, row.type, row.occurred_at, row.occurred_on, row.subject_id, row.journey, row.site, row.channel,
                    row.customer_group, row.actor, row.source, json.loads(row.data),
                )
            )  # fmt: skip
    return out


@dataclass
class PlainLine:
    kind: str
    abc: str
    basis: str
    quantity: int
    of: int
    value: int
    requested: date
    requested_ship: date
    early: int
    late: int
    promises: list[tuple[date, str]] = field(default_factory=list)
    stale: bool = False
    cancelled: int = 0
    shipped: list[tuple[datetime, date, int]] = field(default_factory=list)
    delivered: list[tuple[datetime, date, int]] = field(default_factory=list)
    backordered: datetime | None = None
    allocated: int = 0
    picked: int = 0
    not_found: int = 0

    @property
    def waits_for(self) -> int:
        """What is still to come of a line that was short once, and nothing is kept for."""
        sent = sum(q for *_, q in self.shipped)
        kept = max(self.allocated - self.not_found, self.picked, sent)
        return max(0, self.quantity - self.cancelled - kept) if self.backordered else 0

    def worth(self, quantity: int) -> int:
        """So much of it at order price, half a cent up."""
        whole, rest = divmod(self.value * quantity, self.of)
        return whole + (1 if 2 * rest >= self.of else 0)

    def moves(self, basis: str) -> list[tuple[datetime, date, int]]:
        return self.delivered if basis == "delivery" else self.shipped


@dataclass
class PlainOrder:
    events: list[Told]
    first: Told
    start: datetime
    lines: dict[int, PlainLine]
    #: (line that the customer ordered, line sent instead, quantity, value, reason)
    substitutes: list[tuple[int, int, int, int, str]] = field(default_factory=list)

    def met(self, number: int, reason: str | None = None) -> int:
        """The value of a line that other items were shipped for, at most what the customer still wants of it."""
        left, found = self.lines[number].worth(self.lines[number].quantity), 0
        for line, sent, quantity, value, why in self.substitutes:
            if line == number:
                shipped = min(quantity, sum(q for *_, q in self.lines[sent].shipped))
                whole, rest = divmod(value * shipped, quantity)
                part = min(left, whole + (2 * rest >= quantity))
                left -= part
                found += part if reason in {None, why} else 0
        return found

    def has(self, *types: str) -> bool:
        return any(event.type in types for event in self.events)

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left of it: it was cancelled whole."""
        return self.has("order.cancelled") and all(line.quantity <= line.cancelled for line in self.lines.values())

    def count(self, kind: str) -> int:
        return sum(event.type == kind for event in self.events)

    @property
    def owed(self) -> bool:
        """Whether the customer was owed service: not rejected."""
        return not self.has("order.rejected")

    def judged(self) -> tuple[list[PlainLine], str]:
        for kind in ("stock", "drop_ship", "free"):
            found = [line for line in self.lines.values() if line.kind == kind and line.quantity > 0]
            if found:
                return found, "" if kind == "stock" else f"{kind}/"
        return [], ""


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _line(data: dict[str, Any]) -> PlainLine:
    return PlainLine(
        data["kind"], data.get("abc") or "", data.get("basis", "ship"), data["quantity"], data["quantity"], data["value"],
        _day(data["requested"]), _day(data["requested_ship"]), data.get("early", 0), data.get("late", 0),
    )  # fmt: skip


def orders(log: dict[int, list[Told]], site: int | None = None) -> list[PlainOrder]:
    """Every captured order (of a site), with what became of its lines."""
    out = []
    for events in log.values():
        first = next((event for event in events if event.type == "order.captured"), None)
        if first is None or (site is not None and first.site != site):
            continue
        lines = {line["line"]: _line(line) for line in first.data["lines"]}
        part_of: dict[int, int] = {}
        sent: list[tuple[int, int, int, int, str]] = []
        for event in events:
            if event.type == "order.substituted":
                data = event.data
                of = part_of.get(data["line"], data["line"])
                of = next((line for line, other, *_ in sent if other == of), of)
                sent.append((of, data["substitute_line"], data["quantity"], data["value"], data["reason"]))
                lines[data["substitute_line"]] = replace(
                    lines[of], kind="substitute", quantity=data["quantity"], of=data["quantity"], value=data["value"],
                    shipped=[], delivered=[], promises=[], cancelled=0, backordered=None, allocated=0, picked=0, not_found=0,
                )  # fmt: skip
            if event.type == "order.split":
                # Our parts of a line are that line, whatever number they have.
                part_of |= {one["part"]: part_of.get(one["line"], one["line"]) for one in event.data["parts"]}
                continue
            _play(_of_whole_lines(event, part_of), lines)
        start = datetime.fromisoformat(first.data["start"])
        out.append(PlainOrder(events, first, start, lines, sent))
    return out


def _of_whole_lines(event: Told, part_of: dict[int, int]) -> Told:
    """The event with parts under the number of the line that they are part of."""
    if not part_of or "lines" not in event.data:
        return event
    told = [{**one, "line": part_of.get(one["line"], one["line"])} for one in event.data["lines"]]
    return replace(event, data={**event.data, "lines": told})


def _play(event: Told, lines: dict[int, PlainLine]) -> None:
    data = event.data
    if event.type == "order.amended" and data["by_customer"]:
        for one in data["lines"]:
            old, new = lines[one["line"]], _line(one)
            changed = (old.quantity, old.requested) != (new.quantity, new.requested)
            new.promises, new.shipped, new.delivered = old.promises, old.shipped, old.delivered
            new.cancelled, new.stale = old.cancelled, bool(old.promises) if changed else old.stale
            new.backordered, new.allocated, new.picked, new.not_found = (
                old.backordered, old.allocated, old.picked, old.not_found,
            )  # fmt: skip
            lines[one["line"]] = new
    elif event.type in {"order.promised", "order.repromised"}:
        for one in data["lines"]:
            line = lines[one["line"]]
            if not line.promises or line.stale:
                line.promises.append((_day(one["day"]), one["basis"]))
                line.stale = False
    elif event.type == "order.cancelled":
        for one in data["lines"]:
            line = lines[one["line"]]
            if data["by_customer"]:
                line.quantity = max(0, line.quantity - one["quantity"])
            else:
                line.cancelled += one["quantity"]
    elif event.type in {"shipment.confirmed", "shipment.delivered"}:
        for one in data["lines"]:
            line = lines[one["line"]]
            moves = line.shipped if event.type == "shipment.confirmed" else line.delivered
            moves.append((event.at, event.on, one["quantity"]))
            moves.sort(key=lambda move: move[0])
    else:
        _play_waiting(event, lines)


def _play_waiting(event: Told, lines: dict[int, PlainLine]) -> None:
    data = event.data
    if event.type in _KEPT:
        name, sign = _KEPT[event.type]
        for one in data["lines"]:
            setattr(lines[one["line"]], name, getattr(lines[one["line"]], name) + sign * one["quantity"])
    elif event.type == "order.backordered":
        for one in data["lines"]:
            lines[one["line"]].backordered = min(lines[one["line"]].backordered or event.at, event.at)


_KEPT = {
    "order.allocated": ("allocated", 1), "order.deallocated": ("allocated", -1), "shipment.picked": ("picked", 1),
    "shipment.short_picked": ("not_found", 1),
}  # fmt: skip


Sum = tuple[int, int]


def fill_rate_lines(found: Iterable[PlainOrder], start: date, end: date) -> Sum:
    x = y = 0
    for order in found:
        for line in order.lines.values() if order.owed else ():
            if line.kind == "stock" and line.quantity > 0 and start <= line.requested_ship < end:
                y += 1
                x += bool(line.shipped) and line.shipped[0][2] >= line.quantity
    return x, y


def fill_rate_value(found: Iterable[PlainOrder], start: date, end: date) -> Sum:
    x = y = 0
    for order in found:
        for line in order.lines.values() if order.owed else ():
            if line.kind == "stock" and line.quantity > 0 and start <= line.requested_ship < end:
                first = line.shipped[0][2] if line.shipped else 0
                y += line.worth(line.quantity)
                x += line.worth(min(first, line.quantity))
    return x, y


def substitute_share(found: Iterable[PlainOrder], start: date, end: date, reason: str | None = None) -> Sum:
    x = y = 0
    for order in found:
        for number, line in order.lines.items() if order.owed else ():
            if line.kind == "stock" and line.quantity > 0 and start <= line.requested_ship < end:
                y += line.worth(line.quantity)
                x += order.met(number, reason)
    return x, y


def backorders(found: Iterable[PlainOrder], now: datetime) -> list[tuple[float, int]]:
    """(seconds since it was first short, value that it lacks) of every line that waits."""
    return sorted(
        ((now - line.backordered).total_seconds(), line.worth(line.waits_for))
        for order in found
        if order.owed and not order.has("order.closed") and not order.is_gone
        for line in order.lines.values()
        if line.backordered and line.waits_for
    )


def otif_lines(found: Iterable[PlainOrder], start: date, end: date) -> Sum:
    x = y = 0
    for order in found:
        for line in order.lines.values() if order.owed else ():
            if line.kind == "stock" and line.quantity > 0 and start <= line.requested < end:
                y += 1
                low, high = line.requested - timedelta(days=line.early), line.requested + timedelta(days=line.late)
                x += sum(q for _, day, q in line.moves(line.basis) if low <= day <= high) >= line.quantity
    return x, y


def promise_accuracy(found: Iterable[PlainOrder], start: date, end: date) -> Sum:
    x = y = 0
    for order in found:
        for line in order.lines.values() if order.owed else ():
            if line.kind == "stock" and line.quantity > 0 and line.promises:
                day, basis = line.promises[-1]
                if start <= day < end:
                    y += 1
                    x += sum(q for _, on, q in line.moves(basis) if on <= day) >= line.quantity
    return x, y


def _perfect(order: PlainOrder) -> dict[str, bool]:
    lines, _ = order.judged()
    complete = all(sum(q for *_, q in line.moves(line.basis)) >= line.quantity for line in lines)
    on_time = all(
        line.moves(line.basis)
        and all(
            line.requested - timedelta(days=line.early) <= day <= line.requested + timedelta(days=line.late)
            for _, day, _ in line.moves(line.basis)
        )
        for line in lines
    )
    wrong = any(e.type == "invoice.corrected" and e.data["fault"] != "customer" for e in order.events)
    parts = {
        "perfect_order_complete": complete,
        "perfect_order_on_time": on_time,
        "perfect_order_undamaged": not order.has("shipment.damaged"),
        "perfect_order_documents": not wrong,
    }
    return {**parts, "perfect_order_rate": all(parts.values())}


def perfect(key: str) -> Callable[[Iterable[PlainOrder], date, date], Sum]:
    """The perfect order or one of its parts."""

    def of(found: Iterable[PlainOrder], start: date, end: date) -> Sum:
        due = []
        for order in found:
            lines, dimension = order.judged()
            if order.owed and lines and not dimension and start <= max(line.requested for line in lines) < end:
                due.append(order)
        return sum(_perfect(order)[key] for order in due), len(due)

    return of


def touchless_rate(found: Iterable[PlainOrder], start: date, end: date) -> Sum:
    x = y = 0
    for order in found:
        lines, dimension = order.judged()
        if not order.owed or not lines or dimension or not start <= max(line.requested_ship for line in lines) < end:
            continue
        y += 1
        edited = any(
            e.type in {"order.price_overridden", "order.amended", "order.split", "order.substituted"} and e.actor
            for e in order.events
        )
        gone = all(sum(q for *_, q in line.shipped) >= line.quantity for line in lines)
        x += gone and not edited and not order.has("order.held") and order.first.source != "back-entry"
    return x, y


def order_exception_rate(found: Iterable[PlainOrder], start: date, end: date) -> Sum:
    x = y = 0
    for order in found:
        if not start <= order.first.on < end:
            continue
        y += 1
        x += order.count("shipment.confirmed") > 1 or order.has(
            "order.held", "order.split", "invoice.blocked", "order.backordered", "order.substituted", "shipment.short_picked",
            "shipment.delayed", "shipment.damaged",
        )  # fmt: skip
    return x, y


RATES: dict[str, Callable[[Iterable[PlainOrder], date, date], Sum]] = {
    "fill_rate_lines": fill_rate_lines,
    "fill_rate_value": fill_rate_value,
    "substitute_share": substitute_share,
    "otif_lines": otif_lines,
    "promise_accuracy": promise_accuracy,
    **{f"perfect_order_{part}": perfect(f"perfect_order_{part}") for part in ("rate", "complete", "on_time", "undamaged", "documents")},
    "touchless_rate": touchless_rate,
    "order_exception_rate": order_exception_rate,
}  # fmt: skip


def invoices(log: dict[int, list[Told]], key: str, start: date, end: date, site: int) -> Sum:
    """The invoice measures, over every invoice.posted of the window."""
    x = y = 0
    for events in log.values():
        wrong = {e.subject for e in events if e.type == "invoice.corrected" and e.data["fault"] != "customer"}
        for event in events:
            if event.type == "invoice.posted" and event.site == site and start <= event.on < end:
                data = event.data
                if key == "invoice_right_at_posting":
                    good, weight = data["price_right"] and data["quantity_right"] and data["tax_determined"], 1
                else:
                    good, weight = event.subject not in wrong, data["gross"] if key.endswith("value") else 1
                y += weight
                x += weight if good else 0
    return x, y


def times(
    log: dict[int, list[Told]], key: str, start: date, end: date, as_of: datetime, site: int
) -> list[tuple[float, bool]]:
    """(seconds, finished) of every document in the cohort of a time measure."""
    out = []
    if key == "order_cycle_time":
        for order in orders(log, site):
            lines, dimension = order.judged()
            day = _day(order.first.data.get("start_on") or order.first.on.isoformat())
            if not order.owed or not lines or dimension or not start <= day < end:
                continue
            last = max((at for line in lines for at, *_ in line.shipped), default=None)
            left = any(line.quantity - line.cancelled > sum(q for *_, q in line.shipped) for line in lines)
            if not left and last is not None:
                out.append((max(0.0, (last - order.start).total_seconds()), True))
            elif left and not order.has("order.closed"):
                out.append(((as_of - order.start).total_seconds(), False))
    for events in log.values():
        if key == "billing_cycle_time":
            for event in events:
                if event.type == "invoice.triggered" and event.site == site and start <= event.on < end:
                    done = [
                        e
                        for e in events
                        if e.type == "invoice.posted" and e.data.get("shipment") == event.data["shipment"]
                    ]
                    until = done[0].at if done else as_of
                    out.append(((until - event.at).total_seconds(), bool(done)))
        if key == "return_credit_time":
            got = next((e for e in events if e.type == "return.received" and e.site == site), None)
            if got is not None and start <= got.on < end:
                done = [e for e in events if e.type == "credit_memo.posted"]
                out.append((((done[0].at if done else as_of) - got.at).total_seconds(), bool(done)))
    return out


def worked(log: dict[int, list[Told]], start: date, end: date, as_of: datetime, site: int) -> list[tuple[float, bool]]:
    """(working seconds, finished) of every order in the cohort of the cycle time, minute by minute.

    A finished order counts by the calendars told before its last shipment, an open one by all of them.
    """
    calendars = [e for events in log.values() for e in events if e.type == "site.calendar_set" and e.site == site]
    out = []
    for order in orders(log, site):
        lines, dimension = order.judged()
        day = _day(order.first.data.get("start_on") or order.first.on.isoformat())
        if not order.owed or not lines or dimension or not start <= day < end:
            continue
        last = max((at for line in lines for at, *_ in line.shipped), default=None)
        left = any(line.quantity - line.cancelled > sum(q for *_, q in line.shipped) for line in lines)
        if not left and last is not None:
            told_by = max(e.seq for e in order.events if e.type == "shipment.confirmed")
            out.append((_open_minutes([c for c in calendars if c.seq < told_by], order.start, last), True))
        elif left and not order.has("order.closed"):
            out.append((_open_minutes(calendars, order.start, as_of), False))
    return out


def _open_minutes(calendars: list[Told], since: datetime, until: datetime) -> float:
    """Seconds in [since, until) during which the site is open: a step from minute to minute, each asked by itself."""
    total, at = 0.0, since
    while at < until:
        step = min(until, at.replace(second=0, microsecond=0) + timedelta(minutes=1))
        if _is_open(calendars, at.astimezone(_ZONE)):
            total += (step - at).total_seconds()
        at = step
    return total


_ZONE = ZoneInfo("Europe/Berlin")


def _is_open(calendars: list[Told], local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    today, before = (_hours(calendars, local.date() - timedelta(days=back)) for back in (0, 1))
    if today and today[0] <= minute and (minute < today[1] or today[1] <= today[0]):
        return True
    return bool(before and before[1] <= before[0] and minute < before[1])


def _hours(calendars: list[Told], day: date) -> list[int] | None:
    told = [c.data for c in calendars if _day(c.data["valid_from"]) <= day]
    if not told or day.isoformat() in told[-1].get("closed", []):
        return None
    found: list[int] | None = told[-1]["week"][day.weekday()]
    return found


def adjusted(log: dict[int, list[Told]], start: date, end: date, site: int, reason: str | None = None) -> int:
    """Σ |value| of the adjustments of the window that were not reversed."""
    undone = {e.data["of"] for events in log.values() for e in events if e.type == "stock.adjustment_reversed"}
    return sum(
        abs(e.data.get("value") or 0)
        for events in log.values()
        for e in events
        if e.type == "stock.adjusted" and e.subject not in undone and e.site == site and start <= e.on < end
        and reason in {None, e.data["reason"]}
    )  # fmt: skip
