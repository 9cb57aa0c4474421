"""The cash desk: a statement handed in, what is proposed, accepted, assigned, returned and booked as a fee; and its API."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from app.web.billing.desk import became
from erpcore.billing.bank import Taken
from erpcore.billing.cash import ReceiveCash, receive_cash
from erpcore.billing.credits import CreditInvoice, credit_invoices
from tests.support.bankfiles import IBAN, camt, entry
from tests.support.cash import business, send, site
from tests.support.controls import assert_books_agree
from tests.support.queries import MOST, queries
from tests.support.web import Browser, a_person, a_token

__all__ = ["business", "site"]


@pytest.fixture
def finance(site, database, clock):
    browser = Browser(site)
    browser.sign_in(a_person(database, "finance", clock=clock))
    return browser


def all_rows(database, sql):
    with reading(database) as session:
        return [tuple(row) for row in session.execute(text(sql))]


def number_of(database, invoice):
    return all_rows(database, f"SELECT number FROM invoice WHERE id = {invoice.id}")[0][0]


def test_a_statement_is_handed_in_and_every_entry_finds_its_place(finance, database, business):
    assert "No bank account yet" in finance.get("/cash/statements/new").text
    finance.get("/cash/accounts/new")
    send(finance, "/cash/accounts/new", entity=business.entity, number=IBAN, name="House bank")
    content = camt(
        entry("120.00", text=f"Rg {number_of(database, business.first)}", name="Bautechnik"), entry("58.50", payer="DE22", name="B. T."),
        entry("4.50", debit=True, text="Entgelt"), entry("120.00", debit=True, returned="AC04", text="closed"), closing="54.00",
    )  # fmt: skip
    (account,) = all_rows(database, "SELECT id FROM bank_account")[0]
    new = "/cash/statements/new"
    broken = {"account": account, "file": (io.BytesIO(content.replace(b"2026-03-02", b"2026-02-30")), "day.xml")}
    finance.get(new)
    page = send(finance, new, **broken)
    assert "Refused, and nothing moved" in page.text
    finance.get(new)
    page = send(finance, new, account=account, file=(io.BytesIO(content), "day.xml"))
    assert "Accepted: 4 new entries" in page.text
    finance.get(new)
    page = send(finance, new, account=account, file=(io.BytesIO(content), "day.xml"), status=422)
    assert "was accepted before" in page.text
    with queries(database) as ran:
        page = finance.get("/cash")
    assert len(ran) <= MOST
    assert "99 % · Bautechnik" in page.text
    assert "4 entries of the bank waiting" in page.text
    send(finance, "/cash/accept-sure", status=422, percent=50)
    finance.get("/cash")
    page = send(finance, "/cash/accept-sure", percent=99)
    assert "1 entries accepted" in page.text
    (line, fee, back) = [
        row[0] for row in all_rows(database, "SELECT id FROM bank_line WHERE state = 'open' ORDER BY id")
    ]
    here = f"/cash/lines/{line}?customer={business.customer}"
    with queries(database) as ran:
        finance.get(here)
    assert len(ran) <= MOST
    send(finance, here, status=422, customer="nobody")
    send(
        finance, here, customer="10482", remember="y", fee="1.50", difference="",
        **{f"invoice_{business.second.id}": "60.00"},
    )  # fmt: skip
    assert all_rows(database, "SELECT payer_account FROM bank_payer") == [("DE22",)]
    finance.get("/cash")
    send(finance, f"/cash/lines/{fee}/fee")
    finance.get(f"/cash/lines/{back}/return")
    (receipt,) = all_rows(database, "SELECT id FROM receipt WHERE amount_minor = 12000")[0]
    page = send(finance, f"/cash/lines/{back}/return", receipt=receipt, reason="account closed", fee="")
    assert "Nothing waits" in page.text
    assert all_rows(database, "SELECT open_minor FROM receivable ORDER BY document_id") == [(12_000,), (0,)]
    (statement,) = all_rows(database, "SELECT id FROM bank_statement WHERE state = 'accepted'")[0]
    assert "a fee of the bank" in finance.get(f"/cash/statements/{statement}").text
    assert_books_agree(database)


def test_what_is_said_of_a_file_names_the_statement_that_was_refused():
    good, bad = Taken(1, "", 2, 1), Taken(2, "a balance is missing", 0, 0)
    assert became([good, good]) == "Accepted: 4 new entries, 2 known from before."
    assert became([bad]) == "Refused, and nothing moved: a balance is missing."
    said = "1 of 2 statements refused: a balance is missing. Accepted: 2 new entries, 1 known from before."
    assert became([bad, good]) == said


def test_the_columns_of_a_table_are_said_once_and_it_is_read_by_them(finance, database, business):
    finance.get("/cash/accounts/new")
    send(finance, "/cash/accounts/new", entity=business.entity, number=IBAN, name="House bank")
    (account,) = all_rows(database, "SELECT id FROM bank_account")[0]
    content = "Datum;Betrag;Zweck\n02.03.2026;60,00;danke\n".encode("cp1252")
    finance.get("/cash/statements/new")
    page = send(finance, "/cash/statements/new", status=422, account=account, file=(io.BytesIO(content), "day.csv"))
    assert "nobody has said how tables" in page.text
    here = f"/cash/accounts/{account}/mapping"
    finance.get(here)
    send(finance, here, delimiter=";", decimal=",", day_form="28.02.2026", day="Datum", amount="Betrag", text="Zweck")
    finance.get("/cash/statements/new")
    page = send(
        finance, "/cash/statements/new", account=account, file=(io.BytesIO(content), "day.csv"), opening="1.00",
        closing="61.00",
    )  # fmt: skip
    assert "Accepted: 1 new entry" in page.text
    finance.get("/cash")
    (line,) = all_rows(database, "SELECT id FROM bank_line")[0]
    shown = next(
        part.attributes["value"] for part in finance.page.root.find("input") if part.attributes.get("name") == "shown"
    )
    send(finance, "/cash/accept", status=409, shown=f"{line}:wrong", line=line)
    finance.get("/cash")
    send(finance, "/cash/accept", shown=shown, line=line)
    assert all_rows(database, "SELECT open_minor FROM receivable ORDER BY document_id") == [(12_000,), (0,)]
    assert_books_agree(database)


def test_programs_hand_in_look_and_accept(site, database, business, clock):
    token = a_token(database, a_person(database, "finance", clock=clock), "finance", clock=clock)
    head, client = {"Authorization": f"Bearer {token}"}, site.test_client()

    def call(path, body=None, **more):
        if body is None:
            return client.get(f"/api/v1{path}", headers=head)
        return client.post(f"/api/v1{path}", headers={**head, **more}, **body)

    made = call("/bank-accounts", {"json": {"entity": business.entity, "number": IBAN, "name": "House bank"}}).json
    content = camt(entry("60.00", text="a"), entry("7.00", text="b"), closing="67.00")
    asked = f"/bank-statements?entity={business.entity}&account={made['id']}&file_name=day.xml"
    answer = call(asked, {"data": content, "content_type": "application/octet-stream"})
    assert answer.status_code == 201, answer.text
    assert [line["state"] for line in answer.json["lines"]] == ["open", "open"]
    assert call(asked, {"data": content, "content_type": "application/octet-stream"}).json["code"] == "bank_file_twice"
    bad = call(asked, {"data": content.replace(b"67.00", b"68.00"), "content_type": "application/octet-stream"}).json
    assert (bad["state"], bad["lines"][0]["state"]) == ("refused", "rejected")
    first, second = call(f"/cash-desk?entity={business.entity}").json["items"]
    assert (first["confidence"], second["confidence"]) == (45, 0)
    chosen = {"entity": business.entity, "chosen": [{"line": first["line"], "token": first["token"]}]}
    assert len(call("/cash-desk/accept", {"json": chosen}).json["receipts"]) == 1
    assigned = call(
        f"/bank-lines/{second['line']}/assign",
        {"json": {"customer": business.customer, "parts": [{"invoice": business.first.id, "amount": "5.00"}]}},
    )
    assert len(assigned.json["receipts"]) == 1
    assert call(f"/bank-lines/{second['line']}/assign", {"json": {"customer": business.customer}}).status_code == 404
    assert call(f"/bank-statements/{answer.json['id']}").json["lines"][1]["outcome"] == "receipt"
    assert all_rows(database, "SELECT open_minor FROM receivable ORDER BY document_id") == [(11_500,), (0,)]
    assert_books_agree(database)


def test_a_long_statement_comes_in_pages_and_whole_as_a_file_and_a_receipt_is_found_among_many(
    finance, database, business, monkeypatch
):
    monkeypatch.setattr("app.queries.bank_statements.MOST_LINES", 2)
    monkeypatch.setattr("app.queries.cash_desk.MOST_RECEIPTS", 1)
    finance.get("/cash/accounts/new")
    send(finance, "/cash/accounts/new", entity=business.entity, number=IBAN, name="House bank")
    (account,) = all_rows(database, "SELECT id FROM bank_account")[0]
    content = camt(
        *(entry(f"{at}.00", text=f"entry {at}", name="B. T.") for at in (1, 2, 3, 4)),
        entry("2.00", debit=True, returned="AC04", text="closed"), closing="8.00",
    )  # fmt: skip
    finance.get("/cash/statements/new")
    page = send(finance, "/cash/statements/new", account=account, file=(io.BytesIO(content), "day.xml"))
    assert "Accepted: 5 new entries" in page.text
    here = finance.path
    assert ("entry 2" in page.text, "entry 3" in page.text) == (True, False)
    assert "entry 3" in finance.get(f"{here}?page=2").text
    finance.get(f"{here}.csv")
    assert all(f"entry {at}" in finance.response.get_data(as_text=True) for at in (1, 2, 3, 4))
    with business.work() as work:
        receive_cash(
            work,
            [
                ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=minor, reference=said)
                for minor, said in ((200, "near"), (900, "far"))
            ],
        )
    (line,) = all_rows(database, "SELECT id FROM bank_line WHERE amount_minor < 0")[0]
    back = f"/cash/lines/{line}/return"
    page = finance.get(back)
    assert "There are more" in page.text
    (near, far) = (row[0] for row in all_rows(database, "SELECT number FROM receipt ORDER BY amount_minor"))
    assert (near in page.text, far in page.text) == (True, False)
    page = finance.get(f"{back}?q=FAR")
    assert (near in page.text, far in page.text) == (False, True)
    (receipt,) = all_rows(database, "SELECT id FROM receipt WHERE amount_minor = 900")[0]
    finance.post(f"{back}?q=FAR", {"receipt": str(receipt), "reason": "closed"})
    assert all_rows(database, "SELECT returned_minor FROM receipt ORDER BY amount_minor") == [(0,), (200,)]
    assert_books_agree(database)


def test_a_credit_memo_that_was_deducted_is_shown_set_against_or_left_by_a_person_and_by_programs(
    finance, site, database, business, clock
):
    memos = [deducted(business, 5), deducted(business, 5)]
    finance.get("/cash/accounts/new")
    send(finance, "/cash/accounts/new", entity=business.entity, number=IBAN, name="House bank")
    (account,) = all_rows(database, "SELECT id FROM bank_account")[0]
    content = camt(entry("108.00", text=f"Rg {number_of(database, business.first)}"), closing="108.00")
    finance.get("/cash/statements/new")
    send(finance, "/cash/statements/new", account=account, file=(io.BytesIO(content), "day.xml"))
    with queries(database) as ran:
        page = finance.get("/cash").text
    assert len(ran) <= MOST
    assert "less CRN-2026-000001, CRN-2026-000002." in page
    assert page.count("set against INV-2026-000001") == 2
    (line,) = all_rows(database, "SELECT id FROM bank_line")[0]
    here = f"/cash/lines/{line}?customer={business.customer}"
    assert "6.00 of CRN-2026-000001 against INV-2026-000001" in finance.get(here).text
    token = a_token(database, a_person(database, "finance", clock=clock), "finance", clock=clock)
    head, client = {"Authorization": f"Bearer {token}"}, site.test_client()
    (found,) = client.get(f"/api/v1/cash-desk?entity={business.entity}", headers=head).json["items"]
    assert [(one["credit_memo"], one["invoice"], one["amount"]) for one in found["credits"]] == [
        ("CRN-2026-000001", "INV-2026-000001", "6.00"), ("CRN-2026-000002", "INV-2026-000001", "6.00"),
    ]  # fmt: skip
    body = {
        "customer": business.customer, "parts": [{"invoice": business.first.id, "amount": "108.00"}],
        "credits": [{"credit_memo": memos[0], "invoice": business.first.id, "amount": "6.01"}],
    }  # fmt: skip
    refused = client.post(f"/api/v1/bank-lines/{line}/assign", headers=head, json=body)
    assert (refused.status_code, refused.json["code"]) == (422, "credit_applied_too_much")
    send(finance, here, customer="10482", **{f"invoice_{business.first.id}": "108.00"})
    opened = "SELECT open_minor FROM receivable WHERE document_type = 'credit_memo' ORDER BY document_id"
    assert all_rows(database, opened) == [(-600,), (-600,)], "not ticked, nothing is set against it"
    assert_books_agree(database)


def deducted(business, quantity):
    with business.work() as work:
        command = CreditInvoice(
            invoice=business.first.id, order_line=business.first.lines[0].order_line_id, quantity=Decimal(quantity),
            unit_price=Decimal("1.00"), reason="dented", fault="ours",
        )  # fmt: skip
        return credit_invoices(work, [command])[0]
