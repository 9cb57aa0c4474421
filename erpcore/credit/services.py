"""Changing and checking exposure, locked per customer and in key order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from erpcore.credit.models import CreditExposure
from erpcore.kernel.rows import Change, chunks, param, read_rows
from erpcore.kernel.work import UnitOfWork


def _add() -> Any:
    table = CreditExposure.__table__
    return (
        update(table)
        .where(table.c.customer_id == param("customer", table.c.customer_id))
        .values(exposure_minor=table.c.exposure_minor + param("delta", table.c.exposure_minor))
    )


_ADD = Change(_add)


def lock_exposures(work: UnitOfWork, customers: Mapping[int, int]) -> dict[int, int]:
    """Exposure by customer, locked until the unit of work ends. ``customers`` maps each to its entity."""
    held: dict[int, int] = work.memo.setdefault("exposures", {})
    missing = sorted(customer for customer in customers if customer not in held)
    if missing:
        _read(work, held, missing)
        fresh = [customer for customer in missing if customer not in held]
        insert = sqlite_insert if work.dialect.name == "sqlite" else pg_insert
        for part in chunks(fresh, 500):
            rows = [{"customer_id": c, "entity_id": customers[c], "exposure_minor": 0} for c in part]
            work.session.execute(insert(CreditExposure).values(rows).on_conflict_do_nothing())
        _read(work, held, fresh)
    return held


def _read(work: UnitOfWork, held: dict[int, int], customers: Iterable[int]) -> None:
    names = ("customer_id", "exposure_minor")
    held.update(read_rows(work, CreditExposure, names, "customer_id", customers, lock=True))


def change_exposures(work: UnitOfWork, deltas: Mapping[tuple[int, int], int]) -> None:
    """Add minor units to the exposure of each (customer, entity)."""
    held = lock_exposures(work, dict(deltas.keys()))
    for (customer, _), delta in deltas.items():
        held[customer] += delta
    _ADD.run(work, [{"customer": c, "delta": delta} for (c, _), delta in sorted(deltas.items()) if delta])
