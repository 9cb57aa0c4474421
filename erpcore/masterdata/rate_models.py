"""What one currency is worth in another, day by day."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Scaled, UtcDateTime, append_only, states
from erpcore.masterdata.models import Realm

#: Rates have so many places: enough for a currency of which a thousand are worth a cent.
RATE_PLACES = 9


class ExchangeRate(Base):
    """One unit of ``currency`` is ``rate`` of ``against`` on a day, usable for ``holds_days`` from it.

    The highest ``revision`` of pair and day counts; those after the first say in ``reason`` why they were told.
    """

    __tablename__ = "exchange_rate"
    __table_args__ = (
        UniqueConstraint("realm", "currency", "against", "day_on", "revision"),
        states("realm", Realm),
        CheckConstraint("currency <> against", name="two_currencies"),
        CheckConstraint("rate > 0", name="positive"),
        CheckConstraint("holds_days > 0", name="holds"),
        CheckConstraint("revision = 1 OR (revision > 1 AND reason IS NOT NULL)", name="says_why"),
        Index("ix_exchange_rate_day", "realm", "day_on", "id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    realm: Mapped[str] = mapped_column(String(12))
    currency: Mapped[str] = mapped_column(String(3))
    against: Mapped[str] = mapped_column(String(3))
    day_on: Mapped[date] = mapped_column(Date)
    revision: Mapped[int] = mapped_column(SmallInteger)
    rate: Mapped[Decimal] = mapped_column(Scaled(RATE_PLACES))
    holds_days: Mapped[int] = mapped_column(SmallInteger)
    source: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str | None] = mapped_column(Text)
    kept_by: Mapped[int] = mapped_column(BigInteger)
    kept_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(ExchangeRate)
