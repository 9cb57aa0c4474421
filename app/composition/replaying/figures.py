"""What do both sides come to, and which orders went another way, by which rule's reason?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.composition.replaying.course import Course, Held, Left, Taken, TakenLine
from app.composition.replaying.inputs import Replayed
from app.composition.replaying.rules import RulesAt
from app.messages import sentence
from erpcore.kernel.clock import local_day
from erpcore.kernel.money import scaled_amount

Codes = Mapping[int, str]


class Places:
    """Codes and time zones of sites by id."""

    def __init__(self, codes: Codes, zones: Codes) -> None:
        self.codes, self._zones = codes, zones

    def day(self, site: int, at: datetime) -> str:
        """The day where the site stands."""
        return local_day(at, self._zones[site]).isoformat()


def figures_of(course: Course, places: Places) -> dict[str, Any]:
    """One side in figures. A pair is a count and out of how many.

    ``first``: lines that left whole with the first departure, of the goods lines of orders that left at all. ``promise``: lines
    promised for the day asked for or before. ``in_time``: lines that left whole by the day on which they had to. ``worth``: price
    and margin of what left, by currency, of lines whose cost is known.
    """
    counts: Counter[str] = Counter()
    worth: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for key, order in course.taken.items():
        departures = course.left.get(key, [])
        counts["lines"] += len(order.lines)
        counts["left"] += bool(departures)
        counts["shipments"] += len(departures)
        _lines(counts, order, departures, course, places)
        if departures:
            _worth(counts, worth[order.currency], order, departures)
    held = Counter(label(hold) for holds in course.held.values() for hold in _each_once(holds))
    return {
        "taken": len(course.taken), "refused": dict(Counter(error.code for error in course.refused.values())),
        "lines": counts["lines"], "held_orders": len(course.held), "held": dict(held),
        "promise": [counts["promised_as_asked"], counts["goods"]], "first": [counts["first"], counts["of_left"]],
        "in_time": [counts["in_time"], counts["stock"]], "shipments": [counts["shipments"], counts["left"]],
        "cancelled_lines": counts["cancelled"], "waiting_lines": counts["waiting"],
        "worth": dict(sorted(worth.items())), "cost_unknown": counts["cost_unknown"],
    }  # fmt: skip


def _lines(counts: Counter[str], order: Taken, departures: Sequence[Left], course: Course, places: Places) -> None:
    gone, first = _gone(departures), _gone([one for one in departures if one.at == departures[0].at])
    for line in order.lines:
        if not line.is_goods:
            continue
        counts["goods"] += 1
        counts["promised_as_asked"] += line.promised_on <= line.requested_on
        if not line.has_stock:
            continue
        counts["stock"] += 1
        cancelled = course.cancelled.get(line.id, 0)
        counts["cancelled"] += bool(cancelled)
        counts["waiting"] += gone.get(line.id, 0) + cancelled < line.quantity
        if departures:
            counts["of_left"] += 1
            counts["first"] += first.get(line.id, 0) >= line.quantity
        ended = _whole_at(line, departures)
        counts["in_time"] += ended is not None and places.day(line.site, ended) <= line.requested_ship_on.isoformat()


def _gone(departures: Sequence[Left]) -> dict[int, int]:
    out: dict[int, int] = defaultdict(int)
    for one in departures:
        for line, quantity in one.lines.items():
            out[line] += quantity
    return out


def _whole_at(line: TakenLine, departures: Sequence[Left]) -> datetime | None:
    """When the last of a line left; ``None`` while any of it has not."""
    got = 0
    for one in departures:
        got += one.lines.get(line.id, 0)
        if got >= line.quantity:
            return one.at
    return None


def _worth(counts: Counter[str], worth: list[int], order: Taken, departures: Sequence[Left]) -> None:
    gone = _gone(departures)
    for line in order.lines:
        quantity = gone.get(line.id, 0)
        if not quantity:
            continue
        if line.unit_cost is None and line.has_stock:
            counts["cost_unknown"] += 1
            continue
        value = line.value_minor
        if quantity != line.quantity:
            value = scaled_amount(quantity, line.unit_price, order.currency)
        worth[0] += value
        worth[1] += value - scaled_amount(quantity, line.unit_cost or 0, order.currency)


def label(hold: Held) -> str:
    """The kind of a hold, with who may end it where a rule routes that."""
    return hold.kind if hold.level is None else f"{hold.kind}:{hold.level}"


def _each_once(holds: Sequence[Held]) -> list[Held]:
    return list({label(hold): hold for hold in holds}.values())


class Comparison:
    """Both sides order by order."""

    def __init__(self, before: Course, after: Course, rules: tuple[RulesAt, RulesAt], places: Places) -> None:
        self.before, self.after, self._rules, self._places = before, after, rules, places

    def differing(self, orders: Sequence[Replayed]) -> list[tuple[int, str, dict[str, Any]]]:
        """Id, number and what differs of every order that went another way, in the order in which they came in.

        ``points`` are the policy points of which its own rules have another value; none where only others went another way.
        """
        out = []
        for one in orders:
            key = one.command.id or 0
            if found := self._differs(key):
                out.append((key, one.number, {"differs": found, "points": self._points(key)}))
        return out

    def _differs(self, key: int) -> list[dict[str, Any]]:
        refusals = [side.refused.get(key) for side in (self.before, self.after)]
        if any(refusals):
            codes = [None if error is None else error.code for error in refusals]
            if codes[0] == codes[1]:
                return []
            last = next(error for error in reversed(refusals) if error is not None)
            return [{"what": "refused", "before": codes[0], "after": codes[1], "why": sentence(last)}]
        out: list[dict[str, Any]] = []
        was, now = self.before.taken[key], self.after.taken[key]
        if was.value_minor != now.value_minor:
            out.append({"what": "value", "before": was.value_minor, "after": now.value_minor, "why": was.currency})
        self._holds(key, out)
        self._promises(was, now, out)
        self._departures(key, was, now, out)
        return out

    def _holds(self, key: int, out: list[dict[str, Any]]) -> None:
        was, now = (_each_once(side.held.get(key, [])) for side in (self.before, self.after))
        kinds = [sorted(label(hold) for hold in holds) for holds in (was, now)]
        if kinds[0] != kinds[1]:
            one = next((hold for hold in now if label(hold) not in kinds[0]), None)
            one = one or next(hold for hold in was if label(hold) not in kinds[1])
            out.append({"what": "held", "before": kinds[0], "after": kinds[1], "why": one.reason})

    def _promises(self, was: Taken, now: Taken, out: list[dict[str, Any]]) -> None:
        for one, other in zip(was.lines, now.lines, strict=False):
            if one.site != other.site:
                codes = self._places.codes
                out.append(
                    {
                        "what": "site", "line": one.no, "before": codes[one.site], "after": codes[other.site],
                        "why": other.source or one.source or "own_site",
                    }
                )  # fmt: skip
            if one.promised_on != other.promised_on:
                out.append(
                    {
                        "what": "promise", "line": one.no, "before": one.promised_on, "after": other.promised_on,
                        "why": other.promise_reason,
                    }
                )  # fmt: skip

    def _departures(self, key: int, was: Taken, now: Taken, out: list[dict[str, Any]]) -> None:
        said = [self._said(side, key, order) for side, order in ((self.before, was), (self.after, now))]
        if said[0] != said[1]:
            out.append({"what": "left", "before": said[0], "after": said[1], "why": None})
        gone = [
            sum(1 for line in order.lines if line.id in side.cancelled)
            for side, order in ((self.before, was), (self.after, now))
        ]
        if gone[0] != gone[1]:
            out.append({"what": "cancelled", "before": gone[0], "after": gone[1], "why": None})

    def _said(self, side: Course, key: int, order: Taken) -> list[list[Any]]:
        """Day, site and number of lines of each shipment."""
        return [
            [self._places.day(one.site, one.at), self._places.codes[one.site], len(one.lines)]
            for one in side.left.get(key, ())
        ]

    def _points(self, key: int) -> list[str]:
        pairs = set()
        was, now = self.before.taken.get(key), self.after.taken.get(key)
        if was is not None and now is not None:
            pairs = {(was.rules, now.rules)}
            pairs |= {(one.rules, other.rules) for one, other in zip(was.lines, now.lines, strict=False)}
        points: set[str] = set()
        for one, other in pairs:
            old, new = self._rules[0].of(one), self._rules[1].of(other)
            points |= {name for name in new.values if new[name] != old[name]}
        return sorted(points)
