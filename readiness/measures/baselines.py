"""What did a figure read before the programme, and who answers for it? Kept for good; the last record counts.

A baseline states its method, its period and how complete it is. One that was not made by the same formula, or by an earlier
version of it, is *not comparable*: it is shown as such, and no relative criterion may stand on it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from readiness.measures.baseline_kinds import BaselineKind
from readiness.measures.catalogue import MEASURES, Figure, find_figure
from readiness.measures.models import BaselineRow, MeasureOwnerRow
from readiness.measures.permissions import MeasurePermission
from readiness.measures.reading import Form, Reading

_SHARES = (Form.YES_NO, Form.SHARE)
#: No period begins before this day: there were no figures, and the calendar has an end there.
FIRST_DAY = date(1970, 1, 1)
#: Ids are handed out to each process in blocks: of two records the one with the higher id may be the older one.
_NEWEST = (BaselineRow.recorded_at.desc(), BaselineRow.id.desc())


@dataclass(frozen=True, kw_only=True)
class TypeBaseline:
    """A figure from elsewhere, in base units (0.95; 86,400 s), with where it comes from. ``site`` ``None``: all sites.

    ``is_comparable``: it was made by the same formula; otherwise ``why_not`` says what differs.
    """

    figure: str
    site: int | None
    value: Decimal
    period_from: date
    period_until: date
    completeness: Decimal
    method: str
    source: str
    is_comparable: bool
    why_not: str = ""
    count: int | None = None


@dataclass(frozen=True, kw_only=True)
class KeepReading:
    """A figure that was computed by its own formula over a period of a realm."""

    site: int | None
    period_from: date
    period_until: date
    method: str
    reading: Reading


@dataclass(frozen=True, kw_only=True)
class NameOwner:
    """Who answers for a measure from now on; ``person`` ``None``: nobody any more."""

    measure: str
    person: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class BaselineView:
    """A baseline as it stands; ``is_comparable`` is false too where the formula has changed since."""

    id: int
    figure: Figure
    site: int | None
    kind: BaselineKind
    realm: str | None
    value: Decimal
    count: int | None
    period_from: date
    period_until: date
    completeness: Decimal
    method: str
    source: str
    is_comparable: bool
    why_not: str
    recorded_by: int
    recorded_at: datetime


def may_record(work: UnitOfWork, site: int | None) -> None:
    """Raise ``NotAllowed`` or ``NotFound`` unless the person may; who answers for some sites speaks for none of all."""
    work.actor.require(MeasurePermission.RECORD_BASELINE, site=site)
    if site is None and work.actor.sites is not None:
        raise RuleBroken("baseline_of_all", field="site")


def type_baselines(work: UnitOfWork, commands: Sequence[TypeBaseline]) -> list[BaselineRow]:
    """Keep baselines that people bring along. Raises ``RuleBroken`` for a figure that cannot be, or no source."""
    return [_typed(work, command) for command in commands]


def _typed(work: UnitOfWork, command: TypeBaseline) -> BaselineRow:
    may_record(work, command.site)
    figure = find_figure(command.figure)
    check_period(work, command.period_from, command.period_until)
    if not command.source.strip():
        raise RuleBroken("baseline_source_missing", field="source")
    if not command.is_comparable and not command.why_not.strip():
        raise RuleBroken("baseline_why_not_missing", field="why_not")
    if not 0 <= command.completeness <= 1:
        raise RuleBroken("baseline_completeness", field="completeness")
    if not command.value.is_finite() or abs(command.value) >= Decimal(10) ** 12:
        raise RuleBroken("baseline_absurd", field="value", figure=figure.key)
    if figure.measure.form in _SHARES and not 0 <= command.value <= 1:
        raise RuleBroken("baseline_absurd", field="value", figure=figure.key)
    row = BaselineRow(
        id=work.ids.one(), figure=figure.key, version=figure.measure.version, site_id=command.site, kind=BaselineKind.TYPED,
        value=command.value, count=command.count, period_from=command.period_from, period_until=command.period_until,
        completeness=command.completeness, method=_said(command.method), source=command.source.strip(),
        is_comparable=command.is_comparable, why_not="" if command.is_comparable else command.why_not.strip(),
        recorded_by=work.actor.id, recorded_at=work.now,
    )  # fmt: skip
    return _kept(work, row)


def keep_reading(work: UnitOfWork, command: KeepReading) -> BaselineRow:
    """Keep what was computed as the baseline. Raises ``RuleBroken`` where nothing was measured, or too early to say."""
    may_record(work, command.site)
    check_period(work, command.period_from, command.period_until)
    reading = command.reading
    key = f"{reading.measure}.{reading.statistic}" if reading.statistic else reading.measure
    if reading.stale is not None or reading.value is None or reading.nothing_measured or not reading.reached:
        raise RuleBroken("baseline_nothing_measured", field="period_from", figure=key)
    if reading.provisional:
        raise RuleBroken("baseline_too_young", field="period_until", figure=key)
    days = (command.period_until - command.period_from).days
    share = (Decimal(min(reading.days, days)) / days).quantize(Decimal("0.0001"))
    row = BaselineRow(
        id=work.ids.one(), figure=key, version=reading.version, site_id=command.site, kind=BaselineKind.TAKEN,
        realm=reading.realm, value=reading.value, count=reading.count, period_from=command.period_from,
        period_until=command.period_until, completeness=share, method=_said(command.method),
        source=f"computed from the events of the realm {reading.realm}", is_comparable=True, why_not="",
        recorded_by=work.actor.id, recorded_at=work.now,
    )  # fmt: skip
    return _kept(work, row)


def _kept(work: UnitOfWork, row: BaselineRow) -> BaselineRow:
    work.session.add(row)
    work.audit(
        "baseline.recorded", "measure_baseline", row.id, figure=row.figure, site=row.site_id, value=str(row.value),
        origin=row.kind, comparable=row.is_comparable,
    )  # fmt: skip
    return row


def name_owners(work: UnitOfWork, commands: Sequence[NameOwner]) -> None:
    """Say who answers for measures; one that is theirs already is left alone. Raises ``NotFound`` for an unknown measure."""
    work.actor.require(MeasurePermission.NAME_OWNER)
    known = owners(work.session)
    for command in commands:
        if command.measure not in MEASURES:
            raise NotFound("measure_unknown", measure=command.measure)
        if not command.reason.strip():
            raise RuleBroken("reason_required", field="reason", document="measure", move="name owner")
        if known.get(command.measure) == command.person:
            continue
        row = MeasureOwnerRow(
            id=work.ids.one(), measure=command.measure, person_id=command.person, reason=command.reason.strip(),
            recorded_by=work.actor.id, since=work.now,
        )  # fmt: skip
        work.session.add(row)
        work.audit(
            "measure.owner_named", "measure_owner", row.id, measure=command.measure, before=known.get(command.measure),
            after=command.person, reason=command.reason.strip(),
        )  # fmt: skip


def owners(session: Session) -> dict[str, int]:
    """Who answers for which measure now; one without an owner is missing. One query."""
    newest = (MeasureOwnerRow.since.desc(), MeasureOwnerRow.id.desc())
    nth = func.row_number().over(partition_by=MeasureOwnerRow.measure, order_by=newest).label("nth")
    named = select(MeasureOwnerRow.measure, MeasureOwnerRow.person_id, nth).subquery()
    rows = session.execute(select(named.c.measure, named.c.person_id).where(named.c.nth == 1))
    return {row.measure: row.person_id for row in rows if row.person_id is not None}


def baselines(
    session: Session, sites: Iterable[int | None], *, also: Select[Any] | None = None
) -> dict[tuple[str, int | None], BaselineView]:
    """The baselines that count for these sites (``None``: all together) and those that a query names, by figure and site. One query."""
    wanted = set(sites)
    nth = func.row_number().over(partition_by=(BaselineRow.figure, BaselineRow.site_id), order_by=_NEWEST).label("nth")
    named = BaselineRow.site_id.in_([site for site in wanted if site is not None])
    one_of = or_(named, BaselineRow.site_id.is_(None)) if None in wanted else named
    one_of = one_of if also is None else or_(one_of, BaselineRow.site_id.in_(also))
    ranked = select(BaselineRow.id, nth).where(one_of).subquery()
    rows = session.scalars(select(BaselineRow).join(ranked, ranked.c.id == BaselineRow.id).where(ranked.c.nth == 1))
    return {(row.figure, row.site_id): _view(row) for row in rows if _is_known(row)}


def nearest(
    known: dict[tuple[str, int | None], BaselineView], figure: str, sites: Collection[int]
) -> BaselineView | None:
    """The baseline to show beside a figure of these sites: the site's own where it is one, else that of all together."""
    own = known.get((figure, next(iter(sites)))) if len(sites) == 1 else None
    return own or known.get((figure, None))


