"""Steering in a real browser: a vote opens a cell and the refused order goes through, also without script and with one thumb."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support.steering import a_programme
from tests.support.web import a_person, a_token

pytestmark = pytest.mark.browser


@pytest.fixture
def steered(sqlite_database, clock):
    return a_programme(sqlite_database, clock)


def order(page, steered, secret, key):
    """Capture an order over the API, as the shop does."""
    business = steered.business
    return page.request.post(
        "/api/v1/orders",
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": key},
        data={
            "site": business.site, "channel": business.channel, "customer": business.customer,
            "lines": [{"item": business.items[0], "quantity": "3"}],
        },
    )  # fmt: skip


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_vote_in_the_browser_opens_a_cell_and_the_refused_order_goes_through(signed, steered, clock, script):
    desk = a_person(steered.database, "customer_service", clock=clock)
    secret = a_token(steered.database, desk, "customer_service", clock=clock)
    office = signed(steered.office, java_script_enabled=script)

    refused = order(office, steered, secret, "first-try")
    assert (refused.status, refused.json()["code"]) == (422, "cell_closed")
    assert "wave W2 waits for the go of its committee" in refused.json()["detail"]

    office.goto(f"/decisions/new?wave={steered.wave}&kind=go_live")
    office.fill("[name=closes_at]", "2026-03-04T12:00")
    office.get_by_role("button", name="Draft the question").click()
    office.get_by_role("button", name="Open the vote").click()
    for who in (steered.chair, steered.finance, steered.warehouse):
        seat = signed(who, width=360, java_script_enabled=script)
        seat.get_by_role("link", name="Vote: Go-live of W2").first.click()
        seat.get_by_text("Go", exact=True).click()
        seat.fill("[name=reason]", "The figures carry it.")
        seat.locator("[data-cast-button]").click()
        expect(seat.locator("main")).to_contain_text("Your vote is cast")
    office.reload()
    office.get_by_role("button", name="Close the vote").click()

    expect(office.locator("main")).to_contain_text("4 grants are open")
    taken = order(office, steered, secret, "second-try")
    assert (taken.status, taken.json()["state"]) == (201, "captured")
    office.goto(f"/waves/{steered.wave}")
    assert office.locator("main").inner_text().count("Open") >= 4


PAGES = ("/", "/programme", "/waves", "/waves/{wave}", "/gates/{gate}", "/gates/{gate}/criteria/invoices",
         "/gates/{gate}/criteria/tax", "/gates/{gate}/evaluations", "/gates/{gate}/as-now-known", "/decisions",
         "/decisions/{decision}", "/decisions/{decision}/vote", "/committees/{steering}", "/measures", "/measures/otif_lines", "/measures/calendars",
         "/proof?part=stock")  # fmt: skip


def pages(steered, decision):
    return [
        path.format(wave=steered.wave, gate=steered.gate, decision=decision, steering=steered.steering)
        for path in PAGES
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_of_steering_has_an_axe_violation(signed, steered, theme):
    decision = steered.draft()
    steered.ask(decision)
    with steered.work() as work:
        from app.composition import golive

        golive.open_vote(work, decision)
    page = signed(steered.chair, width=1440, color_scheme=theme, bypass_csp=True)
    found = {}
    for path in pages(steered, decision):
        page.goto(path)
        for violation in Axe().run(page).response["violations"]:
            found.setdefault(path, []).append(
                (violation["id"], [node["html"][:140] for node in violation["nodes"]][:3])
            )
    assert found == {}


def test_nothing_has_to_be_scrolled_sideways_on_a_phone(signed, steered):
    decision = steered.open()
    page = signed(steered.chair, width=360)
    wide = {}
    for path in pages(steered, decision):
        page.goto(path)
        if (width := page.evaluate("document.documentElement.scrollWidth")) > 360:
            wide[path] = width
    assert wide == {}
