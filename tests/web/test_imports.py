"""Handing a file in on the screen and by the API, following it, and its report."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.composition.imports import ImportRun, ImportUpload
from app.composition.jobruns import JobLease
from app.composition.uow import reading, unit_of_work
from app.importers.uploads import run_waiting
from erpcore.kernel.actor import Actor
from tests.support.orderfiles import HEAD, SALE
from tests.support.web import a_person, a_token

BAD = "101,A1,RED PIPE,six,2011-03-01 10:00:00,2.55,17850.0,France\n101,A2,=1+1,x,2011-03-01 10:00:00,2.55,17850.0,France\n"


def a_file(lines=SALE, name="orders.csv"):
    return (io.BytesIO((HEAD + lines).encode()), name)


def hand_in(browser, lines=SALE, *, purpose="import", status=200, **more):
    browser.get("/imports/new")
    fields = {"profile": "online-retail", "purpose": purpose, "file": a_file(lines), **more}
    return browser.post("/imports/new", fields, status=status, content_type="multipart/form-data")


def count(database, table):
    with reading(database) as session:
        return session.scalar(select(func.count()).select_from(table))


def test_a_file_is_tried_then_imported_and_its_report_names_every_rejected_line(signed_in, sqlite_database, clock):
    browser = signed_in("data_owner")
    page = hand_in(browser, SALE + BAD, purpose="dry_run")
    assert page.heading == "Dry run of orders.csv"
    assert "Waiting It is the next." in page.text
    assert "No worker runs." in page.text
    address = browser.path
    run_waiting(sqlite_database, clock=clock)
    page = browser.get(address)
    for said in ("Would be posted 1", "Would be rejected 2", "“six” is not a number", "All lines are read"):
        assert said in page.text, said
    assert count(sqlite_database, ImportRun) == 0
    page = browser.post(f"{address}/import")
    assert "The file waits to be imported." in page.text
    run_waiting(sqlite_database, clock=clock)
    page = browser.get(address)
    (report,) = [
        link for link in page.links() if link.startswith("/imports/") and link.removeprefix("/imports/").isdecimal()
    ]
    page = browser.get(report)
    for said in (
        "Lines in the file 3",
        "Posted 1",
        "Rejected 2",
        "adds up",
        "“six” is not a number",
        "All lines are in",
    ):
        assert said in page.text, said
    answer = browser.client.get(f"{report}/rejects.csv")
    assert answer.text.splitlines()[1].startswith("101,1,“six” is not a number,")
    assert browser.client.get(f"{report}/rejects.xlsx").data.startswith(b"PK")
    assert browser.client.get("/imports/999999999/rejects.csv").status_code == 404
    listed = browser.get("/imports").text
    assert "Handed in" not in listed
    assert "Done" in listed


def test_the_list_shows_what_waits_and_what_was_refused(signed_in, sqlite_database, clock):
    browser = signed_in("administrator")
    hand_in(browser, purpose="dry_run")
    page = browser.get("/imports")
    assert "orders.csvonline-retail Waiting dry run" in page.text
    with unit_of_work(sqlite_database, actor=Actor.system("test"), clock=clock) as work:
        upload = work.session.scalars(select(ImportUpload)).one()
        upload.state, upload.note = "failed", "It cannot be read to its end."
    page = browser.get("/imports")
    assert "orders.csvonline-retail Refused dry run" in page.text


def test_a_run_shows_how_far_it_is_and_how_long_it_takes(signed_in, sqlite_database, clock):
    browser = signed_in("data_owner")
    hand_in(browser)
    address = browser.path
    with unit_of_work(sqlite_database, actor=Actor.system("test"), clock=clock) as work:
        upload = work.session.scalars(select(ImportUpload)).one()
        upload.state, upload.begun_at, upload.lines, upload.lines_done = "running", clock.now(), 1000, 250
        work.session.add(JobLease(name="worker", owner="one", expires_at=clock.now() + timedelta(hours=1)))
    clock.advance(timedelta(seconds=100))
    page = browser.get(address)
    assert "Taking lines in" in page.text
    assert "250 of 1,000" in page.text
    assert "about 6 min left" in page.text
    assert "No worker runs" not in page.text
    assert 'hx-trigger="every 2s"' in page.html
    clock.advance(timedelta(minutes=3))
    assert "It has said nothing since" in browser.get(address).text
    part = browser.client.get(f"{address}/progress")
    assert "HX-Refresh" not in part.headers
    with unit_of_work(sqlite_database, actor=Actor.system("test"), clock=clock) as work:
        work.session.scalars(select(ImportUpload)).one().state = "done"
    part = browser.client.get(f"{address}/progress")
    assert part.headers["HX-Refresh"] == "true"
    assert "hx-trigger" not in part.text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"file": (b"", "")}, "Choose a file"),
        ({"file": (b"a,b\n", "orders.csv")}, "lacks these columns of the profile online-retail"),
        ({"file": (b"x", "orders.pdf")}, "is of no kind that is read here"),
        ({"file": (b"x", "a\0.pdf")}, "a_.pdf is of no kind that is read here"),
        ({"profile": "nix"}, "Choose one from the list"),
        ({"purpose": "destroy"}, "Choose one from the list"),
    ],
)
def test_what_cannot_be_taken_says_so_at_its_field_and_keeps_what_was_chosen(signed_in, sqlite_database, more, said):
    browser = signed_in("data_owner")
    if "file" in more:
        content, name = more["file"]
        more = {"file": (io.BytesIO(content), name)}
    page = hand_in(browser, status=422, **more)
    assert said in page.text
    if "purpose" not in more:
        assert page.root.find("input", name="purpose", value="import")[0].attributes.get("checked") is not None
    assert count(sqlite_database, ImportUpload) == 0


def test_only_who_may_import_hands_in(signed_in, sqlite_database):
    browser = signed_in("pmo")
    assert "Import a file" not in browser.get("/imports").text
    browser.get("/imports/new", status=403)


def call(site, method, path, secret, **more):
    headers = {"Authorization": f"Bearer {secret}", **more.pop("headers", {})}
    return site.test_client().open(f"/api/v1{path}", method=method, headers=headers, **more)


@pytest.fixture
def secret(site, sqlite_database, clock):
    return a_token(sqlite_database, a_person(sqlite_database, "data_owner", clock=clock), "data_owner", clock=clock)


def test_a_program_sends_a_file_and_reads_what_it_became(site, sqlite_database, clock, secret):
    address = "/imports/files?profile=online-retail&file_name=orders.csv&purpose=dry_run"
    answer = call(site, "POST", address, secret, data=(HEAD + SALE + BAD).encode())
    assert (answer.status_code, answer.json["state"], answer.json["size_bytes"]) == (
        202,
        "waiting",
        len(HEAD + SALE + BAD),
    )
    upload = answer.json["id"]
    run_waiting(sqlite_database, clock=clock)
    found = call(site, "GET", f"/imports/files/{upload}", secret).json
    assert (found["state"], found["found"]["lines_posted"], found["found"]["lines_rejected"]) == ("done", 1, 2)
    assert call(site, "POST", f"/imports/files/{upload}/import", secret).json["state"] == "waiting"
    assert [one["id"] for one in call(site, "GET", "/imports/files", secret).json["items"]] == [upload]
    run_waiting(sqlite_database, clock=clock)
    run = call(site, "GET", f"/imports/files/{upload}", secret).json["run_id"]
    report = call(site, "GET", f"/imports/{run}", secret).json
    assert (report["lines"], report["lines_posted"], report["lines_rejected"]) == (3, 1, 2)


def test_the_same_key_with_the_same_file_answers_the_same_and_with_another_is_a_conflict(site, sqlite_database, secret):
    address, key = "/imports/files?profile=online-retail&file_name=orders.csv", {"Idempotency-Key": "0123456789"}
    first = call(site, "POST", address, secret, data=(HEAD + SALE).encode(), headers=key)
    again = call(site, "POST", address, secret, data=(HEAD + SALE).encode(), headers=key)
    assert first.status_code == again.status_code == 202
    assert first.json == again.json
    other = call(site, "POST", address, secret, data=(HEAD + BAD).encode(), headers=key)
    assert other.status_code == 409
    with reading(sqlite_database) as session:
        assert session.scalar(select(func.count()).where(ImportUpload.state == "waiting")) == 1


@pytest.mark.parametrize(
    ("query", "data", "status", "code"),
    [
        ("profile=online-retail&file_name=a.csv", b"", 422, "import_file_empty"),
        ("profile=online-retail&file_name=a.pdf", b"x", 422, "upload_kind"),
        ("profile=/etc/passwd&file_name=a.csv", b"x", 422, "profile_unknown"),
        ("profile=online-retail", b"x", 422, "unfit"),
        ("profile=online-retail&file_name=a.csv&purpose=destroy", b"x", 422, "unfit"),
    ],
)
def test_a_program_is_told_what_is_wrong_and_nothing_is_kept(site, sqlite_database, secret, query, data, status, code):
    answer = call(site, "POST", f"/imports/files?{query}", secret, data=data)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert count(sqlite_database, ImportUpload) == 0
