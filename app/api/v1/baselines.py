"""What figures read before the programme, and who answers for them, as programs record and read it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body, Mark
from app.composition import baselines as services
from app.composition.request import reader
from app.queries.baselines import owner_desk
from app.queries.measures_pages import places
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork
from readiness.measures.baselines import BaselineView, NameOwner, TypeBaseline, history
from readiness.measures.catalogue import find_figure

MOST = 2**63 - 1


class FigureQuery(Body):
    """A figure of the catalogue: fill_rate_lines, order_cycle_time.p90."""

    figure: str = Field(min_length=1, max_length=80)


class _PeriodBody(FigureQuery):
    site: int | None = Field(None, ge=1, le=MOST, description="A live site; null: all together.")
    period_from: date
    period_until: date = Field(description="The day after the last.")
    method: str = Field(min_length=1, max_length=2000)


class TakeBaselineBody(_PeriodBody):
    """Computed over the period by the measure's own formula."""

    realm: Literal["legacy", "live", "rehearsal"]


class TypeBaselineBody(_PeriodBody):
    """A figure from elsewhere, in base units as a string: 0.95 for 95 %, 86400 for a day."""

    value: Mark
    completeness: Mark
    source: str = Field(min_length=1, max_length=500)
    is_comparable: bool
    why_not: str = Field("", max_length=500)
    count: int | None = Field(None, ge=0, le=10**15)


class OwnerBody(Body):
    """Who answers for a measure."""

    measure: str = Field(min_length=1, max_length=64)
    person: int | None = Field(ge=1, le=MOST, description="null: nobody.")
    reason: str = Field(min_length=1, max_length=500)


class BaselineAnswer(Answer):
    """A baseline as it stands; not comparable too where the formula has changed since."""

    id: int
    figure: str
    site: int | None
    kind: str
    realm: str | None
    value: Mark
    count: int | None
    period_from: date
    period_until: date
    completeness: Mark
    method: str
    source: str
    is_comparable: bool
    why_not: str
    recorded_at: datetime


class BaselinesAnswer(Answer):
    """Every record of a figure, the newest first; the first of a site counts."""

    items: list[BaselineAnswer]


class MeasureOwnerAnswer(Answer):
    """A measure with who answers for it; ``is_gap``: nobody does, or they have left."""

    measure: str
    person: int | None
    is_gap: bool


class MeasureOwnersAnswer(Answer):
    """All measures, those without an owner first."""

    items: list[MeasureOwnerAnswer]


def _answer(one: BaselineView) -> BaselineAnswer:
    return BaselineAnswer(
        id=one.id, figure=one.figure.key, site=one.site, kind=one.kind.value, realm=one.realm, value=one.value, count=one.count,
        period_from=one.period_from, period_until=one.period_until, completeness=one.completeness, method=one.method,
        source=one.source, is_comparable=one.is_comparable, why_not=one.why_not, recorded_at=one.recorded_at,
    )  # fmt: skip


def _made(work: UnitOfWork, key: str, number: int) -> BaselineAnswer:
    work.session.flush()  # the answer is read back with a query
    return next(_answer(one) for one in history(work.session, key) if one.id == number)


@operation(
    "GET", "/baselines", permission=Permission.MEASURE_VIEW, summary="What a figure read before", tag="Measures",
    query=FigureQuery, answer=BaselinesAnswer,
)  # fmt: skip
def list_baselines(query: FigureQuery) -> BaselinesAnswer:
    find_figure(query.figure)
    seen = {site.id for site in places(reader(), actor(), "live")[0]}
    return BaselinesAnswer(
        items=[_answer(one) for one in history(reader(), query.figure) if one.site is None or one.site in seen]
    )


@operation(
    "POST", "/baselines/take", permission=Permission.BASELINE_RECORD, summary="Compute a baseline and keep it",
    tag="Measures", body=TakeBaselineBody, answer=BaselineAnswer, status=201,
    example={"figure": "fill_rate_lines", "realm": "legacy", "period_from": "2026-06-01", "period_until": "2026-09-01", "method": "Events of the old system."},
)  # fmt: skip
def take_a_baseline(work: UnitOfWork, body: TakeBaselineBody) -> BaselineAnswer:
    return _made(work, body.figure, services.take_baseline(work, services.TakeBaseline(**dict(body))).id)


@operation(
    "POST", "/baselines/type", permission=Permission.BASELINE_RECORD, summary="Keep a baseline from elsewhere",
    tag="Measures", body=TypeBaselineBody, answer=BaselineAnswer, status=201,
    example={"figure": "fill_rate_lines", "value": "0.913", "period_from": "2026-06-01", "period_until": "2026-09-01", "completeness": "1",
             "method": "Lines of all orders.", "source": "Service report of September 2026", "is_comparable": True},
)  # fmt: skip
def type_a_baseline(work: UnitOfWork, body: TypeBaselineBody) -> BaselineAnswer:
    return _made(work, body.figure, services.record_typed(work, TypeBaseline(**dict(body))).id)


def _owners(work: UnitOfWork | None = None) -> MeasureOwnersAnswer:
    session = reader() if work is None else work.session
    return MeasureOwnersAnswer(
        items=[
            MeasureOwnerAnswer(measure=one.measure.key, person=one.person, is_gap=one.is_gap)
            for one in owner_desk(session)
        ]
    )


@operation(
    "GET", "/measure-owners", permission=Permission.MEASURE_VIEW, summary="Who answers for which measure", tag="Measures",
    answer=MeasureOwnersAnswer,
)  # fmt: skip
def list_owners() -> MeasureOwnersAnswer:
    return _owners()


@operation(
    "POST", "/measure-owners", permission=Permission.MEASURE_OWNER_NAME, summary="Name who answers for a measure",
    tag="Measures", body=OwnerBody, answer=MeasureOwnersAnswer, example={"measure": "fill_rate_lines", "person": 9, "reason": "owns the process"},
)  # fmt: skip
def name_an_owner(work: UnitOfWork, body: OwnerBody) -> MeasureOwnersAnswer:
    services.say_who_answers(work, NameOwner(measure=body.measure, person=body.person, reason=body.reason))
    work.session.flush()  # the answer is read back with queries
    return _owners(work)
