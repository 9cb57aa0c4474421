"""When did each variant hold, and what ran under it? What the pages on the whole register are made of; sums, never documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import and_, func, or_, select, text
from sqlalchemy.orm import Session

from app.queries.policies import SCOPE_TABLES, ScopePart, scope_parts, seen_by
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.masterdata.models import Site, StoredRuleset
from erpcore.ports import POLICY_POINTS
from governance.variants.flow import AGREED, VariantState
from governance.variants.kinds import Kind
from governance.variants.models import Variant, VariantDeviation, VariantValue
from governance.variants.queries import unfit_variants
from governance.variants.register import Scope, scope_of
from governance.variants.validity import Facts, is_valid
from readiness.conformance.models import DeviationRow
from readiness.measures import catalogue as c

#: Agreed, and ended since: until then it held.
ENDED = (VariantState.RETIRED, VariantState.REVOKED)
#: The process that a policy point belongs to, where a variant does not name its step.
PROCESS_OF_AREA: Mapping[str, str] = {
    "Orders": "order_to_cash", "Prices": "order_to_cash", "Credit": "order_to_cash",
    "Sourcing and promise": "order_to_cash", "Warehouse": "warehouse",
}  # fmt: skip
#: What ran so lately counts as lately; a variant in force for so long under which nothing ran could go.
UNUSED_AFTER = timedelta(days=30)
#: What a variant is of whose process nobody named.
NO_PROCESS = ""


def process_of_point(name: str) -> str:
    """The process that the core asks the point in; "" for one that it does not have any more."""
    point = POLICY_POINTS.get(name)
    return NO_PROCESS if point is None else PROCESS_OF_AREA.get(point.area, "order_to_cash")


def of_process(wanted: str) -> Any:
    """Variants of a process or of a step of it; where no step is named, those whose first policy point is asked there."""
    first = select(func.min(VariantValue.point)).where(VariantValue.variant_id == Variant.id).scalar_subquery()
    asked = [name for name in POLICY_POINTS if process_of_point(name) == wanted]
    unnamed = or_(Variant.step.is_(None), Variant.step == "")
    return or_(Variant.step == wanted, Variant.step.like(f"{wanted}.%"), and_(unnamed, first.in_(asked)))


def site_name(session: Session, actor: Actor, site: int) -> str:
    """The site as people know it; one that is not theirs to see has no name."""
    if actor.sites is not None and site not in actor.sites:
        return "another site"
    return session.scalar(select(Site.name).where(Site.id == site)) or "no site"


def reaching(site: int) -> Any:
    """Variants under which some document of the site may run: they name it, its company, or no place."""
    company = select(Site.entity_id).where(Site.id == site).scalar_subquery()
    return and_(
        Variant.kind != Kind.STANDARD_CHANGE, or_(Variant.site_id.is_(None), Variant.site_id == site),
        or_(Variant.entity_id.is_(None), Variant.entity_id == company),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Term:
    """A variant that was agreed to, and when it held. ``ends_at`` ``None``: a new standard has no end. ``values`` by point, as
    stored. ``is_fit``: the core has its points and values now.
    """

    id: int
    code: str
    title: str
    kind: str
    step: str | None
    scope: Scope
    parts: tuple[ScopePart, ...]
    zone: str
    state: str
    starts_at: datetime
    ends_at: datetime | None
    owner_left_at: datetime | None
    next_review_on: date | None
    cost_minor: int | None
    cost_currency: str | None
    is_fit: bool
    values: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """For whom it holds, the most specific first."""
        return ", ".join(part.name for part in self.parts) or "everybody"

    @property
    def process(self) -> str:
        """That of its step, else that of its first policy point; "" where neither says it."""
        if self.step:
            return self.step.partition(".")[0]
        return process_of_point(min(self.values)) if self.values else NO_PROCESS

    @property
    def first_day(self) -> date:
        return local_day(self.starts_at, self.zone)

    @property
    def end_day(self) -> date | None:
        return None if self.ends_at is None else local_day(self.ends_at, self.zone)

    def held(self, at: datetime) -> bool:
        """Whether it was in force at this instant, whatever has become of it since."""
        return is_valid(Facts(VariantState.APPROVED, self.starts_at, self.ends_at, self.owner_left_at), at)

    def holds(self, now: datetime) -> bool:
        """Whether it is in force now."""
        return self.state in AGREED and self.is_fit and self.held(now)


def read_terms(session: Session, actor: Actor, *, only: Collection[int] | None = None) -> list[Term]:
    """Every variant that was ever agreed to and that the person sees, by id; ``only`` these where named. Four queries."""
    query: Any = select(Variant).where(Variant.state.in_((*AGREED, *ENDED)))
    for name, table in SCOPE_TABLES.items():
        query = query.add_columns(table.code.label(f"{name}_code"), table.name.label(f"{name}_name"))
        query = query.outerjoin(table, table.id == getattr(Variant, f"{name}_id"))
    if only is not None:
        query = query.where(Variant.id.in_(sorted(only)))
    found = session.execute(seen_by(query, actor).order_by(Variant.id)).all()
    unfit = unfit_variants(session)
    values: dict[int, dict[str, Any]] = defaultdict(dict)
    set_points: Any = select(VariantValue.variant_id, VariantValue.point, VariantValue.value)
    by_hand: Any = select(VariantDeviation.variant_id, VariantDeviation.deviation).order_by(VariantDeviation.deviation)
    if only is not None:
        set_points = set_points.where(VariantValue.variant_id.in_(sorted(only)))
        by_hand = by_hand.where(VariantDeviation.variant_id.in_(sorted(only)))
    for row in session.execute(set_points):
        values[row.variant_id][row.point] = orjson.loads(row.value)
    deviations: dict[int, list[str]] = defaultdict(list)
    for row in session.execute(by_hand):
        deviations[row.variant_id].append(row.deviation)
    return [
        _term(row, values[row.Variant.id], tuple(deviations[row.Variant.id]), row.Variant.id not in unfit)
        for row in found
    ]


def _term(row: Any, values: Mapping[str, Any], deviations: tuple[str, ...], is_fit: bool) -> Term:
    one: Variant = row.Variant
    ends = [at for at in (one.valid_until, one.ended_at) if at is not None]
    return Term(
        id=one.id, code=one.code, title=one.title, kind=one.kind, step=one.step, scope=scope_of(one),
        parts=scope_parts(row, one), zone=one.zone, state=one.state, starts_at=one.valid_from,
        ends_at=min(ends, default=None), owner_left_at=one.owner_left_at, next_review_on=one.next_review_on,
        cost_minor=one.cost_minor, cost_currency=one.cost_currency, is_fit=is_fit, values=values, deviations=deviations,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Use:
    """What ran under a variant: documents stamped with it and steps that it covered, lately and ever; the last day of either.

    ``is_counted`` false: it is set line by line, of which is only known that it was used, from ``last_on`` on at the latest.
    """

    lately: int = 0
    ever: int = 0
    last_on: date | None = None
    is_counted: bool = True


NEVER = Use()
_STAMPED = text(
    "SELECT s.variants, s.site, s.process, SUM(CASE WHEN b.period >= :first THEN b.documents ELSE 0 END) AS lately, "
    "SUM(b.documents) AS ever, MAX(CASE WHEN b.documents > 0 THEN b.period ELSE 0 END) AS last_period "
    "FROM measure_slice s JOIN measure_bucket b ON b.measure_id = :measure AND b.slice_id = s.id AND b.dimension = '' "
    "WHERE s.realm = 'live' AND s.variants <> '' GROUP BY s.variants, s.site, s.process"
)


@dataclass(frozen=True, kw_only=True)
class Stamped:
    """Documents of one class of ruleset at a site, in a process."""

    variants: tuple[int, ...]
    site: int | None
    process: str
    lately: int
    ever: int
    last_on: date | None


def stamped(session: Session, actor: Actor, first: date) -> list[Stamped]:
    """Live documents that carry variants, as far as the person sees their sites; ``lately``: stamped on ``first`` or later.
    One query of sums by day.
    """
    rows = session.execute(_STAMPED, {"first": first.toordinal(), "measure": c.OFF_STANDARD_SHARE})
    return [
        Stamped(
            variants=tuple(int(one) for one in row.variants.split(",")), site=row.site, process=row.process,
            lately=int(row.lately), ever=int(row.ever),
            last_on=date.fromordinal(int(row.last_period)) if row.last_period else None,
        )
        for row in rows
        if actor.sites is None or row.site in actor.sites
    ]  # fmt: skip


def used(session: Session, actor: Actor, terms: Iterable[Term], first: date) -> dict[int, Use]:
    """What ran under each variant; one that is not in it was never used. Three queries.

    What names an item group is set line by line, of which no sums are kept: a ruleset that it had a part in says that it was
    used.
    """
    found: dict[int, Use] = {}
    for one in stamped(session, actor, first):
        for key in one.variants:
            found[key] = _added(found.get(key, NEVER), one.lately, one.ever, one.last_on)
    for key, lately, ever, last_on in _covered(session, actor, first):
        found[key] = _added(found.get(key, NEVER), lately, ever, last_on)
    by_line = {one.id for one in terms if one.scope.item_group is not None and one.id not in found}
    if by_line:
        for key, day in _first_rulesets(session, by_line).items():
            found[key] = Use(last_on=day, is_counted=False)
    return found


def _added(known: Use, lately: int, ever: int, last_on: date | None) -> Use:
    days = [day for day in (known.last_on, last_on) if day is not None]
    return Use(lately=known.lately + lately, ever=known.ever + ever, last_on=max(days, default=None))


def _covered(session: Session, actor: Actor, first: date) -> list[tuple[int, int, int, date | None]]:
    """Steps that a variant covered, by hand: variant, lately, ever, the last day."""
    table = DeviationRow.__table__.c
    query: Any = (
        select(
            table.covered_by, func.count().filter(table.occurred_on >= first).label("lately"), func.count().label("ever"),
            func.max(table.occurred_on).label("last_on"),
        )
        .where(table.covered_by.is_not(None), table.realm == "live")
        .group_by(table.covered_by)
    )  # fmt: skip
    if actor.sites is not None:
        query = query.where(table.site.in_(sorted(actor.sites)))
    return [(row.covered_by, row.lately, row.ever, row.last_on) for row in session.execute(query)]


def _first_rulesets(session: Session, ids: Collection[int]) -> dict[int, date]:
    """The day (UTC) of the last ruleset that each of these variants first had a part in."""
    parts = or_(*(StoredRuleset.origins.like(f"%:{key}%") for key in sorted(ids)))
    found: dict[int, date] = {}
    for row in session.execute(select(StoredRuleset.origins, StoredRuleset.first_used_at).where(parts)):
        day = row.first_used_at.date()
        for key in set(ids) & set(orjson.loads(row.origins).values()):
            found[key] = max(day, found.get(key, day))
    return found
