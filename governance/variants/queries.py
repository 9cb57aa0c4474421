"""What does the register say: which variants the core cannot follow, and what the standard is by now?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from governance.variants.kinds import Kind
from governance.variants.models import Variant, VariantValue
from governance.variants.validity import effective_at, fits


def unfit_variants(session: Session) -> frozenset[int]:
    """Variants with a point that the core does not have, or a value that it does not admit. One query, as a rule."""
    pairs = session.execute(select(VariantValue.point, VariantValue.value).distinct())
    broken = [(row.point, row.value) for row in pairs if not fits([(row.point, orjson.loads(row.value))])]
    if not broken:
        return frozenset()
    query = select(VariantValue.variant_id).where(tuple_(VariantValue.point, VariantValue.value).in_(broken))
    return frozenset(session.scalars(query))


def standards_at(session: Session, at: datetime, *, unfit: Collection[int] | None = None) -> Mapping[str, Any]:
    """What became the standard of a point since the catalogue was written, as it is at this instant. One query, and one more
    where the caller does not know the ``unfit_variants``.
    """
    if unfit is None:
        unfit = unfit_variants(session)
    rows = session.execute(
        select(VariantValue.point, VariantValue.value)
        .join(Variant, Variant.id == VariantValue.variant_id)
        .where(Variant.kind == Kind.STANDARD_CHANGE, effective_at(at, unfit))
        .order_by(Variant.valid_from, Variant.id)
    )
    return {row.point: orjson.loads(row.value) for row in rows}
