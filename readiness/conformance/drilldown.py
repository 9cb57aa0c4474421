"""Which journeys are behind a figure of conformance? Those with most departures that nothing covers first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, and_, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement, Select

from readiness.conformance.catalogue import RULES
from readiness.conformance.contributions import OVERDUE
from readiness.conformance.journeys import Standing
from readiness.conformance.models import ConformanceRow, DeviationRow
from readiness.measures import catalogue as c
from readiness.measures import drilldown as of_measures
from readiness.measures.behind import Behind
from readiness.measures.drilldown import in_scope, within
from readiness.measures.models import JourneyRow
from readiness.measures.plans import Asked, Plan, matured, plan_for
from readiness.measures.ports import Calendars
from readiness.measures.scopes import Scope, SiteDays, load_slices

_C: Table = ConformanceRow.__table__
_D: Table = DeviationRow.__table__
_J: Table = JourneyRow.__table__
#: What a journey is called whose document the other figures do not know.
KINDS = {"procure_to_pay": "purchase", "returns_to_credit": "return", "order_to_cash": "order", "warehouse": "task"}


def journeys_behind(
    session: Session, key: str, scope: Scope, *, as_of: datetime, window: int | None = None, dimension: str | None = None,
    calendars: Calendars | None = None, limit: int = 50, between: tuple[date, date] | None = None,
) -> list[Behind]:  # fmt: skip
    """The documents that hold any figure back, the worst first; see ``readiness.measures.drilldown``.

    Of conformance: journeys with departures that nothing covers, most of them first, then those overdue, the oldest first.
    Raises ``NotFound`` for a figure that is not in the catalogue.
    """
    asked = Asked(key=key, scope=scope, window_days=window, dimension=dimension)
    if c.find_figure(key).measure.id not in c.OF_CONFORMANCE:
        return of_measures.journeys_behind(
            session, key, scope, as_of=as_of, window=window, dimension=dimension, calendars=calendars, limit=limit,
            between=between,
        )  # fmt: skip
    connection = session.connection()
    slices = load_slices(connection, {scope.realm})
    days = SiteDays(as_of, calendars, sorted({one.site for one in slices if one.site is not None}))
    plan = plan_for(0, asked, slices, days)
    plan = matured(connection, [plan])[0] if between is None else plan.between(*between)
    rows = session.execute(_query(plan).limit(limit)).all()
    departures = _departures(session, [row.root_id for row in rows])
    return [_behind(row, departures[row.root_id], as_of) for row in rows]


def _query(plan: Plan) -> Select[Any]:
    measure, dimension = plan.measure.id, plan.asked.dimension
    many = select(func.count()).where(_D.c.root_id == _C.c.root_id, _D.c.covered_by.is_(None), ~_D.c.is_due)
    if measure == c.CONFORMANCE:
        conditions = _by_standing(plan, dimension)
    elif measure == c.UNREGISTERED_DEVIATION_SHARE:
        own = [
            _D.c.root_id == _C.c.root_id,
            _D.c.is_step,
            _D.c.covered_by.is_(None),
            within(_D.c.occurred_on, plan, _C),
        ]
        if dimension is not None:
            own.append(_D.c.code == dimension)
            many = many.where(_D.c.code == dimension)
        conditions = [select(_D.c.root_id).where(*own).exists()]
    else:
        conditions = [within(_C.c.stamped_on, plan, _C)]
        conditions.append(_C.c.is_expired if measure == c.VARIANT_EXPIRED_IN_USE else _C.c.variants != "")
        if dimension is not None:
            # Points are joined by commas; a whole one is looked for.
            conditions.append(("," + _C.c.points + ",").like(f"%,{dimension},%"))
    weight = many.scalar_subquery().label("weight")
    known = and_(_J.c.root_id == _C.c.root_id, _J.c.id == _C.c.root_id)
    columns = (*_C.c, _J.c.kind, _J.c.value, weight)
    query = select(*columns).outerjoin_from(_C, _J, known).where(*in_scope(_C, plan.asked.scope), *conditions)
    return query.order_by(weight.desc(), _C.c.opened_at, _C.c.root_id)


def _by_standing(plan: Plan, dimension: str | None) -> list[ColumnElement[bool]]:
    ended = within(_C.c.ended_on, plan, _C)
    overdue = and_(_C.c.ended_on.is_(None), within(_C.c.due_on, plan, _C))
    if dimension is None:
        return [or_(and_(ended, _C.c.standing == Standing.UNCOVERED.value), overdue)]
    return [overdue] if dimension == OVERDUE else [ended, _C.c.standing == dimension]


def _departures(session: Session, roots: Iterable[int]) -> dict[int, list[str]]:
    """The titles of the uncovered departures of each journey, each once."""
    found: dict[int, list[str]] = defaultdict(list)
    query = (
        select(_D.c.root_id, _D.c.code)
        .where(_D.c.root_id.in_(sorted(roots)), _D.c.covered_by.is_(None), ~_D.c.is_due)
        .order_by(_D.c.occurred_at, _D.c.seq)
    )
    for row in session.execute(query):
        title = RULES[row.code].title.lower()
        if title not in found[row.root_id]:
            found[row.root_id].append(title)
    return found


def _behind(row: Any, departures: Sequence[str], as_of: datetime) -> Behind:
    is_open = row.ended_on is None
    weight, unit = row.weight, "departures"
    if is_open and not weight and row.opened_at is not None:
        weight, unit = round((as_of - row.opened_at).total_seconds()), "seconds"
    return Behind(
        row.root_id, row.root_id, row.kind or KINDS[row.process], row.site, row.channel, row.customer_group, row.opened_at,
        row.value or 0, row.currency, tuple(departures), "", weight, unit, is_open,
    )  # fmt: skip
