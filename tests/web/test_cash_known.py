"""An entry of the bank whose money was typed before, on the desk and for programs: that receipt, or another one with a reason."""

from __future__ import annotations

import pytest

from erpcore.billing.bank import add_bank_account
from erpcore.billing.cash import ReceiveCash
from erpcore.billing.cash_typed import RecordReceipt, record_receipt
from tests.support.bankdesk import hand_in
from tests.support.bankfiles import IBAN, camt, entry
from tests.support.cash import business, send, site
from tests.support.controls import assert_books_agree
from tests.support.queries import MOST, queries
from tests.support.rows import rows
from tests.support.web import Browser, a_person, a_token

__all__ = ["business", "site"]


@pytest.fixture
def typed(business, database):
    """120.00 of the first invoice, typed; the bank brings it twice, once named and once not."""
    with business.work() as work:
        business.bank = add_bank_account(work, business.entity, number=IBAN, name="House bank")
        command = ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=12_000)
        business.receipt = record_receipt(work, RecordReceipt(receipt=command))
    ((number,),) = rows(database, f"SELECT number FROM invoice WHERE id = {business.first.id}")
    hand_in(
        business,
        camt(entry("120.00", text=f"Rg {number}", name="Bautechnik"), entry("120.00", ref="B2"), closing="240.00"),
    )
    business.named, business.other = (key for (key,) in rows(database, "SELECT id FROM bank_line ORDER BY line_no"))
    return business


@pytest.fixture
def finance(site, database, clock):
    browser = Browser(site)
    browser.sign_in(a_person(database, "finance", clock=clock))
    return browser


def test_the_desk_says_so_and_one_press_makes_it_that_receipt(finance, database, typed):
    with queries(database) as ran:
        page = finance.get("/cash")
    assert len(ran) <= MOST
    assert f"Receipt RC-{typed.receipt} is of the same customer and amount" in page.text
    page = send(finance, "/cash/accept-sure", percent=99)
    assert "0 entries accepted" in page.text
    with queries(database) as ran:
        page = finance.get(f"/cash/lines/{typed.named}")
    assert len(ran) <= MOST
    assert f"It is receipt RC-{typed.receipt}" in page.text
    page = send(finance, f"/cash/lines/{typed.named}/same-receipt", receipt=typed.receipt)
    assert "its money is in the books once" in page.text
    assert "Typed before" not in page.text
    assert rows(database, "SELECT COUNT(*) FROM receipt") == [(1,)]
    assert_books_agree(database)


def test_whose_it_is_may_be_said_by_hand_and_a_reason_assigns_it(finance, database, typed):
    with typed.work() as work:
        command = ReceiveCash(entity=typed.entity, customer=typed.customer, amount_minor=7_700)
        receipt = record_receipt(work, RecordReceipt(receipt=command))
    hand_in(typed, camt(entry("77.00", ref="B3"), opening="240.00", closing="317.00", name="2"), "2.xml")
    ((line,),) = rows(database, "SELECT id FROM bank_line WHERE amount_minor = 7700")
    here = f"/cash/lines/{line}"
    assert "Typed before?" not in finance.get(here).text, "nobody knows yet whose it is"
    page = send(finance, here, status=422, customer="10482", fee="", difference="")
    assert f"receipt RC-{receipt} is of the same customer" in page.text
    assert f"It is receipt RC-{receipt}" in page.text
    page = send(finance, here, customer="10482", fee="", difference="", again="a second order of the same amount")
    assert "The entry is assigned" in page.text
    assert rows(database, "SELECT COUNT(*) FROM receipt") == [(3,)]
    banked = rows(database, "SELECT MAX(id) FROM receipt")[0][0]
    finance.get(f"/cash/lines/{typed.named}")
    page = send(finance, f"/cash/lines/{typed.named}/same-receipt", status=422, receipt=banked)
    assert "has its entry already" in page.text
    assert_books_agree(database)


def test_programs_have_both_ways(site, database, clock, typed):
    token = a_token(database, a_person(database, "finance", clock=clock), "finance", clock=clock)

    def call(method, path, body=None):
        return site.test_client().open(
            f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {token}"}
        )

    found = call("GET", f"/cash-desk?entity={typed.entity}").json["items"]
    assert [one["typed_receipt_id"] for one in found] == [typed.receipt, None]
    assert call("POST", "/cash-desk/accept", {"entity": typed.entity, "percent": 95}).json == {"receipts": []}
    refused = call("POST", f"/bank-lines/{typed.other}/assign", {"customer": typed.customer})
    assert (refused.status_code, refused.json["code"]) == (422, "line_typed_before")
    same = call("POST", f"/bank-lines/{typed.named}/same-receipt", {"receipt": typed.receipt})
    assert (same.status_code, same.json) == (200, {"receipt": typed.receipt})
    twice = call("POST", f"/bank-lines/{typed.other}/same-receipt", {"receipt": typed.receipt})
    assert (twice.status_code, twice.json["code"]) == (422, "receipt_not_typed")
    assert call("POST", f"/bank-lines/{typed.other}/assign", {"customer": typed.customer}).status_code == 200
    assert_books_agree(database)
