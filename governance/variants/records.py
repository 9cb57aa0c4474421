"""One variant as it is stored: found and locked, and what the record of a step says about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from erpcore.kernel.errors import Conflict, NotFound
from erpcore.kernel.events import Place
from erpcore.kernel.work import UnitOfWork
from erpcore.ports.points import DIMENSIONS
from governance import published
from governance.variants.models import Variant, VariantDeviation, VariantValue
from governance.variants.register import scope_of


def lock_variant(work: UnitOfWork, variant_id: int, seen_version: int | None = None) -> Variant:
    """The variant, locked. Raises ``NotFound``, and ``Conflict`` when it changed since it was seen."""
    row = work.session.get(Variant, variant_id, with_for_update={"key_share": True}, populate_existing=True)
    if row is None:
        raise NotFound("variant_unknown", variant=variant_id)
    if seen_version is not None and seen_version != row.version:
        raise Conflict("changed_meanwhile", document=f"variant {row.code}")
    return row


def deviations_of(work: UnitOfWork, variant_id: int) -> tuple[str, ...]:
    """The deviations that it covers, by name."""
    query = select(VariantDeviation.deviation).where(VariantDeviation.variant_id == variant_id)
    return tuple(work.session.scalars(query.order_by(VariantDeviation.deviation)))


def facts_of_record(row: Variant, values: Mapping[str, Any], deviations: Iterable[str]) -> dict[str, Any]:
    """What every entry of the audit chain says about it."""
    scope = {name: part for name, part in zip(DIMENSIONS, scope_of(row), strict=True) if part is not None}
    return {
        "code": row.code, "variant_kind": row.kind, "values": dict(values), "deviations": list(deviations), "scope": scope,
        "owner": row.owner_id, "valid_from": row.valid_from, "valid_until": row.valid_until,
    }  # fmt: skip


#: What is told of which move; a review that begins is told when it ends.
_TOLD = {
    "submit": published.VariantSubmitted, "approve": published.VariantApproved, "reject": published.VariantRejected,
    "withdraw": published.VariantWithdrawn, "keep": published.VariantReviewed, "retire": published.VariantRetired,
    "supersede": published.VariantRetired, "revoke": published.VariantRevoked,
}  # fmt: skip


def tell(work: UnitOfWork, row: Variant, move: str) -> None:
    """Publish what became of it, at the place that it is for."""
    if move not in _TOLD:
        return
    points = work.session.scalars(
        select(VariantValue.point).where(VariantValue.variant_id == row.id).order_by(VariantValue.point)
    )
    work.publish(
        _TOLD[move](
            kind=row.kind, points=list(points), deviations=list(deviations_of(work, row.id)), valid_from=row.valid_from,
            valid_until=row.valid_until,
        ),
        Place(
            realm="live", entity=row.entity_id or 0, site=row.site_id, channel=row.channel_id,
            customer_group=row.customer_group_id, time_zone=row.zone,
        ),
        step=row.step or "governance.variant", subject=("variant", row.id, row.version), journey=row.id,
    )  # fmt: skip
