"""Up to which day are the books of each company closed, and who closed or opened them why?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.ledger.models import PeriodClose

MOST = 100


@dataclass(frozen=True, kw_only=True)
class CloseRow:
    """One step: the books are closed before ``until`` from then on. ``opens``: an earlier day than before."""

    id: int
    until: date
    reason: str
    by: int
    at: datetime
    opens: bool


def closes_of(session: Session, entity: int) -> list[CloseRow]:
    """The steps of a company, the newest first; the first one counts."""
    rows = session.scalars(
        select(PeriodClose).where(PeriodClose.entity_id == entity).order_by(PeriodClose.id.desc()).limit(MOST)
    ).all()
    older = [row.closed_until for row in rows[1:]] + [date.min]
    return [
        CloseRow(
            id=row.id, until=row.closed_until, reason=row.reason, by=row.closed_by, at=row.closed_at,
            opens=row.closed_until < before,
        )
        for row, before in zip(rows, older, strict=False)
    ]  # fmt: skip
