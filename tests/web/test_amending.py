"""Changing an order on screen: typed, checked, shown, applied once; who is slower sees what the other did and loses nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from erpcore.orders.cancelling import CancelLines, cancel_lines
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.rows import rows
from tests.support.steps import allocated, released


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), limit=20_000)
    made.clock = clock
    open_cells(made)
    return made


def typed(page, **more):
    """The form as the page shows it, with what somebody types over it."""
    names = [one for tag in ("input",) for one in page.root.find(tag) if one.attributes.get("name")]
    kept = {
        one.attributes["name"]: one.attributes.get("value", "")
        for one in names
        if one.attributes.get("type") not in {"radio", "checkbox", "submit"} and one.attributes["name"] != "csrf_token"
    }
    return {**kept, "by_customer": "customer", **more}


def test_changes_are_typed_checked_shown_and_applied(signed_in, business, sqlite_database):
    order = allocated(business, [(0, 10), (1, 5)])
    first, second = order.lines
    here, desk = f"/orders/{order.id}", signed_in("customer_service")
    page = desk.get(here)
    assert "Change order…" in page.text
    page = desk.get(f"{here}/amend")
    page = desk.post(
        f"{here}/amend",
        typed(page, reason="called", **{f"quantity_{first.id}": "4", f"drop_{second.id}": "y", "added-0-item": "40-2",
                                        "added-0-quantity": "3"}),
    )  # fmt: skip
    assert page.heading == f"Change 1 of order {order.number}"
    for said in (
        "10 → 4 pc",
        "6 pc become free",
        "dropped: 5 pc no longer wanted",
        "added: 3 pc",
        "No hold comes of it",
    ):
        assert said in page.text, said
    assert rows(sqlite_database, "SELECT quantity, cancelled FROM order_line ORDER BY line_no") == [
        (10000, 0),
        (5000, 0),
    ]
    assert "Change 1 waits to be applied" in desk.get(here).text
    staged = f"{here}/amendments/{amendment(sqlite_database)}"
    for address in (here, staged, f"{here}/amend"):
        with queries(sqlite_database) as ran:
            desk.get(address)
        assert len(ran) <= MOST, address
    desk.get(staged)
    page = desk.post(f"{staged}/apply")
    assert "The changes are applied." in page.text
    assert "line 10: 10 → 4" in page.text
    assert rows(sqlite_database, "SELECT quantity, cancelled, allocated FROM order_line ORDER BY line_no") == [
        (4000, 0, 4000), (5000, 5000, 0), (3000, 0, 0),
    ]  # fmt: skip
    assert_books_agree(sqlite_database)


def amendment(database):
    return rows(database, "SELECT MAX(id) FROM order_amendment")[0][0]


def test_all_that_cannot_be_is_said_at_its_field_and_stays_typed(signed_in, business, sqlite_database):
    order = released(business, [(0, 10), (1, 5)])
    first, second = order.lines
    here, desk = f"/orders/{order.id}/amend", signed_in("customer_service")
    page = desk.post(
        here,
        typed(desk.get(here), reason="called",
              **{f"quantity_{first.id}": "3.5", f"day_{second.id}": "1900-01-01", "added-0-item": "40-2",
                 "added-0-quantity": "0"}),
        status=422,
    )  # fmt: skip
    assert [message.partition(":")[0] for message in page.errors()] == [
        "Quantity", "Quantity, line 10", "New day, line 20",
    ]  # fmt: skip
    assert page.value(f"quantity_{first.id}") == "3.5"
    assert page.value("added-0-item") == "40-2"
    assert rows(sqlite_database, "SELECT COUNT(*) FROM order_amendment") == [(0,)]


def test_nothing_typed_and_an_unknown_item_are_refused(signed_in, business, sqlite_database):
    order = released(business)
    here, desk = f"/orders/{order.id}/amend", signed_in("customer_service")
    page = desk.post(here, typed(desk.get(here), reason="called"), status=422)
    assert f"Nothing of {order.number} would change" in page.text
    page = desk.post(
        here, typed(page, reason="called", **{"added-0-item": "no such", "added-0-quantity": "1"}), status=422
    )
    assert page.errors() == ["Item: No item has this code or name."]
    page = desk.post(here, typed(page, reason="", press="add"))
    assert page.root.find("input", name="added-1-item")
    assert rows(sqlite_database, "SELECT COUNT(*) FROM order_amendment") == [(0,)]


def test_no_more_rows_are_added_than_a_page_takes(signed_in, business):
    order = released(business)
    here, desk = f"/orders/{order.id}/amend", signed_in("customer_service")
    full = {f"{rows}-{place}-quantity": "1" for rows in ("added", "parts") for place in range(50)}
    for press in ("add", "part"):
        page = desk.post(here, typed(desk.get(here), reason="", press=press, **full))
        assert page.root.find("input", name="added-49-quantity")
        assert not page.root.find("input", name="parts-50-quantity")


def test_two_clerks_the_slower_sees_what_the_other_changed_and_keeps_what_was_typed(
    signed_in, business, sqlite_database
):
    order = released(business, [(0, 10), (1, 5)])
    first, second = order.lines
    here, slow = f"/orders/{order.id}/amend", signed_in("customer_service")
    page = slow.get(here)
    business.clock.advance(timedelta(minutes=1))
    with business.work() as work:
        cancel_lines(
            work, [CancelLines(order=order.id, reason="less in stock", by_customer=False, lines={first.id: 2000})]
        )
    sent = typed(page, reason="called", **{f"quantity_{second.id}": "7"})
    page = slow.post(here, sent, status=409)
    assert "Somebody changed this order meanwhile" in page.text
    assert "Line 10 · 40-0 : 10 → 8 pc" in page.text or "Line 10 · 40-0: 10 → 8 pc" in page.text
    assert "less in stock" in page.text
    assert "line 10: 2 cancelled" in page.text
    assert (page.value(f"quantity_{first.id}"), page.value(f"quantity_{second.id}")) == ("8", "7")
    assert rows(sqlite_database, "SELECT COUNT(*) FROM order_amendment") == [(0,)]
    # Sent again from the page that shows it, only what was typed changes.
    slow.post(here, typed(page))
    assert rows(sqlite_database, "SELECT kind, before, after FROM order_amendment_change") == [
        ("quantity", '{"quantity":"5"}', '{"quantity":"7"}')
    ]


def test_staged_changes_of_an_order_that_moved_are_checked_again_before_they_are_applied(
    signed_in, business, sqlite_database
):
    order = released(business, [(0, 10), (1, 5)])
    first, second = order.lines
    here, desk = f"/orders/{order.id}", signed_in("customer_service")
    desk.post(f"{here}/amend", typed(desk.get(f"{here}/amend"), reason="called", **{f"quantity_{first.id}": "12"}))
    staged = desk.path
    business.clock.advance(timedelta(minutes=1))
    with business.work() as work:
        cancel_lines(work, [CancelLines(order=order.id, reason="gone", by_customer=True, lines={second.id: 1000})])
    page = desk.get(staged)
    assert "The order was changed after these changes were checked" in page.text
    page = desk.post(f"{staged}/apply", status=409)
    assert "was changed after these changes were staged" in page.text
    page = desk.get(f"{here}/amend?from={amendment(sqlite_database)}")
    assert page.value(f"quantity_{first.id}") == "12"
    desk.post(f"{here}/amend", typed(page))
    desk.post(f"{desk.path}/apply")
    assert rows(sqlite_database, "SELECT state FROM order_amendment ORDER BY number") == [("withdrawn",), ("applied",)]
    assert rows(sqlite_database, "SELECT quantity, cancelled FROM order_line ORDER BY line_no") == [
        (12000, 0), (5000, 1000),
    ]  # fmt: skip


def test_what_the_credit_does_not_bear_is_told_before_it_is_applied(signed_in, business, sqlite_database):
    order = released(business, [(0, 10)])
    here, desk = f"/orders/{order.id}", signed_in("customer_service")
    page = desk.post(
        f"{here}/amend", typed(desk.get(f"{here}/amend"), reason="more", **{f"quantity_{order.lines[0].id}": "25"})
    )
    assert "Applying holds the order (credit)" in page.text
    assert "Exposure before 100.00 EUR Exposure after 250.00 EUR Limit 200.00 EUR" in page.text
    assert rows(sqlite_database, "SELECT COUNT(*) FROM order_hold") == [(0,)]
    desk.post(f"{desk.path}/apply")
    assert rows(sqlite_database, "SELECT kind FROM order_hold") == [("credit",)]


def test_a_change_is_withdrawn_and_only_some_may_make_one(signed_in, business, sqlite_database):
    order = released(business)
    here, desk = f"/orders/{order.id}", signed_in("customer_service")
    desk.post(f"{here}/amend", typed(desk.get(f"{here}/amend"), reason="x", **{f"quantity_{order.lines[0].id}": "9"}))
    staged = desk.path
    picker = signed_in("warehouse_operator")
    picker.get(f"{here}/amend", status=403)
    assert "Your role may look at changes but not apply them." in picker.get(staged).text
    picker.post(f"{staged}/apply", status=403)
    desk.get(staged)
    desk.post(f"{staged}/withdraw")
    assert rows(sqlite_database, "SELECT state FROM order_amendment") == [("withdrawn",)]
    desk.get(f"{here}/amendments/1", status=404)


def test_an_order_held_for_credit_goes_on_with_the_press_that_lowers_what_is_owed(signed_in, business, sqlite_database):
    first = released(business, [(0, 15)])
    waits = released(business, [(1, 8)])
    assert waits.state == "held"
    desk = signed_in("customer_service")
    here = f"/orders/{first.id}/cancel"
    desk.get(here)
    desk.post(here, {f"line_{first.lines[0].id}": "10", "reason": "not wanted", "by_customer": "y"})
    assert rows(sqlite_database, "SELECT state FROM sales_order ORDER BY id") == [("released",), ("released",)]
    assert rows(sqlite_database, "SELECT is_cured FROM order_hold") == [(1,)]
    assert_books_agree(sqlite_database)


def test_a_raised_limit_lets_the_held_order_go_with_the_same_press(signed_in, business, sqlite_database):
    order = released(business, [(0, 30)])
    assert order.state == "held"
    collections = signed_in("finance")
    here = f"/customer/{business.customer}/limit"
    page = collections.get(here)
    collections.post(here, {"limit": "900.00", "reason": "a good year", "seen": page.value("seen")})
    assert rows(sqlite_database, "SELECT state FROM sales_order") == [("released",)]
    assert rows(sqlite_database, "SELECT is_cured, released_by FROM order_hold") == [(1, 0)]
