"""What does the register say: which variants the core cannot follow, and which one covers what people do by hand?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from governance.variants.kinds import Kind
from governance.variants.models import Variant, VariantDeviation, VariantValue
from governance.variants.register import Scope, scope_of
from governance.variants.validity import effective_at, facts_of, fits, is_valid


def unfit_variants(session: Session) -> frozenset[int]:
    """Variants with a point that the core does not have, or a value that it does not admit. One query, as a rule."""
    pairs = session.execute(select(VariantValue.point, VariantValue.value).distinct())
    broken = [(row.point, row.value) for row in pairs if not fits([(row.point, orjson.loads(row.value))])]
    if not broken:
        return frozenset()
    query = select(VariantValue.variant_id).where(tuple_(VariantValue.point, VariantValue.value).in_(broken))
    return frozenset(session.scalars(query))


def standards_at(session: Session, at: datetime) -> Mapping[str, Any]:
    """What became the standard of a point since the catalogue was written, as it is at this instant. Two queries."""
    rows = session.execute(
        select(VariantValue.point, VariantValue.value)
        .join(Variant, Variant.id == VariantValue.variant_id)
        .where(Variant.kind == Kind.STANDARD_CHANGE, effective_at(at, unfit_variants(session)))
        .order_by(Variant.valid_from, Variant.id)
    )
    return {row.point: orjson.loads(row.value) for row in rows}


def covering(session: Session, deviation: str, scope: Scope, at: datetime) -> int | None:
    """The variant that covers a deviation of a document of this scope at this instant, the most specific one; else ``None``."""
    return coverings(session, [(deviation, scope, at)])[0]


def coverings(session: Session, asked: Iterable[tuple[str, Scope, datetime]]) -> list[int | None]:
    """The same for many deviations, in their order, in two queries."""
    wanted = list(asked)
    known = Coverage(session, {deviation for deviation, _, _ in wanted})
    return [known.of(deviation, scope, at) for deviation, scope, at in wanted]


class Coverage:
    """Which variants cover which deviations, read once for many questions."""

    def __init__(self, session: Session, deviations: Iterable[str]) -> None:
        rows = session.execute(
            select(VariantDeviation.deviation, Variant)
            .join(Variant, Variant.id == VariantDeviation.variant_id)
            .where(VariantDeviation.deviation.in_(sorted(set(deviations))))
        ).all()
        unfit = unfit_variants(session) if rows else frozenset()
        self._known: dict[str, list[tuple[Scope, int, Any]]] = {}
        for deviation, row in rows:
            facts = facts_of(row, row.id not in unfit)
            self._known.setdefault(deviation, []).append((scope_of(row), row.id, facts))
        for found in self._known.values():
            found.sort(key=lambda one: (one[0].named, one[1]), reverse=True)

    def of(self, deviation: str, scope: Scope, at: datetime) -> int | None:
        """The most specific variant that covers it there and then."""
        for covered, key, facts in self._known.get(deviation, ()):
            meets = all(part is None or part == mine for part, mine in zip(covered, scope, strict=True))
            if meets and is_valid(facts, at):
                return key
        return None
