"""A policy point has another value than the standard: who may, where, for how long, and which documents it touches."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from app.composition.policies import RegisterRules
from app.composition.uow import connect
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import AuditEntry, verify_chain
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.masterdata.models import Item, ItemGroup, StoredRuleset
from erpcore.orders.models import OrderLine, SalesOrder
from erpcore.orders.services import capture_orders
from erpcore.ports import POLICY_POINTS, standard_ruleset
from governance.variants.models import Variant, VariantChange, VariantRegister
from governance.variants.register import Scope, current_index, read_index, read_revision
from governance.variants.services import (
    MoveVariant,
    SettleVariant,
    hand_over,
    move_variant,
    owner_leaves,
    settle_variant,
)
from tests.support.core import OPEN, a_business
from tests.support.policies import ASKS, DECIDES, approve, ask_for, decide, many_variants


def _resolved(business, rules=None, **scope):
    with business.work() as work:
        return (rules or RegisterRules()).resolve(
            work, **{"entity": business.entity, "site": business.site, "channel": business.channel,
                     "customer_group": None, **scope},
        )  # fmt: skip


def _counts(business):
    """How much there is of everything that approvals write, and the register's revision: what a refusal must not change."""
    with business.work() as work:
        return (
            *[work.session.scalar(select(func.count()).select_from(table)) for table in (Variant, AuditEntry)],
            work.session.scalar(select(VariantRegister.revision)),
            sorted(work.session.execute(select(Variant.id, Variant.state, Variant.version)).all()),
        )


@pytest.fixture
def business(database):
    return a_business(database)


def test_without_an_approved_value_the_standard_holds_and_is_stored_once(business):
    first, second = _resolved(business), _resolved(business)
    assert first.hash == second.hash == standard_ruleset().hash
    assert (first.variants, dict(first.origins)) == ("", {})
    with business.work() as work:
        assert work.session.scalars(select(StoredRuleset.hash)).all() == [first.hash]


def test_an_approved_value_holds_in_its_scope_from_the_next_unit_of_work_and_says_where_it_comes_from(business):
    value = approve(business, "partial_shipment", False)
    here, elsewhere = _resolved(business), _resolved(business, site=business.site + 1)
    assert (here["partial_shipment"], dict(here.origins), here.variants) == (
        False, {"partial_shipment": value}, str(value),
    )  # fmt: skip
    assert elsewhere.hash == standard_ruleset().hash
    with business.work() as work:
        stored = RegisterRules().stored(work, here.hash)
    assert (stored["partial_shipment"], dict(stored.origins)) == (False, {"partial_shipment": value})


def test_a_second_process_sees_an_approval_and_a_revocation_at_its_next_unit_of_work(business):
    other = connect(business.database.url)
    rules = RegisterRules()
    try:
        elsewhere = type(business)(other, business.clock, business.entity, business.site, business.channel)
        assert _resolved(elsewhere, rules)["partial_shipment"] is True
        value = approve(business, "partial_shipment", False)
        assert _resolved(elsewhere, rules)["partial_shipment"] is False
        decide(business, value, "revoke")
        assert _resolved(elsewhere, rules)["partial_shipment"] is True
    finally:
        other.dispose()


#: A process of its own: for each line it is sent it opens a unit of work and says what holds at the site.
_OTHER = """
import sys
from app.composition.policies import RegisterRules
from app.composition.uow import connect, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock
from tests.support.core import MONDAY

url, entity, site = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
database, rules = connect(url), RegisterRules()
for _ in sys.stdin:
    with unit_of_work(database, actor=Actor.system("test"), clock=SetClock(MONDAY)) as work:
        found = rules.resolve(work, entity=entity, site=site, channel=None, customer_group=None)
    print(found["partial_shipment"], found.variants or "-", flush=True)
"""


def test_another_process_of_the_system_follows_an_approval_at_its_next_unit_of_work_though_it_has_read_before(business):
    program = [sys.executable, "-c", _OTHER, business.database.url, str(business.entity), str(business.site)]
    other = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def says():
        other.stdin.write("\n")
        other.stdin.flush()
        return other.stdout.readline().split()

    try:
        assert says() == ["True", "-"]
        asked = ask_for(business, "partial_shipment", False)
        assert says() == ["True", "-"], "asked for is not agreed"
        decide(business, asked)
        assert says() == ["False", str(asked)]
        decide(business, asked, "revoke")
        assert says() == ["True", "-"]
    finally:
        other.stdin.close()
        other.wait(timeout=30)
        other.stdout.close()


