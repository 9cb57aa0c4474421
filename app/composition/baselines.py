"""How a baseline is computed: a figure over a period of a realm, by the very formula that later readings use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.composition.calendars import SiteCalendars
from app.composition.measuring import SiteRecords
from app.composition.planning import require_person
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Entity, Realm, Site
from readiness.measures.baselines import (
    KeepReading,
    NameOwner,
    TypeBaseline,
    check_period,
    keep_reading,
    may_record,
    name_owners,
    type_baselines,
)
from readiness.measures.models import BaselineRow
from readiness.measures.plans import Asked
from readiness.measures.queries import read_between
from readiness.measures.scopes import Scope

__all__ = ["record_typed", "say_who_answers", "take_baseline"]


@dataclass(frozen=True, kw_only=True)
class TakeBaseline:
    """A figure from ``period_from`` until before ``period_until`` in a realm; ``site`` is a live one, ``None``: all."""

    figure: str
    realm: str
    site: int | None
    period_from: date
    period_until: date
    method: str


def take_baseline(work: UnitOfWork, command: TakeBaseline) -> BaselineRow:
    """Compute a figure over the period and keep it. In another realm than *live* the twins of the site are read.

    Raises ``RuleBroken`` where the site has no twin there, nothing was measured, or the period is younger than the
    measure's maturity.
    """
    may_record(work, command.site)
    if command.realm not in {Realm.LIVE, Realm.LEGACY, Realm.REHEARSAL}:
        raise RuleBroken("baseline_realm", field="realm", realm=command.realm)
    check_period(work, command.period_from, command.period_until)
    scope = Scope(realm=command.realm, sites=_sites(work, command), name="baseline")
    reading = read_between(
        work.session, Asked(key=command.figure, scope=scope), start=command.period_from, end=command.period_until,
        as_of=work.now, calendars=SiteCalendars(work.session),
    )  # fmt: skip
    kept = KeepReading(
        site=command.site, period_from=command.period_from, period_until=command.period_until, method=command.method,
        reading=reading,
    )  # fmt: skip
    return keep_reading(work, kept)


def _sites(work: UnitOfWork, command: TakeBaseline) -> frozenset[int]:
    if command.site is None:
        return frozenset()
    _live_site(work, command.site)
    if command.realm == Realm.LIVE:
        return frozenset({command.site})
    twins = SiteRecords(work.session).twins(command.realm, [command.site])
    if not twins:
        raise RuleBroken("baseline_no_twin", field="realm", realm=command.realm)
    return twins


def record_typed(work: UnitOfWork, command: TypeBaseline) -> BaselineRow:
    """Keep a baseline that somebody brings along, of a live site or of all."""
    may_record(work, command.site)
    if command.site is not None:
        _live_site(work, command.site)
    return type_baselines(work, [command])[0]


def _live_site(work: UnitOfWork, site: int) -> None:
    found = work.session.get(Site, site)
    if found is None or work.session.get_one(Entity, found.entity_id).realm != Realm.LIVE:
        raise RuleBroken("site_not_live", field="site", site=site)


def say_who_answers(work: UnitOfWork, command: NameOwner) -> None:
    """Name the owner of a measure: somebody with an open account."""
    if command.person is not None:
        require_person(work, command.person, field="person")
    name_owners(work, [command])
