"""What has fallen due without anybody acting: votes to count, conditions missed, waivers lapsed, days of going live, cells
that have drained.

Each item is settled in a unit of work of its own, and settling it twice does nothing more.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.draining import close_grant_if_drained, drained_grants
from app.composition.golive import close_vote, let_go_live, miss_condition, outdate_if_changed
from app.composition.standing import validities
from app.composition.uow import Database, reading, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import DomainError
from erpcore.kernel.work import UnitOfWork
from governance.decisions.flow import ConditionState, DecisionState
from governance.decisions.models import Condition, Decision
from readiness.gates.flow import WaiverState
from readiness.gates.models import WaiverRecord
from readiness.gates.waiving import tell_lapsed
from readiness.waves.flow import WaveState
from readiness.waves.models import Grant, Wave

log = structlog.get_logger(__name__)


class DueKind(StrEnum):
    """In the order in which items are settled: a lapsed waiver outdates a decision before its vote is counted."""

    WAIVERS = "waivers"
    OUTDATED = "outdated"
    CONDITION = "condition"
    VOTE = "vote"
    GO_LIVE = "go_live"
    DRAINED = "drained"


class Due(NamedTuple):
    """One thing to settle."""

    kind: DueKind
    id: int


def due_items(session: Session, now: datetime) -> list[Due]:
    """Everything that has fallen due, in the order it is to be settled."""
    found = []
    lapsed = session.scalar(
        select(WaiverRecord.id)
        .where(
            WaiverRecord.state == WaiverState.GRANTED, WaiverRecord.until <= now, WaiverRecord.lapse_told_at.is_(None)
        )
        .limit(1)
    )
    if lapsed is not None:
        found.append(Due(DueKind.WAIVERS, lapsed))
    standing = session.scalars(
        select(Decision).where(Decision.state.in_((DecisionState.OPEN, DecisionState.DECIDED))).order_by(Decision.id)
    ).all()
    worth = validities(session, standing, now)
    found += [Due(DueKind.OUTDATED, each.id) for each in standing if worth[each.id].outdated]
    conditions = (
        select(Condition.id)
        .join(Decision, Decision.id == Condition.decision_id)
        .where(Condition.state == ConditionState.OPEN, Condition.due_at < now, Decision.state == DecisionState.DECIDED)
        .order_by(Condition.id)
    )
    found += [Due(DueKind.CONDITION, each) for each in session.scalars(conditions)]
    found += [
        Due(DueKind.VOTE, each.id) for each in standing if each.state == DecisionState.OPEN and each.closes_at <= now
    ]
    waves = (
        select(Wave.id)
        .join(Grant, Grant.wave_id == Wave.id)
        .where(Wave.state == WaveState.APPROVED, Grant.opens_at <= now)
        .distinct()
        .order_by(Wave.id)
    )
    found += [Due(DueKind.GO_LIVE, each) for each in session.scalars(waves)]
    return found + [Due(DueKind.DRAINED, each) for each in drained_grants(session)]


def settle(work: UnitOfWork, item: Due) -> None:
    """Settle one item."""
    if item.kind is DueKind.WAIVERS:
        tell_lapsed(work)
    elif item.kind is DueKind.OUTDATED:
        outdate_if_changed(work, item.id)
    elif item.kind is DueKind.CONDITION:
        miss_condition(work, item.id)
    elif item.kind is DueKind.VOTE:
        close_vote(work, item.id)
    elif item.kind is DueKind.DRAINED:
        close_grant_if_drained(work, item.id)
    else:
        let_go_live(work, item.id)


def settle_due(database: Database, *, clock: Clock) -> list[Due]:
    """Settle everything that has fallen due, item by item, and again for what that makes due; returns what was tried."""
    settled: list[Due] = []
    while True:
        with reading(database) as session:
            waiting = [item for item in due_items(session, clock.now()) if item not in settled]
        if not waiting:
            return settled
        settled.append(waiting[0])
        try:
            with unit_of_work(database, actor=Actor.system("due"), clock=clock) as work:
                settle(work, waiting[0])
        except DomainError as refusal:
            # One item that cannot be settled must not keep the others waiting; it is tried again next time.
            log.warning("due item refused", kind=waiting[0].kind, item=waiting[0].id, code=refusal.code)
