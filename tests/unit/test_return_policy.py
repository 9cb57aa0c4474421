"""What a return's policy says of it: by whose fault it is, how long ago the goods arrived, in which condition, and of which sale."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from erpcore.fulfilment.return_policy import judge, judged, kept_as
from erpcore.ports.rules import ruleset_of

TODAY = date(2026, 3, 31)


def said(days=(1,), *, fault="customer", condition="unstated", unlinked=None, **values):
    """What speaks against a return under these values of the policy."""
    line = SimpleNamespace(unlinked=unlinked)
    row = SimpleNamespace(fault=fault, condition=condition, lines=[line])
    rules = ruleset_of({point: (1, value) for point, value in values.items()})
    return judge(row, rules, [TODAY - timedelta(days=each) for each in days], TODAY)


@pytest.mark.parametrize(
    ("days", "fault", "values", "against"),
    [
        ((30,), "customer", {}, ()),
        ((31,), "customer", {}, ("window",)),
        ((31,), "undecided", {}, ("window",)),
        ((2, 31), "customer", {}, ("window",)),
        ((730,), "ours", {}, ()),
        ((731,), "ours", {}, ("window",)),
        ((731,), "ours", {"return_fault_window_days": 0}, ()),
        ((9999,), "customer", {"return_window_days": 0}, ()),
        ((), "customer", {}, ()),
    ],
)
def test_how_long_ago_the_goods_arrived_speaks_against_it_by_whose_fault_it_is(days, fault, values, against):
    assert said(days, fault=fault, **values).against == against


@pytest.mark.parametrize(
    ("rule", "condition", "fault", "against"),
    [
        ("any", "unstated", "customer", ()),
        ("unused", "opened", "customer", ()),
        ("unused", "used", "customer", ("condition",)),
        ("unused", "unstated", "undecided", ("condition",)),
        ("sealed", "opened", "customer", ("condition",)),
        ("sealed", "sealed", "customer", ()),
        ("sealed", "damaged", "ours", ()),
    ],
)
def test_the_condition_speaks_against_it_unless_it_is_our_fault(rule, condition, fault, against):
    assert said(condition=condition, fault=fault, return_condition_rule=rule).against == against


def test_goods_of_no_sale_are_outside_of_the_policy_and_charges_are_not():
    assert said((), unlinked="no earlier sale").against == ("no_sale",)
    assert said((), unlinked="no earlier sale", return_receipt_rule="not_needed").against == ()
    assert said((), unlinked="charge").against == ()


def test_nobody_is_needed_only_for_what_keeps_to_the_policy():
    assert not said().needs_nobody
    assert said(return_approval_rule="outside_policy").needs_nobody
    assert not said((31,), return_approval_rule="outside_policy").needs_nobody
    assert said(fault="ours", return_approval_rule="customers_fault").needs_nobody
    assert not said(return_approval_rule="customers_fault").needs_nobody


def test_a_fee_is_kept_of_what_the_customer_chose_and_of_nothing_else():
    assert [said(fault=fault, restocking_fee_permille=150).fee for fault in ("customer", "undecided", "ours")] == [
        150,
        0,
        0,
    ]
    assert said().fee == 0


def test_what_was_said_is_kept_word_for_word():
    found = said((45,), condition="used", unlinked="no earlier sale", return_condition_rule="sealed")
    assert judged(kept_as(found)) == found
    assert found.words() == [
        "45 days after delivery, 30 allowed", "condition used, only sealed accepted", "no sale behind it",
    ]  # fmt: skip
    assert judged(None) is None
