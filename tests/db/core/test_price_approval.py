"""Prices that give away too much hold only after somebody else has looked, typed or in a list."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from app.importers.priceapprovals import plan_now, settle
from app.importers.pricechanges import hand_in, save_row
from app.importers.pricelists import COLUMNS, read_list
from app.security.roles import permissions_of
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import AuditEntry
from erpcore.kernel.errors import Conflict, DomainError, NeedsConfirmation, NotAllowed, RuleBroken
from erpcore.kernel.history import Transition
from erpcore.masterdata.models import Item, ItemGroup
from erpcore.pricing.lists import SettleList
from erpcore.pricing.models import PriceList, PriceRule
from tests.support.core import RULES, a_business
from tests.support.policies import approve
from tests.support.pricing import CHANGES, a_price, save

JUDGE = Actor(id=91, role="process_owner", permissions=permissions_of("process_owner"))


@pytest.fixture
def business(database):
    return a_business(database)


def typed(**cells):
    return {
        "kind": "list",
        "item": "40-0",
        "currency": "EUR",
        "unit_price": "9.00",
        "valid_from": "2026-04-01",
        **cells,
    }


def type_in(business, *, reason=None, by=CHANGES, **cells):
    accepted = {} if reason is None else {"price_needs_second": reason}
    with business.work(by) as work:
        return save_row(work, business.entity, typed(**cells), rules=RULES, accepted=accepted)


def a_list(business, *rows, by=CHANGES):
    lines = [",".join(COLUMNS), *(",".join(row.get(name, "") for name in COLUMNS) for row in rows)]
    read = read_list("april.csv", io.BytesIO("\n".join(lines).encode()))
    with business.work(by) as work:
        return hand_in(work, business.entity, read)


def look(business, kept):
    with business.work(CHANGES) as work:
        return plan_now(work, kept, rules=RULES)


def step(business, kept, move, *, by=CHANGES, reason="agreed", seen=None):
    digest = look(business, kept).digest if seen is None else seen
    with business.work(by) as work:
        return settle(work, SettleList(list=kept, move=move, reason=reason, seen=digest), rules=RULES).state


def standing(business):
    """Everything that a refusal must leave as it was."""
    with business.work() as work:
        counts = [
            work.session.scalar(select(func.count()).select_from(t))
            for t in (PriceRule, PriceList, Transition, AuditEntry)
        ]
        rules = work.session.execute(
            select(PriceRule.id, PriceRule.unit_price, PriceRule.valid_until).order_by(PriceRule.id)
        ).all()
        return counts, rules


def prices(business, item=0):
    with business.work() as work:
        return work.session.execute(
            select(PriceRule.kind, PriceRule.unit_price, PriceRule.valid_from, PriceRule.valid_until)
            .where(PriceRule.item_id == business.items[item])
            .order_by(PriceRule.id)
        ).all()


def test_a_higher_price_holds_at_once_and_a_lower_one_asks_for_a_second_person(business):
    with business.work(CHANGES) as work:
        work.session.execute(text("UPDATE price_rule SET valid_until = '2026-04-01'"))
    assert type_in(business, item="40-1", unit_price="11").rule is not None
    before = standing(business)
    with pytest.raises(NeedsConfirmation) as asked:
        type_in(business, kind="promotion", valid_from="2026-03-10", valid_until="2026-03-20")
    assert (asked.value.code, asked.value.facts) == (
        "price_needs_second",
        {
            "before": "10.00 EUR",
            "after": "9.00 EUR",
            "touches": "2 items, with 1 price of the same person in 7 days",
        },
    )
    assert standing(business) == before


def test_within_the_tolerance_that_orders_have_one_person_is_enough(business):
    approve(business, "price_tolerance_permille", 100, entity=business.entity)
    assert type_in(business, kind="promotion", valid_until="2026-05-01").rule is not None
    with pytest.raises(NeedsConfirmation):
        type_in(business, kind="promotion", valid_until="2026-05-01", item="40-1", unit_price="8.99")


def test_a_price_below_the_floor_takes_a_second_person_even_where_it_rises(business):
    approve(business, "minimum_margin_permille", 700, entity=business.entity)
    with pytest.raises(NeedsConfirmation):
        type_in(business, kind="promotion", unit_price="12", valid_until="2026-05-01")
    assert type_in(business, kind="promotion", unit_price="13.34", valid_until="2026-05-01").rule is not None


def test_a_tolerance_for_a_customer_group_or_item_group_holds_for_its_prices_alone(business):
    with business.work() as work:
        family = ItemGroup(id=work.ids.one(), code="FIT", name="Fittings")
        work.session.add(family)
        work.session.flush()
        work.session.get(Item, business.items[1]).group_id = family.id
        group = family.id
    approve(business, "price_tolerance_permille", 200, item_group=group)
    assert type_in(business, kind="promotion", item="40-1", valid_until="2026-05-01").rule is not None
    with pytest.raises(NeedsConfirmation):
        type_in(business, kind="promotion", item="40-0", valid_until="2026-05-01")
    whole = {"item": "", "item_group": "FIT", "unit_price": "", "kind": "promotion", "valid_until": "2026-06-01"}
    assert type_in(business, discount_percent="20", **whole).rule is not None
    with pytest.raises(NeedsConfirmation) as asked:
        type_in(business, discount_percent="21", **{**whole, "valid_from": "2026-07-01", "valid_until": "2026-08-01"})
    assert asked.value.facts == {
        "before": "100 % of the list price",
        "after": "79 % of the list price",
        "touches": "1 item, with 2 prices of the same person in 7 days",
    }


def test_a_typed_price_waits_as_a_list_of_one_row_until_somebody_else_approves_it(business):
    waits = type_in(business, kind="promotion", valid_until="2026-05-01", reason="the spring campaign").waits
    assert len(prices(business)) == 1
    for who in (CHANGES, Actor(id=CHANGES.id, role="both", permissions=CHANGES.permissions | JUDGE.permissions)):
        before = standing(business)
        with pytest.raises(NotAllowed):
            step(business, waits, "approve", by=who)
        assert standing(business) == before
    assert step(business, waits, "approve", by=JUDGE) == "applied"
    assert prices(business)[1] == ("promotion", 9, date(2026, 4, 1), date(2026, 5, 1))
    with business.work() as work:
        found = work.session.get(PriceList, waits)
        assert (found.asked_by, found.applied_by, found.file_name) == (CHANGES.id, JUDGE.id, "Typed by hand")
        kinds = work.session.scalars(
            select(AuditEntry.kind).where(AuditEntry.subject_id == waits).order_by(AuditEntry.position)
        ).all()
    assert kinds == ["price_list.uploaded", "price_list.asked", "price_list.approved"]


def test_a_list_that_lowers_one_price_too_far_is_not_applied_by_one_person(business):
    kept = a_list(business, typed(unit_price="11"), typed(item="40-1", unit_price="9.99"))
    plan = look(business, kept)
    assert [(one.is_beyond, one.lowering.change_permille) for one in plan.rows] == [(False, 100), (True, -1)]
    before = standing(business)
    with pytest.raises(RuleBroken) as refused:
        step(business, kept, "apply", reason="")
    assert (refused.value.code, refused.value.facts["rows"]) == ("price_list_needs_second", 1)
    assert standing(business) == before
    assert step(business, kept, "ask", reason="the market fell") == "asked"
    with pytest.raises(RuleBroken):
        step(business, kept, "apply", reason="")
    assert step(business, kept, "decline", by=JUDGE, reason="not before May") == "declined"
    assert len(prices(business)) == 1
    assert step(business, kept, "ask", reason="it is May") == "asked"
    assert step(business, kept, "withdraw", reason="wait") == "kept"
    assert step(business, kept, "ask", reason="now") == "asked"
    assert step(business, kept, "approve", by=JUDGE) == "applied"
    assert [one.unit_price for one in prices(business)] == [10, 11]
    assert [one.unit_price for one in prices(business, 1)] == [10, Decimal("9.99")]


def test_an_approval_of_what_somebody_saw_before_prices_moved_is_refused(business):
    kept = a_list(business, typed())
    step(business, kept, "ask")
    seen = look(business, kept).digest
    with business.work() as work:
        work.session.execute(text("UPDATE price_rule SET valid_until = '2026-03-15'"))
    save(business, a_price(business, "12.00", valid_from=date(2026, 3, 15)))
    before = standing(business)
    with pytest.raises(Conflict, match="price_list_moved"):
        step(business, kept, "approve", by=JUDGE, seen=seen)
    assert standing(business) == before


def test_what_nobody_has_asked_for_in_this_form_is_not_approved(business):
    kept = a_list(business, typed())
    step(business, kept, "ask")
    with business.work() as work:
        work.session.execute(text("UPDATE price_rule SET valid_until = '2026-03-15'"))
    save(business, a_price(business, "12.00", valid_from=date(2026, 3, 15)))
    before = standing(business)
    with pytest.raises(Conflict, match="price_list_asked_otherwise"):
        step(business, kept, "approve", by=JUDGE)
    assert standing(business) == before
    step(business, kept, "decline", by=JUDGE)
    step(business, kept, "ask")
    assert step(business, kept, "approve", by=JUDGE) == "applied"


def test_a_discount_is_weighed_by_what_it_leaves_of_the_list_price(business):
    approve(business, "price_tolerance_permille", 50, entity=business.entity)
    kept = a_list(
        business,
        typed(kind="contract", customer="10482", unit_price="", discount_percent="5"),
        typed(kind="contract", customer="10482", item="40-1", unit_price="", discount_percent="5.1"),
    )
    assert [one.is_beyond for one in look(business, kept).rows] == [False, True]


def test_the_database_itself_refuses_that_who_asked_applies(business):
    kept = a_list(business, typed())
    step(business, kept, "ask")
    with pytest.raises(IntegrityError), business.work() as work:
        work.session.execute(
            text("UPDATE price_list SET state = 'applied', applied_by = asked_by, applied_at = asked_at")
        )


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"item": "40-9"}, "price_code_unknown"),
        ({"unit_price": "x"}, "not_a_number"),
        ({"unit_price": ""}, "price_or_discount"),
        ({"valid_from": "2026-03-01"}, "price_starts_past"),
        ({"kind": "gift"}, "choice_unknown"),
        ({}, "price_rule_conflict"),
        ({"currency": "USD"}, "currency_foreign"),
    ],
)
def test_a_typed_price_that_makes_no_sense_is_refused_also_with_a_reason(business, cells, code):
    before = standing(business)
    for reason in (None, "please"):
        with pytest.raises(DomainError) as refused:
            type_in(business, reason=reason, **cells)
        assert refused.value.code == code
    assert standing(business) == before
