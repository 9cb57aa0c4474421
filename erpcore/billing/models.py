"""Invoices, credit memos, receipts and what is open of each."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Price, Quantity, Scaled, UtcDateTime, append_only, frozen_when, states


class InvoiceState(StrEnum):
    DRAFT = "draft"
    BLOCKED = "blocked"
    POSTED = "posted"


class Invoice(Base):
    """What a shipment costs the customer. Posted it has a legal number and never changes; corrections are credit memos.

    ``exact`` is the net at six places; the posted net is the sum of lines rounded to minor units. ``bill_with``: what its
    shipments have in common where it bills several; order and shipment are then the first of them. ``findings``: what was doubtful when it was last looked at, as ``checking`` keeps it.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("entity_id", "number"),
        states("state", InvoiceState),
        CheckConstraint("state <> 'posted' OR (posted_at IS NOT NULL AND invoice_on IS NOT NULL)", name="posted_dated"),
        Index("ix_invoice_order", "order_id"),
        Index("ix_invoice_customer", "customer_id", "id"),
        Index("ix_invoice_on", "entity_id", "invoice_on"),
        Index("ix_invoice_posted", "state", "posted_at", "id"),
        Index(
            "ix_invoice_unposted", "entity_id", "state",
            sqlite_where=text("state <> 'posted'"), postgresql_where=text("state <> 'posted'"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), unique=True)
    number: Mapped[str | None] = mapped_column(Code)
    state: Mapped[str] = mapped_column(String(12))
    block_reason: Mapped[str | None] = mapped_column(Text)
    drafted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    posted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    invoice_on: Mapped[date | None] = mapped_column(Date)
    due_on: Mapped[date | None] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(String(3))
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    gross_minor: Mapped[int] = mapped_column(BigInteger)
    exact: Mapped[Decimal] = mapped_column(Price)
    is_price_right: Mapped[bool] = mapped_column(Boolean)
    is_quantity_right: Mapped[bool] = mapped_column(Boolean)
    is_tax_determined: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[int] = mapped_column(Integer)
    bill_with: Mapped[str | None] = mapped_column(String(96))
    findings: Mapped[str | None] = mapped_column(Text)


class InvoiceLine(Base):
    """So much of an order line, at the price charged, with the tax that the stamped rule (or exemption) gave when it was drafted."""

    __tablename__ = "invoice_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="bills_something"),
        Index("ix_invoice_line_order_line", "order_line_id"),
    )
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    kind: Mapped[str] = mapped_column(String(12))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    unit_price: Mapped[Decimal] = mapped_column(Price)
    amount: Mapped[Decimal] = mapped_column(Price)
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_rate: Mapped[Decimal | None] = mapped_column(Scaled(6))
    tax_rule_id: Mapped[int | None] = mapped_column(BigInteger)
    tax_exemption_id: Mapped[int | None] = mapped_column(BigInteger)


#: The legal number comes last, so whatever has one is complete.
frozen_when(Invoice, "OLD.number IS NOT NULL")
frozen_when(InvoiceLine, "(SELECT number FROM invoice WHERE id = OLD.invoice_id) IS NOT NULL")


class CreditMemo(Base):
    """Money given back: always posted at once, numbered, never changed. ``fault`` is ours, customer or undecided."""

    __tablename__ = "credit_memo"
    __table_args__ = (
        UniqueConstraint("entity_id", "number"),
        states("fault", ("ours", "customer", "undecided")),
        Index("ix_credit_memo_invoice", "invoice_id"),
        Index("ix_credit_memo_customer", "customer_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id"))
    return_id: Mapped[int | None] = mapped_column(ForeignKey("return_order.id"), unique=True)
    number: Mapped[str | None] = mapped_column(Code)
    reason: Mapped[str] = mapped_column(String(48))
    fault: Mapped[str] = mapped_column(String(12))
    unlinked: Mapped[str | None] = mapped_column(String(48))
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    credit_on: Mapped[date] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(String(3))
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    gross_minor: Mapped[int] = mapped_column(BigInteger)
    exact: Mapped[Decimal] = mapped_column(Price)


