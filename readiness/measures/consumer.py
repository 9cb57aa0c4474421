"""From events to journeys and buckets: one batch at a time, each family loaded once and counted once before and after.

Working out what a batch changes and writing it down are apart: the first needs no transaction that others wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from erpcore import published as p
from erpcore.kernel.eventlog import LoggedEvent
from erpcore.kernel.events import Event
from erpcore.kernel.work import UnitOfWork
from erpcore.published.sites import SiteCalendarSet
from erpcore.published.stock import StockPutAway, StockPutAway1
from readiness.measures.contributions import contribute
from readiness.measures.deltas import Deltas, SliceKey, slice_key
from readiness.measures.journeys import Family, Journey
from readiness.measures.projection import HANDLERS, apply, settle
from readiness.measures.store import FamilyRows, Store
from readiness.measures.waits import Wait, waits
from readiness.measures.worked import Worked, told_calendar

#: The consumer's name: its cursor, and what a reading asks whether it is up to date.
NAME = "journeys"

#: Documents whose events also mark the orders they refer to: a consolidated invoice belongs to several.
_MARKS_REFERRED = {
    "invoice.drafted",
    "invoice.blocked",
    "invoice.posted",
    "invoice.corrected",
    "invoice.settled",
    "invoice.reopened",
}
_decode_refs = msgspec.json.Decoder(list[tuple[str, int, int]]).decode


class UnknownVersion(Exception):
    """The event has a shape that this code does not know; it is parked until code arrives that does."""


#: Older versions of what is taken, and what makes the version of today of them.
_UPCASTS: dict[type[Event], Callable[[Any], Event]] = {StockPutAway1: StockPutAway.upcast}
_TAKEN: tuple[type[Event], ...] = (*HANDLERS, *_UPCASTS, p.ControlCompared, SiteCalendarSet)
_Decoder = Callable[[str], Any]
_DECODERS: dict[tuple[str, int], _Decoder] = {
    (cls.type, cls.version): msgspec.json.Decoder(cls).decode for cls in _TAKEN
}
TYPES = frozenset(name for name, _ in _DECODERS)


def decode(event: LoggedEvent) -> Any:
    """The typed content of an event, in its version of today. Raises ``UnknownVersion``, or msgspec's error for content that breaks its schema."""
    decoder = _DECODERS.get((event.type, event.version))
    if decoder is None:
        raise UnknownVersion(f"{event.type} version {event.version} is unknown here")
    data = decoder(event.data)
    upcast = _UPCASTS.get(type(data))
    return data if upcast is None else upcast(data)


class JourneyConsumer:
    """The consumer behind journeys, buckets and control results."""

    name = NAME
    types = TYPES

    def prepare(self, connection: Connection, events: Sequence[LoggedEvent]) -> Changes:
        """What the events change, worked out from what a reading connection sees; nothing is written."""
        driver = connection.connection.driver_connection
        return work_out(Store(driver, is_sqlite=connection.dialect.name == "sqlite"), events)

    def rows(self, prepared: Changes) -> int:
        """How many rows of journeys and lines these changes write: what a batch of many takes its time by."""
        return len(prepared.rows.journeys) + len(prepared.rows.lines)

    def take(self, work: UnitOfWork, events: Sequence[LoggedEvent], prepared: Changes | None = None) -> None:
        """Apply the events, in order, in the caller's transaction. Any exception leaves nothing of them."""
        store = Store(work.driver, is_sqlite=work.dialect.name == "sqlite", new_ids=work.ids.reserve)
        write_down(store, work_out(store, events) if prepared is None else prepared)


@dataclass(slots=True)
class Changes:
    """What a batch of events changes. ``gone``: roots whose waits are replaced by ``waits``; ``slices`` by root."""

    rows: FamilyRows
    deltas: Deltas
    gone: list[int]
    waits: list[Wait]
    slices: dict[int, int]
    new_slices: list[SliceKey]
    controls: list[tuple[Any, ...]]
    calendars: list[tuple[Any, ...]]


def take_events(store: Store, events: Iterable[LoggedEvent]) -> None:
    """Change journeys, waits, buckets and control results by these events."""
    write_down(store, work_out(store, events))


