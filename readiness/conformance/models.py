"""Tables of conformance: what was done in each journey, how it stands to the standard, and each departure.

Written by the conformance consumer alone, in bulk, and rebuilt from the events at any time.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, Date, Index, Integer, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, UtcDateTime

_CLUSTERED = {"sqlite_with_rowid": False}


class ConformanceRow(Base):
    """One journey under the rules of its process, by the id of its root document.

    ``steps`` is a JSON list of [microseconds since 1970, place in the log, activity, part, ordinal of the site's day], in their
    order; ``executed`` how many there are, ``off`` how many of them depart uncovered. ``standing`` is conforming, covered or
    uncovered; one that has not ended by ``due_on`` conforms to nothing. ``lines`` is a JSON list of [line, quantity still
    ordered]. ``points``: the policy points that variants set in its ruleset; ``is_expired``: one of these did not hold when it
    was entered. ``version`` is that of the rules it was judged under.
    """

    __tablename__ = "conformance_journey"
    __table_args__ = (
        Index("ix_conformance_journey_ended", "realm", "process", "ended_on"),
        Index("ix_conformance_journey_due", "realm", "process", "due_on"),
        Index("ix_conformance_journey_version", "version"),
        _CLUSTERED,
    )
    root_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    process: Mapped[str] = mapped_column(String(24))
    realm: Mapped[str] = mapped_column(String(12))
    entity: Mapped[int] = mapped_column(BigInteger)
    site: Mapped[int | None] = mapped_column(BigInteger)
    channel: Mapped[int | None] = mapped_column(BigInteger)
    customer_group: Mapped[int | None] = mapped_column(BigInteger)
    grant_id: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    ruleset: Mapped[str | None] = mapped_column(String(64))
    variants: Mapped[str] = mapped_column(String(200))
    stamped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stamped_on: Mapped[date | None] = mapped_column(Date)
    is_expired: Mapped[bool] = mapped_column(Boolean)
    points: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    opened_on: Mapped[date | None] = mapped_column(Date)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_on: Mapped[date | None] = mapped_column(Date)
    due_on: Mapped[date | None] = mapped_column(Date)
    standing: Mapped[str] = mapped_column(String(12))
    executed: Mapped[int] = mapped_column(Integer)
    off: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(SmallInteger)
    lines: Mapped[str] = mapped_column(Text)
    steps: Mapped[str] = mapped_column(Text)


class DeviationRow(Base):
    """A departure of a journey from a rule. ``seq`` is the step that departs (``is_step``), or that led to nothing.

    ``is_due``: it is one from ``at`` on, unless what is waited for comes before. ``covered_by``: the variant that allowed it then.
    """

    __tablename__ = "conformance_deviation"
    __table_args__ = (
        Index("ix_conformance_deviation_day", "realm", "process", "occurred_on"),
        Index(
            "ix_conformance_deviation_covered", "covered_by", "occurred_on",
            sqlite_where=text("covered_by IS NOT NULL"), postgresql_where=text("covered_by IS NOT NULL"),
        ),
        _CLUSTERED,
    )  # fmt: skip
    root_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    process: Mapped[str] = mapped_column(String(24))
    realm: Mapped[str] = mapped_column(String(12))
    entity: Mapped[int] = mapped_column(BigInteger)
    site: Mapped[int | None] = mapped_column(BigInteger)
    channel: Mapped[int | None] = mapped_column(BigInteger)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    occurred_on: Mapped[date] = mapped_column(Date)
    is_step: Mapped[bool] = mapped_column(Boolean)
    is_due: Mapped[bool] = mapped_column(Boolean)
    covered_by: Mapped[int | None] = mapped_column(BigInteger)
