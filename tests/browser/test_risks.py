"""The RAID register in Chromium: raised on a laptop, found on the map, passed on and closed on a phone."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.sync_api import expect

from app.jobs.risks import pass_on_due
from tests.support.risks import a_register
from tests.support.web import a_person


def test_a_risk_is_raised_on_a_laptop_goes_on_and_is_closed_on_a_phone(signed, sqlite_database, clock):
    register = a_register(sqlite_database, clock)
    who = a_person(sqlite_database, "pmo", clock=clock, name="Nadia Office")
    office = signed(who, width=1440)
    office.goto("/risks")
    office.get_by_role("link", name="Raise a risk…").click()
    for label, text in (
        ("Title", "No label printer"),
        ("Cause", "One supplier."),
        ("Event", "It is late."),
        ("Effect", "No labels."),
    ):
        office.get_by_label(label, exact=True).fill(text)
    office.get_by_label("Probability").select_option("4")
    office.get_by_label("Goes on to").select_option(str(register.council))
    office.get_by_label("After working hours").fill("1")
    office.locator("input[name=due_on]").fill("2026-03-04")
    office.get_by_role("button", name="Raise it").click()
    expect(office.get_by_text("It is raised.")).to_be_visible()
    office.goto("/risks")
    office.get_by_role("link", name="1 risk of score 12: R-1").click()
    expect(office.get_by_role("link", name="No label printer")).to_be_visible()

    for at in (datetime(2026, 3, 5, 9, 0, tzinfo=UTC), datetime(2026, 3, 5, 10, 0, tzinfo=UTC)):
        clock.set(at)
        assert pass_on_due(sqlite_database, clock=clock) == 1
    phone = signed(who, width=360)
    phone.goto("/risks?escalated=1")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    phone.get_by_role("link", name="No label printer").click()
    expect(phone.get_by_role("listitem").filter(has_text="Process council").get_by_text("here now")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    phone.get_by_label("Reason").fill("It prints.")
    phone.get_by_role("button", name="Close", exact=True).click()
    expect(phone.get_by_text("It is closed.")).to_be_visible()
