"""The floor in a real browser: a picker with a scanner and one thumb at 360 px, without script, and axe in both themes."""

from __future__ import annotations

import os
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from werkzeug.serving import make_server

from erpcore.fulfilment.floor.models import PickMethod
from erpcore.fulfilment.floor.waves import PlanPickWave, plan_pick_wave, release_pick_wave
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import ANNA, a_floor, a_task, picked_by, shelved
from tests.support.operate import open_cells
from tests.support.steps import allocated
from tests.support.web import a_person, a_site

pytestmark = pytest.mark.browser


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def served(sqlite_database, business, tmp_path, clock):
    """The address of the site, with a wave of three orders on the queue."""
    floor = a_floor(business)
    shelved(business)
    for count in (5, 8, 2):
        allocated(business, [(0, count), (1, 3)])
    with business.work() as work:
        wave, _ = plan_pick_wave(
            work,
            PlanPickWave(site=business.site, service=floor.parcel, method=PickMethod.BATCH),
            rules=RULES,
            cells=OPEN,
        )
        release_pick_wave(work, wave.id)
    allocated(business, [(2, 4)])
    site = a_site(sqlite_database, tmp_path, clock)
    server = make_server("127.0.0.1", 0, site, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def signed_in_at(browser, served, sqlite_database, clock):
    """``signed_in_at("warehouse_operator", width=360)`` is a page of somebody with that role."""
    contexts = []

    def open_page(role, *, width=1440, height=800, **options):
        who = a_person(sqlite_database, role, clock=clock)
        context = browser.new_context(viewport={"width": width, "height": height}, base_url=served, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("[name=sign_in]", who.sign_in)
        page.fill("[name=password]", who.password)
        page.click("button[type=submit]")
        return page

    yield open_page
    for context in contexts:
        context.close()


def look(page, name):
    """A picture for whoever wants to look, where WAVEGATE_PICTURES names a folder."""
    folder = os.environ.get("WAVEGATE_PICTURES")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def is_whole(page):
    """Nothing has to be scrolled sideways, and axe finds nothing."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    found = Axe().run(page).response["violations"]
    assert not found, [(one["id"], one["nodes"][0]["html"]) for one in found]


def scan(page, label):
    """A scanner is a keyboard that ends with Enter. A person scans once the page stands there: the field has the focus,
    and what was refused in it is marked, so that it goes."""
    page.wait_for_load_state()
    expect(page.locator("input:focus")).to_have_count(1)
    page.keyboard.type(f"{label}\n")


def test_a_picker_goes_from_queue_to_van_with_a_scanner_and_one_thumb(signed_in_at):
    page = signed_in_at("warehouse_operator", width=360, height=740, java_script_enabled=True)
    page.goto("/floor")
    look(page, "mine")
    is_whole(page)
    page.get_by_role("button", name="Take the next pick").click()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Go to A-01")
    scan(page, "A-02")
    expect(page.get_by_role("alert")).to_have_text(
        "This is A-02, and the goods are at A-01. Go there and scan its label."
    )
    look(page, "wrong-place")
    scan(page, "A-01")
    expect(page.get_by_role("heading", level=1)).to_have_text("40-0")
    look(page, "pick")
    is_whole(page)
    scan(page, "40-1")
    expect(page.get_by_role("alert")).to_have_text("This is 40-1, not 40-0. Put it back and scan 40-0.")
    look(page, "wrong-item")
    scan(page, "40-0")
    for done in range(1, 6):
        expect(page.locator(".progress-line .soft").first).to_have_text(f"{done} of 6")
        page.get_by_role("button", name="Into tote").click()
    expect(page.get_by_text("Every line is done")).to_be_visible()
    look(page, "picked")
    page.get_by_role("button", name="Finish the round").click()
    page.get_by_role("button", name="Take the next pack").click()
    page.get_by_role("button", name="Open a carton").click()
    look(page, "pack")
    is_whole(page)
    page.get_by_label("Scan the item").fill("40-0")
    quantity = page.locator(".pick-lines .num").first.inner_text().split()[0]
    page.get_by_label("Quantity").fill(quantity)
    page.get_by_role("button", name="Into carton 1").click()
    page.get_by_label("Scan the item").fill("40-1")
    page.get_by_label("Quantity").fill("3")
    page.get_by_role("button", name="Into carton 1").click()
    page.get_by_label("Weight").fill("7.4")
    page.get_by_role("button", name="Close carton 1").click()
    look(page, "packed")
    page.get_by_role("link", name="To shipping").click()
    look(page, "ship")
    is_whole(page)
    page.keyboard.type("00340434161094042557")
    page.get_by_role("button", name="It leaves").click()
    expect(page.get_by_text("has left.")).to_be_visible()
    look(page, "shipment-phone")


def test_a_pick_is_confirmed_without_script(signed_in_at):
    page = signed_in_at("warehouse_operator", width=360, java_script_enabled=False)
    page.goto("/floor")
    page.get_by_role("button", name="Take the next pick").click()
    page.get_by_role("button", name="Start").click()
    page.get_by_label("Scan the location").fill("A-01")
    page.get_by_role("button", name="I am at A-01").click()
    page.get_by_role("button", name="Into tote").click()
    expect(page.get_by_text("1 of 6").first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_supervisor_sees_the_floor(signed_in_at, theme):
    page = signed_in_at("warehouse_supervisor", color_scheme=theme)
    for address, name in (("/floor/board", "board"), ("/carriers", "carriers"), ("/shipments", "shipments")):
        page.goto(address)
        look(page, f"{name}-{theme}")
        is_whole(page)
    page.goto("/floor/board")
    page.get_by_role("link", name="PW-").first.click()
    look(page, f"wave-{theme}")
    is_whole(page)
    page.get_by_role("link", name="Pick 3 orders").click()
    look(page, f"task-{theme}")
    is_whole(page)


def test_what_is_no_quantity_is_said_beside_the_field_before_it_is_sent(signed_in_at):
    page = signed_in_at("warehouse_operator", width=360)
    page.goto("/floor")
    page.get_by_role("button", name="Take the next pick").click()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Go to A-01")
    scan(page, "A-01")
    field, said = page.get_by_label("Quantity"), page.locator(".f .error")
    for typed, words in (
        ("abc", "“abc” is not a number. Enter digits, with a point before the decimals."),
        ("9" * 20, "is more than there ever is. Check the digits and the unit."),
        ("1.5", "1.5 has more decimal places than it is counted in. Round it."),
        ("-2", "Enter how many, as a number above zero."),
    ):
        field.fill(typed)
        expect(said).to_contain_text(words)
        expect(field).to_have_attribute("aria-invalid", "true")
    look(page, "no-quantity")
    is_whole(page)
    field.fill("2")
    expect(said).to_have_text("")
    expect(field).to_have_attribute("aria-invalid", "false")


def test_what_was_typed_before_the_script_came_is_judged_when_it_comes(signed_in_at):
    page = signed_in_at("warehouse_operator", width=360)
    page.goto("/floor")
    page.get_by_role("button", name="Take the next pick").click()
    page.get_by_role("button", name="Start").click()
    page.add_init_script(
        """document.addEventListener("readystatechange", () => {
            const field = document.querySelector("input[data-places]");
            if (field && document.readyState === "interactive") field.value = "abc";
        })"""
    )
    scan(page, "A-01")
    expect(page.locator(".f .error")).to_contain_text("“abc” is not a number.")


def test_a_picked_shipment_is_taken_back_before_it_leaves(signed_in_at, business):
    order = allocated(business, [(0, 3)])
    shipment = picked_by(business, ANNA, a_task(business, order)[0].id).shipments[0]
    page = signed_in_at("warehouse_operator", width=360, height=740)
    page.goto(f"/shipments/{shipment.id}")
    page.get_by_role("link", name="Take back…").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Take back")
    is_whole(page)
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Say why it does not leave").first).to_be_visible()
    page.get_by_label("Reason").fill("past its last day")
    look(page, "take-back")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text(f"{shipment.number} is taken back.")).to_be_visible()
    look(page, "taken-back")
    is_whole(page)
    expect(page.get_by_role("link", name="Ship…")).to_have_count(0)
