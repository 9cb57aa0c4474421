"""How is a site counted: which classes how often, what is due, and how often was the book right?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from erpcore.inventory.count_plan import OPEN_STATES, STANDARD_CADENCE, cadence_of, due_places
from erpcore.inventory.documents import CountState, CountTask
from erpcore.masterdata.models import Item

#: Accuracy looks back so many days.
LOOK_BACK = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """A class of items at a site. ``due``: places that are due and on no list yet. ``right``: first counts that found what the book said, of ``counted`` in the last 90 days."""

    abc: str
    days: int
    due: int
    open: int
    counted: int
    right: int


@dataclass(frozen=True, kw_only=True)
class CountPlan:
    """One site: its classes. ``proposed`` differences wait for a decision."""

    classes: list[ClassRow]
    proposed: int

    def total(self, name: str) -> int:
        """A figure of all classes together."""
        return sum(getattr(row, name) for row in self.classes)


def count_plan(session: Session, site: int, time_zone: str, now: datetime) -> CountPlan:
    """The plan of a site."""
    due: dict[str, int] = defaultdict(int)
    open_ = select(CountTask.item_id, CountTask.slot).where(CountTask.site_id == site, CountTask.state.in_(OPEN_STATES))
    listed = {(row.item_id, row.slot) for row in session.execute(open_)}
    slots = [slot for slot in due_places(session, site, time_zone, now) if (slot.item, slot.text) not in listed]
    abc = _classes(session, {slot.item for slot in slots})
    for slot in slots:
        due[abc.get(slot.item, "-")] += 1
    known = (
        select(
            func.coalesce(Item.abc, literal_column("'-'")).label("abc"),
            func.count().filter(CountTask.state.in_(OPEN_STATES)).label("open"),
            func.count().filter(CountTask.counted_at >= now - LOOK_BACK).label("counted"),
            func.count()
            .filter(CountTask.counted_at >= now - LOOK_BACK, CountTask.counted == CountTask.book)
            .label("right"),
        )
        .join(Item, Item.id == CountTask.item_id)
        .where(CountTask.site_id == site)
        .group_by(func.coalesce(Item.abc, literal_column("'-'")))
    )
    found = {row.abc: row for row in session.execute(known)}
    cadence = cadence_of(session, site)
    classes = [
        ClassRow(
            abc=name, days=cadence[name], due=due[name], open=found[name].open if name in found else 0,
            counted=found[name].counted if name in found else 0, right=found[name].right if name in found else 0,
        )
        for name in STANDARD_CADENCE
    ]  # fmt: skip
    proposed = session.scalar(
        select(func.count()).where(CountTask.site_id == site, CountTask.state == CountState.PROPOSED)
    )
    return CountPlan(classes=classes, proposed=proposed or 0)


def _classes(session: Session, ids: set[int]) -> dict[int, str]:
    """The class of each item, asked in parts."""
    found: dict[int, str] = {}
    wanted = sorted(ids)
    if len(wanted) > 500:
        rows: Any = session.execute(select(Item.id, Item.abc).where(Item.abc.is_not(None)))
    else:
        rows = session.execute(select(Item.id, Item.abc).where(Item.id.in_(wanted), Item.abc.is_not(None)))
    for row in rows:
        found[row.id] = row.abc
    return found
