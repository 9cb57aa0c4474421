"""Who decides, and when a site works on paper: pages of the programme office, of a seat's holder and of a site's lead."""

from __future__ import annotations

from datetime import date

import pytest

from app.composition.uow import reading
from governance.decisions.queries import decision_view
from governance.programme.meetings import begin_series
from governance.programme.models import Body, Delegation, Meeting, MeetingSeries, Programme, ProgrammeCell, Seat
from readiness.measures.catalogue import MEASURES
from readiness.waves.grants import RecordAlreadyLive, record_already_live
from readiness.waves.models import Grant
from tests.support.meetings import weekly
from tests.support.operate import ALL
from tests.support.queries import MOST, queries
from tests.support.steering import a_programme
from tests.support.web import Browser, a_person


@pytest.fixture
def sqlite_database(database):
    """The pages on both databases."""
    return database


@pytest.fixture
def steered(sqlite_database, clock):
    return a_programme(sqlite_database, clock, more_cells=1)


@pytest.fixture
def as_person(site):
    def sign_in(who):
        browser = Browser(site)
        browser.sign_in(who)
        return browser

    return sign_in


@pytest.fixture
def office(as_person, steered):
    return as_person(steered.office)


def kept(steered, model, **where):
    with reading(steered.database) as session:
        found = session.query(model).filter_by(**where).order_by(model.id).all()
        session.expunge_all()
        return found


def seat(page, **given):
    return {
        "function": "Sales",
        "person": "0",
        "reason": "sales decides with us",
        "request_key": page.value("request_key"),
        **given,
    }


def test_a_seat_is_added_put_into_hands_changed_and_abolished(office, steered):
    here = f"/committees/{steered.steering}"
    other = a_person(steered.database, "steering_member", clock=steered.clock, name="Odile Brenneke")
    page = office.get(f"{here}/seats/new")
    page = office.post(f"{here}/seats/new", seat(page, person=str(steered.chair.id)), status=422)
    assert page.errors() == [
        "Held by: They hold the seat Chair in this body already; one person has one vote. Choose somebody else."
    ]
    page = office.post(f"{here}/seats/new", seat(page, chair="y"), status=422)
    assert page.errors()[0].startswith("Chair: Steering committee has its chair: Chair.")
    assert len(kept(steered, Seat, body_id=steered.steering)) == 3
    page = office.post(f"{here}/seats/new", seat(page, mandatory="y"))
    assert "Sales must be there, and nobody holds the seat: no vote has a quorum." in page.text
    added = kept(steered, Seat, body_id=steered.steering)[-1]
    page = office.get(f"{here}/seats/{added.id}")
    assert page.value("function") == "Sales"
    office.post(f"{here}/seats/{added.id}", seat(page, person=str(other.id), veto="y"))
    added = kept(steered, Seat, body_id=steered.steering)[-1]
    assert (added.person_id, added.is_mandatory, added.has_veto) == (other.id, False, True)
    assert "Odile Brenneke" in office.page.text
    office.get(f"{here}/seats/{added.id}/end")
    office.post(f"{here}/seats/{added.id}/end", {"reason": ""}, status=422)
    office.post(f"{here}/seats/{added.id}/end", {"reason": "the function is gone"})
    assert kept(steered, Seat, id=added.id)[0].ended_at is not None
    office.get(f"{here}/seats/{added.id}", status=404)


