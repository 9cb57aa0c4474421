"""Measures: the catalogue, readings of a scope, and the documents behind a figure, the worst first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body, Realm
from app.composition.calendars import SiteCalendars
from app.composition.request import now, reader
from app.queries.measures_pages import Filter, all_keys, places, scope_of
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.canonical import plain
from readiness.conformance.drilldown import journeys_behind
from readiness.measures.catalogue import figures, find_figure
from readiness.measures.queries import Asked, read_many


class MeasureAnswer(Answer):
    """A figure of the catalogue."""

    key: str
    title: str
    formula: str
    unit: str
    direction: str
    cohort: str
    documents: str
    window_days: int
    maturity_days: int
    owner: str
    layer: str
    version: int


class MeasuresAnswer(Answer):
    """The catalogue."""

    items: list[MeasureAnswer]


class ReadingQuery(Body):
    """What is read: figures of a scope. Sites beyond those of the token read as nothing."""

    key: str | None = Field(None, max_length=80, description="One figure, as order_cycle_time.p90; all without it.")
    realm: Realm = "live"
    site: int | None = Field(None, ge=1, le=2**63 - 1)
    channel: int | None = Field(None, ge=1, le=2**63 - 1)
    window: int | None = Field(None, ge=1, le=366, description="Days instead of the measure's own window.")


class ReadingsAnswer(Answer):
    """Readings in base units: a share between 0 and 1, times in seconds; decimals are strings."""

    items: list[dict[str, Any]]


class BehindQuery(ReadingQuery):
    """Whose documents."""

    key: str = Field(max_length=80)
    dimension: str | None = Field(None, max_length=64)
    limit: int = Field(50, ge=1, le=200)


class DocumentAnswer(Answer):
    """A document behind a figure; who handled it is not said."""

    id: int
    root: int = Field(description="The journey it belongs to.")
    kind: str
    site: int | None
    channel: int | None
    opened_at: datetime | None
    flags: list[str]
    weight: int
    unit: str = Field(description="What the weight counts: lines, minor units or seconds.")
    is_open: bool
    control_point: str | None


class DocumentsAnswer(Answer):
    """Documents, the worst first."""

    items: list[DocumentAnswer]


def _scope(query: ReadingQuery) -> Any:
    sites, _ = places(reader(), actor(), query.realm)
    return scope_of(Filter(realm=query.realm, site=query.site, channel=query.channel), sites, actor())


@operation(
    "GET",
    "/measures",
    permission=Permission.MEASURE_VIEW,
    summary="The catalogue of figures",
    tag="Measures",
    answer=MeasuresAnswer,
)
def list_measures() -> MeasuresAnswer:
    return MeasuresAnswer(
        items=[
            MeasureAnswer(
                key=one.key, title=one.measure.title, formula=one.measure.formula, unit=one.measure.unit.value,
                direction=one.measure.direction.value, cohort=one.measure.cohort, documents=one.measure.documents,
                window_days=one.measure.window_days, maturity_days=one.measure.maturity_days, owner=one.measure.owner,
                layer=one.measure.layer.value, version=one.measure.version,
            )
            for one in figures()
        ]
    )  # fmt: skip


@operation(
    "GET", "/readings", permission=Permission.MEASURE_VIEW, summary="Read figures of a scope now", tag="Measures",
    query=ReadingQuery, answer=ReadingsAnswer,
)  # fmt: skip
def list_readings(query: ReadingQuery) -> ReadingsAnswer:
    keys = [find_figure(query.key).key] if query.key else all_keys()
    scope = _scope(query)
    asked = [Asked(key=key, scope=scope, window_days=query.window) for key in keys]
    found = read_many(reader(), asked, as_of=now(), calendars=SiteCalendars(reader()))
    return ReadingsAnswer(items=[plain(one.facts()) for one in found])


@operation(
    "GET", "/journeys", permission=Permission.MEASURE_VIEW, summary="The documents behind a figure, the worst first", tag="Measures",
    query=BehindQuery, answer=DocumentsAnswer,
)  # fmt: skip
def list_journeys(query: BehindQuery) -> DocumentsAnswer:
    found = journeys_behind(
        reader(), query.key, _scope(query), as_of=now(), window=query.window, dimension=query.dimension,
        calendars=SiteCalendars(reader()), limit=query.limit,
    )  # fmt: skip
    return DocumentsAnswer(
        items=[
            DocumentAnswer(
                id=one.id, root=one.root_id, kind=one.kind, site=one.site, channel=one.channel, opened_at=one.opened_at,
                flags=list(one.flags), weight=one.weight, unit=one.unit, is_open=one.is_open, control_point=one.where,
            )
            for one in found
        ]
    )  # fmt: skip
