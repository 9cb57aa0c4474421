"""Payouts of partners on their pages and through the interface for programs: handed in, looked at, posted, settled, paid."""

from __future__ import annotations

import io

import pytest

from tests.support.bankfiles import IBAN, camt, entry
from tests.support.cash import send
from tests.support.controls import assert_books_agree
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.settlement import a_market, hand_in, payout_file, rows, sold, sums
from tests.support.web import Browser, a_person, a_site, a_token

MAPPING = {
    "delimiter": ";", "decimal": ",", "day_form": "2026-02-28", "day": "Date", "kind": "Type", "order": "Order", "amount": "Amount",
    "tax": "Tax", "currency": "Currency", "text": "Text",
}  # fmt: skip
KINDS = "Order = sale\nRefund = refund\nCommission = fee\nCorrection = adjustment"
CONTENT = payout_file(
    ("Order", "B-1", "120,00"), ("Order", "1-B", "60,00"), ("Commission", "", "-25,60"), ("Correction", "", "3,00")
)


@pytest.fixture
def business(database, clock):
    made = a_market(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    made.first, made.second = sold(made, "B-1"), sold(made, "B-2", 5)
    return made


@pytest.fixture
def site(database, business, tmp_path, clock):
    return a_site(database, tmp_path, clock)


@pytest.fixture
def finance(site, database, clock):
    browser = Browser(site)
    browser.sign_in(a_person(database, "finance", clock=clock))
    return browser


def number_of(business, invoice):
    return rows(business, f"SELECT number FROM invoice WHERE id = {invoice.id}")[0][0]


def test_a_payout_is_handed_in_looked_at_posted_and_its_differences_settled(finance, database, business):
    mapping = f"/settlement-partners/{business.partner}/mapping"
    finance.get(mapping)
    page = send(finance, mapping, status=422, **MAPPING, kinds="Order is sale")
    assert "“Order is sale” is not said as it has to be" in page.text
    send(finance, mapping, **MAPPING, kinds=KINDS)
    new = "/partner-payouts/new"
    page = send(
        finance, new, partner=business.partner, reference="P-1", file=(io.BytesIO(CONTENT), "p.csv"), total="100.00"
    )
    assert "the total says 100.00, the lines make 157.40" in page.text
    finance.get(new)
    page = send(
        finance, new, partner=business.partner, reference="P-1", file=(io.BytesIO(CONTENT), "p.csv"), total="157.40"
    )
    assert "Nothing is posted yet" in page.text
    assert "We have no order 1-B of this partner." in page.text
    assert "4.00 EUR more than the 12 %" in page.text
    (payout,) = rows(business, "SELECT id FROM settlement_payout WHERE state = 'received'")[0]
    sale, _, fee, good = (
        one[0] for one in rows(business, f"SELECT id FROM settlement_line WHERE payout_id = {payout} ORDER BY line_no")
    )
    other = rows(business, f"SELECT id FROM settlement_line WHERE payout_id = {payout} AND line_no = 2")[0][0]
    choose = f"/partner-payouts/lines/{other}/document"
    finance.get(choose)
    assert "There is no posted invoice X-1" in send(finance, choose, status=422, number="X-1").text
    page = send(finance, choose, number=number_of(business, business.second))
    assert "is matched to what you named" in page.text
    assert f"By hand: {number_of(business, business.second)}" in page.text
    here = f"/partner-payouts/{payout}"
    with queries(database) as ran:
        finance.get(here)
    assert len(ran) <= MOST
    page = send(finance, f"{here}/post", version=1)
    assert "The payout is posted" in page.text
    assert sums(business) == {"partner": 15_740, "partner_fees": 2_160, "partner_difference": 100}
    offset, accept = f"/partner-payouts/lines/{fee}/offset", f"/partner-payouts/lines/{fee}/accept"
    finance.get(offset)
    send(finance, offset, other=good, reason="they gave most of it back")
    finance.get(accept)
    page = send(finance, accept, reason="one euro")
    assert "is accepted as a fee of the partner" in page.text
    assert sums(business) == {"partner": 15_740, "partner_fees": 2_260}
    finance.get(f"{here}/reverse")
    assert "A difference of payout P-1 was settled" in send(finance, f"{here}/reverse", status=422, reason="no").text
    assert sale in {one[0] for one in rows(business, "SELECT id FROM settlement_line WHERE result = 'matched'")}
    assert "4,-25.60" not in finance.client.get(f"{here}.csv").text
    assert finance.client.get(f"{here}.csv").text.count("\n") == 5
    assert_books_agree(database)


def test_the_money_of_a_payout_is_found_at_the_bank_and_what_is_owed_is_listed(finance, database, business):
    payout, _ = hand_in(business, payout_file(("Order", "B-1", "120,00"), ("Held", "", "-20,00")), "P-7", total=10_000)
    send(finance, f"/partner-payouts/{payout}/post")
    finance.get("/cash/accounts/new")
    send(finance, "/cash/accounts/new", entity=business.entity, number=IBAN, name="House bank")
    (account,) = rows(business, "SELECT id FROM bank_account")[0]
    content = camt(entry("100.00", text="Bazaar P-7"), entry("100.00", text="somebody"), closing="200.00")
    finance.get("/cash/statements/new")
    send(finance, "/cash/statements/new", account=account, file=(io.BytesIO(content), "day.xml"))
    page = finance.get(f"/partner-payouts/{payout}")
    assert "98 %: It names Bazaar and is exactly what is owed." in page.text
    assert "55 %: It is exactly what is owed" in page.text
    owed = finance.get("/partner-owed").text
    for what in ("Invoiced, not paid out", "Paid out, not at the bank", "Reserve"):
        assert what in owed
    (line, other) = (one[0] for one in rows(business, "SELECT id FROM bank_line ORDER BY line_no"))
    finance.get(f"/partner-payouts/{payout}")
    send(finance, f"/partner-payouts/{payout}/transfers/{line}")
    finance.get(f"/partner-payouts/{payout}")
    page = send(finance, f"/partner-payouts/{payout}/transfers/{other}", status=422)
    assert "more than is owed of payout P-7" in page.text
    assert rows(business, f"SELECT explanation FROM bank_line WHERE id = {line}")[0][0].startswith("98 %: ")
    left = {(row[0], row[1]) for row in _csv(finance, "/partner-owed.csv")}
    assert left == {("P-7", "reserve"), (number_of(business, business.second), "invoice")}
    assert_books_agree(database)


def _csv(browser, path):
    return [line.split(",") for line in browser.client.get(path).text.splitlines()[1:]]


def test_partners_are_added_and_changed_by_who_keeps_them(finance, site, database, business, clock):
    new = "/settlement-partners/new"
    finance.get(new)
    page = send(
        finance, new, status=409, site=business.site, channel=business.channel, code="b2", name="Second", fee="10"
    )
    assert "A partner b2 is there already, or this channel is another partner’s" in page.text
    here = f"/settlement-partners/{business.partner}"
    finance.get(here)
    assert "from nothing to 50" in send(finance, here, status=422, name="Bazaar", fee="60").text
    send(finance, here, name="Bazaar Europe", fee="15.5")
    assert "15.5 %" in finance.get("/settlement-partners").text
    clerk = Browser(site)
    clerk.sign_in(a_person(database, "billing", clock=clock))
    clerk.get(here, status=403)
    assert "Bazaar Europe" in clerk.get("/settlement-partners").text


def test_an_unexplained_line_is_an_exception_of_finance(finance, business):
    hand_in(business, payout_file(("Refund", "B-9", "-7,00")), "P-9", total=-700)
    page = finance.get("/exceptions?queue=variance")
    assert "P-9" in page.text
    assert "Say what the partner means" in page.text
    assert "We have no order B-9 of this partner." in page.text


def test_programs_do_what_pages_do(site, database, business, clock):
    who = a_person(database, "finance", clock=clock)
    token = a_token(database, who, "finance", clock=clock)

    def call(method, path, body=None, version=None, **more):
        headers = {"Authorization": f"Bearer {token}"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return site.test_client().open(f"/api/v1{path}", method=method, json=body, headers=headers, **more)

    partner = f"/settlement-partners/{business.partner}"
    kinds = {"Order": "sale", "Commission": "fee", "Correction": "adjustment", "Refund": "refund"}
    assert call("POST", f"{partner}/mapping", MAPPING | {"kinds": kinds}).json["is_mapped"]
    changed = call("POST", partner, {"name": "Bazaar", "fee_rate": "0.1"}, version=2)
    assert (changed.status_code, changed.json["fee_rate"]) == (200, "0.100000"), changed.json
    content = payout_file(("Order", "1-B", "120,00"), ("Commission", "", "-13,00"), ("Correction", "", "1,00"))
    asked = f"/partner-payouts?partner={business.partner}&reference=P-1&file_name=p.csv&total=108.00"
    found = call("POST", asked, data=content)
    assert found.status_code == 201, found.json
    assert [one["result"] for one in found.json["lines"]] == ["unknown", "differs", "unknown"]
    payout, lines = f"/partner-payouts/{found.json['id']}", [one["id"] for one in found.json["lines"]]
    named = call("POST", f"/partner-payout-lines/{lines[0]}/document", {"document": business.first.id})
    assert named.json["lines"][0]["documents"][0]["number"] == number_of(business, business.first)
    assert call("POST", f"{payout}/match", version=1).status_code == 200
    assert call("POST", f"{payout}/post", version=3).status_code == 412
    posted = call("POST", f"{payout}/post", version=1)
    assert (posted.status_code, posted.json["state"], posted.json["owed"]) == (200, "posted", "108.00"), posted.json
    offset = call("POST", f"/partner-payout-lines/{lines[1]}/offset", {"other": lines[2], "reason": "given back"})
    assert offset.json["unexplained"] == "0.00", offset.json
    assert call("POST", f"/partner-payout-lines/{lines[1]}/accept", {"reason": "x"}).status_code == 422
    assert call("POST", f"{payout}/reverse", {"reason": "x"}, version=2).status_code == 422
    assert call("POST", f"{payout}/transfers", {"bank_line": 1}).status_code == 404
    kinds_owed = [(one["kind"], one["owed"]) for one in call("GET", "/partner-owed?realm=live").json["items"]]
    assert kinds_owed == [("invoice", "60.00"), ("payout", "108.00")]
    assert [one["owed"] for one in call("GET", "/settlement-partners").json["items"]] == ["108.00"]
    assert [one["reference"] for one in call("GET", "/partner-payouts?owed=true").json["items"]] == ["P-1"]
    assert call("GET", payout).json["kinds"][0] == {
        "kind": "sale",
        "lines": 1,
        "amount": "120.00",
        "unexplained": "0.00",
    }
    clash = {"site": business.site, "channel": business.channel, "code": "x", "name": "X", "fee_rate": "0.1"}
    assert call("POST", "/settlement-partners", clash).status_code == 409
    assert_books_agree(database)
