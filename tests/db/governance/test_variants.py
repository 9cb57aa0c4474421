"""A variant from its draft to its end: who decides, what makes it invalid, what takes its place, and which standard holds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, update

from app.composition import variants as desk
from app.composition.approving import propose_rule, withdraw
from app.composition.coverage import read_coverage
from app.composition.policies import RegisterRules
from app.composition.variants import AskForVariant
from app.queries.variant_runs import movable_orders
from app.queries.variants import agreed_of_point
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import AuditEntry
from erpcore.kernel.errors import Conflict, DomainError, NotAllowed, NotFound, RuleBroken
from erpcore.masterdata.models import Customer, CustomerGroup, Entity, Item, ItemGroup
from erpcore.masterdata.services import NewCustomer, NewEntity, add_customers, add_entity
from erpcore.orders.models import SalesOrder
from erpcore.orders.services import capture_orders
from erpcore.ports import POLICY_POINTS
from governance.approvals.models import ApprovalExcluded, ApprovalRequest
from governance.approvals.rulebook import ProposeRule
from governance.programme.kinds import BodyKind
from governance.variants.flow import AGREED, VariantState
from governance.variants.kinds import Kind
from governance.variants.models import Variant, VariantDeviation, VariantRegister, VariantValue
from governance.variants.queries import unfit_variants
from governance.variants.register import Scope
from governance.variants.services import MoveVariant, hand_over, owner_leaves
from governance.variants.validity import GRACE, Facts, Standing, effective_at, facts_of, is_valid, standing
from governance.variants.writing import DraftVariant, request_variant
from readiness.conformance.ports import Where
from tests.support.approvals import a_body, answered, delegated, person
from tests.support.core import OPEN, a_business
from tests.support.policies import ASKS, approve, ask_for, decide, said
from tests.support.threads import at_once


@pytest.fixture
def business(database):
    return a_business(database)


def asked(business, by, **changes):
    """The variant and the request that it waits for: ship whole orders at the business's site until the last of June."""
    usual = {
        "scope": Scope(site=business.site),
        "values": {"partial_shipment": False},
        "until_on": date(2026, 6, 30),
        "content": said(),
    }
    with business.work(by) as work:
        row = desk.write_variant(work, AskForVariant(**{**usual, **changes}))
        return row.id, row.approval_id


def state(business, variant):
    with business.work() as work:
        return work.session.scalar(select(Variant.state).where(Variant.id == variant))


def resolved(business, point="partial_shipment", **scope):
    with business.work() as work:
        return RegisterRules().resolve(
            work, **{"entity": business.entity, "site": business.site, "channel": business.channel,
                     "customer_group": None, **scope},
        )[point]  # fmt: skip


def test_a_controlled_variation_is_decided_by_the_design_authority_and_not_by_who_asked_nor_their_delegate(business):
    owner, member, deputy = (
        person(business, "process_owner"),
        person(business, "design_authority"),
        person(business, "design_authority"),
    )
    a_body(business, BodyKind.DESIGN_AUTHORITY, [owner, member], quorum=(1, 2))
    delegated(business, owner, deputy)
    key, request = asked(business, owner)
    for who, code in (
        (owner, "approval_own"),
        (deputy, "approval_tied"),
        (person(business, "pmo"), "approval_not_yours"),
    ):
        with pytest.raises(NotAllowed) as refused:
            answered(business, who, request)
        assert refused.value.code == code
    assert (state(business, key), resolved(business)) == ("submitted", True)
    assert answered(business, member, request) == "approved"
    assert (state(business, key), resolved(business)) == ("approved", False)
    assert answered(business, member, request) == "approved", "acting twice is harmless"


def test_where_somebody_else_asks_the_process_owner_agrees_too(business):
    lead, owner, member = (
        person(business, "site_lead", site=business.site),
        person(business, "process_owner"),
        person(business, "design_authority"),
    )
    a_body(business, BodyKind.DESIGN_AUTHORITY, [member], quorum=(1, 1))
    key, request = asked(business, lead)
    assert answered(business, member, request) == "waiting"
    assert state(business, key) == "submitted"
    assert answered(business, owner, request) == "approved"
    with business.work() as work:
        row = work.session.get(Variant, key)
        assert (row.state, row.needs_consent, row.consented_by) == ("approved", True, owner.id)


