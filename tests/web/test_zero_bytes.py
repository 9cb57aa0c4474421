"""A zero byte in a form or an address: named at its field on both databases, and nothing is kept."""

from __future__ import annotations

import pytest

from app.composition.uow import reading
from erpcore.orders.models import SalesOrder
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.steering import a_programme
from tests.support.web import Browser, a_person, a_site


def poisoned(page) -> dict[str, str]:
    """The form of the page as a browser would send it, every field of text with a zero byte in it."""
    form = max(page.root.find("form", method="post"), key=lambda one: len(list(one.walk())))
    sent: dict[str, str] = {}
    for one in form.walk():
        name, kind = one.attributes.get("name"), one.attributes.get("type", "text")
        if not name or name == "csrf_token":
            continue
        if one.tag == "textarea" or (one.tag == "input" and kind in {"text", "search", "email"}):
            sent[name] = "a\0b"
        elif one.tag == "input" and kind in {"hidden", "date", "datetime-local"}:
            sent[name] = one.attributes.get("value", "")
        elif one.tag == "select":
            options = [option.attributes["value"] for option in one.find("option")]
            sent[name] = next(iter(options), "")
    return sent


@pytest.fixture
def desk(database, clock, tmp_path):
    def sign_in(role):
        browser = Browser(a_site(database, tmp_path, clock))
        browser.sign_in(a_person(database, role, clock=clock))
        return browser

    return sign_in


def test_an_order_with_zero_bytes_says_so_at_its_fields_and_is_not_kept(database, desk, clock):
    business = a_business(database, at=clock.now())
    business.clock = clock
    open_cells(business)
    browser = desk("customer_service")
    page = browser.get("/orders/new")
    page = browser.post("/orders/new", {**poisoned(page), "press": "enter"}, status=422)
    said = "This holds a zero byte; leave it out"
    assert {f"Customer: {said}", f"Customer reference: {said}", f"Item, line 10: {said}"} <= set(page.errors())
    with reading(database) as session:
        assert session.query(SalesOrder).count() == 0


def test_every_form_of_steering_and_people_refuses_them(database, desk, clock):
    steered = a_programme(database, clock)
    browser = Browser(desk("administrator").app)
    browser.sign_in(steered.office)
    for path in (f"/waves/{steered.wave}/gates/new", f"/gates/{steered.gate}/criteria/invoices/edit", "/waves/new"):
        page = browser.get(path)
        page = browser.post(path, poisoned(page), status=422)
        assert page.errors(), path
    people = desk("administrator")
    page = people.get("/people/new")
    page = people.post("/people/new", poisoned(page), status=422)
    assert any("zero byte" in error for error in page.errors())


@pytest.mark.parametrize("path", ["/orders?text=a%00b", "/search?q=%00", "/stock?text=%00", "/orders?realm=%00"])
def test_an_address_with_a_zero_byte_is_refused_in_words(desk, path):
    page = desk("customer_service").get(path, status=400)
    assert page.heading == "The address holds a zero byte"
