"""The table of duties: who has which for what, since when, and until when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, UtcDateTime, states
from governance.raci.rules import Duty, HolderKind, SubjectKind

_STANDS = text("ended_at IS NULL")
_ACCOUNTABLE = text("ended_at IS NULL AND duty = 'accountable'")


class RaciDuty(Base):
    """A duty of a person or a seat. ``subject`` is the code of a process or domain, or the id of a wave; ended ones stay as history."""

    __tablename__ = "raci_duty"
    __table_args__ = (
        states("subject_kind", SubjectKind),
        states("duty", Duty),
        states("holder_kind", HolderKind),
        Index(
            "uq_raci_duty_accountable", "subject_kind", "subject", unique=True, sqlite_where=_ACCOUNTABLE,
            postgresql_where=_ACCOUNTABLE,
        ),
        Index(
            "uq_raci_duty_holder", "subject_kind", "subject", "duty", "holder_kind", "holder_id", unique=True,
            sqlite_where=_STANDS, postgresql_where=_STANDS,
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    subject_kind: Mapped[str] = mapped_column(String(12))
    subject: Mapped[str] = mapped_column(String(40))
    duty: Mapped[str] = mapped_column(String(12))
    holder_kind: Mapped[str] = mapped_column(String(8))
    holder_id: Mapped[int] = mapped_column(BigInteger)
    given_by: Mapped[int] = mapped_column(BigInteger)
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text)
    ended_by: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(Text)
