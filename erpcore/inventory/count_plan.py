"""Which places are counted when? By the cadence of their class, or because somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from erpcore.inventory.bins import Slot, location_at, lots
from erpcore.inventory.documents import CountCadence, CountState, CountTask
from erpcore.inventory.models import StockBalance, StockBin, StockStatus
from erpcore.inventory.posting import warehouse_place
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.rows import raw_columns, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Item
from erpcore.masterdata.queries import items, site_facts
from erpcore.ports import CellStates, ProcessRules

PLAN = "warehouse:count:plan"
#: Days between two counts of an item of each class, where the site says nothing else.
STANDARD_CADENCE = {"A": 30, "B": 90, "C": 180, "-": 180}
OPEN_STATES = (CountState.OPEN, CountState.COUNTING, CountState.RECOUNT, CountState.RECOUNTING, CountState.PROPOSED)
#: Tasks that one run of the plan makes at most; the rest follows on the next day.
MOST_TASKS = 2000
_COLUMNS = tuple(column.name for column in CountTask.__table__.columns)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanCount:
    """One count that somebody asks for. Without a location: the default place."""

    site: int
    item: int
    location: int | None = None
    lot: int | None = None


def set_cadence(work: UnitOfWork, site: int, abc: str, days: int) -> None:
    """Count items of this class every so many days from now on."""
    work.actor.require(PLAN, site=site)
    site_facts(work, site)
    if abc not in STANDARD_CADENCE:
        raise RuleBroken("choice_unknown", field="abc", value=abc)
    if not 1 <= days <= 1000:
        raise RuleBroken("cadence_days", field="days")
    before = cadence_of(work.session, site)[abc]
    work.audit("count_cadence.set", "site", site, abc=abc, days=[before, days])
    insert: Any = sqlite_insert if work.dialect.name == "sqlite" else pg_insert
    statement = insert(CountCadence).values(site_id=site, abc=abc, days=days)
    work.session.execute(statement.on_conflict_do_update(index_elements=["site_id", "abc"], set_={"days": days}))


def cadence_of(session: Any, site: int) -> dict[str, int]:
    """Days between two counts by class at this site."""
    rows = session.execute(select(CountCadence.abc, CountCadence.days).where(CountCadence.site_id == site))
    return STANDARD_CADENCE | {row.abc: row.days for row in rows}


def plan_counts(
    work: UnitOfWork, commands: Sequence[PlanCount], *, rules: ProcessRules, cells: CellStates
) -> list[int]:
    """Counts that somebody asks for; where one is open already, that one counts."""
    wanted = []
    for c in commands:
        work.actor.require(PLAN, site=c.site)
        site, item = site_facts(work, c.site), items(work, {c.item})[c.item]
        warehouse_place(work, site, rules, cells)
        if item.entity_id != site.entity.id:
            raise RuleBroken("other_entity", field="item", customer=item.code, site=site.code)
        if c.location is not None:
            location_at(work, c.site, c.location)
        if c.lot is not None and lots(work, {c.lot})[c.lot].item_id != c.item:
            raise RuleBroken("lot_of_other_item", field="lot", item=item.code)
        wanted.append(Slot(c.site, c.item, c.location, c.lot))
    return _make(work, wanted, "asked")


def plan_due_counts(work: UnitOfWork, site: int) -> int:
    """Tasks for all places of this site that are due by the cadence of their class; returns how many were made.

    At most ``MOST_TASKS`` of them, those never counted first; the rest follows on the next day.
    """
    work.actor.require(PLAN, site=site)
    facts = site_facts(work, site)
    wanted = due_places(work.session, site, facts.time_zone, work.now)
    return len(_make(work, wanted[:MOST_TASKS], "cadence"))


def request_counts(work: UnitOfWork, slots: Sequence[Slot], why: str) -> list[int]:
    """Counts of places where something was not as the book says; where one is open already, that one counts."""
    return _make(work, list(dict.fromkeys(slots)), why)


def due_places(session: Any, site: int, time_zone: str, now: datetime) -> list[Slot]:
    """Places whose last count (or, never counted, first goods) is so many days ago as their class allows, the longest first."""
    cadence = cadence_of(session, site)
    today = local_day(now, time_zone)
    last: dict[tuple[int, str], Any] = {
        (row.item_id, row.slot): row.at
        for row in session.execute(
            select(CountTask.item_id, CountTask.slot, func.max(CountTask.counted_at).label("at"))
            .where(CountTask.site_id == site, CountTask.state.in_((CountState.DONE, *OPEN_STATES)))
            .group_by(CountTask.item_id, CountTask.slot)
        )
    }
    classes = select(StockBalance.item_id, Item.abc, *raw_columns(StockBalance, "on_hand", "placed")).join(
        Item, Item.id == StockBalance.item_id
    )
    due: list[tuple[Any, Slot]] = []
    abc: dict[int, str] = {}
    for row in session.execute(classes.where(StockBalance.site_id == site, StockBalance.on_hand > 0)):
        abc[row.item_id] = row.abc or "-"
        if row.on_hand > row.placed:
            due.append((None, Slot(site, row.item_id)))
    bins = select(StockBin.item_id, StockBin.location_id, StockBin.lot_id, StockBin.since).where(
        StockBin.site_id == site, StockBin.quantity > 0, StockBin.status == StockStatus.AVAILABLE
    )
    due += [(row.since, Slot(site, row.item_id, row.location_id, row.lot_id)) for row in session.execute(bins)]
    wanted = []
    for since, slot in due:
        counted = last.get((slot.item, slot.text))
        before = counted or since
        patience = timedelta(days=cadence[abc.get(slot.item, "-")])
        if before is None or local_day(before, time_zone) + patience <= today:
            wanted.append((counted is not None, before, slot))
    oldest = sorted(wanted, key=lambda one: (one[0], one[1] is not None, one[1] or now, one[2].item, one[2].text))
    return [slot for _, _, slot in oldest]


def _make(work: UnitOfWork, slots: Sequence[Slot], why: str) -> list[int]:
    open_: dict[tuple[int, int, str], int] = {
        (row.site_id, row.item_id, row.slot): row.id
        for row in work.session.execute(
            select(CountTask.id, CountTask.site_id, CountTask.item_id, CountTask.slot).where(
                CountTask.site_id.in_({slot.site for slot in slots}), CountTask.state.in_(OPEN_STATES)
            )
        )
    }
    rows, ids = [], []
    for slot in slots:
        known = open_.get((slot.site, slot.item, slot.text))
        if known is not None:
            if why != "cadence":
                ids.append(known)
            continue
        site = site_facts(work, slot.site)
        key = open_[slot.site, slot.item, slot.text] = work.ids.one()
        ids.append(key)
        values = {
            "id": key, "entity_id": site.entity.id, "site_id": slot.site, "item_id": slot.item, "location_id": slot.location,
            "lot_id": slot.lot, "slot": slot.text, "state": CountState.OPEN, "why": why,
            "due_on": local_day(work.now, site.time_zone), "is_frozen": False, "version": 1,
        }  # fmt: skip
        rows.append(tuple(values.get(name) for name in _COLUMNS))
    write_rows(work, CountTask.__table__, _COLUMNS, rows)
    return ids
