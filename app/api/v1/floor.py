"""The warehouse floor for programs: tasks and pick waves, through the services that screens and scanners use."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from app.api.framework import check_version, operation
from app.api.v1.numbers import Key, fresh, pointing, thousandths
from app.api.values import Answer, Body, Quantity, Realm
from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.floor import (
    TaskCard,
    TaskFilter,
    TaskPage,
    list_tasks,
    task_page,
)
from app.queries.places import realm_of_site
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, put_back, start_task
from erpcore.fulfilment.floor.planning import pick_now
from erpcore.fulfilment.floor.tasks import (
    assign_task,
    cancel_task,
    claim_task,
    give_back,
    next_task,
    reprioritise_task,
)
from erpcore.kernel.work import UnitOfWork

TAG = "Warehouse floor"


class TaskAnswer(Answer):
    """One task of the queue. `owner_id` null: nobody holds it; `claimed_until`: without a sign of life it may be taken over then."""

    id: int
    site_id: int
    kind: str
    state: str
    priority: int
    due_at: datetime
    zone: str | None
    wave_id: int | None
    document: str
    document_id: int | None = Field(description="The shipment to pack; null for a pick.")
    owner_id: int | None
    device: str
    claimed_until: datetime | None
    lines: int
    lines_done: int
    version: int


class PickLineAnswer(Answer):
    """So much of an item to fetch, from where, into which tote."""

    line_no: int
    order_id: int
    order: str
    item_id: int
    item: str
    location: str
    lot: str
    tote: int
    quantity: Quantity
    picked: Quantity
    damaged: Quantity
    short: Quantity
    short_reason: str
    extra: Quantity = Field(description="Taken beyond `quantity`, within the tolerance.")


class TaskDetail(Answer):
    """A task with its lines, in the order of the walk, and the shipments its goods went into."""

    task: TaskAnswer
    lines: list[PickLineAnswer]
    shipments: list[int]
    version: int


class TaskList(Answer):
    """The most urgent tasks, at most 200."""

    items: list[TaskAnswer]


class TaskQuery(Body):
    """Which tasks; without a state those that are not done."""

    site: Key | None = None
    kind: str = Field("", max_length=12)
    state: str = Field("", max_length=12)
    wave: Key | None = None
    realm: Realm = "live"


class DeviceBody(Body):
    """Who takes the task: the device's name, as people know it."""

    device: str | None = Field(None, max_length=80)


class NextBody(Body):
    """What work is asked for."""

    site: Key
    kinds: list[str] = Field(default_factory=list, max_length=5)
    zone: str | None = Field(None, max_length=24)
    device: str | None = Field(None, max_length=80)


class NextAnswer(Answer):
    """The task that was taken; null: the queue is empty."""

    task: TaskDetail | None


class ConfirmBody(Body):
    """What was done of a line. `scanned`: the item's code or a pack's barcode; `before`: how much was picked as you last read it.

    `quantity` may be a little more than the line asks for, within the tolerance of the order's rules.
    """

    quantity: Quantity
    damaged: Quantity = Decimal(0)
    scanned: str | None = Field(None, max_length=120)
    scanned_location: str | None = Field(None, max_length=120)
    short_reason: str | None = Field(None, max_length=120)
    before: Quantity | None = None


class PutBackBody(Body):
    """So much of a line lies on its shelf again."""

    quantity: Quantity


class AssignBody(Body):
    """Whose task it is; null: whoever comes next."""

    person: Key | None = None


class PriorityBody(Body):
    """The new priority, 1 goes first, and why."""

    priority: int = Field(ge=1, le=9)
    reason: str = Field(min_length=1, max_length=200)


class WhyBody(Body):
    """Why it is done."""

    reason: str = Field(min_length=1, max_length=120)


class PickNowBody(Body):
    """Urgent orders to pick at a site, outside any pick wave."""

    site: Key
    orders: list[Key] = Field(min_length=1, max_length=200)


