"""Reasons of returns: what came back of what, how long it took and how often, each figure with its returns; programs read the same."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from app.composition.uow import reading
from app.queries.return_reasons import AskedReasons, By, reason_returns, reasons_page
from erpcore.fulfilment.return_deciding import give_up_returns
from erpcore.kernel.actor import Actor
from erpcore.ledger.statements import Period
from tests.db.core.test_returns import authorised, credited, inspected, received
from tests.support.core import a_business
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
    period = Period(since=today.replace(day=1), until=today.replace(day=28))
    said = {"entity": business.entity, "currency": "EUR", "time_zone": "Europe/Berlin", "period": period, "by": by}
    return AskedReasons(**{**said, **changes})


def who(sites=None):
    return Actor(id=9, role="finance", permissions=frozenset(), sites=sites)


def report(business, by=By.ITEM, *, sites=None, **changes):
    with reading(business.database) as session:
        return reasons_page(session, who(sites), asked(business, by, **changes), business.clock.now())


def figures(row):
    return row.reason, row.label, row.returns, row.quantity, row.value_minor, row.lines, row.delivered


def credited_after(business, order, quantity, days, item=0):
    """A return of some of the order, credited so many days after its request."""
    row = authorised(business, order, quantity, item)
    received(business, row)
    inspected(business, row, (quantity, "restock"))
    business.clock.advance(timedelta(days=days))
    credited(business, row)
    return row


def test_a_reason_counts_what_came_back_of_each_item_and_how_often_of_what_was_delivered(business):
    first, _, _ = invoiced(business, ((0, 10), (1, 5)))
    shipped(business, ((0, 2),))
    credited_after(business, first, 4, 2)
    credited_after(business, first, 1, 4)
    page = report(business)
    assert [figures(row) for row in page.rows] == [("damaged", "40-0", 2, Decimal(5), 5_000, 1, 2)]
    assert (page.rows[0].half, page.rows[0].most, page.rows[0].waiting) == (Decimal("2.0"), Decimal("4.0"), 0)
    assert (page.rows[0].permille, page.total.permille, page.total.delivered) == (500, 333, 3)
    for by, label in ((By.CUSTOMER, "10482"), (By.REASON, "")):
        assert [figures(row) for row in report(business, by).rows] == [("damaged", label, 2, Decimal(5), 5_000, 1, 3)]
    (site,) = report(business, By.SITE).rows
    assert (site.key, site.delivered, site.value_minor) == (business.site, 3, 5_000)


def test_what_is_not_credited_yet_makes_the_percentile_open_and_what_was_declined_counts_nowhere(business):
    order, _, _ = invoiced(business)
    credited_after(business, order, 4, 3)
    open_one = authorised(business, order, 1)
    page = report(business)
    assert (page.total.returns, page.total.waiting, page.total.half, page.total.most) == (2, 1, None, None)
    business.clock.advance(timedelta(days=9))
    assert (report(business).total.half, report(business).total.most) == (Decimal("3.0"), None)
    with business.work() as work:
        give_up_returns(work, [open_one.id], "never sent")
    page = report(business)
    assert [figures(row) for row in page.rows] == [("damaged", "40-0", 1, Decimal(4), 4_000, 1, 1)]
    assert (page.total.half, page.total.most) == (Decimal("3.0"), Decimal("3.0"))


def test_another_sites_and_other_days_are_not_in_it(business):
    order, _, _ = invoiced(business)
    row = authorised(business, order, 4)
    assert [one.returns for one in report(business, sites=frozenset({business.site})).rows] == [1]
    assert report(business, sites=frozenset({4711})).rows == []
    assert report(business, site=4711).rows == []
    day = row.requested_at.date()
    for since, found in ((day, 1), (day + timedelta(days=1), 0)):
        assert len(report(business, period=Period(since=since, until=since)).rows) == found


def test_the_returns_behind_a_row_add_up_to_it(business):
    order, _, _ = invoiced(business)
    old, new = credited_after(business, order, 4, 2), authorised(business, order, 1)
    with reading(business.database) as session:
        page = reason_returns(
            session, who(), asked(business), business.clock.now(), reason="damaged", key=business.items[0]
        )
        none = reason_returns(
            session, who(), asked(business), business.clock.now(), reason="late", key=business.items[0]
        )
    assert [(one.id, one.items, one.value_minor, one.took) for one in page.returns] == [
        (new.id, ["40-0"], 1_000, None), (old.id, ["40-0"], 4_000, Decimal("2.0")),
    ]  # fmt: skip
    assert (figures(page.row), page.is_more) == (figures(report(business).rows[0]), False)
    assert (none.row.returns, none.returns) == (0, [])


def test_the_desk_reads_the_reasons_follows_one_and_programs_are_told_the_same(business, database, tmp_path, clock):
    order, _, _ = invoiced(business)
    row = credited_after(business, order, 4, 2)
    site = a_site(database, tmp_path, clock)
    desk = Browser(site)
    person = a_person(database, "customer_service", clock=clock)
    desk.sign_in(person)
    with queries(database) as ran:
        page = desk.get("/returns/reasons?by=item")
    assert len(ran) <= MOST
    for said in ("Damaged", "40-0", "40.00", "100.0 %", "2.0 d"):
        assert said in page.text, said
    behind = next(link for link in page.links() if link.startswith("/returns/reasons/returns"))
    assert row.number in desk.get(behind).text
    assert f"/returns/{row.id}" in desk.get(behind).links()
    assert "/returns/reasons" in desk.get("/returns").links()
    desk.get("/returns/reasons?site=4711", status=404)
    desk.get("/returns/reasons?entity=4711", status=404)
    desk.get("/returns/reasons/returns?by=item&reason=none", status=404)
    assert "40-0" in desk.client.get("/returns/reasons.csv?by=item").text
    assert desk.client.get("/returns/reasons.xlsx").status_code == 200
    token = a_token(database, person, "customer_service", clock=clock)

    def call(path):
        return site.test_client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})

    told = call(f"/return-reasons?entity={business.entity}&by=item").json
    assert [(one["reason"], one["label"], one["value"], one["permille"]) for one in told["rows"]] == [
        ("damaged", "40-0", "40.00", 1000)
    ]  # fmt: skip
    assert (Decimal(told["total"]["quantity"]), Decimal(told["total"]["half_days"])) == (4, 2)
    listed = call(
        f"/return-reasons/returns?entity={business.entity}&by=item&reason=damaged&key={business.items[0]}"
    ).json
    assert [(one["id"], one["value"], Decimal(one["took_days"])) for one in listed["returns"]] == [(row.id, "40.00", 2)]
    assert call(f"/return-reasons?entity={business.entity}&since=2026-03-02&until=2026-03-01").status_code == 422
    assert call("/return-reasons?entity=4711").status_code == 404
    assert call(f"/return-reasons/returns?entity={business.entity}&reason=none").status_code == 404