def work_out(store: Store, events: Iterable[LoggedEvent]) -> Changes:
    """What the events change; only reads. It stays true until somebody writes what it was worked out from."""
    steps: list[tuple[tuple[int, ...], LoggedEvent, Any]] = []
    controls: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    calendars: list[tuple[Any, ...]] = []
    for event in events:
        data = decode(event)
        if type(data) is p.ControlCompared:
            row = _control_row(event, data)
            controls[row[:4]] = row
        elif type(data) is SiteCalendarSet:
            calendars.append(_calendar_row(event, data))
        else:
            steps.append((_roots(event, data), event, data))
    # A calendar is told before whatever is counted by it; one that was parked comes late, and what came after it counts anew.
    late = [root for row in calendars for root in store.shipped_after(row[1], row[0])]
    families = store.families({*(root for found, _, _ in steps for root in found), *late})
    known, hours = set(families), Worked(store.calendars)
    deltas = Deltas()
    before: dict[int, list[Wait]] = {}
    for root, family in families.items():
        if _counts(family):
            contribute(deltas, -1, family, store.slice_number(slice_key(family.root)), hours)
        before[root] = waits(family)
    for found, event, data in steps:
        for root in found:
            family = families.get(root) or families.setdefault(root, Family(Journey(root, root)))
            apply(family, event, data)
    hours.add(told_calendar(row) for row in calendars)
    gone, waiting, slices = _count_again(store, families, before, deltas, hours)
    rows = store.family_rows(list(families.values()), known)
    return Changes(rows, deltas, gone, waiting, slices, store.new_slices(), list(controls.values()), calendars)


def write_down(store: Store, changes: Changes) -> None:
    """Write what was worked out; on SQLite nobody else can write meanwhile, so nothing is worked out here."""
    deltas, slices = changes.deltas, changes.slices
    if changes.new_slices:
        ids = store.save_slices(changes.new_slices)
        deltas.renumber(ids)
        slices = {root: ids.get(slice_id, slice_id) for root, slice_id in slices.items()}
    store.save_waits(changes.gone, changes.waits, slices)
    store.save_families(changes.rows)
    store.add(deltas)
    store.save_control_results(changes.controls)
    store.save_calendars(changes.calendars)


def _count_again(
    store: Store, families: dict[int, Family], before: dict[int, list[Wait]], deltas: Deltas, hours: Worked
) -> tuple[list[int], list[Wait], dict[int, int]]:
    """Count what the families add now; the roots whose waits go, the waits that come, and the slices by root."""
    gone: list[int] = []
    rows: list[Wait] = []
    slices: dict[int, int] = {}
    for root, family in families.items():
        settle(family)
        if _counts(family):
            slices[root] = slice_id = store.slice_number(slice_key(family.root))
            line_misses, misses = contribute(deltas, 1, family, slice_id, hours)
            for number, line in family.lines.items():
                missed = line_misses.get(number, 0) if line_misses else 0
                if line.misses != missed:
                    line.misses = missed
                    family.changed_lines.add(number)
            family.root.misses = misses.get(root, 0)
            for invoice_id, invoice in family.invoices.items():
                invoice.misses = misses.get(invoice_id, 0)
        after, old = waits(family), before.get(root, [])
        if after != old:
            if old:
                gone.append(root)
            if after and root not in slices:
                slices[root] = store.slice_number(slice_key(family.root))
            rows += after
    return gone, rows, slices


def _counts(family: Family) -> bool:
    """Whether anything of the family can count yet: a first event that opened it, or an invoice."""
    return family.root.opened_on is not None or bool(family.invoices)


def _roots(event: LoggedEvent, data: Any) -> tuple[int, ...]:
    if type(data) is p.StockAdjustmentReversed:
        return (data.of,)
    if type(data) is StockPutAway and data.arrival is None:
        return ()
    if event.refs is not None and event.type in _MARKS_REFERRED:
        also = {identity for kind, identity, _ in _decode_refs(event.refs) if kind == "order"} - {event.journey}
        return (event.journey, *sorted(also))
    return (event.journey,)


def _control_row(event: LoggedEvent, data: p.ControlCompared) -> tuple[Any, ...]:
    return (
        event.realm, event.entity, event.site or 0, data.control, data.unit, data.difference, data.tolerance, data.read_to,
        event.at, event.seq,
    )  # fmt: skip


def _calendar_row(event: LoggedEvent, data: SiteCalendarSet) -> tuple[Any, ...]:
    site = event.site if event.site is not None else event.subject
    week, closed = msgspec.json.encode(data.week).decode(), msgspec.json.encode(sorted(data.closed)).decode()
    return (event.seq, site, data.valid_from, data.time_zone, week, closed)
