"""The close room on the page and over the API: tasks, checks that keep the books open, locks."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from app.jobs.closings import check_closings
from tests.support.closings import a_closing
from tests.support.core import a_business
from tests.support.journals import a_journal, with_rent
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=1, stock=0)
    made.clock = clock
    open_cells(made)
    return with_rent(made)


def _first(clock):
    return clock.now().date().replace(day=1)


def _ids(database, table):
    with reading(database) as session:
        return list(session.scalars(text(f"SELECT id FROM {table} ORDER BY id")))


def test_a_failing_check_keeps_the_books_open_until_it_is_mended(signed_in, business, sqlite_database, clock):
    finance, until = signed_in("finance"), _first(clock)
    journal = a_journal(business, entry_on=until - timedelta(days=1))
    finance.get(f"/ledger/closings/new?entity={business.entity}")
    page = finance.post(finance.path, {"until": until.isoformat()})
    room = finance.path
    assert "0 of 10" in page.text
    finance.post(f"/ledger/closings/new?entity={business.entity}", {"until": until.isoformat()}, status=409)
    page = finance.post(f"{room}/lock", {"reason": "final"}, status=422)
    assert "Not done yet: All goods that came are received" in page.text
    for task in _ids(sqlite_database, "closing_task"):
        page = finance.post(f"/ledger/closing-tasks/{task}/done", {"evidence": ""}, status=422)
        assert "on what it rests" in page.text
        finance.post(f"/ledger/closing-tasks/{task}/done", {"evidence": "the list of the month"})
    page = finance.post(f"{room}/lock", {"reason": "final"}, status=422)
    assert f"MJ-{journal}" in page.text
    page = finance.post(f"{room}/look")
    assert "Keeps the books open" in page.text
    finance.post(f"/ledger/journals/{journal}/move", {"move": "submit"})
    approver = signed_in("process_owner")
    approver.post(f"/ledger/journals/{journal}/decide", {"verdict": "approve", "note": "", "version": "2"})
    finance.post(f"/ledger/journals/{journal}/move", {"move": "post"})
    page = finance.post(f"{room}/lock", {"reason": "final"})
    assert "The books are locked" in page.text
    assert "Open again…" in page.text
    page = finance.get(f"/ledger/closings?entity={business.entity}")
    assert "Close-cycle time" in page.text
    page = finance.post(f"{room}/reopen", {"reason": "a late invoice"})
    assert "These days are open again." in page.text


def test_the_room_asks_little_and_is_read_by_who_may_not_close(signed_in, business, sqlite_database, clock):
    closing = a_closing(business, _first(clock))
    assert check_closings(sqlite_database, clock=clock) == 1
    auditor = signed_in("auditor")
    with queries(sqlite_database) as ran:
        page = auditor.get(f"/ledger/closings/{closing}")
    assert len(ran) <= MOST
    assert "Nothing differs." in page.text
    assert "Check now" not in page.text
    assert "your role may not close periods of the books" in page.text
    assert "/measures/close_cycle_time" in page.links()
    assert f"/ledger/journals?entity={business.entity}" in page.links()
    auditor.get(f"/ledger/closings/{closing}/lock", status=403)
    auditor.get("/ledger/closings/999999", status=404)
    auditor.get("/ledger/closing-tasks/999999/done", status=404)


def test_tasks_are_added_handed_over_and_taken_back_and_journals_locked(signed_in, business, sqlite_database, clock):
    closing, finance = a_closing(business, _first(clock), done=False), signed_in("finance")
    finance.get(f"/ledger/closings/{closing}/tasks/new")
    page = finance.post(finance.path, {"name": "Leases agree", "due": _first(clock).isoformat(), "owner": "0"})
    assert "Leases agree" in page.text
    task = _ids(sqlite_database, "closing_task")[0]
    with reading(sqlite_database) as session:
        person = session.scalar(text("SELECT MIN(id) FROM account"))
    page = finance.post(f"/ledger/closing-tasks/{task}/owner", {"owner": str(person), "due": _first(clock).isoformat()})
    assert "Handed over." in page.text
    finance.post(f"/ledger/closing-tasks/{task}/done", {"evidence": "the list"})
    page = finance.post(f"/ledger/closing-tasks/{task}/undo", {"reason": "the wrong list"})
    assert "Task taken back" in page.text
    page = finance.post(
        f"/ledger/closings/locks/{business.entity}",
        {"journal": "sales", "strength": "hard", "until": _first(clock).isoformat(), "reason": "billed"},
    )
    assert "The lock holds." in page.text


def test_programs_close_a_period_with_the_same_refusals(caller, business, clock):
    finance, until = caller("finance"), _first(clock)
    journal = a_journal(business, entry_on=until - timedelta(days=1))
    made = finance("POST", "/closings", {"entity": business.entity, "until": until.isoformat()})
    assert made.status_code == 201
    path = f"/closings/{made.json['id']}"
    added = finance("POST", f"{path}/tasks", {"name": "Leases agree", "due_on": until.isoformat()})
    assert added.status_code == 201
    assigned = finance("POST", f"/closing-tasks/{added.json['id']}/moves", {"move": "assign"})
    assert assigned.json["code"] == "closing_due_missing"
    refused = finance("POST", f"{path}/moves", {"move": "lock", "reason": "final"})
    assert (refused.status_code, refused.json["code"]) == (422, "closing_tasks_open")
    for task in finance("GET", path).json["tasks"]:
        step = {"move": "done", "evidence": "the list of the month"}
        finance("POST", f"/closing-tasks/{task['id']}/moves", step)
    refused = finance("POST", f"{path}/moves", {"move": "lock", "reason": "final"})
    assert (refused.json["code"], f"MJ-{journal}" in refused.json["detail"]) == ("closing_checks_fail", True)
    looked = finance("POST", f"{path}/moves", {"move": "look"}).json
    failing = [one["name"] for one in looked["checks"] if not one["passes"]]
    assert failing == ["journals"]
    finding = next(one["finding_id"] for one in looked["checks"] if one["name"] == "journals")
    refused = finance("POST", f"/closing-findings/{finding}/acceptance", {"reason": "small"})
    assert refused.json["code"] == "closing_check_must_agree"
    soft = finance("POST", f"{path}/moves", {"move": "soft_lock", "version": looked["closing"]["version"]})
    assert soft.json["closing"]["state"] == "soft"
    locks = finance("GET", f"/journal-locks?entity={business.entity}").json["items"]
    assert {one["soft"] for one in locks} == {until.isoformat()}
    opened = finance("POST", f"{path}/moves", {"move": "reopen", "reason": "one more"})
    assert opened.json["closing"]["state"] == "open"
    body = {
        "entity": business.entity,
        "journal": "stock",
        "strength": "hard",
        "until": until.isoformat(),
        "reason": "counted",
    }
    assert finance("POST", "/journal-locks", body).status_code == 201
    listed = finance("GET", f"/closings?entity={business.entity}").json
    assert (listed["count"], listed["items"][0]["done"]) == (1, 11)
    assert (
        caller("auditor")("POST", "/closings", {"entity": business.entity, "until": until.isoformat()}).status_code
        == 403
    )
