"""Which held orders may go on, now that something has changed? Each is looked at in a transaction of its own.

A job asks this every minute for all of them; what lowers a customer's exposure or mends their record asks it for theirs as soon as
it is on disk. It is not done in the same transaction: that would take the customer's row before other orders.
"""

from __future__ import annotations

from collections.abc import Collection

import structlog
from sqlalchemy import select

from app.composition.cells import RegisteredCells
from app.composition.policies import RegisterRules
from app.composition.uow import Database, reading, unit_of_work
from erpcore.fulfilment.direct import cure_with_purchases
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import DomainError
from erpcore.masterdata.models import Entity
from erpcore.orders.models import OrderHold, SalesOrder
from erpcore.orders.releasing import CURABLE

log = structlog.get_logger(__name__)
JOB = "holds"
#: So many orders somebody waits for who has mended something.
MOST_AT_ONCE = 20


def cure_held_orders(
    database: Database, *, clock: Clock, customers: Collection[int] | None = None, most: int | None = None
) -> int:
    """Look at every order (of these customers) held for something the system can see, the oldest first, at ``most`` so many.

    Returns how many went on. An order that is refused (its cell is closed, somebody works on it) is looked at again the next
    time.
    """
    query = (
        select(SalesOrder.id, Entity.realm)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .join(OrderHold, OrderHold.order_id == SalesOrder.id)
        .where(OrderHold.released_at.is_(None), OrderHold.kind.in_(CURABLE))
        .group_by(SalesOrder.id, Entity.realm)
        .order_by(SalesOrder.id)
    )
    if customers is not None:
        query = query.where(SalesOrder.customer_id.in_(sorted(customers)))
    if most is not None:
        query = query.limit(most)
    with reading(database) as session:
        held = session.execute(query).all()
    cells, rules, freed = RegisteredCells(), RegisterRules(), 0
    for order, realm in held:
        try:
            with unit_of_work(database, actor=Actor.system(JOB), clock=clock, realm=realm) as work:
                freed += len(cure_with_purchases(work, [order], rules=rules, cells=cells))
        except DomainError as refusal:
            log.warning("order not cured", order=order, code=refusal.code)
    return freed


def cure_after(database: Database, *, clock: Clock, customers: Collection[int]) -> int:
    """Let go on what a change has mended, while somebody waits for the answer to it: a few orders, the job looks at the rest.

    The change is on disk already, so nothing that goes wrong here may be said of it: it is logged, and the job comes by within a
    minute. Returns how many went on.
    """
    try:
        return cure_held_orders(database, clock=clock, customers=customers, most=MOST_AT_ONCE)
    except Exception:
        log.exception("held orders are left to the job", customers=sorted(customers))
        return 0
