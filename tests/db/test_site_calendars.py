"""A site's calendars: told with a first day and a reason, for its twins too, never changed; what they refuse and who may."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from app.composition.calendars import SiteCalendars
from app.composition.uow import reading, unit_of_work
from erpcore.fulfilment.carriers.services import (
    NewCarrier,
    NewService,
    add_carrier,
    add_service,
    set_active,
    set_cut_offs,
)
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.masterdata.calendars import Calendar, SetCalendar, calendar_on, calendars_of, set_calendars, workdays
from erpcore.masterdata.services import NewEntity, NewSite, add_entity, add_site
from readiness.measures.hours import working_time
from readiness.measures.states import picked_by
from tests.support.core import MONDAY, a_business

OWNER = Actor(id=5, role="data_owner", permissions=frozenset({"masterdata:record:change"}))
TODAY = MONDAY.date()
DAY = workdays(time(8), time(17))


@pytest.fixture
def business(database):
    return a_business(database, at=MONDAY)


def tell(database, site, week=DAY, *, begins=TODAY, closed=(), seen=0, reason="as agreed", actor=OWNER, at=MONDAY):
    with unit_of_work(database, actor=actor, clock=SetClock(at)) as work:
        calendar = Calendar(valid_from=begins, week=week, closed=closed)
        return set_calendars(work, [SetCalendar(site=site, calendar=calendar, reason=reason, seen=seen)])


def everything(database):
    with reading(database) as session:
        count = "SELECT (SELECT COUNT(*) FROM site_calendar), (SELECT COUNT(*) FROM event_log), (SELECT COUNT(*) FROM audit_entry)"
        return tuple(session.execute(text(count)).one())


def twin_of(database, business):
    with unit_of_work(database, actor=Actor.system("test"), clock=SetClock(MONDAY), realm="rehearsal") as work:
        entity = add_entity(
            work,
            NewEntity(
                code="TWIN", name="Twin", country="Germany", currency="EUR", time_zone="Europe/Berlin", realm="rehearsal",
                twin=business.entity,
            ),
        )  # fmt: skip
        site = add_site(
            work,
            NewSite(
                entity=entity.id, code="TWIN", name="Twin", kind="branch", country="Germany", time_zone="Europe/Berlin",
                twin=business.site,
            ),
        )  # fmt: skip
    return site.id


def test_the_calendar_told_last_holds_from_its_first_day_on(database, business):
    tell(database, business.site, begins=date(2026, 1, 1), closed=[TODAY + timedelta(days=2)])
    longer = (*[(time(6), time(20))] * 5, (time(9), time(13)), None)
    tell(database, business.site, longer, begins=TODAY + timedelta(days=3), seen=1)
    with reading(database) as session:
        told = calendars_of(session, [business.site])
        assert [one.number for one in told] == [1, 2]
        assert calendar_on(told, TODAY) == told[0]
        assert calendar_on(told, TODAY + timedelta(days=3)) == told[1]
        assert calendar_on(told, date(2025, 12, 31)) is None
        calendar = SiteCalendars(session).of_sites([business.site])[business.site]
    # Monday and Tuesday nine hours, Wednesday closed, Thursday and Friday fourteen, Saturday four.
    start = MONDAY.replace(hour=0)
    assert working_time(start, start + timedelta(days=7), calendar) == timedelta(hours=2 * 9 + 2 * 14 + 4)


def test_a_calendar_is_published_and_kept_in_the_audit_trail(database, business):
    tell(database, business.site)
    with reading(database) as session:
        event = session.execute(
            text("SELECT type, site, subject_type, subject_version, data FROM event_log ORDER BY seq DESC")
        ).first()
        assert tuple(event[:4]) == ("site.calendar_set", business.site, "site", 1)
        assert '"week":[[480,1020],[480,1020],[480,1020],[480,1020],[480,1020],null,null]' in event.data
        kinds = session.execute(text("SELECT kind FROM audit_entry ORDER BY position DESC")).scalars().all()
    assert kinds[0] == "site_calendar.set"


def test_the_twins_of_a_live_site_follow_its_calendar(database, business):
    tell(database, business.site)
    twin = twin_of(database, business)
    tell(database, business.site, workdays(time(6), time(22)), begins=TODAY + timedelta(days=1), seen=1)
    with reading(database) as session:
        mine, live = calendars_of(session, [twin]), calendars_of(session, [business.site])
        assert [(one.valid_from, one.week) for one in mine] == [(one.valid_from, one.week) for one in live]
        realms = (
            session.execute(text("SELECT realm FROM event_log WHERE type = 'site.calendar_set' ORDER BY seq"))
            .scalars()
            .all()
        )
    assert realms == ["live", "rehearsal", "live", "rehearsal"]
    with pytest.raises(RuleBroken) as refused:
        tell(database, twin, seen=2)
    assert refused.value.code == "calendar_of_twin"


NIGHT = (time(22), time(6))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"week": DAY[:6]}, "calendar_week_unfit"),
        ({"week": (None,) * 7}, "calendar_never_open"),
        ({"week": ((time(8, 0, 30), time(17)), *DAY[1:])}, "calendar_not_minutes"),
        # Monday's shift ends when Tuesday's day has been open for an hour; Sunday's when Monday's has.
        ({"week": (NIGHT, (time(5), time(9)), *(None,) * 5)}, "calendar_hours_overlap"),
        ({"week": ((time(5), time(9)), *(None,) * 5, NIGHT)}, "calendar_hours_overlap"),
        ({"closed": [TODAY + timedelta(days=number) for number in range(201)]}, "calendar_closed_too_often"),
        ({"reason": "  "}, "calendar_reason_missing"),
        ({"begins": TODAY}, "calendar_from_past"),
        ({"begins": TODAY - timedelta(days=40)}, "calendar_from_past"),
    ],
)  # fmt: skip
def test_a_calendar_that_cannot_be_is_refused_and_nothing_changes(database, business, wrong, code):
    tell(database, business.site)
    before = everything(database)
    with pytest.raises(RuleBroken) as refused:
        tell(database, business.site, **{"begins": TODAY + timedelta(days=1), "seen": 1, **wrong})
    assert refused.value.code == code
    assert everything(database) == before


def test_who_saw_an_older_calendar_looks_again(database, business):
    tell(database, business.site)
    before = everything(database)
    with pytest.raises(Conflict) as refused:
        tell(database, business.site, begins=TODAY + timedelta(days=1), seen=0)
    assert refused.value.code == "calendar_changed"
    assert everything(database) == before


def test_only_who_may_change_master_data_of_the_site_tells_its_calendar(database, business):
    before = everything(database)
    for actor in (
        Actor(id=6, role="clerk", permissions=frozenset()),
        Actor(id=7, role="data_owner", permissions=OWNER.permissions, sites=frozenset({business.site + 1})),
    ):
        with pytest.raises((NotAllowed, NotFound)):
            tell(database, business.site, actor=actor)
    with pytest.raises(NotFound):
        tell(database, 999)
    assert everything(database) == before


def test_what_was_told_is_never_changed(database, business):
    tell(database, business.site)
    for change in ("UPDATE site_calendar SET reason = 'x'", "DELETE FROM site_calendar"):
        with pytest.raises(Exception, match="history"), database.write_engine.begin() as connection:
            connection.execute(text(change))


def test_a_sites_last_collections_are_those_of_carriers_that_drive(database, business):
    lead = Actor(id=6, role="warehouse_supervisor", permissions=frozenset({"warehouse:carrier:change"}))
    twin = twin_of(database, business)
    with unit_of_work(database, actor=lead, clock=SetClock(MONDAY)) as work:
        services = []
        for carrier in ("DHL", "DPD"):
            firm = add_carrier(work, NewCarrier(entity=business.entity, code=carrier, name=carrier)).id
            services += [
                add_service(work, NewService(carrier=firm, code=code, name=code, transit_days=1)).id
                for code in ("DAY", "EVE")
            ]
        for service, at in zip(services, (time(12), time(17, 30), time(16), time(21)), strict=True):
            set_cut_offs(work, service, business.site, {0: at, 2: time(11)})
        # Its evening tour no longer drives.
        set_active(work, services[-1], is_active=False)
    with reading(database) as session:
        found = SiteCalendars(session).of_sites([business.site, twin])
    assert dict(found[business.site].collections) == {0: time(17, 30), 2: time(11)}
    assert found[twin].collections == found[business.site].collections
    # What is allocated at noon on a Monday goes with the last tour of the day, in the evening of Tuesday on Wednesday.
    noon = MONDAY.replace(hour=12)
    until = [picked_by(noon + timedelta(days=days), None, found[business.site]) for days in (0, 1)]
    assert until == [
        datetime(2026, 3, 2, 17, 30, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 3, 4, 11, tzinfo=ZoneInfo("Europe/Berlin")),
    ]