def _same(index):
    """An index in an order of its own, for comparing."""
    return {scope: sorted(found, key=repr) for scope, found in index.entries.items()}, index.standards, index.ranks


def _leaves(business):
    with business.work() as work:
        assert owner_leaves(work, ASKS.id) > 0


def _takes_over(business, variant):
    with business.work(ASKS) as work:
        hand_over(work, variant, 4711, deputy=None, reason="leads the branch now")


def test_what_a_process_reads_after_each_change_comes_to_what_it_would_read_as_a_whole(business):
    first = approve(business, "partial_shipment", False)
    with business.work() as work:
        known = read_index(work.session, read_revision(work.session))
    group = approve(business, "count_tolerance_permille", 7, site=None, entity=business.entity)
    steps = [
        lambda: approve(business, "partial_shipment", False, site=business.site + 1),
        lambda: decide(business, group, "review", by=ASKS),
        lambda: decide(business, group),
        lambda: decide(business, first, "revoke"),
        lambda: approve(business, "partial_shipment", False),
        lambda: _leaves(business),
        lambda: _takes_over(business, group),
        lambda: decide(business, group, "retire", by=ASKS),
    ]
    seen = []
    for step in (lambda: None, *steps):
        step()
        with business.work() as work:
            revision = read_revision(work.session)
            whole, renewed = read_index(work.session, revision), current_index(work, known)
        assert _same(renewed) == _same(whole)
        seen.append(renewed.revision)
        # Who looks only now and then comes to the same in one go.
        known = renewed if len(seen) % 3 else known
    assert len(set(seen)) == len(seen)


def test_a_process_reads_after_an_approval_what_was_approved_and_not_the_other_five_thousand(business, monkeypatch):
    many_variants(business)
    rules = RegisterRules()
    assert _resolved(business, rules, site=7, channel=1)["price_tolerance_permille"] == 7
    monkeypatch.setattr("governance.variants.register.read_index", None)
    wanted = approve(business, "packing_required", True, site=7)
    found = _resolved(business, rules, site=7, channel=1)
    assert (found["packing_required"], found.origins["packing_required"]) == (True, wanted)
    assert (found["partial_shipment"], found["price_tolerance_permille"]) == (False, 7)


def test_a_process_that_is_not_told_what_changed_reads_all(business):
    rules = RegisterRules()
    assert _resolved(business, rules)["partial_shipment"] is True
    approve(business, "partial_shipment", False)
    with business.work() as work:
        work.session.execute(delete(VariantChange))
    assert _resolved(business, rules)["partial_shipment"] is False


def test_a_value_begins_and_ends_to_the_microsecond(business):
    start = business.clock.now() + timedelta(days=1)
    approve(business, "partial_shipment", False, starts=start, days=2)
    tick = timedelta(microseconds=1)
    for at, expected in (
        (start - tick, True), (start, False), (start + timedelta(days=2) - tick, False), (start + timedelta(days=2), True),
    ):  # fmt: skip
        business.clock.set(at)
        assert _resolved(business)["partial_shipment"] is expected, at


def test_the_most_specific_scope_wins_item_group_before_group_before_channel_before_site_before_entity(
    business, monkeypatch
):
    wide = replace(POLICY_POINTS["price_tolerance_permille"], maximum=500)
    monkeypatch.setitem(POLICY_POINTS, "price_tolerance_permille", wide)
    group, family = 901, 902
    for days, scope in (
        (11, {"entity": business.entity}), (12, {"site": business.site}), (13, {"channel": business.channel}),
        (14, {"customer_group": group}), (15, {"channel": business.channel, "site": business.site}),
    ):  # fmt: skip
        approve(business, "price_tolerance_permille", days, **scope)
    approve(business, "price_tolerance_permille", 16, item_group=family)
    tolerance = "price_tolerance_permille"
    assert _resolved(business, channel=None, site=business.site + 1)[tolerance] == 11
    assert _resolved(business, channel=None)[tolerance] == 12
    assert _resolved(business, site=business.site + 1)[tolerance] == 13
    assert _resolved(business)[tolerance] == 15
    assert _resolved(business, customer_group=group)[tolerance] == 14
    with business.work() as work:
        asked = {"entity": business.entity, "site": business.site, "channel": business.channel, "customer_group": group}
        assert RegisterRules().resolve_line(work, **asked, item_group=family)[tolerance] == 16
        assert RegisterRules().resolve_line(work, **asked, item_group=family + 1)[tolerance] == 14


