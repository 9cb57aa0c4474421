"""Which counts are asked for, and what may somebody be told of them? Counts are blind: the book is told with the decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, literal, select
from sqlalchemy.orm import Session

from app.queries.listing import Eyes, SqlList
from app.security.permissions import Permission
from app.security.scopes import within_sites
from erpcore.inventory.count_plan import OPEN_STATES
from erpcore.inventory.documents import CountState, CountTask
from erpcore.inventory.models import Location, Lot
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Entity, Item, Site

MOST = 200
#: All the states before the end, as one.
UNFINISHED = "unfinished"
#: What a bin without a location is called.
DEFAULT_PLACE = "default place"


@dataclass(frozen=True, kw_only=True)
class CountRow:
    """A count task; what the book says is not in it before it is decided."""

    id: int
    site_id: int
    site: str
    realm: str
    item_id: int
    code: str
    name: str
    unit: str
    places: int
    location: str
    lot: str | None
    state: str
    why: str
    due_on: date
    started_by: int | None
    counted_by: int | None
    recounted_by: int | None
    version: int
    book: Decimal | None
    found: Decimal | None
    difference: Decimal | None
    value_minor: int | None
    currency: str


def tells_worth(actor: Actor) -> bool:
    """Whether somebody is told what a difference is worth: who may see costs, and who decides on it by a limit in money."""
    return any(
        actor.may(one) for one in (Permission.COST_READ, Permission.COUNT_APPROVE, Permission.ADJUSTMENT_APPROVE)
    )


def _all() -> Any:
    return (
        select(CountTask, Item, Site.name.label("site"), Entity.realm, Entity.currency, Location.code.label("location"), Lot.code.label("lot"))
        .select_from(CountTask)
        .join(Item, Item.id == CountTask.item_id)
        .join(Site, Site.id == CountTask.site_id)
        .join(Entity, Entity.id == CountTask.entity_id)
        .outerjoin(Location, Location.id == CountTask.location_id)
        .outerjoin(Lot, Lot.id == CountTask.lot_id)
    )  # fmt: skip


def _seen(query: Any, actor: Actor) -> Any:
    """Count tasks of the sites one sees; what a difference is worth is told to some."""
    return within_sites(query, actor, CountTask.site_id).add_columns(literal(tells_worth(actor)).label("worth"))


def count_rows(session: Session, actor: Actor, *, only: int | None = None, text: str = "") -> list[CountRow]:
    """Counts that are open at the sites one sees, the oldest first; one asked for by its id also when it is done."""
    query = _seen(_all(), actor)
    if only is not None:
        query = query.where(CountTask.id == only)
    else:
        query = query.where(CountTask.state.not_in((CountState.DONE, CountState.CANCELLED)))
    if text:
        query = query.where((Item.code == text) | (Location.code == text) | (Lot.code == text))
    rows = session.execute(query.order_by(CountTask.due_on, CountTask.id).limit(MOST))
    return [_row(row) for row in rows]


def _row(row: Any) -> CountRow:
    """What the book says is told only when it is decided, its worth not to everybody."""
    one: CountTask = row.CountTask
    told = one.state in (CountState.PROPOSED, CountState.DONE)
    again = one.recounted is not None
    return CountRow(
        id=one.id, site_id=one.site_id, site=row.site, realm=row.realm, item_id=row.Item.id, code=row.Item.code,
        name=row.Item.name, unit=row.Item.unit, places=row.Item.quantity_places, location=row.location or DEFAULT_PLACE, lot=row.lot, state=one.state,
        why=one.why, due_on=one.due_on, started_by=one.started_by, counted_by=one.counted_by,
        recounted_by=one.recounted_by, version=one.version, currency=row.currency,
        book=(one.recount_book if again else one.book) if told else None,
        found=(one.recounted if again else one.counted) if told else None, difference=one.difference if told else None,
        value_minor=one.value_minor if told and row.worth else None,
    )  # fmt: skip


def _in_state(value: str, _eyes: Eyes) -> ColumnElement[bool]:
    return CountTask.state.in_(OPEN_STATES) if value == UNFINISHED else CountTask.state == value


#: The list of count tasks: what is due first leads.
COUNTS: SqlList[CountRow] = SqlList(
    select=_all, row=_row, tie=(CountTask.id,), usual="due", scope=_seen, site=CountTask.site_id, realm=Entity.realm,
    text=(Item.code, Item.name, Location.code, Lot.code), by=("state", CountTask.state), groups={UNFINISHED: OPEN_STATES},
    sorts={"place": Location.code, "item": Item.code, "site": Site.name, "due": CountTask.due_on},
    wanted={"state": _in_state, "why": lambda value, _: CountTask.why == value},
)  # fmt: skip
