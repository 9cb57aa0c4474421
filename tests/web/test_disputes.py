"""The board of disputes, one of them with its steps, and where differences begin: receipt, bank entry, invoice."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.disputes import objected, paid_short
from tests.support.operate import open_cells
from tests.support.steps import invoiced
from tests.support.web import Browser, a_person, a_site
from tests.web.test_cash import opened, send


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    made.first, made.second = invoiced(made)[2], invoiced(made, [(1, 5)])[2]
    return made


@pytest.fixture
def site(database, business, tmp_path, clock):
    assert business.first
    return a_site(database, tmp_path, clock)


@pytest.fixture
def signed(site, database, clock):
    def sign(role):
        browser = Browser(site)
        browser.who = a_person(database, role, clock=clock)
        browser.sign_in(browser.who)
        return browser

    return sign


def disputes(database):
    sql = "SELECT id, state, open_minor, reason_code, owner_role, owner_id FROM dispute ORDER BY id"
    with reading(database) as session:
        return [tuple(row) for row in session.execute(text(sql))]


def test_a_receipt_is_applied_short_and_the_rest_has_a_reason_on_every_page(business, signed, database):
    clerk = signed("collections")
    clerk.get(f"/receipts/new?entity={business.entity}")
    send(clerk, "/receipts/new", entity=business.entity, customer="10482", amount="160.00")
    with reading(database) as session:
        (receipt,) = session.execute(text("SELECT id FROM receipt")).scalars()
    clerk.get(f"/receipts/{receipt}")
    first, second = business.first.id, business.second.id
    fields = {f"invoice_{first}": "100.00", f"short_{first}": "damaged", f"invoice_{second}": "60.00"}
    page = send(clerk, f"/receipts/{receipt}/apply", **fields)
    ((dispute, state, minor, reason, role, _),) = disputes(database)
    assert (state, minor, reason, role) == ("raised", 2_000, "damaged", "customer_service")
    assert opened(database, first, second) == [2_000, 0]
    for where in (page.html, clerk.get(f"/invoices/{first}").html, clerk.get(f"/receivables/{business.customer}").html):
        assert f"/disputes/{dispute}" in where
    board = clerk.get("/disputes")
    assert "DE-" in board.html
    assert "Damaged goods" in board.html
    assert clerk.get("/disputes?state=settled").html.count("DE-") == 0
    assert_books_agree(database)


def test_what_was_applied_before_is_named_afterwards_and_too_much_says_so_at_its_field(business, signed, database):
    clerk = signed("collections")
    application, first = paid_short(business, business.first, 9_000, amount_minor=1_000, reason="tax")
    with reading(database) as session:
        (receipt,) = session.execute(text("SELECT receipt_id FROM receipt_application")).scalars()
    path = f"/receipts/{receipt}/applications/{application}/deduct"
    assert path in clerk.get(f"/receipts/{receipt}").html
    clerk.get(path)
    page = send(clerk, path, status=422, reason="freight", amount="20.01")
    assert "no more than 20.00 EUR is open" in page.html
    clerk.get(path)
    send(clerk, path, reason="freight", amount="")
    assert [row[2:4] for row in disputes(database)] == [(1_000, "tax"), (2_000, "freight")]
    page = clerk.get(f"/receipts/{receipt}").html
    assert "Take back" in page
    assert path not in page, "all that is open has its reason: there is nothing to name"
    assert first


def test_a_deduction_is_contested_settled_in_parts_and_the_rest_waits_for_others(business, signed, database):
    desk, biller, boss = signed("customer_service"), signed("billing"), signed("finance")
    _, dispute = paid_short(business, business.first, 9_000, reason="short_shipment", note="Three missing")
    path, line = f"/disputes/{dispute}", business.first.lines[0].order_line_id
    assert f"{path}/contest" in desk.get(path).html
    desk.get(f"{path}/contest")
    send(desk, f"{path}/contest", reason="damaged", line=line, note="Two were dented", evidence="photo", version="1")
    assert disputes(database)[0][1:4] == ("disputed", 3_000, "damaged")
    biller.get(f"{path}/settle")
    page = send(biller, f"{path}/settle", status=422, line=line, quantity="3", rebill="0.01", reason="x", version="2")
    assert "only 30.00 EUR is open" in page.html
    biller.get(f"{path}/settle")
    page = send(biller, f"{path}/settle", line=line, quantity="2", write_off="6.00", reason="looked at it", version="2")
    assert "waits for others" in page.html
    assert disputes(database)[0][1:3] == ("waiting", 600)
    biller.get(f"{path}/settle")
    send(biller, f"{path}/settle", status=409, rebill="1.00", reason="x", version="3")
    with reading(database) as session:
        (request,) = session.execute(text("SELECT id FROM approval_request")).scalars()
    assert path in boss.get(f"/approvals/{request}").html
    boss.post(f"/approvals/{request}", {"verdict": "approve", "reason": "small"})
    assert disputes(database)[0][1:3] == ("settled", 0)
    assert "Nothing of it is open any more" in biller.get(path).html
    assert opened(database, business.first.id) == [0]
    assert_books_agree(database)


def test_an_objection_begins_on_its_invoice_and_comments_stay_in_its_history(business, signed, database):
    desk = signed("customer_service")
    invoice = business.first.id
    assert f"/invoices/{invoice}/dispute" in desk.get(f"/invoices/{invoice}").html
    desk.get(f"/invoices/{invoice}/dispute")
    page = send(desk, f"/invoices/{invoice}/dispute", reason="price", line="0", amount="24.00", note="9.00 was agreed")
    ((dispute, state, minor, _, role, _),) = disputes(database)
    assert (state, minor, role) == ("disputed", 2_400, "billing")
    page = desk.post(f"/disputes/{dispute}", {"text": "They send the quote"})
    assert "They send the quote" in page.html
    assert desk.post(f"/disputes/{dispute}", {"text": ""}, status=422)
    desk.get(f"/disputes/{dispute}/hand-over")
    page = desk.post(f"/disputes/{dispute}/hand-over", {"role": "finance", "person": "nobody@x.yz"}, status=422)
    assert "Nobody signs in by this name" in page.html
    desk.post(f"/disputes/{dispute}/hand-over", {"role": "finance", "reason": "a tax"})
    assert disputes(database)[0][4] == "finance"


def test_several_are_handed_over_at_once_and_those_that_are_over_say_why_not(business, signed, database):
    desk = signed("billing")
    _, over = paid_short(business, business.first, 12_000 - 50)
    one, two = objected(business, business.second, 1_000), objected(business, business.second, 2_000)
    desk.get("/disputes?state=any")
    assert "Choose at least one" in desk.post("/disputes", {"role": "finance"}, status=422).html
    assert "Say who looks after them" in desk.post("/disputes", {"dispute": [one]}, status=422).html
    page = desk.post(
        "/disputes", {"dispute": [one, two, over], "person": desk.who.sign_in, "due_on": "2026-03-04"}, status=422
    )
    assert "2 of 3 handed over" in page.html
    assert "is settled, so nobody needs to look after it" in page.html
    assert [row[5] for row in disputes(database)] == [None, desk.who.id, desk.who.id]
    lines = desk.client.get("/disputes.csv?mine=1").get_data(as_text=True).splitlines()
    assert [line.count("DP-") for line in lines] == [0, 1, 1]


def test_who_may_not_work_on_them_sees_them_and_is_not_offered_what_is_closed(business, signed):
    dispute = objected(business, business.first, 1_000)
    looker = signed("auditor")
    assert "your role may not" in looker.get(f"/disputes/{dispute}").html.lower()
    looker.get(f"/disputes/{dispute}/settle", status=403)
    looker.get("/account")
    looker.post("/disputes", {"dispute": [dispute], "role": "finance"}, status=403)
    assert "Route the reason" not in looker.get("/disputes/reasons").html


def test_a_reason_is_routed_by_finance(business, signed, database):
    assert business
    boss = signed("finance")
    boss.get("/disputes/reasons")
    fields = {"code": "pallets", "title": "Pallets", "role": "site_lead", "due_days": "4", "fault": "undecided"}
    assert "Nobody signs in" in boss.post("/disputes/reasons", {**fields, "person": "x@y.z"}, status=422).html
    page = boss.post("/disputes/reasons", {**fields, "role": "billing"})
    assert "Pallets" in page.html
    with reading(database) as session:
        row = session.execute(text("SELECT owner_role, due_days FROM dispute_reason WHERE code = 'pallets'")).one()
    assert tuple(row) == ("billing", 4)
