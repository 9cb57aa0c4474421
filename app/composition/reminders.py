"""Who was written to about a request for approval that waits, before others are asked too?

One mail a request, need and person, written in the transaction that keeps in the request's history that people were reminded.
Sent at least once, always under the same Message-ID.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.composition.digests import OWN
from erpcore.kernel.flow import Flow, Move
from erpcore.kernel.model import Base, Key, UtcDateTime, states


class ReminderState(StrEnum):
    """``parked``: nobody to send it to any more, or refused too often."""

    WAITING = "waiting"
    SENT = "sent"
    PARKED = "parked"


REMINDER = Flow(
    "approval_reminder",
    ReminderState,
    ReminderState.WAITING,
    (
        Move(name="send", sources=(ReminderState.WAITING,), target=ReminderState.SENT, permission=OWN),
        Move(name="park", sources=(ReminderState.WAITING,), target=ReminderState.PARKED, permission=OWN),
    ),
)


class ApprovalReminder(Base):
    """One mail to one person about one need of a request."""

    __tablename__ = "approval_reminder"
    __table_args__ = (
        UniqueConstraint("request_id", "need", "account_id"),
        states("state", ReminderState),
        Index(
            "ix_approval_reminder_due", "next_at",
            sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"))
    need: Mapped[int] = mapped_column(SmallInteger)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(8))
    attempts: Mapped[int] = mapped_column(Integer)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def message_id_of(request: int, need: int, account: int) -> str:
    """The same for the same request, need and person, however often the mail is handed over."""
    content = f"{request} {need} {account}"
    return f"<{sha256(content.encode()).hexdigest()[:32]}@reminders.wavegate.invalid>"