def test_a_strategic_exception_takes_the_quorum_of_the_steering_committee(business):
    owner = person(business, "process_owner")
    members = [person(business, "steering_member") for _ in range(3)]
    a_body(business, BodyKind.STEERING, members, quorum=(2, 3))
    key, request = asked(business, owner, kind=Kind.STRATEGIC_EXCEPTION)
    assert answered(business, members[0], request) == "waiting"
    assert state(business, key) == "submitted"
    assert answered(business, members[1], request) == "approved"
    assert state(business, key) == "approved"


def test_a_new_standard_is_proposed_by_a_process_owner_decided_by_the_council_and_is_nobodys_departure(business):
    owner, lead = person(business, "process_owner"), person(business, "site_lead", site=business.site)
    council = [owner, person(business, "process_owner"), person(business, "design_authority")]
    a_body(business, BodyKind.PROCESS_COUNCIL, council, quorum=(2, 3))
    change = {"kind": Kind.STANDARD_CHANGE, "scope": Scope(), "until_on": None, "from_on": date(2026, 4, 1)}
    with pytest.raises(NotAllowed):
        asked(business, lead, **change)
    with pytest.raises(RuleBroken) as refused:
        asked(business, owner, **{**change, "scope": Scope(site=business.site)})
    assert refused.value.code == "standard_change_shape"
    _, request = asked(business, owner, **change)
    with pytest.raises(NotAllowed):
        answered(business, owner, request)
    for who in council[1:]:
        answered(business, who, request)
    assert resolved(business) is True
    business.clock.set(datetime(2026, 4, 1, tzinfo=UTC))
    assert resolved(business) is False
    with business.work() as work:
        found = RegisterRules().resolve(
            work, entity=business.entity, site=business.site, channel=None, customer_group=None
        )
        assert (dict(found.origins), found.variants) == ({}, "")
    with pytest.raises(RuleBroken) as refused:
        ask_for(business, "partial_shipment", False)
    assert refused.value.code == "policy_value_is_standard"
    approve(business, "partial_shipment", True)
    assert (resolved(business), resolved(business, site=business.site + 1)) == (True, False)


def test_a_request_about_an_older_version_approves_nothing(business):
    owner, member = person(business, "process_owner"), person(business, "design_authority")
    a_body(business, BodyKind.DESIGN_AUTHORITY, [member], quorum=(1, 1))
    key, request = asked(business, owner)
    lead = person(business, "site_lead")
    with business.work(owner) as work:
        hand_over(work, key, lead.id, deputy=None, reason="knows the branch")
    with pytest.raises(Conflict) as refused:
        answered(business, member, request)
    assert refused.value.code == "approval_outdated"
    assert state(business, key) == "submitted"
    with business.work(owner) as work:
        again = desk.ask_again(work, key).approval_id
    assert answered(business, member, again) == "approved"


def test_of_two_who_approve_at_once_one_finds_it_done(business):
    owner = person(business, "process_owner")
    members = [person(business, "design_authority") for _ in range(2)]
    a_body(business, BodyKind.DESIGN_AUTHORITY, members, quorum=(1, 2))
    key, request = asked(business, owner)
    gate, said_ = Barrier(2), []

    def approve_it(who):
        gate.wait()
        try:
            said_.append(answered(business, who, request))
        except DomainError as error:
            said_.append(error.code)

    threads = [Thread(target=approve_it, args=(who,)) for who in members]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert "approved" in said_
    with business.work() as work:
        assert work.session.get(Variant, key).version == 3
        kinds = work.session.scalars(select(AuditEntry.kind).where(AuditEntry.subject_id == key)).all()
        assert kinds.count("variant.approved") == 1


def test_an_extension_goes_back_to_those_who_decide_and_a_no_leaves_the_old_end(business):
    owner, member = person(business, "process_owner"), person(business, "design_authority")
    a_body(business, BodyKind.DESIGN_AUTHORITY, [member], quorum=(1, 1))
    key = approve(business, "partial_shipment", False, days=30)
    ends = business.clock.now() + timedelta(days=30)

    def review(until_on):
        with business.work(owner) as work:
            command = MoveVariant(variant=key, move="review", reason="the hall is late")
            return desk.move(work, command, until_on=until_on).approval_id

    with pytest.raises(RuleBroken) as refused:
        review(date(2026, 3, 10))
    assert refused.value.code == "variant_not_later"
    answered(business, member, review(date(2026, 6, 30)), "reject")
    with business.work() as work:
        assert work.session.get(Variant, key).valid_until == ends
    request = review(date(2026, 6, 30))
    assert (state(business, key), resolved(business)) == ("under_review", False), "it stays in force meanwhile"
    answered(business, member, request)
    with business.work() as work:
        row = work.session.get(Variant, key)
        assert (row.state, row.valid_until, row.extend_until) == ("approved", datetime(2026, 6, 30, tzinfo=UTC), None)
    business.clock.set(datetime(2026, 7, 1, tzinfo=UTC))
    with pytest.raises(RuleBroken) as refused:
        review(date(2026, 9, 30))
    assert refused.value.code == "variant_expired"


