"""Backorders by rule: what waits too long is cancelled, what cannot be kept is promised anew, each order in its transaction."""

from __future__ import annotations

import structlog

from app.composition.policies import RegisterRules
from app.composition.uow import Database, reading, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import DomainError
from erpcore.orders.backorders import act_by_rule, orders_that_wait

log = structlog.get_logger(__name__)
BACKORDERS = Actor.system("backorders")


def settle_backorders(database: Database, *, clock: Clock) -> int:
    """Do what the rule of each waiting line says; returns how many lines were touched."""
    with reading(database) as session:
        waiting = orders_that_wait(session)
    rules, touched = RegisterRules(), 0
    for realm, order in waiting:
        try:
            with unit_of_work(database, actor=BACKORDERS, clock=clock, realm=realm) as work:
                touched += act_by_rule(work, [order], rules=rules)
        except DomainError as refusal:
            log.warning("backorder left as it is", order=order, code=refusal.code)
    return touched
