"""What is to be done on the warehouse floor, by whom, and what did a task come to?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from app.identity.queries import list_people, names_of
from app.queries.bounded import OPEN_ORDER
from app.security.roles import permissions_of
from app.security.scopes import check_site, within_sites
from erpcore.fulfilment.floor.models import PickWave, TaskKind, TaskLine, TaskState, WarehouseTask
from erpcore.fulfilment.floor.rules import is_lapsed, may_take
from erpcore.fulfilment.models import Shipment
from erpcore.inventory.models import Location, Lot
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Customer, Entity, Item, Site
from erpcore.orders.models import OrderLine, SalesOrder

#: Tasks that a list shows at most; the queue is worked from its top.
MOST_TASKS = 200
LIVE_STATES = (TaskState.WAITING, TaskState.OPEN, TaskState.CLAIMED, TaskState.STARTED)
KINDS = tuple(TaskKind)


@dataclass(frozen=True, kw_only=True)
class TaskFilter:
    """What the address asks for; without a state those that are not done."""

    site: int | None = None
    realm: str = "live"
    kind: str = ""
    state: str = ""
    wave: int | None = None


@dataclass(frozen=True, kw_only=True)
class TaskCard:
    """One task of a list. ``owner`` is a name, empty when nobody holds it; ``picked`` counts lines with nothing left to do."""

    id: int
    site_id: int
    site: str
    kind: str
    state: str
    priority: int
    due_at: datetime
    zone: str | None
    wave_id: int | None
    wave: str
    owner_id: int | None
    owner: str
    device: str
    claimed_until: datetime | None
    created_at: datetime
    document: str
    document_id: int | None
    orders: int
    lines: int
    lines_done: int
    version: int
    is_lapsed: bool
    is_free: bool

    @property
    def title(self) -> str:
        """What is to be done, in words."""
        if self.kind == TaskKind.PICK:
            return f"Pick {self.orders} orders" if self.orders > 1 else f"Pick {self.document}"
        return f"{self.kind.replace('_', ' ').capitalize()} {self.document}"


@dataclass(frozen=True, kw_only=True)
class PickLine:
    """One line of a task as a picker reads it. ``extra``: taken beyond ``quantity``, within the tolerance."""

    line_no: int
    order_id: int
    order_line: int
    order: str
    customer: str
    item_id: int
    code: str
    name: str
    unit: str
    places: int
    location: str
    lot: str
    tote: int
    quantity: Decimal
    picked: Decimal
    damaged: Decimal
    short: Decimal
    short_reason: str
    extra: Decimal

    @property
    def taken(self) -> Decimal:
        """What lies in the tote."""
        return self.picked + self.extra

    @property
    def left(self) -> Decimal:
        return self.quantity - self.picked - self.damaged - self.short

    @property
    def is_done(self) -> bool:
        return self.left <= 0


@dataclass(frozen=True, kw_only=True)
class TaskPage:
    """A task with its lines in the order of the walk. ``shipments``: what its goods went into."""

    card: TaskCard
    lines: list[PickLine]
    realm: str
    time_zone: str
    shipments: list[tuple[int, str]] = field(default_factory=list)

    @property
    def next_line(self) -> PickLine | None:
        return next((line for line in self.lines if not line.is_done), None)

    @property
    def is_batch(self) -> bool:
        return len({line.order_id for line in self.lines}) > 1


def _cards(session: Session, actor: Actor, now: datetime, query: Any) -> list[TaskCard]:
    rows = session.execute(query).all()
    # Who hands out work sees who has it; to others it is they themselves or a colleague.
    holders = {row.WarehouseTask.owner_id for row in rows if row.WarehouseTask.owner_id}
    # Whose a colleague's task is, is asked for and kept (decision 0011): the list names nobody but oneself.
    owners = names_of(session, holders & {actor.id})
    sums = _line_sums(session, [row.WarehouseTask.id for row in rows])
    shipments = [row.WarehouseTask.document_id for row in rows if row.WarehouseTask.document_type == "shipment"]
    numbers = _numbers(session, shipments)
    out = []
    for row in rows:
        task: WarehouseTask = row.WarehouseTask
        orders, lines, done, first = sums.get(task.id, (0, 0, 0, ""))
        document = numbers.get(task.document_id or 0, "") if task.document_type == "shipment" else first
        out.append(
            TaskCard(
                id=task.id, site_id=task.site_id, site=row.site, kind=task.kind, state=task.state, priority=task.priority,
                due_at=task.due_at, zone=task.zone, wave_id=task.wave_id, wave=row.wave or "", owner_id=task.owner_id,
                owner=owners.get(task.owner_id, "a colleague") if task.owner_id else "", device=task.device or "", claimed_until=task.claimed_until,
                created_at=task.created_at, document=document, document_id=task.document_id, orders=orders, lines=lines,
                lines_done=done, version=task.version, is_lapsed=is_lapsed(task.state, task.claimed_until, now),
                is_free=may_take(task.state, task.owner_id, task.claimed_until, actor.id, now),
            )
        )  # fmt: skip
    return out


def _line_sums(session: Session, tasks: list[int]) -> dict[int, tuple[int, int, int, str]]:
    """Orders, lines, lines with nothing left, and the first order's number, of each task."""
    if not tasks:
        return {}
    done = case((TaskLine.picked + TaskLine.damaged + TaskLine.short >= TaskLine.quantity, 1), else_=0)
    rows = session.execute(
        select(
            TaskLine.task_id, func.count(TaskLine.order_id.distinct()), func.count(), func.sum(done),
            func.min(SalesOrder.number),
        )
        .join(SalesOrder, SalesOrder.id == TaskLine.order_id)
        .where(TaskLine.task_id.in_(tasks))
        .group_by(TaskLine.task_id)
    )  # fmt: skip
    return {row[0]: (row[1], row[2], int(row[3] or 0), row[4]) for row in rows}


