"""Processes on the screen: the set taken over, a version written, handed in, approved by another, compared and printed."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from app.composition.uow import reading
from governance.processes.queries import process, streams
from governance.processes.records import content_of
from tests.support.processes import COUNCIL, PMO, a_draft, a_step, move, the_set
from tests.support.queries import MOST, queries


@pytest.fixture
def taken(sqlite_database, clock):
    """The set with orders and warehouse in force."""
    _, versions = the_set(sqlite_database, clock)
    for version in versions.values():
        for name, who in (("submit", PMO), ("approve", COUNCIL), ("go_live", COUNCIL)):
            move(sqlite_database, clock, version, name, by=who)
    return versions


def steps_of(database, code="order_to_cash"):
    with reading(database) as session:
        found = process(session, code).versions[0]
        return found.state.value, content_of(session, found.id).steps


def test_a_fresh_programme_begins_with_the_distributors_set(signed_in, sqlite_database):
    office = signed_in("pmo")
    page = office.get("/processes")
    assert "No process yet" in page.text
    assert "Channel settlement" in page.text
    page = office.post("/processes/take-over", {})
    assert "The set is here as drafts." in page.text
    assert "nobody" in page.text
    page = office.post("/processes/take-over", {})
    assert "There are processes already." in page.text
    assert steps_of(sqlite_database)[0] == "draft"
    assert "take-over" not in signed_in("auditor").get("/processes").text


def test_the_pages_of_a_process_show_its_steps_map_and_exception_paths(signed_in, taken):
    reader = signed_in("warehouse_operator")
    page = reader.get("/processes")
    assert "2 of 8" in page.text
    page = reader.get("/processes/order_to_cash")
    assert page.heading == "Order to cash"
    assert "1. Take the order" in page.text
    assert "Order to cash, step by step" in page.text
    assert "your role may not approve versions of processes" in page.text
    page = reader.get("/processes/warehouse/steps/pick")
    assert "Scan location and item, count, confirm." in page.text
    assert "Short pick" in page.text
    assert "/processes/warehouse/steps/pack" in page.links()
    page = reader.get("/processes/map")
    assert "33 hand-offs between processes" in page.text
    assert "Order to cash: Allocate stock" in page.text
    assert "61" in reader.get("/processes/steps").text
    page = reader.get("/processes/exceptions?process=warehouse")
    assert "Short pick" in page.text
    assert "Price override" not in page.text
    reader.get("/processes/steps.csv")
    assert "warehouse.pick" in reader.response.text
    reader.get("/processes/nothing", status=404)
    reader.get("/processes/warehouse/steps/nothing", status=404)
    reader.get("/processes/warehouse/versions/9", status=404)
    reader.get("/processes/warehouse/compare?old=1&new=9", status=404)


def test_a_version_is_written_handed_in_and_approved_by_somebody_else(signed_in, taken, sqlite_database):
    author = signed_in("process_owner")
    author.get("/processes/order_to_cash/versions/new")
    here = "/processes/order_to_cash/versions/2"
    form = {
        "request_key": "k1",
        "kind": "to_be",
        "based_on": str(taken["order_to_cash"]),
        "summary": "faster confirmations",
    }
    page = author.post("/processes/order_to_cash/versions/new", form)
    assert author.path == here
    assert "faster confirmations" in page.text
    page = author.get(f"{here}/steps/confirm")
    fields = {
        "version": page.value("version"), "code": "confirm", "name": "Confirm to the customer", "role": "customer_service",
        "owner": "process_owner", "system": "Letters", "trigger": "Released.", "standard": "It leaves by itself.",
        "level": "Within ten minutes.", "otherwise": "The customer calls.", "inputs": "The order\nThe address", "decisions": "",
        "approval": "", "automation": "", "reference": "", "handoffs": "order_to_cash.invoice: what was said",
    }  # fmt: skip
    refused = author.post(f"{here}/steps/confirm", {**fields, "handoffs": "to the warehouse"}, status=422)
    assert "is no hand-off" in refused.text
    assert "It leaves by itself." in refused.text
    page = author.post(f"{here}/steps/confirm", fields)
    assert "Confirm to the customer is written." in page.text
    page = author.get(f"{here}/steps/confirm/exceptions/new")
    path = {
        "version": page.value("version"), "code": "bounced", "name": "Undeliverable", "when": "The mail comes back.",
        "actions": "Call the customer.\nMend the address.", "role": "customer_service", "approval": "", "otherwise": "Nobody knows.",
    }  # fmt: skip
    page = author.post(f"{here}/steps/confirm/exceptions/new", {**path, "actions": ""}, status=422)
    assert "Say what is done" in page.text
    page = author.post(f"{here}/steps/confirm/exceptions/new", path)
    assert "Undeliverable" in page.text
    version = page.value("version")
    page = author.post(f"{here}/steps/confirm/move", {"move": "up", "version": version})
    page = author.post(here, {"move": "submit", "reason": "", "version": page.value("version")})
    assert "It is handed in. Somebody else approves it." in page.text
    assert "you wrote it or handed it in, so somebody else approves" in page.text
    state, steps = steps_of(sqlite_database)
    assert (state, [one.code for one in steps][2:4]) == ("in_review", ["confirm", "release"])
    assert steps[2].inputs == ("The order", "The address")
    assert steps[2].exceptions[0].actions == ("Call the customer.", "Mend the address.")

    judge = signed_in("design_authority")
    assert "Order to cash, version 2" in judge.get("/").text
    page = judge.get(here)
    seen = page.value("version")
    page = judge.post(here, {"move": "approve", "reason": "", "version": seen}, status=422)
    assert "reason" in page.text.lower()
    judge.post(here, {"move": "approve", "reason": "as agreed", "version": "1"}, status=409)
    page = judge.post(here, {"move": "approve", "reason": "as agreed", "version": seen})
    assert "It is approved, and stays as it is." in page.text
    page = judge.post(here, {"move": "go_live", "reason": "from Monday", "version": page.value("version")})
    assert "It is in force; the one before is replaced." in page.text
    page = judge.get("/processes/order_to_cash/compare?old=1&new=2")
    assert "Within 30 minutes of release." in page.text
    assert "Within ten minutes." in page.text
    assert steps_of(sqlite_database)[0] == "live"


def test_a_step_of_what_was_handed_in_cannot_be_written(signed_in, taken, sqlite_database):
    author = signed_in("process_owner")
    page = author.get("/processes/warehouse/versions/1/steps/pick")
    assert "the version was handed in, and stays as it is" in page.text
    page = author.post(
        "/processes/warehouse/versions/1/steps/pick",
        {"version": page.value("version"), "code": "pick", "name": "Pick", "role": "", "owner": "", "standard": "As one likes."}, status=422,
    )  # fmt: skip
    assert "what was handed in stays as it is" in page.text
    page = author.post("/processes/warehouse/versions/1/steps/pick/move", {"move": "remove"})
    assert "what was handed in stays as it is" in page.text
    assert len(steps_of(sqlite_database, "warehouse")[1]) == 10


def test_streams_processes_and_owners_are_set_up(signed_in, sqlite_database):
    office = signed_in("pmo")
    office.get("/processes/streams/new")
    page = office.post(
        "/processes/streams/new", {"request_key": "s1", "code": "Big", "name": "Big", "purpose": ""}, status=422
    )
    assert "is no code" in page.text
    office.post("/processes/streams/new", {"request_key": "s2", "code": "service", "name": "Service", "purpose": ""})
    office.get("/processes/new")
    with reading(sqlite_database) as session:
        stream = streams(session)[0].id
    page = office.post(
        "/processes/new",
        {"request_key": "p1", "stream": stream, "code": "repair", "name": "Repair", "purpose": "Mended.", "owner": "0"},
    )
    assert page.heading == "Repair"
    assert "No version yet" in page.text
    office.get("/processes/repair/owner")
    page = office.post("/processes/repair/owner", {"owner": "0", "reason": ""}, status=422)
    assert "Say why" in page.text
    office.post("/processes/repair/owner", {"owner": "0", "reason": "nobody yet"})
    signed_in("auditor").get("/processes/new", status=403)
    signed_in("auditor").get("/processes/repair/owner", status=403)


def test_procedures_are_printed_a_page_each(signed_in, taken):
    reader = signed_in("warehouse_operator")
    answer = reader.client.get("/processes/warehouse/steps/pick/exceptions/short_pick.pdf")
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    assert len(PdfReader(io.BytesIO(answer.data)).pages) == 1
    assert reader.client.get("/processes/warehouse/steps/pick/exceptions/none.pdf").status_code == 404


def test_a_draft_appears_beside_the_version_in_force_and_pages_need_few_queries(
    signed_in, taken, sqlite_database, clock
):
    a_draft(sqlite_database, clock, "warehouse", a_step())
    reader = signed_in("pmo")
    assert "version 2 draft" in reader.get("/processes").text
    assert reader.get("/processes/warehouse").text.count("Version 1") >= 1
    for path in (
        "/processes",
        "/processes/map",
        "/processes/warehouse",
        "/processes/warehouse/steps/pick",
        "/processes/steps",
    ):
        with queries(sqlite_database) as ran:
            reader.get(path)
        assert len(ran) <= MOST, path
