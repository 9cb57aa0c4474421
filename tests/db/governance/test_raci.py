"""Duties: one alone is accountable, holders must be there, who leaves makes a gap, and ended duties stay as history."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from app.composition.raci_desk import give
from app.composition.uow import reading
from app.identity.services import close_account
from app.queries.raci import past_duties, raci_row
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, DomainError, NotAllowed, RuleBroken
from governance.programme.models import Seat
from governance.raci.models import RaciDuty
from governance.raci.rules import Duty, Gap, HolderKind, SubjectKind
from governance.raci.services import GiveDuty, end_duty
from tests.support.processes import work_as
from tests.support.risks import a_register

CUSTOMERS = {"kind": SubjectKind.DOMAIN, "subject": "customer"}


@pytest.fixture
def register(database, clock):
    return a_register(database, clock)


def given(register, duty, holder, *, by=None, seat=False, **changes):
    kind = HolderKind.SEAT if seat else HolderKind.PERSON
    with work_as(register.database, register.clock, by or register.office) as work:
        command = GiveDuty(**{**CUSTOMERS, "duty": duty, "holder_kind": kind, "holder": holder, **changes})
        return give(work, [command])[0].id


def row(register):
    with reading(register.database) as session:
        return raci_row(session, "data_domain", "customer")


def how_many(register):
    with reading(register.database) as session:
        return session.scalar(select(func.count()).select_from(RaciDuty))


def test_duties_close_the_gaps_and_one_alone_is_accountable(register):
    assert row(register).gaps == (Gap.NOBODY_ACCOUNTABLE, Gap.NOBODY_RESPONSIBLE)
    first = given(register, Duty.ACCOUNTABLE, register.owner.id)
    given(register, Duty.RESPONSIBLE, register.colleague.id)
    assert row(register).gaps == ()
    with pytest.raises(RuleBroken) as refusal:
        given(register, Duty.ACCOUNTABLE, register.colleague.id)
    assert refusal.value.code == "raci_one_accountable"
    with pytest.raises(RuleBroken) as refusal:
        given(register, Duty.RESPONSIBLE, register.colleague.id)
    assert refusal.value.code == "raci_held"
    with work_as(register.database, register.clock, register.office) as work:
        end_duty(work, first, reason="moved on")
    given(register, Duty.ACCOUNTABLE, register.colleague.id)
    assert row(register).said(Duty.ACCOUNTABLE) == "Jonas Roth"
    with reading(register.database) as session:
        assert [one.end_reason for one in past_duties(session, "data_domain", "customer")] == ["moved on"]
    with pytest.raises(Conflict), work_as(register.database, register.clock, register.office) as work:
        end_duty(work, first, reason="again")


def test_what_is_not_there_is_refused_and_nothing_is_kept(register):
    for changes, code in (
        ({"subject": "moods"}, "raci_subject"), ({"kind": SubjectKind.WAVE, "subject": "99"}, "raci_subject"),
        ({"kind": SubjectKind.WAVE, "subject": "x"}, "raci_subject"), ({"kind": SubjectKind.PROCESS, "subject": "x"}, "raci_subject"),
        ({"holder": 99}, "person_unknown"), ({"holder": 99, "holder_kind": HolderKind.SEAT}, "raci_seat"),
        ({"reason": "x" * 1001}, "text_too_long"),
    ):  # fmt: skip
        with pytest.raises(DomainError) as refusal:
            given(register, Duty.INFORMED, changes.pop("holder", register.owner.id), **changes)
        assert refusal.value.code == code
    with pytest.raises(NotAllowed):
        given(register, Duty.INFORMED, register.owner.id, by=register.colleague)
    assert how_many(register) == 0


def test_who_leaves_and_a_seat_that_falls_vacant_leave_a_gap(register):
    with reading(register.database) as session:
        seat = session.scalar(select(Seat.id).where(Seat.body_id == register.steering))
    given(register, Duty.ACCOUNTABLE, seat, seat=True)
    given(register, Duty.RESPONSIBLE, register.owner.id)
    assert row(register).said(Duty.ACCOUNTABLE) == "Sponsor, Steering committee (Jonas Roth)"
    with work_as(register.database, register.clock, Actor.system("test")) as work:
        close_account(work, register.owner.id, reason="left")
        work.session.get_one(Seat, seat).person_id = None
    assert row(register).gaps == (
        Gap.NOBODY_ACCOUNTABLE, Gap.NOBODY_RESPONSIBLE, Gap.HAS_LEFT, Gap.SEAT_VACANT,
    )  # fmt: skip


def test_two_at_once_make_one_accountable(register):
    def attempt(person):
        try:
            return given(register, Duty.ACCOUNTABLE, person)
        except (Conflict, RuleBroken):
            return None

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(attempt, (register.owner.id, register.colleague.id)))
    assert sum(one is not None for one in done) == 1
    assert how_many(register) == 1
