"""What at the desk waits for this person's decision, and which tasks lie in their hands? How many of each, the oldest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import String, func, literal, select, text, union_all
from sqlalchemy.orm import Session

from app.composition.order_approvals import TAKE_BACK
from app.queries.holds import asked_about, mine_to_decide
from app.security.permissions import Permission
from app.security.scopes import within_sites
from erpcore.fulfilment.branch.models import TransferOrder, TransferOrderState
from erpcore.fulfilment.floor.models import TaskState, WarehouseTask
from erpcore.kernel.actor import Actor
from erpcore.kernel.model import UtcDateTime
from erpcore.masterdata.models import Entity
from erpcore.orders.allocation_models import TakeBackWish
from erpcore.orders.models import OrderHold, SalesOrder
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest


class DeskKind(StrEnum):
    """What is asked of the person."""

    HOLD = "hold"
    TRANSFER = "transfer"
    TAKE_BACK = "take back"
    TASK = "task"


@dataclass(frozen=True, kw_only=True)
class DeskWaiting:
    """So many of a kind. ``first``: the id of one of them, which is the one where ``count`` is 1. ``at``: when the first of
    holds and tasks is due, of the others since when the oldest waits.
    """

    kind: DeskKind
    count: int
    first: int
    at: datetime


def desk_waiting(session: Session, actor: Actor) -> list[DeskWaiting]:
    """What waits in live business at the sites one sees, and was not asked for by oneself; one query, none where a role
    decides on nothing.
    """
    parts = [part(actor) for permissions, part in _PARTS if actor.permissions & permissions]
    if not parts:
        return []
    rows = session.execute(union_all(*parts))
    return [
        DeskWaiting(kind=DeskKind(row.kind), count=row.number, first=row.first, at=row.at) for row in rows if row.number
    ]


def _part(kind: DeskKind, table: Any, at: Any) -> Any:
    return select(
        literal(kind, String).label("kind"), func.count().label("number"), func.min(table.id).label("first"),
        func.min(at, type_=UtcDateTime()).label("at"),
    ).select_from(table)  # fmt: skip


def _holds(actor: Actor) -> Any:
    query = _part(DeskKind.HOLD, OrderHold, OrderHold.due_at).join(SalesOrder, SalesOrder.id == OrderHold.order_id)
    query = query.join(Entity, Entity.id == SalesOrder.entity_id).where(
        Entity.realm == "live", OrderHold.released_at.is_(None), SalesOrder.state == "held", mine_to_decide(actor),
        # What a request asks about stands among those, for whom the rules name.
        ~asked_about().exists(),
    )  # fmt: skip
    return within_sites(query, actor, SalesOrder.site_id)


def _transfers(actor: Actor) -> Any:
    query = (
        _part(DeskKind.TRANSFER, TransferOrder, TransferOrder.requested_at)
        .join(Entity, Entity.id == TransferOrder.entity_id)
        .where(
            text("transfer_order.state IN ('requested', 'approved')"), TransferOrder.state == TransferOrderState.REQUESTED,
            Entity.realm == "live", TransferOrder.requested_by != actor.id,
        )
    )  # fmt: skip
    return within_sites(query, actor, TransferOrder.from_site_id)


def _take_backs(actor: Actor) -> Any:
    is_asked = select(ApprovalRequest.id).where(
        ApprovalRequest.state == RequestState.WAITING, ApprovalRequest.subject_type == TAKE_BACK,
        ApprovalRequest.subject_id == TakeBackWish.id,
    )  # fmt: skip
    query = (
        _part(DeskKind.TAKE_BACK, TakeBackWish, TakeBackWish.asked_at)
        .join(Entity, Entity.id == TakeBackWish.entity_id)
        .where(
            text("take_back_wish.state = 'proposed'"), Entity.realm == "live", TakeBackWish.asked_by != actor.id,
            ~is_asked.exists(),
        )
    )  # fmt: skip
    return within_sites(query, actor, TakeBackWish.site_id)


def _tasks(actor: Actor) -> Any:
    query = (
        _part(DeskKind.TASK, WarehouseTask, WarehouseTask.due_at)
        .join(Entity, Entity.id == WarehouseTask.entity_id)
        .where(
            text("warehouse_task.state NOT IN ('done', 'cancelled')"), WarehouseTask.state != TaskState.WAITING,
            WarehouseTask.owner_id == actor.id, Entity.realm == "live",
        )
    )  # fmt: skip
    return within_sites(query, actor, WarehouseTask.site_id)


#: Whoever has one of the permissions is asked; those of holds are what ``OrderHold.permission`` may name.
_PARTS = (
    (
        {
            Permission.HOLD_SETTLE, Permission.CREDIT_HOLD, Permission.PRICE_APPROVE_DESK, Permission.PRICE_APPROVE_SITE,
            Permission.PRICE_APPROVE_PROCESS, Permission.SUBSTITUTION_APPROVE,
        },
        _holds,
    ),
    ({Permission.TRANSFER_APPROVE}, _transfers),
    ({Permission.TAKE_BACK_APPROVE}, _take_backs),
    ({Permission.TASK_WORK}, _tasks),
)  # fmt: skip
