"""Every change of state of the roadmap and of the RAID register is told, once, with ids alone; and no variant goes to who left."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from app.composition import stage_gates
from app.composition import variants as desk
from app.composition.risk_desk import move_entry
from app.composition.uow import reading
from app.identity.models import Account
from app.jobs.risks import pass_on_due
from erpcore.kernel.errors import DomainError, RuleBroken
from erpcore.kernel.events import EventLog
from governance.risks.flow import EntryKind
from governance.risks.services import AssessEntry, MoveEntry, assess_entry
from governance.roadmap import funding
from governance.roadmap import phases as ways
from governance.variants.models import Variant
from tests.db.rollout.test_roadmap import DAYS, asked, says, stated, tranche
from tests.support.approvals import person
from tests.support.core import a_business
from tests.support.policies import ask_for
from tests.support.processes import work_as
from tests.support.risks import TODAY, a_register
from tests.support.steering import a_programme
from tests.support.threads import at_once


def told(database, families):
    """The events of these families, in their order."""
    with reading(database) as session:
        found = session.scalars(select(EventLog).order_by(EventLog.seq)).all()
        session.expunge_all()
        return [one for one in found if one.type.partition(".")[0] in families]


def test_what_becomes_of_an_entry_is_told(database, clock):
    register = a_register(database, clock)
    key = register.raised(EntryKind.RISK)

    def moved(move):
        with work_as(database, clock, register.owner) as work:
            move_entry(work, MoveEntry(entry=key, move=move, reason="as agreed", today=clock.now().date()))

    with work_as(database, clock, register.owner) as work:
        assess_entry(work, AssessEntry(entry=key, impact=2, probability=2, today=TODAY))
    for move in ("trigger", "stand_down", "close", "reopen"):
        moved(move)
    found = told(database, {"raid"})
    assert [one.type for one in found] == [
        "raid.raised", "raid.reviewed", "raid.triggered", "raid.stood_down", "raid.closed", "raid.reopened",
    ]  # fmt: skip
    assert {(one.subject_type, one.subject_id, one.journey) for one in found} == {("raid_entry", key, key)}
    assert [one.subject_version for one in found] == sorted({one.subject_version for one in found})
    entry = register.read(key)
    assert entry.title not in "".join(one.data for one in found), "ids, never words"


def test_that_another_body_hears_of_an_entry_is_told_once(database, clock):
    register = a_register(database, clock)
    register.raised(EntryKind.ISSUE)
    clock.set(clock.now() + timedelta(days=400))
    pass_on_due(database, clock=clock)
    clock.set(clock.now() + timedelta(days=30))
    pass_on_due(database, clock=clock)
    escalated = [one for one in told(database, {"raid"}) if one.type == "raid.escalated"]
    assert len(escalated) == 1


def test_what_becomes_of_phases_and_tranches_is_told(database, clock):
    steered = a_programme(database, clock, evaluated=None)
    with steered.work() as work:
        phases = [one.id for one in ways.lay_out(work, ways.LayOut(programme_id=steered.programme, days=DAYS))]
        tranche(work, phases[0])
        second = tranche(work, phases[0], code="T2", title="Build").id
        stage_gates.add_criterion(
            work, ways.AddCriterion(phase_id=phases[0], code="baseline", title="Baselines are taken", owner=steered.chair.id)
        )  # fmt: skip
    with steered.work() as work:
        funding.withdraw_tranche(work, second, reason="too early")
        ways.reschedule(
            work, ways.Reschedule(phase_id=phases[1], starts_on=date(2026, 4, 2), ends_on=date(2026, 4, 28), reason="Easter")
        )  # fmt: skip
    stated(steered, phases[0])
    request = asked(steered, phases[0])
    for who in (steered.chair, steered.finance):
        says(steered, who, request)
    found = told(database, {"roadmap_phase", "tranche"})
    assert [one.type for one in found] == [
        "roadmap_phase.begun", "tranche.planned", "tranche.planned", "tranche.withdrawn", "roadmap_phase.rescheduled",
        "roadmap_phase.closed", "roadmap_phase.begun", "tranche.released",
    ]  # fmt: skip
    assert {one.journey for one in found} == {steered.programme}
    assert [one.currency for one in found if one.subject_type == "tranche"] == ["EUR"] * 4


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    return made


def test_a_variant_is_not_handed_to_somebody_who_left(business):
    owner, gone = person(business, "process_owner"), person(business, "site_lead")
    key = ask_for(business, "partial_shipment", False, by=owner)
    with business.work() as work:
        desk.person_leaves(work, owner.id, reason="left")
        desk.person_leaves(work, gone.id, reason="left")
    giver = person(business, "process_owner")
    for to, deputy in ((gone.id, None), (owner.id, None), (giver.id, gone.id)):
        with pytest.raises(RuleBroken) as refused:
            _handed(business, giver, key, to, deputy)
        assert refused.value.code == "variant_person_unknown"
    with business.work() as work:
        assert work.session.get_one(Variant, key).owner_left_at is not None
    _handed(business, giver, key, giver.id)
    with business.work() as work:
        assert work.session.get_one(Variant, key).owner_left_at is None


def test_handed_over_while_the_new_owner_leaves_a_variant_has_an_owner_or_says_that_it_has_none(business):
    owner = person(business, "process_owner")
    for _ in range(4):
        new = person(business, "process_owner")
        key = ask_for(business, "partial_shipment", False, by=owner)
        found = at_once(partial(_handed, business, owner, key, new.id), partial(_leaves, business, new.id))
        with business.work() as work:
            row = work.session.get_one(Variant, key)
            is_gone = work.session.get_one(Account, row.owner_id).closed_at is not None
            assert (row.owner_left_at is not None) == is_gone, found
        assert all(each is None or isinstance(each, DomainError) for each in found), found
        with business.work(owner) as work:
            desk.move(work, desk.MoveVariant(variant=key, move="withdraw", reason="the next one"))


def _handed(business, who, key, to, deputy=None):
    with business.work(who) as work:
        desk.hand_over(work, key, to, deputy=deputy, reason="knows the branch")


def _leaves(business, who):
    with business.work() as work:
        desk.person_leaves(work, who, reason="left")
