"""Which documents are behind a figure? The worst first, found by what each row keeps of its misses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, and_, exists, false, func, not_, or_, select, true, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement, Select

from readiness.measures import catalogue as c
from readiness.measures.backorders import OLDER, age, is_older
from readiness.measures.behind import Behind
from readiness.measures.contributions import EXCEPTIONS
from readiness.measures.disputes import disputes_behind
from readiness.measures.journeys import REVERSED, flag_names, moves_from_text, moves_to_text
from readiness.measures.measure import Kind, Source
from readiness.measures.models import JourneyLineRow, JourneyRow, WaitRow
from readiness.measures.order_lines import JUDGED
from readiness.measures.plans import Asked, Plan, counts, matured, plan_for
from readiness.measures.ports import Calendars
from readiness.measures.reading import Form
from readiness.measures.receivables import debts_behind
from readiness.measures.registers import RegisterRows, seconds
from readiness.measures.scopes import Scope, SiteDays, load_slices
from readiness.measures.states import CONTROL_POINTS, Limits, Standing, standing
from readiness.measures.waits import Point
from readiness.measures.worked import as_instant, worked

_J: Table = JourneyRow.__table__
_L: Table = JourneyLineRow.__table__
_W: Table = WaitRow.__table__


_ROW = [
    _J.c[n]
    for n in (
        "id",
        "root_id",
        "kind",
        "site",
        "channel",
        "customer_group",
        "opened_at",
        "value",
        "currency",
        "flags",
        "steps",
    )
]
_LINE_DAY = {
    c.FILL_RATE_LINES: _L.c.requested_ship,
    c.FILL_RATE_VALUE: _L.c.requested_ship,
    c.OTIF_LINES: _L.c.requested,
    c.PROMISE_ACCURACY: _L.c.first_promised,
    c.SUBSTITUTE_SHARE: _L.c.requested_ship,
}
_LAST_LINE_DAY = {
    c.TOUCHLESS_RATE: _L.c.requested_ship,
    c.PERFECT_ORDER_RATE: _L.c.requested,
    c.PERFECT_ORDER_COMPLETE: _L.c.requested,
    c.PERFECT_ORDER_ON_TIME: _L.c.requested,
    c.PERFECT_ORDER_UNDAMAGED: _L.c.requested,
    c.PERFECT_ORDER_DOCUMENTS: _L.c.requested,
}
#: The start and end of each time, and the column of its cohort day.
_TIMES = {
    c.ORDER_CYCLE_TIME: ("order", _J.c.start_at, _J.c.shipped_at, _J.c.start_on, Point.BACKLOG),
    c.BILLING_CYCLE_TIME: ("invoice", _J.c.start_at, _J.c.invoiced_at, _J.c.start_on, Point.INVOICE),
    c.RETURN_CREDIT_TIME: ("return", _J.c.received_at, _J.c.credited_at, _J.c.received_on, Point.CREDIT),
}


def journeys_behind(
    session: Session,
    key: str,
    scope: Scope,
    *,
    as_of: datetime,
    window: int | None = None,
    dimension: str | None = None,
    calendars: Calendars | None = None,
    limit: int = 50,
    between: tuple[date, date] | None = None,
) -> list[Behind]:
    """The documents that hold a figure back, the worst first: misses by value, times by length, open ones by age.

    Same scope, window and dimension as ``read_measure``, or the days from the first until before the last of ``between``. ``control_difference`` has no documents behind it and gives none.
    Raises ``NotFound`` for a figure that is not in the catalogue.
    """
    connection = session.connection()
    slices = load_slices(connection, {scope.realm})
    days = SiteDays(as_of, calendars, sorted({one.site for one in slices if one.site is not None}))
    asked = Asked(key=key, scope=scope, window_days=window, dimension=dimension)
    plan = plan_for(0, asked, slices, days)
    plan = matured(connection, [plan])[0] if between is None else plan.between(*between)
    measure = plan.measure
    if measure.id == c.CONTROL_DIFFERENCE:
        return []
    if measure.source is Source.REGISTER:
        return _entries(plan, calendars, as_of)[:limit]
    if measure.source is Source.RECEIVABLES:
        return debts_behind(plan, calendars, as_of, limit)
    if measure.source is Source.DISPUTES:
        return disputes_behind(plan, calendars, as_of, limit)
    if measure.id in c.SAMPLED:
        return _standing(session, plan, days, as_of, limit)
    if measure.form is Form.PERCENTILE:
        return _slowest(session, plan, as_of, limit)
    if measure.id in _LINE_DAY:
        query = _missed_lines(plan)
    elif measure.id in _LAST_LINE_DAY:
        query = _missed_orders(plan)
    else:
        query = _missed_documents(plan)
    unit = "lines" if measure.id in _LINE_DAY else "minor"
    rows = session.execute(query.limit(limit)).all()
    return [_behind(row, int(row.weight), unit, is_open=bool(row.is_open)) for row in rows]


def _entries(plan: Plan, calendars: Calendars | None, as_of: datetime) -> list[Behind]:
    """What counts in a register, the oldest first; of what people were asked what took longest."""
    if plan.measure.kind is Kind.STATE and not plan.is_now:
        return []
    found = [
        Behind(
            one.id, one.id, one.register, next(iter(one.sites)) if one.sites and len(one.sites) == 1 else None, one.channel,
            one.customer_group, one.since, 0, None, (one.kind.strip("/").replace("_", " "),), "", int(seconds(one, as_of)),
            "seconds", plan.measure.kind is Kind.FLOW and one.until is None, title=one.title,
        )
        for one in RegisterRows([plan], calendars, as_of).entries(plan)
        if plan.measure.key in one.counts
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-one.weight, one.id))


def _behind(row: Any, weight: int, unit: str, *, is_open: bool, where: str | None = None) -> Behind:
    return Behind(
        row.id, row.root_id, row.kind, row.site, row.channel, row.customer_group, row.opened_at, row.value, row.currency,
        tuple(flag_names(row.flags)), row.steps, weight, unit, is_open, where,
    )  # fmt: skip


def in_scope(table: Table, scope: Scope, *, by_channel: bool = True) -> list[ColumnElement[bool]]:
    """What rows of a table with the dimensions of a journey must be; what the table does not have is not asked for."""
    found: list[ColumnElement[bool]] = [table.c.realm == scope.realm]
    channels = scope.channels if by_channel else frozenset()
    for column, wanted in (("entity", scope.entities), ("site", scope.sites), ("channel", channels)):
        if wanted:
            found.append(table.c[column].in_(sorted(wanted)))
    if channels and scope.cells:
        pairs = sorted((site, channel) for site, channel in scope.cells if channel is not None)
        found.append(tuple_(table.c.site, table.c.channel).in_(pairs))
    for column, value in (
        ("process", scope.process), ("customer_group", scope.customer_group), ("variants", scope.variants),
        ("grant_id", scope.grant),
    ):  # fmt: skip
        if value is not None and column in table.c:
            found.append(table.c[column] == value)
    if scope.classes is not None and "variants" in table.c:
        found.append(table.c.variants.in_(sorted(scope.classes)))
    return found


def _in_scope(plan: Plan) -> list[ColumnElement[bool]]:
    return in_scope(_J, plan.asked.scope, by_channel=plan.measure.by_channel)


def within(column: ColumnElement[Any], plan: Plan, table: Table = _J) -> ColumnElement[bool]:
    """The window by the own days of the table's sites; without sites apart in time it is one range."""
    sites = {one.id: one.site for one in plan.slices}
    ranges = []
    for day, ids in plan.groups.items():
        shift = day - plan.today
        inside = and_(column >= plan.start + shift, column < plan.end + shift)
        if len(plan.groups) > 1:
            inside = and_(inside, table.c.site.in_(sorted({sites[one] for one in ids if sites[one] is not None})))
        ranges.append(inside)
    return or_(*ranges) if ranges else and_(column >= plan.start, column < plan.end)


