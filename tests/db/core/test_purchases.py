"""Purchase orders: ordered, confirmed with other days and less, received, ended; what comes is promised from."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from erpcore.inventory.receiving import ChangeExpected, ReceivedLine, ReceiveGoods, change_expected, receive_goods
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, IllegalMove, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.rows import read_rows
from erpcore.masterdata import queries as known
from erpcore.masterdata.models import Item
from erpcore.masterdata.suppliers import NewSupplier, OfferItem, add_suppliers, block_supplier, offer_items
from erpcore.purchasing.services import (
    ConfirmedLine,
    ConfirmPurchase,
    EndPurchase,
    PlacePurchase,
    WantedLine,
    confirm_purchases,
    end_purchases,
    place_purchases,
)
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.supply import (
    BUYER,
    a_supplier,
    column,
    confirmed,
    expected_of,
    head,
    lines_of,
    ordered,
    row,
    took_in,
)
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of
from tests.support.warehouse import TODAY, balance, day, expected, second_site


def refused(business, code, act, actor=BUYER):
    """The act is refused with that code, and nothing has changed."""
    before = fingerprint_of(business.database)
    with pytest.raises((RuleBroken, Conflict, NotAllowed, NotFound)) as error, business.work(actor) as work:
        act(work)
    assert error.value.code == code
    assert fingerprint_of(business.database) == before


def placing(business, supplier, **line):
    """An act that orders one line."""
    wanted = WantedLine(**{"item": business.items[0], "quantity": Decimal(5), **line})
    command = PlacePurchase(site=business.site, supplier=supplier, lines=[wanted])
    return lambda work: place_purchases(work, [command], rules=RULES, cells=OPEN)


def ended(business, purchase, reason="no longer needed"):
    with business.work(BUYER) as work:
        end_purchases(work, [EndPurchase(purchase=purchase.id, reason=reason)])


def test_what_is_ordered_is_priced_numbered_and_expected_at_the_site(database):
    business = a_business(database)
    supplier = a_supplier(business, prices=(("3.50", 0), ("2.25", 1)))
    purchase = ordered(business, supplier, ((0, 20), (1, 8)))
    stored = head(business, purchase)
    assert (stored.number, stored.state, stored.value_minor) == ("PO-2026-000001", "ordered", 20 * 350 + 8 * 225)
    came = expected_of(business, purchase)
    assert (came.quantity, came.source, came.number, came.supplier) == (
        20_000,
        "purchase_order",
        "PO-2026-000001",
        "Rohrwerk AG",
    )
    assert str(came.expected_on) == day(5).isoformat()
    assert column(business, "SELECT type FROM event_log WHERE subject_type = 'purchase'") == ["purchase.ordered"]
    assert_books_agree(database)


def test_a_confirmation_of_many_lines_asks_no_more_than_one_of_a_few(database, monkeypatch):
    business = a_business(database, items=8)
    supplier = a_supplier(business, prices=[("3.50", item) for item in range(8)])

    def asked(count):
        purchase = ordered(business, supplier, [(item, 20) for item in range(count)])
        said = [ConfirmedLine(line=line.id, on=TODAY + timedelta(days=6)) for line in purchase.lines]
        looked: list[object] = []
        with monkeypatch.context() as patch, business.work(BUYER) as work:
            patch.setattr(
                known, "read_rows", lambda w, table, *a, **k: looked.append(table) or read_rows(w, table, *a, **k)
            )
            confirm_purchases(work, [ConfirmPurchase(purchase=purchase.id, lines=said)])
        return looked.count(Item)

    assert (asked(2), asked(8)) == (1, 1)


def test_the_supplier_s_first_word_is_kept_and_its_later_one_moves_what_is_expected(database):
    business = a_business(database)
    purchase = ordered(business, a_supplier(business))
    confirmed(business, purchase, 7)
    confirmed(business, purchase, 11, 15)
    line = row(business, "SELECT * FROM purchase_order_line WHERE purchase_id = :key", key=purchase.id)
    dates = [str(value) for value in (line.requested_on, line.first_confirmed_on, line.confirmed_on)]
    assert dates == [day(5).isoformat(), day(7).isoformat(), day(11).isoformat()]
    came = expected_of(business, purchase)
    assert (str(came.expected_on), came.cancelled) == (day(11).isoformat(), 5000)
    assert head(business, purchase).confirmation == "AB 9"
    types = column(business, "SELECT type FROM event_log WHERE subject_type = 'purchase' ORDER BY seq")
    assert types == ["purchase.ordered", "purchase.confirmed", "purchase.reconfirmed"]
    assert_books_agree(database)


def test_goods_come_in_parts_and_the_last_part_settles_the_order(database):
    business = a_business(database, stock=0)
    purchase = ordered(business, a_supplier(business))
    took_in(business, purchase, 12)
    assert (head(business, purchase).state, lines_of(business, purchase)) == ("ordered", [(20, 12, 0)])
    took_in(business, purchase, 8)
    assert (head(business, purchase).state, lines_of(business, purchase)) == ("received", [(20, 20, 0)])
    assert balance(business) == (20, 0, 0, 0)
    # Received at the standard cost of 4.00 against goods received, not invoiced.
    owed = "SELECT SUM(l.credit_minor) FROM journal_line l JOIN ledger_account a ON a.id = l.account_id WHERE a.role = 'received_not_invoiced'"
    assert column(business, owed) == [8000]
    assert_books_agree(database)


def test_a_supplier_that_falls_short_is_settled_by_the_last_paper(database):
    business = a_business(database, stock=0)
    purchase = ordered(business, a_supplier(business))
    done = took_in(business, purchase, 17, last=True)
    assert done.discrepancies == ["short"]
    assert (head(business, purchase).state, lines_of(business, purchase)) == ("received", [(20, 17, 3)])
    assert_books_agree(database)


def test_an_open_order_is_cancelled_and_one_that_has_begun_to_come_is_closed(database):
    business = a_business(database, stock=0)
    supplier = a_supplier(business)
    first, second = ordered(business, supplier), ordered(business, supplier)
    ended(business, first)
    took_in(business, second, 4)
    ended(business, second)
    assert (head(business, first).state, lines_of(business, first)) == ("cancelled", [(20, 0, 20)])
    assert (head(business, second).state, lines_of(business, second)) == ("closed", [(20, 4, 16)])
    assert expected_of(business, second).cancelled == 16_000
    refused(business, "received_too_much", lambda work: _receive(business, work, second))
    with pytest.raises(IllegalMove):
        ended(business, second)
    assert_books_agree(database)


def _receive(business, work, purchase, *, purchased=True):
    from erpcore.purchasing.receiving import receive_purchased

    came = ReceivedLine(item=business.items[0], quantity=Decimal(1), expected=expected_of(business, purchase).id)
    goods = ReceiveGoods(site=business.site, paper="DN 1", lines=[came])
    (receive_purchased if purchased else receive_goods)(work, goods, rules=RULES, cells=OPEN)


def test_goods_of_a_purchase_order_never_come_past_it(database):
    business = a_business(database)
    purchase = ordered(business, a_supplier(business))
    refused(business, "receive_as_purchase", lambda work: _receive(business, work, purchase, purchased=False))
    change = ChangeExpected(expected=expected_of(business, purchase).id, cancelled=Decimal(3))
    refused(
        business, "expected_of_document", lambda work: change_expected(work, [change], rules=RULES, cells=OPEN), None
    )
    # What somebody typed is received as before.
    typed = expected(business, 5)
    with business.work() as work:
        came = ReceivedLine(item=business.items[0], quantity=Decimal(5), expected=typed)
        receive_goods(work, ReceiveGoods(site=business.site, paper="DN 2", lines=[came]), rules=RULES, cells=OPEN)
    assert_books_agree(database)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"quantity": Decimal(0)}, "quantity_not_positive_here"),
        ({"quantity": Decimal(-3)}, "quantity_not_positive_here"),
        ({"quantity": Decimal("1.5")}, "quantity_too_precise"),
        ({"quantity": Decimal(10) ** 12}, "quantity_absurd"),
        ({"unit_price": Decimal(0)}, "purchase_price_positive"),
        ({"unit_price": Decimal(-1)}, "purchase_price_positive"),
        ({"wanted_on": day(-1)}, "wanted_day_absurd"),
        ({"wanted_on": day(3000)}, "wanted_day_absurd"),
        ({"unit": "PAL"}, "pack_unknown"),
    ],
)
def test_nonsense_is_not_ordered(database, line, code):
    business = a_business(database)
    supplier = a_supplier(business)
    refused(business, code, placing(business, supplier, **line))


def test_what_a_supplier_does_not_sell_needs_a_price_and_a_blocked_one_gets_no_order(database):
    business = a_business(database)
    supplier = a_supplier(business)
    refused(business, "purchase_price_missing", placing(business, supplier, item=business.items[1]))
    assert ordered(business, supplier, ((1, 3),), unit_price=Decimal("1.10")).value_minor == 330
    with business.work() as work:
        block_supplier(work, supplier, is_blocked=True)
    refused(business, "supplier_blocked", placing(business, supplier))


def test_a_supplier_confirms_at_most_what_was_ordered_and_no_day_before(database):
    business = a_business(database)
    purchase = ordered(business, a_supplier(business))
    took_in(business, purchase, 6)
    before = fingerprint_of(database)
    for days, quantity, code in ((7, 21, "confirmed_amount"), (7, 5, "confirmed_amount"), (-1, None, "confirmed_day")):
        with pytest.raises(RuleBroken) as error:
            confirmed(business, purchase, days, quantity)
        assert error.value.code == code
    with pytest.raises(Conflict):
        confirmed(business, purchase, 7, seen_version=1)
    assert fingerprint_of(database) == before
    # All that it sends has come already: nothing is waited for any more.
    assert confirmed(business, purchase, 7, 6).state == "received"
    other = ordered(business, column(business, "SELECT id FROM supplier")[0])
    with pytest.raises(RuleBroken, match="confirmed_nothing"):
        confirmed(business, other, 7, 0)
    assert_books_agree(database)


def test_who_may_not_order_or_not_here_is_refused(database):
    business = a_business(database)
    supplier = a_supplier(business)
    purchase = ordered(business, supplier)
    clerk = Actor(id=7, role="clerk", permissions=frozenset(), sites=None)
    elsewhere = Actor(id=8, role="buyer", permissions=BUYER.permissions, sites=frozenset({second_site(business)}))
    refused(business, "not_allowed", placing(business, supplier), clerk)
    refused(business, "not_found", placing(business, supplier), elsewhere)
    end = EndPurchase(purchase=purchase.id, reason="mistake")
    refused(business, "purchase_unknown", lambda work: end_purchases(work, [end]), elsewhere)
    refused(
        business, "reason_required", lambda work: end_purchases(work, [EndPurchase(purchase=purchase.id, reason=" ")])
    )


def test_a_supplier_has_one_code_one_works_and_prices_above_nil(database):
    business = a_business(database)
    supplier = a_supplier(business)
    works = second_site(business, "WKS", kind="drop_ship")
    again = NewSupplier(entity=business.entity, code="ROHR", name="Again", country="Germany", lead_days=1)
    refused(business, "code_in_use", lambda work: add_suppliers(work, [again]), None)
    own = NewSupplier(
        entity=business.entity, code="W1", name="Works", country="Germany", lead_days=1, site=business.site
    )
    refused(business, "works_no_drop_ship", lambda work: add_suppliers(work, [own]), None)
    a_supplier(business, "W2", site=works)
    twice = NewSupplier(entity=business.entity, code="W3", name="Works", country="Germany", lead_days=1, site=works)
    refused(business, "works_taken", lambda work: add_suppliers(work, [twice]), None)
    nil = OfferItem(supplier=supplier, item=business.items[0], price=Decimal(0))
    refused(business, "purchase_price_positive", lambda work: offer_items(work, [nil]), None)
    late = NewSupplier(entity=business.entity, code="W4", name="Late", country="Germany", lead_days=5000)
    refused(business, "lead_days_absurd", lambda work: add_suppliers(work, [late]), None)


def test_purchase_numbers_have_no_gap_when_many_order_at_once_and_one_fails(database):
    business = a_business(database)
    supplier = a_supplier(business)

    def order(fails):
        def task():
            with business.work(BUYER) as work:
                placing(business, supplier)(work)
                if fails:
                    raise RuntimeError("the power went")

        return task

    results = at_once(*(order(number == 2) for number in range(6)))
    assert [type(result).__name__ for result in results if result is not None] == ["RuntimeError"]
    numbers = column(business, "SELECT number FROM purchase_order ORDER BY number")
    assert numbers == [f"PO-2026-{number:06d}" for number in range(1, 6)]
    assert sorted(column(business, "SELECT number FROM expected_receipt")) == numbers
    assert_books_agree(database)


def test_two_receivers_and_a_confirmation_at_once_lose_nothing(database):
    business = a_business(database, stock=0)
    purchase = ordered(business, a_supplier(business))
    results = at_once(
        lambda: took_in(business, purchase, 8) and None,
        lambda: took_in(business, purchase, 8) and None,
        lambda: confirmed(business, purchase, 9) and None,
    )
    assert [result for result in results if result is not None and not isinstance(result, Conflict)] == []
    came = 8 * sum(1 for result in results[:2] if result is None)
    assert lines_of(business, purchase) == [(20, came, 0)]
    assert balance(business)[0] == came
    assert_books_agree(database)


def test_a_crash_while_goods_come_leaves_nothing_behind_and_the_retry_counts_once(database, monkeypatch):
    business = a_business(database, stock=0)
    purchase = ordered(business, a_supplier(business))
    before = fingerprint_of(database)
    from erpcore.purchasing import receiving

    def power_cut(*_, **__):
        raise RuntimeError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(receiving, "save_purchases", power_cut)
        with pytest.raises(RuntimeError):
            took_in(business, purchase, 20)
    assert fingerprint_of(database) == before
    took_in(business, purchase, 20)
    assert (head(business, purchase).state, balance(business)[0]) == ("received", 20)
    assert_books_agree(database)


def test_a_year_has_its_own_series(database):
    business = a_business(database)
    supplier = a_supplier(business)
    ordered(business, supplier)
    business.clock.set(business.clock.now() + timedelta(days=400))
    assert head(business, ordered(business, supplier)).number == "PO-2027-000001"
