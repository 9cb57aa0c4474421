"""The programme office in a real browser: a wave is planned, its gate written and frozen, and the question put to the vote."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from app.composition.uow import reading
from governance.decisions.models import Decision
from readiness.gates.models import Gate, GateCriterion
from readiness.waves.models import Wave
from tests.support.steering import a_programme

pytestmark = pytest.mark.browser


@pytest.fixture
def steered(sqlite_database, clock):
    return a_programme(sqlite_database, clock, more_cells=2)


def kept(steered, model, **where):
    with reading(steered.database) as session:
        found = session.query(model).filter_by(**where).order_by(model.id).all()
        session.expunge_all()
        return found


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_wave_is_planned_its_gate_frozen_and_a_vote_opened(signed, steered, script):
    page = signed(steered.office, java_script_enabled=script)
    page.goto("/waves")
    page.get_by_role("link", name="Plan a wave…").click()
    page.fill("[name=code]", "W3")
    page.fill("[name=name]", "Duisburg shop")
    page.get_by_label("Duisburg, Channel 0").check()
    page.fill("[name=go_live_on]", "2026-03-30")
    page.fill("[name=hypercare_until]", "2026-04-27")
    page.get_by_role("button", name="Plan the wave").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("W3 · Duisburg shop")
    for step in ("Start preparing", "Start the rehearsal"):
        page.get_by_role("button", name=step).click()

    page.get_by_role("link", name="Define its entry gate…").click()
    page.fill("[name=decides_on]", "2026-03-27")
    page.get_by_role("button", name="Draft the gate").click()
    page.get_by_role("link", name="Add a criterion…").click()
    page.get_by_role("link", name="Invoices right at posting").click()
    page.fill("[name=pass_mark]", "197")
    page.fill("[name=weight]", "10")
    page.get_by_role("button", name="Add the criterion").click()
    expect(page.locator("#errors")).to_contain_text("a share never reaches more than 100 %")
    assert page.input_value("[name=pass_mark]") == "197"
    page.fill("[name=pass_mark]", "97")
    page.fill("[name=warn_mark]", "94")
    page.get_by_role("checkbox", name="Key").check()
    page.get_by_role("button", name="Add the criterion").click()
    page.get_by_role("button", name="Freeze the criteria").click()
    expect(page.locator("main")).to_contain_text("The criteria are frozen")
    page.get_by_role("button", name="Evaluate now").click()
    expect(page.locator("main")).to_contain_text("Not ready: no evidence")

    page.get_by_role("link", name="Put it to the vote…").click()
    page.fill("[name=closes_at]", "2026-03-04T12:00")
    page.get_by_role("button", name="Draft the question").click()
    page.get_by_role("button", name="Open the vote").click()

    expect(page.locator("main")).to_contain_text("The vote is open")
    wave = kept(steered, Wave, code="W3")[0]
    gate = kept(steered, Gate, wave_id=wave.id)[0]
    (criterion,) = kept(steered, GateCriterion, gate_id=gate.id)
    (decision,) = kept(steered, Decision, wave_id=wave.id)
    assert (wave.state, gate.state, decision.state) == ("in_rehearsal", "frozen", "open")
    assert (str(criterion.pass_mark), criterion.is_key, gate.hold_needed) == ("0.970000", True, 5)


def pages(steered):
    seat = steered.steering
    return (
        "/waves/new", "/waves/blackouts", "/waves/already-live", f"/waves/{steered.wave}/gates/new", f"/gates/{steered.gate}/define",
        f"/gates/{steered.gate}/add-criterion", f"/gates/{steered.gate}/add-criterion?measure=otif_lines",
        f"/gates/{steered.gate}/add-criterion?measure=attestation", f"/gates/{steered.gate}/criteria/invoices/edit",
        f"/gates/{steered.gate}/day", f"/gates/{steered.gate}/withdraw", "/gates/templates", f"/committees/{seat}",
        f"/committees/{seat}/seats/new", f"/committees/{seat}/rule", f"/committees/{seat}/meetings/new", "/programmes/new",
        f"/programmes/{steered.programme}/cells", f"/programmes/{steered.programme}/committees/new",
    )  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_of_writing_has_an_axe_violation(signed, steered, theme):
    page = signed(steered.office, color_scheme=theme, bypass_csp=True)
    found = {}
    for path in pages(steered):
        page.goto(path)
        for violation in Axe().run(page).response["violations"]:
            found.setdefault(path, []).append(
                (violation["id"], [node["html"][:140] for node in violation["nodes"]][:3])
            )
    assert found == {}


def test_nothing_of_writing_has_to_be_scrolled_sideways_on_a_phone(signed, steered):
    page = signed(steered.office, width=360)
    wide = {}
    for path in pages(steered):
        page.goto(path)
        if (width := page.evaluate("document.documentElement.scrollWidth")) > 360:
            wide[path] = width
    assert wide == {}
