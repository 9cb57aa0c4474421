"""What do the pages of conformance show? How each process keeps to its standard, where it leaves it, and whether that drifts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from statistics import median_low

from sqlalchemy import ColumnElement, case, func, select, text
from sqlalchemy.orm import Session

from app.composition.calendars import SiteCalendars
from app.queries.journey_pages import numbers_of
from app.queries.measures_pages import WEEKS, Filter, Place, places, scope_of
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from readiness.conformance.catalogue import PROCESSES, RULES, Process, Rule
from readiness.conformance.contributions import OVERDUE
from readiness.conformance.drilldown import KINDS
from readiness.conformance.journeys import Standing, steps_from_text
from readiness.conformance.models import ConformanceRow, DeviationRow
from readiness.measures import catalogue as c
from readiness.measures.drilldown import in_scope
from readiness.measures.plans import Asked
from readiness.measures.queries import read_with_weeks
from readiness.measures.reading import Reading
from readiness.measures.scopes import Scope, load_slices, matching

_C = ConformanceRow.__table__.c
_D = DeviationRow.__table__.c
#: How many journeys the picture of the flow is made of: the youngest of the window.
MOST_FLOWING = 5_000
_EXAMPLES = 3
CLASSES = (Standing.CONFORMING.value, Standing.COVERED.value, Standing.UNCOVERED.value, OVERDUE)


@dataclass(frozen=True, kw_only=True)
class Example:
    """A journey in which a departure was found."""

    root: int
    kind: str
    number: str | None
    site: int | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Departure:
    """How often a rule was departed from in the window: with nothing that covers it, under a variant, and what is past due and
    still waits: of these nobody was asked yet whether anything covers them. ``before``: uncovered ones of the window before.
    """

    rule: Rule
    process: str
    uncovered: int
    covered: int
    waiting: int
    before: int
    journeys: int
    examples: tuple[Example, ...] = ()

    @property
    def open(self) -> int:
        """What is known to have no variant."""
        return self.uncovered


@dataclass(frozen=True, kw_only=True)
class Line:
    """A process: its share on the path, of how many journeys of each class, and the share of the window before."""

    process: Process
    reading: Reading
    classes: Mapping[str, int]
    before: tuple[int, int]
    weeks: tuple[tuple[date, Reading], ...]
    departures: tuple[Departure, ...]


@dataclass(frozen=True, kw_only=True)
class HeatCell:
    """Uncovered departures of a process at a site, and the steps that were executed there."""

    uncovered: int
    steps: int


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All processes of the scope, and each site beside each other."""

    lines: tuple[Line, ...]
    heat: Mapping[tuple[int, str], HeatCell]
    sites: tuple[Place, ...]
    channels: tuple[Place, ...]
    scope: Scope
    start: date
    end: date


def overview(session: Session, wanted: Filter, actor: Actor, now: datetime, *, only: str | None = None) -> Overview:
    """Every process, or ``only`` one, with its departures. About twenty queries, however many there are.

    Raises ``NotFound`` for a process that has no rules.
    """
    if only is not None and only not in PROCESSES:
        raise NotFound("not_found")
    keys = [only] if only else list(PROCESSES)
    sites, channels = places(session, actor, wanted.realm)
    scope = scope_of(wanted, sites, actor)
    asked = [
        Asked(key="conformance", scope=replace(scope, process=key), window_days=wanted.window, dimension=dimension)
        for key in keys
        for dimension in (None, *CLASSES)
    ]
    found = read_with_weeks(
        session, asked, weeks=WEEKS, as_of=now, calendars=SiteCalendars(session), intervals=bool(only)
    )
    start, end = window_of(found[0][0])
    heat, shares = _by_site(session, scope, keys, start, end)
    departures = departures_of(session, scope, keys, start, end, now)
    each = 1 + len(CLASSES)
    lines = [
        Line(
            process=PROCESSES[key], reading=found[n * each][0], weeks=tuple(found[n * each][1]),
            classes={
                word: int(found[n * each + 1 + at][0].numerator or 0) for at, word in enumerate(CLASSES)
            },
            before=shares.get(key, (0, 0)), departures=tuple(departures.get(key, ())),
        )
        for n, key in enumerate(keys)
    ]  # fmt: skip
    shown = tuple(site for site in sites if not scope.sites or site.id in scope.sites)
    return Overview(
        lines=tuple(lines), heat=heat, sites=shown, channels=tuple(channels), scope=scope, start=start, end=end
    )


def window_of(reading: Reading) -> tuple[date, date]:
    """The whole days that a reading of journeys counts, half open."""
    start, end = reading.window.start, reading.window.end
    if start is None or end is None:
        raise ValueError(f"{reading.measure} is not read by days")
    return start, end


def _by_site(
    session: Session, scope: Scope, keys: Iterable[str], start: date, end: date
) -> tuple[dict[tuple[int, str], HeatCell], dict[str, tuple[int, int]]]:
    """Uncovered and executed steps by site and process, and by process the journeys on the path and all of the window before.

    Two queries of sums, none of journeys.
    """
    measure = c.MEASURES["conformance"]
    slices = {one.id: one for one in matching(load_slices(session.connection(), {scope.realm}), scope, measure)}
    slices = {key: one for key, one in slices.items() if one.process in set(keys)}
    first, last, earlier = start.toordinal(), end.toordinal(), start.toordinal() - (end - start).days
    query = text(
        "SELECT slice_id, measure_id, SUM(x), SUM(y) FROM measure_bucket WHERE dimension = '' AND "
        "((measure_id = :steps AND period >= :first AND period < :last) OR "
        "(measure_id = :share AND period >= :earlier AND period < :first)) GROUP BY slice_id, measure_id"
    )
    values = {
        "steps": c.UNREGISTERED_DEVIATION_SHARE, "share": c.CONFORMANCE, "first": first, "last": last, "earlier": earlier,
    }  # fmt: skip
    heat: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    shares: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for slice_id, measure_id, x, y in session.execute(query, values):
        one = slices.get(slice_id)
        if one is None:
            continue
        if measure_id == c.CONFORMANCE:
            _add(shares[one.process], int(x), int(y))
        elif one.site is not None:
            _add(heat[one.site, one.process], int(x), int(y))
    cells = {place: HeatCell(uncovered=x, steps=y) for place, (x, y) in heat.items() if y}
    return cells, {key: (x, y) for key, (x, y) in shares.items()}


