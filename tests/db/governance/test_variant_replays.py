"""What would a variant change? Small cases worked out by hand, by the core's own services, and nothing else moves."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from app.composition.replaying.points import NOT_SHOWN, SHOWN
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotAllowed, RuleBroken
from erpcore.masterdata.services import ensure_channel
from erpcore.orders.commands import NewLine
from erpcore.ports import POLICY_POINTS
from governance.replays.models import ReplayRecord, VariantReplay
from governance.replays.services import Outcome, finish_replay, proposal_of, take_replay
from governance.variants.checks import values_of
from governance.variants.models import Variant
from governance.variants.permissions import VariantPermission
from governance.variants.register import Scope
from governance.variants.writing import DraftVariant, change_draft, draft_variant
from tests.support.core import a_business
from tests.support.policies import ASKS, approve, ask_for, decide, said
from tests.support.replays import all_rows, asked, bill_and_pay, comes, done, kept, later, taken


@pytest.fixture
def short(database):
    """Ten of each item. On Monday one order takes six pipes, the next wants eight; on Thursday ten more come."""
    business = a_business(database, stock=10)
    business.first = taken(business, ((0, 6), (1, 3)), ships=True)
    later(business, hours=1)
    business.second = taken(business, ((0, 8), (1, 2)), ships=True)
    later(business, days=3)
    comes(business, 0, 10)
    later(business, days=1)
    return business


def test_shipping_whole_orders_is_shown_in_splits_fill_and_lines_that_leave_in_time(short):
    key = asked(short, ask_for(short, "partial_shipment", False), days=7)
    assert done(short) == 1
    row, record, figures, differs = kept(short, key)
    assert (row.state, record.orders, record.lines, record.differing) == ("done", 2, 4, 1)
    was, now = figures["standard"], figures["proposed"]
    # The second order leaves four of eight on Monday and the rest on Thursday; whole, all of it leaves on Thursday.
    assert (was["shipments"], now["shipments"]) == ([3, 2], [2, 2])
    assert (was["first"], now["first"]) == ([3, 4], [4, 4])
    assert (was["in_time"], now["in_time"]) == ([3, 4], [2, 4])
    # 6 + 3 + 8 + 2 pieces at 10.00, that cost 4.00.
    assert (was["worth"], now["worth"]) == ({"EUR": [19000, 11400]}, {"EUR": [19000, 11400]})
    assert list(differs) == [short.second]
    assert differs[short.second]["points"] == ["partial_shipment"]


def test_a_replay_moves_nothing_but_its_own_record(short):
    key = asked(short, ask_for(short, "partial_shipment", False), days=7)
    before = all_rows(short.database)
    done(short)
    after = all_rows(short.database)
    moved = {name for name in after if after[name] != before[name]}
    own = {"variant_replay", "variant_replay_record", "variant_replay_order", "audit_entry", "audit_link", "id_head"}
    assert moved - own == set()
    assert {"variant_replay_record", "variant_replay_order"} <= moved
    with pytest.raises(DBAPIError), short.work() as work:
        work.session.execute(update(ReplayRecord).where(ReplayRecord.replay_id == key).values(orders=0))


def test_a_part_over_the_credit_limit_is_shown_in_the_orders_that_are_not_held(database):
    business = a_business(database, limit=15_000)
    first = taken(business, ((0, 9),))
    later(business, hours=1)
    second = taken(business, ((1, 10),))
    later(business, days=1)
    key = asked(business, ask_for(business, "credit_order_share_permille", 500), days=7)
    done(business)
    _, record, figures, differs = kept(business, key)
    # 90.00 and 100.00 against 150.00: the second is held, unless it may exceed the limit by half of itself.
    assert (figures["standard"]["held"], figures["proposed"]["held"]) == ({"credit": 1}, {})
    assert (figures["standard"]["shipments"], figures["proposed"]["shipments"]) == ([1, 1], [2, 2])
    assert (figures["standard"]["worth"], figures["proposed"]["worth"]) == (
        {"EUR": [9000, 5400]},
        {"EUR": [19000, 11400]},
    )
    assert (record.differing, first in differs) == (1, False)
    held = next(one for one in differs[second]["differs"] if one["what"] == "held")
    assert held == {"what": "held", "before": ["credit"], "after": [], "why": "credit limit exceeded"}


def test_what_customers_paid_meanwhile_lets_orders_go_as_it_did(database):
    business = a_business(database, limit=15_000)
    taken(business, ((0, 9),), ships=True)
    bill_and_pay(business)
    later(business, days=1)
    taken(business, ((1, 10),))
    later(business, days=1)
    key = asked(business, ask_for(business, "credit_order_share_permille", 500), days=7)
    done(business)
    _, record, figures, _ = kept(business, key)
    assert (figures["standard"]["held"], record.differing) == ({}, 0)


def test_a_minimum_margin_is_shown_in_the_orders_whose_entered_price_would_wait(database):
    business = a_business(database)
    approve(business, "price_tolerance_permille", 500)
    line = NewLine(item=business.items[0], quantity=Decimal(2), unit_price=Decimal(5), price_reason="a regular")
    number = taken(business, (), lines=[line])
    taken(business, ((1, 2),))
    later(business, days=1)
    key = asked(business, ask_for(business, "minimum_margin_permille", 400), days=7)
    done(business)
    _, record, figures, differs = kept(business, key)
    # It costs 4.00, so at least 6.67 must be asked; below that the process owner decides.
    assert (figures["standard"]["held"], figures["proposed"]["held"]) == ({}, {"price:process_owner": 1})
    assert (record.orders, record.differing) == (2, 1)
    assert differs[number]["points"] == ["minimum_margin_permille"]
    assert differs[number]["differs"][0] == {
        "what": "held", "before": [], "after": ["price:process_owner"], "why": "price beyond tolerance",
    }  # fmt: skip


def test_a_rush_that_is_refused_is_named_with_the_rules_own_sentence(database):
    business = a_business(database)
    number = taken(business, ((0, 1),), rush=True)
    later(business, days=1)
    key = asked(business, ask_for(business, "rush_rule", "refuse"), days=7)
    done(business)
    _, _, figures, differs = kept(business, key)
    assert (figures["standard"]["taken"], figures["proposed"]["taken"]) == (1, 0)
    assert figures["proposed"]["refused"] == {"rush_refused": 1}
    (said,) = differs[number]["differs"]
    assert (said["before"], said["after"]) == (None, "rush_refused")
    assert "40-0" in said["why"]


def test_the_neighbours_orders_are_not_replayed_and_their_goods_are_gone_when_they_really_left(database):
    business = a_business(database, stock=10)
    with business.work() as work:
        other = ensure_channel(work, "retail", "Retail").id
    taken(business, ((0, 6),), ships=True, channel=other)
    later(business, hours=1)
    taken(business, ((0, 8), (1, 2)), ships=True)
    later(business, days=1)
    comes(business, 0, 10)
    later(business, days=1)
    scope = {"channel": business.channel}
    key = asked(business, ask_for(business, "partial_shipment", False, **scope), days=7)
    done(business)
    _, record, figures, _ = kept(business, key)
    assert (record.orders, record.lines) == (1, 2)
    assert (figures["standard"]["shipments"], figures["standard"]["first"]) == ([2, 1], [1, 2])
    assert (figures["proposed"]["shipments"], figures["proposed"]["first"]) == ([1, 1], [2, 2])


def test_where_no_order_is_in_scope_there_is_no_figure(database):
    business = a_business(database)
    variant = ask_for(business, "partial_shipment", False)
    before = all_rows(database)
    with pytest.raises(RuleBroken) as refused:
        asked(business, variant, days=7)
    assert refused.value.code == "replay_nothing_in_scope"
    assert all_rows(database) == before
    assert done(business) == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"days": 0}, "replay_days"), ({"days": 367}, "replay_days"), ({"most": 0}, "replay_most"),
     ({"most": 50_001}, "replay_most")],
)  # fmt: skip
def test_a_period_or_number_out_of_range_is_refused(short, changes, code):
    variant = ask_for(short, "partial_shipment", False)
    with pytest.raises(RuleBroken) as refused:
        asked(short, variant, **changes)
    assert refused.value.code == code


def test_a_point_of_which_orders_show_nothing_a_decided_variant_and_somebody_else_are_refused(short):
    with pytest.raises(RuleBroken) as refused:
        asked(short, ask_for(short, "count_freeze", True))
    assert (refused.value.code, refused.value.facts["points"]) == (
        "replay_shows_nothing",
        ["Freeze while counting"],
    )
    variant = ask_for(short, "partial_shipment", False)
    reads = Actor(id=73, role="reader", permissions=frozenset({VariantPermission.VIEW}))
    with pytest.raises(NotAllowed):
        asked(short, variant, by=reads)
    decide(short, variant)
    with pytest.raises(RuleBroken) as refused:
        asked(short, variant)
    assert refused.value.code == "replay_decided"


def test_one_that_waits_is_not_asked_for_twice_and_one_that_was_killed_is_done_again_with_the_same_record(short):
    variant = ask_for(short, "partial_shipment", False)
    key = asked(short, variant, days=7)
    assert asked(short, variant, days=28) == key
    with short.work() as work:
        assert take_replay(work).id == key  # this worker is killed here
    assert done(short) == 0
    later(short, minutes=3)
    assert done(short) == 1
    row, record, _, _ = kept(short, key)
    assert (row.state, row.tries, record.orders) == ("done", 2, 2)
    with short.work() as work:
        outcome = Outcome(inputs="x" * 64, revision="r", orders=0, lines=0, differing=0, figures={}, named=[])
        assert finish_replay(work, key, outcome) is False
    again = asked(short, variant, days=7)
    assert again != key
    with short.work() as work:
        later_row = work.session.get_one(VariantReplay, again)
        first = work.session.get_one(VariantReplay, key)
        later_row.period_from, later_row.period_until, later_row.asked_at = (
            first.period_from,
            first.period_until,
            first.asked_at,
        )
    done(short)
    assert kept(short, again)[1].inputs == record.inputs, "the same inputs, worked out again from what stands there now"


def test_a_worker_that_breaks_three_times_is_given_up_and_says_so(short):
    key = asked(short, ask_for(short, "partial_shipment", False), days=7)
    for _ in range(3):
        with short.work() as work:
            assert take_replay(work).id == key
        later(short, minutes=3)
    assert done(short) == 0
    row, record, _, _ = kept(short, key)
    assert (row.state, row.note, record) == ("failed", "It broke off 3 times.", None)


def test_a_draft_that_is_written_anew_outdates_its_replay_by_itself(short):
    with short.work(ASKS) as work:
        draft = draft_variant(work, written(short, {"partial_shipment": False}))
    key = asked(short, draft.id, days=7)
    done(short)
    assert is_outdated(short, key) is False
    with short.work(ASKS) as work:
        change_draft(work, draft.id, written(short, {"allocation_rule": "priority"}), seen_version=None)
    assert is_outdated(short, key) is True
    waits = asked(short, draft.id, days=7)
    with short.work(ASKS) as work:
        change_draft(work, draft.id, written(short, {"allocation_rule": "fair_share"}), seen_version=None)
    anew = asked(short, draft.id, days=7)
    assert anew != waits
    assert kept(short, waits)[0].state == "failed"
    assert done(short) == 1


def written(business, values):
    return DraftVariant(
        values=values, scope=Scope(site=business.site), valid_from=None,
        valid_until=business.clock.now() + timedelta(days=90), content=said(),
    )  # fmt: skip


def is_outdated(business, replay):
    with business.work() as work:
        row = work.session.get_one(VariantReplay, replay)
        variant = work.session.get_one(Variant, row.variant_id)
        return row.proposal != proposal_of(variant, values_of(work, variant.id))


def test_every_point_is_either_replayed_or_said_why_not():
    assert SHOWN.isdisjoint(NOT_SHOWN)
    assert SHOWN | NOT_SHOWN.keys() == POLICY_POINTS.keys()
