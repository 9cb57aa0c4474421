"""What a journey adds to the buckets: a pure function of the journey and its lines.

The consumer adds f(after) − f(before), so a correction, a late event and a rebuild leave the same buckets. A due date adds
its y as soon as it is known and its x when it is met: a miss needs no clock. Working hours count by the calendars told before
the order's last shipment, which never change either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from readiness.measures import catalogue as c
from readiness.measures.journeys import (
    BLOCKED,
    CORRECTED,
    DAMAGED,
    DELAYED,
    HELD,
    REVERSED,
    SHORT,
    SPLIT,
    TOUCHED,
    WRONG_AT_POSTING,
    Family,
    Journey,
    Line,
)
from readiness.measures.sketch import bin_of
from readiness.measures.worked import Worked, as_instant

#: The kinds of exception that ``order_exception_rate`` shows apart, in the order of their flags.
EXCEPTIONS = (
    (HELD, "held"),
    (BLOCKED, "blocked"),
    (SHORT, "short"),
    (SPLIT, "split"),
    (DELAYED, "delayed"),
    (DAMAGED, "damaged"),
)
_ANY_EXCEPTION = HELD | BLOCKED | SHORT | SPLIT | DELAYED | DAMAGED


class SliceKey(NamedTuple):
    """The dimensions of a bucket's slice."""

    realm: str
    entity: int
    site: int | None
    channel: int | None
    process: str
    variants: str
    grant: int | None
    currency: str | None


_PROCESS = {"return": "returns_to_credit", "adjustment": "warehouse", "other": "record_to_report"}


def slice_key(root: Journey) -> SliceKey:
    """The slice that a family counts in."""
    return SliceKey(
        root.realm, root.entity, root.site, root.channel, _PROCESS.get(root.kind, "order_to_cash"), root.variants,
        root.grant_id, root.currency,
    )  # fmt: skip


class Deltas:
    """Signed changes of buckets, sketches and counts per actor, merged by key."""

    __slots__ = ("actors", "buckets", "sketches")

    def __init__(self) -> None:
        #: (measure, slice, period, dimension, group) → [documents, x, y, xx, xy, yy]
        self.buckets: dict[tuple[int, int, int, str, int], list[int]] = {}
        #: (measure, slice, period, dimension, group, bin) → count
        self.sketches: dict[tuple[int, int, int, str, int, int], int] = defaultdict(int)
        #: (measure, slice, period, actor) → count
        self.actors: dict[tuple[int, int, int, int], int] = defaultdict(int)

    def add(self, key: tuple[int, int, int, str, int], sign: int, x: int, y: int) -> None:
        """One document's share in a bucket, with its squares."""
        row = self.buckets.get(key)
        if row is None:
            self.buckets[key] = [sign, sign * x, sign * y, sign * x * x, sign * x * y, sign * y * y]
            return
        row[0] += sign
        row[1] += sign * x
        row[2] += sign * y
        row[3] += sign * x * x
        row[4] += sign * x * y
        row[5] += sign * y * y

    def renumber(self, ids: Mapping[int, int]) -> None:
        """Put the slices' ids in place of the numbers they went by until they were written."""
        self.buckets = {(key[0], ids.get(key[1], key[1]), *key[2:]): row for key, row in self.buckets.items()}
        self.sketches = defaultdict(int, {(k[0], ids.get(k[1], k[1]), *k[2:]): n for k, n in self.sketches.items()})
        self.actors = defaultdict(int, {(k[0], ids.get(k[1], k[1]), *k[2:]): n for k, n in self.actors.items()})

    def add_money(self, key: tuple[int, int, int, str, int], sign: int, x: int, y: int) -> None:
        """As ``add``; sums in minor units, squares in whole hundreds of them (see ``models.BucketRow``)."""
        row = self.buckets.setdefault(key, [0, 0, 0, 0, 0, 0])
        row[0] += sign
        row[1] += sign * x
        row[2] += sign * y
        x, y = hundreds(x), hundreds(y)
        row[3] += sign * x * x
        row[4] += sign * x * y
        row[5] += sign * y * y


