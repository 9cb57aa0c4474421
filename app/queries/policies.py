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
from governance.policies.flow import ValueState
from governance.policies.models import PolicyValue

#: The newest values of a point that its page shows besides those that hold, begin or wait.
MOST_PAST = 100
_TABLES: Mapping[str, Any] = {
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
    """A value that was asked for, with the names of its scope. ``standing`` is its state, or what the time made of it."""

    id: int
    point: str
    value: Any
    scope: tuple[ScopePart, ...]
    valid_from: datetime
    valid_until: datetime
    state: str
    standing: str
    version: int
    reason: str
    requested_by: int
    requested_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decision_reason: str | None
    revoked_by: int | None
    revoked_at: datetime | None
    revoke_reason: str | None

    @property
    def shown(self) -> str:
        """The value as people read it; a point that is no more has its value as it is kept."""
        point = POLICY_POINTS.get(self.point)
        return point.shown(self.value) if point is not None else str(self.value)

    @property
    def where(self) -> str:
        """For whom it holds, the most specific first: ``Fittings, wholesale, Duisburg``."""
        return ", ".join(part.name for part in self.scope)


@dataclass(frozen=True, kw_only=True)
class PointRow:
    """A point with the values that hold now, those that begin later, and those that wait for a decision."""

    point: PolicyPoint
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
    for name, table in _TABLES.items():
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
    query: Any = select(PolicyValue)
    for name, table in _TABLES.items():
        query = query.add_columns(table.code.label(f"{name}_code"), table.name.label(f"{name}_name"))
        query = query.outerjoin(table, table.id == getattr(PolicyValue, f"{name}_id"))
    return query


def _seen_by(query: Any, actor: Actor) -> Any:
    """Kept to what concerns the sites that the person sees: values for another site or company do not exist to them."""
    if actor.sites is None:
        return query
    mine = sorted(actor.sites)
    companies = select(Site.entity_id).where(Site.id.in_(mine))
    return query.where(
        or_(PolicyValue.site_id.is_(None), PolicyValue.site_id.in_(mine)),
        or_(PolicyValue.entity_id.is_(None), PolicyValue.entity_id.in_(companies)),
    )


def _standing(value: PolicyValue, now: datetime) -> str:
    if value.state != ValueState.APPROVED:
        return "over" if value.state == ValueState.REQUESTED and value.valid_until <= now else value.state
    if now < value.valid_from:
        return "later"
    return "holds" if now < value.valid_until else "ended"


_COPIED = (
    "id", "point", "valid_from", "valid_until", "state", "version", "reason", "requested_by", "requested_at", "decided_by",
    "decided_at", "decision_reason", "revoked_by", "revoked_at", "revoke_reason",
)  # fmt: skip


def _row(found: Any, now: datetime) -> ValueRow:
    value: PolicyValue = found.PolicyValue
    scope = tuple(
        ScopePart(
            dimension=name, id=key, code=getattr(found, f"{name}_code") or "",
            name=getattr(found, f"{name}_name") or f"{name.replace('_', ' ')} {key}",
        )
        for name in DIMENSIONS
        if (key := getattr(value, f"{name}_id")) is not None
    )  # fmt: skip
    return ValueRow(
        value=orjson.loads(value.value), scope=scope, standing=_standing(value, now),
        **{name: getattr(value, name) for name in _COPIED},
    )  # fmt: skip


def _grouped(point: PolicyPoint, rows: Iterable[ValueRow]) -> PointRow:
    by: dict[str, list[ValueRow]] = {}
    for row in rows:
        by.setdefault(row.standing, []).append(row)
    return PointRow(
        point=point, holding=tuple(by.get("holds", ())), later=tuple(by.get("later", ())),
        waiting=tuple(by.get("requested", ())),
    )  # fmt: skip


def policy_points(session: Session, actor: Actor, now: datetime) -> list[PointRow]:
    """Every point of the catalogue with where it departs. One query."""
    query = _seen_by(_query(), actor).where(
        PolicyValue.state.in_((ValueState.APPROVED, ValueState.REQUESTED)), PolicyValue.valid_until > now
    )
    rows: dict[str, list[ValueRow]] = {}
    for found in session.execute(query.order_by(PolicyValue.valid_from, PolicyValue.id)):
        row = _row(found, now)
        rows.setdefault(row.point, []).append(row)
    return [_grouped(point, rows.get(name, ())) for name, point in POLICY_POINTS.items()]


def point_page(session: Session, actor: Actor, name: str, now: datetime) -> PointPage:
    """One point with its values, two queries; raises ``NotFound`` for one that the core does not have."""
    if name not in POLICY_POINTS:
        raise NotFound("policy_point_unknown", field="point", point=name)
    query = _seen_by(_query(), actor).where(PolicyValue.point == name)
    alive = and_(
        PolicyValue.state.in_((ValueState.APPROVED, ValueState.REQUESTED)), PolicyValue.valid_until > now
    )  # fmt: skip
    current = session.execute(query.where(alive).order_by(PolicyValue.valid_from, PolicyValue.id))
    past = session.execute(query.where(~alive).order_by(PolicyValue.id.desc()).limit(MOST_PAST))
    return PointPage(
        row=_grouped(POLICY_POINTS[name], [_row(found, now) for found in current]),
        past=tuple(_row(found, now) for found in past),
    )


def value_row(session: Session, actor: Actor, value_id: int, now: datetime) -> ValueRow:
    """One value; raises ``NotFound`` for an unknown one and for another site's."""
    found = session.execute(_seen_by(_query(), actor).where(PolicyValue.id == value_id)).one_or_none()
    if found is None:
        raise NotFound("policy_value_unknown", value=value_id)
    return _row(found, now)


def values_by_id(session: Session, ids: Collection[int], now: datetime) -> dict[int, ValueRow]:
    """These values with their names, one query; whoever sees the document sees what set its rules."""
    if not ids:
        return {}
    rows = session.execute(_query().where(PolicyValue.id.in_(sorted(ids))))
    return {found.PolicyValue.id: _row(found, now) for found in rows}


def values_after(
    session: Session, actor: Actor, now: datetime, *, point: str | None, state: str | None, after: int, limit: int
) -> list[ValueRow]:
    """Values in the order they were asked for, for programs."""
    query = _seen_by(_query(), actor).where(PolicyValue.id > after)
    if point is not None:
        query = query.where(PolicyValue.point == point)
    if state is not None:
        query = query.where(PolicyValue.state == state)
    return [_row(found, now) for found in session.execute(query.order_by(PolicyValue.id).limit(limit))]


def values_to_decide(session: Session, actor: Actor, now: datetime) -> list[ValueRow]:
    """What waits for somebody other than who asked, and may still be approved. One query."""
    query = _seen_by(_query(), actor).where(
        PolicyValue.state == ValueState.REQUESTED, PolicyValue.requested_by != actor.id, PolicyValue.valid_until > now
    )
    return [_row(found, now) for found in session.execute(query.order_by(PolicyValue.id))]


def value_steps(session: Session, ids: Collection[int]) -> dict[int, list[ValueStep]]:
    """Who did what with these values, newest first. One query."""
    found: dict[int, list[ValueStep]] = {key: [] for key in ids}
    if not found:
        return found
    rows = session.scalars(
        select(Transition)
        .where(Transition.document_type == "policy_value", Transition.document_id.in_(sorted(found)))
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
    """A ruleset point by point, each with the approved value that set it. One query, none where all is standard."""
    origins = values_by_id(session, set(ruleset.origins.values()), now)
    return [
        RunningRule(point=point, value=ruleset[name], origin=origins.get(ruleset.origins.get(name, 0)))
        for name, point in POLICY_POINTS.items()
    ]