def _line_kinds(plan: Plan) -> list[ColumnElement[bool]]:
    """The lines that the dimension asked for consists of."""
    dimension, measure = plan.asked.dimension, plan.measure.id
    if dimension is None:
        return [_L.c.kind == "stock"]
    if measure == c.SUBSTITUTE_SHARE:
        reason = moves_to_text(dimension).decode()
        return [_L.c.kind == "stock", _L.c.substitutes.contains(f",{reason}]", autoescape=True)]
    kind, slash, rest = dimension.partition("/")
    found = [_L.c.kind == (kind if slash else "stock")]
    own = rest if slash else dimension
    if own and measure in {c.FILL_RATE_LINES, c.FILL_RATE_VALUE}:
        found.append(_L.c.abc == own)
    elif own and measure == c.OTIF_LINES:
        found.append(_L.c.basis == own)
    elif own and measure == c.PROMISE_ACCURACY:
        found.append(_L.c.promise_basis == own)
    return found


def _missed_lines(plan: Plan) -> Select[Any]:
    bit = 1 << plan.measure.id
    return (
        select(*_ROW, _J.c.is_open, func.count().label("weight"), func.sum(_L.c.value).label("missed_value"))
        .join_from(_J, _L, _L.c.journey_id == _J.c.id)
        .where(
            _J.c.kind == "order",
            *_in_scope(plan),
            *_line_kinds(plan),
            _L.c.misses.op("&")(bit) != 0,
            within(_LINE_DAY[plan.measure.id], plan),
        )
        .group_by(*_ROW, _J.c.is_open)
        .order_by(func.sum(_L.c.value).desc(), _J.c.id)
    )


