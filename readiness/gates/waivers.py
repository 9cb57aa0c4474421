"""Who may let a criterion be passed over, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from readiness.gates.criteria import Criterion


class Body(StrEnum):
    """Who decides on a waiver: the body a gate's template names, or the steering committee."""

    TEMPLATE = "template"
    STEERING = "steering"


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiver:
    """A granted exception for one criterion over [granted_at, until), with who asked and who granted."""

    id: str
    criterion: str
    requested_by: str
    granted_by: str
    body: Body
    granted_at: datetime
    until: datetime
    ended_at: datetime | None = None
    """When it was taken back before its time."""


def grant_refusal(criterion: Criterion, *, requested_by: str, granted_by: str, body: Body) -> str | None:
    """Why this person or body may not grant the waiver, as a code; None where they may.

    Statutory criteria are never waived, key ones by the steering committee alone, and nobody grants what they asked
    for themselves.
    """
    if criterion.statutory:
        return "statutory_never_waived"
    if granted_by == requested_by:
        return "requester_may_not_grant"
    if criterion.key and body is not Body.STEERING:
        return "key_waived_by_steering_only"
    return None


def is_in_force(waiver: Waiver, now: datetime) -> bool:
    """Whether the waiver covers ``now``; its last instant is just before ``until``."""
    if waiver.ended_at is not None and now >= waiver.ended_at:
        return False
    return waiver.granted_at <= now < waiver.until


def may_cover(waiver: Waiver, criterion: Criterion, now: datetime) -> bool:
    """Whether the waiver can change this criterion's verdict now: in force, of this line, and rightly granted."""
    return (
        waiver.criterion == criterion.id
        and is_in_force(waiver, now)
        and grant_refusal(criterion, requested_by=waiver.requested_by, granted_by=waiver.granted_by, body=waiver.body)
        is None
    )
