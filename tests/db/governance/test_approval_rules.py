"""By which rules an approval is asked for: what they may say, how they change, and whom they ask when time is out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.composition.approving import decide_rule, propose_rule
from app.jobs.approvals import escalate_due
from erpcore.kernel.errors import DomainError, NotAllowed, RuleBroken
from governance.approvals.models import ApprovalRequest, ApprovalRule
from governance.approvals.rulebook import ProposeRule
from governance.approvals.rules import Condition, Need
from governance.approvals.services import escalate
from tests.support.approvals import (
    KIND,
    a_rule,
    acting,
    answered,
    asked,
    person,
    recent_events,
    refused,
    state_of,
    things,
)
from tests.support.core import a_business
from tests.support.threads import at_once


@pytest.fixture
def business(database):
    return a_business(database)


@pytest.fixture
def made():
    return things()


def _in_force(business, office, chief, **fields):
    with business.work(office) as work:
        rule = propose_rule(work, ProposeRule(kind=KIND, code="all", reason="somebody must", **fields)).id
    with business.work(chief) as work:
        decide_rule(work, rule, "approve", reason="agreed")


def test_without_a_rule_nobody_may_and_a_rule_that_comes_into_force_takes_the_request_in(business, made):
    asker, finance, chief = person(business, "pmo"), person(business), person(business, "sponsor")
    request = asked(business, asker)
    for who in (finance, chief):
        refused(business, "approval_nobody", who, request)
    with business.work(asker) as work:
        rule = propose_rule(
            work, ProposeRule(kind=KIND, code="all", reason="somebody must", capacity="role:finance", people=1)
        ).id
    refused(business, "approval_nobody", finance, request)
    with business.work(chief) as work:
        decide_rule(work, rule, "approve", reason="agreed")
    assert answered(business, finance, request) == "approved"


def test_a_route_alone_settles_nothing_and_is_asked_for_with_the_rule_that_comes(business, made):
    office, chief, owner = person(business, "pmo"), person(business, "sponsor"), person(business, "process_owner")
    request = asked(business, office, route=[Need(capacity=f"person:{owner.id}")])
    refused(business, "approval_nobody", owner, request)
    _in_force(business, office, chief, capacity="role:finance", people=1)
    assert answered(business, person(business), request) == "waiting"
    assert answered(business, owner, request) == "approved"


def test_a_rule_that_asks_for_nobody_settles_what_waited_and_its_subject_is_told(business, made):
    office, chief = person(business, "pmo"), person(business, "sponsor")
    made.versions[2] = 1
    request, moved_on = asked(business, office), asked(business, office, subject=2)
    made.versions[2] = 2
    _in_force(business, office, chief, is_automatic=True)
    assert (state_of(business, request), state_of(business, moved_on)) == ("approved", "outdated")
    assert made.told == [(1, "approved", True)]


def test_of_two_rules_for_the_very_same_case_one_comes_to_hold(business, made):
    office, chief = person(business, "pmo"), person(business, "sponsor")

    def proposed(code, tier):
        with business.work(office) as work:
            command = ProposeRule(
                kind=KIND,
                code=code,
                reason="why not",
                capacity="role:finance",
                people=1,
                condition=Condition(tier=tier),
            )
            return propose_rule(work, command).id

    def approved(rule):
        with business.work(chief) as work:
            decide_rule(work, rule, "approve", reason="agreed")

    for tier in range(1, 5):
        rules = [proposed(f"{code}{tier}", tier) for code in ("one", "two")]
        found = at_once(*(lambda rule=rule: approved(rule) for rule in rules))
        assert [each.code for each in found if each is not None] == ["approval_rule_same"], found


@pytest.mark.parametrize(
    ("asked_at", "due_at"),
    [
        # Working hours in Duisburg: 8 to 17 (7 to 16 UTC in winter, 6 to 15 in summer), Monday to Friday.
        (datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 3, 8, tzinfo=UTC)),
        (datetime(2026, 3, 6, 15, tzinfo=UTC), datetime(2026, 3, 9, 14, tzinfo=UTC)),
        (datetime(2026, 3, 7, 12, tzinfo=UTC), datetime(2026, 3, 9, 15, tzinfo=UTC)),
        (datetime(2026, 3, 27, 14, tzinfo=UTC), datetime(2026, 3, 30, 12, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_time_out_is_counted_in_working_hours_across_weekends_and_the_change_of_the_clock(
    business, made, asked_at, due_at
):
    a_rule(business, timeout_hours=8, escalate_to="role:sponsor")
    asker = person(business, "pmo")
    business.clock.set(asked_at)
    request = asked(business, asker, site=business.site)
    with business.work() as work:
        assert work.session.get_one(ApprovalRequest, request).due_at == due_at


def test_after_the_time_out_those_of_the_other_capacity_may_too_and_not_before(business, made):
    a_rule(business, timeout_hours=8, escalate_to="role:sponsor")
    asker, sponsor = person(business, "pmo"), person(business, "sponsor")
    request = asked(business, asker, site=business.site)
    refused(business, "approval_not_yours", sponsor, request)
    for later, is_escalated in (
        (timedelta(hours=22, minutes=59), False),
        (timedelta(hours=23), True),
        (timedelta(hours=24), False),
    ):
        business.clock.set(datetime(2026, 3, 2, 9, tzinfo=UTC) + later)
        with business.work() as work:
            assert escalate(work, request) is is_escalated
    with business.work() as work:
        assert [event.type for event in recent_events(work.session, 1)] == ["approval.escalated"]
    assert answered(business, sponsor, request) == "approved"


def test_a_request_that_cannot_be_escalated_holds_up_no_other(business, made, monkeypatch):
    a_rule(business, timeout_hours=8, escalate_to="role:sponsor")
    asker = person(business, "pmo")
    broken, whole = (
        asked(business, asker, site=business.site, subject=1),
        asked(business, asker, site=business.site, subject=2),
    )
    business.clock.set(datetime(2026, 3, 3, 12, tzinfo=UTC))

    def some(work, request):
        if request == broken:
            raise RuleBroken("approval_outdated")
        return escalate(work, request)

    with monkeypatch.context() as patch:
        patch.setattr("app.jobs.approvals.escalate", some)
        assert escalate_due(business.database, clock=business.clock) == 1
    with business.work() as work:
        assert work.session.get_one(ApprovalRequest, whole).escalated_at == business.clock.now()
        assert work.session.get_one(ApprovalRequest, broken).escalated_at is None
    assert escalate_due(business.database, clock=business.clock) == 1


def test_a_rule_changes_by_a_new_version_that_somebody_else_decides_and_open_requests_keep_theirs(business, made):
    a_rule(business, "all")
    office, chief, one, two = (person(business, role) for role in ("pmo", "sponsor", "finance", "finance"))
    request = asked(business, office)
    command = ProposeRule(
        kind=KIND, code="all", reason="two see more", capacity="role:finance", people=2, seen_version=1
    )
    with business.work(office) as work:
        rule = propose_rule(work, command).id
    with pytest.raises(NotAllowed), business.work(acting(office.id, "sponsor")) as work:
        decide_rule(work, rule, "approve", reason="mine")
    with business.work(chief) as work:
        decide_rule(work, rule, "approve", reason="agreed")
        states = work.session.execute(
            select(ApprovalRule.version, ApprovalRule.state)
            .where(ApprovalRule.kind == KIND)
            .order_by(ApprovalRule.version)
        ).all()
        assert states == [(1, "replaced"), (2, "in_force")]
    assert answered(business, one, request) == "approved"
    made.versions[2] = 1
    later = asked(business, office, subject=2)
    assert [answered(business, who, later) for who in (one, two)] == ["waiting", "approved"]


def test_a_rule_ends_by_four_eyes_too(business, made):
    a_rule(business, "all")
    office, chief = person(business, "pmo"), person(business, "sponsor")
    with business.work(office) as work:
        rule = propose_rule(work, ProposeRule(kind=KIND, code="all", reason="not needed", ends=True)).id
    with business.work(chief) as work:
        assert decide_rule(work, rule, "approve", reason="agreed").state == "ended"
    refused(business, "approval_nobody", person(business), asked(business, office))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"reason": " "}, "reason_required"), ({"code": "a b"}, "approval_rule_code"), ({"code": ""}, "approval_rule_code"),
        ({"kind": "nothing"}, "approval_kind_unknown"), ({"capacity": "role:king"}, "approval_rule_capacity"),
        ({"capacity": None}, "approval_rule_capacity"), ({"capacity": "person:77"}, "approval_rule_capacity"),
        ({"people": None}, "approval_rule_people"), ({"people": 0}, "approval_rule_people"),
        ({"timeout_hours": 0}, "approval_rule_timeout"), ({"escalate_to": "role:sponsor"}, "approval_rule_escalates_never"),
        ({"escalate_to": "role:finance", "timeout_hours": 8}, "approval_rule_capacity"),
        ({"condition": Condition(amount_from_minor=-1, currency="EUR")}, "approval_rule_amount"),
        ({"condition": Condition(amount_from_minor=1)}, "approval_rule_amount"),
        ({"condition": Condition(margin_below_permille=1001)}, "approval_rule_margin"),
        ({"condition": Condition(tier=0)}, "approval_rule_tier"), ({"condition": Condition()}, "approval_rule_same"),
        ({"seen_version": 1}, "changed_meanwhile"),
    ],
)  # fmt: skip
def test_a_rule_that_says_nothing_sensible_is_refused_and_nothing_is_kept(business, made, fields, code):
    a_rule(business, "all")
    given = {"kind": KIND, "code": "more", "reason": "why not", "capacity": "role:finance", "people": 1,
             "condition": Condition(tier=1), **fields}  # fmt: skip
    with pytest.raises(DomainError) as refusal, business.work(person(business, "pmo")) as work:
        propose_rule(work, ProposeRule(**given))
    assert refusal.value.code == code
    with business.work() as work:
        assert work.session.scalar(select(func.count()).where(ApprovalRule.kind == KIND)) == 1


def test_only_one_version_of_a_rule_waits_for_a_decision(business, made):
    office = person(business, "pmo")
    command = ProposeRule(kind=KIND, code="all", reason="one", capacity="role:finance", people=1)

    def propose():
        with business.work(office) as work:
            return propose_rule(work, command).id

    found = at_once(propose, propose)
    assert sorted(isinstance(each, int) for each in found) == [False, True]
    assert [each.code for each in found if isinstance(each, DomainError)] == ["approval_rule_waits"]


def test_the_rules_that_come_with_the_product_name_who_decides_what(business):
    with business.work() as work:
        rows = work.session.execute(
            select(ApprovalRule.kind, ApprovalRule.code, ApprovalRule.capacity, ApprovalRule.people)
            .where(ApprovalRule.state == "in_force")
            .order_by(ApprovalRule.kind, ApprovalRule.code)
        ).all()
    assert rows == [
        ("controlled_variation", "authority", "body:design_authority", 1),
        ("price_change", "alone", None, None),
        ("price_change", "broad", "may:pricing:rule:approve", 2),
        ("price_change", "second", "may:pricing:rule:approve", 1),
        ("price_override", "desk", "may:orders:price:approve_desk", 1),
        ("price_override", "process", "may:orders:price:approve_process", 1),
        ("price_override", "site", "may:orders:price:approve_site", 1),
        ("quote_price", "desk", "may:orders:price:approve_desk", 1),
        ("quote_price", "process", "may:orders:price:approve_process", 1),
        ("quote_price", "site", "may:orders:price:approve_site", 1),
        ("quote_price", "within", None, None),
        ("return_outside", "another", "may:returns:return:authorise_outside", 1),
        ("stage_gate", "committee", "body:steering", None),
        ("standard_change", "council", "body:process_council", None),
        ("stock_adjustment", "another", "may:warehouse:stock:approve_adjustment", 1),
        ("strategic_exception", "committee", "body:steering", None),
        ("substitution", "another", "may:orders:substitution:approve", 1),
        ("take_back", "another", "may:orders:allocation:approve_take_back", 1),
        ("write_off", "another", "may:billing:debt:write_off", 1),
    ]
