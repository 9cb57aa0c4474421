"""The RAID register on the screen: raised, reviewed, moved on, turned; what was typed stays; what waits stands on the home page."""

from __future__ import annotations

from datetime import UTC, datetime

from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Site
from erpcore.masterdata.services import NewSite, add_site
from governance.risks.flow import EntryKind
from governance.risks.services import AssessEntry, assess_entry
from tests.support.processes import the_set, work_as
from tests.support.queries import MOST, queries
from tests.support.risks import TODAY, WEEK, a_register


def typed(register, owner, **changes):
    return {
        "request_key": "r1", "title": "No label printer at go-live", "cause": "One supplier only.", "statement": "It comes late.",
        "effect": "Parcels leave unlabelled.", "probability": "4", "impact": "4", "layer": "deployment", "owner": str(owner),
        "body": str(register.council), "due_on": "2026-03-20", "review_days": "7", "escalation_hours": "8", "figure": "otif_lines",
        "side": "below", "limit": "92.5", "wave": "0", "site": str(register.site), "process_code": "warehouse",
        "steps": "warehouse.ship", "points": ["partial_shipment"], **changes,
    }  # fmt: skip


def test_a_risk_is_raised_reviewed_closed_and_opened_again(signed_in, sqlite_database, clock):
    register = a_register(sqlite_database, clock)
    the_set(sqlite_database, clock)
    office = signed_in("pmo")
    office.get("/risks/new?kind=risk")
    page = office.post("/risks/new?kind=risk", typed(register, office.who.id, limit=""), status=422)
    assert "The limit of this figure is missing" in page.text
    assert "One supplier only." in page.html
    page = office.post("/risks/new?kind=risk", typed(register, office.who.id))
    assert page.heading == "No label printer at go-live"
    assert "when On time in full, lines below 92.5 %" in page.text
    assert "no evidence" in page.text
    assert "high, score 16" in page.text
    here = office.path
    page = office.post(
        f"{here}/review", {"probability": "1", "impact": "4", "note": "It has come.", "version": page.value("version")}
    )
    assert "low, score 4" in page.text
    page = office.post(
        f"{here}/actions",
        {"request_key": "a1", "action": "Test it", "action_owner": str(office.who.id), "action_due": "2026-03-01"},
        status=422,
    )
    assert "Choose a later day" in page.text
    page = office.post(
        f"{here}/actions",
        {"request_key": "a2", "action": "Test it", "action_owner": str(office.who.id), "action_due": "2026-03-03"},
    )
    action = next(one.attributes["action"] for one in page.root.find("form") if "/actions/" in one.attributes["action"])
    assert "R-1 Test it" in office.get("/").text
    office.get(here)
    page = office.post(action, {"move": "drop", "note": ""}, status=422)
    assert "Say why" in page.text
    page = office.post(action, {"move": "finish", "note": "prints"})
    assert "The action is settled." in page.text
    assert "To be done until Tue 3 Mar 2026: Test it" in page.text
    assert "Done: Test it" in page.text
    page = office.post(f"{here}/move", {"move": "close", "why": "", "version": page.value("version")}, status=422)
    assert "Say why" in page.text
    page = office.post(f"{here}/move", {"move": "close", "why": "It prints.", "version": page.value("version")})
    assert "It is closed." in page.text
    assert "No label printer" not in office.get("/risks").text
    assert "No label printer" in office.get("/risks?state=closed").text
    office.get(here)
    assert (
        "It is open again."
        in office.post(
            f"{here}/move", {"move": "reopen", "why": "It jams.", "version": office.page.value("version")}
        ).text
    )
    page = office.get(f"{here}/change")
    assert page.value("limit") == "92.5"
    page = office.post(
        f"{here}/change",
        typed(register, office.who.id, title="Printer jams", version=page.value("version"), reason=""),
        status=422,
    )
    assert "Say why" in page.text
    page = office.post(
        f"{here}/change",
        typed(register, office.who.id, title="Printer jams", version=page.value("version"), reason="Seen today."),
    )
    assert page.heading == "Printer jams"
    assert "No label printer at go-live" not in office.get("/risks.csv").text


