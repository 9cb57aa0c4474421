"""Stock: append-only moves, one balance row per site and item, reservations."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Price, Quantity, UtcDateTime, append_only, states


class MoveReason(StrEnum):
    """Why stock came or left."""

    OPENING = "opening"
    RECEIPT = "receipt"
    ISSUE = "issue"
    RETURN = "return"
    ADJUSTMENT = "adjustment"
    REVERSAL = "reversal"
    COUNT = "count"
    TRANSFER = "transfer"


class StockMove(Base):
    """One movement: in when positive, out when negative. No ``unit_cost``: it moved at unknown cost and posted nothing."""

    __tablename__ = "stock_move"
    __table_args__ = (
        CheckConstraint("quantity <> 0", name="moves_something"),
        states("reason", MoveReason),
        Index("ix_stock_move_item", "item_id", "site_id", "moved_at"),
        Index("ix_stock_move_document", "document_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    unit_cost: Mapped[Decimal | None] = mapped_column(Price)
    value_minor: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(Text)
    document_type: Mapped[str] = mapped_column(String(24))
    document_id: Mapped[int] = mapped_column(BigInteger)
    moved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(StockMove)


class StockBalance(Base):
    """What a site has of an item and how much of it is promised: the scarce figures, locked when they get scarcer.

    ``value_minor`` is the sum of the valued moves; ``unvalued`` the quantity that moved at unknown cost.
    """

    __tablename__ = "stock_balance"
    __table_args__ = (
        CheckConstraint("on_hand >= 0", name="not_negative"),
        CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="not_oversold"),
    )
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    on_hand: Mapped[Decimal] = mapped_column(Quantity)
    reserved: Mapped[Decimal] = mapped_column(Quantity)
    value_minor: Mapped[int] = mapped_column(BigInteger)
    unvalued: Mapped[Decimal] = mapped_column(Quantity)


class Reservation(Base):
    """Stock promised to one order line. What is open of it is quantity − consumed − freed."""

    __tablename__ = "reservation"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND consumed >= 0 AND freed >= 0 AND consumed + freed <= quantity", name="adds_up"),
        Index("ix_reservation_line", "order_line_id"),
        Index(
            "ix_reservation_open", "site_id", "item_id",
            sqlite_where=text("consumed + freed < quantity"), postgresql_where=text("consumed + freed < quantity"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    order_line_id: Mapped[int] = mapped_column(BigInteger)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    consumed: Mapped[Decimal] = mapped_column(Quantity)
    freed: Mapped[Decimal] = mapped_column(Quantity)
    reserved_at: Mapped[datetime] = mapped_column(UtcDateTime)
