"""The impact graph in Chromium: walked from the drawing by keyboard on a laptop, and whole on a phone in the dark."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.impact import a_named_world
from tests.support.web import a_person


def test_a_walk_goes_from_box_to_box_by_keyboard_and_back_by_its_trail(signed, sqlite_database, clock):
    named = a_named_world(sqlite_database, clock)
    who = a_person(sqlite_database, "process_owner", clock=clock, name="Ines Keller")
    owner = signed(who, width=1440)
    owner.goto("/impact")
    owner.get_by_label("Name or code of a thing").fill("ship whole")
    owner.get_by_role("button", name="Begin here").click()
    owner.get_by_role("link", name="V-1 Ship whole").click()
    box = owner.get_by_role("link", name="Ship, Step", exact=True)
    box.focus()
    owner.keyboard.press("Enter")
    expect(owner.get_by_role("heading", level=1, name="Ship")).to_be_visible()
    assert owner.url.endswith(f"/impact/step/warehouse.ship?via=variant:{named.variant}")
    owner.get_by_label("Where you are").get_by_role("link", name="V-1").click()
    expect(owner.get_by_role("heading", level=1, name="V-1 Ship whole")).to_be_visible()
    phone = signed(who, width=360)
    phone.emulate_media(color_scheme="dark")
    phone.goto("/impact/step/warehouse.ship")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    # The drawing keeps its size and scrolls within its card.
    assert phone.evaluate("document.querySelector('svg.c-map').getBoundingClientRect().width") > 600
    expect(phone.get_by_text("V-1 departs from the standard of Ship.")).to_be_visible()
