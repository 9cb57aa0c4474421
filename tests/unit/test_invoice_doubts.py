"""What the rules find doubtful about an invoice, and in which words."""

from __future__ import annotations

import pytest

from erpcore.billing.checking import DOUBTS, InvoiceFacts, LineFacts, doubts_of, mark_of, read, stored

LINE = LineFacts(line_no=10, price=10_000_000, order_price=10_000_000, quantity=3_000, shipped=3_000)
RIGHT = {"currency": "EUR", "net_minor": 3_000, "lines": [LINE]}


def said(**changes):
    return [(one.code, one.sentence) for one in doubts_of(InvoiceFacts(**{**RIGHT, **changes}))]


def test_what_is_as_ordered_shipped_and_known_is_not_doubtful():
    assert said() == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"no_tax": "no rate"}, ("tax", "no rate")),
        (
            {"lines": [LineFacts(line_no=20, price=9_500_000, order_price=10_000_000, quantity=1, shipped=1)]},
            ("price", "line 20 charges 9.50, ordered at 10.00"),
        ),
        (
            {"lines": [LineFacts(line_no=20, price=1, order_price=1, quantity=3_500, shipped=3_000)]},
            ("quantity", "line 20 bills 3.5, shipped were 3"),
        ),
        ({"missing": None}, ("address", "the customer has no billing address")),
        ({"missing": ["street", "city"]}, ("address", "the billing address lacks its street and city")),
        (
            {"twin": "INV-2026-000007"},
            ("duplicate", "INV-2026-000007 bills the same customer the same goods and amount"),
        ),
    ],
)
def test_each_doubt_says_its_figures(changes, found):
    assert said(**changes) == [found]


def test_an_amount_is_unusual_against_the_customers_own_history_and_says_how_much_that_is():
    history = [1_000, 900, 800, 700, 600]
    limit = {"history": history, "limit_permille": 3_000}
    assert said(net_minor=3_000, **limit) == []
    assert said(net_minor=3_001, **limit) == [
        ("amount", "30.01 EUR net is more than 300 % of the largest of the customer’s last 5 invoices, 10.00")
    ]
    assert said(net_minor=3_001, history=history[:4], limit_permille=3_000) == []
    assert said(net_minor=3_001, history=history, limit_permille=0) == []


def test_findings_are_read_as_they_were_kept_and_each_is_found_by_its_mark():
    facts = InvoiceFacts(**{**RIGHT, "no_tax": "no rate", "missing": None, "twin": "X"})
    kept = stored(doubts_of(facts))
    assert [one.code for one in read(kept)] == ["tax", "address", "duplicate"]
    assert [code for code in DOUBTS if mark_of(code) in kept] == ["tax", "address", "duplicate"]
    assert all(one.way_out for one in read(kept))
    assert (stored([]), read(None)) == (None, [])
