"""Quotes on screen without script: written, sent, approved by another, accepted once; what is refused keeps what was typed."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.support.archive import broken_rules
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import a_closed_site, open_cells
from tests.support.policies import approve
from tests.support.pricing import an_entered
from tests.support.queries import MOST, queries
from tests.support.quotes import entered, sent


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def desk(signed_in, business):
    return signed_in("customer_service")


def count(database, table):
    with reading(database) as session:
        return session.scalar(text(f"SELECT COUNT(*) FROM {table}"))


def state_of(database, quote):
    with reading(database) as session:
        return tuple(session.execute(text("SELECT state, version FROM quote WHERE id = :key"), {"key": quote}).one())


def fields(browser, press, *lines, **more):
    page = browser.page
    out = {"customer": "10482", "request_key": page.value("request_key"), "press": press, **more}
    for name in ("site", "channel"):
        found = page.root.find("select", name=name)
        if found:
            out[name] = next(o.attributes["value"] for o in found[0].find("option") if "selected" in o.attributes)
    out.setdefault("last_day", page.value("last_day"))
    for number, line in enumerate(lines):
        for name, value in zip(("item", "quantity", "unit_price", "price_reason"), line, strict=False):
            out[f"lines-{number}-{name}"] = value
    return out


def test_a_quote_is_written_sent_and_accepted_and_the_order_names_it(desk, sqlite_database):
    page = desk.get("/quotes/new")
    # A month from 2 March.
    assert page.value("last_day") == "2026-04-02"
    page = desk.post("/quotes/new", fields(desk, "enter", ("40-0", "12"), note="free delivery"))
    assert page.heading.startswith("Quote QU-")
    assert "120.00 EUR" in page.text
    assert "free delivery" in page.text
    quote = int(desk.path.rsplit("/", 1)[1])
    page = desk.post(f"/quotes/{quote}/send", {"version": "1"})
    assert "32 days left" in page.text
    page = desk.get(f"/quotes/{quote}/accept")
    form = {"version": page.value("version"), "request_key": page.value("request_key"), "customer_reference": "PO-7"}
    page = desk.post(f"/quotes/{quote}/accept", form)
    assert page.heading.startswith("Order SO-")
    assert f"/quotes/{quote}" in page.links()
    order = desk.path
    # The same form again, as after a lost answer.
    desk.get(f"/quotes/{quote}")
    desk.post(f"/quotes/{quote}/accept", form)
    assert desk.path == order
    assert count(sqlite_database, "sales_order") == 1
    assert_books_agree(sqlite_database)


def test_the_second_person_is_told_which_order_it_has_become(desk, signed_in, business, sqlite_database):
    quote = sent(business)
    other = signed_in("site_lead")
    mine, theirs = desk.get(f"/quotes/{quote.id}/accept"), other.get(f"/quotes/{quote.id}/accept")
    desk.post(f"/quotes/{quote.id}/accept", {"request_key": mine.value("request_key")})
    page = other.post(f"/quotes/{quote.id}/accept", {"request_key": theirs.value("request_key")}, status=422)
    assert page.errors() == [
        f"{quote.number} was accepted before and has become order SO-{quote.journey_id}. Open that order; enter a new one if the customer wants more."
    ]  # fmt: skip
    assert count(sqlite_database, "sales_order") == 1


def test_an_entered_price_is_approved_by_somebody_else(desk, signed_in, business, sqlite_database):
    desk.get("/quotes/new")
    desk.post("/quotes/new", fields(desk, "enter", ("40-0", "10", "9.00", "agreed by telephone")))
    quote = int(desk.path.rsplit("/", 1)[1])
    page = desk.post(f"/quotes/{quote}/send", {"version": "1"})
    assert "Its prices wait for approval" in page.text
    assert "10.00 EUR less than the rules’ prices" in page.text
    assert "You entered or sent these prices, so a colleague decides." in page.text
    assert "Of medium materiality or higher, one person who may approve" in page.text
    refused = desk.post(f"/quotes/{quote}/approve", {"version": "2"}, status=403)
    assert refused.heading == "You may not do this"
    assert state_of(sqlite_database, quote) == ("waiting", 2)
    lead = signed_in("site_lead")
    page = lead.get(f"/quotes/{quote}")
    # Who may see costs sees the margin: 4.00 of 9.00 is the cost.
    assert "55.5 %" in page.text
    page = lead.post(f"/quotes/{quote}/approve", {"version": "2"})
    assert "The quote is sent: the prices are approved." in page.text
    assert "Its prices were approved" in page.text


def test_costs_and_margins_are_for_who_may_see_them(desk, business):
    quote = sent(business)
    page = desk.get(f"/quotes/{quote.id}")
    assert "Margin" not in page.text
    # The rules say in general what a margin is; of this quote nothing is said.
    (rules,) = page.root.find("section", **{"aria-labelledby": "rules"})
    assert "cost" not in page.text.replace(rules.text, "").lower().replace("customer", "")


def test_a_draft_is_changed_and_what_somebody_else_changed_meanwhile_is_not_lost(desk, business):
    quote = entered(business, [(0, 10), (1, 5)])
    page = desk.get(f"/quotes/{quote.id}/change")
    assert [page.value("lines-0-item"), page.value("lines-0-quantity"), page.value("lines-1-item")] == [
        "40-0",
        "10",
        "40-1",
    ]
    form = fields(desk, "enter", ("40-0", "20"), version=page.value("version"))
    page = desk.post(f"/quotes/{quote.id}/change", form)
    assert "200.00 EUR" in page.text
    desk.get(f"/quotes/{quote.id}/change")
    page = desk.post(f"/quotes/{quote.id}/change", {**form, "lines-0-quantity": "30"}, status=409)
    assert page.errors() == [
        "Somebody changed this since you opened it. Load it again to see both, then repeat your step."
    ]
    assert page.value("lines-0-quantity") == "30"


def test_a_quote_that_is_over_says_so_before_the_job_came_by_and_is_revised(desk, business, clock):
    quote = sent(business)
    clock.set(clock.now().replace(day=12))
    desk.sign_in(desk.who)
    page = desk.get(f"/quotes/{quote.id}")
    assert "Its last day has passed." in page.text
    page = desk.get(f"/quotes/{quote.id}/accept")
    page = desk.post(f"/quotes/{quote.id}/accept", {"request_key": page.value("request_key")}, status=422)
    assert "Revise it: the new revision has the prices of today." in page.errors()[0]
    page = desk.post(f"/quotes/{quote.id}/revise", {"version": "2"})
    assert page.heading.startswith(f"Quote {quote.number} / 2")


def test_declining_without_a_reason_is_refused_at_its_field(desk, business):
    quote = sent(business)
    desk.get(f"/quotes/{quote.id}/decline")
    page = desk.post(f"/quotes/{quote.id}/decline", {"version": "2", "by_customer": "y"}, status=422)
    assert page.errors() == ["Reason: Say why"]
    page = desk.post(f"/quotes/{quote.id}/decline", {"version": "2", "by_customer": "y", "reason": "too dear"})
    assert "too dear" in page.text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"last_day": ""}, "Say until which day the prices hold"),
        ({"last_day": "2026-03-01"}, "at least a day from today"),
        ({"last_day": "2027-03-02"}, "at most 365 days"),
        ({"last_day": "2026-02-30"}, "Enter a day that there is"),
        ({"lines-0-quantity": "-1"}, "is not above zero"),
        ({"customer": "nobody"}, "No customer has this code or name."),
    ],
)
def test_a_quote_that_cannot_be_is_refused_at_its_field_and_stays_typed(desk, sqlite_database, change, said):
    desk.get("/quotes/new")
    page = desk.post("/quotes/new", {**fields(desk, "enter", ("40-0", "12")), **change}, status=422)
    assert any(said in error for error in page.errors()), page.errors()
    assert page.value("lines-0-item") == "40-0"
    assert count(sqlite_database, "quote") == 0


def test_the_list_and_its_file_hold_what_the_filter_asks_for(desk, business):
    first, second = sent(business, customer_reference="B-1"), entered(business, [(1, 3)])
    page = desk.get("/quotes?state=sent")
    assert first.number in page.text
    assert second.number not in page.text
    assert "B-1" in page.text
    assert second.number in desk.get(f"/quotes?text={second.number}").text
    assert first.number not in desk.get("/quotes?ending=1").text
    answer = desk.client.get("/quotes.csv?state=sent")
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert rows[1][:3] == [first.number, "1", "B-1"]
    assert rows[1][10:] == ["2026-03-11", "1", "100.00", "EUR"]
    assert len(rows) == 2
    assert desk.client.get("/quotes.xlsx").status_code == 200


def test_the_paper_is_a_pdf_that_is_the_same_each_time(desk, business):
    quote = sent(business, [(0, 10), an_entered(business, "10", quantity=2)])
    first = desk.client.get(f"/quotes/{quote.id}/quote.pdf")
    assert broken_rules(first.data) == []
    assert first.headers["Content-Disposition"] == f'inline; filename="quote-{quote.number}.pdf"'
    assert desk.client.get(f"/quotes/{quote.id}/quote.pdf").data == first.data


def test_quotes_of_another_site_are_not_there(signed_in, business):
    quote = sent(business)
    other = signed_in("customer_service", site=a_closed_site(business))
    other.get(f"/quotes/{quote.id}", status=404)
    assert quote.number not in other.get("/quotes").text


def test_who_only_reads_may_not_write(signed_in, business):
    reader = signed_in("billing")
    assert "New quote" not in reader.get("/quotes").text
    reader.get("/quotes/new", status=403)


def test_the_pages_ask_few_questions(desk, business, sqlite_database):
    quote = sent(business, [(0, 10), (1, 2), (2, 3)])
    for path in ("/quotes", f"/quotes/{quote.id}", "/quotes/new"):
        with queries(sqlite_database) as asked:
            desk.get(path)
        assert len(asked) <= MOST, (path, len(asked))


def test_the_search_leads_to_a_quote_by_its_number(desk, business):
    quote = sent(business)
    assert desk.get(f"/search?q={quote.number}").heading == f"Quote {quote.number} · Bautechnik"


def test_a_quote_stays_a_quote_while_it_is_typed(desk):
    desk.get("/quotes/new")
    typed = {**fields(desk, "", ("40-0", "12")), "csrf_token": desk.page.value("csrf_token")}
    offers = desk.page.value("offers")
    answer = desk.client.post("/orders/new/quote", data={**typed, "offers": offers})
    assert "This quote, net" in answer.text
    assert "This order, net" not in answer.text
    desk.get("/orders/new")
    assert not desk.page.root.find("input", name="offers")
    assert "This order, net" in desk.client.post("/orders/new/quote", data=typed).text


def test_a_quote_shows_the_rules_it_was_priced_under_and_where_each_came_from(desk, business):
    approve(business, "price_tolerance_permille", 25, entity=business.entity)
    offered = sent(business)
    approve(business, "rush_rule", "refuse", entity=business.entity)
    page = desk.get(f"/quotes/{offered.id}")
    (card,) = page.root.find("section", **{"aria-labelledby": "rules"})
    assert "1 not the standard" in card.text
    assert "Price tolerance2.5 % V-1, Nordhaus GmbH" in card.text
    assert "Stamped when its prices were found" in card.text
