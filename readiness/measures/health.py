"""May a figure be believed now? Not while the consumer behind it is late, an event of its scope is parked, or what it judged is by
the rules of before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    column,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    table,
    true,
    union_all,
)

from erpcore.kernel.events import ConsumerCursor, EventHead, EventLog, ParkedEvent
from readiness.measures.catalogue import RULES_VERSION
from readiness.measures.consumer import NAME
from readiness.measures.measure import Source
from readiness.measures.reading import Stale

#: From this lag on nothing that the consumer feeds is believed.
BEHIND = timedelta(seconds=60)
_judged = table("conformance_journey", column("version"))


def is_judged_otherwise(version: int = 0) -> ColumnElement[bool]:
    """Whether any journey was judged by other rules than those of this version; of today, unless told. Two looks into an index."""
    today, one = version or RULES_VERSION, select(literal(1)).select_from(_judged)
    return or_(exists(one.where(_judged.c.version < today)), exists(one.where(_judged.c.version > today)))


@dataclass(frozen=True)
class Health:
    """The state of a consumer. ``read_to``: the sequence number up to which everything is in."""

    read_to: int
    newest: int
    lag: timedelta
    parked_sites: frozenset[int | None]
    never_ran: bool
    consumer: str = NAME
    is_judged_otherwise: bool = False

    def stale(self, sites: frozenset[int]) -> tuple[Stale, str] | None:
        """Why a figure of these sites (empty: of all) cannot be believed; ``None`` when it can."""
        if self.never_ran:
            return Stale.SOURCE_MISSING, f"the {self.consumer} consumer never ran"
        if self.lag > BEHIND:
            return (
                Stale.CONSUMER_BEHIND,
                f"{self.newest - self.read_to} events, {int(self.lag.total_seconds())} s behind",
            )
        if self.is_judged_otherwise:
            return Stale.EARLIER_RULES, "the rules changed, and not every journey is judged by those of today yet"
        hit = self.parked_sites if not sites else self.parked_sites & (sites | {None})
        if hit:
            where = ", ".join(sorted("no site" if site is None else f"site {site}" for site in hit))
            return Stale.PARKED_EVENT, f"parked events at {where}"
        return None


def consumer_health(connection: Connection, now: datetime, consumer: str = NAME) -> Health:
    """How far a consumer has come, and where something is parked; one read."""
    return consumer_healths(connection, now, [consumer])[consumer]


def consumer_healths(connection: Connection, now: datetime, consumers: Sequence[str]) -> dict[str, Health]:
    """The same of several; one read too, and none of no consumer."""
    if not consumers:
        return {}
    parts = [_state_of(consumer) for consumer in consumers]
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(union_all(*parts) if len(parts) > 1 else parts[0]):
        rows[row.name].append(row)
    return {consumer: _health(consumer, rows[consumer], now) for consumer in consumers}


def _state_of(consumer: str) -> Select[Any]:
    # A cursor that moves may be far behind all the same, and one that stood through a quiet hour is not: the first event
    # that was not read says how late it is.
    first = (
        select(EventLog.recorded_at)
        .where(EventLog.seq > func.coalesce(ConsumerCursor.seq, 0))
        .order_by(EventLog.seq)
        .limit(1)
        .correlate(ConsumerCursor)
        .scalar_subquery()
    )
    parked = (
        select(ParkedEvent.consumer, ParkedEvent.site).where(ParkedEvent.consumer == consumer).distinct().subquery()
    )
    otherwise = is_judged_otherwise() if consumer == Source.CONFORMANCE else false()
    return (
        select(
            literal(consumer).label("name"), ConsumerCursor.seq.label("known"), EventHead.seq, first.label("since"),
            parked.c.consumer, parked.c.site, otherwise.label("otherwise"),
        )
        .select_from(EventHead)
        .outerjoin(ConsumerCursor, ConsumerCursor.name == consumer)
        .outerjoin(parked, true())
        .where(EventHead.id == 1)
    )  # fmt: skip


def _health(consumer: str, rows: Sequence[Any], now: datetime) -> Health:
    known, newest, since = rows[0].known, int(rows[0].seq), rows[0].since
    read_to = int(known or 0)
    lag = now - since if since is not None and newest > read_to else timedelta()
    sites = frozenset(row.site for row in rows if row.consumer is not None)
    return Health(read_to, newest, lag, sites, known is None, consumer, bool(rows[0].otherwise))
