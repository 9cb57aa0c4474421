"""Prices: which rule holds and what the line keeps of it, contradictions refused when saved, overrides and who approves them."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal

import orjson
import pytest
from sqlalchemy import event, func, select, update

from erpcore.kernel.audit import AuditEntry
from erpcore.kernel.errors import Busy, NotAllowed, NotFound, RuleBroken
from erpcore.masterdata.models import Customer, CustomerGroup, Item, ItemGroup
from erpcore.orders.holds import ReleaseHold, release_holds
from erpcore.orders.models import OrderHold, OrderLine, SalesOrder
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import capture_orders
from erpcore.pricing.models import PriceRule
from erpcore.pricing.queries import Asked, resolve_prices
from erpcore.pricing.services import EndPrice, add_prices, end_prices
from tests.support.core import OPEN, RULES, a_business
from tests.support.policies import approve
from tests.support.pricing import CHANGES, DESK, LEAD, OWNER, a_price, an_entered, save
from tests.support.trader import fingerprint_of

TODAY = date(2026, 3, 2)


@pytest.fixture
def business(database):
    return a_business(database)


def _rules(business):
    """All rules as they are stored: what a refusal must leave as it was."""
    with business.work() as work:
        return sorted(
            work.session.execute(
                select(PriceRule.id, PriceRule.kind, PriceRule.unit_price, PriceRule.valid_from, PriceRule.valid_until)
            )
        ), work.session.scalar(select(func.count()).select_from(AuditEntry))


def _documents(business):
    with business.work() as work:
        return [
            work.session.scalar(select(func.count()).select_from(table)) for table in (SalesOrder, OrderLine, OrderHold)
        ]


def _order(business, lines, *, by=DESK, **changes):
    command = business.order(**changes)
    command = type(command)(**{**{f: getattr(command, f) for f in command.__dataclass_fields__}, "lines": list(lines)})
    with business.work(by, source="screen") as work:
        return capture_orders(work, [command], rules=RULES, cells=OPEN)[0]


def _hold(business, order):
    with business.work() as work:
        return work.session.execute(select(OrderHold).where(OrderHold.order_id == order.id)).scalar_one_or_none()


def _priced(business, *, item=0, quantity=10, on=TODAY, group=None, item_group=None):
    with business.work() as work:
        asked = Asked(
            business.items[item], business.customer, group, business.channel, quantity * 1000, on, "EUR", item_group
        )
        return resolve_prices(work, [asked])[0]


def test_a_line_keeps_the_rule_that_won_those_that_lost_the_list_price_and_the_cost(business):
    (contract,) = save(business, a_price(business, "8.50", customer=business.customer, reference="C-77"))
    with business.work(DESK, source="screen") as work:
        (order,) = capture_orders(work, [business.order()], rules=RULES, cells=OPEN)
    with business.work() as work:
        line = work.session.execute(select(OrderLine).where(OrderLine.order_id == order.id)).scalar_one()
        listed = work.session.scalar(
            select(PriceRule.id).where(PriceRule.item_id == business.items[0], PriceRule.kind == "list")
        )
    assert (line.unit_price, line.price_source, line.price_rule_id) == (Decimal("8.5"), "contract", contract)
    assert (line.list_price, line.resolved_price, line.unit_cost, line.price_floor) == (10, Decimal("8.5"), 4, None)
    assert orjson.loads(line.price_losers) == [[listed, "list", 10_000_000]]


def test_a_rule_saved_or_ended_after_the_order_does_not_change_its_price(business):
    (promotion,) = save(business, a_price(business, "9.00", kind="promotion"))
    with business.work(DESK, source="screen") as work:
        (order,) = capture_orders(work, [business.order()], rules=RULES, cells=OPEN)
    save(business, a_price(business, "7.00", customer=business.customer))
    with business.work(CHANGES) as work:
        end_prices(work, [EndPrice(rule=promotion, on=TODAY)])
    with business.work() as work:
        assert work.session.scalar(select(OrderLine.unit_price).where(OrderLine.order_id == order.id)) == 9
    assert _priced(business).unit_price == 7_000_000


def test_prices_of_many_lines_are_read_in_two_queries_and_one_for_groups(business):
    with business.work() as work:
        said = []
        engine = business.database.write_engine

        def note(connection, cursor, statement, *rest):
            said.append(statement)

        asked = [
            Asked(item, business.customer, None, business.channel, 1000, TODAY, "EUR", 5) for item in business.items
        ]
        event.listen(engine, "before_cursor_execute", note)
        seen = work.driver

        class Counting:
            def __getattr__(self, name):
                return getattr(seen, name)

            def cursor(self):
                said.append("driver")
                return seen.cursor()

        work.driver = Counting()
        found = resolve_prices(work, asked * 100)
        event.remove(engine, "before_cursor_execute", note)
        assert [price.unit_price for price in found] == [10_000_000] * 300
        assert said == ["driver"] * 2


def test_a_discount_of_an_item_group_for_a_customer_group_is_exact(business):
    with business.work() as work:
        group = CustomerGroup(id=work.ids.one(), code="KEY", name="Key accounts")
        family = ItemGroup(id=work.ids.one(), code="FIT", name="Fittings")
        work.session.add_all([group, family])
        work.session.flush()
        group_id, family_id = group.id, family.id
    save(
        business,
        a_price(business, None, item=None, item_group=family_id, customer_group=group_id, discount=Decimal("0.075")),
    )
    assert _priced(business, group=group_id, item_group=family_id).unit_price == 9_250_000
    assert _priced(business, group=group_id).unit_price == 10_000_000
    assert _priced(business, item_group=family_id).unit_price == 10_000_000


def test_a_price_rule_that_contradicts_another_is_refused_naming_it_and_nothing_is_saved(business):
    (first,) = save(business, a_price(business, customer=business.customer, valid_until=date(2026, 6, 1)))
    before = _rules(business)
    for rival in (
        a_price(business, "8.00", customer=business.customer),
        a_price(business, "9.00", customer=business.customer, valid_from=date(2026, 5, 31)),
        a_price(business, "8.00", customer=business.customer, valid_from=date(2020, 1, 1)),
    ):
        with pytest.raises(RuleBroken) as refused:
            save(business, a_price(business, "1.00", kind="promotion"), rival)
        assert (refused.value.code, refused.value.facts["other"]) == ("price_rule_conflict", str(first))
    assert _rules(business) == before
    save(business, a_price(business, "8.00", customer=business.customer, valid_from=date(2026, 6, 1)))
    save(business, a_price(business, "8.00", customer=business.customer, minimum_quantity=Decimal(50)))
    save(business, a_price(business, "8.00", customer=business.customer, kind="customer"))
    save(business, a_price(business, "8.00", customer=business.customer, channel=business.channel))


def test_two_rules_of_one_batch_that_contradict_each_other_are_refused(business):
    before = _rules(business)
    with pytest.raises(RuleBroken) as refused:
        save(business, a_price(business, kind="promotion"), a_price(business, "8.00", kind="promotion"))
    assert refused.value.facts["other"] == "1 of this batch"
    assert _rules(business) == before


def test_two_clerks_saving_contradicting_rules_at_once_one_is_refused(business):
    came, refused = threading.Barrier(2), []

    def clerk(price):
        came.wait()
        try:
            save(business, a_price(business, price, customer=business.customer))
        except (RuleBroken, Busy) as error:
            refused.append(error.code)

    clerks = [threading.Thread(target=clerk, args=(price,)) for price in ("8.00", "7.00")]
    for one in clerks:
        one.start()
    for one in clerks:
        one.join()
    assert refused == ["price_rule_conflict"]
    with business.work() as work:
        kinds = select(func.count()).select_from(PriceRule).where(PriceRule.customer_id == business.customer)
        assert work.session.scalar(kinds) == 1


@pytest.mark.parametrize(
    ("price", "changes", "code"),
    [
        ("-0.01", {}, "price_below_zero"),
        ("1.0000001", {}, "number_too_precise"),
        ("1000000000000", {}, "price_absurd"),
        (None, {}, "price_or_discount"),
        ("1", {"discount": Decimal("0.1")}, "price_or_discount"),
        (None, {"discount": Decimal("0.1")}, "price_list_absolute"),
        (None, {"discount": Decimal(0), "kind": "promotion"}, "discount_outside"),
        (None, {"discount": Decimal("1.1"), "kind": "promotion"}, "discount_outside"),
        (None, {"discount": Decimal("0.1000001"), "kind": "promotion"}, "number_too_precise"),
        ("1", {"kind": "contract"}, "price_scope_missing"),
        ("1", {"kind": "channel"}, "price_scope_missing"),
        ("1", {"kind": "break"}, "price_break_without_quantity"),
        ("1", {"kind": "list", "minimum_quantity": Decimal(5)}, "price_list_with_quantity"),
        ("1", {"kind": "promotion", "minimum_quantity": Decimal(-1)}, "quantity_absurd"),
        ("1", {"kind": "promotion", "minimum_quantity": Decimal("0.5")}, "number_too_precise"),
        ("1", {"kind": "gift"}, "choice_unknown"),
        ("1", {"currency": "USD"}, "currency_foreign"),
        ("1", {"item": None}, "price_rule_without_item"),
        ("1", {"valid_until": date(2026, 3, 2)}, "validity_empty"),
    ],
)
def test_a_rule_that_says_nothing_sensible_is_refused_and_nothing_is_saved(business, price, changes, code):
    before = _rules(business)
    with pytest.raises(RuleBroken) as refused:
        save(business, a_price(business, price, **changes))
    assert refused.value.code == code
    assert _rules(business) == before


def test_a_price_for_a_customer_that_was_deactivated_or_an_unknown_one_is_refused(business):
    with business.work() as work:
        work.session.execute(update(Customer).values(is_blocked=True))
    before = _rules(business)
    with pytest.raises(RuleBroken) as refused:
        save(business, a_price(business, customer=business.customer))
    assert refused.value.code == "customer_blocked"
    for changes in ({"customer": 999_999}, {"channel": 999_999}, {"item": 999_999}, {"entity": 999_999}):
        with pytest.raises(NotFound):
            save(business, a_price(business, **changes))
    assert _rules(business) == before


def test_prices_are_changed_by_those_who_may(business):
    before = _rules(business)
    with pytest.raises(NotAllowed):
        save(business, a_price(business, kind="promotion"), by=DESK)
    with pytest.raises(NotAllowed), business.work(DESK) as work:
        end_prices(work, [EndPrice(rule=before[0][0][0], on=TODAY)])
    assert _rules(business) == before


def test_a_rule_ends_from_today_on_and_one_that_has_not_begun_never_holds(business):
    now_, later = save(
        business, a_price(business, kind="promotion"),
        a_price(business, "8.00", customer=business.customer, valid_from=date(2026, 5, 1)),
    )  # fmt: skip
    for rule, on, code in ((now_, date(2026, 3, 1), "price_end_past"), (999_999, TODAY, "price_rule_unknown")):
        before = _rules(business)
        with pytest.raises((RuleBroken, NotFound)) as refused, business.work(CHANGES) as work:
            end_prices(work, [EndPrice(rule=rule, on=on)])
        assert refused.value.code == code
        assert _rules(business) == before
    with business.work(CHANGES) as work:
        end_prices(work, [EndPrice(rule=now_, on=date(2026, 3, 10)), EndPrice(rule=later, on=TODAY)])
    assert _priced(business, on=date(2026, 3, 9)).source == "promotion"
    assert _priced(business, on=date(2026, 3, 10)).source == "list"
    assert _priced(business, on=date(2026, 6, 1)).source == "list"
    with pytest.raises(RuleBroken), business.work(CHANGES) as work:
        end_prices(work, [EndPrice(rule=now_, on=date(2026, 3, 11))])


def test_a_price_within_the_tolerance_stands_and_is_reported_with_its_reason(business):
    approve(business, "price_tolerance_permille", 50)
    order = _order(business, [an_entered(business, "9.50")])
    assert (order.state, _hold(business, order)) == ("captured", None)
    with business.work() as work:
        line = work.session.execute(select(OrderLine)).scalar_one()
    assert (line.price_source, line.resolved_price, line.unit_price, line.price_reason) == (
        "override", 10, Decimal("9.5"), "agreed by telephone",
    )  # fmt: skip


def test_a_price_beyond_the_tolerance_holds_the_order_for_the_level_that_the_routing_names(business):
    order = _order(business, [an_entered(business, "9.00"), an_entered(business, "11.00", item=1)])
    hold = _hold(business, order)
    assert (order.state, hold.kind, hold.level, hold.permission, hold.asked_by) == (
        "held", "price", "site_lead", "orders:price:approve_site", DESK.id,
    )  # fmt: skip
    facts = orjson.loads(hold.facts)
    assert (facts["lost"], facts["lines"], facts["why"]) == (1_000, [10], [])


def test_who_entered_the_price_never_lets_it_go_even_with_the_authority(business):
    order = _order(business, [an_entered(business, "9.00")], by=LEAD)
    hold = _hold(business, order)
    before = fingerprint_of(business.database)
    with pytest.raises(NotAllowed) as refused, business.work(LEAD) as work:
        release_holds(work, [ReleaseHold(hold=hold.id, reason="my own")])
    assert refused.value.code == "hold_own_request"
    with pytest.raises(NotAllowed), business.work(DESK) as work:
        release_holds(work, [ReleaseHold(hold=hold.id, reason="not mine to decide")])
    assert fingerprint_of(business.database) == before
    with business.work(OWNER) as work:
        release_holds(work, [ReleaseHold(hold=hold.id, reason="the margin is fine")])
    with business.work(LEAD) as work:
        (released,) = release_orders(work, [order.id], rules=RULES, cells=OPEN)
    assert released.state == "released", "an approved price does not hold the order again"


def test_above_the_limit_below_the_margin_or_for_a_key_account_the_next_level_decides(business):
    approve(business, "override_limit_minor", 999)
    hold = _hold(business, _order(business, [an_entered(business, "9.00")]))
    assert (hold.level, orjson.loads(hold.facts)["why"]) == ("process_owner", ["lost_margin_above_limit"])
    with pytest.raises(NotAllowed), business.work(LEAD) as work:
        release_holds(work, [ReleaseHold(hold=hold.id, reason="too much for me")])
    approve(business, "override_authority", "desk")
    approve(business, "minimum_margin_permille", 600)
    hold = _hold(business, _order(business, [an_entered(business, "9.99", quantity=1)]))
    assert (hold.level, orjson.loads(hold.facts)["why"]) == ("site_lead", ["below_minimum_margin"])
    with business.work() as work:
        work.session.execute(update(Customer).values(tier=1))
    hold = _hold(business, _order(business, [an_entered(business, "9.99", quantity=2)]))
    assert (hold.level, orjson.loads(hold.facts)["why"]) == ("process_owner", ["below_minimum_margin", "key_account"])


def test_the_floor_is_kept_on_the_line_and_a_price_of_the_rules_below_it_is_not_held(business):
    approve(business, "minimum_margin_permille", 700)
    with business.work(DESK, source="screen") as work:
        (order,) = capture_orders(work, [business.order()], rules=RULES, cells=OPEN)
    assert order.state == "captured"
    assert (order.lines[0].price_floor, order.lines[0].unit_cost) == (13_333_334, 4_000_000)


def test_a_price_where_the_rules_give_none_needs_somebody_else(business):
    with business.work() as work:
        work.session.execute(update(PriceRule).values(valid_until=date(2026, 1, 1)))
    order = _order(business, [an_entered(business, "12.00")])
    assert _hold(business, order).level == "site_lead"
    before = _documents(business)
    with pytest.raises(RuleBroken) as refused:
        _order(business, [type(an_entered(business, "1"))(item=business.items[0], quantity=Decimal(1))])
    assert refused.value.code == "price_missing"
    assert _documents(business) == before


def test_a_price_without_its_reason_or_below_zero_or_by_who_may_not_takes_no_order(business):
    before = _documents(business)
    for line, by, code in (
        (an_entered(business, "9.00", reason=" "), DESK, "reason_required"),
        (an_entered(business, "-1"), DESK, "price_negative"),
        (an_entered(business, "9.00"), CHANGES, "not_allowed"),
    ):
        with pytest.raises((RuleBroken, NotAllowed)) as refused:
            _order(business, [line], by=by)
        assert refused.value.code == code
    assert _documents(business) == before


def test_imported_orders_state_their_prices_and_are_never_held_for_them(business):
    command = business.order()
    line = type(command.lines[0])(item=business.items[0], quantity=Decimal(1), unit_price=Decimal("0.01"))
    command = type(command)(site=business.site, channel=business.channel, customer=business.customer, lines=[line])
    with business.work(source="import") as work:
        (order,) = capture_orders(work, [command], rules=RULES, cells=OPEN)
    assert (order.state, order.lines[0].price_source, order.lines[0].price_rule_id) == ("captured", "stated", None)


def test_a_tolerance_for_an_item_group_holds_for_its_lines_alone(business):
    with business.work() as work:
        family = ItemGroup(id=work.ids.one(), code="FIT", name="Fittings")
        work.session.add(family)
        work.session.flush()
        work.session.execute(update(Item).where(Item.id == business.items[1]).values(group_id=family.id))
        family_id = family.id
    approve(business, "price_tolerance_permille", 200, item_group=family_id)
    both = [an_entered(business, "9.00"), an_entered(business, "9.00", item=1)]
    assert orjson.loads(_hold(business, _order(business, both)).facts)["lines"] == [10]
    assert _hold(business, _order(business, both[1:])) is None


def test_rules_of_thousands_of_customers_do_not_slow_the_price_of_one(business):
    with business.work() as work:
        rows = [
            Customer(
                id=work.ids.one(), entity_id=business.entity, code=f"X{n}", name="X", country="Germany", currency="EUR",
                tax_class="standard", payment_days=30,
            )
            for n in range(500)
        ]  # fmt: skip
        work.session.add_all(rows)
        work.session.flush()
        ids = [row.id for row in rows]
    save(business, *(a_price(business, "5.00", customer=customer) for customer in ids))
    with business.work() as work:
        resolve_prices(work, [Asked(business.items[0], business.customer, None, business.channel, 1000, TODAY, "EUR")])
        assert len(work.memo["prices"][business.items[0], business.customer]) == 1
        assert add_prices(work, []) == []
