"""Design questions on the screen: asked with options, decided by somebody else, what was typed stays."""

from __future__ import annotations

from datetime import timedelta

from app.composition.question_desk import Asking, put_question
from governance.questions.services import Option
from tests.support.core import a_business
from tests.support.policies import approve
from tests.support.processes import PMO, the_set, work_as


def typed(**changes):
    return {
        "request_key": "q1", "title": "Who overrides?", "question": "Desk or lead?", "process_code": "order_to_cash",
        "options": "Desk: faster\nLead: safer", "impact": "Margin.", "due_on": "2026-03-20", "site": "0", "channel": "0",
        "steps": "order_to_cash.capture", **changes,
    }  # fmt: skip


def test_a_question_is_asked_and_decided_by_somebody_else(signed_in, sqlite_database, clock):
    the_set(sqlite_database, clock)
    judge = signed_in("process_owner")
    office = signed_in("pmo")
    office.get("/questions/new")
    page = office.post("/questions/new", typed(decider=judge.who.id, options="Desk, Lead"), status=422)
    assert "Each option says what is done" in page.text
    assert "Desk or lead?" in page.text
    page = office.post("/questions/new", typed(decider=judge.who.id))
    assert page.heading == "Who overrides?"
    assert "your role may not decide design questions" in page.text
    here = office.path
    assert "Who overrides?" in office.get("/questions").text
    assert "Who overrides?" in judge.get("/").text
    page = judge.get(here)
    option = next(one.attributes["value"] for one in page.root.find("input", name="option"))
    version = page.value("version")
    page = judge.post(f"{here}/decide", {"option": option, "reason": "", "version": version}, status=422)
    assert "Say why" in page.text
    page = judge.post(f"{here}/decide", {"option": option, "reason": "within limits", "version": version})
    assert "It is decided." in page.text
    assert "within limits" in page.text
    page = judge.post(f"{here}/move", {"move": "reopen", "why": "the pilot", "version": page.value("version")})
    assert "It is open again." in page.text
    office.get(f"{here}/put-off")
    page = office.post(f"{here}/put-off", {"due_on": "2026-03-01", "reason": "later"}, status=422)
    assert "Choose a later day" in page.text
    office.post(f"{here}/put-off", {"due_on": "2026-04-01", "reason": "the council meets later"})
    page = office.get(here)
    page = office.post(f"{here}/move", {"move": "withdraw", "why": "settled", "version": page.value("version")})
    assert "It is withdrawn." in page.text
    assert "Who overrides?" in office.get("/questions?standing=withdrawn").text
    assert "Who overrides?" not in office.get("/questions?standing=open").text
    signed_in("auditor").get("/questions/new", status=403)
    office.get("/questions/99", status=404)


def test_a_variant_that_a_question_bears_on_is_named_by_its_code_and_leads_to_the_register(
    signed_in, sqlite_database, clock
):
    the_set(sqlite_database, clock)
    variant = approve(a_business(sqlite_database, at=clock.now()), "partial_shipment", False)
    judge = signed_in("process_owner")
    with work_as(sqlite_database, clock, PMO) as work:
        options = (Option(title="Desk", consequences="faster"), Option(title="Lead", consequences="safer"))
        asking = Asking(
            title="Who overrides?", question="Desk or lead?", process="order_to_cash", options=options, decider=judge.who.id,
            due_on=work.now.date() + timedelta(days=7), variants=(variant,),
        )  # fmt: skip
        key = put_question(work, asking).id
    page = judge.get(f"/questions/{key}")
    (link,) = page.root.find("a", href=f"/register/variants/{variant}")
    assert link.text == "V-1"