def test_an_assumption_becomes_a_risk_on_the_screen(signed_in, sqlite_database, clock):
    register = a_register(sqlite_database, clock)
    key = register.raised(EntryKind.ASSUMPTION)
    office = signed_in("pmo")
    page = office.get(f"/risks/{key}/turn/risk")
    assert "A-1 was taken for granted" in page.html
    fields = typed(
        register,
        register.owner.id,
        process_code="",
        steps="",
        points=[],
        reason="The depot is gone.",
        version=page.value("version"),
    )
    page = office.post(f"/risks/{key}/turn/risk", fields)
    assert "Came of A-1" in page.text
    assert "Became R-1" in office.get(f"/risks/{key}").text
    office.get(f"/risks/{key}/turn/dependency", status=404)
    office.get("/risks/new?kind=wish", status=404)


def test_who_only_looks_on_raises_and_moves_nothing(signed_in, sqlite_database, clock):
    register = a_register(sqlite_database, clock)
    key = register.raised()
    auditor = signed_in("auditor")
    auditor.get("/risks/new", status=403)
    page = auditor.get(f"/risks/{key}")
    assert "Ines Keller answers for it." in page.text
    auditor.post(f"/risks/{key}/move", {"move": "close", "why": "mine"}, status=403)
    assert register.read(key).state == "open"
    with work_as(sqlite_database, clock, Actor.system("test")) as work:
        entity = work.session.get_one(Site, register.site).entity_id
        place = NewSite(
            entity=entity, code="BRE", name="Bremen", kind="distribution_centre", country="Germany", time_zone="Europe/Berlin"
        )  # fmt: skip
        other = add_site(work, place).id
    stranger = signed_in("site_lead", site=other)
    far = register.raised(site=register.site)
    stranger.get(f"/risks/{far}", status=404)
    assert "R-2" not in stranger.get("/risks").text


def test_the_map_counts_and_the_list_asks_little(signed_in, sqlite_database, clock):
    register = a_register(sqlite_database, clock)
    for number in range(12):
        register.raised(probability=1 + number % 5, due_on=TODAY + WEEK)
    office = signed_in("pmo")
    page = office.get("/risks")
    assert "3 risks of score 4: R-1, R-6, R-11" in page.html
    clock.set(datetime(2026, 3, 10, 9, 0, tzinfo=UTC))
    office = signed_in("pmo")
    with queries(sqlite_database) as asked:
        page = office.get("/risks?overdue=1")
    assert "late" in page.text
    assert len(asked) <= MOST
    with queries(sqlite_database) as asked:
        office.get(f"/risks/{register.raised(due_on=TODAY + 2 * WEEK)}")
    assert len(asked) <= MOST
    assert "R-3" in office.get("/risks?probability=3&impact=4").text
    assert "R-2" not in office.get("/risks?probability=3&impact=4").text.split("Triggered when")[1]


def test_who_changes_an_entry_that_changed_meanwhile_overwrites_nothing(signed_in, sqlite_database, clock):
    register = a_register(sqlite_database, clock)
    the_set(sqlite_database, clock)
    key = register.raised()
    office = signed_in("pmo")
    page = office.get(f"/risks/{key}/change")
    seen = page.value("version")
    with work_as(sqlite_database, clock, register.owner) as work:
        assess_entry(work, AssessEntry(entry=key, impact=5, probability=5, today=TODAY))
    fields = typed(register, register.owner.id, title="Printer jams", reason="Seen.", version=seen)
    page = office.post(f"/risks/{key}/change", {**fields, "title": ""}, status=422)
    assert page.value("version") == seen
    office.post(f"/risks/{key}/change", {**fields, "version": page.value("version")}, status=409)
    assert register.read(key).title == "The carrier cannot take the volume"
