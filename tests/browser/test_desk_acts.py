"""What people do all day at the desk, in a real browser: share short stock, change an order, quote, price, decide, buy, move goods."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from app.composition.letter_consumer import LetterConsumer
from app.composition.uow import reading
from app.jobs.consumers import ConsumerRunner
from tests.support.controls import assert_books_agree
from tests.support.policies import decide

pytestmark = pytest.mark.browser


def said(showroom, query, **values):
    """The rows that a question finds in the tables."""
    with reading(showroom.business.database) as session:
        return [tuple(row) for row in session.execute(text(query), values)]


def allocated_to(showroom):
    """What the three lines that wait for the short item have, in whole units."""
    return [
        said(showroom, "SELECT allocated / 1000 FROM order_line WHERE id = :line", line=line)[0][0]
        for line in showroom.waiting_lines
    ]


def test_short_stock_is_found_by_keys_shared_by_a_run_and_taken_back(showroom, person):
    lead, other = person("site_lead"), person("warehouse_supervisor")
    lead.goto("/allocation")
    expect(lead.locator("td[data-label=Expected]")).to_contain_text("50")
    expect(lead.locator("td[data-label=Expected]")).not_to_contain_text("50,000")
    lead.keyboard.press("j")
    lead.keyboard.press("Enter")
    expect(lead.get_by_role("heading", name="40-1 · Pipe 1")).to_be_visible()
    row = lead.locator("tr", has_text="others rank before it")
    expect(row.locator("td[data-label='Fair share']")).to_have_text("8")
    expect(row.locator("td[data-label='Channel and tier']")).to_have_text(re.compile(r"Wholesalepriority 5 · tier \d"))
    lead.get_by_role("button", name="Simulate a run").click()
    expect(lead.get_by_text("1 gets nothing")).to_be_visible()
    lead.get_by_label("Line", exact=True).select_option(str(showroom.waiting_lines[2]))
    lead.get_by_label("Rank", exact=True).fill("1")
    lead.locator("[name=reason]").fill("stands still without it")
    lead.get_by_role("button", name="Work it out anew").click()
    expect(lead.get_by_text("Ranked by hand")).to_be_visible()
    expect(lead.get_by_text("you changed its ranking, so somebody else commits it").first).to_be_visible()
    assert allocated_to(showroom) == [33, 0, 0]
    other.goto(lead.url)
    other.wait_for_load_state()
    other.keyboard.press("Control+Enter")
    expect(other.get_by_text("The run is committed: the winners have their stock.")).to_be_visible()
    assert allocated_to(showroom) == [38, 0, 25]
    lead.goto(f"/allocation/{showroom.business.site}/{showroom.short_item}/take-back")
    lead.get_by_label("Take from").select_option(str(showroom.waiting_lines[2]))
    lead.get_by_label("Give to").select_option(str(showroom.waiting_lines[0]))
    lead.get_by_label("Quantity").fill("5")
    lead.get_by_label("Reason").fill("contract")
    lead.get_by_role("button", name="Take it back").click()
    expect(lead.get_by_text("The stock is taken back, and who lost it is promised anew.")).to_be_visible()
    assert allocated_to(showroom) == [43, 0, 20]
    assert_books_agree(showroom.business.database)


def test_backorders_are_chosen_by_keys_and_promised_anew(showroom, person):
    lead = person("site_lead")
    lead.goto("/backorders")
    for _ in range(2):
        lead.keyboard.press("j")
        lead.keyboard.press("x")
    lead.get_by_label("Promised day").fill("2026-03-20")
    lead.get_by_label("Reason").fill("the supplier called")
    lead.get_by_role("button", name="Promise the chosen lines anew").click()
    expect(lead.locator("td[data-label=Promised]", has_text="Fri 20 Mar")).to_have_count(2)
    assert said(showroom, "SELECT COUNT(*) FROM order_line WHERE promised_on = '2026-03-20'") == [(2,)]


def test_an_order_is_changed_in_three_ways_that_are_checked_together(showroom, person):
    order = showroom.trade.allocated
    first, second = said(showroom, "SELECT id, quantity FROM order_line WHERE order_id = :o ORDER BY line_no", o=order)
    desk = person("customer_service")
    desk.goto(f"/orders/{order}")
    desk.get_by_role("link", name="Change order…").click()
    desk.get_by_label("Reason").fill("called")
    desk.locator(f"[name=day_{first[0]}]").fill("2026-03-10")
    desk.locator(f"[name=drop_{second[0]}]").check()
    desk.locator("[name=added-0-item]").fill("40-2")
    desk.keyboard.press("Tab")
    desk.keyboard.type("7")
    desk.wait_for_load_state()
    desk.keyboard.press("Control+Enter")
    expect(desk.get_by_role("heading", name=re.compile("Change 1 of order"))).to_be_visible()
    for what in ("other day wanted", "dropped: 1 pc no longer wanted", "added: 7 pc", "No hold comes of it."):
        expect(desk.get_by_text(what)).to_be_visible()
    assert said(showroom, "SELECT COUNT(*) FROM order_line WHERE order_id = :o", o=order) == [(2,)]
    desk.wait_for_load_state()
    desk.keyboard.press("Control+Enter")
    expect(desk.get_by_text("The changes are applied.")).to_be_visible()
    assert said(
        showroom, "SELECT quantity, cancelled, requested_on FROM order_line WHERE order_id = :o ORDER BY line_no", o=order
    )[:2] == [(first[1], 0, "2026-03-10"), (second[1], second[1], "2026-03-02")]  # fmt: skip
    assert said(showroom, "SELECT COUNT(*) FROM order_line WHERE order_id = :o", o=order) == [(3,)]
    assert_books_agree(showroom.business.database)


def test_a_quote_is_written_by_keyboard_sent_and_becomes_one_order(showroom, person):
    desk = person("customer_service")
    desk.goto("/quotes/new")
    desk.focus("#customer")
    desk.keyboard.type("10482")
    desk.focus("[data-item]")
    desk.keyboard.type("40-2")
    desk.keyboard.press("Tab")
    desk.keyboard.type("3")
    desk.wait_for_load_state()
    desk.keyboard.press("Control+Enter")
    expect(desk.get_by_role("heading", name=re.compile("Quote QU-"))).to_be_visible()
    desk.get_by_role("button", name="Send").click()
    expect(desk.get_by_text(re.compile("days left"))).to_be_visible()
    desk.get_by_role("link", name="Customer accepts…").click()
    desk.get_by_label("Customer reference").fill("PO-7")
    desk.wait_for_load_state()
    desk.keyboard.press("Control+Enter")
    expect(desk.get_by_role("heading", name=re.compile("Order SO-"))).to_be_visible()
    # The button of the browser goes back to the form; sent again, it names the order that there is.
    desk.go_back()
    desk.get_by_role("button", name="Take the order").click()
    expect(desk.get_by_text(re.compile(r"was accepted before and has become order SO-\d+"))).to_be_visible()
    assert said(showroom, "SELECT COUNT(*) FROM sales_order WHERE customer_reference = 'PO-7'") == [(1,)]
    assert_books_agree(showroom.business.database)


def test_a_price_list_shows_what_it_changes_before_it_does_and_a_second_person_lets_it(showroom, person, tmp_path):
    owner, boss = person("data_owner"), person("process_owner")
    file = tmp_path / "may.csv"
    file.write_text(
        "kind,item,currency,unit_price,valid_from\nlist,40-0,EUR,10.10,2026-05-01\nlist,40-2,EUR,4.50,2026-05-01\n"
    )
    owner.goto("/prices")
    owner.get_by_role("link", name="Hand a list in…").click()
    owner.get_by_label("File").set_input_files(file)
    owner.get_by_role("button", name="Look at it").click()
    expect(owner.get_by_role("heading", name="may.csv")).to_be_visible()
    lowered = owner.locator("tr", has_text="40-2")
    expect(lowered.locator("td[data-label=Change]")).to_have_text("−55 %")
    expect(lowered.get_by_text("Fri 1 May")).to_be_visible()
    owner.get_by_label("Reason").fill("raw material is cheaper")
    owner.get_by_role("button", name="Ask for approval").click()
    before = said(showroom, "SELECT COUNT(*) FROM price_rule")
    # So much of the revenue takes two different people.
    for decider in (boss, person("process_owner")):
        decider.goto(owner.url)
        decider.get_by_label("Reason").fill("agreed with purchasing")
        decider.get_by_role("button", name="Approve", exact=True).click()
        expect(decider.get_by_text("The prices hold once all who are asked agree")).to_be_visible()
    assert said(showroom, "SELECT COUNT(*) FROM price_rule") == [(before[0][0] + 2,)]


def test_a_line_goes_to_an_address_that_was_just_entered(showroom, person):
    desk = person("customer_service")
    desk.goto("/customers/10482")
    desk.get_by_role("link", name="Addresses").click()
    desk.get_by_role("link", name="New address").click()
    for label, value in (("Code", "site7"), ("Name at the door", "Baustelle 7"), ("Street and number", "Am Hang 2"),
                         ("Postal code", "47057"), ("City", "Duisburg"), ("Country", "Germany")):  # fmt: skip
        desk.get_by_label(label, exact=False).first.fill(value)
    desk.locator("main button[type=submit]").click()
    expect(desk.locator("tr", has_text="site7").get_by_text("yes")).to_be_visible()
    order = showroom.trade.allocated
    ((line,), *_) = said(showroom, "SELECT id FROM order_line WHERE order_id = :o ORDER BY line_no", o=order)
    desk.goto(f"/orders/{order}/amend")
    desk.get_by_label("Reason").fill("to the site")
    ((key,),) = said(showroom, "SELECT id FROM customer_address WHERE code = 'site7'")
    desk.locator(f"[name=ship_to_{line}]").select_option(str(key))
    desk.wait_for_load_state()
    desk.keyboard.press("Control+Enter")
    desk.get_by_role("button", name="Apply this change").click()
    expect(desk.get_by_text("The changes are applied.")).to_be_visible()
    expect(desk.locator(".order-lines").get_by_text(re.compile("site7|Baustelle 7"))).to_be_visible()


def test_a_policy_value_that_is_agreed_to_runs_where_it_was_asked_for(showroom, person):
    authority = person("design_authority")
    authority.goto(f"/policies/here?site={showroom.business.site}")
    row = authority.locator("tr", has_text="Partial shipment")
    expect(row.get_by_text("the standard")).to_be_visible()
    decide(showroom.business, showroom.asked_value)
    authority.goto(f"/register/variants/{showroom.asked_value}")
    expect(authority.get_by_text("In force").first).to_be_visible()
    authority.goto(f"/policies/here?site={showroom.business.site}")
    expect(row.get_by_text("the order leaves whole or not at all")).to_be_visible()
    authority.goto(f"/policies/here?site={showroom.branch}")
    expect(row.get_by_text("the standard")).to_be_visible()


def test_a_purchase_order_is_confirmed_and_its_goods_are_received_on_a_phone(showroom, person):
    buyer, floor = person("buyer"), person("warehouse_operator", width=360)
    buyer.goto(f"/purchase-orders/{showroom.purchase}")
    buyer.get_by_role("link", name="Note the supplier's confirmation…").click()
    buyer.get_by_label("Comes on, line 20").fill("2026-03-09")
    buyer.get_by_role("button", name="Note the confirmation").click()
    expect(buyer.locator("tr", has_text="40-1").locator("td[data-label='Confirmed for']")).to_have_text("Mon 9 Mar")
    floor.goto("/receive")
    floor.get_by_role("link", name=re.compile("40-1")).first.click()
    expect(floor.get_by_label("Came", exact=True)).to_be_focused()
    floor.get_by_label("Came", exact=True).fill("50")
    floor.get_by_label("Delivery note").fill("DN 9")
    assert floor.get_by_role("button", name="Receive").bounding_box()["height"] >= 40
    floor.get_by_role("button", name="Receive").click()
    expect(floor.get_by_text("40-1 is received.")).to_be_visible()
    assert said(
        showroom, "SELECT received FROM purchase_order_line WHERE purchase_id = :p ORDER BY line_no", p=showroom.purchase
    ) == [(6000,), (50000,)]  # fmt: skip
    assert_books_agree(showroom.business.database)


def test_a_branch_is_answered_and_sends_what_was_asked_for(showroom, person):
    boss = person("warehouse_supervisor")
    boss.goto(f"/transfer-orders/{showroom.transfer}")
    boss.get_by_role("link", name="Answer…").click()
    boss.locator("[name=verdict][value=approve]").check()
    boss.wait_for_load_state()
    boss.keyboard.press("Control+Enter")
    boss.get_by_role("link", name="Ship…").click()
    boss.locator("[name^=line_]").fill("12")
    boss.wait_for_load_state()
    boss.keyboard.press("Control+Enter")
    expect(boss.locator("td[data-label=Shipped]")).to_have_text("12")
    assert said(showroom, "SELECT state FROM transfer_order WHERE id = :t", t=showroom.transfer) == [("approved",)]
    assert_books_agree(showroom.business.database)


def test_a_letter_is_written_looked_at_and_stands_on_the_order(showroom, person, clock):
    owner, desk = person("process_owner"), person("customer_service")
    owner.goto("/letters/texts/confirmation/en")
    owner.get_by_label("Subject").fill("We have your order {order}")
    owner.get_by_label("Order to look at it with").fill(f"SO-{showroom.trade.held}")
    owner.get_by_role("button", name="Look at it").click()
    expect(owner.get_by_text(f"We have your order SO-{showroom.trade.held}")).to_be_visible()
    owner.get_by_role("button", name="Save as the next version").click()
    expect(owner.get_by_text("version 2")).to_be_visible()
    desk.goto("/orders/new")
    desk.fill("#customer", "10482")
    desk.fill("[data-item]", "40-0")
    desk.fill("[name=lines-0-quantity]", "5")
    desk.wait_for_load_state()
    desk.keyboard.press("Control+Enter")
    expect(desk).to_have_url(re.compile(r"/orders/\d+$"))
    ConsumerRunner(showroom.business.database, LetterConsumer(), clock=clock).run_to_head()
    desk.reload()
    told = desk.locator("section", has_text="What the customer was told")
    expect(told.get_by_text("We have your order")).to_be_visible()
    expect(told.get_by_text("version 2")).to_be_visible()
