"""Which differences in stock wait for a decision that this person may take? Counts and adjustments of others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import String, exists, literal, or_, select, union_all
from sqlalchemy.orm import Session

from app.security.permissions import Permission
from app.security.scopes import within_sites
from erpcore.inventory.documents import AdjustmentState, CountState, CountTask, StockAdjustment
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Entity, Item, Site
from governance.approvals.models import ApprovalRequest

MOST = 20


@dataclass(frozen=True, kw_only=True)
class Undecided:
    """A proposed difference. ``kind``: ``count`` or ``adjustment``; ``since``: when it was asked for."""

    kind: str
    id: int
    item: str
    unit: str
    site: str
    quantity: Decimal | None
    since: datetime | None


def undecided(session: Session, actor: Actor) -> list[Undecided]:
    """What waits at the sites one sees and was not asked for or counted by oneself, the oldest first; one query."""
    parts: list[Any] = []
    if actor.may(Permission.ADJUSTMENT_APPROVE):
        asked = _part("adjustment", StockAdjustment, StockAdjustment.asked_at, actor)
        parts.append(
            asked.where(
                StockAdjustment.state == AdjustmentState.PROPOSED,
                StockAdjustment.asked_by != actor.id,
                # Those that the rules of approval give to people stand among their requests.
                ~exists().where(
                    ApprovalRequest.subject_type == "adjustment", ApprovalRequest.subject_id == StockAdjustment.id
                ),
            )
        )
    if actor.may(Permission.COUNT_APPROVE):
        counted = _part("count", CountTask, CountTask.counted_at, actor)
        again = or_(CountTask.recounted_by.is_(None), CountTask.recounted_by != actor.id)
        parts.append(counted.where(CountTask.state == CountState.PROPOSED, CountTask.counted_by != actor.id, again))
    if not parts:
        return []
    rows = union_all(*parts).subquery()
    found = session.execute(select(rows).order_by(rows.c.since, rows.c.id).limit(MOST))
    return [
        Undecided(
            kind=row.kind,
            id=row.id,
            item=row.item,
            unit=row.unit,
            site=row.site,
            quantity=row.quantity,
            since=row.since,
        )
        for row in found
    ]


def _part(kind: str, table: Any, since: Any, actor: Actor) -> Any:
    quantity = table.quantity if kind == "adjustment" else table.difference
    query = (
        select(
            literal(kind, String).label("kind"), table.id.label("id"), Item.code.label("item"), Item.unit.label("unit"),
            Site.name.label("site"), quantity.label("quantity"), since.label("since"),
        )
        .join(Item, Item.id == table.item_id)
        .join(Site, Site.id == table.site_id)
        .join(Entity, Entity.id == table.entity_id)
        .where(Entity.realm == "live")
    )  # fmt: skip
    return within_sites(query, actor, table.site_id)
