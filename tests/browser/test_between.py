"""The time between in Chromium: a wave's open links, a master that is said, and an interface with its last day."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from app.composition.process_desk import take_set_over
from tests.support.processes import PMO, work_as
from tests.support.steering import a_programme

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_an_open_link_is_mapped_and_its_interface_kept(signed, sqlite_database, clock, script):
    steered = a_programme(sqlite_database, clock, evaluated=None)
    with work_as(sqlite_database, clock, PMO) as work:
        take_set_over(work)
    page = signed(steered.office, java_script_enabled=script)
    page.goto(f"/waves/{steered.wave}")
    page.get_by_role("link", name="Interim state").click()
    expect(page.locator("#open").locator("xpath=../..")).to_contain_text("nobody masters it")
    page.get_by_role("link", name="Say who masters Stock").click()
    page.get_by_label("Both, by a rule").check()
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#errors")).to_contain_text("a rule says whose word counts when")
    expect(page.get_by_label("Both, by a rule")).to_be_checked()
    page.fill("[name=rule]", "Where the site transacts.")
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("link", name="Add an interface for Stock").click()
    page.fill("[name=name]", "Stock each hour")
    page.fill("[name=frequency]", "each hour")
    page.fill("[name=ends_on]", "2026-03-31")
    page.fill("[name=when_it_stops]", "Planning reads the core.")
    page.get_by_role("button", name="Add it").click()
    shown = page.locator("main").inner_text()
    assert "Stock each hour" in shown
    assert "nobody looks after an interface" in shown
    if script:
        assert Axe().run(page).response["violations"] == []
