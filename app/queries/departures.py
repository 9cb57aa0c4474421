"""Each departure from the standard as a row of a list, and one journey step by step with what departs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, case, or_, select
from sqlalchemy.orm import Session

from app.queries.journey_pages import numbers_of
from app.queries.listing import SqlList
from app.queries.variants import codes_of
from app.queries.worked_out import AskedList
from app.security.scopes import check_site, within_sites
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Channel, Site
from readiness.conformance.activities import ACTIVITIES
from readiness.conformance.catalogue import RULES, Rule
from readiness.conformance.drilldown import KINDS
from readiness.conformance.journeys import instant, steps_from_text
from readiness.conformance.models import ConformanceRow, DeviationRow
from readiness.measures.models import JourneyRow

_D = DeviationRow.__table__.c
#: The classes of a departure in a list: nothing covers it, a variant did, or what it waits for is past due and may still come.
DEPARTURE_CLASSES = ("uncovered", "covered", "waiting")


@dataclass(frozen=True, kw_only=True)
class DepartureRow:
    """A departure: which rule, which journey, where and when, and what covered it."""

    root: int
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
    on: date
    is_step: bool
    covered_by: int | None
    word: str

    @property
    def rule(self) -> Rule:
        return RULES[self.code]


_NAMES = (
    "root_id", "code", "seq", "process", "site", "channel", "occurred_at", "occurred_on", "is_step", "is_due", "covered_by",
)  # fmt: skip
#: The class of a departure, as a column.
_WORD = case((_D.is_due, "waiting"), (_D.covered_by.is_(None), "uncovered"), else_="covered")


def departures(now: datetime) -> SqlList[DepartureRow]:
    """Departures as of now, the youngest first; what is only due later is none yet."""
    told = and_(_D.code.in_(sorted(RULES)), or_(~_D.is_due, _D.occurred_at <= now))

    def rows() -> Any:
        columns = (*(_D[name] for name in _NAMES), Site.name.label("site_name"), Channel.name.label("channel_name"))
        joined = select(*columns, _WORD.label("word")).select_from(DeviationRow)
        return joined.outerjoin(Site, Site.id == _D.site).outerjoin(Channel, Channel.id == _D.channel).where(told)

    return SqlList(
        select=rows, count_from=lambda: select(_D.root_id).select_from(DeviationRow).where(told), row=_row,
        tie=(_D.root_id, _D.code, _D.seq), key=(_D.root_id, _D.code, _D.seq), usual="-at", site=_D.site, realm=_D.realm, finish=_numbered, by=("word", _WORD),
        sorts={"at": _D.occurred_at, "code": _D.code, "site": Site.name, "process": _D.process},
        wanted={
            "word": lambda value, _: value == _WORD,
            "process": lambda value, _: _D.process == value,
            "code": lambda value, _: _D.code == value,
            "channel": lambda value, _: _D.channel == value,
            "journey": lambda value, _: _D.root_id == value,
            "since": lambda value, _: _D.occurred_on >= value,
            "until": lambda value, _: _D.occurred_on <= value,
        },
    )  # fmt: skip


#: The departures as one list.
DEPARTURES: AskedList[DepartureRow] = AskedList(
    sorts=dict.fromkeys(("at", "code", "site", "process")),
    one_page=lambda session, actor, asked, now: departures(now).page(session, actor, asked, now),
    all_rows=lambda session, actor, asked, now: departures(now).every(session, actor, asked, now),
    behind=lambda session, actor, asked, now, after, limit: departures(now).after(
        session, actor, asked, now, after=after, limit=limit
    ),
    kinds=(int, str, int),
)


def _row(row: Any) -> DepartureRow:
    return DepartureRow(
        root=row.root_id, seq=row.seq, code=row.code, process=row.process, kind=KINDS[row.process], number=None,
        site_id=row.site, site=row.site_name or "", channel_id=row.channel, channel=row.channel_name or "",
        at=row.occurred_at, on=row.occurred_on, is_step=bool(row.is_step), covered_by=row.covered_by, word=row.word,
    )  # fmt: skip


def _numbered(session: Session, rows: list[DepartureRow]) -> list[DepartureRow]:
    numbers = numbers_of(session, [(row.kind, row.root) for row in rows])
    return [replace(row, number=numbers.get((row.kind, row.root))) for row in rows]


@dataclass(frozen=True, kw_only=True)
class StepLine:
    """A step of a journey, and the rules it departs from with what covered that."""

    at: datetime
    words: str
    step: str
    departures: tuple[tuple[Rule, int | None], ...]


@dataclass(frozen=True, kw_only=True)
class JourneyCheck:
    """A journey under the rules of its process. ``missing``: what it should have come to: the rule, from when on, whether it may
    still come, and what covered it. ``codes``: of the variants that covered anything or set its rules.
    """

    root: int
    process: str
    kind: str
    number: str | None
    realm: str
    site: int | None
    channel: int | None
    standing: str
    opened_at: datetime | None
    ended_at: datetime | None
    due_on: date | None
    variants: tuple[int, ...]
    codes: dict[int, str]
    steps: tuple[StepLine, ...]
    missing: tuple[tuple[Rule, datetime, bool, int | None], ...]
    has_events: bool


def journey_check(session: Session, root: int, actor: Actor) -> JourneyCheck:
    """One journey. Five queries. Raises ``NotFound``, also for one of a site that is not the person's."""
    row = session.get(ConformanceRow, root)
    if row is None:
        raise NotFound("not_found")
    check_site(actor, row.site)
    found = session.scalars(
        select(DeviationRow).where(DeviationRow.root_id == root).order_by(DeviationRow.occurred_at, DeviationRow.code)
    ).all()
    by_step: dict[int, list[tuple[Rule, int | None]]] = defaultdict(list)
    for one in found:
        if one.is_step and one.code in RULES:
            by_step[one.seq].append((RULES[one.code], one.covered_by))
    steps = [
        StepLine(
            at=instant(at),
            words=ACTIVITIES[activity].words,
            step=ACTIVITIES[activity].step,
            departures=tuple(by_step[seq]),
        )
        for at, seq, activity, _, _ in steps_from_text(row.steps)
    ]
    kind, known = _kind(session, row)
    variants = tuple(int(one) for one in row.variants.split(",") if one)
    named = {*variants, *(one.covered_by for one in found if one.covered_by is not None)}
    return JourneyCheck(
        root=root, process=row.process, kind=kind, number=numbers_of(session, [(kind, root)]).get((kind, root)),
        realm=row.realm, site=row.site, channel=row.channel, standing=row.standing, opened_at=row.opened_at,
        ended_at=row.ended_at, due_on=row.due_on, variants=variants, codes=codes_of(session, actor, named), steps=tuple(steps), has_events=known,
        missing=tuple(
            (RULES[one.code], one.occurred_at, one.is_due, one.covered_by)
            for one in found if not one.is_step and one.code in RULES
        ),
    )  # fmt: skip


