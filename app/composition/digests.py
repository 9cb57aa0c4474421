"""Who gets a mail each day about what waits for them, and what stood in it?

One a person and day of their own time zone, made in the morning and once: the row of the day says so, also where nothing waited
and nothing was sent. Sent at least once, always under the same Message-ID.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.identity.models import Account
from erpcore.kernel.flow import Flow, Move
from erpcore.kernel.model import Base, Key, UtcDateTime, states
from erpcore.kernel.work import UnitOfWork

OWN = "app:own_account:change"


class DigestState(StrEnum):
    """``nothing``: nothing waited that morning, so nobody was written to."""

    WAITING = "waiting"
    SENT = "sent"
    PARKED = "parked"
    NOTHING = "nothing"


DIGEST = Flow(
    "digest",
    DigestState,
    DigestState.WAITING,
    (
        Move(name="send", sources=(DigestState.WAITING,), target=DigestState.SENT, permission=OWN),
        Move(name="park", sources=(DigestState.WAITING,), target=DigestState.PARKED, permission=OWN),
    ),
)


class Digest(Base):
    """One person's mail of one day."""

    __tablename__ = "digest"
    __table_args__ = (
        UniqueConstraint("account_id", "day"),
        states("state", DigestState),
        Index("ix_digest_due", "next_at", sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    day: Mapped[date] = mapped_column(Date)
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(8))
    attempts: Mapped[int] = mapped_column(Integer)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DigestChoice(Base):
    """Whether somebody wants the mail; who said nothing gets it."""

    __tablename__ = "digest_choice"
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, autoincrement=False)
    wants_none: Mapped[bool] = mapped_column(Boolean)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


def wants_digest(session: Session, account: int) -> bool:
    """Whether somebody wants the daily mail."""
    choice = session.get(DigestChoice, account)
    return choice is None or not choice.wants_none


def choose_digest(work: UnitOfWork, *, wanted: bool) -> None:
    """Say for oneself whether the daily mail comes."""
    work.actor.require(OWN)
    work.session.get_one(Account, work.actor.id, with_for_update={"key_share": True})
    choice = work.session.get(DigestChoice, work.actor.id)
    if choice is None:
        choice = DigestChoice(account_id=work.actor.id)
        work.session.add(choice)
    choice.wants_none, choice.changed_at = not wanted, work.now


def message_id_of(account: int, day: date) -> str:
    """The same for the same person and day, however often the mail is handed over."""
    content = f"{account} {day.isoformat()}"
    return f"<{sha256(content.encode()).hexdigest()[:32]}@digests.wavegate.invalid>"