def history(session: Session, figure: str) -> list[BaselineView]:
    """Every baseline of a figure that was ever recorded, the newest first. One query."""
    rows = session.scalars(select(BaselineRow).where(BaselineRow.figure == figure).order_by(*_NEWEST))
    return [_view(row) for row in rows if _is_known(row)]


def _is_known(row: BaselineRow) -> bool:
    """A measure that the catalogue no longer has is nothing to compare with."""
    return row.figure.partition(".")[0] in MEASURES


def _view(row: BaselineRow) -> BaselineView:
    figure = find_figure(row.figure)
    is_same = row.version == figure.measure.version
    return BaselineView(
        id=row.id, figure=figure, site=row.site_id, kind=BaselineKind(row.kind), realm=row.realm, value=row.value, count=row.count,
        period_from=row.period_from, period_until=row.period_until, completeness=row.completeness, method=row.method,
        source=row.source, is_comparable=row.is_comparable and is_same,
        why_not=row.why_not if is_same else f"made by version {row.version} of the formula; it is {figure.measure.version} now",
        recorded_by=row.recorded_by, recorded_at=row.recorded_at,
    )  # fmt: skip


def check_period(work: UnitOfWork, since: date, until: date) -> None:
    """Raise ``RuleBroken`` for a period that is none, is not over, or is older than any figure."""
    if since < FIRST_DAY:
        raise RuleBroken("baseline_too_old", field="period_from", first=FIRST_DAY)
    if until <= since:
        raise RuleBroken("end_before_start", field="period_until", starts_on=since, ends_on=until)
    if until > work.now.date():
        raise RuleBroken("baseline_not_over", field="period_until", until=until)


def _said(method: str) -> str:
    if not method.strip():
        raise RuleBroken("baseline_method_missing", field="method")
    return method.strip()