def _missed_orders(plan: Plan) -> Select[Any]:
    bit = 1 << plan.measure.id
    kind = (plan.asked.dimension or "stock").rstrip("/")
    last = (
        select(_L.c.journey_id, func.max(_LAST_LINE_DAY[plan.measure.id]).label("day"))
        .where(_L.c.kind == kind, _L.c.quantity > 0)
        .group_by(_L.c.journey_id)
        .subquery()
    )
    return (
        select(*_ROW, _J.c.is_open, _J.c.value.label("weight"))
        .join_from(_J, last, last.c.journey_id == _J.c.id)
        .where(_J.c.kind == "order", *_in_scope(plan), _J.c.misses.op("&")(bit) != 0, within(last.c.day, plan))
        .order_by(_J.c.value.desc(), _J.c.id)
    )


def _missed_documents(plan: Plan) -> Select[Any]:
    measure = plan.measure.id
    if measure == c.INVENTORY_ADJUSTMENT_RATE:
        conditions = [_J.c.kind == "adjustment", _J.c.flags.op("&")(REVERSED) == 0, within(_J.c.opened_on, plan)]
        if plan.asked.dimension:
            conditions.append(_J.c.topic == plan.asked.dimension)
        weight: ColumnElement[Any] = func.abs(_J.c.value)
    elif measure == c.ORDER_EXCEPTION_RATE:
        conditions = [_J.c.kind == "order", within(_J.c.opened_on, plan), *_exception(plan)]
        weight = _J.c.value
    else:
        bit = 1 << measure
        conditions = [_J.c.kind == "invoice", _J.c.misses.op("&")(bit) != 0, within(_J.c.invoiced_on, plan)]
        weight = _J.c.gross
    query = select(*_ROW, _J.c.is_open, weight.label("weight")).where(*_in_scope(plan), *conditions)
    return query.order_by(weight.desc(), _J.c.id)


def _exception(plan: Plan) -> list[ColumnElement[bool]]:
    asked = plan.asked.dimension
    bits = sum(bit for bit, word in EXCEPTIONS if asked in {None, word} or "/" in (asked or ""))
    return [_J.c.flags.op("&")(bits) != 0]


def _slowest(session: Session, plan: Plan, as_of: datetime, limit: int) -> list[Behind]:
    """Open documents with their age so far and finished ones with their time, the longest first; as the figure, by the clock
    or in working hours.
    """
    kind, start, end, day, point = _TIMES[plan.measure.id]
    waiting = _W.c.id == _J.c.id
    ages = (
        select(
            _J.c.root_id, _J.c.id, _J.c.site, _J.c.calendar_seq, start.label("begun"), end.label("ended"), _W.c.dimension
        )
        .outerjoin_from(_J, _W, and_(_W.c.root_id == _J.c.root_id, waiting, _W.c.point == point.value))
        .where(_J.c.kind == kind, *_in_scope(plan), start.is_not(None), within(day, plan))
        .where(or_(_W.c.id.is_not(None), *_finished(plan)))
    )  # fmt: skip
    hours = worked(session.connection()) if plan.figure.is_worked else None
    ends = _own_ends(session, plan, day) if plan.measure.id == c.ORDER_CYCLE_TIME else {}
    ranked: list[tuple[float, int, int, bool]] = []
    for row in session.execute(ages).all():
        is_open = row.dimension is not None
        ended = ends.get(row.id, row.ended)
        if not (counts(plan.asked, row.dimension) if is_open else ended is not None):
            continue
        until, known_to = (as_of, None) if is_open else (ended, row.calendar_seq)
        if hours is None:
            ranked.append(((until - row.begun).total_seconds(), row.root_id, row.id, is_open))
        elif (seconds := hours.seconds(row.site, row.begun, until, known_to)) is not None:
            ranked.append((seconds, row.root_id, row.id, is_open))
    ranked.sort(key=lambda one: (-one[0], one[2]))
    top = ranked[:limit]
    rows = _rows(session, [(root, identity) for _, root, identity, _ in top])
    unit = "working seconds" if plan.figure.is_worked else "seconds"
    return [
        _behind(rows[identity], round(seconds), unit, is_open=is_open)
        for seconds, _, identity, is_open in top
        if identity in rows
    ]


