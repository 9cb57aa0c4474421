"""Journals by hand on the page and over the API: two people, one in the books."""

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.ledger.journals import MOST_LINES, JournalLineIn
from tests.support.core import a_business
from tests.support.journals import a_journal, with_rent
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.web import a_person, a_token


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=1, stock=0)
    made.clock = clock
    open_cells(made)
    return with_rent(made)


def _fields(browser, business, debit="900.00", credit="900.00", **changes):
    kept = {
        name: browser.page.value(name)
        for name in ("entry_on", "request_key", "version")
        if f'name="{name}"' in browser.page.html
    }
    return {
        **kept, "site": "0", "channel": "0", "reason": "rent of the month", "evidence": "the lease", "press": "enter",
        "lines-0-account": str(business.rent), "lines-0-debit": debit, "lines-0-credit": "",
        "lines-1-account": str(business.owed), "lines-1-debit": "", "lines-1-credit": credit, **changes,
    }  # fmt: skip


def _count(database, table):
    with reading(database) as session:
        return session.scalar(text(f"SELECT COUNT(*) FROM {table}"))


def test_a_journal_is_written_submitted_decided_by_another_and_posted(signed_in, business, sqlite_database):
    writer, approver = signed_in("finance"), signed_in("process_owner")
    page = writer.get("/ledger/journals/new")
    assert "1200 Trade receivables" not in page.text
    page = writer.post(writer.path, _fields(writer, business, credit="899.99"), status=422)
    assert "differ by 0.01 EUR" in page.text
    assert page.value("lines-1-credit") == "899.99"
    assert _count(sqlite_database, "manual_journal") == 0
    typed = _fields(writer, business)
    writer.post("/ledger/journals/new", typed)
    shown = writer.path
    writer.post("/ledger/journals/new", typed)
    assert writer.path == shown
    assert _count(sqlite_database, "manual_journal") == 1
    writer.get(f"{shown}/edit")
    page = writer.post(f"{shown}/edit", _fields(writer, business, "901.00", "901.00"))
    assert "901.00" in page.text
    assert "Changed" in page.text
    page = writer.post(f"{shown}/move", {"move": "submit"})
    assert "you wrote or changed it, so somebody else decides" in page.text
    approver.get(f"{shown}/decide")
    page = approver.post(
        f"{shown}/decide", {"verdict": "reject", "version": approver.page.value("version")}, status=422
    )
    page = approver.post(f"{shown}/decide", {"verdict": "approve", "note": "fine", "version": page.value("version")})
    assert "Approved; it can be posted now" in page.text
    writer.get(shown)
    page = writer.post(f"{shown}/move", {"move": "post"})
    assert "It is in the books." in page.text
    again = writer.post(f"{shown}/move", {"move": "post"}, status=422)
    assert "posted" in again.text
    assert _count(sqlite_database, "journal_entry") == 1
    page = writer.get("/ledger/journals?state=posted")
    assert "rent of the month" in page.text
    writer.get(f"{shown}/reverse")
    page = writer.post(
        f"{shown}/reverse",
        {"entry_on": writer.page.value("entry_on"), "reason": "twice", "version": writer.page.value("version")},
    )
    assert "Reverses" in page.text
    assert "Submitted" in page.text


def test_pages_ask_little_and_are_for_who_may(signed_in, business, sqlite_database):
    writer = signed_in("finance")
    for path in ("/ledger/journals", "/ledger/journals/new", "/ledger/accounts/new"):
        with queries(sqlite_database) as ran:
            writer.get(path)
        assert len(ran) <= MOST
    page = writer.post("/ledger/accounts/new", {"code": "6100", "name": "Again", "kind": "expense"}, status=422)
    assert "has an account 6100 already" in page.text
    auditor = signed_in("auditor")
    assert "Write a journal" not in auditor.get("/ledger/journals").text
    auditor.get("/ledger/journals/new", status=403)
    auditor.get("/ledger/journals/999999", status=404)


