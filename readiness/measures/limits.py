"""How long may a document stand at the control points of a site, who said so, and why?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from readiness.measures.models import ControlLimit
from readiness.measures.states import LIMITS

#: Who sets limits: none of those whose site is watched by them.
SET_LIMITS = "readiness:limit:set"
#: A limit of no minute would make every document late at once; one of thirty working days of eight hours watches nothing.
LEAST, MOST = 1, 14_400


@dataclass(frozen=True, kw_only=True)
class SetLimit:
    """A limit of one point at one live site, in minutes; ``None`` goes back to the usual one."""

    site: int
    point: str
    minutes: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class LimitView:
    """A point of a site with its limit; ``reason`` and ``set_at`` where it is the site's own."""

    point: str
    usual_minutes: int
    minutes: int
    reason: str | None
    set_by: int | None
    set_at: datetime | None

    @property
    def is_own(self) -> bool:
        return self.set_at is not None


#: The points whose limit can be set, with the usual one in minutes; picking ends with the carrier's cut-off.
USUAL = {point.value: int(limit.total_seconds() // 60) for point, limit in LIMITS.items()}


def set_limits(work: UnitOfWork, commands: Sequence[SetLimit]) -> None:
    """Set limits; they hold from the next reading on, also for documents that wait already. Kept in the audit trail."""
    for command in commands:
        work.actor.require(SET_LIMITS, site=command.site)
        if command.point not in USUAL:
            raise RuleBroken("limit_point_unknown", field="point", point=command.point, known=list(USUAL))
        if not command.reason.strip():
            raise RuleBroken("limit_reason_missing", field="reason", point=command.point)
        if command.minutes is not None and not LEAST <= command.minutes <= MOST:
            raise RuleBroken(
                "limit_absurd", field="minutes", point=command.point, minutes=command.minutes, least=LEAST, most=MOST
            )
        key = (command.site, command.point)
        found = work.session.get(ControlLimit, key, with_for_update={"key_share": True})
        before = found.minutes if found else None
        if command.minutes == before:
            continue
        if found is not None and command.minutes is None:
            work.session.execute(
                delete(ControlLimit).where(ControlLimit.site_id == command.site, ControlLimit.point == command.point)
            )
        elif found is not None and command.minutes is not None:
            found.minutes, found.reason, found.set_by, found.set_at = (
                command.minutes,
                command.reason,
                work.actor.id,
                work.now,
            )
        elif command.minutes is not None:
            work.session.add(
                ControlLimit(
                    site_id=command.site, point=command.point, minutes=command.minutes, reason=command.reason,
                    set_by=work.actor.id, set_at=work.now,
                )
            )  # fmt: skip
        work.session.flush()
        work.audit(
            "control_limit.set", "site", command.site, point=command.point, minutes=command.minutes, before=before,
            usual=USUAL[command.point], reason=command.reason,
        )  # fmt: skip


def limits_of(session: Session, site: int) -> list[LimitView]:
    """Every point of a live site, in the order of the business."""
    own = {row.point: row for row in session.scalars(select(ControlLimit).where(ControlLimit.site_id == site))}
    return [
        LimitView(
            point=point, usual_minutes=usual, minutes=own[point].minutes if point in own else usual,
            reason=own[point].reason if point in own else None, set_by=own[point].set_by if point in own else None,
            set_at=own[point].set_at if point in own else None,
        )
        for point, usual in USUAL.items()
    ]  # fmt: skip