def test_an_order_is_stamped_and_only_the_line_of_the_named_item_group_has_a_ruleset_of_its_own(business):
    with business.work() as work:
        family = ItemGroup(id=work.ids.one(), code="FIT", name="Fittings")
        work.session.add(family)
        work.session.flush()
        work.session.get(Item, business.items[1]).group_id = family.id
        family_id = family.id
    value = approve(business, "partial_shipment", False, item_group=family_id)
    with business.work() as work:
        (order,) = capture_orders(work, [business.order([(0, 1), (1, 1)])], rules=RegisterRules(), cells=OPEN)
    with business.work() as work:
        stamped = work.session.execute(select(OrderLine.ruleset).order_by(OrderLine.line_no)).scalars().all()
        assert work.session.scalar(select(SalesOrder.ruleset)) == standard_ruleset().hash == order.ruleset
        assert stamped[0] is None
        assert dict(RegisterRules().stored(work, stamped[1]).origins) == {"partial_shipment": value}


def test_a_document_under_way_keeps_the_rules_it_is_stamped_with(business):
    with business.work() as work:
        (order,) = capture_orders(work, [business.order()], rules=RegisterRules(), cells=OPEN)
    approve(business, "partial_shipment", False)
    with business.work() as work:
        (later,) = capture_orders(work, [business.order()], rules=RegisterRules(), cells=OPEN)
        rules = RegisterRules()
        assert rules.stored(work, order.ruleset)["partial_shipment"] is True
        assert rules.stored(work, later.ruleset)["partial_shipment"] is False


def test_a_ruleset_older_than_a_point_answers_with_how_the_core_behaved_before(business):
    with business.work() as work:
        old = StoredRuleset(
            hash="0" * 64,
            catalogue_version=1,
            content='{"partial_shipment":false}',
            variants="",
            first_used_at=work.now,
        )
        work.session.add(old)
        work.session.flush()
        found = RegisterRules().stored(work, "0" * 64)
        assert found["partial_shipment"] is False
        for name, point in POLICY_POINTS.items():
            if name != "partial_shipment":
                assert found[name] == point.before_introduction
        with pytest.raises(KeyError):
            found["no_such_point"]


@pytest.mark.parametrize(
    ("point", "value", "scope", "code"),
    [
        ("negative_stock", True, {}, "policy_point_locked"),
        ("negative_stock", False, {"entity": 1}, "policy_point_locked"),
        ("count_tolerance_permille", 51, {}, "policy_value_outside"),
        ("count_tolerance_permille", -1, {}, "policy_value_outside"),
        ("count_tolerance_permille", True, {}, "policy_value_outside"),
        ("count_tolerance_permille", "7", {}, "policy_value_outside"),
        ("partial_shipment", 0, {}, "policy_value_outside"),
        ("partial_shipment", "false", {}, "policy_value_outside"),
        ("invoice_trigger", "on_monday", {}, "policy_value_outside"),
        ("partial_shipment", True, {}, "policy_value_is_standard"),
        ("count_tolerance_permille", 7, {"channel": 1}, "policy_scope_too_wide"),
        ("count_tolerance_permille", 7, {"customer_group": 1, "site": 1}, "policy_scope_too_wide"),
        ("partial_shipment", False, {"site": None}, "policy_scope_empty"),
    ],
)
def test_a_value_outside_its_range_on_a_locked_point_or_for_a_scope_its_freedom_refuses_is_not_asked_for(
    business, point, value, scope, code
):
    before = _counts(business)
    with pytest.raises(RuleBroken) as refused:
        ask_for(business, point, value, **scope)
    assert refused.value.code == code
    assert _counts(business) == before