def test_programs_write_decide_and_post_with_two_tokens(site, business, sqlite_database, clock):
    def caller(role):
        token = a_token(sqlite_database, a_person(sqlite_database, role, clock=clock), role, clock=clock)

        def call(method, path, body=None, key=None):
            headers = {"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})}
            return site.test_client().open(f"/api/v1{path}", method=method, json=body, headers=headers)

        return call

    writer, approver = caller("finance"), caller("process_owner")
    body = {
        "entity": business.entity, "entry_on": clock.now().date().isoformat(), "reason": "rent",
        "lines": [{"account": business.rent, "debit": "900.00"}, {"account": business.owed, "credit": "900.01"}],
    }  # fmt: skip
    refused = writer("POST", "/journals", body)
    assert (refused.status_code, refused.json["code"]) == (422, "journal_unbalanced")
    body["lines"][1]["credit"] = "900.00"
    made = writer("POST", "/journals", body, key="journal-0001")
    assert (made.status_code, writer("POST", "/journals", body, key="journal-0001").json) == (201, made.json)
    path = f"/journals/{made.json['id']}"
    assert writer("POST", f"{path}/moves", {"move": "submit", "version": 1}).json["state"] == "submitted"
    assert writer("POST", f"{path}/moves", {"move": "approve"}).json["code"] == "journal_own"
    assert approver("POST", f"{path}/moves", {"move": "post"}).status_code == 403
    assert approver("POST", f"{path}/moves", {"move": "approve"}).json["state"] == "approved"
    posted = writer("POST", f"{path}/moves", {"move": "post"}).json
    assert (posted["state"], posted["amount"], posted["lines"][0]["debit"]) == ("posted", "900.00", "900.00")
    found = writer("GET", "/journals?state=posted").json["items"]
    assert [one["entry_id"] for one in found] == [posted["entry_id"]]
    mirror = writer("POST", f"{path}/reversal", {"entry_on": body["entry_on"], "reason": "twice"})
    assert mirror.status_code == 201
    assert writer("GET", path).json["reversed_by"] == mirror.json["id"]
    added = {"entity": business.entity, "code": "6200", "name": "Power", "kind": "expense"}
    assert writer("POST", "/ledger/accounts", added).status_code == 201
    assert writer("POST", "/ledger/accounts", added).json["code"] == "account_taken"


def test_a_draft_of_as_many_lines_as_a_journal_has_is_changed_on_the_page(signed_in, business, sqlite_database, clock):
    lines = [JournalLineIn(business.rent, 1, 0)] * (MOST_LINES - 1) + [JournalLineIn(business.owed, 0, MOST_LINES - 1)]
    journal = a_journal(business, lines=lines, entry_on=clock.now().date())
    writer = signed_in("finance")
    page = writer.get(f"/ledger/journals/{journal}/edit")
    assert page.value(f"lines-{MOST_LINES - 1}-credit") == "1.99"
    typed = _fields(writer, business)
    for at in range(MOST_LINES - 1):
        typed |= {f"lines-{at}-account": str(business.rent), f"lines-{at}-debit": "0.01", f"lines-{at}-credit": ""}
    last = f"lines-{MOST_LINES - 1}"
    typed |= {"lines-0-debit": "0.02", f"{last}-account": str(business.owed), f"{last}-credit": "2.00"}
    page = writer.post(writer.path, {**typed, "press": "add"})
    assert f"A sheet holds {MOST_LINES} lines; enter the rest in another." in page.text
    assert page.value(f"{last}-credit") == "2.00"
    page = writer.post(f"/ledger/journals/{journal}/edit", {**typed, "press": "enter"})
    assert "The journal is kept." in page.text
    assert _count(sqlite_database, "manual_journal_line") == MOST_LINES


def test_a_sheet_takes_one_row_after_the_other(signed_in, business):
    writer = signed_in("finance")
    page = writer.get("/ledger/journals/new")
    rows = {f"lines-{at}-debit": "1.00" for at in range(60)}
    page = writer.post(writer.path, {**_fields(writer, business), **rows, "press": "add"})
    assert 'name="lines-60-debit"' in page.html