class CreditMemoLine(Base):
    """So much of an item credited, at its original price; ``order_line_id`` when the sale is known.

    With ``invoice_id`` that is the invoice line that it stands on; none where nothing was billed, or nobody told (before 2026-12).
    ``is_fee``: what is kept for restocking, below zero.
    """

    __tablename__ = "credit_memo_line"
    __table_args__ = (Index("ix_credit_memo_line_order_line", "order_line_id"),)
    credit_memo_id: Mapped[int] = mapped_column(ForeignKey("credit_memo.id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    order_line_id: Mapped[int | None] = mapped_column(ForeignKey("order_line.id"))
    is_charge: Mapped[bool] = mapped_column(Boolean)
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    unit_price: Mapped[Decimal] = mapped_column(Price)
    amount: Mapped[Decimal] = mapped_column(Price)
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_rate: Mapped[Decimal | None] = mapped_column(Scaled(6))
    tax_rule_id: Mapped[int | None] = mapped_column(BigInteger)
    tax_exemption_id: Mapped[int | None] = mapped_column(BigInteger)
    invoice_id: Mapped[int | None] = mapped_column(BigInteger)
    is_fee: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


frozen_when(CreditMemo, "OLD.number IS NOT NULL")
append_only(CreditMemoLine)


class Receipt(Base):
    """Money that came in. ``left_minor`` is what is not applied to an invoice yet, ``returned_minor`` what went back to the bank;
    ``fee_minor`` the bank kept before it arrived, ``difference_minor`` was lost by the currency. ``owner_id`` is who looks after what is left.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        CheckConstraint(
            "amount_minor > 0 AND left_minor >= 0 AND returned_minor >= 0 AND left_minor + returned_minor <= amount_minor "
            "AND fee_minor BETWEEN 0 AND amount_minor",
            name="within",
        ),
        Index("ix_receipt_customer", "customer_id"),
        Index("ix_receipt_received", "received_at", "id"),
        Index(
            "ix_receipt_left", "entity_id", sqlite_where=text("left_minor > 0"), postgresql_where=text("left_minor > 0")
        ),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    number: Mapped[str] = mapped_column(Code)
    reference: Mapped[str | None] = mapped_column(String(120))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    left_minor: Mapped[int] = mapped_column(BigInteger)
    returned_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    fee_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    difference_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReceiptApplication(Base):
    """Part of a receipt that settles part of an invoice; negative, it takes an earlier one back whole."""

    __tablename__ = "receipt_application"
    __table_args__ = (
        CheckConstraint(
            "(amount_minor > 0 AND reverses_id IS NULL) OR (amount_minor < 0 AND reverses_id IS NOT NULL AND reason IS NOT NULL)",
            name="applies_or_reverses",
        ),
        UniqueConstraint("reverses_id"),
        Index("ix_receipt_application_receipt", "receipt_id"),
        Index("ix_receipt_application_invoice", "invoice_id"),
        Index("ix_receipt_application_applied", "applied_at"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"))
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[int] = mapped_column(BigInteger)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("receipt_application.id"))
    reason: Mapped[str | None] = mapped_column(Text)


class CreditApplication(Base):
    """Part of a credit memo, or of a debt given up, that settles part of an invoice; negative, it takes an earlier one back."""

    __tablename__ = "credit_application"
    __table_args__ = (
        CheckConstraint(
            "(amount_minor > 0 AND reverses_id IS NULL) OR (amount_minor < 0 AND reverses_id IS NOT NULL AND reason IS NOT NULL)",
            name="applies_or_reverses",
        ),
        UniqueConstraint("reverses_id"),
        Index("ix_credit_application_credit", "credit_id"),
        Index("ix_credit_application_invoice", "invoice_id"),
        Index("ix_credit_application_applied", "applied_at"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    credit_id: Mapped[int] = mapped_column(ForeignKey("receivable.document_id"))
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[int] = mapped_column(BigInteger)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("credit_application.id"))
    reason: Mapped[str | None] = mapped_column(Text)


class ReceiptReturn(Base):
    """Money of a receipt that the bank took back, with what it charged for that."""

    __tablename__ = "receipt_return"
    __table_args__ = (
        CheckConstraint("amount_minor > 0 AND fee_minor >= 0", name="returns_something"),
        Index("ix_receipt_return_receipt", "receipt_id"),
        Index("ix_receipt_return_returned", "returned_at"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    returned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[int] = mapped_column(BigInteger)


append_only(ReceiptApplication, CreditApplication, ReceiptReturn)


class DebtJournal(Base):
    """A bad-debt posting with its sign: positive takes a debt on again, negative gives it up."""

    __tablename__ = "debt_journal"
    __table_args__ = (UniqueConstraint("entity_id", "number"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    number: Mapped[str] = mapped_column(Code)
    reason: Mapped[str] = mapped_column(Text)
    ship_country: Mapped[str] = mapped_column(String(64))
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Decimal] = mapped_column(Price)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(DebtJournal)
