"""An entered price on the screen and for programs: asked about at capture, decided among the approvals or at the hold."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.composition.uow import reading
from erpcore.orders.models import OrderHold, OrderLine, SalesOrder
from governance.approvals.models import ApprovalRequest
from tests.support.approvals import a_rule
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.queries import queries
from tests.support.web import a_person, a_site, a_token


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def calling(database, tmp_path, clock):
    site = a_site(database, tmp_path, clock)

    def make(role):
        token = a_token(database, a_person(database, role, clock=clock), role, clock=clock)

        def call(method, path, body=None, **headers):
            return site.test_client().open(
                f"/api/v1{path}", method=method, json=body,
                headers={"Authorization": f"Bearer {token}", **{n.replace("_", "-"): v for n, v in headers.items()}},
            )  # fmt: skip

        return call

    return make


def enter(browser, price="9.00", quantity="10"):
    """Type an order at this price and enter it; the rules give 10.00."""
    page = browser.get("/orders/new")

    def chosen(name):
        (field,) = page.root.find("select", name=name)
        return next(one.attributes["value"] for one in field.find("option") if "selected" in one.attributes)

    return browser.post(
        "/orders/new",
        {
            "site": chosen("site"), "channel": chosen("channel"), "customer": "10482",
            "request_key": page.value("request_key"), "press": "enter", "lines-0-item": "40-0", "lines-0-quantity": quantity,
            "lines-0-unit_price": price, "lines-0-price_reason": "promised",
        },
    )  # fmt: skip


def waiting(database):
    """The request, the hold and the order, of which there is one each."""
    with reading(database) as session:
        (request,) = session.scalars(select(ApprovalRequest))
        (hold,) = session.scalars(select(OrderHold))
        order = session.get_one(SalesOrder, hold.order_id)
        session.expunge_all()
        return request, hold, order


def test_a_price_beyond_the_tolerance_waits_on_the_home_page_and_among_approvals_of_who_may_decide(
    signed_in, business, database
):
    desk, lead, store = (signed_in(role) for role in ("customer_service", "site_lead", "warehouse_operator"))
    page = enter(desk)
    assert page.heading.startswith("Order SO-")
    request, _, order = waiting(database)
    said = f"Price of {order.number} for 10482: 10.00 EUR less than by the rules"
    with queries(database) as ran:
        home = lead.get("/")
    assert len(ran) <= 25
    assert said in home.text
    assert "hold to decide" not in home.text, "once is enough"
    assert said in lead.get("/approvals?waits=1").text
    assert said not in store.get("/").text
    assert said not in desk.get("/approvals?waits=1").text
    page = lead.get(f"/approvals/{request.id}")
    assert f"/orders/{order.id}" in page.links()
    page = lead.post(
        f"/approvals/{request.id}", {"verdict": "approve", "reason": "", "version": "1", "request_key": "thumb"}
    )
    assert "It is approved, and has its effect." in page.text
    request, hold, order = waiting(database)
    assert (request.state, order.state, hold.release_reason) == ("approved", "captured", request.rule_text)


def test_the_page_of_the_hold_says_who_decides_and_keeps_an_agreement_that_is_not_the_last(
    signed_in, business, database
):
    a_rule(
        business, "large", kind="price_override", people=2, amount_from_minor=500, currency="EUR", materiality="medium",
        capacity="may:orders:price:approve_site",
    )  # fmt: skip
    desk, one, two = (signed_in(role) for role in ("customer_service", "site_lead", "process_owner"))
    enter(desk)
    request, hold, order = waiting(database)
    here = f"/orders/{order.id}/holds/{hold.id}/release"
    for place in (here, f"/orders/{order.id}", "/holds"):
        assert "two different people who may approve" in one.get(place).text
    page = one.get(here)
    assert f"/approvals/{request.id}" in page.links()
    page = one.post(here, {"reason": "a good customer"})
    assert "Your approval is kept; others are still asked." in page.text
    assert waiting(database)[2].state == "held"
    page = two.get("/holds?mine=1")
    page = two.post("/holds?mine=1", {"hold": str(hold.id), "reason": "as before"})
    assert "1 hold has ended" in page.text
    assert waiting(database)[2].state == "captured"


def test_the_order_and_the_list_of_holds_say_whom_a_changed_rule_names_and_not_whom_the_price_named(
    signed_in, business, database
):
    a_rule(business, "large", kind="price_override", amount_from_minor=500, currency="EUR", materiality="medium", capacity="role:finance")  # fmt: skip
    desk, clerk = signed_in("customer_service"), signed_in("finance")
    enter(desk)
    _, _, order = waiting(database)
    for place in (f"/orders/{order.id}", "/holds"):
        text = clerk.get(place).text
        assert "one person" in text
        assert "Site lead" not in text
        assert "it is decided among the approvals" in text


@pytest.mark.parametrize("door", ["screen", "program"])
def test_nobody_is_asked_about_the_price_of_an_order_that_was_cancelled(signed_in, calling, business, database, door):
    desk = signed_in("customer_service")
    enter(desk)
    _, _, order = waiting(database)
    if door == "screen":
        with reading(database) as session:
            line = session.scalar(select(OrderLine.id))
        desk.get(f"/orders/{order.id}/cancel")
        desk.post(f"/orders/{order.id}/cancel", {f"line_{line}": "10", "reason": "not wanted", "by_customer": "y"})
    else:
        answer = calling("customer_service")(
            "POST", f"/orders/{order.id}/cancel", {"reason": "not wanted", "by_customer": True}, If_Match=f'"{order.version}"'
        )  # fmt: skip
        assert answer.status_code == 200
    request, _, order = waiting(database)
    assert (order.state, request.state, request.settle_reason) == ("cancelled", "outdated", "the order is cancelled")


def test_a_price_that_was_rejected_is_not_let_go_at_its_hold_and_says_why(signed_in, business, database):
    desk, lead, owner = (signed_in(role) for role in ("customer_service", "site_lead", "process_owner"))
    enter(desk)
    request, hold, order = waiting(database)
    lead.get(f"/approvals/{request.id}")
    lead.post(
        f"/approvals/{request.id}", {"verdict": "reject", "reason": "too low", "version": "1", "request_key": "no"}
    )
    assert "rejected: too low" in desk.get(f"/orders/{order.id}").text
    here = f"/orders/{order.id}/holds/{hold.id}/release"
    owner.get(here)
    page = owner.post(here, {"reason": "let it go all the same"}, status=422)
    assert "those who decide did not agree: too low" in page.text
    assert waiting(database)[2].state == "held"


def test_a_program_captures_lists_and_lets_go_and_is_told_what_others_must_agree_to(calling, business, database):
    a_rule(
        business, "large", kind="price_override", people=2, amount_from_minor=500, currency="EUR", materiality="medium",
        capacity="may:orders:price:approve_site",
    )  # fmt: skip
    desk, one, two = (calling(role) for role in ("customer_service", "site_lead", "process_owner"))
    body = {
        "site": business.site, "channel": business.channel, "customer": business.customer,
        "lines": [{"item": business.items[0], "quantity": "10", "unit_price": "9.00", "price_reason": "promised"}],
    }  # fmt: skip
    made = desk("POST", "/orders", body)
    assert (made.status_code, made.json["state"]) == (201, "held")
    request, hold, order = waiting(database)
    (listed,) = [each for each in one("GET", "/approvals").json["items"] if each["id"] == request.id]
    assert (listed["kind"], listed["state"]) == ("price_override", "waiting")
    refused = desk("POST", f"/approvals/{request.id}/answer", {"verdict": "approve", "reason": "mine"}, If_Match='"1"')
    assert (refused.status_code, refused.json["code"]) == (403, "approval_own")
    first = one("POST", "/holds/release", {"holds": [hold.id], "reason": "a good customer"}).json
    assert (first["ended"], first["results"][0]["ended"], first["results"][0]["code"]) == (0, False, None)
    last = two("POST", f"/orders/{order.id}/holds/{hold.id}/release", {"reason": "as before"})
    assert (last.status_code, last.json["state"]) == (200, "captured")
