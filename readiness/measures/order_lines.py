"""What the lines of an order add to the buckets: fill, punctuality, promises, the perfect order, touchless orders, cycle times.

Most lines of an order share their days, their kind and what became of them; these are judged once. A line of which something
was changed, cancelled, or moved in parts stands alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from readiness.measures import catalogue as c
from readiness.measures.deltas import Deltas, add_time
from readiness.measures.journeys import CORRECTED, DAMAGED, HELD, TOUCHED, Family, Journey, Line
from readiness.measures.sketch import bin_of
from readiness.measures.worked import Worked, as_instant

#: The kinds of lines that an order is judged by, the first that it has, and the dimension of each.
JUDGED = (("stock", ""), ("drop_ship", "drop_ship/"), ("free", "free/"))
#: Lines that are judged alike.
Alike = list[Line]


def judged(family: Family) -> tuple[list[Line], str]:
    """The lines an order's service is judged by, and the dimension that keeps other kinds out of the main figure.

    Own-stock lines where there are any, else drop-ship, else free ones. What the customer took back has left. A service or
    charge line does not ship and is judged nowhere.
    """
    lines = family.lines.values()
    for kind, dimension in JUDGED:
        found = [line for line in lines if line.kind == kind and line.quantity > 0]
        if found:
            return found, dimension
    return [], ""


def alike(family: Family) -> list[Alike]:
    """The lines in groups that share everything they are judged by but their quantity and value."""
    groups: dict[Any, Alike] = {}
    for number, line in family.lines.items():
        quantity, shipped, come = line.quantity, line.shipments, line.deliveries
        key: Any = number
        if (
            quantity == line.priced_quantity
            and not line.dropped
            and line.substitutes is None
            and (not shipped or (len(shipped) == 1 and shipped[0][2] == quantity))
            and (not come or (len(come) == 1 and come[0][2] == quantity))
        ):
            key = (
                line.kind, line.abc, line.basis, line.requested, line.requested_ship, line.early, line.late,
                line.first_promised, line.promise_basis, shipped and (shipped[0][0], shipped[0][1]),
                come and (come[0][0], come[0][1]), quantity > 0,
            )  # fmt: skip
        group = groups.get(key)
        if group is None:
            groups[key] = [line]
        else:
            group.append(line)
    return list(groups.values())


def judged_groups(groups: Iterable[Alike]) -> tuple[list[Alike], str]:
    """As ``judged``, in groups."""
    for kind, dimension in JUDGED:
        found = [group for group in groups if group[0].kind == kind and group[0].quantity > 0]
        if found:
            return found, dimension
    return [], ""


def add_lines(
    out: Deltas, sign: int, groups: Iterable[Alike], slice_id: int, group: int, line_misses: dict[int, int]
) -> None:
    """Fill, punctuality and promises: lines of one document are summed before their squares are taken."""
    fill: dict[tuple[int, str], list[int]] = {}
    wished: dict[tuple[int, str], list[int]] = {}
    promised: dict[tuple[int, str], list[int]] = {}
    for members in groups:
        line, number = members[0], len(members)
        quantity, kind = line.quantity, line.kind
        if quantity <= 0 or kind in {"service", "charge"} or line.requested is None or line.requested_ship is None:
            continue
        apart = "" if kind == "stock" else f"{kind}/"
        shipments = line.shipments or ()
        first = shipments[0][2] if shipments else 0
        filled = first >= quantity
        missed = 0 if filled else 1 << c.FILL_RATE_LINES | 1 << c.FILL_RATE_VALUE
        due = (line.requested_ship.toordinal(), f"{apart}{line.abc or ''}")
        row = fill.get(due) or fill.setdefault(due, [0, 0, 0, 0])
        value = sum([one.value_of(one.quantity) for one in members])
        row[0] += number if filled else 0
        row[1] += number
        # Of a group either all has left or nothing; a part is of a line by itself.
        row[2] += value if filled else sum([one.value_of(first) for one in members])
        row[3] += value
        wanted = line.requested.toordinal()
        moves = (line.deliveries or ()) if line.basis == "delivery" else shipments
        met = _moved(moves, wanted - line.early, wanted + line.late) >= quantity
        due = (wanted, apart + line.basis)
        row = wished.get(due) or wished.setdefault(due, [0, 0])
        row[0] += number if met else 0
        row[1] += number
        if not met:
            missed |= 1 << c.OTIF_LINES
        if line.first_promised is not None:
            day, basis = line.first_promised.toordinal(), line.promise_basis or "ship"
            moves = (line.deliveries or ()) if basis == "delivery" else shipments
            kept = _moved(moves, 0, day) >= quantity
            due = (day, apart + basis)
            row = promised.get(due) or promised.setdefault(due, [0, 0])
            row[0] += number if kept else 0
            row[1] += number
            if not kept:
                missed |= 1 << c.PROMISE_ACCURACY
        if missed:
            line_misses.update([(one.line, missed) for one in members])
    for (period, dimension), (x, y, value_x, value_y) in fill.items():
        out.add((c.FILL_RATE_LINES, slice_id, period, dimension, group), sign, x, y)
        out.add_money((c.FILL_RATE_VALUE, slice_id, period, dimension, 0), sign, value_x, value_y)
    for (period, dimension), (x, y) in wished.items():
        out.add((c.OTIF_LINES, slice_id, period, dimension, group), sign, x, y)
    for (period, dimension), (x, y) in promised.items():
        out.add((c.PROMISE_ACCURACY, slice_id, period, dimension, group), sign, x, y)


def add_substitutes(
    out: Deltas, sign: int, family: Family, groups: Iterable[Alike], slice_id: int, line_misses: dict[int, int]
) -> None:
    """What substitutes met of own-stock lines, in all and by reason; lines of one document are summed by their day.

    The lines that anything was sent for are marked, so that the documents behind the figure are found.
    """
    ordered: dict[int, int] = {}
    met: dict[tuple[int, str], int] = {}
    for members in groups:
        line = members[0]
        if line.kind != "stock" or line.quantity <= 0 or line.requested_ship is None:
            continue
        period = line.requested_ship.toordinal()
        value = sum([one.value_of(one.quantity) for one in members])
        ordered[period] = ordered.get(period, 0) + value
        if line.substitutes is None:
            continue
        for sent, quantity, worth, reason in line.substitutes:
            shipped = min(family.lines[sent].shipped, quantity)
            # Of what the customer has taken back since nothing can be met any more.
            share = min((2 * worth * shipped + quantity) // (2 * quantity), value)
            value -= share
            if shipped:
                line_misses[line.line] = line_misses.get(line.line, 0) | 1 << c.SUBSTITUTE_SHARE
                for dimension in ("", reason):
                    met[period, dimension] = met.get((period, dimension), 0) + share
    for period, value in ordered.items():
        out.add_money((c.SUBSTITUTE_SHARE, slice_id, period, "", 0), sign, met.get((period, ""), 0), value)
    for (period, dimension), share in met.items():
        if dimension:
            out.add_money((c.SUBSTITUTE_SHARE, slice_id, period, dimension, 0), sign, share, ordered[period])


def _moved(moves: Sequence[list[int]], earliest: int, latest: int) -> int:
    """The quantity that was moved on the days from ``earliest`` to ``latest``."""
    total = 0
    for _, day, quantity in moves:
        if earliest <= day <= latest:
            total += quantity
    return total


def add_perfect(
    out: Deltas, sign: int, root: Journey, groups: Sequence[Alike], slice_id: int, dimension: str, group: int
) -> int:
    """The perfect order and its four parts, on the day its last line was requested."""
    period = 0
    complete = on_time = True
    for line, *_ in groups:
        assert line.requested is not None  # noqa: S101 - captured lines have it
        wanted = line.requested.toordinal()
        period = max(period, wanted)
        by_delivery = line.basis == "delivery"
        moves = line.deliveries if by_delivery else line.shipments
        if (line.delivered if by_delivery else line.shipped) < line.quantity:
            complete = False
        if not moves or any(not wanted - line.early <= move[1] <= wanted + line.late for move in moves):
            on_time = False
    undamaged, documents = not root.flags & DAMAGED, not root.flags & CORRECTED
    missed = 0
    for measure, met in (
        (c.PERFECT_ORDER_COMPLETE, complete),
        (c.PERFECT_ORDER_ON_TIME, on_time),
        (c.PERFECT_ORDER_UNDAMAGED, undamaged),
        (c.PERFECT_ORDER_DOCUMENTS, documents),
        (c.PERFECT_ORDER_RATE, complete and on_time and undamaged and documents),
    ):
        out.add((measure, slice_id, period, dimension, group), sign, int(met), 1)
        if not met:
            missed |= 1 << measure
    if root.actor:
        out.actors[c.PERFECT_ORDER_RATE, slice_id, period, root.actor] += sign
    return missed


def add_shipping(
    out: Deltas, sign: int, root: Journey, groups: Sequence[Alike], slice_id: int, dimension: str, hours: Worked
) -> int:
    """Touchless by the last requested ship day, cycle time by the start."""
    due, last = 0, -1
    shipped = sent = True
    for line, *_ in groups:
        assert line.requested_ship is not None  # noqa: S101 - captured lines have it
        due = max(due, line.requested_ship.toordinal())
        if line.shipped < line.quantity:
            shipped = False
            if line.shipped + line.dropped < line.quantity:
                sent = False
        if line.shipments:
            last = max(last, line.shipments[-1][0])
    touchless = shipped and not root.flags & (HELD | TOUCHED)
    out.add((c.TOUCHLESS_RATE, slice_id, due, dimension, 0), sign, int(touchless), 1)
    if root.actor:
        out.actors[c.TOUCHLESS_RATE, slice_id, due, root.actor] += sign
    if sent and last >= 0 and root.start_at is not None and root.start_on is not None:
        started = root.start_on.toordinal()
        add_time(out, sign, (c.ORDER_CYCLE_TIME, slice_id, started, dimension, 0), root.start_at, last)
        worked = hours.seconds(root.site, root.start_at, as_instant(last), root.calendar_seq)
        if worked is not None:
            out.sketches[c.ORDER_CYCLE_TIME_WORKED, slice_id, started, dimension, 0, bin_of(worked)] += sign
    return 0 if touchless else 1 << c.TOUCHLESS_RATE
