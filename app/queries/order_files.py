"""Which files of orders were handed in, and what became of their orders?"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.orderfiles import OrderFile
from app.queries.listing import SqlList
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Entity


@dataclass(frozen=True, kw_only=True)
class OrderFileRow:
    """A file in the list."""

    id: int
    file_name: str
    entity_id: int
    entity: str
    realm: str
    rows: int
    orders: int
    entered: int
    refused: int
    uploaded_at: datetime
    looked_at: datetime
    entered_at: datetime | None
    version: int

    @property
    def left(self) -> int:
        """Orders that are neither entered nor refused: new ones, and those entered before."""
        return self.orders - self.entered - self.refused


def _select() -> Any:
    return (
        select(
            OrderFile.id, OrderFile.file_name, OrderFile.entity_id, Entity.name.label("entity"), Entity.realm, OrderFile.rows,
            OrderFile.orders, OrderFile.entered, OrderFile.refused, OrderFile.uploaded_at, OrderFile.looked_at,
            OrderFile.entered_at, OrderFile.version,
        )
        .select_from(OrderFile)
        .join(Entity, Entity.id == OrderFile.entity_id)
    )  # fmt: skip


_NAMES = tuple(one.name for one in fields(OrderFileRow))


def _row(row: Any) -> OrderFileRow:
    return OrderFileRow(**{name: getattr(row, name) for name in _NAMES})


def _own(query: Any, actor: Actor) -> Any:
    """Who sees all sites sees all files; others those that they handed in."""
    return query if actor.sites is None else query.where(OrderFile.uploaded_by == actor.id)


ORDER_FILES: SqlList[OrderFileRow] = SqlList(
    select=_select, row=_row, tie=(OrderFile.id,), usual="-uploaded", scope=_own,
    realm=Entity.realm, text=(OrderFile.file_name,), flags=("waiting", "refused"),
    sorts={
        "file": OrderFile.file_name, "uploaded": OrderFile.uploaded_at, "orders": OrderFile.orders,
        "entered": OrderFile.entered, "refused": OrderFile.refused,
    },
    wanted={
        "waiting": lambda _value, _: OrderFile.entered_at.is_(None),
        "refused": lambda _value, _: OrderFile.refused > 0,
    },
)  # fmt: skip


def order_file(session: Session, actor: Actor, key: int) -> tuple[OrderFile, Entity]:
    """One file with its company; raises ``NotFound`` for an unknown one, and for one that the person does not see."""
    found = session.execute(
        _own(select(OrderFile, Entity).join(Entity, Entity.id == OrderFile.entity_id).where(OrderFile.id == key), actor)
    ).one_or_none()
    if found is None:
        raise NotFound("order_file_unknown", file=key)
    return found[0], found[1]