def hundreds(amount: int) -> int:
    """An amount in whole hundreds of minor units, half up, at least one where there is any: small is not nothing."""
    whole = (abs(amount) + 50) // 100
    whole = whole if whole or not amount else 1
    return whole if amount >= 0 else -whole


def judged(family: Family) -> tuple[list[Line], str]:
    """The lines an order's service is judged by, and the dimension that keeps other kinds out of the main figure.

    Own-stock lines where there are any, else drop-ship, else free ones. What the customer took back has left. A service or
    charge line does not ship and is judged nowhere.
    """
    lines = family.lines.values()
    for kind, dimension in (("stock", ""), ("drop_ship", "drop_ship/"), ("free", "free/")):
        found = [line for line in lines if line.kind == kind and line.quantity > 0]
        if found:
            return found, dimension
    return [], ""


def contribute(
    out: Deltas, sign: int, family: Family, slice_id: int, hours: Worked
) -> tuple[dict[int, int], dict[int, int]]:
    """Add the family to ``out`` (sign +1) or take it away (−1). ``hours`` knows the sites' calendars.

    Returns the missed measures as bits: by line number, and by document id. They stand in the rows, so that the documents
    behind a figure can be found without counting again.
    """
    root = family.root
    line_misses: dict[int, int] = {}
    misses: dict[int, int] = {}
    if root.opened_on is not None:
        if root.kind == "order":
            misses[root.id] = _order(out, sign, family, slice_id, line_misses, hours)
        elif root.kind == "return":
            _return(out, sign, root, slice_id)
        elif root.kind == "receipt":
            out.add((c.HANDLED, slice_id, root.opened_on.toordinal(), "cash application", 0), sign, 0, 1)
        elif root.kind == "adjustment":
            _adjustment(out, sign, root, slice_id)
        if root.must_post:
            out.add((c.HANDLED, slice_id, root.opened_on.toordinal(), "ledger posting", 0), sign, 0, root.must_post)
    for invoice in family.invoices.values():
        misses[invoice.id] = _invoice(out, sign, invoice, slice_id, root.customer_group or 0)
    return line_misses, misses


def _order(out: Deltas, sign: int, family: Family, slice_id: int, line_misses: dict[int, int], hours: Worked) -> int:
    root = family.root
    assert root.opened_on is not None  # noqa: S101 - the caller asked
    captured = root.opened_on.toordinal()
    lines, dimension = judged(family)
    flags = root.flags
    _exceptions(out, sign, root, slice_id, captured)
    for has, point in (
        (True, "order release"),
        (root.released_at, "allocation"),
        (root.allocated_at, "picking"),
        (root.picked_at, "shipment confirmation"),
    ):
        if has:
            out.add((c.HANDLED, slice_id, captured, point, 0), sign, 0, 1)
    missed = 1 << c.ORDER_EXCEPTION_RATE if flags & _ANY_EXCEPTION else 0
    if (
        root.ended_at is not None
        and root.released_at is None
        and root.shipped_at is None
        and not any(line.dropped for line in family.lines.values())
    ):
        # Rejected, or taken back whole by the customer: no service was owed.
        return missed
    group = root.customer_group or 0
    _lines(out, sign, family, slice_id, group, line_misses)
    if lines:
        missed |= _perfect(out, sign, root, lines, slice_id, dimension, group)
        missed |= _shipping(out, sign, root, lines, slice_id, dimension, hours)
    return missed


def _exceptions(out: Deltas, sign: int, root: Journey, slice_id: int, captured: int) -> None:
    """Of every order captured, whatever its lines: only fill and punctuality keep kinds of lines apart."""
    flags = root.flags
    m = c.ORDER_EXCEPTION_RATE
    out.add((m, slice_id, captured, "", 0), sign, 1 if flags & _ANY_EXCEPTION else 0, 1)
    if root.actor:
        out.actors[m, slice_id, captured, root.actor] += sign
    if flags & _ANY_EXCEPTION:
        for bit, word in EXCEPTIONS:
            if flags & bit:
                out.add((m, slice_id, captured, word, 0), sign, 1, 1)


