"""What a journey adds to the buckets: a pure function of the journey and its lines.

The consumer adds f(after) − f(before), so a correction, a late event and a rebuild leave the same buckets. A due date adds
its y as soon as it is known and its x when it is met: a miss needs no clock. Working hours count by the calendars told before
the order's last shipment, which never change either.
"""

from __future__ import annotations

from readiness.measures import catalogue as c
from readiness.measures.deltas import Deltas, add_time
from readiness.measures.journeys import (
    BLOCKED,
    CORRECTED,
    DAMAGED,
    DELAYED,
    HELD,
    REVERSED,
    SHORT,
    SPLIT,
    WRONG_AT_POSTING,
    Family,
    Journey,
)
from readiness.measures.order_lines import (
    add_lines,
    add_perfect,
    add_shipping,
    add_substitutes,
    alike,
    judged_groups,
)
from readiness.measures.worked import Worked

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
        elif root.kind in ("transfer", "arrival"):
            out.add((c.HANDLED, slice_id, root.opened_on.toordinal(), "goods receipt", 0), sign, 0, 1)
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
    groups = alike(family)
    add_lines(out, sign, groups, slice_id, group, line_misses)
    add_substitutes(out, sign, family, groups, slice_id, line_misses)
    groups, dimension = judged_groups(groups)
    if groups:
        missed |= add_perfect(out, sign, root, groups, slice_id, dimension, group)
        missed |= add_shipping(out, sign, root, groups, slice_id, dimension, hours)
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
            add_time(out, sign, key, invoice.start_at, invoice.invoiced_at)
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
        add_time(out, sign, key, root.received_at, root.credited_at)
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
