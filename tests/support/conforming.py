"""Conformance recomputed the plain way: from the log, journey by journey, with each rule said in quantifiers over all its steps."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import text

from app.composition.uow import Database, reading
from readiness.conformance import activities as a
from readiness.conformance.catalogue import PROCESSES
from readiness.conformance.templates import Absence, ExactlyOnce, Precedence, Response, Step, WithinTime
from tests.support.events import MONDAY
from tests.support.rows import a_day, an_instant


def naive_precedence(t: Any, steps: list[Step], end: Step | None) -> list[tuple[int, bool, bool]]:
    out = []
    for then in steps:
        if then.activity in t.then and not (t.keyed and then.key == 0):
            same = [first for first in steps if first.activity in t.first and (not t.keyed or first.key == then.key)]
            if not any(first < then for first in same):
                out.append((then.seq, True, False))
    return sorted(out)


def naive_response(t: Any, steps: list[Step], end: Step | None) -> list[tuple[int, bool, bool]]:
    if end is None:
        return []
    out = {}
    for first in sorted(steps, reverse=True):
        key = first.key if t.keyed else 0
        if first.activity in t.first:
            answers = [x for x in steps if x.activity in t.then and x > first and (not t.keyed or x.key == key)]
            if not answers:
                out[key] = (first.seq, False, False)
    return sorted(out.values())


def naive_absence(t: Any, steps: list[Step], end: Step | None) -> list[tuple[int, bool, bool]]:
    return sorted(
        (one.seq, True, False)
        for one in steps
        if one.activity in t.step and (not t.after or any(x.activity in t.after and x < one for x in steps))
    )


def naive_once(t: Any, steps: list[Step], end: Step | None) -> list[tuple[int, bool, bool]]:
    done = sorted(one for one in steps if one.activity in t.step)
    again = [(one.seq, True, False) for one in done[1:]]
    excused = any(one.activity in t.instead for one in steps)
    return sorted(again) + ([(end.seq, False, False)] if end is not None and not done and not excused else [])


def naive_within(t: Any, steps: list[Step], end: Step | None) -> list[tuple[int, bool, bool]]:
    late, missed = set(), {}
    for first in sorted(steps, reverse=True):
        if first.activity not in t.first:
            continue
        key = first.key if t.keyed else 0
        answers = sorted(x for x in steps if x.activity in t.then and x > first and (not t.keyed or x.key == key))
        if answers:
            if answers[0].at - first.at > t.limit:
                late.add((answers[0].seq, True, False))
        elif end is None or end.at > first.at + t.limit:
            missed[key] = (first.seq, False, end is None)
        else:
            missed.pop(key, None)
    return sorted([*late, *missed.values()])


_NAIVE: dict[type, Any] = {
    Precedence: naive_precedence, Response: naive_response, Absence: naive_absence, ExactlyOnce: naive_once,
    WithinTime: naive_within,
}  # fmt: skip


def naive(template: Any, steps: list[Step], end: Step | None) -> list[tuple[int, bool, bool]]:
    """What departs from a template, as (seq, is it that step itself, is it only due), in order."""
    return _NAIVE[type(template)](template, steps, end)


class Register:
    """A register that a test writes itself: who covers which deviation at which site, from when until before when."""

    def __init__(self, *covers: tuple[int, str, int | None, Any, Any], expired: frozenset[int] = frozenset()) -> None:
        self.covers, self.expired = covers, expired
        self.asked = 0

    def __call__(self, connection: Any) -> Register:
        return self

    def covering(self, deviation: str, where: Any, at: Any) -> int | None:
        self.asked += 1
        for variant, code, site, begins, ends in self.covers:
            if code == deviation and site in {None, where.site} and begins <= at < ends:
                return variant
        return None

    def in_force(self, variant: int, at: Any) -> bool:
        return variant not in self.expired

    def points(self, ruleset: str) -> tuple[str, ...]:
        return ("order.partial_shipment", "pricing.floor")


ALWAYS = (MONDAY - timedelta(days=400), MONDAY + timedelta(days=400))


class Checked(NamedTuple):
    """A journey as the log tells it. ``departures``: (code, seq, is the step itself, covered by)."""

    root: int
    process: str
    site: int | None
    steps: list[tuple[Any, ...]]
    departures: list[tuple[str, int, bool, int | None]]
    ended_on: Any
    opened_on: Any
    variants: str | None
    stamped_on: Any

    @property
    def standing(self) -> str:
        if not self.departures:
            return "conforming"
        return "uncovered" if any(one[3] is None for one in self.departures) else "covered"

    @property
    def day(self) -> Any:
        """The day that it counts on."""
        return self.ended_on or self.opened_on + timedelta(days=PROCESSES[self.process].overdue_days)

    @property
    def is_on_path(self) -> bool:
        return self.ended_on is not None and self.standing != "uncovered"

    def off(self, code: str | None = None) -> set[int]:
        """The steps that depart uncovered."""
        return {seq for name, seq, is_step, by in self.departures if is_step and by is None and code in {None, name}}


_PLAIN = {
    "order.validated": a.ORDER_VALIDATED, "order.rejected": a.ORDER_REJECTED, "order.price_overridden": a.PRICE_OVERRIDDEN,
    "order.promised": a.ORDER_PROMISED, "order.repromised": a.ORDER_REPROMISED, "order.held": a.ORDER_HELD,
    "order.released": a.ORDER_RELEASED, "order.allocated": a.ORDER_ALLOCATED, "order.backordered": a.ORDER_BACKORDERED,
    "order.amended": a.ORDER_AMENDED, "order.captured": a.ORDER_CAPTURED, "order.closed": a.ORDER_CLOSED,
    "order.substituted": a.ORDER_SUBSTITUTED, "shipment.short_picked": a.PICKED_SHORT,
    "invoice.corrected": a.INVOICE_CORRECTED, "invoice.settled": a.INVOICE_SETTLED, "return.requested": a.RETURN_REQUESTED,
    "return.authorised": a.RETURN_AUTHORISED, "return.declined": a.RETURN_DECLINED, "return.received": a.RETURN_RECEIVED,
    "return.inspected": a.RETURN_INSPECTED, "return.credited": a.RETURN_CREDITED, "stock.transfer_shipped": a.TRANSFER_SHIPPED,
}  # fmt: skip
_PARTS = {
    "shipment.picked": a.GOODS_PICKED, "shipment.confirmed": a.GOODS_SHIPPED, "shipment.delivered": a.GOODS_DELIVERED,
    "shipment.taken_back": a.TAKEN_BACK, "task.started": a.TASK_STARTED, "task.finished": a.TASK_FINISHED,
}  # fmt: skip


def _activity(row: Any, data: dict[str, Any], left: dict[int, int]) -> tuple[int, int] | None:
    """The activity of an event and the part it belongs to; ``left`` is what is still ordered of each line."""
    if row.type in {"order.captured", "order.amended"} and data.get("by_customer", True):
        left.update((line["line"], line["quantity"]) for line in data["lines"])
    elif row.type == "order.substituted":
        left[data["substitute_line"]] = data["quantity"]
    if row.type in _PLAIN:
        return _PLAIN[row.type], 0
    if row.type in _PARTS:
        return _PARTS[row.type], row.subject_id
    if row.type in {"invoice.triggered", "invoice.posted"}:
        return (a.INVOICE_DUE if row.type == "invoice.triggered" else a.INVOICE_POSTED), data.get("shipment") or 0
    if row.type == "order.hold_released":
        return (a.HOLD_CURED if data["cured"] else a.HOLD_OVERRIDDEN), 0
    if row.type == "order.cancelled":
        for line in data["lines"]:
            left[line["line"]] = left.get(line["line"], 0) - line["quantity"]
        return (a.ORDER_CANCELLED_WHOLE if all(n <= 0 for n in left.values()) else a.ORDER_CANCELLED), 0
    if row.type == "credit_memo.posted":
        return None if data.get("return") is not None else (a.CREDIT_WITHOUT_RETURN, 0)
    if row.type == "stock.transfer_received":
        lost = data.get("lost", 0)
        return (a.TRANSFER_LOST if lost else a.TRANSFER_SETTLED if data["settled"] else a.TRANSFER_RECEIVED), 0
    return None


def checked(database: Database, register: Register) -> list[Checked]:
    """Every journey of the log, judged."""
    with reading(database) as session:
        rows = session.execute(text("SELECT * FROM event_log ORDER BY seq")).all()
        zero = session.execute(text("SELECT MIN(seq) FROM event_log")).scalar()
    assert zero is not None
    journeys: dict[int, list[Any]] = defaultdict(list)
    left: dict[int, dict[int, int]] = defaultdict(dict)
    first: dict[int, Any] = {}
    stamped: dict[int, Any] = {}
    for row in rows:
        data = row.data if isinstance(row.data, dict) else orjson.loads(row.data)
        done = _activity(row, data, left[row.journey])
        if done is None:
            continue
        first.setdefault(row.journey, row)
        if row.ruleset is not None:
            stamped.setdefault(row.journey, row)
        journeys[row.journey].append((an_instant(row.occurred_at), row.seq, *done, a_day(row.occurred_on)))
    return [_judged(root, sorted(steps), first[root], stamped.get(root), register) for root, steps in journeys.items()]


def _judged(root: int, told: list[Any], first: Any, stamp: Any, register: Register) -> Checked:
    family = first.type.split(".")[0]
    process = {"return": "returns_to_credit", "stock": "warehouse", "task": "warehouse"}.get(family, "order_to_cash")
    steps = [Step(round(at.timestamp() * 1_000_000), seq, act, key, day.toordinal()) for at, seq, act, key, day in told]
    ends = [one for one in steps if one.activity in PROCESSES[process].ends]
    end = ends[0] if ends else None
    when = {seq: at for at, seq, *_ in told}
    out = []
    for rule in PROCESSES[process].rules:
        for seq, is_step, is_due in naive(rule.template, steps, end):
            if is_due:
                continue
            at = when[seq]
            if not is_step:
                limit = getattr(rule.template, "limit", None)
                at = max(when[end.seq], at) if limit is None and end else at + timedelta(microseconds=limit or 0)
            by = register.covering(rule.code, _Where(first.site), at)
            out.append((rule.code, seq, is_step, by))
    return Checked(
        root, process, first.site, told, out, None if end is None else _on(end), told[0][4],
        None if stamp is None else stamp.variants, None if stamp is None else a_day(stamp.occurred_on),
    )  # fmt: skip


class _Where(NamedTuple):
    site: int | None


def _on(step: Step) -> Any:
    return date.fromordinal(step.day)
