"""The decision pack on screen: the same stories, the PDF by a button, and only for who may have it."""

from __future__ import annotations

import pytest

from app.reports.seal import carried, digest_of
from app.reports.verifying import verify_pack
from tests.support.dossiers import a_board_case, a_vote
from tests.support.queries import MOST, queries


@pytest.fixture
def case(sqlite_database, clock):
    return a_board_case(sqlite_database)


@pytest.fixture
def sponsor(case, site, signed_in, clock):
    clock.set(case.clock.now())
    return signed_in("sponsor")


def test_the_page_tells_every_story_of_the_pack(case, sponsor):
    a_vote(case)
    page = sponsor.get(f"/gates/{case.gate}/pack")
    assert page.heading == "Wave W2: decision pack"
    stories = [one.text for one in page.root.find("main")[0].find("h2")]
    assert stories == [
        "Conditional", "Scope and calendar", "Criteria", "What holds it back", "What changed", "Waivers", "Votes and conditions",
        "Record", "PDFs made of this evaluation",
    ]  # fmt: skip
    for said in (
        "The score of 77.08 % meets 75 % but not 90 %.", "May Hamburg and Bremen go live on 23 March?", "Pass mark: 70 % → 68 %",
        "Two of twelve heads of the late shift return from leave on 16 March.", "Her brother runs the carrier's IT.",
    ):  # fmt: skip
        assert said in page.text, said


def test_the_page_asks_the_database_little(case, sponsor, sqlite_database):
    a_vote(case)
    with queries(sqlite_database) as ran:
        sponsor.get(f"/gates/{case.gate}/pack")

    assert len(ran) <= MOST, ran.statements


def test_the_button_gives_the_pdf_and_its_digest_is_on_record_and_shown(case, sponsor):
    page = sponsor.get(f"/gates/{case.gate}/pack")
    answer = sponsor.client.post(f"/gates/{case.gate}/pack", data={"csrf_token": page.value("csrf_token")})
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="wavegate-W2-entry-10.pdf"'
    with case.look() as session:
        assert verify_pack(answer.data, session).holds
    assert carried(answer.data) == digest_of(answer.data)
    assert carried(answer.data) in sponsor.get(f"/gates/{case.gate}/pack").text


def test_without_the_libraries_the_page_offers_itself_for_printing(case, sponsor, monkeypatch):
    import sys

    page = sponsor.get(f"/gates/{case.gate}/pack")
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    answer = sponsor.client.post(f"/gates/{case.gate}/pack", data={"csrf_token": page.value("csrf_token")})
    assert answer.headers["Location"] == f"/gates/{case.gate}/pack"
    assert "Print this page instead" in sponsor.get(f"/gates/{case.gate}/pack").text


def test_a_form_without_its_token_makes_nothing(case, sponsor):
    assert sponsor.client.post(f"/gates/{case.gate}/pack").status_code == 400


def test_an_earlier_decision_is_asked_for_by_its_number(case, sponsor):
    decision = a_vote(case, close=True)
    page = sponsor.get(f"/gates/{case.gate}/pack?decision={decision}")
    assert "voted postpone: Two heads are missing" in page.text
    assert page.value("decision") == str(decision)
    sponsor.get(f"/gates/{case.gate}/pack?decision=77", status=404)


def test_only_who_may_make_packs_sees_one(case, signed_in, clock):
    clock.set(case.clock.now())
    signed_in("warehouse_operator").get(f"/gates/{case.gate}/pack", status=403)
    signed_in("auditor").get(f"/gates/{case.gate}/pack")
    signed_in("auditor").get("/gates/77/pack", status=404)
