"""Conformance for programs: the rules, how each process keeps to them, and journeys with their departures."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.api.framework import operation
from app.api.lists import OneOf, listed, which
from app.api.v1.numbers import Key
from app.api.values import Answer, Body, Page, PageQuery, Realm, page_of
from app.composition.request import now, reader
from app.queries.conformance import Departure, Line, overview
from app.queries.departures import (
    DEPARTURE_CLASSES,
    DEPARTURES,
    DepartureFilter,
    DepartureRow,
    JourneyCheck,
    departing_journeys,
    journey_check,
)
from app.queries.measures_pages import Filter
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.canonical import plain
from readiness.conformance.catalogue import PROCESSES, RULES, VERSION

TAG = "Conformance"


class RuleAnswer(Answer):
    """One demand of a standard; `code` is the departure from it, as variants name it."""

    code: str
    process: str
    step: str
    title: str
    standard: str
    sentence: str


class RulesAnswer(Answer):
    """Every rule, of all together in this version."""

    version: int
    items: list[RuleAnswer]


@operation(
    "GET", "/conformance/rules", permission=Permission.MEASURE_VIEW, summary="What the standard of each process demands", tag=TAG,
    answer=RulesAnswer,
)  # fmt: skip
def list_conformance_rules() -> RulesAnswer:
    return RulesAnswer(
        version=VERSION,
        items=[
            RuleAnswer(
                code=rule.code, process=process.key, step=rule.step, title=rule.title, standard=rule.standard,
                sentence=rule.sentence,
            )
            for process in PROCESSES.values()
            for rule in process.rules
        ],
    )  # fmt: skip


class ConformanceQuery(Body):
    """What is read. Sites beyond those of the token read as nothing."""

    realm: Realm = "live"
    site: Key | None = None
    channel: Key | None = None
    window: int | None = Field(None, ge=1, le=366, description="Days instead of the measure's own window.")


class DepartureAnswer(Answer):
    """How often a rule was departed from in the window. `waiting`: past due, and may still come; `before`: in the window before."""

    code: str
    uncovered: int
    covered: int
    waiting: int
    journeys: int
    before: int
    examples: list[int] = Field(description="The youngest journeys in which nothing covered it.")


class ProcessAnswer(Answer):
    """A process in the window: its reading in base units, its journeys by class, and those on the path of all in the window before."""

    process: str
    reading: dict[str, Any]
    classes: dict[str, int]
    before: tuple[int, int]
    departures: list[DepartureAnswer]


class ConformanceAnswer(Answer):
    """Every process."""

    start: date
    end: date
    items: list[ProcessAnswer]


@operation(
    "GET", "/conformance", permission=Permission.MEASURE_VIEW, summary="How each process keeps to its standard", tag=TAG,
    query=ConformanceQuery, answer=ConformanceAnswer,
)  # fmt: skip
def list_conformance(query: ConformanceQuery) -> ConformanceAnswer:
    wanted = Filter(realm=query.realm, site=query.site, channel=query.channel, window=query.window)
    page = overview(reader(), wanted, actor(), now())
    return ConformanceAnswer(start=page.start, end=page.end, items=[_process(line) for line in page.lines])


def _process(line: Line) -> ProcessAnswer:
    return ProcessAnswer(
        process=line.process.key, reading=plain(line.reading.facts()), classes=dict(line.classes), before=line.before,
        departures=[_departure(one) for one in line.departures],
    )  # fmt: skip


def _departure(one: Departure) -> DepartureAnswer:
    return DepartureAnswer(
        code=one.rule.code, uncovered=one.uncovered, covered=one.covered, waiting=one.waiting, journeys=one.journeys,
        before=one.before, examples=[example.root for example in one.examples],
    )  # fmt: skip


class JourneysQuery(PageQuery):
    """Which journeys: those with a departure of this kind."""

    realm: Realm = "live"
    site: Key | None = None
    channel: Key | None = None
    process: Literal["order_to_cash", "returns_to_credit", "procure_to_pay", "warehouse"] | None = None
    code: str | None = Field(None, max_length=40)
    covered: bool | None = Field(None, description="Only those that a variant covered, or that none did.")
    since: date | None = Field(None, description="Departures from this day of the site on.")


class OneDepartureAnswer(Answer):
    """A departure of a list. `word`: `uncovered`, `covered` by a variant, or `waiting`: past due, and may still come."""

    journey: int
    seq: int
    code: str
    process: str
    kind: str
    number: str | None
    site_id: int | None
    site: str
    channel_id: int | None
    channel: str
    at: datetime
    is_step: bool
    word: str
    covered_by: int | None


class DepartureQuery(PageQuery):
    """Which departures."""

    realm: Realm = "live"
    word: Annotated[str | None, OneOf(DEPARTURE_CLASSES)] = None
    site: Key | None = which("Only those at this site.")
    channel: Key | None = which("Only those of this channel.")
    process: Annotated[str | None, OneOf(tuple(PROCESSES))] = None
    code: Annotated[str | None, OneOf(tuple(RULES))] = which("Only those of this kind.")
    since: date | None = which("The first day, of the site.")
    until: date | None = which("The last day, of the site.")
    journey: Key | None = which("Only those of this journey.")


class FoundAnswer(Answer):
    """A departure of a journey. `step`: the step that departs was done then; else what should have come did not."""

    code: str
    at: datetime
    step: bool
    may_still_come: bool
    covered_by: int | None


class StepAnswer(Answer):
    """A step that was done, with the codes of what it departs from."""

    at: datetime
    step: str
    activity: str
    departs: list[str]


class DepartingAnswer(Answer):
    """A journey that departs, by the id of its root document."""

    id: int
    process: str
    site: int | None
    channel: int | None
    departures: list[FoundAnswer]


class JourneyCheckAnswer(DepartingAnswer):
    """A journey under the rules of its process, step by step."""

    kind: str
    number: str | None
    realm: str
    standing: str
    opened_at: datetime | None
    ended_at: datetime | None
    overdue_on: date | None
    steps: list[StepAnswer]


@operation(
    "GET", "/conformance/departures", permission=Permission.MEASURE_VIEW, summary="Departures from the standard", tag=TAG,
    query=DepartureQuery, answer=Page[OneDepartureAnswer],
)  # fmt: skip
def list_departures(query: DepartureQuery) -> Page[OneDepartureAnswer]:
    """By journey; each departure a row of its own."""
    return listed(DEPARTURES, query, _one_departure, key=lambda row: (row.root, row.code, row.seq))


def _one_departure(row: DepartureRow) -> OneDepartureAnswer:
    own = {name: getattr(row, name) for name in OneDepartureAnswer.model_fields if name != "journey"}
    return OneDepartureAnswer(journey=row.root, **own)


@operation(
    "GET", "/conformance/journeys", permission=Permission.MEASURE_VIEW, summary="Journeys that depart from a standard", tag=TAG,
    query=JourneysQuery, answer=Page[DepartingAnswer],
)  # fmt: skip
def list_departing(query: JourneysQuery) -> Page[DepartingAnswer]:
    """By their ids; each with its departures of the kind that was asked for."""
    wanted = DepartureFilter(
        realm=query.realm, site=query.site, channel=query.channel, process=query.process, code=query.code,
        covered=query.covered, since=query.since,
    )  # fmt: skip
    found = departing_journeys(reader(), actor(), wanted, now(), after=query.after, limit=query.limit + 1)
    items = [
        DepartingAnswer(
            id=root, process=rows[0].process, site=rows[0].site, channel=rows[0].channel,
            departures=[
                FoundAnswer(
                    code=row.code, at=row.occurred_at, step=bool(row.is_step), may_still_come=bool(row.is_due),
                    covered_by=row.covered_by,
                )
                for row in rows
            ],
        )
        for root, rows in found
    ]  # fmt: skip
    return page_of(items, [root for root, _ in found], query.limit)


@operation(
    "GET", "/conformance/journeys/{journey_id}", permission=Permission.MEASURE_VIEW, summary="One journey step by step", tag=TAG,
    answer=JourneyCheckAnswer,
)  # fmt: skip
def show_journey_check(journey_id: Key) -> JourneyCheckAnswer:
    return _check(journey_check(reader(), journey_id, actor()))


def _check(one: JourneyCheck) -> JourneyCheckAnswer:
    at_steps = [
        FoundAnswer(code=rule.code, at=step.at, step=True, may_still_come=False, covered_by=by)
        for step in one.steps
        for rule, by in step.departures
    ]
    missing = [
        FoundAnswer(code=rule.code, at=at, step=False, may_still_come=waits, covered_by=by)
        for rule, at, waits, by in one.missing
    ]
    return JourneyCheckAnswer(
        id=one.root, process=one.process, site=one.site, channel=one.channel, departures=[*at_steps, *missing], kind=one.kind,
        number=one.number, realm=one.realm, standing=one.standing, opened_at=one.opened_at, ended_at=one.ended_at,
        overdue_on=one.due_on,
        steps=[
            StepAnswer(at=s.at, step=s.step, activity=s.words, departs=[rule.code for rule, _ in s.departures]) for s in one.steps
        ],
    )  # fmt: skip
