"""Costing: which method a site values its stock by, the layers it lies in, and costs that came after the goods."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.inventory.cost_kinds import CostMethod, LateCostKind, ShareBasis
from erpcore.kernel.model import Base, Key, Quantity, UtcDateTime, append_only, states


class LayerReason(StrEnum):
    """Why a layer has more or less: goods came into it, went out of it, cost more than was known, or another method holds."""

    CAME = "came"
    WENT = "went"
    LATE = "late"
    ENDED = "ended"


class SiteCosting(Base):
    """From this moment a site values its stock by this method; its newest row counts, none means standard cost.

    ``revalued_minor``: what all its stock is worth more (or less) by that.
    """

    __tablename__ = "site_costing"
    __table_args__ = (states("method", CostMethod), Index("ix_site_costing_site", "site_id", "id"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    method: Mapped[str] = mapped_column(String(8))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text)
    revalued_minor: Mapped[int] = mapped_column(BigInteger)
    chosen_by: Mapped[int] = mapped_column(BigInteger)


class Revaluation(Base):
    """What one item of the site is worth more (or less) since the method was chosen."""

    __tablename__ = "stock_revaluation"
    costing_id: Mapped[int] = mapped_column(ForeignKey("site_costing.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    value_minor: Mapped[int] = mapped_column(BigInteger)


class CostLayer(Base):
    """Goods that came together at one cost: how many came, how many are left, and what exactly those are worth.

    ``document_type`` and ``document_id`` name the paper they came with: the goods receipt, the return, or the choice of the
    method (``costing``) for what was there before. The first to come are the first to go.
    """

    __tablename__ = "cost_layer"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND quantity_left >= 0 AND quantity_left <= quantity", name="adds_up"),
        CheckConstraint("value_minor >= 0 AND (quantity_left > 0 OR value_minor = 0)", name="worth_of_what_is_left"),
        Index(
            "ix_cost_layer_left", "site_id", "item_id", "came_at", "id",
            sqlite_where=text("quantity_left > 0"), postgresql_where=text("quantity_left > 0"),
        ),
        Index("ix_cost_layer_item", "item_id", "site_id", "came_at"),
        Index("ix_cost_layer_document", "document_id"),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    document_type: Mapped[str] = mapped_column(String(24))
    document_id: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    quantity_left: Mapped[Decimal] = mapped_column(Quantity)
    value_minor: Mapped[int] = mapped_column(BigInteger)
    came_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LayerStep(Base):
    """What happened to a layer: a layer is the sum of its steps. ``document_id``: the stock move, the late cost or the choice."""

    __tablename__ = "cost_layer_step"
    __table_args__ = (
        states("reason", LayerReason),
        Index("ix_cost_layer_step_layer", "layer_id", "id"),
        Index("ix_cost_layer_step_document", "document_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    layer_id: Mapped[int] = mapped_column(ForeignKey("cost_layer.id"))
    reason: Mapped[str] = mapped_column(String(8))
    document_id: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    value_minor: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class LateCost(Base):
    """What the goods of a receipt cost beyond what they came in at, by a paper that came later; negative: less.

    ``stock_minor`` of it is on the goods still here, the rest was cost of sales of ``entry_on``.
    """

    __tablename__ = "late_cost"
    __table_args__ = (
        UniqueConstraint("receipt_id", "paper"),
        states("kind", LateCostKind), states("basis", ShareBasis),
        CheckConstraint("amount_minor <> 0", name="some_cost"),
        Index("ix_late_cost_entity", "entity_id", "id"),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    receipt_id: Mapped[int] = mapped_column(ForeignKey("goods_receipt.id"))
    kind: Mapped[str] = mapped_column(String(8))
    basis: Mapped[str] = mapped_column(String(8))
    paper: Mapped[str] = mapped_column(String(120))
    note: Mapped[str | None] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    stock_minor: Mapped[int] = mapped_column(BigInteger)
    entry_on: Mapped[date] = mapped_column(Date)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    added_by: Mapped[int] = mapped_column(BigInteger)


class LateCostLine(Base):
    """The part of one item: ``stock_minor`` on what is still here, ``sold_minor`` on what has left."""

    __tablename__ = "late_cost_line"
    late_cost_id: Mapped[int] = mapped_column(ForeignKey("late_cost.id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    quantity_here: Mapped[Decimal] = mapped_column(Quantity)
    stock_minor: Mapped[int] = mapped_column(BigInteger)
    sold_minor: Mapped[int] = mapped_column(BigInteger)


append_only(SiteCosting, Revaluation, LayerStep, LateCost, LateCostLine)
