"""A rush is served before the lead time, where the rules allow it: promised from what is there, picked first, and charged for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.masterdata.services import ensure_item_group
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments
from erpcore.orders.models import ChangeKind
from erpcore.orders.quotes.services import ChangeQuote, change_quotes, revise_quotes, send_quotes
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import NewLine, capture_orders
from tests.support.charges import a_charge
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import a_task
from tests.support.policies import approve
from tests.support.pricing import a_price, save
from tests.support.quotes import WRITER, accept, entered, sent, terms
from tests.support.rows import rows
from tests.support.trader import fingerprint_of

TODAY, COMMITTED = date(2026, 3, 2), date(2026, 3, 4)


def rushed(business, *lines, rush=True, **more):
    wanted = lines or (NewLine(item=business.items[0], quantity=Decimal(10)),)
    with business.work() as work:
        command = replace(business.order(), lines=list(wanted), rush=rush, **more)
        return capture_orders(work, [command], rules=RULES, cells=OPEN)[0]


def dates(order):
    return [(line.committed_on, line.first_promised_on, line.is_rush) for line in order.lines]


def test_a_rush_is_promised_from_what_is_there_and_keeps_the_committed_day(database):
    business = a_business(database)
    order = rushed(business)
    assert dates(order) == [(COMMITTED, TODAY, True)]
    assert dates(rushed(business, rush=False)) == [(COMMITTED, COMMITTED, False)]
    wish = date(2026, 3, 3)
    assert rushed(business, requested_on=wish).lines[0].promised_on == wish
    assert_books_agree(database)


def test_a_rush_of_what_is_not_there_is_promised_when_it_is(database):
    business = a_business(database, items=1, stock=0)
    (line,) = rushed(business).lines
    assert (line.promised_on, line.promise_reason) == (date(2026, 3, 9), "lead_time")


def test_one_line_of_an_order_is_a_rush_by_itself(database):
    business = a_business(database)
    lines = [NewLine(item=business.items[n], quantity=Decimal(1), rush=n == 1) for n in range(2)]
    assert dates(rushed(business, *lines, rush=False)) == [(COMMITTED, COMMITTED, False), (COMMITTED, TODAY, True)]


def test_its_task_is_urgent_and_that_of_another_order_is_not(database):
    business = a_business(database)
    usual, urgent = rushed(business, rush=False), rushed(business)
    with business.work() as work:
        release_orders(work, [usual.id, urgent.id], rules=RULES, cells=OPEN)
        allocate_orders(work, [usual.id, urgent.id], rules=RULES, cells=OPEN)
    assert [a_task(business, order)[0].priority for order in (usual, urgent)] == [5, 1]


def test_a_refused_rush_is_named_and_nothing_is_taken(database):
    business = a_business(database)
    with business.work() as work:
        group = ensure_item_group(work, "tiles", "Tiles").id
        work.session.connection().exec_driver_sql(f"UPDATE item SET group_id = {group} WHERE id = {business.items[1]}")
    approve(business, "rush_rule", "refuse", site=business.site, item_group=group)
    before = fingerprint_of(database)
    lines = [NewLine(item=business.items[n], quantity=Decimal(1), rush=True) for n in range(2)]
    with pytest.raises(RuleBroken, match="rush_refused") as refused:
        rushed(business, *lines, rush=False)
    assert (refused.value.field, refused.value.facts["item"]) == ("lines-1-rush", "40-1")
    assert fingerprint_of(database) == before
    assert dates(rushed(business))[0][2]


def test_a_rush_with_a_charge_has_it_once_as_a_line_at_its_price(database):
    business = a_business(database)
    approve(business, "rush_rule", "allow_with_charge")
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken, match="rush_charge_missing"):
        rushed(business)
    assert fingerprint_of(database) == before
    item = a_charge(business, "RUSH", price=None, is_rush=True)
    with pytest.raises(RuleBroken, match="rush_charge_unpriced") as refused:
        rushed(business)
    assert (refused.value.field, refused.value.facts) == ("rush", {"item": "RUSH"})
    assert rows(database, "SELECT COUNT(*) FROM sales_order") == [(0,)]
    a_charge(business, "RUSH", price="25.00", is_rush=True)
    order = rushed(business, *(NewLine(item=business.items[n], quantity=Decimal(1)) for n in range(2)))
    assert [(line.item_id, line.kind, line.value_minor, line.is_rush) for line in order.lines] == [
        (business.items[0], "stock", 1_000, True), (business.items[1], "stock", 1_000, True), (item, "charge", 2_500, False),
    ]  # fmt: skip
    assert order.value_minor == 4_500
    assert dates(order)[-1] == (COMMITTED, TODAY, False), "as the goods that it leaves with"
    assert len(rushed(business, rush=False).lines) == 1
    later, soon = date(2026, 3, 20), date(2026, 3, 10)
    lines = [
        NewLine(item=business.items[0], quantity=Decimal(1)),
        NewLine(item=business.items[1], quantity=Decimal(1), rush=True, requested_on=soon),
    ]
    goods, rush, charge = rushed(business, *lines, rush=False, requested_on=later).lines
    assert (goods.requested_on, rush.requested_on, charge.requested_on) == (later, soon, soon)
    assert charge.first_promised_on == rush.first_promised_on
    assert_books_agree(database)


def test_another_quantity_of_a_rush_line_is_still_a_rush(database):
    business = a_business(database)
    order = rushed(business)
    change = Amend(kind=ChangeKind.QUANTITY, line=order.lines[0].id, quantity=Decimal(20))
    with business.work() as work:
        command = StageAmendment(order=order.id, by_customer=True, reason="called", changes=[change])
        (staged,) = stage_amendments(work, [command], rules=RULES, cells=OPEN)
        (order,) = apply_amendments(work, [staged.id], rules=RULES, cells=OPEN)
    assert order.lines[0].promised_on == TODAY
    assert rows(database, "SELECT quantity, CASE WHEN is_rush THEN 1 ELSE 0 END FROM order_line") == [(20_000, 1)]


def offered(business, quote):
    query = "SELECT i.code, q.value_minor, q.is_rush, q.is_rush_charge, q.promised_on FROM quote_line q JOIN item i ON i.id = q.item_id WHERE q.quote_id = :of ORDER BY q.line_no"
    found = rows(business.database, query, of=quote.id)
    return [(code, value, bool(rush), bool(charge), str(day)) for code, value, rush, charge, day in found]


def test_a_quote_offers_a_rush_with_its_charge_and_its_order_has_both_whatever_the_rules_say_by_then(database):
    business = a_business(database)
    approve(business, "rush_rule", "allow_with_charge", site=None, entity=business.entity)
    charge = a_charge(business, "RUSH", price="25.00", is_rush=True)
    quote = sent(business, rush=True)
    assert offered(business, quote) == [
        ("40-0", 10_000, True, False, str(TODAY)), ("RUSH", 2_500, False, True, str(TODAY)),
    ]  # fmt: skip
    assert quote.value_minor == 12_500
    save(business, a_price(business, "40.00", item=charge, customer=business.customer))
    approve(business, "rush_rule", "refuse", site=business.site)
    order = accept(business, quote)
    assert [(line.value_minor, line.price_source, line.is_rush, line.promised_on) for line in order.lines] == [
        (10_000, "quote", True, TODAY), (2_500, "quote", False, TODAY),
    ]  # fmt: skip
    assert order.value_minor == 12_500
    assert_books_agree(database)


def test_a_quote_that_was_offered_without_a_charge_has_none_when_it_is_accepted(database):
    business = a_business(database)
    quote = sent(business, [NewLine(item=business.items[n], quantity=Decimal(1), rush=n == 1) for n in range(2)])
    a_charge(business, "RUSH", price="25.00", is_rush=True)
    approve(business, "rush_rule", "allow_with_charge")
    order = accept(business, quote)
    assert [(line.value_minor, line.is_rush) for line in order.lines] == [(1_000, False), (1_000, True)]
    assert_books_agree(database)


def test_a_draft_whose_rush_has_come_to_cost_is_written_anew_before_it_is_sent(database):
    business = a_business(database)
    quote = entered(business, rush=True)
    a_charge(business, "RUSH", price="25.00", is_rush=True)
    approve(business, "rush_rule", "allow_with_charge")
    before = fingerprint_of(database)
    with pytest.raises(Conflict, match="quote_prices_moved") as refused, business.work(WRITER) as work:
        send_quotes(work, [quote.id], rules=RULES)
    assert refused.value.facts["line"] == 20
    assert fingerprint_of(database) == before
    with business.work(WRITER) as work:
        change_quotes(work, [ChangeQuote(quote=quote.id, terms=terms(business, rush=True))], rules=RULES)
    with business.work(WRITER) as work:
        (quote,) = send_quotes(work, [quote.id], rules=RULES)
        assert [line.is_rush_charge for line in quote.lines] == [False, True]
    with business.work(WRITER, source="screen") as work:
        (again,) = revise_quotes(work, [quote.id], rules=RULES)
    assert [one[:4] for one in offered(business, again)] == [
        ("40-0", 10_000, True, False),
        ("RUSH", 2_500, False, True),
    ]


def test_a_quote_of_a_rush_that_is_refused_is_not_written(database):
    business = a_business(database)
    approve(business, "rush_rule", "refuse")
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken, match="rush_refused") as refused:
        entered(business, rush=True)
    assert refused.value.field == "rush"
    assert fingerprint_of(database) == before
