"""Processes in Chromium: a fresh register begins with the set, its map is drawn, and a version is approved by somebody else."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.web import a_person


def test_the_set_is_taken_over_handed_in_and_approved_by_somebody_else(signed, sqlite_database, clock):
    office = signed(a_person(sqlite_database, "pmo", clock=clock), width=1440)
    office.goto("/processes")
    office.get_by_role("button", name="Begin with the distributor’s set").click()
    expect(office.get_by_text("The set is here as drafts.")).to_be_visible()
    office.get_by_role("link", name="Map", exact=True).click()
    expect(office.get_by_role("img", name="All processes")).to_be_visible()
    expect(office.get_by_role("cell", name="Order to cash: Allocate stock").first).to_be_visible()
    office.goto("/processes/warehouse/versions/1")
    office.get_by_role("button", name="Hand in for approval").click()
    expect(office.get_by_text("It is handed in. Somebody else approves it.")).to_be_visible()
    expect(office.get_by_text("your role may not approve versions")).to_be_visible()

    judge = signed(a_person(sqlite_database, "design_authority", clock=clock), width=360)
    judge.goto("/processes/warehouse/versions/1")
    assert judge.evaluate("document.documentElement.scrollWidth") <= 360
    judge.get_by_label("Reason").fill("Read with the council.")
    judge.get_by_role("button", name="Approve", exact=True).click()
    expect(judge.get_by_text("It is approved, and stays as it is.")).to_be_visible()
    judge.get_by_label("Reason").fill("From Monday.")
    judge.get_by_role("button", name="Put in force").click()
    expect(judge.get_by_text("In force").first).to_be_visible()
