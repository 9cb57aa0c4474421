"""Goods set apart for their supplier leave once: stock falls, the supplier owes its price, and the books say so."""

from __future__ import annotations

from decimal import Decimal

import pytest

from erpcore.fulfilment.models import Disposition
from erpcore.fulfilment.sending_back import services
from erpcore.fulfilment.sending_back.services import SendBack, send_back
from tests.db.core.test_returns import authorised, inspected, received, refused, stock_of
from tests.db.core.test_stock_places import moved, status
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.costing import posted
from tests.support.steps import invoiced
from tests.support.story import rows
from tests.support.supply import a_supplier
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of
from tests.support.warehouse import locations


@pytest.fixture
def business(database):
    return a_business(database)


def set_apart(business, quantity=2, item=0):
    """The line of a return of which all was set apart for the supplier."""
    order, _, _ = invoiced(business, ((item, 10),))
    row = authorised(business, order, quantity, item)
    received(business, row)
    inspected(business, row, (quantity, Disposition.SUPPLIER))
    return row.lines[0].id


def sent(business, supplier, *lines, **changes):
    with business.work() as work:
        command = SendBack(site=business.site, supplier=supplier, lines=lines, **changes)
        return send_back(work, command, rules=RULES, cells=OPEN)


def test_what_leaves_is_no_stock_any_more_and_the_supplier_owes_its_price(business):
    supplier, line = a_supplier(business), set_apart(business)
    on_hand, blocked, worth = stock_of(business)
    done = sent(business, supplier, line, note="scratched")
    assert (done.value, done.expected) == (800, 700)
    assert stock_of(business) == (on_hand - 2000, blocked - 2000, worth - 800)
    assert posted(business, "supplier_claims") == 700
    assert posted(business, "inventory", "returned_to_supplier") == -800
    assert posted(business, "adjustment", "returned_to_supplier") == 100
    assert rows(business, "SELECT quantity, unit_price, expected_minor FROM supplier_return_line") == [
        (2000, 3_500_000, 700)
    ]
    assert_books_agree(business.database)


def test_goods_leave_once_and_only_those_set_apart_for_a_supplier_who_sells_them(business):
    supplier, other = a_supplier(business), a_supplier(business, "ANDERE", prices=(("2.00", 1),))
    line = set_apart(business)

    def tries(whose, *lines):
        command = SendBack(site=business.site, supplier=whose, lines=lines)
        return lambda work: send_back(work, command, rules=RULES, cells=OPEN)

    refused(business, tries(supplier), "send_back_nothing")
    refused(business, tries(other, line), "send_back_not_sold")
    refused(business, tries(supplier, line, 4711), "line_unknown")
    order, _, _ = invoiced(business)
    kept = authorised(business, order, 1)
    refused(business, tries(supplier, kept.lines[0].id), "send_back_unfit")
    sent(business, supplier, line)
    refused(business, tries(supplier, line), "sent_back_already")
    assert_books_agree(business.database)


def test_goods_leave_from_where_they_were_put_and_not_what_was_released(business):
    supplier, line = a_supplier(business), set_apart(business, 2)
    status(business, 1, "quarantine", "available")

    def tries(work):
        send_back(work, SendBack(site=business.site, supplier=supplier, lines=[line]), rules=RULES, cells=OPEN)

    refused(business, tries, "send_back_gone")
    status(business, 1, "available", "quarantine")
    (shelf,) = locations(business, "Q-01")
    moved(business, 1, None, shelf, status="quarantine")
    sent(business, supplier, line)
    taken = "SELECT location_id, quantity FROM stock_move WHERE document_type = 'supplier_return' ORDER BY id"
    assert rows(business, taken) == [(None, -1000), (shelf, -1000)]
    assert_books_agree(business.database)


def test_a_crash_while_goods_leave_leaves_nothing_behind_and_the_retry_sends_them_once(business, monkeypatch):
    supplier, line = a_supplier(business), set_apart(business)
    before = fingerprint_of(business.database)

    def power_cut(*_, **__):
        raise RuntimeError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(services, "post_entries", power_cut)
        with pytest.raises(RuntimeError):
            sent(business, supplier, line)
    assert fingerprint_of(business.database) == before
    assert sent(business, supplier, line).expected == 700
    assert_books_agree(business.database)


def test_two_who_send_the_same_goods_back_at_once_send_them_once(business):
    supplier, line = a_supplier(business), set_apart(business)
    done = at_once(*[lambda: sent(business, supplier, line)] * 2)
    assert sorted(getattr(one, "code", "sent") for one in done) == ["sent", "sent_back_already"]
    assert rows(business, "SELECT count(*) FROM supplier_return_line") == [(1,)]
    assert posted(business, "supplier_claims") == Decimal(700)
    assert_books_agree(business.database)
