"""Where does a document stand and wait: its open control points and its place in the backlog, as a function of its journey.

A row exists only while something is open, so ageing and silent failures cost what is open.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import msgspec

from readiness.measures.journeys import Family, Line
from readiness.measures.order_lines import judged

_decode_holds = msgspec.json.Decoder(dict[str, datetime]).decode


class Point(StrEnum):
    """The control points whose documents the core has so far, and backlog and backordered lines, which have no limit."""

    RELEASE = "order release"
    ALLOCATION = "allocation"
    PICKING = "picking"
    CONFIRMATION = "shipment confirmation"
    INVOICE = "invoice generation"
    AUTHORISATION = "return authorisation"
    CREDIT = "credit memo"
    CASH = "cash application"
    RECEIPT = "goods receipt"
    POSTING = "ledger posting"
    BACKLOG = "backlog"
    BACKORDER = "backorder"


class Wait(NamedTuple):
    """One row of ``journey_wait`` without its slice."""

    root_id: int
    id: int
    point: str
    dimension: str
    customer_group: int
    since: datetime
    due_on: date | None
    deadline_at: datetime | None
    cohort_at: datetime | None
    cohort_on: date | None
    value: int


def waits(family: Family) -> list[Wait]:
    """What of this family is open now, at most one row per document and point, and one per backordered line."""
    root = family.root
    found: list[Wait] = []
    if root.kind == "order" and root.opened_at is not None and root.ended_at is None and root.closed_at is None:
        found = _order_waits(family)
    elif root.kind == "return" and root.opened_at is not None and root.ended_at is None:
        if root.received_at is not None and root.credited_at is None:
            found.append(_at(family, Point.CREDIT, root.received_at, cohort=(root.received_at, root.received_on)))
        elif root.released_at is None and root.received_at is None:
            found.append(_at(family, Point.AUTHORISATION, root.opened_at))
    elif root.kind == "transfer" and root.opened_at is not None and root.ended_at is None and root.start_on is not None:
        # Its transit time is over when the day has passed on which it should arrive.
        found.append(_at(family, Point.RECEIPT, root.opened_at, due_on=root.start_on + timedelta(days=1)))
    elif root.kind == "arrival" and root.opened_at is not None and root.remaining > 0:
        found.append(_at(family, Point.RECEIPT, root.opened_at, value=root.gross))
    elif root.kind == "receipt" and root.opened_at is not None and root.remaining > 0:
        found.append(_at(family, Point.CASH, root.opened_at, value=root.remaining))
    for invoice in family.invoices.values():
        if invoice.start_at is not None and invoice.invoiced_at is None:
            found.append(
                Wait(
                    root.id, invoice.id, Point.INVOICE.value, invoice.topic, root.customer_group or 0, invoice.start_at,
                    None, None, invoice.start_at, invoice.start_on, invoice.value,
                )
            )  # fmt: skip
    if root.postings and "due:" in root.postings:
        due = [int(item.partition("@")[2]) for item in root.postings.split() if item.startswith("due:")]
        found.append(_at(family, Point.POSTING, datetime.fromtimestamp(min(due), UTC)))
    return found


def _at(
    family: Family,
    point: Point,
    since: datetime,
    *,
    due_on: date | None = None,
    deadline: datetime | None = None,
    cohort: tuple[datetime | None, date | None] = (None, None),
    value: int | None = None,
    dimension: str = "",
) -> Wait:
    root = family.root
    return Wait(
        root.id, root.id, point.value, dimension, root.customer_group or 0, since, due_on, deadline, *cohort,
        root.value if value is None else value,
    )  # fmt: skip


def _order_waits(family: Family) -> list[Wait]:
    root = family.root
    assert root.opened_at is not None  # noqa: S101 - the caller asked
    found = []
    was_held = root.holds is not None or root.hold_ended_at is not None
    # Shipped without a release: told by another system, unless a hold has taken the release back.
    is_unreleased = root.released_at is None and (root.shipped_at is None or was_held)
    if is_unreleased:
        holds = _decode_holds(root.holds).values() if root.holds else ()
        since = root.opened_at if root.hold_ended_at is None else max(root.opened_at, root.hold_ended_at)
        found.append(_at(family, Point.RELEASE, since, deadline=max(holds, default=None)))
    if _is_through(family.lines.values()):
        return found
    own = [line for line in family.lines.values() if line.kind in {"stock", "free"}]
    if root.released_at is not None:
        since = root.released_at
        if any(line.short for line in own):
            # What was not found on the shelf is to be allocated anew from then on.
            since = max(at for at in (since, root.allocated_at, root.picked_at) if at is not None)
        found += _stage(family, Point.ALLOCATION, since, [(line, _to_allocate(line)) for line in own])
    if root.allocated_at is not None and not is_unreleased:
        found += _stage(family, Point.PICKING, root.allocated_at, [(line, _to_pick(line)) for line in own])
    if root.picked_at is not None:
        to_confirm = [(line, line.picked - line.shipped) for line in own]
        found += _stage(family, Point.CONFIRMATION, root.picked_at, to_confirm, is_due=True)
    lines, dimension = judged(family)
    to_ship = [(line, line.quantity - line.dropped - line.shipped) for line in lines]
    found += _stage(
        family, Point.BACKLOG, root.opened_at, to_ship, dimension=dimension, cohort=(root.start_at, root.start_on)
    )
    return found + _backordered(family)


def _backordered(family: Family) -> list[Wait]:
    """The lines that customers wait for, since each was short for the first time, with the value that it lacks."""
    root = family.root
    return [
        Wait(
            root.id, line.line, Point.BACKORDER.value, "", root.customer_group or 0, line.backordered_at, None, None, None, None,
            line.value_of(unmet),
        )
        for line in family.lines.values()
        if line.backordered_at is not None and (unmet := line.unmet)
    ]  # fmt: skip


def _is_through(lines: Iterable[Line]) -> bool:
    """Whether nothing of any line waits anywhere: all that is not dropped has shipped, and nothing more lies picked."""
    for line in lines:
        shipped = line.shipped
        if (shipped < line.quantity - line.dropped or shipped < line.picked) and line.kind not in {"service", "charge"}:
            return False
    return True


def _to_allocate(line: Line) -> int:
    # A backordered line waits as such, also for what was not found on the shelf.
    missing = 0 if line.backordered else line.short
    served = max(line.allocated - missing, line.picked, line.shipped)
    return line.quantity - line.dropped - served - line.backordered


def _to_pick(line: Line) -> int:
    # What was cancelled is no longer allocated.
    wanted = min(line.allocated - line.short, line.quantity - line.dropped)
    return wanted - max(line.picked, line.shipped)


def _stage(
    family: Family,
    point: Point,
    since: datetime,
    left: list[tuple[Line, int]],
    *,
    dimension: str = "",
    cohort: tuple[datetime | None, date | None] = (None, None),
    is_due: bool = False,
) -> list[Wait]:
    """Where any quantity is left, since then or, unless it ``is_due`` at once, since its requested ship day."""
    waiting = [(line, quantity) for line, quantity in left if quantity > 0]
    if not waiting:
        return []
    days = [line.requested_ship for line, _ in waiting if line.requested_ship is not None and not is_due]
    due = min(days, default=None)
    value = sum(line.value_of(min(quantity, line.quantity)) for line, quantity in waiting)
    return [_at(family, point, since, due_on=due, cohort=cohort, value=value, dimension=dimension)]
