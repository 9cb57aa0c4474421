"""Which documents of a person's sites are stopped now: orders on hold by kind, invoices blocked by reason?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, literal_column, select, union_all
from sqlalchemy.orm import Session

from app.security.scopes import within_sites
from erpcore.billing.models import Invoice, InvoiceState
from erpcore.kernel.actor import Actor
from erpcore.kernel.model import UtcDateTime
from erpcore.masterdata.models import Entity, Realm, Site
from erpcore.orders.models import OrderHold, SalesOrder


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """Documents that are stopped for one cause: ``what`` is order or invoice, ``why`` the kind of hold or the block's reason."""

    what: str
    why: str
    count: int
    oldest: datetime


def stopped(session: Session, actor: Actor) -> list[Stopped]:
    """What is stopped at the live sites that the person sees, the most first. One query."""
    live = select(Site.id).join(Entity, Entity.id == Site.entity_id).where(Entity.realm == Realm.LIVE)
    held: Any = (
        select(
            literal("order").label("what"), OrderHold.kind.label("why"), func.count().label("number"),
            func.min(OrderHold.since).label("oldest"),
        )
        .join(SalesOrder, SalesOrder.id == OrderHold.order_id)
        .where(OrderHold.released_at.is_(None), SalesOrder.state == "held", SalesOrder.site_id.in_(live))
        .group_by(OrderHold.kind)
    )  # fmt: skip
    # A constant of the statement's own, so that both places are the same expression to PostgreSQL.
    reason = func.coalesce(Invoice.block_reason, literal_column("''"))
    blocked: Any = (
        select(literal("invoice"), reason, func.count(), func.min(Invoice.drafted_at))
        .where(Invoice.state == InvoiceState.BLOCKED, Invoice.site_id.in_(live))
        .group_by(reason)
    )
    parts = union_all(
        within_sites(held, actor, SalesOrder.site_id), within_sites(blocked, actor, Invoice.site_id)
    ).subquery()
    rows = session.execute(
        select(parts.c.what, parts.c.why, parts.c.number, func.min(parts.c.oldest, type_=UtcDateTime()).label("oldest"))
        .group_by(parts.c.what, parts.c.why, parts.c.number)
        .order_by(parts.c.number.desc())
    )
    return [Stopped(what=row.what, why=row.why, count=row.number, oldest=row.oldest) for row in rows]
