"""The table of files of orders: what stood in each, what was to become of its orders when it was looked at last, and what did."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, UtcDateTime


class Outcome(StrEnum):
    """What becomes of an order in a file. ``known``: it was entered before, by this file or another."""

    NEW = "new"
    ENTERED = "entered"
    KNOWN = "known"
    REFUSED = "refused"


class BadRows(StrEnum):
    """What bad rows do to the others."""

    ALL_OR_NOTHING = "all_or_nothing"
    GOOD_ONES = "good_ones"


class OrderFile(Base):
    """A file of orders that was handed in; the same content of a company is one file, whoever hands it in and however often.

    ``content`` is the JSON of its rows as text; ``plan`` that of what becomes of each order, as of ``looked_at``.
    """

    __tablename__ = "order_file"
    __table_args__ = (
        UniqueConstraint("entity_id", "content_hash"),
        CheckConstraint("entered + refused <= orders", name="orders_add_up"),
        CheckConstraint("(entered_by IS NULL) = (entered_at IS NULL)", name="entered_by_somebody"),
        Index("ix_order_file_uploaded_by", "uploaded_by"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    file_name: Mapped[str] = mapped_column(String(300))
    content_hash: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int] = mapped_column(Integer)
    orders: Mapped[int] = mapped_column(Integer)
    entered: Mapped[int] = mapped_column(Integer)
    refused: Mapped[int] = mapped_column(Integer)
    content: Mapped[str] = mapped_column(Text)
    plan: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    uploaded_by: Mapped[int] = mapped_column(BigInteger)
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    looked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    entered_by: Mapped[int | None] = mapped_column(BigInteger)
    entered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
