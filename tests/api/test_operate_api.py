"""Orders, stock, billing and returns for programs: the same services, exact figures as strings, nothing of another site."""

from __future__ import annotations

from base64 import b64decode
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.masterdata.lanes import KeepLane, keep_lanes
from readiness.waves.grants import declare_fallback
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import a_closed_site, a_neighbour, open_cells
from tests.support.policies import approve
from tests.support.queries import queries
from tests.support.steps import captured, invoiced, released, shipped

#: Statements through the toolkit, which cost several times what the core's own do.
MOST_TO_CAPTURE, MOST_TO_RELEASE = 17, 15


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def body(business, *lines, **more):
    wanted = lines or ((0, "12"),)
    return {
        "site": business.site, "channel": business.channel, "customer": business.customer,
        "lines": [{"item": business.items[item], "quantity": quantity} for item, quantity in wanted], **more,
    }  # fmt: skip


def count(database, table="sales_order"):
    with reading(database) as session:
        return session.scalar(text(f"SELECT COUNT(*) FROM {table}"))


def test_shipments_that_wait_to_be_billed_and_those_that_are_due_are_lanes_of_their_own(caller, business):
    billing, (_, first), (_, second) = caller("billing"), shipped(business), shipped(business, [(1, 2)])
    with business.work() as work:
        work.session.execute(text("UPDATE shipment SET invoice_due_at = NULL WHERE id = :i"), {"i": first.id})
    for lane, shipment in (("waiting", first), ("due", second)):
        (row,) = billing("GET", f"/invoices?lane={lane}").json["items"]
        assert (row["id"], row["state"], row["number"], row["gross"]) == (shipment.id, lane, shipment.number, None)
    assert billing("GET", "/invoices?state=due").status_code == 422, "an invoice is in no such state"


def test_an_order_runs_from_capture_to_cash(caller, business, sqlite_database):
    desk, billing, cash = caller("super_user"), caller("billing"), caller("collections")
    made = desk("POST", "/orders", body(business))
    assert made.status_code == 201
    assert made.headers["ETag"] == '"1"'
    assert made.json["value"] == "120.00"
    assert made.json["lines"][0]["quantity"] == "12.000"
    here = f"/orders/{made.json['id']}"
    for move in ("release", "allocate", "ship"):
        etag = desk("GET", here).headers["ETag"]
        answer = desk("POST", f"{here}/{move}", {} if move == "ship" else None, If_Match=etag)
        assert answer.status_code == 200, answer.json
    shipment = answer.json["shipments"][0]["id"]
    assert desk("POST", f"{here}/shipments/{shipment}/deliver", {}).json["lines"][0]["delivered"] == "12.000"
    draft = billing("POST", f"/shipments/{shipment}/invoice")
    assert (draft.status_code, draft.json["gross"], draft.json["exact_net"]) == (201, "144.00", "120.000000")
    invoice = draft.json["id"]
    assert billing("POST", f"/invoices/{invoice}/post", If_Match=draft.headers["ETag"]).json["state"] == "posted"
    assert billing("GET", f"/invoices/{invoice}").json["number"].startswith("INV-2026-")
    receipt = cash("POST", "/receipts", {"entity": business.entity, "customer": business.customer, "amount": "150.00"})
    assert receipt.status_code == 201
    applied = cash(
        "POST", f"/receipts/{receipt.json['id']}/apply", {"applications": [{"invoice": invoice, "amount": "144.00"}]}
    )
    assert applied.json["left"] == "6.00"
    assert desk("GET", here).json["state"] == "closed"
    assert_books_agree(sqlite_database)


