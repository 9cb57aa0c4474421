"""The acts of the audit trail, the newest first."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.queries.audit import AUDIT, AuditRow
from app.queries.listing import Asked
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SystemClock


def acts(session: Session) -> list[AuditRow]:
    return list(
        reversed(AUDIT.after(session, Actor.system("test"), Asked(), SystemClock().now(), after=None, limit=1_000))
    )