def _kind(session: Session, row: ConformanceRow) -> tuple[str, bool]:
    """What the document is called, and whether the page of its events knows it."""
    kind = session.scalar(
        select(JourneyRow.kind).where(JourneyRow.root_id == row.root_id, JourneyRow.id == row.root_id)
    )
    return kind or KINDS[row.process], kind is not None


@dataclass(frozen=True, kw_only=True)
class DepartureFilter:
    """Which departures a program asks for."""

    realm: str = "live"
    site: int | None = None
    channel: int | None = None
    process: str | None = None
    code: str | None = None
    covered: bool | None = None
    since: date | None = None


def departing_journeys(
    session: Session, actor: Actor, wanted: DepartureFilter, now: datetime, *, after: int, limit: int
) -> list[tuple[int, list[Any]]]:
    """Journeys with such departures by their ids, those after ``after``, each with these departures. Two queries."""
    conditions = [_D.realm == wanted.realm, _D.code.in_(sorted(RULES)), or_(~_D.is_due, _D.occurred_at <= now)]
    for column, value in (
        (_D.site, wanted.site), (_D.channel, wanted.channel), (_D.process, wanted.process), (_D.code, wanted.code),
    ):  # fmt: skip
        if value is not None:
            conditions.append(column == value)
    if wanted.covered is not None:
        # What may still come is neither: nobody is asked about what covers it before it is known to be missing.
        conditions.append(_D.covered_by.is_not(None) if wanted.covered else and_(_D.covered_by.is_(None), ~_D.is_due))
    if wanted.since is not None:
        conditions.append(_D.occurred_on >= wanted.since)
    roots = select(_D.root_id).where(*conditions, _D.root_id > after).distinct().order_by(_D.root_id).limit(limit)
    ids = list(session.execute(within_sites(roots, actor, _D.site)).scalars())
    rows = session.execute(
        select(*(_D[name] for name in _NAMES))
        .where(*conditions, _D.root_id.in_(ids))
        .order_by(_D.root_id, _D.occurred_at, _D.seq, _D.code)
    )
    found: dict[int, list[Any]] = {root: [] for root in ids}
    for row in rows:
        found[row.root_id].append(row)
    return list(found.items())
