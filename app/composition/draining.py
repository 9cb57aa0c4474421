"""Is anything still under way in a cell that admits nothing new? Open orders and returns of its site and channel."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.fulfilment.models import ReturnOrder, ReturnState
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.models import OrderState, SalesOrder
from readiness.waves.flow import GrantState
from readiness.waves.grants import close_drained
from readiness.waves.models import Grant

_DOCUMENTS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (SalesOrder, (OrderState.CLOSED, OrderState.CANCELLED)),
    (ReturnOrder, (ReturnState.CREDITED, ReturnState.DECLINED)),
)


def drained_grants(session: Session) -> list[int]:
    """Draining grants of cells in which nothing is under way. Three queries, one where nothing drains.

    Whatever the grant's process, the cell counts as a whole: a warehouse finishes what an open order needs.
    """
    draining = session.execute(
        select(Grant.id, Grant.site_id, Grant.channel_id).where(Grant.state == GrantState.DRAINING).order_by(Grant.id)
    ).all()
    if not draining:
        return []
    under_way = _under_way(session, {row.site_id for row in draining})
    return [row.id for row in draining if not under_way[row.site_id, row.channel_id]]


def _under_way(session: Session, sites: set[int]) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for document, ended in _DOCUMENTS:
        rows = session.execute(
            select(document.site_id, document.channel_id, func.count())
            .where(document.site_id.in_(sites), document.state.not_in(ended))
            .group_by(document.site_id, document.channel_id)
        )
        for site, channel, count in rows:
            found[site, channel] += count
    return found


def close_grant_if_drained(work: UnitOfWork, grant_id: int) -> bool:
    """Close one draining grant if nothing is under way in its cell; says whether it was closed."""

    def in_flight(grant: Grant) -> int:
        return _under_way(work.session, {grant.site_id})[grant.site_id, grant.channel_id]

    return bool(close_drained(work, [grant_id], in_flight))