def test_a_rule_is_changed_and_a_meeting_called(office, steered):
    here = f"/committees/{steered.steering}"
    page = office.get(f"{here}/rule")
    assert page.value("name") == "Steering committee"
    office.post(
        f"{here}/rule",
        {"name": "Board", "mandate": "Decides.", "quorum": "1/2", "majority": "3/4", "reason": "the board"},
    )
    (found,) = kept(steered, Body, id=steered.steering)
    assert (found.name, found.quorum_seats, found.quorum_of, found.majority_votes, found.majority_of) == (
        "Board",
        1,
        2,
        3,
        4,
    )
    key = office.get(f"{here}/meetings/new").value("request_key")
    call = {
        "title": "Go-live of W2",
        "starts_at": "2026-03-20T10:00",
        "ends_at": "2026-03-20T09:00",
        "request_key": key,
    }
    page = office.post(f"{here}/meetings/new", call, status=422)
    assert page.errors() == ["Ends: The end is before the start. Choose a later end."]
    page = office.post(f"{here}/meetings/new", {**call, "starts_at": "0001-01-01T00:00"}, status=422)
    assert page.errors() == ["Begins: Enter a year from 1900 to 2999"]
    assert page.value("starts_at") == "0001-01-01T00:00"
    assert kept(steered, Meeting) == []
    office.post(
        f"{here}/meetings/new", {**call, "ends_at": "2026-03-20T11:00", "request_key": page.value("request_key")}
    )
    assert [one.title for one in kept(steered, Meeting)] == ["Go-live of W2"]


