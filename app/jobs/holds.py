"""Holds without typing: one whose cause is gone ends, and what nothing holds any more is released, one transaction each."""

from __future__ import annotations

import structlog
from sqlalchemy import select

from app.composition.cells import RegisteredCells
from app.composition.policies import RegisterRules
from app.composition.uow import Database, reading, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import DomainError
from erpcore.masterdata.models import Entity
from erpcore.orders.models import OrderHold, SalesOrder
from erpcore.orders.releasing import CURABLE, cure_orders

log = structlog.get_logger(__name__)
JOB = "holds"


def cure_held_orders(database: Database, *, clock: Clock) -> int:
    """Look at every order held for something the system can see, the oldest first; returns how many went on.

    An order that is refused (its cell is closed, somebody works on it) is looked at again the next time.
    """
    with reading(database) as session:
        held = session.execute(
            select(SalesOrder.id, Entity.realm)
            .join(Entity, Entity.id == SalesOrder.entity_id)
            .join(OrderHold, OrderHold.order_id == SalesOrder.id)
            .where(OrderHold.released_at.is_(None), OrderHold.kind.in_(CURABLE))
            .group_by(SalesOrder.id, Entity.realm)
            .order_by(SalesOrder.id)
        ).all()
    cells, rules, freed = RegisteredCells(), RegisterRules(), 0
    for order, realm in held:
        try:
            with unit_of_work(database, actor=Actor.system(JOB), clock=clock, realm=realm) as work:
                freed += len(cure_orders(work, [order], rules=rules, cells=cells))
        except DomainError as refusal:
            log.warning("order not cured", order=order, code=refusal.code)
    return freed
