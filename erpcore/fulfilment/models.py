"""Shipments and returns."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Price, Quantity, Scaled, UtcDateTime, states


class ShipmentState(StrEnum):
    PICKED = "picked"
    CONFIRMED = "confirmed"
    DELIVERED = "delivered"
    TAKEN_BACK = "taken_back"


class ReturnState(StrEnum):
    REQUESTED = "requested"
    WAITING = "waiting"
    AUTHORISED = "authorised"
    DECLINED = "declined"
    RECEIVED = "received"
    INSPECTED = "inspected"
    CREDITED = "credited"


class Condition(StrEnum):
    """In which condition goods come back, as the customer says."""

    UNSTATED = "unstated"
    SEALED = "sealed"
    OPENED = "opened"
    USED = "used"
    DAMAGED = "damaged"


class Disposition(StrEnum):
    """What becomes of returned goods; a charge is credited without any. ``SUPPLIER``: kept apart until its supplier takes it back."""

    RESTOCK = "restock"
    QUARANTINE = "quarantine"
    SUPPLIER = "supplier"
    SCRAP = "scrap"
    NONE = "none"


class Shipment(Base):
    """What leaves together for one order, to one address. ``invoice_due_at``: since when its invoice is due, by the order's policy.

    ``bill_with``: what goes on one invoice has the same text here; ``bill_after``: the end of the period it is billed with.
    """

    __tablename__ = "shipment"
    __table_args__ = (
        UniqueConstraint("entity_id", "number"),
        states("state", ShipmentState),
        Index("ix_shipment_order", "order_id"), Index("ix_shipment_picked", "picked_at", "id"), Index("ix_shipment_state", "state"),
        Index(
            "ix_shipment_to_bill", "entity_id", "invoice_due_at",
            sqlite_where=text("invoice_id IS NULL AND invoice_due_at IS NOT NULL"),
            postgresql_where=text("invoice_id IS NULL AND invoice_due_at IS NOT NULL"),
        ),
        Index(
            "ix_shipment_bill_with", "bill_with", sqlite_where=text("bill_with IS NOT NULL"),
            postgresql_where=text("bill_with IS NOT NULL"),
        ),
        Index(
            "ix_shipment_not_due", "entity_id", "id",
            sqlite_where=text("invoice_id IS NULL AND invoice_due_at IS NULL AND state <> 'picked'"),
            postgresql_where=text("invoice_id IS NULL AND invoice_due_at IS NULL AND state <> 'picked'"),
        ),
        Index(
            "ix_shipment_invoice", "invoice_id", sqlite_where=text("invoice_id IS NOT NULL"),
            postgresql_where=text("invoice_id IS NOT NULL"),
        ),
        # What a period's end is about left or arrived near it, or never arrived.
        Index("ix_shipment_confirmed", "entity_id", "confirmed_at"), Index("ix_shipment_delivered", "entity_id", "delivered_at"),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    number: Mapped[str] = mapped_column(Code)
    state: Mapped[str] = mapped_column(String(12))
    picked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    invoice_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    invoice_id: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(Integer)
    ship_to_id: Mapped[int | None] = mapped_column(ForeignKey("customer_address.id"))
    bill_with: Mapped[str | None] = mapped_column(String(96))
    bill_after: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ShipmentLine(Base):
    """So much of an order line in a shipment; freight, weight and insurance as the source gives them, words kept as text."""

    __tablename__ = "shipment_line"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND damaged >= 0 AND damaged <= quantity", name="quantities"),
        Index("ix_shipment_line_order_line", "order_line_id"),
    )
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), primary_key=True)
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    damaged: Mapped[Decimal] = mapped_column(Quantity)
    freight: Mapped[Decimal | None] = mapped_column(Price)
    freight_note: Mapped[str | None] = mapped_column(Text)
    weight_kg: Mapped[Decimal | None] = mapped_column(Scaled(3))
    weight_note: Mapped[str | None] = mapped_column(Text)
    insurance: Mapped[Decimal | None] = mapped_column(Price)


class ReturnOrder(Base):
    """Goods a customer gives back, from the request to the credit. ``judged``: what its policy said of it at the request;
    ``replacement_id``: the order of what the customer gets instead.
    """

    __tablename__ = "return_order"
    __table_args__ = (
        UniqueConstraint("entity_id", "number"),
        states("state", ReturnState),
        states("condition", Condition),
        Index("ix_return_order_order", "order_id"),
        Index("ix_return_order_customer", "customer_id"),
        Index("ix_return_order_replacement", "replacement_id"),
        Index("ix_return_order_requested", "entity_id", "requested_at"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("sales_order.id"))
    number: Mapped[str] = mapped_column(Code)
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(48))
    fault: Mapped[str] = mapped_column(String(12))
    currency: Mapped[str] = mapped_column(String(3))
    ship_country: Mapped[str] = mapped_column(String(64))
    ruleset: Mapped[str] = mapped_column(ForeignKey("ruleset.hash"))
    variants: Mapped[str] = mapped_column(String(200))
    grant_id: Mapped[int | None] = mapped_column(BigInteger)
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)
    condition: Mapped[str] = mapped_column(String(12))
    judged: Mapped[str | None] = mapped_column(Text)
    replacement_id: Mapped[int | None] = mapped_column(ForeignKey("sales_order.id"))


class ReturnLine(Base):
    """So much of one item given back, at the price it was sold for. ``unlinked``: why no sale stands behind it.

    ``quantity`` is what is to come, and once received what came; ``asked`` what the customer had asked for: nothing where something
    else came.
    """

    __tablename__ = "return_line"
    __table_args__ = (
        UniqueConstraint("return_id", "line_no"),
        states("disposition", Disposition),
        CheckConstraint("quantity >= 0 AND asked >= 0 AND quantity + asked > 0", name="returns_something"),
        CheckConstraint("order_line_id IS NOT NULL OR unlinked IS NOT NULL", name="linked_or_says_why"),
        Index("ix_return_line_order_line", "order_line_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    return_id: Mapped[int] = mapped_column(ForeignKey("return_order.id"))
    line_no: Mapped[int] = mapped_column(Integer)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    order_line_id: Mapped[int | None] = mapped_column(ForeignKey("order_line.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    unit_price: Mapped[Decimal] = mapped_column(Price)
    amount: Mapped[Decimal] = mapped_column(Price)
    tax_rate: Mapped[Decimal | None] = mapped_column(Scaled(6))
    disposition: Mapped[str] = mapped_column(String(12))
    unlinked: Mapped[str | None] = mapped_column(String(48))
    asked: Mapped[Decimal] = mapped_column(Quantity)