def _task(card: TaskCard) -> TaskAnswer:
    return TaskAnswer.model_validate(card)


def _detail(page: TaskPage) -> TaskDetail:
    lines = [
        PickLineAnswer(
            line_no=line.line_no, order_id=line.order_id, order=line.order, item_id=line.item_id, item=line.code,
            location=line.location, lot=line.lot, tote=line.tote, quantity=line.quantity, picked=line.picked,
            damaged=line.damaged, short=line.short, short_reason=line.short_reason, extra=line.extra,
        )
        for line in page.lines
    ]  # fmt: skip
    return TaskDetail(
        task=_task(page.card), lines=lines, shipments=[key for key, _ in page.shipments], version=page.card.version
    )


def _read(work: UnitOfWork, task: int) -> TaskDetail:
    return _detail(task_page(fresh(work), work.actor, task, work.now))


def _seen(work: UnitOfWork, task: int, version: int | None = None) -> TaskPage:
    page = task_page(work.session, work.actor, task, work.now)
    work.realm = page.realm
    if version is not None:
        check_version(version, page.card.version)
    return page


@operation(
    "GET",
    "/tasks",
    permission=Permission.TASK_READ,
    summary="List the work queue",
    tag=TAG,
    query=TaskQuery,
    answer=TaskList,
)
def list_work(query: TaskQuery) -> TaskList:
    asked = TaskFilter(site=query.site, realm=query.realm, kind=query.kind, state=query.state, wave=query.wave)
    return TaskList(items=[_task(card) for card in list_tasks(reader(), actor(), asked, now())])


@operation(
    "GET",
    "/tasks/{task_id}",
    permission=Permission.TASK_READ,
    summary="One task with its lines",
    tag=TAG,
    answer=TaskDetail,
)
def show_task(task_id: int) -> TaskDetail:
    return _detail(task_page(reader(), actor(), task_id, now()))


@operation(
    "POST", "/tasks/next", permission=Permission.TASK_WORK, summary="Take the most urgent task", tag=TAG, body=NextBody,
    answer=NextAnswer, example={"site": 1001, "kinds": ["pick"], "device": "scanner 7"},
)  # fmt: skip
def take_next(work: UnitOfWork, body: NextBody) -> NextAnswer:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    found = next_task(work, body.site, kinds=body.kinds, zone=body.zone, device=body.device)
    return NextAnswer(task=None if found is None else _read(work, found.id))


@operation(
    "POST", "/tasks/pick-now", permission=Permission.PICK_WAVE_PLAN, summary="Put urgent orders on the queue", tag=TAG,
    body=PickNowBody, answer=TaskList, status=201, example={"site": 1001, "orders": [1006]},
)  # fmt: skip
def put_on_queue(work: UnitOfWork, body: PickNowBody) -> TaskList:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    made = pick_now(work, body.orders, site=body.site, rules=rules(), cells=cells())
    session = fresh(work)
    return TaskList(items=[_task(task_page(session, work.actor, one.id, work.now).card) for one in made])


@operation(
    "POST", "/tasks/{task_id}/claim", permission=Permission.TASK_WORK, summary="Take a task", tag=TAG, body=DeviceBody,
    answer=TaskDetail, example={"device": "scanner 7"},
)  # fmt: skip
def take_task(work: UnitOfWork, task_id: int, body: DeviceBody) -> TaskDetail:
    _seen(work, task_id)
    claim_task(work, task_id, device=body.device)
    return _read(work, task_id)


@operation(
    "POST", "/tasks/{task_id}/start", permission=Permission.TASK_WORK, summary="Take a task and begin it", tag=TAG,
    body=DeviceBody, answer=TaskDetail, example={"device": "scanner 7"},
)  # fmt: skip
def begin_task(work: UnitOfWork, task_id: int, body: DeviceBody) -> TaskDetail:
    _seen(work, task_id)
    start_task(work, task_id, device=body.device)
    return _read(work, task_id)


