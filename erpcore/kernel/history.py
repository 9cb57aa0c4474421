"""Every change of state of every document, appended: what moved, from where to where, when, by whom, why."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.model import Base, Key, UtcDateTime, append_only

if TYPE_CHECKING:
    from erpcore.kernel.work import UnitOfWork


class Transition(Base):
    """One move of one document."""

    __tablename__ = "transition"
    __table_args__ = (Index("ix_transition_document", "document_type", "document_id"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    document_type: Mapped[str] = mapped_column(String(32))
    document_id: Mapped[int] = mapped_column(BigInteger)
    move: Mapped[str] = mapped_column(String(48))
    from_state: Mapped[str | None] = mapped_column(String(32))
    to_state: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[str | None] = mapped_column(Text)


append_only(Transition)

_COLUMNS = (
    "id", "document_type", "document_id", "move", "from_state", "to_state", "at", "recorded_at", "actor", "role", "reason", "facts",
)  # fmt: skip


def record_move(
    work: UnitOfWork,
    document_type: str,
    document_id: int,
    move: str,
    from_state: str | None,
    to_state: str,
    *,
    at: datetime | None = None,
    reason: str | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Append a move to the history; written in one batch when the unit of work ends."""
    work.later(
        Transition.__table__,
        _COLUMNS,
        (
            None, document_type, document_id, move, from_state, to_state, at or work.now, work.now,
            work.actor.id, work.actor.role, reason, canonical_json(facts).decode() if facts else None,
        ),
    )  # fmt: skip
