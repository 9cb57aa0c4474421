"""Plans, seats and criteria at the desk: two writers at once, what may change and until when, and nothing kept after a refusal."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text

from app.composition import gate_changes, golive
from erpcore.kernel.clock import SetClock
from erpcore.kernel.errors import Busy, Conflict, NeedsConfirmation, NotAllowed, NotFound, RuleBroken
from erpcore.ports import Process
from governance.decisions.queries import decision_view
from governance.programme.models import Seat
from governance.programme.queries import body, delegations
from governance.programme.seats import (
    AddSeat,
    ChangeSeat,
    DelegateSeat,
    add_seat,
    assign_seat,
    change_seat,
    delegate_seat,
    end_delegation,
    end_seat,
)
from governance.programme.services import SetRule, set_rule
from readiness.gates.changing import AmendGate, amend_gate, put_criterion, reopen_gate, withdraw_gate
from readiness.gates.criteria import Evidence, Phase
from readiness.gates.models import Gate, GateCriterion
from readiness.gates.services import CreateGate, create_gate
from readiness.waves.models import Wave, WaveScope
from readiness.waves.queries import blackouts, wave
from readiness.waves.services import (
    BlackOut,
    PlanWave,
    ReplanWave,
    black_out,
    lift_blackout,
    plan_wave,
    replan_wave,
    step_wave,
)
from tests.support.rollout import (
    BREMEN,
    CHAIR,
    DELEGATE,
    FINANCE,
    HAMBURG,
    IT,
    LINZ,
    OUTSIDER,
    PMO_LEAD,
    WEB,
    WHOLESALE,
    a_rollout,
    a_spec,
)
from tests.support.threads import at_once

MAY = date(2026, 5, 4)
SEATS = golive.Seats()


@pytest.fixture
def rollout(database):
    return a_rollout(database)


def a_plan(rollout, code, **given):
    return PlanWave(
        **{
            "programme_id": rollout.programme, "code": code, "name": f"Wave {code}", "owner": PMO_LEAD,
            "time_zone": "Europe/Berlin", "cells": ((LINZ, WEB),), "processes": (Process.ORDER_TO_CASH,), "go_live_on": MAY,
            "hypercare_until": MAY + timedelta(days=28), **given,
        }
    )  # fmt: skip


def plan(rollout, code, **given):
    with rollout.work() as work:
        return plan_wave(work, a_plan(rollout, code, **given)).id


def replan(rollout, wave_id, **given):
    with rollout.work() as work:
        command = {
            "wave_id": wave_id, "name": "Linz", "owner": CHAIR, "cells": ((LINZ, WEB),), "processes": tuple(Process),
            "reason": "all of it", **given,
        }  # fmt: skip
        return replan_wave(work, ReplanWave(**command)).id


def steering(rollout):
    with rollout.look() as session:
        return body(session, rollout.steering, rollout.clock.now())


def seat_of(rollout, function):
    return next(seat.id for seat in steering(rollout).seats if seat.function == function)


def test_of_two_plans_over_one_cell_at_once_one_is_kept(rollout):
    found = at_once(*(lambda code=code: plan(rollout, code) for code in ("W8", "W9")))
    refused = [each for each in found if isinstance(each, RuleBroken | Busy)]
    assert len(refused) == 1, found
    with rollout.look() as session:
        assert session.scalar(select(func.count()).select_from(WaveScope).where(WaveScope.site_id == LINZ)) == 1


def test_a_plan_changes_and_tells_so_until_it_is_rehearsed(rollout):
    made = plan(rollout, "W8")
    replan(rollout, made, depends_on=((rollout.wave, "one support team"),))
    with rollout.look() as session:
        found = wave(session, made)
        assert (found.name, found.owner, found.version) == ("Linz", CHAIR, 2)
        assert (len(found.processes), found.depends_on) == (len(Process), ((rollout.wave, "one support team"),))
        types = session.scalars(
            text("SELECT type FROM event_log WHERE journey = :wave ORDER BY seq"), {"wave": made}
        ).all()
    assert types == ["wave.planned", "wave.replanned"]
    with pytest.raises(Conflict):
        replan(rollout, made, seen_version=1)
    with pytest.raises(RuleBroken, match="wave_plan_refused") as refused:
        replan(rollout, made, cells=((HAMBURG, WHOLESALE),))
    assert refused.value.facts["problems"] == [("scope_of_another_wave", "W2")]
    with pytest.raises(RuleBroken, match="reason_required"):
        replan(rollout, made, reason=" ")
    for move in ("prepare", "rehearse"):
        with rollout.work() as work:
            step_wave(work, made, move)
    with pytest.raises(RuleBroken, match="wave_no_longer_plannable"):
        replan(rollout, made)
    with rollout.look() as session:
        assert wave(session, made).cells == ((LINZ, WEB),)


def test_a_wave_is_not_planned_into_the_past_of_its_own_clock(database):
    rollout = a_rollout(database, gate=False)
    # 23:30 UTC is the next day in Berlin already.
    rollout.clock = SetClock(rollout.clock.now().replace(hour=23, minute=30))
    today = rollout.clock.now().date()
    with pytest.raises(RuleBroken, match="go_live_in_the_past"):
        plan(rollout, "W8", go_live_on=today, hypercare_until=today + timedelta(days=9))
    assert plan(rollout, "W8", go_live_on=today + timedelta(days=1), hypercare_until=today + timedelta(days=9))


def test_a_blackout_is_named_and_lifted_with_a_reason(rollout):
    with rollout.work() as work:
        window = black_out(
            work, BlackOut(programme_id=rollout.programme, name="May", starts_on=date(2026, 5, 1), ends_on=date(2026, 5, 9))
        ).id  # fmt: skip
    with pytest.raises(NeedsConfirmation, match="go_live_in_blackout"):
        plan(rollout, "W8")
    with rollout.work() as work, pytest.raises(RuleBroken, match="reason_required"):
        lift_blackout(work, window, reason="")
    with rollout.work() as work:
        lift_blackout(work, window, reason="moved")
    with rollout.work() as work, pytest.raises(NotFound, match="blackout_not_found"):
        lift_blackout(work, window, reason="moved")
    with rollout.look() as session:
        assert blackouts(session) == []
    assert plan(rollout, "W8")


def test_a_criterion_that_could_prove_nothing_is_refused_at_its_field_and_not_kept(database):
    rollout = a_rollout(database, gate=False)
    with rollout.work() as work:
        gate = create_gate(
            work, CreateGate(wave_id=rollout.wave, phase=Phase.ENTRY, decides_on=date(2026, 3, 20), waiver_body="pmo")
        ).id
    for given, field, problem in (
        ({"evidence": Evidence.OWN_LIVE}, "evidence", "entry_reads_own_live"),
        ({"evidence": Evidence.REFERENCE}, "cells", "no_cells_named"),
        ({"evidence": Evidence.REFERENCE, "cells": ((HAMBURG, WHOLESALE),)}, "cells", "reference_is_own_cell"),
        ({"evidence": Evidence.REFERENCE, "cells": ((LINZ, WEB),)}, "cells", "reference_not_of_earlier_wave"),
        ({"warn_mark": a_spec().pass_mark + 1}, "warn_mark", None),
        ({"pass_mark": a_spec().pass_mark + 1}, "pass_mark", "mark_out_of_reach"),
    ):
        with pytest.raises(RuleBroken) as refused, rollout.work() as work:
            put_criterion(work, gate, a_spec(**given), authority=SEATS)
        if problem is not None:
            assert (refused.value.field, refused.value.facts["problem"]) == (field, problem)
    with rollout.look() as session:
        assert session.scalar(select(func.count()).select_from(GateCriterion)) == 0
        assert session.get_one(Gate, gate).criteria_version == 1
    with rollout.work() as work:
        put_criterion(work, gate, a_spec(), authority=SEATS, is_new=True)
    with rollout.work() as work, pytest.raises(RuleBroken, match="criterion_there"):
        put_criterion(work, gate, a_spec(), authority=SEATS, is_new=True)


def test_of_two_changes_of_one_gate_at_once_the_second_has_to_look_again(rollout):
    with rollout.look() as session:
        seen = session.get_one(Gate, rollout.gate).version

    def put(weight):
        with rollout.work(CHAIR) as work:
            return gate_changes.put_criterion(
                work, rollout.gate, a_spec(weight=weight), reason="rounder", seen_version=seen
            ).id

    found = at_once(lambda: put(Decimal(3)), lambda: put(Decimal(4)))
    assert len([each for each in found if isinstance(each, Conflict | Busy)]) == 1, found
    with rollout.look() as session:
        assert session.get_one(Gate, rollout.gate).criteria_version == 2


def test_a_frozen_gate_is_withdrawn_by_its_body_alone_and_asked_again_as_a_draft(rollout):
    with rollout.work() as work, pytest.raises(RuleBroken, match="gate_not_draft"):
        amend_gate(
            work,
            AmendGate(
                gate_id=rollout.gate, decides_on=MAY, pass_mark=a_spec().pass_mark, warn_mark=a_spec().warn_mark, waiver_body="pmo"
            ),
        )  # fmt: skip
    with rollout.work(OUTSIDER) as work, pytest.raises(NotAllowed, match="not_of_the_body"):
        withdraw_gate(work, rollout.gate, reason="no", authority=SEATS)
    decision = rollout.open()
    with rollout.work() as work, pytest.raises(RuleBroken, match="gate_under_vote"):
        gate_changes.withdraw_gate(work, rollout.gate, reason="too early")
    with rollout.look() as session:
        assert session.get_one(Gate, rollout.gate).state == "frozen"
        assert decision_view(session, decision, now=rollout.clock.now()).row.state == "open"
    rollout.later(days=3)
    rollout.close(decision)
    with rollout.work(CHAIR) as work:
        gate_changes.withdraw_gate(work, rollout.gate, reason="too early")
    with rollout.work() as work:
        reopen_gate(work, rollout.gate, decides_on=MAY, reason="again")
    with rollout.look() as session:
        gate = session.get_one(Gate, rollout.gate)
        assert (gate.state, gate.decides_on) == ("draft", MAY)


def test_a_seat_is_added_held_changed_and_ended_each_person_having_one(rollout):
    with rollout.work() as work:
        legal = add_seat(
            work, AddSeat(body_id=rollout.steering, function="Legal", person=OUTSIDER, veto=True, reason="new law")
        ).id
    assert [(seat.function, seat.person) for seat in steering(rollout).seats][-1] == ("Legal", OUTSIDER)
    refusals = (
        (AddSeat(body_id=rollout.steering, function="Audit", person=FINANCE, reason="x"), "seat_held_already"),
        (AddSeat(body_id=rollout.steering, function="Second chair", chair=True, reason="x"), "chair_taken"),
        (AddSeat(body_id=rollout.steering, function=" ", reason="x"), "function_missing"),
        (AddSeat(body_id=rollout.steering, function="Audit", reason=" "), "reason_required"),
    )
    for command, code in refusals:
        with rollout.work() as work, pytest.raises(RuleBroken, match=code):
            add_seat(work, command)
    with rollout.work() as work, pytest.raises(RuleBroken, match="seat_held_already"):
        assign_seat(work, legal, CHAIR, reason="x")
    with rollout.work() as work:
        change_seat(work, ChangeSeat(seat_id=legal, function="Legal", mandatory=True, reason="no go without"))
        assign_seat(work, legal, None, reason="left")
    found = steering(rollout).seats[-1]
    assert (found.person, found.is_mandatory, found.has_veto) == (None, True, False)
    with rollout.work() as work:
        end_seat(work, legal, reason="moved to audit")
    assert "Legal" not in [seat.function for seat in steering(rollout).seats]
    with rollout.work() as work, pytest.raises(NotFound, match="seat_not_found"):
        assign_seat(work, legal, IT, reason="x")
    with rollout.work(permissions=frozenset()) as work, pytest.raises(NotAllowed):
        end_seat(work, seat_of(rollout, "Sales"), reason="x")


def test_the_last_seat_of_a_body_stays(rollout):
    with rollout.look() as session:
        pmo = session.scalars(select(Seat.id).where(Seat.person_id.in_((PMO_LEAD, DELEGATE))).order_by(Seat.id)).all()
    with rollout.work() as work:
        end_seat(work, pmo[1], reason="smaller")
    with rollout.work() as work, pytest.raises(RuleBroken, match="body_without_seats"):
        end_seat(work, pmo[0], reason="smaller")


def test_one_person_put_on_two_seats_at_once_gets_one(rollout):
    vacate = [seat_of(rollout, name) for name in ("Sales", "IT")]
    for seat in vacate:
        with rollout.work() as work:
            assign_seat(work, seat, None, reason="left")

    def take(seat):
        with rollout.work() as work:
            return assign_seat(work, seat, OUTSIDER, reason="joins").id

    found = at_once(*(lambda seat=seat: take(seat) for seat in vacate))
    assert len([each for each in found if isinstance(each, RuleBroken | Busy)]) == 1, found
    assert [seat.person for seat in steering(rollout).seats].count(OUTSIDER) == 1


def test_a_rule_changes_for_the_next_vote_and_not_for_the_one_that_is_open(rollout):
    decision = rollout.open()
    command = {
        "body_id": rollout.steering,
        "name": "Board",
        "mandate": "decide",
        "quorum": (1, 2),
        "majority": (1, 1),
        "reason": "board",
    }
    with rollout.work() as work:
        set_rule(work, SetRule(**command))
    with rollout.look() as session:
        found = decision_view(session, decision, now=rollout.clock.now())
        assert (found.quorum, found.majority) == ((3, 5), (2, 3))
    assert (steering(rollout).name, steering(rollout).quorum, steering(rollout).majority) == ("Board", (1, 2), (1, 1))
    for given, code in (
        ({"quorum": (0, 2)}, "share_invalid"),
        ({"majority": (3, 2)}, "share_invalid"),
        ({"reason": ""}, "reason_required"),
    ):
        with rollout.work() as work, pytest.raises(RuleBroken, match=code):
            set_rule(work, SetRule(**{**command, **given}))


def test_a_delegation_ends_at_once_and_one_to_come_never_begins(rollout):
    seat = seat_of(rollout, "Finance")
    now = rollout.clock.now()
    made = []
    for begins in (now - timedelta(days=1), now + timedelta(days=5)):
        with rollout.work(FINANCE) as work:
            command = DelegateSeat(
                seat_id=seat, delegate=OUTSIDER, valid_from=begins, valid_until=now + timedelta(days=9), reason="leave"
            )
            made.append(delegate_seat(work, command).id)
    assert next(one.delegate for one in steering(rollout).seats if one.id == seat) == OUTSIDER
    with rollout.work(CHAIR, permissions=frozenset()) as work, pytest.raises(NotAllowed, match="not_your_seat"):
        end_delegation(work, made[0], reason="x")
    for delegation in made:
        with rollout.work(FINANCE, permissions=frozenset()) as work:
            end_delegation(work, delegation, reason="back")
    assert next(one.delegate for one in steering(rollout).seats if one.id == seat) is None
    with rollout.look() as session:
        assert delegations(session, rollout.steering, now) == []
    with rollout.work(FINANCE) as work, pytest.raises(NotFound, match="delegation_not_found"):
        end_delegation(work, made[0], reason="x")


def test_a_refused_plan_leaves_no_row(rollout):
    with pytest.raises(RuleBroken), rollout.work() as work:
        plan_wave(work, a_plan(rollout, "W8", cells=((BREMEN, WHOLESALE),)))
    with rollout.look() as session:
        assert session.scalars(select(Wave.code)).all() == ["W2"]
