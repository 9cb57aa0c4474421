"""The shortage page compares and carries out; substitutes and their approval on screens and over the API."""

from __future__ import annotations

from tests.db.core.test_sourcing import stocked
from tests.support.controls import assert_books_agree
from tests.support.policies import approve
from tests.support.steps import allocated
from tests.support.supply import a_supplier, column
from tests.support.warehouse import balance
from tests.web.test_purchasing import business

__all__ = ["business"]


def short(business):  # the fixture above
    """A released order of 130 of which 100 are there; the id of its line."""
    return allocated(business, [(0, 130)]).lines[0].id


def test_a_short_line_s_ways_are_compared_and_one_is_carried_out(signed_in, business):  # the fixture above
    line = short(business)
    a_supplier(business)
    desk, lead = signed_in("customer_service"), signed_in("site_lead")
    page = lead.get("/shortages")
    assert "Waits for" in page.text
    page = lead.get(f"/shortages/{line}")
    assert page.heading == "30 pc of 40-0 short · Bautechnik"
    assert "Order from Rohrwerk AG" in page.text
    assert "195.00" in page.text
    assert "195.00" not in desk.get(f"/shortages/{line}").text
    (supplier,) = column(business, "SELECT id FROM supplier")
    (version,) = column(business, "SELECT version FROM sales_order")
    typed = {"option": f"purchase:{supplier}", "reason": "", "version": str(version)}
    page = lead.post(f"/shortages/{line}", typed, status=422)
    assert page.errors()
    page = lead.post(f"/shortages/{line}", {**typed, "option": "allocate", "reason": "now"}, status=422)
    assert "not open for line" in page.errors()[0]
    page = lead.post(f"/shortages/{line}", {**typed, "reason": "the supplier is fast"})
    assert "Chosen before" in page.text
    assert "the supplier is fast" in page.text
    assert column(business, "SELECT quantity FROM purchase_order_line") == [30_000]
    assert_books_agree(business.database)


def test_a_substitute_is_kept_asked_for_and_approved_by_somebody_else(signed_in, business):  # the fixture above
    approve(business, "substitution_rule", "with_approval")
    line = short(business)
    owner, desk, lead = signed_in("data_owner"), signed_in("customer_service"), signed_in("site_lead")
    owner.get("/substitutes/new")
    page = owner.post("/substitutes/new", {"item": "40-0", "substitute": "40-9", "rank": "1"}, status=422)
    assert "No item has the code 40-9" in page.errors()[0]
    owner.post("/substitutes/new", {"item": "40-0", "substitute": "40-1", "rank": "1"})
    (version,) = column(business, "SELECT version FROM sales_order")
    desk.get(f"/shortages/{line}")
    desk.post(
        f"/shortages/{line}", {"option": f"substitute:{business.items[1]}", "reason": "short", "version": str(version)}
    )
    (hold,) = column(business, "SELECT id FROM order_hold")
    page = lead.get(f"/substitutions/{hold}")
    assert page.heading == "Send 40-1 Pipe 1 instead?"
    lead.post(f"/substitutions/{hold}", {"verdict": "approve", "reason": "the customer agrees"})
    assert column(business, "SELECT quantity FROM order_line WHERE replaces_id IS NOT NULL") == [30_000]
    assert "No substitute fits" in owner.post(f"/substitutes/{business.items[0]}/{business.items[1]}/drop", {}).text
    assert_books_agree(business.database)


def test_a_buyer_buys_for_a_short_line_and_leaves_to_the_desk_what_the_customer_gets_instead(signed_in, business):
    approve(business, "substitution_rule", "with_approval")
    line = short(business)
    supplier = a_supplier(business)
    owner, buyer, floor = signed_in("data_owner"), signed_in("buyer"), signed_in("warehouse_supervisor")
    owner.get("/substitutes/new")
    owner.post("/substitutes/new", {"item": "40-0", "substitute": "40-1", "rank": "1"})
    assert "Your role may not choose for a short line." in floor.get(f"/shortages/{line}").text
    (version,) = column(business, "SELECT version FROM sales_order")
    page = buyer.get(f"/shortages/{line}")
    assert "Your role may not choose" not in page.text
    assert "who answers to the customer offers something else" in page.text
    typed = {"option": f"substitute:{business.items[1]}", "reason": "alike", "version": str(version)}
    page = buyer.post(f"/shortages/{line}", typed, status=422)
    assert "who answers to the customer offers something else" in page.errors()[0]
    assert column(business, "SELECT COUNT(*) FROM order_line") == [1]
    page = buyer.post(f"/shortages/{line}", {**typed, "option": f"purchase:{supplier}", "reason": "fast"})
    assert "Chosen before" in page.text
    assert column(business, "SELECT quantity FROM purchase_order_line") == [30_000]
    assert_books_agree(business.database)


def test_a_program_compares_chooses_and_keeps_substitutes(caller, business):  # the fixtures above
    line = short(business)
    lead, owner = caller("site_lead"), caller("data_owner")
    stocked(business, business.site, 0, 12)
    found = lead("GET", f"/shortages/{line}")
    assert [(one["option"], one["covers"]) for one in found.json["ways"]] == [("split", "12.000"), ("wait", "30.000")]
    assert lead("POST", f"/shortages/{line}", {"option": "split", "reason": "x"}, version=99).status_code == 412
    done = lead("POST", f"/shortages/{line}", {"option": "split", "reason": "he waits"}, version=found.json["version"])
    assert (done.status_code, done.json["short"]) == (200, "18.000")
    assert balance(business) == (112, 112, 0, 0)
    assert [one["line_id"] for one in lead("GET", "/shortages").json["items"]] == [line]
    body = {"item": business.items[0], "substitute": business.items[1]}
    assert owner("POST", "/substitutes", body).json["count"] == 1
    assert owner("POST", "/substitutes", {**body, "substitute": business.items[0]}).json["code"] == "substitute_itself"
    assert owner("DELETE", f"/substitutes/{business.items[0]}/{business.items[1]}").status_code == 204
    assert owner("GET", "/substitutes").json == {"count": 0, "items": []}
    assert owner("DELETE", f"/substitutes/{business.items[0]}/{business.items[1]}").json["code"] == "substitute_unknown"
    assert_books_agree(business.database)


def test_who_may_not_read_costs_is_not_told_the_margin_by_the_order_of_a_list(signed_in, caller, business):
    (line,) = (short(business),)
    lead, desk = caller("site_lead"), caller("customer_service")
    (row,) = lead("GET", "/shortages?rank=margin").json["items"]
    assert (row["line_id"], row["margin"]) == (line, "180.00")
    assert lead("GET", "/shortages?rank=size").status_code == 422
    assert desk("GET", "/shortages?rank=margin").status_code == 403
    assert desk("GET", "/shortages?rank=credit").json["items"][0]["margin"] is None
    page = signed_in("site_lead").get("/shortages?sort=-margin")
    assert "Margin of what is missing" in page.text
    assert "180.00" in page.text
    page = signed_in("customer_service").get("/shortages?sort=-margin")
    assert "Margin" not in page.text
    assert not [link for link in page.links() if "margin" in link]