def test_a_program_reads_from_where_a_line_is_shipped_and_what_was_compared(caller, business, sqlite_database):
    hamburg = a_neighbour(business)
    with business.work() as work:
        keep_lanes(
            work,
            [
                KeepLane(site=site, country="Germany", transit_days=days, cost_minor=cost)
                for site, days, cost in ((business.site, 2, 900), (hamburg, 1, 350))
            ],
        )
    desk = caller("super_user")
    usual = desk("POST", "/orders", body(business)).json["id"]
    assert desk("GET", f"/orders/{usual}/sources").json == {"items": []}
    approve(business, "sourcing_rule", "cheapest", channel=business.channel)
    made = desk("POST", "/orders", body(business, (1, "5"))).json
    (told,) = desk("GET", f"/orders/{made['id']}/sources").json["items"]
    assert (told["rule"], told["line"]) == ("cheapest", made["lines"][0]["id"])
    assert {(one["site_id"], one["transit_days"], one["cost"], one["chosen"]) for one in told["sites"]} == {
        (business.site, 2, "9.00", False), (hamburg, 1, "3.50", True),
    }  # fmt: skip
    assert desk("GET", "/orders/1/sources").status_code == 404


def test_what_was_not_there_comes_short_with_its_reason_and_the_rest_leaves(caller, business, sqlite_database):
    desk = caller("super_user")
    made = desk("POST", "/orders", body(business)).json
    here, line = f"/orders/{made['id']}", made["lines"][0]["id"]
    for move in ("release", "allocate"):
        seen = desk("POST", f"{here}/{move}", None, If_Match=desk("GET", here).headers["ETag"])
    short = {"short": [{"line": line, "quantity": "5"}]}
    etag = seen.headers["ETag"]
    refused = desk("POST", f"{here}/ship", short, If_Match=etag)
    assert (refused.status_code, refused.json["code"]) == (422, "short_reason_missing")
    short["short_reason"] = "carton empty"
    twice = {**short, "short": short["short"] * 2}
    assert desk("POST", f"{here}/ship", twice, If_Match=etag).json["code"] == "line_given_twice"
    above = {**short, "short": [{"line": line, "quantity": "13"}]}
    assert desk("POST", f"{here}/ship", above, If_Match=etag).json["code"] == "pick_too_much"
    assert desk("GET", here).json["lines"][0]["allocated"] == "12.000"
    left = desk("POST", f"{here}/ship", short, If_Match=etag)
    assert left.status_code == 200, left.json
    row = left.json["lines"][0]
    assert (row["shipped"], row["allocated"], len(left.json["shipments"])) == ("7.000", "0.000", 1)
    assert_books_agree(sqlite_database)


def test_an_order_of_which_nothing_was_there_comes_short_without_a_shipment(caller, business, sqlite_database):
    desk = caller("super_user")
    made = desk("POST", "/orders", body(business)).json
    here, line = f"/orders/{made['id']}", made["lines"][0]["id"]
    for move in ("release", "allocate"):
        seen = desk("POST", f"{here}/{move}", None, If_Match=desk("GET", here).headers["ETag"])
    wanted = {"lines": [], "short": [{"line": line, "quantity": "12"}], "short_reason": "carton empty"}
    none = desk("POST", f"{here}/ship", wanted, If_Match=seen.headers["ETag"])
    assert none.status_code == 200, none.json
    assert (none.json["lines"][0]["shipped"], none.json["shipments"]) == ("0.000", [])
    assert_books_agree(sqlite_database)


def test_the_same_key_captures_once(caller, business, sqlite_database):
    desk = caller("super_user")
    first = desk("POST", "/orders", body(business), Idempotency_Key="feed-000001")
    again = desk("POST", "/orders", body(business), Idempotency_Key="feed-000001")
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    other = desk("POST", "/orders", body(business, (0, "13")), Idempotency_Key="feed-000001")
    assert (other.status_code, other.json["code"]) == (409, "request_key_reused")
    assert count(sqlite_database) == 1


