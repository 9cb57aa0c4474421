"""Bills of carriers on their pages and through the interface for programs: handed in, decided on, posted, reversed."""

from __future__ import annotations

import io

import pytest

from tests.support.carrier_bills import a_sender, line_ids, rows, sent, sums, take
from tests.support.cash import send
from tests.support.controls import assert_books_agree
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.web import Browser, a_person, a_site, a_token


@pytest.fixture
def business(database, clock):
    made = a_sender(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    made.first, made.second = sent(made, "0034-1"), sent(made, "0034-2")
    return made


@pytest.fixture
def site(database, business, tmp_path, clock):
    return a_site(database, tmp_path, clock)


def signed_in(site, database, role, clock):
    browser = Browser(site)
    browser.sign_in(a_person(database, role, clock=clock))
    return browser


def test_a_bill_is_handed_in_decided_on_and_approved_by_somebody_else(site, database, business, clock):
    clerk, finance = (signed_in(site, database, role, clock) for role in ("billing", "finance"))
    new, head = "/carrier-bills/new", {"carrier": business.carrier, "site": business.site, "number": "FR-1"}
    head |= {"billed_on": "2026-03-02", "due_on": "2026-04-01", "total": "17.85"}
    clerk.get(new)
    assert "Choose the carrier’s file, or enter the lines" in send(clerk, new, status=422, **head).text
    page = send(clerk, new, status=422, **head, lines="0034-1 6.96")
    assert "“0034-1 6.96” is not said as it has to be" in page.text
    lines = "0034-1; 6.96; 1.32\n0034-9; 8.04; 1.53; island"
    page = send(clerk, new, **head | {"total": "18.00"}, lines=lines)
    assert "the total says 18.00, the lines make 17.85" in page.text
    clerk.get(new)
    page = send(clerk, new, **head, lines=lines)
    assert "Nothing is posted yet" in page.text
    assert "1 line not as expected" in page.text
    assert "We have no shipment 0034-9." in page.text
    assert "Accept line" not in page.html, "who hands in does not decide"
    clerk.get(new)
    page = send(clerk, new, status=422, **head, lines=lines)
    assert "This bill was taken before as FR-1" in page.text
    (bill,) = rows(business, "SELECT id FROM carrier_bill WHERE state = 'received'")[0]
    here, line = f"/carrier-bills/{bill}", line_ids(business, bill)[1]
    with queries(database) as ran:
        page = finance.get(here)
    assert len(ran) <= MOST
    assert "A line waits for somebody’s word." in page.text
    choose = f"/carrier-bills/lines/{line}/shipment"
    clerk.get(choose)
    assert "There is no shipment X-1 of this company" in send(clerk, choose, status=422, number="X-1").text
    page = send(clerk, choose, number=business.second.number)
    assert "1.08 EUR more than the 6.96 EUR expected" in page.text
    accept = f"/carrier-bills/lines/{line}/accept"
    finance.get(accept)
    assert "Say why" in send(finance, accept, status=422, reason="").text
    page = send(finance, accept, reason="it went to an island")
    assert "Accepted: it went to an island" in page.text
    page = send(finance, f"{here}/post", status=409, version=1)
    assert "changed" in page.text
    finance.get(here)
    (version,) = rows(business, "SELECT version FROM carrier_bill WHERE state = 'received'")[0]
    page = send(finance, f"{here}/post", version=version)
    assert "The bill is in the books" in page.text
    assert sums(business) == {"freight": 1_500, "input_tax": 285, "payable": -1_785}
    assert finance.client.get(f"{here}.csv").text.count("\n") == 3
    listed = finance.get("/carrier-bills?state=posted").text
    assert "FR-1" in listed
    assert "17.85" in listed
    reverse = f"{here}/reverse"
    finance.get(reverse)
    page = send(finance, reverse, reason="billed for another company")
    assert "Out of the books again" in page.text
    assert sums(business) == {}
    assert_books_agree(database)


def test_a_file_is_read_and_a_bill_that_is_wrong_altogether_goes_back(site, database, business, clock):
    finance = signed_in(site, database, "finance", clock)
    new = "/carrier-bills/new"
    content = b"shipment;amount;tax;text\n0034-1;9,00;1,71;\n0034-2;9,00;1,71;\n"
    finance.get(new)
    page = send(
        finance, new, carrier=business.carrier, site=business.site, number="FR-2", billed_on="2026-03-02", total="21.42",
        file=(io.BytesIO(content), "dhl.csv"),
    )  # fmt: skip
    assert "2 lines not as expected" in page.text
    assert "You handed it in, so somebody else has to approve it." in page.text
    (bill,) = rows(business, "SELECT id FROM carrier_bill")[0]
    refuse = f"/carrier-bills/{bill}/refuse"
    finance.get(refuse)
    page = send(finance, refuse, reason="the tariff of last year")
    assert "Refused, and nothing moved" in page.text
    assert "The tariff of last year" in page.text
    assert rows(business, "SELECT state FROM carrier_bill") == [("refused",)]
    buyer = signed_in(site, database, "buyer", clock)
    buyer.get(new, status=403)
    buyer.get(f"/carrier-bills/{bill}")


def test_a_line_that_is_not_as_expected_is_an_exception_of_finance(site, database, business, clock):
    bill, _ = take(business, ["0034-1; 12.00", "0034-2; 6.96"], "FR-3")
    finance = signed_in(site, database, "finance", clock)
    page = finance.get("/exceptions?queue=variance")
    assert "FR-3" in page.text
    assert "Accept or decline it" in page.text
    assert "5.04 EUR more than the 6.96 EUR expected" in page.text
    decline = f"/carrier-bills/lines/{line_ids(business, bill)[0]}/decline"
    finance.get(decline)
    page = send(finance, decline, reason="the tariff says 6.96")
    assert "Declined: the tariff says 6.96" in page.text
    assert "FR-3" not in finance.get("/exceptions?queue=variance").text


def test_programs_do_what_pages_do(site, database, business, clock):
    tokens = {
        role: a_token(database, a_person(database, role, clock=clock), role, clock=clock)
        for role in ("billing", "finance")
    }

    def call(method, path, body=None, version=None, who="finance", **more):
        headers = {"Authorization": f"Bearer {tokens[who]}"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return site.test_client().open(f"/api/v1{path}", method=method, json=body, headers=headers, **more)

    head = {"carrier": business.carrier, "site": business.site, "number": "FR-1", "billed_on": "2026-03-02"}
    lines = [{"shipment": "0034-1", "amount": "6.96", "tax": "1.32"}, {"shipment": "?", "amount": "7.00"}]
    refused = call("POST", "/carrier-bills", head | {"total": "15.28", "lines": [{"amount": "1.234"}]}, who="billing")
    assert (refused.status_code, refused.json["pointer"]) == (422, "/lines/0/amount"), refused.json
    made = call("POST", "/carrier-bills", head | {"total": "15.28", "lines": lines}, who="billing")
    assert made.status_code == 201, made.json
    assert [one["result"] for one in made.json["lines"]] == ["matched", "unknown"]
    assert (made.json["gross"], made.json["payable"], made.json["open_lines"]) == ("15.28", "0.00", 1)
    bill, line = f"/carrier-bills/{made.json['id']}", made.json["lines"][1]["id"]
    of = f"/carrier-bill-lines/{line}"
    assert call("POST", f"{of}/accept", {"reason": "x"}, who="billing").status_code == 403
    named = call("POST", f"{of}/shipment", {"shipment": business.second.id}, who="billing")
    assert named.json["lines"][1]["explanation"] == "0.04 EUR more than the 6.96 EUR expected, within 5 %."
    assert call("POST", f"{bill}/post", version=1).status_code == 412
    matched = call("POST", f"{bill}/match", version=2, who="billing")
    assert matched.json["version"] == 3
    declined = call("POST", f"{of}/decline", {"reason": "not ours"})
    assert declined.json["lines"][1]["decision"] == "declined"
    assert call("POST", f"{of}/accept", {"reason": "x"}).status_code == 422
    posted = call("POST", f"{bill}/post", version=4)
    assert (posted.status_code, posted.json["state"], posted.json["payable"]) == (200, "posted", "8.28"), posted.json
    assert [one["owed"] for one in posted.json["lines"]] == ["8.28", "0.00"]
    listed = call("GET", f"/carrier-bills?shipment={business.first.id}&state=posted").json["items"]
    assert [one["number"] for one in listed] == ["FR-1"]
    assert call("GET", bill).json["expected"] == "13.92"
    back = call("POST", f"{bill}/reverse", {"reason": "wrong company"}, version=5)
    assert (back.status_code, back.json["state"], back.json["payable"]) == (200, "reversed", "0.00")
    asked = f"/carrier-bills/files?carrier={business.carrier}&site={business.site}&number=FR-2&billed_on=2026-03-02"
    filed = call("POST", f"{asked}&total=9.00&file_name=d.csv", data=b"shipment,amount\n0034-1,9.00\n", who="billing")
    assert (filed.status_code, filed.json["open_lines"]) == (201, 1), filed.json
    gone = call("POST", f"/carrier-bills/{filed.json['id']}/refuse", {"reason": "too dear"}, version=1)
    assert (gone.json["state"], gone.json["fault"]) == ("refused", "too dear")
    assert call("GET", "/carrier-bills/1").status_code == 404
    assert_books_agree(database)