def _lines(out: Deltas, sign: int, family: Family, slice_id: int, group: int, line_misses: dict[int, int]) -> None:
    """Fill, punctuality and promises: lines of one document are summed before their squares are taken."""
    fill: dict[tuple[int, str], list[int]] = {}
    wished: dict[tuple[int, str], list[int]] = {}
    promised: dict[tuple[int, str], list[int]] = {}
    for line in family.lines.values():
        quantity, kind = line.quantity, line.kind
        if quantity <= 0 or kind in {"service", "charge"} or line.requested is None or line.requested_ship is None:
            continue
        apart = "" if kind == "stock" else f"{kind}/"
        shipments = line.shipments or ()
        first = shipments[0][2] if shipments else 0
        filled = first >= quantity
        value = line.value_of(quantity)
        missed = 0 if filled else 1 << c.FILL_RATE_LINES | 1 << c.FILL_RATE_VALUE
        due = (line.requested_ship.toordinal(), f"{apart}{line.abc or ''}")
        row = fill.get(due) or fill.setdefault(due, [0, 0, 0, 0])
        row[0] += filled
        row[1] += 1
        row[2] += value if filled else line.value_of(first)
        row[3] += value
        wanted = line.requested.toordinal()
        moves = (line.deliveries or ()) if line.basis == "delivery" else shipments
        met = _moved(moves, wanted - line.early, wanted + line.late) >= quantity
        due = (wanted, apart + line.basis)
        row = wished.get(due) or wished.setdefault(due, [0, 0])
        row[0] += met
        row[1] += 1
        if not met:
            missed |= 1 << c.OTIF_LINES
        if line.first_promised is not None:
            day, basis = line.first_promised.toordinal(), line.promise_basis or "ship"
            moves = (line.deliveries or ()) if basis == "delivery" else shipments
            kept = _moved(moves, 0, day) >= quantity
            due = (day, apart + basis)
            row = promised.get(due) or promised.setdefault(due, [0, 0])
            row[0] += kept
            row[1] += 1
            if not kept:
                missed |= 1 << c.PROMISE_ACCURACY
        line_misses[line.line] = missed
    for (period, dimension), (x, y, value_x, value_y) in fill.items():
        out.add((c.FILL_RATE_LINES, slice_id, period, dimension, group), sign, x, y)
        out.add_money((c.FILL_RATE_VALUE, slice_id, period, dimension, 0), sign, value_x, value_y)
    for (period, dimension), (x, y) in wished.items():
        out.add((c.OTIF_LINES, slice_id, period, dimension, group), sign, x, y)
    for (period, dimension), (x, y) in promised.items():
        out.add((c.PROMISE_ACCURACY, slice_id, period, dimension, group), sign, x, y)


def _moved(moves: Sequence[list[int]], earliest: int, latest: int) -> int:
    """The quantity that was moved on the days from ``earliest`` to ``latest``."""
    total = 0
    for _, day, quantity in moves:
        if earliest <= day <= latest:
            total += quantity
    return total


def _perfect(
    out: Deltas, sign: int, root: Journey, lines: list[Line], slice_id: int, dimension: str, group: int
) -> int:
    """The perfect order and its four parts, on the day its last line was requested."""
    period = 0
    complete = on_time = True
    for line in lines:
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


def _shipping(
    out: Deltas, sign: int, root: Journey, lines: list[Line], slice_id: int, dimension: str, hours: Worked
) -> int:
    """Touchless by the last requested ship day, cycle time by the start."""
    due, last = 0, -1
    shipped = sent = True
    for line in lines:
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
        _time(out, sign, (c.ORDER_CYCLE_TIME, slice_id, started, dimension, 0), root.start_at, last)
        worked = hours.seconds(root.site, root.start_at, as_instant(last), root.calendar_seq)
        if worked is not None:
            out.sketches[c.ORDER_CYCLE_TIME_WORKED, slice_id, started, dimension, 0, bin_of(worked)] += sign
    return 0 if touchless else 1 << c.TOUCHLESS_RATE