def _numbers(session: Session, shipments: list[int | None]) -> dict[int, str]:
    wanted = [key for key in shipments if key is not None]
    if not wanted:
        return {}
    rows = session.execute(select(Shipment.id, Shipment.number).where(Shipment.id.in_(wanted)))
    return {row.id: row.number for row in rows}


def _base() -> Any:
    return (
        select(WarehouseTask, Site.name.label("site"), PickWave.number.label("wave"))
        .join(Site, Site.id == WarehouseTask.site_id)
        .join(PickWave, PickWave.id == WarehouseTask.wave_id, isouter=True)
    )


def list_tasks(session: Session, actor: Actor, asked: TaskFilter, now: datetime) -> list[TaskCard]:
    """The most urgent tasks that fit, at most ``MOST_TASKS``."""
    query = _base().join(Entity, Entity.id == WarehouseTask.entity_id).where(Entity.realm == asked.realm)
    query = within_sites(query, actor, WarehouseTask.site_id)
    if asked.site is not None:
        query = query.where(WarehouseTask.site_id == asked.site)
    if asked.kind:
        query = query.where(WarehouseTask.kind == asked.kind)
    if asked.wave is not None:
        query = query.where(WarehouseTask.wave_id == asked.wave)
    if asked.state:
        query = query.where(WarehouseTask.state == asked.state)
    elif asked.wave is None:
        query = query.where(WarehouseTask.state.in_(LIVE_STATES))
    order = (WarehouseTask.priority, WarehouseTask.due_at, WarehouseTask.id)
    return _cards(session, actor, now, query.order_by(*order).limit(MOST_TASKS))


def my_tasks(session: Session, actor: Actor, site: int, now: datetime) -> list[TaskCard]:
    """What this person holds or was handed at a site, what they hold first."""
    table = WarehouseTask
    query = _base().where(
        table.site_id == site, table.owner_id == actor.id,
        table.state.in_((TaskState.OPEN, TaskState.CLAIMED, TaskState.STARTED)),
    )  # fmt: skip
    held_first = case((table.state == TaskState.OPEN, 1), else_=0)
    return _cards(session, actor, now, query.order_by(held_first, table.priority, table.due_at, table.id).limit(20))


def waiting_by_kind(session: Session, actor: Actor, site: int, now: datetime) -> dict[str, int]:
    """How many tasks of each kind this person could take at a site."""
    table = WarehouseTask
    free = (table.state == TaskState.OPEN) & or_(table.owner_id.is_(None), table.owner_id == actor.id)
    left = table.state.in_((TaskState.CLAIMED, TaskState.STARTED)) & (table.claimed_until <= now)
    rows = session.execute(
        select(table.kind, func.count()).where(table.site_id == site, or_(free, left)).group_by(table.kind)
    )
    return {row[0]: row[1] for row in rows}


