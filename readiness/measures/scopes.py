"""Which documents does a figure speak for? A scope names dimensions; the slices that fit it are summed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from erpcore.kernel.clock import local_day
from readiness.measures.measure import Measure
from readiness.measures.ports import NO_SITE, Calendars, SiteCalendar


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Dimensions to read; what is left empty is not asked for. Sites are those of the realm: a rehearsal's are the twins.

    ``cells`` (site, channel) narrows sites and channels down to these pairs, where a scope is no rectangle. ``variants`` is
    a class of ruleset: the sorted ids of its variants, "" for the standard alone; ``classes`` are several of them. ``name`` is
    what a reading calls it.
    """

    realm: str = "live"
    entities: frozenset[int] = frozenset()
    sites: frozenset[int] = frozenset()
    channels: frozenset[int] = frozenset()
    cells: frozenset[tuple[int, int | None]] = frozenset()
    process: str | None = None
    customer_group: int | None = None
    variants: str | None = None
    classes: frozenset[str] | None = None
    grant: int | None = None
    name: str = ""


class Slice(NamedTuple):
    """A row of ``measure_slice``."""

    id: int
    realm: str
    entity: int
    site: int | None
    channel: int | None
    process: str
    variants: str
    grant: int | None
    currency: str | None


def load_slices(connection: Connection, realms: Collection[str]) -> list[Slice]:
    """Every slice of these realms: some hundreds of rows, read once for all figures of a page or a gate."""
    rows = connection.execute(
        text("SELECT id, realm, entity, site, channel, process, variants, grant_id, currency FROM measure_slice")
    )
    return [found for row in rows if (found := Slice(*row)).realm in realms]


def matching(slices: Iterable[Slice], scope: Scope, measure: Measure) -> list[Slice]:
    """The slices that a figure of this measure sums for this scope."""
    channels = scope.channels if measure.by_channel else frozenset()
    return [
        one
        for one in slices
        if one.realm == scope.realm
        and (not scope.entities or one.entity in scope.entities)
        and (not scope.sites or one.site in scope.sites)
        and (not channels or one.channel in channels)
        and (not channels or not scope.cells or (one.site, one.channel) in scope.cells)
        and (scope.process is None or one.process == scope.process)
        and (scope.variants is None or one.variants == scope.variants)
        and (scope.classes is None or one.variants in scope.classes)
        and (scope.grant is None or one.grant == scope.grant)
    ]


def is_marker(one: Slice) -> bool:
    """Whether only samples mark it: a site's, whatever the channel, process and rules of what stands there."""
    return one.process == "" and one.channel is None and one.variants == "" and one.grant is None


def marking(slices: Iterable[Slice], scope: Scope) -> list[Slice]:
    """The slices that say when the sites of this scope were sampled."""
    cells = {site for site, _ in scope.cells}
    return [
        one
        for one in slices
        if is_marker(one)
        and one.realm == scope.realm
        and (not scope.entities or one.entity in scope.entities)
        and (not scope.sites or one.site in scope.sites)
        and (not cells or one.site in cells)
    ]


class SiteDays:
    """What day it is at each site, and its calendar; read once per set of readings."""

    def __init__(self, as_of: datetime, calendars: Calendars | None, sites: Collection[int]) -> None:
        self.as_of = as_of
        self._calendars = dict(calendars.of_sites(sites)) if calendars is not None and sites else {}

    def calendar(self, site: int | None) -> SiteCalendar:
        return self._calendars.get(site, NO_SITE) if site is not None else NO_SITE

    def today(self, site: int | None) -> date:
        return local_day(self.as_of, self.calendar(site).time_zone)

    def by_day(self, slices: Sequence[Slice]) -> dict[date, tuple[int, ...]]:
        """The slices' ids by the day it is where they are: one group, or two across the date line of midnight."""
        groups: dict[date, list[int]] = {}
        days: dict[int | None, date] = {}
        for one in slices:
            day = days.get(one.site) or days.setdefault(one.site, self.today(one.site))
            groups.setdefault(day, []).append(one.id)
        return {day: tuple(ids) for day, ids in groups.items()}