def test_a_body_meets_in_a_series_and_a_calendar_program_reads_it_until_its_address_ends(
    office, as_person, steered, site
):
    here = f"/committees/{steered.steering}"
    page = office.get(f"{here}/series/new")
    typed = {
        "title": "Steering committee", "rhythm": "fortnightly", "weekday": "2", "week": "0", "begins_at": "10:00",
        "minutes": "60", "time_zone": "Europe/Berlin", "first_on": "2026-03-02", "until_on": "2026-03-03",
        "request_key": page.value("request_key"),
    }  # fmt: skip
    page = office.post(f"{here}/series/new", typed, status=422)
    assert page.errors() == [
        "Until: No meeting would fall into this time. Choose a later end, or another day of the week."
    ]
    page = office.post(f"{here}/series/new", {**typed, "until_on": "", "request_key": page.value("request_key")})
    assert "Every second Wednesday at 10:00" in page.text
    (series,) = kept(steered, MeetingSeries)
    office.post(
        f"{here}/meetings/s{series.id}-2026-03-18/move",
        {"starts_at": "2026-03-19T10:00", "ends_at": "2026-03-19T11:00", "reason": "the sponsor travels"},
    )
    assert "the sponsor travels" in office.page.text
    office.post(f"{here}/meetings/s{series.id}-2026-03-18/move", {"starts_at": "", "reason": ""}, status=422)
    office.get(f"{here}/meetings/s{series.id}-2026-03-19/move", status=404)
    for nonsense in ("m", "s", "s1", "m-1", "sx-2026-03-18", f"s{series.id}-2026-99-01", "m99999999999999999999"):
        office.get(f"{here}/meetings/{nonsense}/cancel", status=404)
    office.get(f"{here}/meetings/s{series.id}-2026-04-01/cancel")
    office.post(f"{here}/meetings/s{series.id}-2026-04-01/cancel", {"reason": "Easter"})

    chair = as_person(steered.chair)
    chair.get("/account/calendar")
    page = chair.post("/account/calendar", {})
    address = page.value("address")
    path = address.partition("/calendar/")[1] + address.partition("/calendar/")[2]
    read = site.test_client().get(path)
    assert (read.status_code, read.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    text = read.text.replace("\r\n ", "")
    assert text.count("BEGIN:VEVENT") == 29
    assert "DTSTART:20260319T" in text
    assert "DTSTART:20260318T" not in text
    assert "Changed: Easter" in text
    assert text.count("STATUS:CANCELLED") == 1
    assert "SEQUENCE:1" in text
    assert address not in chair.get("/account/calendar").text
    chair.post("/account/calendar/end", {})
    assert site.test_client().get(path).status_code == 404
    assert site.test_client().get("/calendar/wgc1_x.ics").status_code == 404

    office.get(f"{here}/series/{series.id}/end")
    office.post(f"{here}/series/{series.id}/end", {"last_on": "2026-03-12", "reason": "done"})
    assert kept(steered, MeetingSeries)[0].ended_on == date(2026, 3, 12)


def test_a_series_changes_from_a_day_on(office, steered):
    here = f"/committees/{steered.steering}"
    with steered.work() as work:
        series = begin_series(work, weekly(steered)).id
    page = office.get(f"{here}/series/{series}/change")
    assert (page.value("title"), page.value("begins_at"), page.value("minutes")) == (
        "Steering committee",
        "10:00",
        "60",
    )
    typed = {
        "title": "Steering", "rhythm": "weekly", "weekday": "3", "week": "0", "begins_at": "11:00", "minutes": "45",
        "time_zone": "Europe/Berlin", "first_on": "2026-03-16", "request_key": page.value("request_key"),
    }  # fmt: skip
    office.post(f"{here}/series/{series}/change", typed, status=422)
    office.post(f"{here}/series/{series}/change", {**typed, "reason": "Thursdays"})
    assert [(one.weekday, one.ended_on) for one in kept(steered, MeetingSeries)] == [(2, date(2026, 3, 15)), (3, None)]


def test_two_who_change_a_calendar_at_once_are_told_and_keep_what_they_typed(office, steered):
    here = f"/committees/{steered.steering}"
    with steered.work() as work:
        series = begin_series(work, weekly(steered)).id
    meeting = f"{here}/meetings/s{series}-2026-03-11"
    told = {path: office.get(path).value("version") for path in (f"{meeting}/move", f"{meeting}/cancel")}
    shown = office.get(f"{here}/series/{series}/change")
    typed = {
        "title": "Steering", "rhythm": "weekly", "weekday": "3", "week": "0", "begins_at": "11:00", "minutes": "45",
        "time_zone": "Europe/Berlin", "first_on": "2026-03-23", "reason": "Thursdays", "version": shown.value("version"),
        "request_key": shown.value("request_key"),
    }  # fmt: skip
    other = office.get(f"{here}/series/{series}/end")
    end = {"last_on": "2026-03-27", "reason": "done", "version": other.value("version")}
    office.post(f"{here}/series/{series}/end", end)
    page = office.post(f"{here}/series/{series}/change", typed, status=409)
    assert (page.value("reason"), page.value("minutes")) == ("Thursdays", "45")
    page = office.post(f"{here}/series/{series}/end", {**end, "last_on": "2026-03-20"}, status=409)
    assert page.value("last_on") == "2026-03-20"
    times = {"starts_at": "2026-03-12T10:00", "ends_at": "2026-03-12T11:00"}
    for path, seen in told.items():
        page = office.post(path, {"reason": "travel", "version": seen, **times}, status=409)
        assert page.value("reason") == "travel"
    assert [one.ended_on for one in kept(steered, MeetingSeries)] == [date(2026, 3, 27)]
    assert kept(steered, Meeting) == []
    for day in ("0001-01-03", "9999-12-29", "2026-02-30"):
        office.get(f"{here}/meetings/s{series}-{day}/move", status=404)


def test_a_holder_ends_the_delegation_they_named(as_person, steered):
    chair = as_person(steered.chair)
    seat_id = kept(steered, Seat, person_id=steered.chair.id)[0].id
    page = chair.get(f"/committees/{steered.steering}")
    sent = {"delegate": str(steered.office.id), "valid_from": "2026-03-01", "valid_until": "2026-03-30", "reason": "on leave",
            "request_key": page.value("request_key")}  # fmt: skip
    page = chair.post(f"/committees/{steered.steering}/seats/{seat_id}/delegate", sent)
    assert "Paul Nowak for Chair" in page.text
    (made,) = kept(steered, Delegation)
    finance = as_person(steered.finance)
    finance.get(f"/committees/{steered.steering}/delegations/{made.id}/end")
    finance.post(f"/committees/{steered.steering}/delegations/{made.id}/end", {"reason": "x"}, status=403)
    chair.get(f"/committees/{steered.steering}/delegations/{made.id}/end")
    chair.post(f"/committees/{steered.steering}/delegations/{made.id}/end", {"reason": "back"})
    assert "Paul Nowak for Chair" not in chair.page.text
    assert kept(steered, Delegation)[0].valid_until == steered.clock.now()


def test_a_programme_begins_with_cells_and_a_body(office, steered):
    page = office.get("/programmes/new")
    cell = f"{steered.business.site}:{steered.business.channel}"
    sent = {
        "code": "TWO",
        "name": "Second",
        "purpose": "Another.",
        "starts_on": "2026-04-01",
        "cells": [cell],
        "request_key": page.value("request_key"),
    }
    page = office.post("/programmes/new", {**sent, "ends_on": "2026-03-01"}, status=422)
    assert page.errors()[0].startswith("Ends: ")
    office.post("/programmes/new", {**sent, "request_key": page.value("request_key")})
    programme = kept(steered, Programme)[-1]
    assert office.page.heading == "Second"
    office.get(f"/programmes/{programme.id}/cells")
    more = f"{steered.business.site}:{steered.more_channels[0]}"
    office.post(f"/programmes/{programme.id}/cells", {"cells": [more]})
    assert len(kept(steered, ProgrammeCell, programme_id=programme.id)) == 2
    page = office.get(f"/programmes/{programme.id}/committees/new")
    body = {
        "name": "Board", "code": "board", "kind": "steering", "mandate": "Decides.", "quorum": "2/3", "majority": "2/3",
        "function": "Chair", "person": str(steered.chair.id), "request_key": page.value("request_key"),
    }  # fmt: skip
    office.post(f"/programmes/{programme.id}/committees/new", body)
    page = office.get(f"/programmes/{programme.id}/committees/new")
    page = office.post(
        f"/programmes/{programme.id}/committees/new", {**body, "request_key": page.value("request_key")}, status=422
    )
    assert page.errors()[0].startswith("Code: ")
    made = kept(steered, Body, programme_id=programme.id)
    assert [(one.code, one.kind) for one in made] == [("board", "steering")]


def test_a_site_lead_puts_the_site_on_paper_and_the_wave_page_says_so(as_person, steered):
    business = steered.business
    with steered.work() as work:
        cells = ((business.site, business.channel),)
        record_already_live(work, RecordAlreadyLive(cells=cells, processes=ALL, reason="ran before"))
    lead = as_person(
        a_person(steered.database, "site_lead", site=business.site, clock=steered.clock, name="Bernd Aukamp")
    )
    page = lead.get(f"/waves/{steered.wave}")
    assert f"/sites/{business.site}/fallback" in page.links()
    here = f"/sites/{business.site}/fallback"
    page = lead.get(here)
    page = lead.post(here, {"declare-move": "declare", "declare-channel": "0", "declare-reason": ""}, status=422)
    assert page.errors() == ["Reason: Say why"]
    assert {grant.state for grant in kept(steered, Grant)} == {"open"}
    page = lead.post(
        here, {"declare-move": "declare", "declare-channel": "0", "declare-reason": "No network since nine."}
    )
    assert {grant.state for grant in kept(steered, Grant)} == {"in_fallback"}
    assert "back-entries only" in page.text
    chair = as_person(steered.chair)
    with queries(steered.database) as ran:
        page = chair.get(f"/waves/{steered.wave}")
    assert len(ran) <= MOST
    assert "Duisburg works on paper" in page.text
    assert f"/sites/{business.site}/paper" not in page.links()
    super_user = as_person(
        a_person(steered.database, "super_user", site=business.site, clock=steered.clock, name="Sevda Demir")
    )
    assert f"/sites/{business.site}/paper" in super_user.get(f"/waves/{steered.wave}").links()
    assert "No network since nine." in page.text
    lead.get(here)
    page = lead.post(here, {"end-move": "end", "end-channel": "0", "end-reason": "The line is back."})
    assert {grant.state for grant in kept(steered, Grant)} == {"open"}
    assert "The line is back." in page.text
    page = lead.post(here, {"end-move": "end", "end-channel": "0", "end-reason": "again"}, status=404)
    stranger = as_person(a_person(steered.database, "site_lead", site=steered.another_site(), clock=steered.clock))
    stranger.get(here, status=404)
    as_person(steered.office).get(here, status=403)


def test_the_pages_of_bodies_ask_25_times_at_most_and_members_only_read(office, as_person, steered):
    seat_id = kept(steered, Seat, person_id=steered.finance.id)[0].id
    here = f"/committees/{steered.steering}"
    pages = (f"{here}/seats/new", f"{here}/seats/{seat_id}", f"{here}/seats/{seat_id}/end", f"{here}/rule", f"{here}/meetings/new",
             f"/programmes/{steered.programme}/cells", f"/programmes/{steered.programme}/committees/new", "/programmes/new")  # fmt: skip
    for path in (here, "/programme", *pages):
        with queries(steered.database) as ran:
            office.get(path)
        assert len(ran) <= MOST, path
    chair = as_person(steered.chair)
    assert not set(pages) & set(chair.get(here).links())
    for path in pages:
        chair.get(path, status=403)


def test_who_keeps_the_attendance_notes_that_a_seat_takes_no_part(office, as_person, steered):
    decision = steered.open()
    with reading(steered.database) as session:
        seats = decision_view(session, decision, now=steered.clock.now()).seats
    finance = next(one.id for one in seats if one.function == "Finance")
    page = office.get(f"/decisions/{decision}")
    assert f"/decisions/{decision}/seats/{finance}/recuse" in page.links()
    office.get(f"/decisions/{decision}/seats/{finance}/recuse")
    office.post(f"/decisions/{decision}/seats/{finance}/recuse", {"reason": " "}, status=422)
    office.post(f"/decisions/{decision}/seats/{finance}/recuse", {"reason": "said so in the meeting"})
    with reading(steered.database) as session:
        assert decision_view(session, decision, now=steered.clock.now()).tally.eligible == 2
    office.get(f"/decisions/{decision}/seats/999/recuse", status=404)
    as_person(steered.chair).get(f"/decisions/{decision}/seats/{finance}/recuse", status=403)


def test_a_baseline_is_entered_stands_beside_the_measure_and_a_measure_gets_its_owner(office, steered):
    page = office.get("/measures/baselines")
    assert "12 headline figures without a baseline" in page.text
    page = office.get("/measures/fill_rate_lines/baseline/type")
    typed = {
        "site": "0", "value": "91.3", "period_from": "2025-10-01", "period_until": "2026-01-01", "completeness": "95",
        "method": "All lines of the old system.", "source": "Service report, January", "request_key": page.value("request_key"),
    }  # fmt: skip
    page = office.post("/measures/fill_rate_lines/baseline/type", typed, status=422)
    assert page.errors() == [
        "What differs: A baseline by another formula says what differs. Enter it, or tick that the formula is the same."
    ]
    assert page.value("value") == "91.3"
    office.post(
        "/measures/fill_rate_lines/baseline/type",
        {**typed, "is_comparable": "y", "request_key": page.value("request_key")},
    )
    assert "91.3 %" in office.page.text
    assert "91.3 %" in office.get("/measures").text
    assert "11 headline figures without a baseline" in office.get("/measures/baselines").text
    assert "91.3 %" in office.get("/measures/fill_rate_lines").text
    page = office.get("/measures/fill_rate_lines/baseline/take")
    take = {
        "site": "0",
        "realm": "live",
        "period_from": "2026-02-01",
        "period_until": "2026-03-01",
        "method": "Our events.",
    }
    page = office.post(
        "/measures/fill_rate_lines/baseline/take", {**take, "request_key": page.value("request_key")}, status=422
    )
    assert "has nothing to measure there in that time" in page.errors()[0]

    assert f"{len(MEASURES)} measures without an owner" in office.get("/measures/owners").text
    office.get("/measures/owners/fill_rate_lines")
    office.post("/measures/owners/fill_rate_lines", {"person": str(steered.chair.id), "reason": ""}, status=422)
    office.post("/measures/owners/fill_rate_lines", {"person": str(steered.chair.id), "reason": "owns it"})
    assert f"{len(MEASURES) - 1} measures without an owner" in office.page.text
    office.get("/measures/trade-offs")
    office.get("/measures/happiness/baseline", status=404)