def _own_ends(session: Session, plan: Plan, day: ColumnElement[Any]) -> dict[int, datetime | None]:
    """When the last shipment was of the lines that an order is judged by, where others of it were shipped too, as what was
    sent instead is.
    """
    kind, other = (plan.asked.dimension or "stock").rstrip("/"), _L.alias()
    also = exists().where(other.c.journey_id == _J.c.id, other.c.kind != kind, other.c.shipped > 0)
    query = (
        select(_J.c.id, _L.c.shipments)
        .join_from(_J, _L, _L.c.journey_id == _J.c.id)
        .where(_J.c.kind == "order", *_in_scope(plan), within(day, plan), _L.c.kind == kind, _L.c.quantity > 0, also)
    )
    last: dict[int, int] = {}
    for order, shipments in session.execute(query).all():
        moves = moves_from_text(shipments) if shipments else []
        last[order] = max(last.get(order, -1), *(move[0] for move in moves), -1)
    return {order: as_instant(at) if at >= 0 else None for order, at in last.items()}


def _finished(plan: Plan) -> list[ColumnElement[bool]]:
    """What makes a document that waits nowhere one of the figure's: orders by the kind of lines they are judged by, all sent."""
    dimension = plan.asked.dimension
    if plan.measure.id != c.ORDER_CYCLE_TIME:
        # The dimension of an invoice is the policy of its trigger.
        return [_J.c.topic == dimension] if dimension is not None else [true()]
    kinds = [kind for kind, _ in JUDGED]
    kind = (dimension or "stock").rstrip("/")
    if kind not in kinds:
        return [false()]
    mine = [_L.c.journey_id == _J.c.id, _L.c.quantity > 0]
    unsent = exists().where(*mine, _L.c.kind == kind, _L.c.shipped + _L.c.dropped < _L.c.quantity)
    before = exists().where(*mine, _L.c.kind.in_(kinds[: kinds.index(kind)]))
    return [and_(exists().where(*mine, _L.c.kind == kind), not_(before), not_(unsent))]


def _standing(session: Session, plan: Plan, days: SiteDays, as_of: datetime, limit: int) -> list[Behind]:
    """Documents that stand beyond a limit, or in the backlog past their day, the oldest first."""
    limits = Limits(as_of, days, plan.slices)
    slices = [one.id for one in plan.slices]
    found: list[tuple[float, Standing]] = []
    if plan.measure.id == c.BACKLOG_AGE:
        rows = standing(session.connection(), (Point.BACKLOG.value,), slices)
        found = [
            (late, row) for row in rows if counts(plan.asked, row.dimension) and (late := limits.backlog_age(row)) > 0
        ]
    elif plan.measure.id in c.BACKORDERS:
        found = _backordered(standing(session.connection(), (Point.BACKORDER.value,), slices), plan.measure.id, as_of)
    else:
        points = CONTROL_POINTS if plan.asked.dimension is None else (plan.asked.dimension,)
        rows = standing(session.connection(), points, slices)
        found = [((as_of - row.since).total_seconds(), row) for row in rows if limits.beyond(row)]
    group = plan.asked.scope.customer_group
    found = [one for one in found if group in {None, one[1].customer_group}]
    found.sort(key=lambda one: (-one[0], one[1].id, one[1].point))
    top = found[:limit]
    known = _rows(session, [(row.root_id, row.id) for _, row in top])
    return [
        _behind(known[row.id], round(seconds), "seconds", is_open=True, where=row.point)
        for seconds, row in top
        if row.id in known
    ]


def _backordered(rows: Iterable[Standing], measure: int, as_of: datetime) -> list[tuple[float, Standing]]:
    """The orders whose lines wait, each with the line that has waited longest; of a share those that it calls old."""
    oldest: dict[int, Standing] = {}
    for row in rows:
        known = oldest.get(row.root_id)
        if row.value and (known is None or row.since < known.since):
            oldest[row.root_id] = row
    return [
        (age(row, as_of), row._replace(id=row.root_id))
        for row in oldest.values()
        if measure not in OLDER or is_older(row, as_of, measure)
    ]


def _rows(session: Session, keys: Sequence[tuple[int, int]]) -> dict[int, Any]:
    roots: Iterable[int] = {root for root, _ in keys}
    rows = session.execute(
        select(*_ROW).where(_J.c.root_id.in_(sorted(roots)), _J.c.id.in_(sorted({k for _, k in keys})))
    )
    return {row.id: row for row in rows}
