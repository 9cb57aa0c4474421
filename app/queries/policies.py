"""Which policy points are there, where does one depart from its standard, and what would run at a place?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.security.scopes import within_companies
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from erpcore.masterdata.models import Channel, CustomerGroup, Entity, ItemGroup, Realm, Site
from erpcore.ports import POLICY_POINTS, PolicyPoint, Ruleset
from erpcore.ports.points import DIMENSIONS
from governance.variants.flow import AGREED, VariantState
from governance.variants.models import Variant, VariantValue
from governance.variants.queries import standards_at, unfit_variants
from governance.variants.validity import Standing, facts_of, standing

#: The newest values of a point that its page shows besides those that hold, begin or wait.
MOST_PAST = 100
#: The dimensions of a scope with their tables, the most specific first.
SCOPE_TABLES: Mapping[str, Any] = {
    "item_group": ItemGroup, "customer_group": CustomerGroup, "channel": Channel, "site": Site, "entity": Entity,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ScopePart:
    """One dimension that a value names, with the name that people know."""

    dimension: str
    id: int
    code: str
    name: str


@dataclass(frozen=True, kw_only=True)
class ValueRow:
    """A value of a variant, with the names of its scope. ``id`` is the variant's, ``standing`` its state or what became of it."""

    id: int
    code: str
    title: str
    point: str
    value: Any
    scope: tuple[ScopePart, ...]
    valid_from: datetime
    valid_until: datetime | None
    state: str
    standing: str
    version: int
    reason: str
    requested_by: int
    requested_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decision_reason: str | None
    ended_by: int | None
    ended_at: datetime | None
    end_reason: str | None

    @property
    def shown(self) -> str:
        """The value as people read it; a point that is no more has its value as it is kept."""
        point = POLICY_POINTS.get(self.point)
        return point.shown(self.value) if point is not None else str(self.value)

    @property
    def where(self) -> str:
        """For whom it holds, the most specific first: ``Fittings, wholesale, Duisburg``."""
        return ", ".join(part.name for part in self.scope) or "everybody"


@dataclass(frozen=True, kw_only=True)
class PointRow:
    """A point with its standard, the values that hold now, those that begin later, and those that wait for a decision."""

    point: PolicyPoint
    standard: Any
    holding: tuple[ValueRow, ...]
    later: tuple[ValueRow, ...]
    waiting: tuple[ValueRow, ...]


@dataclass(frozen=True, kw_only=True)
class PointPage:
    """One point with all its values; ``past`` are the newest of those that ended or never held."""

    row: PointRow
    past: tuple[ValueRow, ...]


@dataclass(frozen=True, kw_only=True)
class ValueStep:
    """What somebody did with a value; the role as it was then."""

    move: str
    to_state: str
    at: datetime
    actor: int
    role: str
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class RunningRule:
    """What holds at a point, and the approved value that set it; ``None``: the standard."""

    point: PolicyPoint
    value: Any
    origin: ValueRow | None

    @property
    def shown(self) -> str:
        return self.point.shown(self.value)


@dataclass(frozen=True, kw_only=True)
class Picks:
    """What a scope may name: live companies and sites that the person sees, all channels and groups, as (id, name)."""

    entity: tuple[tuple[int, str], ...]
    site: tuple[tuple[int, str], ...]
    channel: tuple[tuple[int, str], ...]
    customer_group: tuple[tuple[int, str], ...]
    item_group: tuple[tuple[int, str], ...]

    def of(self, dimension: str) -> tuple[tuple[int, str], ...]:
        found: tuple[tuple[int, str], ...] = getattr(self, dimension)
        return found


def scope_picks(session: Session, actor: Actor) -> Picks:
    """Five short queries."""
    found: dict[str, tuple[tuple[int, str], ...]] = {}
    for name, table in SCOPE_TABLES.items():
        query: Any = select(table.id, table.name).order_by(table.name, table.id)
        if name == "entity":
            query = query.where(Entity.realm == Realm.LIVE)
            query = within_companies(query, actor, Entity.id)
        if name == "site":
            query = query.join(Entity, Entity.id == Site.entity_id).where(Entity.realm == Realm.LIVE)
            if actor.sites is not None:
                query = query.where(Site.id.in_(sorted(actor.sites)))
        found[name] = tuple((row.id, row.name) for row in session.execute(query))
    return Picks(**found)


def _query() -> Any:
    """Every value with the codes and names of what its scope names: one query."""
    query: Any = select(Variant, VariantValue.point, VariantValue.value)
    query = query.join(VariantValue, VariantValue.variant_id == Variant.id)
    for name, table in SCOPE_TABLES.items():
        query = query.add_columns(table.code.label(f"{name}_code"), table.name.label(f"{name}_name"))
        query = query.outerjoin(table, table.id == getattr(Variant, f"{name}_id"))
    return query


def seen_by(query: Any, actor: Actor) -> Any:
    """Kept to what concerns the sites that the person sees: values for another site or company do not exist to them."""
    if actor.sites is None:
        return query
    mine = sorted(actor.sites)
    companies = select(Site.entity_id).where(Site.id.in_(mine))
    return query.where(
        or_(Variant.site_id.is_(None), Variant.site_id.in_(mine)),
        or_(Variant.entity_id.is_(None), Variant.entity_id.in_(companies)),
    )