def task_page(session: Session, actor: Actor, task_id: int, now: datetime) -> TaskPage:
    """One task; raises ``NotFound`` for an unknown one and for another site's."""
    place = session.execute(
        select(WarehouseTask.site_id, Entity.realm, Site.time_zone)
        .join(Site, Site.id == WarehouseTask.site_id)
        .join(Entity, Entity.id == WarehouseTask.entity_id)
        .where(WarehouseTask.id == task_id)
    ).one_or_none()
    if place is None or (actor.sites is not None and place.site_id not in actor.sites):
        raise NotFound("task_unknown", task=task_id)
    (card,) = _cards(session, actor, now, _base().where(WarehouseTask.id == task_id))
    rows = session.execute(
        select(
            TaskLine, SalesOrder.number, Customer.name.label("customer"), Item, Location.code.label("location"),
            Lot.code.label("lot"), Shipment.number.label("shipment"),
        )
        .join(SalesOrder, SalesOrder.id == TaskLine.order_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Item, Item.id == TaskLine.item_id)
        .join(Location, Location.id == TaskLine.location_id, isouter=True)
        .join(Lot, Lot.id == TaskLine.lot_id, isouter=True)
        .join(Shipment, Shipment.id == TaskLine.shipment_id, isouter=True)
        .where(TaskLine.task_id == task_id)
        .order_by(TaskLine.line_no)
    ).all()  # fmt: skip
    lines = [
        PickLine(
            line_no=row.TaskLine.line_no, order_id=row.TaskLine.order_id, order_line=row.TaskLine.order_line_id, order=row.number, customer=row.customer,
            item_id=row.Item.id, code=row.Item.code, name=row.Item.name, unit=row.Item.unit,
            places=row.Item.quantity_places, location=row.location or "", lot=row.lot or "", tote=row.TaskLine.tote,
            quantity=row.TaskLine.quantity, picked=row.TaskLine.picked, damaged=row.TaskLine.damaged,
            short=row.TaskLine.short, short_reason=row.TaskLine.short_reason or "", extra=row.TaskLine.extra,
        )
        for row in rows
    ]  # fmt: skip
    shipments = sorted({(row.TaskLine.shipment_id, row.shipment) for row in rows if row.TaskLine.shipment_id})
    return TaskPage(card=card, lines=lines, realm=place.realm, time_zone=place.time_zone, shipments=shipments)


def floor_place(session: Session, actor: Actor, site: int) -> tuple[str, str, str]:
    """Name, realm and time zone of a site; raises ``NotFound`` for one outside the actor's scope."""
    check_site(actor, site)
    row = session.execute(
        select(Site.name, Entity.realm, Site.time_zone).join(Entity, Entity.id == Site.entity_id).where(Site.id == site)
    ).one_or_none()
    if row is None:
        raise NotFound("site_unknown", site=site)
    return row.name, row.realm, row.time_zone


@dataclass(frozen=True, kw_only=True)
class Unplanned:
    """What is allocated and in no task yet: orders, lines, the earliest promise."""

    orders: int
    lines: int
    first_due: datetime | None
    order_ids: list[int]


def unplanned(session: Session, site: int, *, most: int = 2_000) -> Unplanned:
    """Allocated lines of released orders at a site that no task covers."""
    covered = (
        select(TaskLine.order_line_id, func.sum(TaskLine.quantity).label("quantity"))
        .join(WarehouseTask, WarehouseTask.id == TaskLine.task_id)
        .where(WarehouseTask.site_id == site, WarehouseTask.state.in_(LIVE_STATES))
        .group_by(TaskLine.order_line_id)
        .subquery()
    )
    rows = session.execute(
        select(OrderLine.order_id, OrderLine.promised_due_at)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(covered, covered.c.order_line_id == OrderLine.id, isouter=True)
        .where(
            OrderLine.site_id == site, OPEN_ORDER, SalesOrder.state == "released", OrderLine.allocated > 0,
            OrderLine.allocated > func.coalesce(covered.c.quantity, 0),
        )
        .order_by(OrderLine.promised_due_at, OrderLine.order_id)
        .limit(most)
    ).all()  # fmt: skip
    orders = list(dict.fromkeys(row.order_id for row in rows))
    return Unplanned(
        orders=len(orders), lines=len(rows), first_due=rows[0].promised_due_at if rows else None, order_ids=orders
    )


def age_bands(cards: list[TaskCard], now: datetime) -> list[tuple[str, int]]:
    """How long the tasks that nobody has begun have waited."""
    bands = (("under 1 h", timedelta(hours=1)), ("1–4 h", timedelta(hours=4)), ("4–24 h", timedelta(hours=24)))
    counts = dict.fromkeys([name for name, _ in bands] + ["over a day"], 0)
    for card in cards:
        if card.state in (TaskState.WAITING, TaskState.OPEN):
            age = now - card.created_at
            counts[next((name for name, limit in bands if age < limit), "over a day")] += 1
    return list(counts.items())


def orders_by_number(session: Session, actor: Actor, site: int, numbers: list[str]) -> dict[str, int]:
    """Ids of orders that have something to ship from the site, by number."""
    check_site(actor, site)
    rows = session.execute(
        select(SalesOrder.number, SalesOrder.id)
        .join(OrderLine, OrderLine.order_id == SalesOrder.id)
        .where(SalesOrder.number.in_(numbers[:200]), OrderLine.site_id == site)
    )
    return {row.number: row.id for row in rows}


def people_of_floor(session: Session, site: int, now: datetime) -> list[tuple[int, str]]:
    """Who may take tasks at a site: id and name."""
    live = session.scalar(select(func.coalesce(Site.twin_id, Site.id)).where(Site.id == site))
    people = [
        (one.id, one.name)
        for one in list_people(session, now)
        if not one.is_closed
        and any(
            grant.site in (None, live) and "warehouse:task:work" in permissions_of(grant.role) for grant in one.roles
        )
    ]
    return sorted(people, key=lambda pair: pair[1])
