"""Planning a wave as the programme office does: the form keeps what was typed, refuses at its field, and changes nothing then."""

from __future__ import annotations

from datetime import date

import pytest

from app.composition.uow import reading
from readiness.waves.models import BlackoutWindow, Grant, Wave, WaveDependency, WaveScope
from tests.support.queries import MOST, queries
from tests.support.steering import a_programme
from tests.support.web import Browser


@pytest.fixture
def steered(sqlite_database, clock):
    return a_programme(sqlite_database, clock, more_cells=2)


@pytest.fixture
def office(site, steered):
    browser = Browser(site)
    browser.sign_in(steered.office)
    return browser


def kept(steered, model):
    with reading(steered.database) as session:
        found = session.query(model).order_by(*model.__mapper__.primary_key).all()
        session.expunge_all()
        return found


def a_plan(steered, **given):
    cell = f"{steered.business.site}:{steered.more_channels[0]}"
    return {
        "code": "W3", "name": "Duisburg shop", "owner": str(steered.office.id), "cells": [cell],
        "processes": ["order_to_cash", "warehouse"], "whom": "all", "go_live_on": "2026-05-04", "hypercare_until": "2026-06-01",
        "time_zone": "Europe/Berlin", **given,
    }  # fmt: skip


def test_a_wave_is_planned_in_one_form_and_waits_for_another(office, steered):
    page = office.get("/waves/new")
    assert page.value("code") == "W1"
    assert "W2" in page.text
    sent = a_plan(steered, request_key=page.value("request_key"), **{f"waits_{steered.wave}": "one support team"})
    page = office.post("/waves/new", sent)
    assert page.heading == "W3 · Duisburg shop"
    made = kept(steered, Wave)[-1]
    assert (made.code, made.go_live_on, made.hypercare_until, made.owner_id, made.state) == (
        "W3", date(2026, 5, 4), date(2026, 6, 1), steered.office.id, "planned",
    )  # fmt: skip
    assert [(one.process, one.customer_group_id) for one in kept(steered, WaveScope) if one.wave_id == made.id] == [
        ("order_to_cash", None), ("warehouse", None),
    ]  # fmt: skip
    assert [(one.depends_on_id, one.why) for one in kept(steered, WaveDependency)] == [
        (steered.wave, "one support team")
    ]
    office.get("/waves/new")
    office.post("/waves/new", sent)
    assert len(kept(steered, Wave)) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cells": []}, "Tick at least one cell"),
        ({"processes": []}, "Tick at least one process"),
        ({"whom": "some"}, "Tick at least one group"),
        ({"go_live_on": "2026-02-01"}, "01 Feb 2026 is past"),
        ({"go_live_on": "2026-02-30"}, "Enter a day that there is"),
        ({"hypercare_until": "2026-05-04"}, "The end is before the start"),
        ({"hypercare_until": "9999-01-01"}, "Enter a year from 1900 to 2999"),
        ({"code": "W2"}, "W2"),
        ({"cells": ["own"]}, "wave W2 takes some of these cells live"),
        ({"name": " "}, "Give it a name"),
        ({"cells": ["1:1"]}, "Choose from what is offered"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused_at_its_field_and_nothing_is_planned(office, steered, given, said):
    page = office.get("/waves/new")
    if given.get("cells") == ["own"]:
        given = {"cells": [f"{steered.business.site}:{steered.business.channel}"]}
    page = office.post("/waves/new", a_plan(steered, request_key=page.value("request_key"), **given), status=422)
    assert any(said in error for error in page.errors()), page.errors()
    if "code" not in given:
        assert page.value("code") == "W3"
    assert [wave.code for wave in kept(steered, Wave)] == ["W2"]


def test_a_go_live_in_a_blackout_asks_for_a_reason(office, steered):
    page = office.get("/waves/blackouts")
    office.post(
        "/waves/blackouts",
        {"name": "May fair", "starts_on": "2026-05-01", "last_on": "2026-05-09", "wave": "0", "request_key": page.value("request_key")},
    )  # fmt: skip
    assert "May fair" in office.page.text
    (window,) = kept(steered, BlackoutWindow)
    assert (window.starts_on, window.ends_on) == (date(2026, 5, 1), date(2026, 5, 10))
    key = office.get("/waves/new").value("request_key")
    page = office.post("/waves/new", a_plan(steered, request_key=key), status=422)
    assert "lies in a blackout: May fair" in page.text
    assert page.value("accept") == "go_live_in_blackout"
    assert page.value("name") == "Duisburg shop"
    assert len(kept(steered, Wave)) == 1
    accepted = {"accept": "go_live_in_blackout", "accept_reason": "the shop is closed then"}
    office.post("/waves/new", a_plan(steered, request_key=page.value("request_key"), **accepted))
    made = kept(steered, Wave)[-1]
    page = office.get(f"/waves/{made.id}/dates")
    moved = {
        "go_live_on": "2026-05-05",
        "hypercare_until": "2026-06-01",
        "reason": "a day later",
        "version": page.value("version"),
    }
    page = office.post(f"/waves/{made.id}/dates", moved, status=422)
    assert "lies in a blackout: May fair" in page.text
    assert kept(steered, Wave)[-1].go_live_on == date(2026, 5, 4)
    office.post(f"/waves/{made.id}/dates", {**moved, **accepted})
    assert kept(steered, Wave)[-1].go_live_on == date(2026, 5, 5)
    office.get(f"/waves/blackouts/{window.id}/lift")
    office.post(f"/waves/blackouts/{window.id}/lift", {"reason": "the fair moved"})
    assert kept(steered, BlackoutWindow) == []
    office.get("/waves/blackouts/999/lift", status=404)


def test_a_blackout_ends_after_it_begins(office, steered):
    key = office.get("/waves/blackouts").value("request_key")
    sent = {"name": "x", "starts_on": "2026-05-09", "last_on": "2026-05-01", "wave": "0", "request_key": key}
    page = office.post("/waves/blackouts", sent, status=422)
    assert page.errors() == ["Last day: The end is before the start. Choose a later end."]
    assert kept(steered, BlackoutWindow) == []


def test_the_plan_changes_until_the_rehearsal_and_not_afterwards(office, steered):
    key = office.get("/waves/new").value("request_key")
    office.post("/waves/new", a_plan(steered, request_key=key))
    wave = kept(steered, Wave)[-1]
    page = office.get(f"/waves/{wave.id}/plan")
    assert "checked" in page.html
    more = [f"{steered.business.site}:{channel}" for channel in steered.more_channels]
    fields = {
        "name": "Duisburg shop and market", "owner": str(steered.office.id), "cells": more, "processes": ["order_to_cash"],
        "whom": "all", "version": page.value("version"), "request_key": page.value("request_key"), "reason": "the market joins",
    }  # fmt: skip
    office.post(f"/waves/{wave.id}/plan", {**fields, "version": "7", "request_key": "another-key"}, status=409)
    assert len([one for one in kept(steered, WaveScope) if one.wave_id == wave.id]) == 2
    office.get(f"/waves/{wave.id}/plan")
    page = office.post(f"/waves/{wave.id}/plan", fields)
    assert page.heading == "W3 · Duisburg shop and market"
    scope = [(one.channel_id, one.process) for one in kept(steered, WaveScope) if one.wave_id == wave.id]
    assert scope == [(channel, "order_to_cash") for channel in steered.more_channels]
    page = office.get(f"/waves/{steered.wave}/plan")
    fields = {**fields, "version": page.value("version"), "request_key": page.value("request_key"), "cells": more[:1]}
    page = office.post(f"/waves/{steered.wave}/plan", fields, status=422)
    assert "entry gate of wave W2 is frozen on the cells as they are" in page.errors()[0]


def test_what_ran_before_is_recorded_as_already_live(office, steered):
    key = office.get("/waves/already-live").value("request_key")
    cell = f"{steered.business.site}:{steered.more_channels[1]}"
    fields = {
        "cells": [cell], "processes": ["order_to_cash"], "since": "2026-01-05", "reason": "old release", "request_key": key,
    }  # fmt: skip
    page = office.post("/waves/already-live", {**fields, "since": "2026-07-01"}, status=422)
    assert page.errors()[0].startswith("Live since: ")
    assert kept(steered, Grant) == []
    key = page.value("request_key")
    page = office.post("/waves/already-live", {**fields, "request_key": key})
    assert "1 grant recorded as already live" in page.text
    (grant,) = kept(steered, Grant)
    assert (grant.source, grant.reason, grant.state) == ("already_live", "old release", "open")


def test_the_pages_of_planning_ask_25_times_at_most_and_only_planners_see_them(site, office, steered):
    for path in ("/waves/new", f"/waves/{steered.wave}/plan", "/waves/blackouts", "/waves/already-live"):
        with queries(steered.database) as ran:
            office.get(path)
        assert len(ran) <= MOST, path
    chair = Browser(site)
    chair.sign_in(steered.chair)
    assert "/waves/new" not in chair.get("/waves").links()
    chair.get("/waves/new", status=403)
    office.get("/waves/new?programme=999", status=404)