@operation(
    "POST", "/tasks/{task_id}/give-back", permission=Permission.TASK_WORK, summary="Put a task back on the queue", tag=TAG,
    answer=TaskDetail,
)  # fmt: skip
def return_task(work: UnitOfWork, task_id: int) -> TaskDetail:
    _seen(work, task_id)
    give_back(work, task_id)
    return _read(work, task_id)


@operation(
    "POST", "/tasks/{task_id}/lines/{line_no}/confirm", permission=Permission.SHIPMENT_PICK, summary="Say what was picked of a line",
    tag=TAG, body=ConfirmBody, answer=TaskDetail, example={"quantity": "4", "scanned": "40-1", "scanned_location": "A-01"},
)  # fmt: skip
def confirm_line(work: UnitOfWork, task_id: int, line_no: int, body: ConfirmBody) -> TaskDetail:
    _seen(work, task_id)
    command = ConfirmPick(
        task=task_id, line=line_no, quantity=thousandths(body.quantity), damaged=thousandths(body.damaged),
        scanned=body.scanned, scanned_location=body.scanned_location, short_reason=body.short_reason,
        before=None if body.before is None else thousandths(body.before),
    )  # fmt: skip
    with pointing():
        confirm_pick(work, command, rules=rules())
    return _read(work, task_id)


@operation(
    "POST", "/tasks/{task_id}/lines/{line_no}/put-back", permission=Permission.SHIPMENT_PICK, summary="Take back what was picked",
    tag=TAG, body=PutBackBody, answer=TaskDetail, example={"quantity": "1"},
)  # fmt: skip
def put_line_back(work: UnitOfWork, task_id: int, line_no: int, body: PutBackBody) -> TaskDetail:
    _seen(work, task_id)
    with pointing():
        put_back(work, task_id, line_no, quantity=thousandths(body.quantity))
    return _read(work, task_id)


@operation(
    "POST", "/tasks/{task_id}/finish", permission=Permission.SHIPMENT_PICK, summary="Finish a pick: it counts from now on", tag=TAG,
    answer=TaskDetail,
)  # fmt: skip
def finish_task(work: UnitOfWork, task_id: int) -> TaskDetail:
    _seen(work, task_id)
    finish_pick(work, task_id, rules=rules(), cells=cells())
    return _read(work, task_id)


@operation(
    "POST", "/tasks/{task_id}/assign", permission=Permission.TASK_ASSIGN, summary="Hand a task to somebody", tag=TAG,
    body=AssignBody, answer=TaskDetail, versioned=True, example={"person": None},
)  # fmt: skip
def hand_task(work: UnitOfWork, task_id: int, version: int, body: AssignBody) -> TaskDetail:
    _seen(work, task_id, version)
    assign_task(work, task_id, body.person)
    return _read(work, task_id)


@operation(
    "POST", "/tasks/{task_id}/priority", permission=Permission.TASK_ASSIGN, summary="Move a task up or down, with a reason",
    tag=TAG, body=PriorityBody, answer=TaskDetail, versioned=True, example={"priority": 1, "reason": "customer waits"},
)  # fmt: skip
def move_task(work: UnitOfWork, task_id: int, version: int, body: PriorityBody) -> TaskDetail:
    _seen(work, task_id, version)
    with pointing():
        reprioritise_task(work, task_id, body.priority, body.reason)
    return _read(work, task_id)


@operation(
    "POST", "/tasks/{task_id}/cancel", permission=Permission.PICK_WAVE_PLAN, summary="Take a task off the queue", tag=TAG,
    body=WhyBody, answer=TaskDetail, versioned=True, example={"reason": "picked at the counter"},
)  # fmt: skip
def drop_task(work: UnitOfWork, task_id: int, version: int, body: WhyBody) -> TaskDetail:
    _seen(work, task_id, version)
    cancel_task(work, task_id, body.reason)
    return _read(work, task_id)