def test_one_that_supersedes_another_begins_where_that_one_ends(business):
    first = approve(business, "price_tolerance_permille", 25)
    starts = business.clock.now() + timedelta(days=10)
    with business.work(ASKS) as work:
        second = request_variant(
            work,
            DraftVariant(
                values={"price_tolerance_permille": 50}, scope=Scope(site=business.site), valid_from=starts,
                valid_until=starts + timedelta(days=30), content=said(), supersedes=first,
            ),
        ).id  # fmt: skip
    decide(business, second)
    with business.work() as work:
        assert work.session.get(Variant, first).valid_until == starts
    for at, expected in ((starts - timedelta(microseconds=1), 25), (starts, 50)):
        business.clock.set(at)
        assert resolved(business, "price_tolerance_permille") == expected


def test_whoever_answers_leaves_and_after_a_while_it_holds_no_longer_until_somebody_else_does(business):
    key = approve(business, "partial_shipment", False, days=365)
    left = business.clock.now()
    with business.work() as work:
        assert owner_leaves(work, ASKS.id) == 1
    assert resolved(business) is False
    business.clock.set(left + GRACE - timedelta(microseconds=1))
    assert resolved(business) is False
    business.clock.set(left + GRACE)
    assert resolved(business) is True
    waiting = ask_for(business, "credit_check", False, by=Actor(id=99, role="po", permissions=ASKS.permissions))
    with business.work() as work:
        owner_leaves(work, 99)
    with pytest.raises(RuleBroken) as refused:
        decide(business, waiting)
    assert refused.value.code == "variant_owner_left"
    with business.work(ASKS) as work:
        hand_over(work, key, 4711, deputy=None, reason="leads the branch now")
    assert resolved(business) is False


def test_closing_an_account_flags_its_variants_in_the_same_unit_of_work(business):
    owner = person(business, "process_owner")
    key = ask_for(business, "partial_shipment", False, by=owner)
    with business.work() as work:
        desk.person_leaves(work, owner.id, reason="left")
    with business.work() as work:
        assert work.session.get(Variant, key).owner_left_at is not None


def test_a_point_or_value_that_the_core_no_longer_has_is_shown_and_never_guessed(business, monkeypatch):
    key = approve(business, "partial_shipment", False)
    with business.work() as work:
        work.session.add(VariantValue(variant_id=key, point="gone_since", value="7"))
        work.session.execute(update(VariantRegister).values(revision="again"))
    assert resolved(business) is True
    with business.work() as work:
        assert unfit_variants(work.session) == {key}
        assert standing(facts_of(work.session.get(Variant, key), False), work.now) is Standing.UNFIT
        found = RegisterRules().resolve(
            work, entity=business.entity, site=business.site, channel=None, customer_group=None
        )
        assert "gone_since" not in found.values
        assert dict(found.origins) == {}


def test_the_condition_of_a_query_and_the_function_say_the_same_of_every_variant(business):
    now = business.clock.now()
    keys = [approve(business, "price_tolerance_permille", 10 + n, site=business.site + n) for n in range(6)]
    hour = timedelta(hours=1)
    changes = (
        {}, {"valid_from": now + hour}, {"valid_from": now - 2 * hour, "valid_until": now}, {"owner_left_at": now - GRACE},
        {"owner_left_at": now - GRACE + hour}, {"state": VariantState.REVOKED},
    )  # fmt: skip
    with business.work() as work:
        for key, values in zip(keys, changes, strict=True):
            if values:
                work.session.execute(update(Variant).where(Variant.id == key).values(**values))
    with business.work() as work:
        rows = work.session.scalars(select(Variant).order_by(Variant.id)).all()
        by_function = [row.id for row in rows if is_valid(facts_of(row, True), work.now)]
        by_query = work.session.scalars(select(Variant.id).where(effective_at(work.now, ())).order_by(Variant.id)).all()
        assert by_query == by_function == [keys[0], keys[4]]


