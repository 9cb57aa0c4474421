"""Every step of an order on screen, from release to cash, by the people whose step it is."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from app.composition.uow import reading
from tests.db.core.test_returns import authorised
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.einvoices import known_to_others
from tests.support.operate import a_closed_site, open_cells
from tests.support.policies import approve
from tests.support.steps import captured, invoiced, released, taken_back


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), limit=500_000)
    made.clock = clock
    open_cells(made)
    return made


def one(database, query):
    with reading(database) as session:
        return session.execute(text(query)).one()


def version(page):
    return {"version": page.value("version")} if 'name="version"' in page.html else {}


def test_an_order_goes_from_release_to_cash_through_the_buttons(signed_in, business, sqlite_database):
    order = captured(business, ((0, 10),))
    here = f"/orders/{order.id}"
    user, billing, cash = signed_in("super_user"), signed_in("billing"), signed_in("collections")
    page = user.get(here)
    page = user.post(f"{here}/release", version(page))
    page = user.post(f"{here}/allocate", version(page))
    assert "Allocate: every line has its stock." in page.text
    user.get(f"{here}/pick")
    page = user.post(f"{here}/pick", {f"line_{order.lines[0].id}": "10"})
    shipment = one(sqlite_database, "SELECT id FROM shipment")[0]
    billing.get(here)
    billing.post(f"/shipments/{shipment}/invoice")
    invoice = one(sqlite_database, "SELECT id FROM invoice")[0]
    page = billing.post(f"/invoices/{invoice}/post")
    assert page.heading == "INV-2026-000001 · Bautechnik" or re.match(r"INV-2026-\d+ · Bautechnik", page.heading)
    assert "120.00 EUR" in page.text
    cash.get("/receipts/new")
    page = cash.post("/receipts/new", {
        "entity": business.entity, "customer": "10482", "amount": "120.00", "request_key": cash.page.value("request_key"),
    })  # fmt: skip
    receipt = cash.path
    assert page.value(f"invoice_{invoice}") == "120"
    page = cash.post(f"{receipt}/apply", {f"invoice_{invoice}": "120.00"})
    assert "0.00 EUR not applied" in page.text
    assert one(sqlite_database, "SELECT state, payment_status FROM sales_order") == ("closed", "done")
    assert_books_agree(sqlite_database)


def test_a_move_that_is_not_open_says_why_and_changes_nothing(signed_in, business, sqlite_database):
    order = captured(business)
    browser = signed_in("super_user")
    page = browser.get(f"/orders/{order.id}")
    assert "Allocate, Pick and ship…: the order is captured, release it first." in page.text
    page = browser.post(f"/orders/{order.id}/allocate", status=422)
    assert "This order is captured" in page.text
    assert one(sqlite_database, "SELECT state, version FROM sales_order") == ("captured", 1)


def test_a_version_that_somebody_changed_is_not_overwritten(signed_in, business, sqlite_database):
    order = captured(business)
    browser = signed_in("super_user")
    browser.get(f"/orders/{order.id}")
    browser.post(f"/orders/{order.id}/release", {"version": "7"}, status=409)
    assert "Somebody changed this since you opened it" in browser.page.text
    assert one(sqlite_database, "SELECT state FROM sales_order")[0] == "captured"


def test_an_order_over_the_limit_is_held_and_released_by_somebody_with_authority(signed_in, business, sqlite_database):
    order = captured(business, ((0, 600),))
    desk, lead = signed_in("super_user"), signed_in("site_lead")
    desk.get(f"/orders/{order.id}")
    page = desk.post(f"/orders/{order.id}/release", {"version": "1"})
    assert "1,000.00 EUR over the limit of 5,000.00 EUR" in page.text
    hold = one(sqlite_database, "SELECT id FROM order_hold")[0]
    lead.get(f"/orders/{order.id}/holds/{hold}/release")
    page = lead.post(f"/orders/{order.id}/holds/{hold}/release", {"reason": " "}, status=422)
    assert page.errors() == ["Reason: Say why"]
    lead.post(f"/orders/{order.id}/holds/{hold}/release", {"reason": "paid by wire"})
    page = lead.post(f"/orders/{order.id}/release", {})
    assert one(sqlite_database, "SELECT state FROM sales_order")[0] == "released"


def test_who_asked_for_the_release_cannot_end_the_hold_and_is_told_why(signed_in, business, sqlite_database):
    order = captured(business, ((0, 600),))
    lead = signed_in("site_lead")
    lead.get(f"/orders/{order.id}")
    page = lead.post(f"/orders/{order.id}/release", {"version": "1"})
    assert "Release the credit hold…: you asked for what it stops, so a colleague decides." in page.text
    hold = one(sqlite_database, "SELECT id FROM order_hold")[0]
    lead.get(f"/orders/{order.id}/holds/{hold}/release")
    lead.post(f"/orders/{order.id}/holds/{hold}/release", {"reason": "paid by wire"}, status=403)
    assert one(sqlite_database, "SELECT state FROM sales_order")[0] == "held"


def test_the_queue_of_holds_shows_who_decides_and_ends_several_with_one_reason(signed_in, business, sqlite_database):
    orders = [captured(business, ((0, 5),)) for _ in range(3)]
    desk = signed_in("customer_service")
    for order, kind in zip(orders, ("address", "data", "address"), strict=True):
        desk.get(f"/orders/{order.id}/hold")
        desk.post(f"/orders/{order.id}/hold", {"kind": kind, "reason": "asked the customer"})
    page = desk.get("/holds")
    assert "Address 2" in page.text
    assert "you asked for what it stops, so a colleague decides" in page.text
    lead = signed_in("site_lead")
    lead.get("/holds?kind=address&mine=1")
    page = lead.post("/holds?kind=address&mine=1", {"reason": "confirmed"}, status=422)
    assert "Choose at least one hold in the list." in page.text
    with reading(sqlite_database) as session:
        address = list(session.scalars(text("SELECT id FROM order_hold WHERE kind = 'address' ORDER BY id")))
    page = lead.post("/holds?kind=address&mine=1", {"reason": "confirmed", "hold": [str(one) for one in address]})
    assert "2 holds have ended." in page.text
    with reading(sqlite_database) as session:
        states = session.execute(text("SELECT state FROM sales_order ORDER BY id")).scalars().all()
    assert states == ["captured", "held", "captured"]
    business.clock.advance(timedelta(hours=9))
    assert "past its time" in signed_in("site_lead").get("/holds?overdue=1").text


def test_holding_needs_a_reason_and_keeps_what_was_typed(signed_in, business, sqlite_database):
    order = captured(business)
    browser = signed_in("customer_service")
    browser.get(f"/orders/{order.id}/hold")
    page = browser.post(f"/orders/{order.id}/hold", {"kind": "address", "reason": ""}, status=422)
    assert page.errors() == ["Reason: Say why it stops"]
    page = browser.post(f"/orders/{order.id}/hold", {"kind": "address", "reason": "no house number", "version": "1"})
    assert "Held: address" in page.text
    assert "no house number" in page.text


def test_lines_are_cancelled_in_part_and_never_beyond_what_is_open(signed_in, business, sqlite_database):
    order = released(business, ((0, 10),))
    browser = signed_in("customer_service")
    browser.get(f"/orders/{order.id}/cancel")
    line = order.lines[0].id
    page = browser.post(f"/orders/{order.id}/cancel", {f"line_{line}": "11", "reason": "x"}, status=422)
    assert "has less open than you want to cancel" in page.errors()[0]
    browser.post(f"/orders/{order.id}/cancel", {f"line_{line}": "4", "reason": "fewer", "by_customer": "y"})
    assert one(sqlite_database, "SELECT cancelled FROM order_line")[0] == 4000


def test_a_return_runs_to_its_credit_memo(signed_in, business, sqlite_database):
    order, _, _ = invoiced(business, ((0, 10),))
    desk, lead, store, billing = (
        signed_in(role) for role in ("customer_service", "site_lead", "warehouse_operator", "billing")
    )
    desk.get(f"/orders/{order.id}/return")
    words = {"reason": "damaged", "fault": "ours", "condition": "unstated", "disposition": "scrap"}
    assert "Nothing was entered" in desk.post(f"/orders/{order.id}/return", words, status=422).errors()[0]
    desk.post(f"/orders/{order.id}/return", {**words, f"line_{order.lines[0].id}": "2"})
    here = desk.path
    line = one(sqlite_database, "SELECT id FROM return_line")[0]
    lead.get(here)
    lead.post(f"{here}/authorise")
    store.get(f"{here}/receive")
    page = store.post(f"{here}/receive", {f"line_{line}": "0"}, status=422)
    assert "Nothing came of return" in page.errors()[0]
    page = store.post(f"{here}/receive", {f"line_{line}": "2", "other": "nowhere", "other_quantity": "1"}, status=422)
    assert "nowhere" in page.errors()[0]
    store.post(f"{here}/receive", {f"line_{line}": "2"})
    store.get(f"{here}/inspect")
    page = store.post(f"{here}/inspect", {f"line_{line}_scrap": "1"}, status=422)
    assert "Say what becomes of each piece that came" in page.errors()[0]
    store.post(f"{here}/inspect", {f"line_{line}_scrap": "1", f"line_{line}_restock": "1", "note": "one is bent"})
    assert one(sqlite_database, "SELECT count(*) FROM stock_move WHERE reason = 'return'")[0] == 1
    billing.get(here)
    billing.post(f"{here}/credit")
    page = billing.get(here)
    assert "credited by CRN-2026-" in page.text
    assert_books_agree(sqlite_database)


def test_a_return_outside_of_the_policy_says_what_is_against_it_and_waits_for_others(signed_in, business):
    order, _, _ = invoiced(business, ((0, 10),))
    business.clock.advance(timedelta(days=45))
    desk, lead, owner = (signed_in(role) for role in ("customer_service", "site_lead", "process_owner"))
    desk.get(f"/orders/{order.id}/return")
    words = {"reason": "not wanted", "fault": "customer", "condition": "opened", "disposition": "restock"}
    desk.post(f"/orders/{order.id}/return", {**words, f"line_{order.lines[0].id}": "2"})
    here = desk.path
    page = lead.get(here)
    assert "45 days after delivery, 30 allowed" in page.text
    assert "Outside of the policy somebody asks with a reason, and others agree." in page.text
    page = lead.get(f"{here}/authorise")
    assert "Reason: Say why" in lead.post(f"{here}/authorise", {"reason": ""}, status=422).errors()
    page = lead.post(f"{here}/authorise", {"reason": "promised on the telephone"})
    assert "Waits for others" in page.text
    asked = next(one for one in page.links() if re.fullmatch(r"/approvals/\d+", one))
    assert "45 days after delivery, 30 allowed" in owner.get(asked).text
    owner.post(asked, {"verdict": "approve", "reason": "a good customer"})
    page = owner.get(here)
    assert "Waits for others" not in page.text
    assert "agreed" in page.text.lower()


def test_what_keeps_to_a_policy_that_asks_nobody_says_that_it_may_come(signed_in, business):
    approve(business, "return_approval_rule", "outside_policy")
    order, _, _ = invoiced(business, ((0, 10),))
    desk = signed_in("customer_service")
    desk.get(f"/orders/{order.id}/return")
    words = {"reason": "not wanted", "fault": "customer", "condition": "unstated", "disposition": "restock"}
    page = desk.post(f"/orders/{order.id}/return", {**words, f"line_{order.lines[0].id}": "2"})
    assert "keeps to the policy: the goods may come back" in page.text
    assert "nobody: it keeps to the policy" in page.text


def _words_of(pdf):
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


def test_the_label_of_a_return_leads_to_what_is_next(signed_in, business):
    order, _, _ = invoiced(business, ((0, 10),))
    desk, lead, store = (signed_in(role) for role in ("customer_service", "site_lead", "warehouse_operator"))
    desk.get(f"/orders/{order.id}/return")
    words = {"reason": "damaged", "fault": "ours", "condition": "damaged", "disposition": "scrap"}
    desk.post(f"/orders/{order.id}/return", {**words, f"line_{order.lines[0].id}": "2"})
    here = desk.path
    number = f"RT-{here.rpartition('/')[2]}"
    assert "is not authorised" in lead.get(f"{here}/label.pdf", status=409).text
    lead.get(here)
    assert f"{here}/label.pdf" in lead.post(f"{here}/authorise").links()
    lead.get(f"{here}/label.pdf")
    paper = lead.response
    assert (paper.content_type, paper.data[:5]) == ("application/pdf", b"%PDF-")
    assert "47051" not in _words_of(paper.data)
    known_to_others(business)
    lead.get(f"{here}/label.pdf")
    said = _words_of(lead.response.data)
    assert "Return to Nordhaus GmbH" in said
    assert "Ruhrstraße 4 47051 Duisburg Germany" in said
    store.get("/returns/scan")
    assert "There is no return RT-0 here" in store.post("/returns/scan", {"number": "RT-0"}, status=422).errors()[0]
    assert "Receive return" in store.post("/returns/scan", {"number": f" {number.lower()} "}).heading
    lead.get("/returns/scan")
    assert lead.post("/returns/scan", {"number": number}).heading.startswith(f"Return {number}")


def test_the_replacement_of_a_return_is_ordered_and_each_leads_to_the_other(signed_in, business, sqlite_database):
    open_cells(business)
    order, _, _ = invoiced(business, ((0, 10),))
    back = authorised(business, order, 2)
    desk, here = signed_in("customer_service"), f"/returns/{back.id}"
    assert f"{here}/exchange" in desk.get(here).links()
    page = desk.get(f"{here}/exchange")
    line = one(sqlite_database, "SELECT id FROM return_line")[0]
    assert page.value(f"line_{line}") == "2"
    page = desk.post(f"{here}/exchange", {f"line_{line}": "0"}, status=422)
    assert "Nothing was entered" in page.errors()[0]
    page = desk.post(f"{here}/exchange", {f"line_{line}": "3"})
    assert "this order replaces what comes back" in page.text
    assert here in page.links()
    assert desk.path in desk.get(here).links()
    page = desk.post(f"{here}/exchange", {f"line_{line}": "3"}, status=422)
    assert "has the order of its replacement already" in page.errors()[0]


def test_a_fee_stands_on_the_credit_memo_with_its_tax(signed_in, business, sqlite_database):
    approve(business, "restocking_fee_permille", 100)
    order, _, _ = invoiced(business, ((0, 10),))
    back = authorised(business, order, 10, fault="customer")
    with business.work() as work:
        taken_back(work, back.id)
    billing = signed_in("billing")
    assert "10.0 % of the net credit" in billing.get(f"/returns/{back.id}").text
    billing.post(f"/returns/{back.id}/credit")
    page = billing.get(f"/credit-memos/{one(sqlite_database, 'SELECT id FROM credit_memo')[0]}")
    assert "Restocking fee" in page.text
    assert "-10.00" in page.text.replace("\u2212", "-")


def test_stock_is_received_adjusted_and_counted_with_reasons(signed_in, business, sqlite_database):
    here = f"/stock/{business.site}/{business.items[0]}"
    browser = signed_in("warehouse_supervisor")
    browser.get(f"{here}/receive")
    browser.post(f"{here}/receive", {"quantity": "20", "note": "delivery note 771"})
    browser.get(f"{here}/adjust")
    assert "Reason: Say why" in browser.post(f"{here}/adjust", {"quantity": "-5", "note": ""}, status=422).errors()
    page = browser.post(f"{here}/adjust", {"quantity": "-500", "note": "lost"}, status=422)
    assert "has not enough of item" in page.errors()[0]
    browser.post(f"{here}/adjust", {"quantity": "-5", "note": "broken"})
    browser.get(f"{here}/count")
    browser.post(f"{here}/count", {"quantity": "110", "planned": "y"})
    assert one(sqlite_database, f"SELECT on_hand FROM stock_balance WHERE item_id = {business.items[0]}")[0] == 110_000
    assert_books_agree(sqlite_database)


@pytest.mark.parametrize(
    ("way", "typed", "on_hand"),
    [
        ("receive", {"quantity": "20", "note": "delivery note 771"}, 120_000),
        ("adjust", {"quantity": "-5", "note": "broken"}, 95_000),
        ("count", {"quantity": "99", "planned": "y"}, 99_000),
    ],
)
def test_a_change_of_stock_that_is_sent_twice_happens_once(signed_in, business, sqlite_database, way, typed, on_hand):
    here = f"/stock/{business.site}/{business.items[0]}"
    browser = signed_in("warehouse_supervisor")
    typed = {**typed, "request_key": browser.get(f"{here}/{way}").value("request_key")}
    said = browser.post(f"{here}/{way}", typed).text
    again = browser.post(f"{here}/{way}", typed).text
    assert ("adjusted to what was found" in said, "adjusted to what was found" in again) == (way == "count",) * 2
    assert one(sqlite_database, f"SELECT on_hand FROM stock_balance WHERE item_id = {business.items[0]}")[0] == on_hand
    moves = f"SELECT COUNT(*) FROM stock_move WHERE item_id = {business.items[0]}"
    assert one(sqlite_database, moves)[0] == 2
    assert_books_agree(sqlite_database)


def test_another_sites_documents_do_not_exist(signed_in, business):
    order, _, invoice = invoiced(business)
    browser = signed_in("site_lead", site=a_closed_site(business))
    for path in (f"/orders/{order.id}", f"/invoices/{invoice.id}", f"/stock/{business.site}/{business.items[0]}"):
        assert browser.get(path, status=404).heading == "There is nothing here"
    assert "0 orders" in browser.get("/orders").text or "No order fits" in browser.get("/orders").text
    browser.get("/account")
    browser.post(f"/orders/{order.id}/cancel", {"reason": "mine"}, status=404)


@pytest.mark.parametrize("key", ["99999999999999999999", "9223372036854775807", "0"])
def test_a_number_that_is_no_document_is_not_found(signed_in, business, key):
    browser = signed_in("super_user")
    for path in (f"/orders/{key}", f"/invoices/{key}", f"/returns/{key}", f"/credit-memos/{key}", f"/receipts/{key}"):
        browser.get(path, status=404)


def test_a_list_with_a_nonsense_address_is_a_list(signed_in, business):
    captured(business)
    browser = signed_in("super_user")
    for query in (
        "state=x&site=abc&channel=-1&page=zzz&sort=;drop", "page=999999", "site=99999999999999999999", "text=%25_%5C",
        "realm=moon", "late=maybe&customer=x",
    ):  # fmt: skip
        browser.get(f"/orders?{query}")
        browser.get(f"/stock?{query}")
        browser.get(f"/invoices?{query}")


def test_who_acted_reads_as_role_and_site_but_for_oneself(signed_in, business):
    order = captured(business)
    mine, other = signed_in("super_user"), signed_in("customer_service", name="Ada Private")
    mine.get(f"/orders/{order.id}")
    mine.post(f"/orders/{order.id}/release", {"version": "1"})
    assert "Order: released" in mine.get(f"/orders/{order.id}").text
    assert "You" in mine.page.text
    assert "Super user, Duisburg" in other.get(f"/orders/{order.id}").text
    assert "Kim Example" not in other.page.text


def test_a_return_without_an_order_is_typed_and_set_against_the_latest_sale_or_a_price(
    signed_in, business, sqlite_database
):
    order, _, _ = invoiced(business, ((0, 3),))
    business.clock.advance(timedelta(days=1))
    desk = signed_in("customer_service")
    assert "/returns/new" in desk.get("/returns").links()
    words = {
        "reason": "not wanted",
        "fault": "customer",
        "condition": "sealed",
        "disposition": "restock",
        "press": "enter",
    }
    words |= {"site": str(business.site), "channel": str(business.channel), "customer": "10482"}
    desk.get("/returns/new")
    page = desk.post(
        "/returns/new", {**words, "customer": "nobody", "lines-0-item": "40-0", "lines-0-quantity": "1"}, status=422
    )
    assert "No customer has this code or name" in page.errors()[0]
    page = desk.post("/returns/new", {**words, "lines-0-item": "nothing", "lines-0-quantity": "1"}, status=422)
    assert "No item has this code or name" in page.errors()[0]
    page = desk.post("/returns/new", {**words, "lines-0-item": "40-0", "lines-0-quantity": "-1"}, status=422)
    typed = {"lines-0-item": "40-0", "lines-0-quantity": "2", "lines-1-item": "40-1", "lines-1-quantity": "1"}
    page = desk.post("/returns/new", {**words, **typed, "lines-1-unit_price": ""}, status=422)
    assert "Enter the price that is credited" in page.errors()[0]
    assert page.value("lines-1-item") == "40-1"
    assert one(sqlite_database, "SELECT count(*) FROM return_order") == (0,)
    desk.post("/returns/new", {**words, **typed, "lines-1-unit_price": "4.50"})
    assert desk.path.startswith("/returns/")
    with reading(sqlite_database) as session:
        found = session.execute(
            text("SELECT order_line_id, unit_price, unlinked FROM return_line ORDER BY line_no")
        ).all()
    assert found == [(order.lines[0].id, 10_000_000, None), (None, 4_500_000, "no earlier sale")]
