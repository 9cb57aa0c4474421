"""Changing and reading exposure, locked per customer and in key order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import IntEnum
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from erpcore.credit.models import CreditExposure, Receivable
from erpcore.kernel.rows import Change, chunks, param, read_rows
from erpcore.kernel.work import UnitOfWork

Party = tuple[int, int]
"""A customer and its entity."""


class Part(IntEnum):
    """The three parts of exposure, in the order of their columns."""

    RECEIVABLE = 0
    SHIPPED = 1
    RELEASED = 2


_COLUMNS = ("receivable_minor", "shipped_minor", "released_minor")


def _add() -> Any:
    table = CreditExposure.__table__
    return (
        update(table)
        .where(table.c.customer_id == param("customer", table.c.customer_id))
        .values(**{name: table.c[name] + param(f"d_{name}", table.c[name]) for name in _COLUMNS})
    )


_ADD = Change(_add)


def lock_exposures(work: UnitOfWork, customers: Mapping[int, int]) -> dict[int, int]:
    """Exposure by customer, locked until the unit of work ends. ``customers`` maps each to its entity.

    What this unit of work has changed so far is in it, although it is written at the end.
    """
    held: dict[int, int] = work.memo.setdefault("exposures", {})
    missing = sorted(customer for customer in customers if customer not in held)
    if missing:
        _read(work, held, missing)
        fresh = [customer for customer in missing if customer not in held]
        insert = sqlite_insert if work.dialect.name == "sqlite" else pg_insert
        for part in chunks(fresh, 500):
            rows = [{"customer_id": c, "entity_id": customers[c], **dict.fromkeys(_COLUMNS, 0)} for c in part]
            work.session.execute(insert(CreditExposure).values(rows).on_conflict_do_nothing())
        _read(work, held, fresh)
    pending = _pending(work)
    return {
        customer: held[customer] + sum(pending.get((customer, entity), ())) for customer, entity in customers.items()
    }


def _read(work: UnitOfWork, held: dict[int, int], customers: Iterable[int]) -> None:
    names = ("customer_id", *_COLUMNS)
    for row in read_rows(work, CreditExposure, names, "customer_id", customers, lock=True):
        held[row.customer_id] = row.receivable_minor + row.shipped_minor + row.released_minor


def _pending(work: UnitOfWork) -> dict[Party, list[int]]:
    found: dict[Party, list[int]] = work.memo.setdefault("exposure_changes", defaultdict(lambda: [0, 0, 0]))
    return found


def change_exposures(work: UnitOfWork, deltas: Mapping[Party, int], part: Part) -> None:
    """Add minor units to one part of the exposure of each (customer, entity); written once, when the unit of work ends."""
    pending = _pending(work)
    for party, delta in deltas.items():
        if delta:
            pending[party][part] += delta
    work.before_end("credit exposure", write_exposures)


def count_at_end(work: UnitOfWork, name: str, count: Callable[[UnitOfWork], None]) -> None:
    """Let ``count`` hand on its changes before they are written. Registered once per ``name``."""
    counts: dict[str, Callable[[UnitOfWork], None]] = work.memo.setdefault("exposure_counts", {})
    counts.setdefault(name, count)
    work.before_end("credit exposure", write_exposures)


def write_exposures(work: UnitOfWork) -> None:
    """Write what has changed so far, under lock and in key order. Called at the end, and before anything reads the rows."""
    for count in work.memo.get("exposure_counts", {}).values():
        count(work)
    pending = {party: parts for party, parts in work.memo.pop("exposure_changes", {}).items() if any(parts)}
    if not pending:
        return
    lock_exposures(work, dict(pending.keys()))
    _ADD.run(
        work,
        [
            {"customer": customer, **{f"d_{name}": delta for name, delta in zip(_COLUMNS, parts, strict=True)}}
            for (customer, _), parts in sorted(pending.items())
        ],
    )
    held: dict[int, int] = work.memo["exposures"]
    for (customer, _), parts in pending.items():
        held[customer] += sum(parts)
        if sum(parts) < 0:
            relieve(work, customer)


def relieve(work: UnitOfWork, customer: int) -> None:
    """Note that this customer's orders may be held for something that is now gone; the edge looks at them after the commit."""
    relieved(work).add(customer)


def relieved(work: UnitOfWork) -> set[int]:
    """The customers who owe less, may owe more or whose record is mended by this unit of work."""
    found: set[int] = work.memo.setdefault("relieved", set())
    return found


def oldest_due(work: UnitOfWork, customers: Iterable[int]) -> dict[int, date]:
    """The day on which the oldest open invoice of each customer fell due; customers who owe nothing are left out."""
    out: dict[int, date] = {}
    for part in chunks(sorted(set(customers))):
        query = (
            select(Receivable.customer_id, func.min(Receivable.due_on))
            .where(Receivable.customer_id.in_(part), Receivable.open_minor > 0)
            .group_by(Receivable.customer_id)
        )
        out.update({row[0]: row[1] for row in work.session.execute(query)})
    return out
