"""Carton types, cartons and what lies in them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Name, Quantity, Scaled, UtcDateTime, states


class CartonState(StrEnum):
    """Void: unpacked again; its number is not used twice."""

    OPEN = "open"
    CLOSED = "closed"
    VOID = "void"


class CartonType(Base):
    """A kind of box or pallet, with its own weight and the most it carries, in kilograms, and its measures in millimetres."""

    __tablename__ = "carton_type"
    __table_args__ = (
        UniqueConstraint("entity_id", "code"),
        CheckConstraint("length_mm > 0 AND width_mm > 0 AND height_mm > 0", name="has_a_size"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    length_mm: Mapped[int] = mapped_column(Integer)
    width_mm: Mapped[int] = mapped_column(Integer)
    height_mm: Mapped[int] = mapped_column(Integer)
    tare_kg: Mapped[Decimal] = mapped_column(Scaled(3))
    most_kg: Mapped[Decimal | None] = mapped_column(Scaled(3))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)


class Carton(Base):
    """One box of a shipment. ``number`` stands on its label as a barcode; one box of a shipment is open at a time."""

    __tablename__ = "carton"
    __table_args__ = (
        UniqueConstraint("number"),
        UniqueConstraint("shipment_id", "position"),
        states("state", CartonState),
        CheckConstraint("state <> 'closed' OR weight_kg > 0", name="closed_is_weighed"),
        Index(
            "uq_carton_open", "shipment_id", unique=True,
            sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[str] = mapped_column(Code)
    carton_type_id: Mapped[int] = mapped_column(ForeignKey("carton_type.id"))
    state: Mapped[str] = mapped_column(String(8))
    weight_kg: Mapped[Decimal | None] = mapped_column(Scaled(3))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)


class CartonLine(Base):
    """So much of an order line in a carton."""

    __tablename__ = "carton_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="holds_something"),
        Index("ix_carton_line_order_line", "order_line_id"),
    )
    carton_id: Mapped[int] = mapped_column(ForeignKey("carton.id"), primary_key=True, autoincrement=False)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), primary_key=True, autoincrement=False)
    quantity: Mapped[Decimal] = mapped_column(Quantity)
