"""Where duties are not clear: nobody accountable, nobody responsible, somebody who left, a vacant seat."""

from __future__ import annotations

from governance.raci.rules import Duty, Gap, Held, HolderKind, gaps

HERE = {1, 2}


def held(duty, person, kind=HolderKind.PERSON):
    return Held(duty=duty, holder_kind=kind, person=person)


def test_one_who_answers_and_one_who_works_are_enough():
    assert gaps([held(Duty.ACCOUNTABLE, 1), held(Duty.RESPONSIBLE, 1)], HERE) == ()


def test_nobody_at_all_is_two_gaps():
    assert gaps([], HERE) == (Gap.NOBODY_ACCOUNTABLE, Gap.NOBODY_RESPONSIBLE)


def test_who_has_left_answers_for_nothing():
    found = gaps([held(Duty.ACCOUNTABLE, 9), held(Duty.RESPONSIBLE, 2)], HERE)
    assert found == (Gap.NOBODY_ACCOUNTABLE, Gap.HAS_LEFT)


def test_a_vacant_seat_does_no_work():
    found = gaps([held(Duty.ACCOUNTABLE, 1), held(Duty.RESPONSIBLE, None, HolderKind.SEAT)], HERE)
    assert found == (Gap.NOBODY_RESPONSIBLE, Gap.SEAT_VACANT)


def test_who_is_only_told_and_has_left_is_a_gap_of_its_own():
    duties = [held(Duty.ACCOUNTABLE, 1), held(Duty.RESPONSIBLE, 2), held(Duty.INFORMED, 9)]
    assert gaps(duties, HERE) == (Gap.HAS_LEFT,)
