"""A site's own limits of control points: set with a reason by those who may, and read from the next figure on."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from sqlalchemy import select

from app.composition.calendars import SiteCalendars
from app.composition.uow import reading, unit_of_work
from app.jobs.consumers import ConsumerRunner
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import AuditEntry
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from readiness.measures.consumer import JourneyConsumer
from readiness.measures.limits import SetLimit, limits_of, set_limits
from readiness.measures.queries import Scope, read_measure
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.steps import captured

OWNER = Actor(id=5, role="process_owner", permissions=frozenset({"readiness:limit:set"}))
RELEASE = "order release"


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def set_one(database, clock, business, minutes, *, actor=OWNER, point=RELEASE, reason="carrier at noon"):
    with unit_of_work(database, actor=actor, clock=clock) as work:
        set_limits(work, [SetLimit(site=business.site, point=point, minutes=minutes, reason=reason)])


def late(database, clock):
    ConsumerRunner(database, JourneyConsumer(), clock=clock).run_to_head()
    with reading(database) as session:
        calendars = SiteCalendars(session)
        found = read_measure(session, "silent_failures", Scope(), as_of=clock.now(), calendars=calendars)
    return int(found.value or 0)


def view(database, business):
    with reading(database) as session:
        return next(one for one in limits_of(session, business.site) if one.point == RELEASE)


def test_a_shorter_limit_makes_a_waiting_order_late_and_the_usual_one_takes_it_back(database, clock, business):
    captured(business)
    clock.advance(timedelta(hours=2, minutes=1))
    assert late(database, clock) == 0
    set_one(database, clock, business, 120)
    assert late(database, clock) == 1
    assert (view(database, business).minutes, view(database, business).is_own) == (120, True)
    set_one(database, clock, business, 121)
    assert late(database, clock) == 0
    set_one(database, clock, business, None, reason="back to normal")
    assert (view(database, business).minutes, view(database, business).is_own) == (240, False)
    clock.advance(timedelta(hours=2))
    assert late(database, clock) == 1


def test_each_change_stands_in_the_audit_trail_with_what_was_before(database, clock, business):
    set_one(database, clock, business, 120)
    set_one(database, clock, business, 120)
    set_one(database, clock, business, 60)
    with reading(database) as session:
        acts = [
            orjson.loads(one.content)["facts"]
            for one in session.scalars(
                select(AuditEntry).where(AuditEntry.kind == "control_limit.set").order_by(AuditEntry.position)
            )
        ]
    assert [(one["before"], one["minutes"], one["usual"]) for one in acts] == [(None, 120, 240), (120, 60, 240)]


@pytest.mark.parametrize(
    ("more", "refusal", "code"),
    [
        ({"minutes": 0}, RuleBroken, "limit_absurd"),
        ({"minutes": -5}, RuleBroken, "limit_absurd"),
        ({"minutes": 14_401}, RuleBroken, "limit_absurd"),
        ({"minutes": 60, "point": "picking"}, RuleBroken, "limit_point_unknown"),
        ({"minutes": 60, "point": "nix"}, RuleBroken, "limit_point_unknown"),
        ({"minutes": 60, "reason": "  "}, RuleBroken, "limit_reason_missing"),
        ({"minutes": 60, "actor": Actor(id=6, role="site_lead")}, NotAllowed, "not_allowed"),
        (
            {"minutes": 60, "actor": Actor(id=6, role="process_owner", permissions=OWNER.permissions, sites=frozenset({1}))},
            NotFound, "not_found",
        ),
    ],
)  # fmt: skip
def test_a_limit_that_makes_no_sense_is_refused_and_nothing_changes(database, clock, business, more, refusal, code):
    set_one(database, clock, business, 120)
    before = view(database, business)
    with pytest.raises(refusal, match=code):
        set_one(database, clock, business, **more)
    assert view(database, business) == before
