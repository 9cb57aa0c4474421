"""What the operating side puts on the home page: documents in trouble at the person's sites, and the work on the floor."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from flask import url_for
from sqlalchemy.orm import Session

from app.composition.cases import QUEUE_WORDS, Queue
from app.queries.bounded import MOST_COUNTED
from app.queries.floor_today import floor_work, not_planned
from app.queries.troubles import queue_sums
from app.queries.waiting_desk import DeskKind, DeskWaiting, desk_waiting
from app.queries.waiting_stock import undecided
from app.security.permissions import Permission
from app.security.roles import Role
from app.web.context import moment
from app.web.figures import counted, heading, quantity
from app.web.today.slots import Panel, Waiting, panel, waits_for_me
from erpcore.kernel.actor import Actor

#: Who takes orders, goods and invoices further, as against who steers.
OPERATING = frozenset(
    {
        Role.SITE_LEAD, Role.CUSTOMER_SERVICE, Role.WAREHOUSE_OPERATOR, Role.WAREHOUSE_SUPERVISOR, Role.BILLING,
        Role.COLLECTIONS, Role.BUYER,
    }
)  # fmt: skip
#: Who works on the floor or says what is done there next.
FLOOR = frozenset({Role.WAREHOUSE_OPERATOR, Role.WAREHOUSE_SUPERVISOR})


@panel(Permission.TASK_READ, order=3, roles=FLOOR)
def floor(session: Session, actor: Actor, now: datetime) -> Panel | None:
    """What one could take next, by kind, and what has stock and is in no task."""
    rows = [
        {
            "title": heading(one.kind), "count": one.free, "due_at": one.due_at,
            "why": f"{counted(one.held, 'task')} in hand" if one.held else "nobody is at it",
            "move": "Take the next" if is_next else "Open", "href": url_for("floor.mine" if is_next else "floor.board", site=one.site),
        }
        for one in floor_work(session, actor, now)
        for is_next in [bool(one.free) and one.kind in ("pick", "pack")]
    ]  # fmt: skip
    rest = not_planned(session, actor)
    if rest.lines:
        plans = actor.may(Permission.PICK_WAVE_PLAN)
        orders = f"of more than {rest.orders:,} orders" if rest.is_more else f"of {counted(rest.orders, 'order')}"
        rows.append(
            {
                "title": "Not planned", "count": f"{MOST_COUNTED:,}+" if rest.is_more else rest.lines, "due_at": None,
                "why": f"lines {orders}, with stock and in no task", "move": "Plan" if plans else "See",
                "href": url_for("floor.plan", site_id=rest.site) if plans else url_for("floor.board", site=rest.site),
            }
        )  # fmt: skip
    return Panel(title="Floor", template="today/_floor.html", values={"rows": rows})


@panel(Permission.EXCEPTION_READ, order=5, roles=OPERATING | {Role.SUPER_USER})
def exceptions(session: Session, actor: Actor, now: datetime) -> Panel | None:
    """The exception queues: how much stands in each, how much of it is one's own."""
    found = queue_sums(session, actor, now)
    rows = [
        {
            "title": QUEUE_WORDS[Queue(one.queue)], "why": f"{one.mine} of them mine", "count": one.count, "oldest": one.oldest,
            "href": url_for("exceptions.show_all", queue=one.queue, mine=1 if one.mine else None),
        }
        for one in found
    ]  # fmt: skip
    total = sum(one.count for one in found)
    return Panel(
        title="Exceptions",
        template="today/_stopped.html",
        meta=f"{total} in trouble" if total else "",
        values={"rows": rows},
    )


@waits_for_me(Permission.STOCK_READ, roles={Role.SITE_LEAD, Role.WAREHOUSE_SUPERVISOR})
def differences(session: Session, actor: Actor, now: datetime) -> Iterable[Waiting]:
    """Counted differences and adjustments above the limit that others asked for."""
    for one in undecided(session, actor):
        is_count = one.kind == "count"
        href = (
            url_for("inbound.count", task_id=one.id)
            if is_count
            else url_for("inbound.adjustment", adjustment_id=one.id)
        )
        yield Waiting(
            title=f"{'Count' if is_count else 'Adjustment'}: {one.item}", url=href, why=one.site,
            detail=f"{quantity(one.quantity, one.unit)} against the book", due_at=one.since, move="Decide",
        )  # fmt: skip


@waits_for_me(Permission.ORDER_READ)
def desk(session: Session, actor: Actor, now: datetime) -> Iterable[Waiting]:
    """Holds, transfer orders and take-backs to decide, and the tasks in one's hands: a line for each kind."""
    for one in desk_waiting(session, actor):
        what, asked, why = _DESK[one.kind]
        is_dated = one.kind in (DeskKind.HOLD, DeskKind.TASK)
        yield Waiting(
            title=f"{one.count} {what}{'' if one.count == 1 else 's'} {asked}", url=_desk_address(one), why=why,
            detail="" if is_dated else f"the oldest since {moment(one.at)}" if one.count > 1 else f"since {moment(one.at)}",
            due_at=one.at if is_dated else None, move="Go on" if one.kind is DeskKind.TASK else "Decide",
        )  # fmt: skip


#: What it is, in the singular, what is asked, and why.
_DESK = {
    DeskKind.HOLD: ("hold", "to decide", "orders that go on once you end it"),
    DeskKind.TRANSFER: ("transfer order", "to answer", "another site asks for goods"),
    DeskKind.TAKE_BACK: ("take-back", "to decide", "a second person agrees before stock moves to another line"),
    DeskKind.TASK: ("task", "to finish", "in your hands or handed to you"),
}


def _desk_address(one: DeskWaiting) -> str:
    if one.kind is DeskKind.HOLD:
        return url_for("orders.show_holds", mine=1)
    if one.kind is DeskKind.TASK:
        return url_for("floor.task", task_id=one.first) if one.count == 1 else url_for("floor.mine")
    if one.kind is DeskKind.TRANSFER:
        only = one.count == 1
        return url_for("branch.decide", order_id=one.first) if only else url_for("branch.show_all", state="requested")
    return url_for("allocation.decide", wish_id=one.first) if one.count == 1 else url_for("allocation.show_short")
