"""The rarer acts of the office and the site in a real browser: blackouts, templates, seats, limits, names, papers, decisions, charges."""

from __future__ import annotations

import os
import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.inventory.adjusting import Adjust, adjust
from erpcore.inventory.counting import record_count, start_count
from readiness.waves.grants import declare_fallback
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES
from tests.support.steering import a_programme
from tests.support.warehouse import somebody

pytestmark = pytest.mark.browser
#: What lies beyond the edge of a phone without a way to see it.
CUT_OFF = """[...document.querySelectorAll("main td *, main .card-body *")].filter(one => {
  const box = one.getBoundingClientRect()
  return box.width > 1 && box.right > innerWidth + 1 && !one.closest("svg, pre, .visually-hidden, details:not([open])")
}).map(one => one.outerHTML.slice(0, 120))"""
with_and_without_script = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])


@pytest.fixture
def steered(sqlite_database, clock):
    return a_programme(sqlite_database, clock, more_cells=2)


def said(database, query, **values):
    """The rows that a question finds in the tables."""
    with reading(database) as session:
        return [tuple(row) for row in session.execute(text(query), values)]


def looked_at(page, name):
    """Nothing that axe finds and nothing sideways; with pictures for whoever wants to look."""
    found = [(one["id"], one["nodes"][0]["html"][:120]) for one in Axe().run(page).response["violations"]]
    assert found == [], name
    folder = os.environ.get("WAVEGATE_PICTURES")
    for width, scheme in ((1440, "light"), (1440, "dark"), (360, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
        assert width > 360 or page.evaluate(CUT_OFF) == [], (name, width)
        if folder:
            page.screenshot(path=f"{folder}/office-{name}-{width}-{scheme}.png", full_page=True, animations="disabled")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")


@with_and_without_script
def test_a_blackout_is_named_refused_the_wrong_way_round_and_lifted(signed, steered, script):
    page = signed(steered.office, width=1440, java_script_enabled=script, bypass_csp=script)
    page.goto("/waves/blackouts")
    page.get_by_label("What it is").fill("Stocktaking")
    page.get_by_label("First day").fill("2026-03-27")
    page.get_by_label("Last day").fill("2026-03-20")
    page.get_by_role("button", name="Put it into the calendar").click()
    expect(page.locator("#errors")).to_be_visible()
    expect(page.get_by_label("What it is")).to_have_value("Stocktaking")
    expect(page.get_by_label("First day")).to_have_value("2026-03-27")
    page.get_by_label("First day").fill("2026-03-20")
    page.get_by_label("Last day").fill("2026-03-27")
    page.get_by_role("button", name="Put it into the calendar").click()
    row = page.locator("tr", has_text="Stocktaking")
    expect(row.locator("td[data-label='Goes live in it']")).to_have_text("W2")
    if script:
        looked_at(page, "blackouts")
    row.get_by_role("link", name="Take Stocktaking out").click()
    page.get_by_label("Reason").fill("moved to April")
    page.locator("main button[type=submit]").click()
    expect(page.get_by_text("No blackout yet")).to_be_visible()
    assert said(steered.database, "SELECT COUNT(*) FROM blackout_window") == [(0,)]


def test_the_standard_templates_are_taken_over_once(signed, steered):
    page = signed(steered.office, width=1440, bypass_csp=True)
    page.goto("/gates/templates")
    expect(page.get_by_text("No template yet")).to_be_visible()
    page.get_by_role("button", name="Take over the standard ones").click()
    expect(page.locator("main tbody tr")).to_have_count(3)
    looked_at(page, "templates")
    page.get_by_role("button", name="Take over the standard ones").click()
    expect(page.locator("main tbody tr")).to_have_count(3)
    assert said(steered.database, "SELECT COUNT(*) FROM gate_template") == [(3,)]


@with_and_without_script
def test_a_seat_is_added_given_weight_and_abolished(signed, steered, script):
    page = signed(steered.office, width=1440, java_script_enabled=script, bypass_csp=script)
    page.goto(f"/committees/{steered.steering}/seats/new")
    page.get_by_label("Veto").check()
    page.get_by_label("Reason").fill("Sales asked for it")
    page.get_by_role("button", name="Add the seat").click()
    expect(page.locator("#errors")).to_contain_text("Name the function")
    expect(page.get_by_label("Reason")).to_have_value("Sales asked for it")
    expect(page.get_by_label("Veto")).to_be_checked()
    page.get_by_label("Function").fill("Sales")
    page.get_by_label("Held by").select_option(label="Paul Nowak")
    page.get_by_role("button", name="Add the seat").click()
    row = page.locator("tr", has_text="Sales")
    expect(row).to_contain_text("Paul Nowak")
    if script:
        looked_at(page, "committee")
    row.locator("a").first.click()
    if script:
        looked_at(page, "seat")
    page.get_by_label("Veto").uncheck()
    page.get_by_label("Reason").fill("no veto after all")
    page.get_by_role("button", name="Change the seat").click()
    asked = "SELECT function, has_veto FROM seat WHERE body_id = :body AND function = 'Sales'"
    assert [bool(row[1]) for row in said(steered.database, asked, body=steered.steering)][-1] is False


def test_a_limit_is_set_in_hours_and_the_usual_one_comes_back(showroom, person):
    database = showroom.business.database
    page = person("process_owner", bypass_csp=True)
    page.goto(f"/measures/limits?site={showroom.business.site}")
    page.get_by_role("link", name="Change the limit of order release").click()
    expect(page.get_by_label("Working hours")).to_have_value("4")
    page.get_by_label("Working hours").fill("half a day")
    page.get_by_label("Reason").fill("inventory week")
    page.get_by_role("button", name="Set the limit").click()
    expect(page.locator("#errors")).to_be_visible()
    expect(page.get_by_label("Working hours")).to_have_value("half a day")
    expect(page.get_by_label("Reason")).to_have_value("inventory week")
    looked_at(page, "limit")
    page.get_by_label("Working hours").fill("6.5")
    page.get_by_role("button", name="Set the limit").click()
    row = page.locator("tr", has_text="Order release")
    expect(row.locator("td[data-label='Limit here']")).to_have_text("6.5 h")
    looked_at(page, "limits")
    assert said(database, "SELECT minutes FROM control_limit") == [(390,)]
    row.get_by_role("link", name="Usual limit of order release").click()
    page.get_by_label("Reason").fill("over")
    page.get_by_role("button", name="Go back to the usual limit").click()
    expect(row.locator("td[data-label='Limit here']")).to_have_text("4 h")


def test_a_lead_asks_who_worked_on_an_order_and_the_look_is_kept(showroom, person):
    desk, lead = person("customer_service"), person("site_lead", bypass_csp=True)
    desk.goto("/orders/new")
    desk.fill("#customer", "10482")
    desk.fill("[data-item]", "40-0")
    desk.fill("[name=lines-0-quantity]", "5")
    desk.wait_for_load_state()
    desk.keyboard.press("Control+Enter")
    expect(desk).to_have_url(re.compile(r"/orders/\d+$"))
    lead.goto(desk.url)
    expect(lead.get_by_text("Kim Example", exact=True)).to_have_count(0)
    lead.get_by_role("button", name=re.compile("Who")).click()
    expect(lead.get_by_role("heading", level=1)).to_have_text(re.compile("Who worked on SO-"))
    expect(lead.locator("td[data-label=Who]", has_text="Kim Example").first).to_be_visible()
    looked_at(lead, "names")
    asked = "SELECT COUNT(*) FROM audit_entry WHERE kind = 'person.looked_up'"
    assert said(showroom.business.database, asked) == [(1,)]


@with_and_without_script
def test_a_paper_of_a_fallback_is_typed_mended_and_entered(showroom, person, clock, script):
    business = showroom.business
    with business.work() as work:
        declare_fallback(work, business.site, reason="no power")
    clock.advance(timedelta(hours=3))
    page = person("super_user", java_script_enabled=script, bypass_csp=script)
    page.goto(f"/sites/{business.site}/paper")
    page.get_by_label("Number of the paper").fill("P-17")
    page.get_by_label("Customer").fill("10482")
    page.get_by_label("Taken at").fill("2026-03-02T11:20")
    page.get_by_label("Item, line 10").fill("40-99")
    page.get_by_label("Ordered, line 10").fill("12")
    page.get_by_label("Goods left at").fill("2026-03-02T12:00")
    page.get_by_role("button", name="Enter the paper").click()
    expect(page.locator("#errors")).to_contain_text("No item has this code")
    expect(page.get_by_label("Ordered, line 10")).to_have_value("12")
    expect(page.get_by_label("Goods left at")).to_have_value("2026-03-02T12:00")
    page.get_by_label("Item, line 10").fill("40-0")
    page.get_by_role("button", name="Enter the paper").click()
    expect(page.get_by_text("P-17 is entered. Go on with the next paper.")).to_be_visible()
    if script:
        looked_at(page, "paper")
    asked = (
        "SELECT o.source, l.quantity / 1000, l.shipped / 1000 FROM sales_order o JOIN order_line l ON l.order_id = o.id"
    )
    assert said(business.database, f"{asked} WHERE o.number = 'P-17'") == [("back-entry", 12, 12)]
    assert_books_agree(business.database)


@with_and_without_script
def test_a_proposed_adjustment_is_booked_by_somebody_else_with_a_reason(showroom, person, script):
    lead = person("site_lead", java_script_enabled=script, bypass_csp=script)
    lead.goto("/adjustments")
    if script:
        looked_at(lead, "adjustments")
    lead.locator(f"a[href='/adjustments/{showroom.adjustment}']").click()
    lead.get_by_role("button", name="Approve and book").click()
    expect(lead.locator("#errors")).to_contain_text("Say why")
    if script:
        looked_at(lead, "adjustment")
    lead.get_by_label("Reason").fill("seen the broken ones")
    lead.get_by_role("button", name="Approve and book").click()
    expect(lead.get_by_text("The book is corrected.")).to_be_visible()
    asked = "SELECT state FROM stock_adjustment WHERE id = :id"
    assert said(showroom.business.database, asked, id=showroom.adjustment) == [("booked",)]
    assert_books_agree(showroom.business.database)


def test_a_counted_difference_is_decided_by_who_did_not_count(showroom, person):
    business = showroom.business
    for counter in (somebody(91), somebody(92)):
        with business.work(counter) as work:
            start_count(work, showroom.count, rules=RULES, cells=OPEN)
            record_count(work, showroom.count, 12, rules=RULES, cells=OPEN)
    lead = person("site_lead", bypass_csp=True)
    lead.goto(f"/counts/{showroom.count}")
    lead.get_by_role("button", name="Book the difference").click()
    expect(lead.locator("#errors")).to_contain_text("Say why")
    looked_at(lead, "count")
    lead.get_by_label("Reason").fill("two people found the same")
    lead.get_by_role("button", name="Book the difference").click()
    expect(lead.get_by_text("The difference is booked.")).to_be_visible()
    assert said(
        business.database, "SELECT state, counted / 1000 FROM count_task WHERE id = :id", id=showroom.count
    ) == [("done", 12)]
    assert_books_agree(business.database)


@with_and_without_script
def test_a_charge_is_declared_and_its_terms_change(showroom, person, script):
    page = person("data_owner", java_script_enabled=script, bypass_csp=script)
    page.goto("/charges")
    page.get_by_role("link", name="New charge or service").click()
    page.get_by_label("Name", exact=True).fill("Freight")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#errors")).to_contain_text("Enter a code")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Freight")
    if script:
        looked_at(page, "charge")
    page.get_by_label("Code", exact=True).fill("FREIGHT")
    page.get_by_role("button", name="Keep it").click()
    row = page.locator("tr", has_text="FREIGHT")
    expect(row).to_contain_text("Freight")
    if script:
        looked_at(page, "charges")
    row.get_by_role("link", name=re.compile("Change")).click()
    expect(page.get_by_label("Code", exact=True)).to_have_value("FREIGHT")
    page.get_by_label("Name", exact=True).fill("Freight and handling")
    page.get_by_role("button", name="Keep it").click()
    expect(row).to_contain_text("Freight and handling")
    assert said(showroom.business.database, "SELECT COUNT(*) FROM item WHERE code = 'FREIGHT'") == [(1,)]


@with_and_without_script
def test_an_order_is_picked_and_shipped_at_the_counter(showroom, person, script):
    order = showroom.trade.allocated
    page = person("super_user", java_script_enabled=script, bypass_csp=script)
    page.goto(f"/orders/{order}/pick")
    first = page.locator("[name^=line_]").first
    whole = first.input_value()
    first.fill("1000000")
    page.get_by_role("button", name="Picked: it leaves").click()
    expect(page.locator("#errors")).to_be_visible()
    expect(first).to_have_value("1000000")
    if script:
        looked_at(page, "pick")
    first.fill(whole)
    page.get_by_role("button", name="Picked: it leaves").click()
    expect(page).to_have_url(re.compile(r"/(orders|shipments)/\d+$"))
    asked = "SELECT COUNT(*) FROM shipment WHERE order_id = :o AND state = 'confirmed'"
    assert said(showroom.business.database, asked, o=order) == [(1,)]
    assert_books_agree(showroom.business.database)


def test_somebody_who_asked_for_an_adjustment_is_told_who_decides(showroom, person):
    business = showroom.business
    supervisor = person("warehouse_supervisor", bypass_csp=True)
    with reading(business.database) as session:
        me = session.execute(text("SELECT MAX(id) FROM account")).scalar_one()
    with business.work(somebody(me)) as work:
        wanted = Adjust(site=business.site, item=business.items[0], quantity=-40, reason="damaged", note="under water")
        (mine,) = adjust(work, [wanted], rules=RULES, cells=OPEN)
    supervisor.goto(f"/adjustments/{mine.id}")
    expect(supervisor.get_by_role("button", name="Approve and book")).to_have_count(0)
    expect(supervisor.get_by_text("somebody else decides")).to_be_visible()