@pytest.mark.parametrize("state_of", [one for one in VariantState if one not in AGREED])
def test_only_what_was_agreed_is_valid(state_of):
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert not is_valid(Facts(state_of, now - timedelta(days=1), now + timedelta(days=1)), now)


@pytest.mark.parametrize(
    ("zone", "from_on", "until_on", "starts", "ends"),
    [
        # Berlin goes to summer time on 29 March and back on 25 October: midnight is an hour earlier in UTC in between.
        ("Europe/Berlin", date(2026, 3, 29), date(2026, 3, 30), "2026-03-28T23:00", "2026-03-29T22:00"),
        ("Europe/Berlin", date(2026, 10, 25), date(2026, 10, 26), "2026-10-24T22:00", "2026-10-25T23:00"),
        ("America/New_York", date(2026, 3, 8), date(2026, 3, 9), "2026-03-08T05:00", "2026-03-09T04:00"),
    ],
)
def test_days_begin_at_midnight_where_the_site_is_also_when_the_clock_is_changed(
    business, zone, from_on, until_on, starts, ends
):
    from erpcore.masterdata.models import Site

    with business.work() as work:
        work.session.get(Site, business.site).time_zone = zone
    key, _ = asked(business, person(business, "process_owner"), from_on=from_on, until_on=until_on)
    with business.work() as work:
        row = work.session.get(Variant, key)
        assert [f"{at:%Y-%m-%dT%H:%M}" for at in (row.valid_from, row.valid_until)] == [starts, ends]
        assert row.zone == zone


def test_a_scope_that_matches_nothing_is_refused_and_says_what_is_not_in_it(business):
    owner = person(business, "process_owner")
    with business.work() as work:
        elsewhere = add_entity(
            work, NewEntity(code="FR01", name="Nord SA", country="France", currency="EUR", time_zone="Europe/Paris")
        ).id
        empty, foreign, things = work.ids.one(), work.ids.one(), work.ids.one()
        work.session.add_all(
            [
                CustomerGroup(id=empty, code="none", name="Nobody yet"), CustomerGroup(id=foreign, code="fr", name="French dealers"),
                ItemGroup(id=things, code="none", name="Nothing yet"),
            ]
        )  # fmt: skip
        work.session.flush()
        new = NewCustomer(entity=elsewhere, code="F-1", name="Dupont", country="France", currency="EUR", group=foreign)
        add_customers(work, [new])
    for scope, code, field in (
        (Scope(site=business.site, entity=elsewhere), "policy_scope_never", "site"),
        (Scope(customer_group=empty), "policy_scope_nobody", "customer_group"),
        (Scope(item_group=things), "policy_scope_nobody", "item_group"),
        # It has customers, and none of the company that this site belongs to.
        (Scope(customer_group=foreign, site=business.site), "policy_scope_nobody", "customer_group"),
        (Scope(customer_group=foreign, entity=business.entity), "policy_scope_nobody", "customer_group"),
    ):
        with pytest.raises(RuleBroken) as refused:
            asked(business, owner, scope=scope)
        assert (refused.value.code, refused.value.field) == (code, field)
    with business.work() as work:
        assert work.session.scalars(select(Variant.id)).all() == []
    assert asked(business, owner, scope=Scope(customer_group=foreign))


def test_a_document_keeps_its_rules_though_its_variant_ends_in_the_middle_of_it(business):
    key = approve(business, "partial_shipment", False, days=2)
    with business.work() as work:
        (order,) = capture_orders(work, [business.order()], rules=RegisterRules(), cells=OPEN)
    business.clock.set(business.clock.now() + timedelta(days=3))
    with business.work() as work:
        (later,) = capture_orders(work, [business.order()], rules=RegisterRules(), cells=OPEN)
        kept = work.session.get_one(SalesOrder, order.id)
        rules = RegisterRules()
        assert (rules.stored(work, kept.ruleset)["partial_shipment"], kept.variants) == (False, str(key))
        assert (rules.stored(work, later.ruleset)["partial_shipment"], later.variants) == (True, "")


