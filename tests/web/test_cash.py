"""The cash desk's pages and its API: receipts and credit memos applied, taken back, gone back to the bank."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.billing.credits import CreditInvoice, credit_invoices
from tests.support.cash import business, send, site
from tests.support.controls import assert_books_agree
from tests.support.queries import MOST, queries
from tests.support.web import Browser, a_person, a_token

__all__ = ["business", "site"]


@pytest.fixture
def clerk(site, database, clock):
    browser = Browser(site)
    browser.sign_in(a_person(database, "collections", clock=clock))
    return browser


@pytest.fixture
def calls(site, database, clock):
    token = a_token(database, a_person(database, "finance", clock=clock), "finance", clock=clock)
    head = {"Authorization": f"Bearer {token}"}

    def call(path, body=None, **more):
        client, address = site.test_client(), f"/api/v1{path}"
        return (
            client.get(address, headers=head)
            if body is None
            else client.post(address, json=body, headers={**head, **more})
        )

    return call


def opened(database, *documents):
    with reading(database) as session:
        found = dict(session.execute(text("SELECT document_id, open_minor FROM receivable")).all())
    return [found[one] for one in documents]


def memo_of(business, invoice):
    with business.work() as work:
        command = CreditInvoice(
            invoice=invoice.id, order_line=invoice.lines[0].order_line_id, quantity=Decimal(5), unit_price=Decimal(1),
            reason="dented", fault="ours",
        )  # fmt: skip
        return credit_invoices(work, [command])[0]


def test_a_receipt_is_taken_applied_taken_back_and_goes_back(clerk, database, business):
    clerk.get("/receipts/new")
    send(clerk, "/receipts/new", entity=business.entity, customer="10482", amount="150.00", fee="2.50", reference="R 7")
    here = clerk.path
    with queries(database) as ran:
        page = clerk.get(here)
    assert len(ran) <= MOST
    assert "Looked after by" in page.text
    assert "2.50 EUR" in page.text
    send(clerk, f"{here}/apply", **{f"invoice_{business.first.id}": "120.00", f"invoice_{business.second.id}": "30.00"})
    assert opened(database, business.first.id, business.second.id) == [0, 3_000]
    (first, _) = [link for link in clerk.page.links() if link.endswith("/reverse")]
    clerk.get(first)
    send(clerk, first, reason="", status=422)
    assert opened(database, business.first.id) == [0]
    page = send(clerk, first, reason="paid for the other shop")
    assert "taken back: paid for the other shop" in page.text
    assert opened(database, business.first.id, business.second.id) == [12_000, 3_000]
    back = f"{here}/return"
    clerk.get(back)
    send(clerk, back, amount="150.01", fee="", reason="closed", status=422)
    page = send(clerk, back, amount="140.00", fee="3.00", reason="account closed")
    assert "Gone back to the bank" in page.text
    assert opened(database, business.first.id, business.second.id) == [12_000, 6_000]
    assert "receipt, taken back" in clerk.get(f"/invoices/{business.first.id}").text
    assert_books_agree(database)


def test_somebody_else_takes_a_receipt_over(clerk, calls, database, business):
    made = calls("/receipts", {"entity": business.entity, "customer": business.customer, "amount": "5.00"}).json
    page = clerk.get(f"/receipts/{made['id']}")
    assert "Kim Example" in page.text
    page = send(clerk, f"/receipts/{made['id']}/take-over")
    assert "You look after this receipt now" in page.text
    with reading(database) as session:
        moves = session.execute(text("SELECT move FROM transition WHERE document_type = 'receipt'")).scalars().all()
    assert moves == ["hand_over"]


def test_a_credit_memo_is_set_against_invoices_on_its_page(clerk, database, business):
    memo = memo_of(business, business.first)
    with queries(database) as ran:
        page = clerk.get(f"/credit-memos/{memo}")
    assert len(ran) <= MOST
    assert "6.00 EUR given back, 6.00 EUR not applied" in page.text
    send(clerk, f"/credit-memos/{memo}/apply", status=422, **{f"invoice_{business.first.id}": "6.01"})
    assert opened(database, business.first.id, memo) == [12_000, -600]
    send(
        clerk,
        f"/credit-memos/{memo}/apply",
        **{f"invoice_{business.first.id}": "4.00", f"invoice_{business.second.id}": "2.00"},
    )
    assert opened(database, business.first.id, business.second.id, memo) == [11_600, 5_800, 0]
    (link, _) = [link for link in clerk.page.links() if link.endswith("/reverse")]
    clerk.get(link)
    send(clerk, link, reason="the other invoice")
    assert opened(database, business.first.id, memo) == [12_000, -400]
    assert "credit memo, taken back" in clerk.get(f"/invoices/{business.first.id}").text
    assert_books_agree(database)


def test_programs_do_the_same_and_the_same_key_does_it_once(calls, database, business):
    made = calls(
        "/receipts", {"entity": business.entity, "customer": business.customer, "amount": "150.00", "fee": "1.00"}
    ).json
    asked = {"applications": [{"invoice": business.first.id, "amount": "70.00"}]}
    for _ in range(2):
        answer = calls(f"/receipts/{made['id']}/apply", asked, **{"Idempotency-Key": "till-0004-2026"})
        assert answer.status_code == 200
    assert opened(database, business.first.id) == [5_000]
    detail = calls(f"/receipts/{made['id']}").json
    assert (detail["fee"], detail["receipt"]["left"]) == ("1.00", "80.00")
    (one,) = detail["applications"]
    reverse = f"/receipts/{made['id']}/applications/{one['id']}/reverse"
    assert calls(reverse, {"reason": "wrong"}).json["receipt"]["left"] == "150.00"
    assert calls(reverse, {"reason": "wrong"}).json["code"] == "application_reversed"
    assert calls(f"/receipts/{made['id']}/applications/7/reverse", {"reason": "wrong"}).status_code == 404
    assert (
        calls(f"/receipts/{made['id']}/return", {"reason": "closed", "amount": "999"}).json["code"]
        == "returned_too_much"
    )
    assert calls(f"/receipts/{made['id']}/return", {"reason": "closed"}).json["returned"] == "150.00"
    memo = memo_of(business, business.first)
    given = calls(
        f"/credit-memos/{memo}/apply", {"applications": [{"invoice": business.second.id, "amount": "6.00"}]}
    ).json
    assert (given["left"], given["applications"][0]["amount"]) == ("0.00", "6.00")
    key = given["applications"][0]["id"]
    assert calls(f"/credit-memos/{memo}/applications/{key}/reverse", {"reason": "wrong"}).json["left"] == "6.00"
    assert calls(f"/credit-memos/{memo}").json["left"] == "6.00"
    assert_books_agree(database)