_COPIED = (
    "id", "code", "title", "valid_from", "valid_until", "state", "version", "reason", "requested_by", "requested_at",
    "decided_by", "decided_at", "decision_reason", "ended_by", "ended_at", "end_reason",
)  # fmt: skip


def scope_parts(found: Any, variant: Variant) -> tuple[ScopePart, ...]:
    """What a variant names, from a row with the codes and names of its dimensions."""
    return tuple(
        ScopePart(
            dimension=name, id=key, code=getattr(found, f"{name}_code") or "",
            name=getattr(found, f"{name}_name") or f"{name.replace('_', ' ')} {key}",
        )
        for name in DIMENSIONS
        if (key := getattr(variant, f"{name}_id")) is not None
    )  # fmt: skip


def _row(found: Any, now: datetime, unfit: Collection[int]) -> ValueRow:
    value: Variant = found.Variant
    return ValueRow(
        point=found.point, value=orjson.loads(found.value), scope=scope_parts(found, value),
        standing=standing(facts_of(value, value.id not in unfit), now),
        **{name: getattr(value, name) for name in _COPIED},
    )  # fmt: skip


def _grouped(point: PolicyPoint, standard: Any, rows: Iterable[ValueRow]) -> PointRow:
    by: dict[str, list[ValueRow]] = {}
    for row in rows:
        by.setdefault(row.standing, []).append(row)
    return PointRow(
        point=point, standard=standard, holding=tuple(by.get(Standing.EFFECTIVE, ())),
        later=tuple(by.get(Standing.LATER, ())), waiting=tuple(by.get(Standing.SUBMITTED, ())),
    )  # fmt: skip


#: Where a variant may still come to hold, or holds.
_OPEN = (*AGREED, VariantState.SUBMITTED)


def _alive(now: datetime) -> Any:
    return and_(Variant.state.in_(_OPEN), or_(Variant.valid_until.is_(None), Variant.valid_until > now))


def policy_points(session: Session, actor: Actor, now: datetime) -> list[PointRow]:
    """Every point of the catalogue with where it departs. Three queries."""
    query, unfit = seen_by(_query(), actor).where(_alive(now)), unfit_variants(session)
    standards = standards_at(session, now, unfit=unfit)
    rows: dict[str, list[ValueRow]] = {}
    for found in session.execute(query.order_by(Variant.valid_from, Variant.id)):
        row = _row(found, now, unfit)
        rows.setdefault(row.point, []).append(row)
    return [
        _grouped(point, standards.get(name, point.standard), rows.get(name, ()))
        for name, point in POLICY_POINTS.items()
    ]


def point_page(session: Session, actor: Actor, name: str, now: datetime) -> PointPage:
    """One point with its values; raises ``NotFound`` for one that the core does not have."""
    if name not in POLICY_POINTS:
        raise NotFound("policy_point_unknown", field="point", point=name)
    query = seen_by(_query(), actor).where(VariantValue.point == name)
    current = session.execute(query.where(_alive(now)).order_by(Variant.valid_from, Variant.id)).all()
    past = session.execute(
        query.where(~_alive(now), Variant.state != VariantState.DRAFT).order_by(Variant.id.desc()).limit(MOST_PAST)
    )
    unfit = unfit_variants(session)
    standard = standards_at(session, now, unfit=unfit).get(name, POLICY_POINTS[name].standard)
    return PointPage(
        row=_grouped(POLICY_POINTS[name], standard, [_row(found, now, unfit) for found in current]),
        past=tuple(_row(found, now, unfit) for found in past),
    )


def values_by_id(session: Session, ids: Collection[int], now: datetime) -> dict[int, ValueRow]:
    """These variants with their names, one query; whoever sees the document sees what set its rules."""
    if not ids:
        return {}
    rows = session.execute(_query().where(Variant.id.in_(sorted(ids))).order_by(Variant.id, VariantValue.point)).all()
    unfit = unfit_variants(session)
    return {found.Variant.id: _row(found, now, unfit) for found in reversed(rows)}


def value_steps(session: Session, ids: Collection[int]) -> dict[int, list[ValueStep]]:
    """Who did what with these variants, newest first, also before the register was there. One query."""
    found: dict[int, list[ValueStep]] = {key: [] for key in ids}
    if not found:
        return found
    rows = session.scalars(
        select(Transition)
        .where(Transition.document_type.in_(("variant", "policy_value")), Transition.document_id.in_(sorted(found)))
        .order_by(Transition.id.desc())
    )
    for one in rows:
        found[one.document_id].append(
            ValueStep(
                move=one.move, to_state=one.to_state, at=one.at, actor=one.actor, role=one.role, reason=one.reason
            )
        )
    return found


def running(session: Session, ruleset: Ruleset, now: datetime) -> list[RunningRule]:
    """A ruleset point by point, each with the variant that set it. Two queries, none where all is standard."""
    origins = values_by_id(session, set(ruleset.origins.values()), now)
    return [
        RunningRule(point=point, value=ruleset[name], origin=origins.get(ruleset.origins.get(name, 0)))
        for name, point in POLICY_POINTS.items()
    ]