def test_a_bulk_is_all_or_nothing_unless_told_otherwise(caller, business, sqlite_database):
    desk = caller("super_user")
    orders = [body(business), body(business, (1, "-1")), body(business, (2, "3"))]
    refused = desk("POST", "/orders/bulk", {"orders": orders})
    assert (refused.status_code, refused.json["pointer"]) == (422, "/orders/1/lines/0/quantity")
    assert count(sqlite_database) == 0
    taken = desk("POST", "/orders/bulk", {"orders": orders, "policy": "per_order"})
    assert (taken.status_code, taken.json["captured"], taken.json["refused"]) == (201, 2, 1)
    assert [one["code"] for one in taken.json["results"]] == [None, "quantity_not_positive", None]
    assert count(sqlite_database) == 2
    assert_books_agree(sqlite_database)


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"lines": [{"item": 0, "quantity": "1"}]}, 422, "/lines/0/item"),
        ({"lines": [{"item": 2**63, "quantity": "1"}]}, 422, "/lines/0/item"),
        ({"lines": []}, 422, "/lines"),
        ({"unknown": 1}, 422, "/unknown"),
        ({"requested_on": "2026-02-30"}, 422, "/requested_on"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_the_place(caller, business, sqlite_database, change, status, pointer):
    answer = caller("super_user")("POST", "/orders", {**body(business), **change})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["errors"][0]["pointer"] == pointer
    assert count(sqlite_database) == 0


@pytest.mark.parametrize("quantity", [12, "1e3x", "NaN", "0.0001", "-", ""])
def test_a_quantity_is_a_string_that_is_a_number(caller, business, quantity):
    answer = caller("super_user")("POST", "/orders", body(business, (0, quantity)))
    assert answer.json["errors"][0]["pointer"] == "/lines/0/quantity"


def test_a_closed_cell_names_the_wave_and_what_it_waits_for(caller, business, sqlite_database):
    answer = caller("super_user")("POST", "/orders", body(business, site=a_closed_site(business)))
    assert (answer.status_code, answer.json["code"]) == (422, "cell_closed")
    assert "wave W2 waits for the go of its committee" in answer.json["detail"]
    assert count(sqlite_database) == 0


def test_another_price_is_held_until_somebody_else_has_looked_at_it(caller, business):
    order = body(business)
    order["lines"][0] |= {"unit_price": "9.00", "price_reason": "promised"}
    desk = caller("super_user")
    answer = desk("POST", "/orders", order)
    assert (answer.status_code, answer.json["state"]) == (201, "held")
    (hold,) = answer.json["holds"]
    assert hold["kind"] == "price"
    refused = desk("POST", f"/orders/{answer.json['id']}/holds/{hold['id']}/release", {"reason": "my own word"})
    assert refused.status_code == 403


def test_a_token_of_another_site_finds_nothing(caller, business):
    order, _, invoice = invoiced(business)
    stranger = caller("super_user", sites=frozenset({a_closed_site(business)}))
    assert stranger("GET", f"/orders/{order.id}").status_code == 404
    assert stranger("GET", f"/invoices/{invoice.id}").status_code == 404
    assert stranger("POST", f"/orders/{order.id}/release", If_Match='"1"').status_code == 404
    assert stranger("POST", "/orders", body(business)).status_code == 404
    assert stranger("GET", f"/sites/{business.site}/stock/{business.items[0]}").status_code == 404
    assert stranger("GET", "/orders").json == {"items": [], "next": None}


def test_a_move_without_the_version_read_is_refused(caller, business):
    order = captured(business)
    desk = caller("super_user")
    assert desk("POST", f"/orders/{order.id}/release").status_code == 428
    assert desk("POST", f"/orders/{order.id}/release", If_Match='"9"').status_code == 412
    assert desk("GET", f"/orders/{order.id}").json["state"] == "captured"


def test_a_list_is_read_part_by_part(caller, business):
    made = [captured(business).id for _ in range(3)]
    desk = caller("super_user")
    first = desk("GET", "/orders?limit=2").json
    rest = desk("GET", f"/orders?limit=2&cursor={first['next']}").json
    assert [one["id"] for one in first["items"] + rest["items"]] == made
    assert rest["next"] is None
    assert desk("GET", "/orders?cursor=nonsense").status_code == 400


def test_stock_is_received_adjusted_and_counted(caller, business, sqlite_database):
    shelf = {"site": business.site, "item": business.items[0]}
    worker = caller("warehouse_supervisor")
    assert (
        worker("POST", "/stock/receipts", {**shelf, "quantity": "20", "reason": "note 7"}).json["on_hand"] == "120.000"
    )
    assert worker("POST", "/stock/receipts", {**shelf, "quantity": "-1", "reason": "x"}).json["pointer"] == "/quantity"
    assert (
        worker("POST", "/stock/adjustments", {**shelf, "quantity": "-5", "reason": "broken"}).json["available"]
        == "115.000"
    )
    counted = worker("POST", "/stock/counts", {**shelf, "found": "110"}).json
    assert (counted["difference"], counted["balance"]["value"]) == ("-5.000", None), "costs are not for the warehouse"
    place = f"/sites/{shelf['site']}/stock/{shelf['item']}"
    assert caller("site_lead")("GET", place).json["value"] == "440.00"
    short = worker("POST", "/stock/adjustments", {**shelf, "quantity": "-999", "reason": "lost"})
    assert (short.status_code, short.json["code"]) == (422, "stock_short")
    assert len(worker("GET", "/stock?limit=2").json["items"]) == 2
    assert_books_agree(sqlite_database)


def test_a_hold_ends_by_authority_and_what_is_open_is_cancelled(caller, business):
    order = released(business)
    desk, lead = caller("customer_service"), caller("site_lead")
    here = f"/orders/{order.id}"
    held = desk(
        "POST", f"{here}/hold", {"kind": "address", "reason": "no number"}, If_Match=desk("GET", here).headers["ETag"]
    )
    assert held.json["state"] == "held"
    strange = desk("POST", f"{here}/hold", {"kind": "mood", "reason": "x"}, If_Match=held.headers["ETag"])
    assert strange.json["code"] == "choice_unknown"
    hold = held.json["holds"][0]["id"]
    freed = lead("POST", f"{here}/holds/{hold}/release", {"reason": "found"})
    assert freed.json["state"] == "captured"
    gone = desk(
        "POST", f"{here}/cancel", {"reason": "changed mind", "by_customer": True}, If_Match=freed.headers["ETag"]
    )
    assert gone.json["state"] == "cancelled"


def test_a_return_runs_to_its_credit(caller, business, sqlite_database):
    order, _, _ = invoiced(business)
    desk, lead, store, billing = (caller(role) for role in ("super_user", "site_lead", "warehouse_operator", "billing"))
    back = {**body(business, (0, "2")), "reason": "damaged", "fault": "ours"}
    back["lines"][0]["order_line"] = order.lines[0].id
    made = desk("POST", "/returns", back)
    assert made.status_code == 201, made.json
    assert (made.status_code, made.json["lines"][0]["order_id"]) == (201, order.id)
    here = f"/returns/{made.json['id']}"

    def step(call, move, *content):
        answer = call("POST", f"{here}/{move}", *content, If_Match=call("GET", here).headers["ETag"])
        assert answer.status_code == 200, answer.json
        return answer

    step(lead, "authorise")
    line = made.json["lines"][0]["id"]
    other = [{"item": business.items[1], "quantity": "1"}]
    came = step(store, "receive", {"came": [{"line": line, "quantity": "3"}], "others": other}).json
    assert [(one["asked"], one["quantity"], one["unlinked"]) for one in came["lines"]] == [
        ("2.000", "3.000", None), ("0.000", "1.000", "no earlier sale"),
    ]  # fmt: skip
    wrong = {"findings": [{"line": line, "quantity": "3", "disposition": "eaten"}]}
    strange = store("POST", f"{here}/inspect", wrong, If_Match=f'"{came["version"]}"')
    assert (strange.status_code, strange.json["code"]) == (422, "choice_unknown")
    found = [{"line": line, "quantity": "1", "disposition": word} for word in ("restock", "scrap", "supplier")]
    step(store, "inspect", {"findings": found, "note": "one is bent"})
    step(desk, "replacement", {"lines": [{"item": business.items[1], "quantity": "2"}]})
    instead = desk("GET", f"/orders/{desk('GET', here).json['replacement_order_id']}").json
    assert [(one["item_id"], one["quantity"]) for one in instead["lines"]] == [(business.items[1], "2.000")]
    paper = desk("GET", f"{here}/label").json
    assert (paper["file_name"], b64decode(paper["pdf"])[:5]) == (f"return-{made.json['number']}.pdf", b"%PDF-")
    answer = step(billing, "credit")
    assert answer.json["state"] == "credited"
    memo = billing("GET", f"/credit-memos/{answer.json['credit_memo_id']}").json
    assert [(one["quantity"], one["is_fee"]) for one in memo["lines"]] == [("3.000", False), ("1.000", False)]
    assert_books_agree(sqlite_database)


def test_a_return_that_nobody_sends_is_given_up_and_one_that_comes_whole_needs_no_words(caller, business):
    order, _, _ = invoiced(business)
    desk, lead, store = (caller(role) for role in ("super_user", "site_lead", "warehouse_operator"))
    back = {**body(business, (0, "2")), "reason": "damaged", "fault": "ours"}
    back["lines"][0]["order_line"] = order.lines[0].id
    for steps, state in ((("give-up",), "declined"), (("receive", "inspect"), "inspected")):
        here = f"/returns/{desk('POST', '/returns', back).json['id']}"
        for call, move in ((lead, "authorise"), *((store, step) for step in steps)):
            words = [{"reason": "not sent"}] if move == "give-up" else []
            answer = call("POST", f"{here}/{move}", *words, If_Match=call("GET", here).headers["ETag"])
            assert answer.status_code == 200, answer.json
        assert answer.json["state"] == state


def test_a_return_outside_of_its_policy_needs_a_reason_and_waits(caller, business):
    order, _, _ = invoiced(business)
    business.clock.advance(timedelta(days=45))
    desk, lead = caller("super_user"), caller("site_lead")
    back = {**body(business, (0, "2")), "reason": "not wanted", "fault": "customer", "condition": "opened"}
    back["lines"][0]["order_line"] = order.lines[0].id
    strange = desk("POST", "/returns", {**back, "condition": "eaten"})
    assert (strange.status_code, strange.json["code"]) == (422, "choice_unknown")
    made = desk("POST", "/returns", back).json
    assert made["policy"] == {
        "days": 45, "window": 30, "accepts": "any", "approval": "somebody", "exception": "second_person", "against": ["window"],
        "fee": 0,
    }  # fmt: skip
    here = f"/returns/{made['id']}"
    refused = lead("POST", f"{here}/authorise", If_Match=f'"{made["version"]}"')
    assert (refused.status_code, refused.json["code"]) == (422, "return_outside_policy")
    asked = lead("POST", f"{here}/authorise", {"reason": "a good customer"}, If_Match=f'"{made["version"]}"').json
    assert (asked["state"], asked["condition"]) == ("waiting", "opened")
    found = caller("process_owner")("GET", f"/approvals/{asked['approval_request_id']}").json
    assert (found["kind"], found["state"]) == ("return_outside", "waiting")


def test_holds_are_listed_with_who_may_end_them_and_end_one_by_one(caller, business, sqlite_database):
    orders = [captured(business) for _ in range(2)]
    desk, lead = caller("customer_service"), caller("site_lead")
    for order in orders:
        desk("POST", f"/orders/{order.id}/hold", {"kind": "export", "reason": "licence?"}, If_Match='"1"')
    assert [one["may_release"] for one in desk("GET", "/holds").json["items"]] == [False, False]
    listed = lead("GET", "/holds?mine=true&kind=export").json["items"]
    assert [(one["kind"], one["reason"], one["may_release"], one["is_overdue"]) for one in listed] == [
        ("export", "licence?", True, False)
    ] * 2
    wanted = [listed[0]["id"], 1, listed[1]["id"]]
    done = lead("POST", "/holds/release", {"holds": wanted, "reason": "licence came"}).json
    assert done["ended"] == 2
    assert [one["code"] for one in done["results"]] == [None, "hold_unknown", None]
    again = lead("POST", "/holds/release", {"holds": wanted[:1], "reason": "licence came"}).json
    assert [one["code"] for one in again["results"]] == ["hold_ended"]
    assert desk("POST", "/holds/release", {"holds": wanted, "reason": "x"}).status_code == 403
    assert {lead("GET", f"/orders/{order.id}").json["state"] for order in orders} == {"captured"}


def test_the_same_order_again_needs_a_reason_and_the_same_call_again_is_the_first(caller, business, sqlite_database):
    desk = caller("super_user")
    first = desk("POST", "/orders", body(business), Idempotency_Key="order-4711")
    refused = desk("POST", "/orders", body(business))
    assert (refused.status_code, refused.json["confirm"]) == (409, "order_duplicate")
    assert first.json["number"] in refused.json["detail"]
    assert count(sqlite_database) == 1
    again = desk("POST", "/orders", body(business), Idempotency_Key="order-4711")
    assert (again.json["id"], again.headers["Idempotent-Replayed"]) == (first.json["id"], "true")
    other = desk("POST", "/orders", body(business, (0, "13")), Idempotency_Key="order-4711")
    assert (other.status_code, other.json["code"]) == (409, "request_key_reused")
    accept = [{"code": "order_duplicate", "reason": "a second van"}]
    assert desk("POST", "/orders", body(business, accept=accept)).status_code == 201
    assert count(sqlite_database) == 2
    bulk = {"policy": "per_order", "orders": [body(business), body(business, (1, "5"))]}
    answer = desk("POST", "/orders/bulk", bulk).json
    assert [one["code"] for one in answer["results"]] == ["order_duplicate", None]
    assert count(sqlite_database) == 3


def test_a_paper_of_a_fallback_is_entered_with_its_times(caller, business, sqlite_database, clock):
    with business.work() as work:
        declare_fallback(work, business.site, reason="no power")
    began = clock.now()
    clock.advance(timedelta(hours=3))
    desk = caller("super_user")
    sent = {
        "channel": business.channel, "customer": business.customer, "number": "P-17",
        "taken_at": (began + timedelta(minutes=20)).isoformat(), "left_at": (began + timedelta(minutes=50)).isoformat(),
        "lines": [{"item": business.items[0], "quantity": "12", "left": "10"}],
    }  # fmt: skip
    refused = desk("POST", "/orders", body(business))
    assert (refused.status_code, refused.json["code"]) == (422, "cell_closed")
    early = desk("POST", f"/sites/{business.site}/paper-orders", {**sent, "taken_at": "2026-03-01T08:00:00Z"})
    assert (early.status_code, early.json["code"]) == (422, "paper_without_fallback")
    assert caller("customer_service")("POST", f"/sites/{business.site}/paper-orders", sent).status_code == 403
    assert count(sqlite_database) == 0
    made = desk("POST", f"/sites/{business.site}/paper-orders", sent)
    assert made.status_code == 201
    assert (made.json["number"], made.json["captured_at"], made.json["lines"][0]["shipped"]) == (
        "P-17", "2026-03-02T09:20:00Z", "10.000",
    )  # fmt: skip
    rest = desk(
        "POST", f"/orders/{made.json['id']}/paper-shipment", {"left_at": clock.now().isoformat(), "number": "D-4"}
    )
    assert (rest.status_code, rest.json["lines"][0]["shipped"]) == (200, "12.000")
    assert_books_agree(sqlite_database)


def test_capture_and_release_by_api_ask_the_database_for_no_page(caller, business, sqlite_database):
    """Who answers programs at speed reads the order as it stands, not its history; every statement counts at sixty a second."""
    desk = caller("super_user")
    with queries(sqlite_database) as ran:
        made = desk("POST", "/orders", body(business, (0, "1"), (1, "2"), (2, "3")), Idempotency_Key="counted-capture")
    assert made.status_code == 201
    captured = len(ran)
    with queries(sqlite_database) as ran:
        here = f"/orders/{made.json['id']}/release"
        answer = desk("POST", here, If_Match=made.headers["ETag"], Idempotency_Key="counted-release")
    assert answer.json["state"] == "released"
    assert captured <= MOST_TO_CAPTURE
    assert len(ran) <= MOST_TO_RELEASE