def _time(out: Deltas, sign: int, key: tuple[int, int, int, str, int], start: datetime, end: int | datetime) -> None:
    """A finished time; ``end`` in microseconds since 1970 or as an instant. Less than nothing counts as nothing."""
    until = end / 1_000_000 if isinstance(end, int) else end.timestamp()
    seconds = max(0.0, until - start.timestamp())
    row = out.buckets.setdefault(key, [0, 0, 0, 0, 0, 0])
    row[0] += sign
    row[1] += sign * round(seconds)
    row[2] += sign
    # No squares: percentiles take their limits from the sketch, and squared seconds would fill 64 bits.
    out.sketches[*key, bin_of(seconds)] += sign


def _invoice(out: Deltas, sign: int, invoice: Journey, slice_id: int, group: int) -> int:
    missed = 0
    if invoice.invoiced_at is not None and invoice.invoiced_on is not None:
        period = invoice.invoiced_on.toordinal()
        right = not invoice.flags & WRONG_AT_POSTING
        accurate = not invoice.flags & CORRECTED
        out.add((c.INVOICE_RIGHT_AT_POSTING, slice_id, period, "", 0), sign, int(right), 1)
        out.add((c.INVOICE_ACCURACY, slice_id, period, "", group), sign, int(accurate), 1)
        gross = invoice.gross
        out.add_money((c.INVOICE_ACCURACY_VALUE, slice_id, period, "", 0), sign, gross if accurate else 0, gross)
        if invoice.actor:
            out.actors[c.INVOICE_RIGHT_AT_POSTING, slice_id, period, invoice.actor] += sign
        missed |= 0 if right else 1 << c.INVOICE_RIGHT_AT_POSTING
        missed |= 0 if accurate else 1 << c.INVOICE_ACCURACY | 1 << c.INVOICE_ACCURACY_VALUE
    if invoice.start_at is not None and invoice.start_on is not None:
        started = invoice.start_on.toordinal()
        out.add((c.HANDLED, slice_id, started, "invoice generation", 0), sign, 0, 1)
        if invoice.invoiced_at is not None:
            key = (c.BILLING_CYCLE_TIME, slice_id, started, invoice.topic, 0)
            _time(out, sign, key, invoice.start_at, invoice.invoiced_at)
    return missed


def _return(out: Deltas, sign: int, root: Journey, slice_id: int) -> None:
    assert root.opened_on is not None  # noqa: S101 - the caller asked
    opened = root.opened_on.toordinal()
    out.add((c.HANDLED, slice_id, opened, "return authorisation", 0), sign, 0, 1)
    if root.received_at is None or root.received_on is None:
        return
    out.add((c.HANDLED, slice_id, root.received_on.toordinal(), "credit memo", 0), sign, 0, 1)
    if root.credited_at is not None:
        key = (c.RETURN_CREDIT_TIME, slice_id, root.received_on.toordinal(), "", 0)
        _time(out, sign, key, root.received_at, root.credited_at)
        if root.actor:
            out.actors[c.RETURN_CREDIT_TIME, slice_id, root.received_on.toordinal(), root.actor] += sign


def _adjustment(out: Deltas, sign: int, root: Journey, slice_id: int) -> None:
    """Value of an adjustment by reason and in all. At unknown cost it stays out, and is counted as unvalued."""
    assert root.opened_on is not None  # noqa: S101 - the caller asked
    if root.flags & REVERSED:
        return
    period = root.opened_on.toordinal()
    if not root.gross:
        out.add((c.UNVALUED_ADJUSTMENTS, slice_id, period, "", 0), sign, 0, 1)
        return
    amount = abs(root.value)
    for dimension in ("", root.topic or "no reason"):
        out.add_money((c.INVENTORY_ADJUSTMENT_RATE, slice_id, period, dimension, 0), sign, amount, 0)