def test_a_point_that_the_core_does_not_have_a_time_that_is_over_and_a_request_without_reason_are_refused(business):
    before = _counts(business)
    with pytest.raises(NotFound):
        ask_for(business, "free_beer", True)
    for days, code in ((0, "policy_value_over"), (-1, "policy_value_over"), (2000, "policy_value_too_long")):
        with pytest.raises(RuleBroken) as refused:
            ask_for(business, "partial_shipment", False, days=days)
        assert refused.value.code == code
    assert _counts(business) == before


def test_who_asked_does_not_decide_whoever_counts_the_answers(business):
    both = Actor(id=ASKS.id, role="both", permissions=ASKS.permissions | DECIDES.permissions)
    value = ask_for(business, "partial_shipment", False, by=both)
    before = _counts(business)
    for move in ("approve", "reject"):
        with pytest.raises(NotAllowed) as refused:
            decide(business, value, move, by=both)
        assert refused.value.code == "own_request"
    assert _counts(business) == before
    assert decide(business, value) == "approved"


def test_an_approval_of_equal_rank_for_an_intersecting_time_is_refused_naming_the_other_value(business):
    first, second = (ask_for(business, "partial_shipment", False) for _ in range(2))
    decide(business, first)
    before = _counts(business)
    with pytest.raises(RuleBroken) as refused:
        decide(business, second)
    assert (refused.value.code, refused.value.facts["other"]) == ("variant_overlaps", first)
    with pytest.raises(RuleBroken) as refused:
        ask_for(business, "partial_shipment", False, starts=business.clock.now() + timedelta(days=89))
    assert refused.value.facts["other"] == first
    assert _counts(business) == before
    # Beside it in time, or of another rank, it may stand.
    approve(business, "partial_shipment", False, starts=business.clock.now() + timedelta(days=90))
    approve(business, "partial_shipment", False, site=business.site, channel=business.channel)


def test_moves_that_do_not_lead_on_and_versions_seen_too_long_ago_are_refused(business):
    value = ask_for(business, "partial_shipment", False)
    with pytest.raises(RuleBroken):
        decide(business, value, "revoke")
    decide(business, value, "reject")
    before = _counts(business)
    for move in ("approve", "reject", "revoke", "withdraw", "retire", "review"):
        with pytest.raises((RuleBroken, NotAllowed)):
            decide(business, value, move, by=Actor.system("test"))
    other = ask_for(business, "partial_shipment", False)
    with pytest.raises(RuleBroken) as refused:
        decide(business, other, "withdraw", by=ASKS, reason="  ")
    assert refused.value.code == "reason_required"
    with pytest.raises(Conflict), business.work(DECIDES) as work:
        settle_variant(work, SettleVariant(variant=other, is_agreed=True, reason="seen", seen_version=1))
    with pytest.raises(NotAllowed), business.work(Actor(id=9, role="po", permissions=ASKS.permissions)) as work:
        move_variant(work, MoveVariant(variant=other, move="withdraw", reason="not mine"))
    assert decide(business, other, "withdraw", by=ASKS) == "withdrawn"
    assert _counts(business)[2] == before[2]


def test_every_step_is_in_the_audit_chain(business):
    value = approve(business, "partial_shipment", False)
    decide(business, value, "revoke", reason="no longer needed")
    with business.work() as work:
        kinds = work.session.scalars(
            select(AuditEntry.kind).where(AuditEntry.subject_id == value).order_by(AuditEntry.position)
        ).all()
        assert kinds == ["variant.drafted", "variant.submitted", "variant.approved", "variant.revoked"]
        assert verify_chain(work.session).broken_at is None


def test_rules_that_cannot_be_read_are_refused_and_never_guessed(business):
    with business.work() as work:
        work.session.execute(VariantRegister.__table__.delete())
    with pytest.raises(RuleBroken) as refused:
        _resolved(business)
    assert refused.value.code == "rules_unreadable"


def test_a_document_resolves_in_under_a_millisecond_with_5000_values_and_500_sites(business):
    assert many_variants(business) == 5000
    rules = RegisterRules()
    with business.work() as work:
        index = rules._current(work)
        began = time.process_time()
        for turn in range(1000):
            found = index.ruleset(Scope(None, turn % 3, turn % 4, turn % 500, business.entity), work.now)
        spent = time.process_time() - began
        assert found["count_tolerance_permille"] == 7
    assert spent < 1.0, f"{spent:.3f} ms each"
