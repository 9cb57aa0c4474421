"""May this be a variant? Points that may be departed from, values in their range, a scope that they allow, a time that lies ahead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import or_, select

from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import POLICY_POINTS, Freedom, PolicyPoint
from erpcore.ports.points import DIMENSIONS
from governance.variants.flow import AGREED
from governance.variants.kinds import Kind
from governance.variants.models import Variant, VariantValue
from governance.variants.queries import standards_at
from governance.variants.register import Scope, scope_of
from governance.variants.validity import GRACE

#: A departure is looked at again after so long at the latest.
LONGEST = timedelta(days=3 * 366)


def point_named(name: str) -> PolicyPoint:
    """The point of the catalogue; raises ``NotFound`` for one that the core does not have (any more)."""
    if name not in POLICY_POINTS:
        raise NotFound("policy_point_unknown", field="point", point=name)
    return POLICY_POINTS[name]


def check_values(
    work: UnitOfWork, kind: str, scope: Scope, values: Mapping[str, Any], starts: datetime, *, anew: bool = True
) -> None:
    """Raise for a locked point, a value outside its range or equal to the standard, and a scope that its freedom does not allow.

    ``anew``: whether it is only asked for; what becomes the standard while it is decided on need not be refused.
    """
    standards = standards_at(work.session, starts) if values else {}
    for name in sorted(values):
        point, value = point_named(name), values[name]
        if point.freedom == Freedom.LOCKED:
            raise RuleBroken("policy_point_locked", field="point", point=point.title, sentence=point.sentence)
        point.check(value)
        if anew and value == standards.get(name, point.standard):
            raise RuleBroken("policy_value_is_standard", field="value", point=point.title, value=point.shown(value))
        if kind == Kind.STANDARD_CHANGE:
            continue
        if scope == Scope():
            raise RuleBroken("policy_scope_empty", field="entity", point=point.title)
        for dimension, part in zip(DIMENSIONS, scope, strict=True):
            if part is not None and dimension not in point.dimensions:
                raise RuleBroken(
                    "policy_scope_too_wide", field=dimension, point=point.title, dimension=dimension.replace("_", " "),
                    may=[one.replace("_", " ") for one in point.dimensions],
                )  # fmt: skip


def check_shape(kind: str, scope: Scope, values: Mapping[str, Any], deviations: tuple[str, ...]) -> None:
    """Raise unless it changes something; a standard change is one value for everybody, the others name for whom."""
    if kind == Kind.STANDARD_CHANGE:
        if len(values) != 1 or deviations or scope != Scope():
            raise RuleBroken("standard_change_shape", field="point")
        return
    if not values and not deviations:
        raise RuleBroken("variant_changes_nothing", field="point")
    if not values and scope == Scope():
        raise RuleBroken("variant_scope_empty", field="entity")


def check_time(work: UnitOfWork, kind: str, starts: datetime, until: datetime | None) -> None:
    """Raise for a time that is over, without end, or too long to pass without being looked at."""
    if kind == Kind.STANDARD_CHANGE:
        if until is not None:
            raise RuleBroken("standard_change_end", field="valid_until")
        return
    if until is None:
        raise RuleBroken("variant_end_missing", field="valid_until")
    if until <= max(starts, work.now):
        raise RuleBroken("policy_value_over", field="valid_until", until=until)
    if until - starts > LONGEST:
        raise RuleBroken("policy_value_too_long", field="valid_until", days=LONGEST.days)


def check_replaces(kind: str, other: Variant) -> None:
    """Raise where a standard would end a departure, or a departure a standard: others decide on the one than on the other."""
    if (kind == Kind.STANDARD_CHANGE) != (other.kind == Kind.STANDARD_CHANGE):
        raise RuleBroken("variant_supersedes_other_kind", field="supersedes", variant=other.code)


def check_owner(work: UnitOfWork, row: Variant) -> None:
    """Raise where nobody answers for it: whoever did has left."""
    if row.owner_left_at is not None:
        raise RuleBroken("variant_owner_left", field="owner", variant=row.code, days=GRACE.days)


def values_of(work: UnitOfWork, variant_id: int) -> dict[str, Any]:
    """The values of a variant by point, as they are stored."""
    rows = work.session.execute(
        select(VariantValue.point, VariantValue.value).where(VariantValue.variant_id == variant_id)
    )
    return {row.point: orjson.loads(row.value) for row in rows}


def refuse_overlap(
    work: UnitOfWork, row: Variant, points: Mapping[str, Any], *, starts: datetime, until: datetime | None
) -> None:
    """Raise naming the variant of equal rank that it would stand beside.

    Equal rank means that the same dimensions are named, so scopes of equal rank meet only when they are the same. A new standard
    follows the one before it, so only two that begin at the same instant are in each other's way.
    """
    query = (
        select(Variant, VariantValue.point, VariantValue.value)
        .join(VariantValue, VariantValue.variant_id == Variant.id)
        .where(VariantValue.point.in_(sorted(points)), Variant.state.in_(AGREED), Variant.id != row.id)
    )
    if row.kind == Kind.STANDARD_CHANGE:
        query = query.where(Variant.kind == Kind.STANDARD_CHANGE, Variant.valid_from == starts)
    else:
        query = query.where(
            Variant.kind != Kind.STANDARD_CHANGE, Variant.valid_from < until,
            or_(Variant.valid_until.is_(None), Variant.valid_until > starts),
        )  # fmt: skip
    for other, point, value in work.session.execute(query.order_by(Variant.id)):
        if scope_of(other) == scope_of(row) and row.supersedes_id != other.id:
            shown = POLICY_POINTS[point].shown(orjson.loads(value)) if point in POLICY_POINTS else value
            raise RuleBroken(
                "variant_overlaps", field="valid_from", other=other.id, code=other.code, title=other.title, value=shown,
                since=other.valid_from, until=other.valid_until,
            )  # fmt: skip
