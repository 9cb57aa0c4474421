"""Margin by channel, customer and item: it adds up to the profit and loss, leads to its entries, and programs read the same."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from app.composition.uow import reading
from app.queries.margins import AskedMargin, By, margin_entries, margin_page
from erpcore.billing.credits import CreditInvoice, credit_invoices
from erpcore.kernel.actor import Actor
from erpcore.ledger.statements import Period
from tests.db.core.test_returns import authorised, inspected, received
from tests.support.core import a_business
from tests.support.costing import bought, chosen, cost_came
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.steps import invoiced, shipped
from tests.support.web import Browser, a_person, a_site, a_token


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def asked(business, by=By.ITEM, **changes):
    today = business.clock.now().date()
    period = Period(since=today.replace(day=1), until=today + timedelta(days=5))
    return AskedMargin(**{"entity": business.entity, "period": period, "by": by, **changes})


def report(business, by=By.ITEM, *, sites=None, **changes):
    """(revenue, cost) by label, what could be named for none, and the total."""
    who = Actor(id=9, role="finance", permissions=frozenset(), sites=sites)
    with reading(business.database) as session:
        page = margin_page(session, who, asked(business, by, **changes))
    found = {row.label: (row.revenue, row.cost) for row in page.rows}
    return found, (page.rest.revenue, page.rest.cost), (page.total.revenue, page.total.cost)


def test_margin_is_what_was_billed_less_what_the_goods_cost_and_adds_up_to_the_profit_and_loss(business):
    invoiced(business, ((0, 10), (1, 5)))
    shipped(business, ((1, 2),))
    rows, rest, total = report(business)
    assert rows == {"40-0": (10_000, 4_000), "40-1": (5_000, 2_800)}
    assert (rest, total) == ((0, 0), (15_000, 6_800))
    assert report(business, By.CUSTOMER)[0] == {"10482": (15_000, 6_800)}
    assert report(business, By.CHANNEL)[0] == {"Wholesale": (15_000, 6_800)}


def test_what_is_credited_and_comes_back_leaves_the_margin_again(business):
    order, _, invoice = invoiced(business, ((0, 10),))
    with business.work() as work:
        less = CreditInvoice(
            invoice=invoice.id, order_line=order.lines[0].id, quantity=Decimal(10), unit_price=Decimal(1), reason="price", fault="ours"
        )  # fmt: skip
        credit_invoices(work, [less])
    back = authorised(business, order)
    received(business, back)
    inspected(business, back, ("4", "restock"))
    rows, rest, total = report(business)
    assert rows == {"40-0": (9_000, 4_000 - 1_600)}
    assert (rest, total) == ((0, 0), rows["40-0"])


def test_a_late_cost_is_of_its_item_but_of_no_customer(business):
    chosen(business, "average")
    receipt = bought(business, "3.00", 10)
    shipped(business, ((0, 105),))
    cost_came(business, receipt, "10.00")
    rows, rest, total = report(business)
    by_customer, without, same = report(business, By.CUSTOMER)
    assert total == same
    assert rows["40-0"][1] == total[1]
    assert rest == (0, 0)
    assert (without[1], by_customer["10482"][1] + without[1]) == (500, total[1])


def test_entries_behind_a_row_add_up_to_it_and_another_sites_are_not_seen(business):
    invoiced(business, ((0, 10), (1, 5)))
    who = Actor(id=9, role="finance", permissions=frozenset())
    with reading(business.database) as session:
        page = margin_entries(session, who, asked(business), business.items[0])
    assert [(one.rule, one.item, one.revenue, one.cost) for one in page.entries] == [
        ("invoice", "40-0", 10_000, 0), ("cost_of_sales", "40-0", 0, 4_000),
    ]  # fmt: skip
    assert (page.row.revenue, page.row.cost, page.is_more) == (10_000, 4_000, False)
    assert report(business, sites=frozenset({4711})) == ({}, (0, 0), (0, 0))
    before = Period(
        since=asked(business).period.since - timedelta(days=40), until=asked(business).period.since - timedelta(days=9)
    )
    assert report(business, period=before) == ({}, (0, 0), (0, 0))


def test_finance_reads_the_margin_follows_it_and_programs_are_told_the_same(business, database, tmp_path, clock):
    site = a_site(database, tmp_path, clock)
    finance, desk = Browser(site), Browser(site)
    finance.sign_in(a_person(database, "finance", clock=clock))
    desk.sign_in(a_person(database, "customer_service", clock=clock))
    invoiced(business, ((0, 10), (1, 5)))
    with queries(database) as ran:
        page = finance.get("/ledger/margin?by=item")
    assert len(ran) <= MOST
    for said in ("40-0", "100.00", "40.00", "60.0 %", "As in profit and loss"):
        assert said in page.text, said
    key = {"entity": str(business.entity), "by": "item", "key": str(business.items[0])}
    address = "/ledger/margin/entries?" + "&".join(f"{name}={value}" for name, value in key.items())
    assert "cost of sales" in finance.get(address).text
    finance.get("/ledger/margin/entries?by=item&key=4711", status=404)
    finance.get("/ledger/margin/entries", status=404)
    finance.get("/ledger/margin?site=4711", status=404)
    assert "40-1" in finance.client.get("/ledger/margin.csv?by=item").text
    assert finance.client.get("/ledger/margin.xlsx").status_code == 200
    assert "Margin" in finance.get("/ledger/profit-and-loss").text
    desk.get("/ledger/margin", status=403)
    token = a_token(database, a_person(database, "finance", clock=clock), "finance", clock=clock)

    def call(path):
        return site.test_client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})

    told = call(f"/margin-report?entity={business.entity}&by=item").json
    assert [(row["label"], row["revenue"], row["cost"], row["permille"]) for row in told["rows"]] == [
        ("40-0", "100.00", "40.00", 600), ("40-1", "50.00", "20.00", 600),
    ]  # fmt: skip
    assert (told["total"]["margin"], told["rest"]["margin"]) == ("90.00", "0.00")
    entries = call(f"/margin-report/entries?entity={business.entity}&by=item&key={business.items[0]}").json
    assert sum(Decimal(one["revenue"]) - Decimal(one["cost"]) for one in entries["entries"]) == Decimal("60.00")
    assert call(f"/margin-report?entity={business.entity}&since=2026-03-02&until=2026-03-01").status_code == 422
    assert call("/margin-report?entity=4711").status_code == 404
    assert call(f"/margin-report/entries?entity={business.entity}&by=item&key=4711").status_code == 404