def _add(sums: list[int], x: int, y: int) -> None:
    sums[0] += x
    sums[1] += y


def departures_of(
    session: Session,
    scope: Scope,
    keys: Sequence[str],
    start: date,
    end: date,
    now: datetime,
    *,
    examples: int = _EXAMPLES,
) -> dict[str, list[Departure]]:
    """By process its departures, the most frequent without a variant first, each with its youngest examples. Few queries."""
    earlier = start - (end - start)
    inside = [
        *in_scope(DeviationRow.__table__, scope), _D.process.in_(keys), _D.occurred_on < end,
        (~_D.is_due) | (_D.occurred_at <= now),
    ]  # fmt: skip
    is_now, is_bare = _D.occurred_on >= start, _D.covered_by.is_(None)
    query = (
        select(
            _D.process, _D.code,
            func.count().filter(is_now & is_bare & ~_D.is_due).label("uncovered"),
            func.count().filter(is_now & ~is_bare).label("covered"),
            func.count().filter(is_now & _D.is_due).label("waiting"),
            func.count().filter(~is_now & is_bare & ~_D.is_due).label("before"),
            func.count(func.distinct(case((is_now, _D.root_id)))).label("journeys"),
        )
        .where(*inside, _D.occurred_on >= earlier)
        .group_by(_D.process, _D.code)
    )  # fmt: skip
    rows = session.execute(query).all()
    shown = _examples(session, [*inside, is_now, is_bare, ~_D.is_due], examples) if rows and examples else {}
    out: dict[str, list[Departure]] = defaultdict(list)
    for row in rows:
        rule = RULES.get(row.code)
        if rule is not None:
            out[row.process].append(
                Departure(
                    rule=rule, process=row.process, uncovered=row.uncovered, covered=row.covered, waiting=row.waiting,
                    before=row.before, journeys=row.journeys, examples=tuple(shown.get((row.process, row.code), ())),
                )
            )  # fmt: skip
    for found in out.values():
        found.sort(key=lambda one: (-one.open, -one.covered, -one.before, one.rule.code))
    return out


def _examples(
    session: Session, inside: Sequence[ColumnElement[bool]], most: int
) -> dict[tuple[str, str], list[Example]]:
    """The youngest uncovered departures of each rule, with the numbers of their documents."""
    nth = func.row_number().over(partition_by=(_D.process, _D.code), order_by=(_D.occurred_at.desc(), _D.root_id))
    ranked = (
        select(_D.process, _D.code, _D.root_id, _D.site, _D.occurred_at, nth.label("nth")).where(*inside).subquery()
    )
    rows = session.execute(select(ranked).where(ranked.c.nth <= most).order_by(ranked.c.nth)).all()
    numbers = numbers_of(session, [(KINDS[row.process], row.root_id) for row in rows])
    out: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for row in rows:
        kind = KINDS[row.process]
        out[row.process, row.code].append(
            Example(
                root=row.root_id, kind=kind, number=numbers.get((kind, row.root_id)), site=row.site, at=row.occurred_at
            )
        )
    return out


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A step that most journeys go through: how many reached it, and the median days since the stage before."""

    name: str
    reached: int
    median: timedelta | None


@dataclass(frozen=True, kw_only=True)
class Flow:
    """The youngest journeys of a window, from stage to stage. ``is_part``: there are more than were looked at."""

    journeys: int
    stages: tuple[Stage, ...]
    is_part: bool


def flow_of(session: Session, scope: Scope, process: Process, start: date, end: date) -> Flow:
    """How far the journeys that began in the window have come. One query."""
    shift = timedelta(days=process.overdue_days)
    query = (
        select(_C.steps)
        .where(
            *in_scope(ConformanceRow.__table__, scope), _C.process == process.key, _C.due_on >= start + shift,
            _C.due_on < end + shift,
        )
        .order_by(_C.due_on.desc(), _C.root_id.desc())
        .limit(MOST_FLOWING + 1)
    )  # fmt: skip
    found = session.execute(query).scalars().all()
    waits: list[list[int]] = [[] for _ in process.stages]
    reached = [0 for _ in process.stages]
    for steps in found[:MOST_FLOWING]:
        first: dict[int, int] = {}
        for at, _, activity, *_rest in steps_from_text(steps):
            first.setdefault(activity, at)
        before = None
        for n, (_, activity) in enumerate(process.stages):
            at_stage = first.get(activity)
            if at_stage is None:
                continue
            reached[n] += 1
            if before is not None:
                waits[n].append(at_stage - before)
            before = at_stage
    stages = [
        Stage(name=name, reached=reached[n], median=_median(waits[n])) for n, (name, _) in enumerate(process.stages)
    ]
    return Flow(journeys=min(len(found), MOST_FLOWING), stages=tuple(stages), is_part=len(found) > MOST_FLOWING)


def _median(times: list[int]) -> timedelta | None:
    """The lower median, ``None`` of nothing."""
    return timedelta(microseconds=median_low(times)) if times else None
