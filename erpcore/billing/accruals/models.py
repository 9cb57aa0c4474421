"""Runs of accruals and what they posted, line by line."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, UtcDateTime, append_only, states


class AccrualKind(StrEnum):
    """What is accrued; the order is that of the pages."""

    UNBILLED = "unbilled"
    DEFERRED = "deferred"
    COST = "cost"
    FREIGHT = "freight"
    REFUND = "refund"
    RETURNED = "returned"


class AccrualRun(Base):
    """The accruals of a company at the end of its days before ``until``; running again posts only what is found otherwise."""

    __tablename__ = "accrual_run"
    __table_args__ = (UniqueConstraint("entity_id", "until"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    until: Mapped[date] = mapped_column(Date)
    run_by: Mapped[int] = mapped_column(BigInteger)
    run_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)


class AccrualLine(Base):
    """So much of one kind for one shipment, or for what one channel of a site sold, in minor units; negative, it takes back.

    ``charges_minor`` is the part that belongs to charges. ``entry_id`` is the entry of the period's last day, ``reversal_id`` the one
    that turns it back on the day after. ``basis``: how an estimate was made.
    """

    __tablename__ = "accrual_line"
    __table_args__ = (
        states("kind", AccrualKind),
        CheckConstraint("amount_minor <> 0 OR charges_minor <> 0", name="accrues_something"),
        CheckConstraint("(shipment_id IS NULL) = (kind IN ('refund', 'returned'))", name="of_shipment_or_channel"),
        Index("ix_accrual_line_run", "run_id", "kind"),
        Index("ix_accrual_line_shipment", "shipment_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    run_id: Mapped[int] = mapped_column(ForeignKey("accrual_run.id"))
    kind: Mapped[str] = mapped_column(String(12))
    shipment_id: Mapped[int | None] = mapped_column(ForeignKey("shipment.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("sales_order.id"))
    invoice_id: Mapped[int | None] = mapped_column(BigInteger)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    charges_minor: Mapped[int] = mapped_column(BigInteger)
    basis: Mapped[str | None] = mapped_column(Text)
    entry_id: Mapped[int] = mapped_column(ForeignKey("journal_entry.id"), unique=True)
    reversal_id: Mapped[int] = mapped_column(ForeignKey("journal_entry.id"), unique=True)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(AccrualLine)
