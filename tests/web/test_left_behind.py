"""Who has left and still answers for something is asked about on the home page of whoever runs the programme."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from app.composition.uow import reading, unit_of_work
from app.composition.variants import person_leaves
from app.identity.models import RoleGrant
from app.queries.left_behind import left_behind
from erpcore.kernel.actor import Actor
from governance.risks.flow import EntryKind
from governance.risks.services import MoveEntry, move_entry
from tests.support.processes import work_as
from tests.support.queries import queries
from tests.support.risks import a_register


def found(database, clock):
    with reading(database) as session, queries(database) as ran:
        rows = left_behind(session, clock.now())
    assert len(ran) == 1
    return [(one.person, one.is_closed, one.words) for one in rows]


def leaves(database, clock, person):
    with unit_of_work(database, actor=Actor.system("tests"), clock=clock) as work:
        person_leaves(work, person, reason="left")


def test_who_left_stands_on_the_home_page_until_nothing_is_theirs(signed_in, sqlite_database, clock):
    database = sqlite_database
    register = a_register(database, clock)
    keys = [register.raised(EntryKind.RISK), register.raised(EntryKind.ISSUE)]
    office = signed_in("pmo")
    assert "hand over what stands" not in office.get("/").text
    assert found(database, clock) == []
    leaves(database, clock, register.owner.id)
    assert found(database, clock) == [(register.owner.id, True, "2 entries of the RAID register, 1 seat")]
    page = office.get("/")
    assert "left on Mon 2 Mar: hand over what stands" in page.text
    assert "2 entries of the RAID register" in page.text
    (link,) = {one for one in page.links() if one.startswith("/impact/person/")}
    assert "R-1" in office.get(link).text
    assert "hand over what stands" not in signed_in("customer_service").get("/").text
    for key in keys:
        with work_as(database, clock, register.office) as work:
            move_entry(work, MoveEntry(entry=key, move="close", reason="settled", today=clock.now().date()))
    assert found(database, clock) == [(register.owner.id, True, "1 seat")]


def test_programs_read_who_left_with_what_stands_and_only_those_that_run_the_programme(caller, sqlite_database, clock):
    register = a_register(sqlite_database, clock)
    register.raised(EntryKind.RISK)
    office = caller("pmo")
    assert office("GET", "/users/left-behind").json == {"items": []}
    leaves(sqlite_database, clock, register.owner.id)
    (one,) = office("GET", "/users/left-behind").json["items"]
    assert (one["person"], one["is_closed"], one["since"]) == (register.owner.id, True, "2026-03-02T09:00:00Z")
    assert one["held"] == [{"what": "entry of the RAID register", "count": 1}, {"what": "seat", "count": 1}]
    assert caller("customer_service")("GET", "/users/left-behind").status_code == 403


def test_whose_roles_have_all_ended_counts_as_left_though_nobody_closed_the_account(sqlite_database, clock):
    database = sqlite_database
    register = a_register(database, clock)
    register.raised(EntryKind.RISK)
    with unit_of_work(database, actor=Actor.system("tests"), clock=clock) as work:
        work.session.execute(
            update(RoleGrant)
            .where(RoleGrant.account_id == register.owner.id)
            .values(valid_until=clock.now() + timedelta(days=5))
        )
    assert found(database, clock) == [], "the last day is to come"
    clock.set(clock.now() + timedelta(days=6))
    assert found(database, clock) == [(register.owner.id, False, "1 entry of the RAID register, 1 seat")]