def test_what_people_do_by_hand_is_covered_where_and_as_long_as_it_was_agreed_the_most_specific_first(business):
    def by_hand(scope, days=90):
        with business.work(ASKS) as work:
            command = DraftVariant(
                deviations=("picked_short",), scope=scope, valid_until=work.now + timedelta(days=days), content=said()
            )
            key = request_variant(work, command).id
        decide(business, key)
        return key

    wide, narrow = by_hand(Scope(entity=business.entity)), by_hand(Scope(site=business.site), days=30)
    here = Scope(site=business.site, entity=business.entity, channel=business.channel)
    there = here._replace(site=business.site + 1)
    now = business.clock.now()

    def say(deviation, scope, at):
        place = Where("live", scope.entity, scope.site, scope.channel, None)
        return read_coverage(work.session.connection()).covering(deviation, place, at)

    with business.work() as work:
        assert say("picked_short", here, now) == narrow
        assert say("picked_short", there, now) == wide
        assert say("picked_short", here, now + timedelta(days=31)) == wide
        assert say("picked_short", here, now + timedelta(days=91)) is None
        assert say("picked_short", here, now - timedelta(seconds=1)) is None
        assert say("shipped_before_release", here, now) is None
        assert say("picked_short", Scope(site=5, entity=6), now) is None
        assert work.session.scalar(select(VariantDeviation.deviation).limit(1)) == "picked_short"
    assert "picked_short" not in POLICY_POINTS


def test_a_departure_never_takes_the_place_of_a_standard_nor_a_standard_that_of_a_departure(business):
    owner = person(business, "process_owner")
    council = [person(business, "process_owner"), person(business, "process_owner")]
    a_body(business, BodyKind.PROCESS_COUNCIL, council, quorum=(2, 2))
    change = {"kind": Kind.STANDARD_CHANGE, "scope": Scope(), "until_on": None, "values": {"credit_check": False}}
    standard, request = asked(business, owner, **change)
    for who in council:
        answered(business, who, request)
    departure = approve(business, "partial_shipment", False)
    for changes in (
        {"supersedes": standard},
        {**change, "values": {"partial_shipment": False}, "supersedes": departure},
    ):
        with pytest.raises(RuleBroken) as refused:
            asked(business, owner, **changes)
        assert refused.value.code == "variant_supersedes_other_kind"
    assert (state(business, standard), state(business, departure)) == ("approved", "approved")


def test_somebody_of_one_site_ends_no_variant_of_another_site_or_of_a_company(business):
    lead = person(business, "site_lead", site=business.site)
    for scope, kind in (({"site": business.site + 1}, NotFound), ({"entity": business.entity}, NotAllowed)):
        other = approve(business, "price_tolerance_permille", 25, **scope)
        with pytest.raises(kind):
            asked(business, lead, values={"price_tolerance_permille": 50}, supersedes=other)
        with business.work(lead) as work:
            assert agreed_of_point(work.session, lead, "price_tolerance_permille", work.now) == []
    own = approve(business, "price_tolerance_permille", 25)
    with business.work(lead) as work:
        assert [each.id for each in agreed_of_point(work.session, lead, "price_tolerance_permille", work.now)] == [own]
    _, request = asked(business, lead, values={"price_tolerance_permille": 50}, supersedes=own)
    with business.work() as work:
        assert work.session.get_one(ApprovalRequest, request).summary.endswith(", instead of V-3")


def test_neither_who_asked_for_it_or_its_review_nor_who_answers_for_it_decides_however_it_is_put(business):
    owner, reviewer, answers, member = (
        person(business, role) for role in ("process_owner", "process_owner", "design_authority", "design_authority")
    )
    a_body(business, BodyKind.DESIGN_AUTHORITY, [owner, reviewer, answers, member], quorum=(1, 4))

    def kept_out(request):
        with business.work() as work:
            query = select(ApprovalExcluded.person_id).where(ApprovalExcluded.request_id == request)
            return set(work.session.scalars(query))

    key, request = asked(business, owner, content=said(owner=answers.id))
    assert kept_out(request) == {owner.id, answers.id}
    with pytest.raises(NotAllowed) as refused:
        answered(business, answers, request)
    assert refused.value.code == "approval_own"
    answered(business, member, request)
    with business.work(reviewer) as work:
        command = MoveVariant(variant=key, move="review", reason="the hall is late")
        first = desk.move(work, command, until_on=date(2026, 9, 30)).approval_id
    assert kept_out(first) == {owner.id, reviewer.id, answers.id}
    with pytest.raises(Conflict) as refused, business.work(owner) as work:
        desk.ask_again(work, key)
    assert refused.value.code == "approval_waits_already"
    with business.work(reviewer) as work:
        withdraw(work, first, reason="wrong words")
    with business.work(owner) as work:
        again = desk.ask_again(work, key).approval_id
    with business.work(owner) as work:
        handed = desk.hand_over(work, key, answers.id, deputy=None, reason="as before").approval_id
    for each in (again, handed):
        assert kept_out(each) == {owner.id, reviewer.id, answers.id}
        with business.work() as work:
            assert "extend until 30 September 2026" in work.session.get_one(ApprovalRequest, each).summary
    assert answered(business, member, handed) == "approved"


