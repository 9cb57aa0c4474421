"""Papers of a fallback are typed one after the other; what is wrong with one says so at its field and keeps what was typed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.composition.trading import cells
from app.composition.uow import reading
from erpcore.orders.models import SalesOrder
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import capture_orders
from readiness.waves.grants import declare_fallback, end_fallback
from tests.support.core import RULES, a_business
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def on_paper(site, business, clock):
    """Since Monday 10:00 by the clock of Duisburg; it is 13:00 now. One order was under way."""
    with site.app_context(), business.work() as work:
        (business.before,) = capture_orders(work, [business.order()], rules=RULES, cells=cells())
        release_orders(work, [business.before.id], rules=RULES, cells=cells())
    with business.work() as work:
        declare_fallback(work, business.site, reason="no power")
    clock.advance(timedelta(hours=3))
    return f"/sites/{business.site}/paper"


def paper(page, **given):
    (channel,) = page.root.find("select", name="channel")[0].find("option")
    return {
        "number": "P-17", "channel": channel.attributes["value"], "customer": "10482", "taken_at": "2026-03-02T10:20",
        "lines-0-item": "40-0", "lines-0-quantity": "12", "lines-0-left": "10", "left_at": "2026-03-02T11:00",
        "request_key": page.value("request_key"), **given,
    }  # fmt: skip


def orders(database):
    with reading(database) as session:
        return [one.number for one in session.query(SalesOrder).order_by(SalesOrder.id)]


def test_a_paper_becomes_an_order_of_its_own_time(signed_in, on_paper, business, sqlite_database):
    browser = signed_in("super_user")
    page = browser.get(on_paper)
    sent = paper(page)
    page = browser.post(on_paper, sent)
    assert "P-17 is entered" in page.text
    assert "taken Mon 2 Mar" in page.text
    browser.post(on_paper, sent)
    assert orders(sqlite_database)[1:] == ["P-17"]
    with queries(sqlite_database) as ran:
        browser.get(on_paper)
    assert len(ran) <= MOST


def test_what_left_for_an_order_under_way_is_entered_too(signed_in, on_paper, business):
    browser = signed_in("super_user")
    browser.get(on_paper)
    (link,) = [one for one in browser.page.links() if f"{on_paper}/" in one]
    page = browser.get(link)
    quantity = next(
        one.attributes["name"] for one in page.root.find("input") if one.attributes.get("name", "").startswith("line_")
    )
    page = browser.post(link, {quantity: "2", "left_at": "2026-03-02T09:00"}, status=422)
    assert "This lies before what came first" in page.errors()[0]
    page = browser.post(link, {quantity: "2", "left_at": "2026-03-02T12:00", "delivered_at": "2026-03-02T12:45"})
    assert "is entered" in page.text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"number": ""}, "Number of the paper: Enter the number"),
        ({"customer": "nobody"}, "Customer: No customer has this code"),
        ({"lines-0-item": "nothing"}, "Item, line 10: No item has this code"),
        ({"lines-0-quantity": ""}, "Ordered, line 10: Enter how many"),
        ({"lines-0-quantity": "-3"}, "Ordered, line 10: "),
        ({"taken_at": "2026-03-02T09:20"}, "Taken at: The site and channel did not work on paper then"),
        ({"left_at": "2026-03-02T10:00"}, "Goods left at: This lies before"),
        ({"delivered_at": "2026-03-02T18:00"}, "Delivered at: This lies ahead"),
        ({"left_at": "2026-02-30T10:00"}, "Goods left at: "),
        ({"lines-0-left": "13"}, "Line 10 of P-17: more left than is open of it"),
    ],
)
def test_nonsense_is_said_at_its_field_and_nothing_is_kept(signed_in, on_paper, business, sqlite_database, given, said):
    browser = signed_in("super_user")
    sent = paper(browser.get(on_paper), **given)
    page = browser.post(on_paper, sent, status=422)
    assert any(error.startswith(said) for error in page.errors()), page.errors()
    assert (page.value("lines-0-item"), len(orders(sqlite_database))) == (sent["lines-0-item"], 1)


def test_only_who_may_enters_papers_and_a_site_never_on_paper_says_so(signed_in, business):
    signed_in("customer_service").get(f"/sites/{business.site}/paper", status=403)
    page = signed_in("super_user").get(f"/sites/{business.site}/paper")
    assert "Nothing was done on paper here" in page.text


def test_the_super_user_finds_the_papers_where_the_work_is_and_the_lead_does_not(signed_in, on_paper, business):
    browser = signed_in("super_user")
    assert on_paper in browser.get(f"/orders/new?site={business.site}").links()
    assert on_paper in browser.get(f"/orders/{business.before.id}").links()
    assert on_paper not in signed_in("customer_service").get(f"/orders/new?site={business.site}").links()
    with business.work() as work:
        end_fallback(work, business.site, reason="power is back")
    assert on_paper not in browser.get(f"/orders/{business.before.id}").links()
