"""Tax rules on their page: kept by finance, ended on a day, refused with what was typed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import text

from app.composition.uow import reading
from erpcore.billing.services import draft_invoices
from erpcore.masterdata.services import add_tax_rate
from tests.support.core import OPEN, a_business
from tests.support.queries import MOST, queries
from tests.support.steps import shipped
from tests.support.web import Browser, a_person, a_site

RULE = {
    "code": "DE-7", "country": "Germany", "ship_from": "", "customer_tax_class": "", "item_tax_class": "books", "category": "S",
    "percent": "7", "sentence": "", "registration": "", "valid_from": "2026-03-01", "valid_until": "",
}  # fmt: skip


def test_finance_keeps_a_rule_and_ends_it_and_others_only_read(database, tmp_path, clock):
    business = a_business(database, at=clock.now())
    site = a_site(database, tmp_path, clock)
    finance, billing = Browser(site), Browser(site)
    finance.sign_in(a_person(database, "finance", clock=clock))
    billing.sign_in(a_person(database, "billing", clock=clock))
    finance.get("/taxes/new")
    company = {"entity": str(business.entity)}

    def send(path, fields, status=200):
        return finance.post(path, {"request_key": finance.page.value("request_key"), **fields}, status=status)

    page = send("/taxes/new", RULE | company | {"category": "AE", "code": "My code"}, 422)
    assert "My code" in page.html
    finance.get("/taxes/new")
    send("/taxes/new", RULE | company)
    with queries(database) as ran:
        page = finance.get("/taxes")
    assert len(ran) <= MOST
    for said in ("DE-7", "every customer, books items", "everywhere → Germany", "In force"):
        assert said in page.text, said
    (rule,) = rows(database, "SELECT id FROM tax_rate WHERE code = 'DE-7'")
    finance.get(f"/taxes/{rule}/end")
    assert "Enter" in finance.post(f"/taxes/{rule}/end", {"until": ""}, status=422).text
    finance.get(f"/taxes/{rule}/end")
    finance.post(f"/taxes/{rule}/end", {"until": "2026-02-01"}, status=422)
    finance.get(f"/taxes/{rule}/end")
    finance.post(f"/taxes/{rule}/end", {"until": "2026-03-02"})
    assert "Ended" in finance.get("/taxes").text
    assert "New rule" not in billing.get("/taxes").text
    billing.get("/taxes/new", status=403)
    finance.get("/taxes/4711/end", status=404)
    assert rows(database, "SELECT rate FROM tax_rate WHERE code = 'DE-7'") == [70_000], "exact, in millionths"


def test_who_releases_an_invoice_of_unknown_tax_names_the_rule(database, tmp_path, clock):
    business = a_business(database, tax=None, at=clock.now())
    business.clock = clock
    _, shipment = shipped(business, [(0, 1)])
    with business.work() as work:
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
        rule = add_tax_rate(
            work,
            entity=business.entity,
            country="Austria",
            rate=Decimal("0.2"),
            valid_from=date(2020, 1, 1),
            code="AT-20",
        ).id
    finance = Browser(a_site(database, tmp_path, clock))
    finance.sign_in(a_person(database, "finance", clock=clock))
    here = f"/invoices/{invoice.id}/unblock"
    assert "AT-20 · 20 % · Austria" in finance.get(here).text
    finance.post(here, {"reason": "the customer has no number", "tax_rule": "4711"}, status=422)
    page = finance.post(here, {"reason": "the customer has no number", "tax_rule": str(rule)})
    assert "AT-20" in page.text
    assert rows(database, "SELECT tax_minor FROM invoice") == [200]


def rows(database, sql):
    with reading(database) as session:
        return [row[0] for row in session.execute(text(sql))]