def test_the_review_of_one_that_is_superseded_is_outdated(business):
    owner, member = person(business, "process_owner"), person(business, "design_authority")
    a_body(business, BodyKind.DESIGN_AUTHORITY, [member], quorum=(1, 1))
    first = approve(business, "price_tolerance_permille", 25)
    with business.work(owner) as work:
        command = MoveVariant(variant=first, move="review", reason="the hall is late")
        review = desk.move(work, command, until_on=date(2026, 9, 30)).approval_id
    _, request = asked(business, owner, values={"price_tolerance_permille": 50}, supersedes=first)
    assert answered(business, member, request) == "approved"
    with business.work() as work:
        assert work.session.get_one(ApprovalRequest, review).state == "outdated"


@pytest.mark.parametrize("kind", list(Kind))
def test_no_rule_lets_a_variant_through_without_anybody(business, kind):
    with pytest.raises(RuleBroken) as refused, business.work(person(business, "pmo")) as work:
        propose_rule(work, ProposeRule(kind=kind, code="small", reason="quicker", is_automatic=True))
    assert refused.value.code == "approval_rule_never_automatic"


@pytest.mark.parametrize("by", ["the variant", "its request"])
def test_taking_it_back_and_the_last_yes_at_once_end_in_one_of_them(business, by):
    owner, member = person(business, "process_owner"), person(business, "design_authority")
    a_body(business, BodyKind.DESIGN_AUTHORITY, [member], quorum=(1, 1))

    for day in range(1, 6):
        key, request = asked(business, owner, from_on=date(2026, 5, day), until_on=date(2026, 5, day + 1))

        def take_back(key=key, request=request):
            with business.work(owner) as work:
                if by == "the variant":
                    desk.move(work, MoveVariant(variant=key, move="withdraw", reason="not needed"))
                else:
                    withdraw(work, request, reason="not needed")

        found = at_once(take_back, lambda request=request: answered(business, member, request))
        assert all(each is None or each == "approved" or isinstance(each, DomainError) for each in found), found
        assert [isinstance(each, DomainError) for each in found].count(True) == 1, found
        with business.work() as work:
            became = work.session.get_one(ApprovalRequest, request).state
        expected = {"approved": {"approved"}, "withdrawn": {"submitted"}, "outdated": {"withdrawn"}}
        assert state(business, key) in expected[became]


def test_only_live_orders_of_the_scope_are_offered_to_be_put_under_it(business):
    with business.work() as work:
        first, _second = capture_orders(
            work, [business.order([(0, 5)]), business.order([(1, 5)])], rules=RegisterRules(), cells=OPEN
        )
        groups = [ItemGroup(id=work.ids.one(), code=f"G{n}", name=f"Group {n}") for n in range(2)]
        people = [CustomerGroup(id=work.ids.one(), code=f"C{n}", name=f"Group {n}") for n in range(2)]
        work.session.add_all([*groups, *people])
        work.session.flush()
        for item, group in zip(business.items, groups, strict=False):
            work.session.get_one(Item, item).group_id = group.id
        work.session.get_one(Customer, business.customer).group_id = people[0].id
        items, customers = [each.id for each in groups], [each.id for each in people]

    def offered(**scope):
        key = ask_for(business, "price_tolerance_permille", 25, **scope)
        with business.work() as work:
            return [one.id for one in movable_orders(work.session, work.session.get_one(Variant, key))]

    assert offered(item_group=items[0], site=business.site) == [first.id]
    assert len(offered(customer_group=customers[0])) == 2
    assert offered(customer_group=customers[1]) == []
    with business.work() as work:
        work.session.execute(
            update(SalesOrder).where(SalesOrder.id == first.id).values(entity_id=_a_twin(work, business))
        )
    assert len(offered(customer_group=customers[0])) == 1


def _a_twin(work, business):
    live = work.session.get_one(Entity, business.entity)
    kept = {one.name: getattr(live, one.name) for one in Entity.__table__.columns}
    twin = Entity(**{**kept, "id": work.ids.one(), "code": "DE01-R", "realm": "rehearsal", "twin_id": live.id})
    work.session.add(twin)
    work.session.flush()
    return twin.id
