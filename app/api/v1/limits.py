"""Limits of control points for programs."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body
from app.composition.request import reader
from app.queries.places import realm_of_site
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from readiness.measures.limits import SetLimit, limits_of, set_limits

TAG = "Measures"


class LimitAnswer(Answer):
    """A control point of a site with its limit in working minutes; ``reason`` where it is the site's own."""

    point: str
    minutes: int
    usual_minutes: int
    reason: str | None
    set_at: datetime | None


class LimitsAnswer(Answer):
    """Every control point of a live site."""

    items: list[LimitAnswer]


class LimitBody(Body):
    """A limit in working minutes, ``null`` for the usual one, and why."""

    point: str = Field(max_length=24)
    minutes: int | None
    reason: str = Field(min_length=1, max_length=200)


def _limits(site_id: int) -> LimitsAnswer:
    if realm_of_site(reader(), actor(), site_id) != "live":
        raise NotFound("not_found")
    return LimitsAnswer(items=[LimitAnswer.model_validate(one) for one in limits_of(reader(), site_id)])


@operation(
    "GET", "/sites/{site_id}/control-limits", permission=Permission.MEASURE_VIEW, summary="Limits of a site's control points",
    tag=TAG, answer=LimitsAnswer,
)  # fmt: skip
def list_control_limits(site_id: int) -> LimitsAnswer:
    return _limits(site_id)


@operation(
    "PUT", "/sites/{site_id}/control-limits", permission=Permission.LIMIT_SET, summary="Set a limit of a control point",
    tag=TAG, body=LimitBody, answer=LimitsAnswer,
    example={"point": "order release", "minutes": 120, "reason": "the carrier comes at noon"},
)  # fmt: skip
def set_control_limit(work: UnitOfWork, site_id: int, body: LimitBody) -> LimitsAnswer:
    _limits(site_id)
    set_limits(work, [SetLimit(site=site_id, point=body.point, minutes=body.minutes, reason=body.reason)])
    work.session.flush()
    return LimitsAnswer(items=[LimitAnswer.model_validate(one) for one in limits_of(work.session, site_id)])
