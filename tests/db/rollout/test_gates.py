"""What a gate says and keeps: snapshots, held passes, waivers, changes after the freeze, and every case that must not turn green."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import orjson
import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.composition import gate_changes, golive
from app.composition.due import settle_due
from app.queries.waiting import WaitingKind, waits_for
from erpcore.kernel.canonical import canonical_json, fingerprint
from erpcore.kernel.errors import Conflict, NotAllowed, RuleBroken
from governance.decisions.queries import decision_log, decision_view
from readiness.gates.changing import put_criterion
from readiness.gates.criteria import Evidence
from readiness.gates.evaluation import evaluate_gate, store_evaluation
from readiness.gates.models import Gate, GateSnapshot, GateTemplate, WaiverRecord
from readiness.gates.queries import gate_view, gates, waivers
from readiness.gates.rules import GateWord
from readiness.gates.services import CreateGate, create_gate, freeze_gate
from readiness.gates.templates import save_standard_templates
from readiness.gates.waiving import (
    Attest,
    RequestWaiver,
    attest,
    end_waiver,
    grant_waiver,
    request_waiver,
    withdraw_waiver,
)
from readiness.measures.reading import Stale
from readiness.waves.queries import blackouts, grants, waves
from tests.support.rollout import (
    BREMEN,
    CHAIR,
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
    a_statement,
)

SEATS = golive.Seats()
KEY = {"key": True, "min_documents": 30}


@pytest.fixture
def rollout(database):
    return a_rollout(database)


def a_waiver(rollout, criterion="invoices", who=IT, days=9):
    with rollout.work(who) as work:
        return request_waiver(
            work,
            RequestWaiver(
                gate_id=rollout.gate, criterion=criterion, rationale="new scanners", mitigation="two counts a day", owner=IT,
                until=rollout.clock.now() + timedelta(days=days),
            ),
        ).id  # fmt: skip


def granted(rollout, waiver, who=CHAIR, body="steering"):
    with rollout.work(who) as work:
        grant_waiver(work, waiver, body=body, authority=SEATS)
    return waiver


def line(snapshot, code="invoices"):
    return next(each for each in snapshot.content["criteria"] if each["code"] == code)


def test_a_snapshot_is_what_its_fingerprint_was_made_of_and_nobody_changes_it(rollout):
    with rollout.look() as session:
        kept = session.scalars(select(GateSnapshot)).one()
        content = orjson.loads(kept.content)
        assert kept.sha256 == fingerprint(content)
        assert canonical_json(content).decode() == kept.content
    assert (content["read_to"], content["number"], content["word"], content["score"]) == (7, 1, "ready", "1.000000")
    with pytest.raises(DBAPIError), rollout.job() as work:
        work.session.execute(text("UPDATE gate_snapshot SET word = 'ready'"))


def test_one_evaluation_counts_per_site_day(rollout):
    rollout.later(hours=3)
    second = rollout.evaluate()
    rollout.later(days=1)
    third = rollout.evaluate()
    assert (second.is_counted, third.is_counted, third.number) == (False, True, 3)


def test_the_site_day_is_that_of_the_wave_not_of_utc(database):
    rollout = a_rollout(database)
    rollout.later(hours=14, minutes=30)  # 23:30 UTC, half past midnight in Berlin
    assert rollout.evaluate().day == date(2026, 3, 3)


def test_a_key_criterion_passes_only_after_it_has_held_five_days(database):
    rollout = a_rollout(database, specs=(a_spec(**KEY),))
    seen = []
    for _ in range(5):
        snapshot = rollout.evaluate()
        seen.append((line(snapshot)["word"], line(snapshot)["held"], snapshot.word))
        rollout.later(days=1)
    assert seen[0] == ("warn", 1, "not_ready")
    assert seen[3] == ("warn", 4, "not_ready")
    assert seen[4] == ("pass", 5, "ready")


def test_a_day_nobody_looked_starts_the_count_again(database):
    rollout = a_rollout(database, specs=(a_spec(**KEY),))
    for _ in range(3):
        rollout.later(days=1)
        rollout.evaluate()
    rollout.later(days=2)
    assert line(rollout.evaluate())["held"] == 1


def test_a_changed_mark_starts_the_count_again_and_shows_as_changed_after_the_freeze(database):
    rollout = a_rollout(database, specs=(a_spec(**KEY),))
    rollout.later(days=1)
    assert line(rollout.evaluate())["held"] == 2
    with rollout.work(CHAIR) as work:
        gate_changes.put_criterion(
            work, rollout.gate, a_spec(pass_mark=Decimal("0.92"), **KEY), reason="agreed with audit"
        )
    rollout.later(days=1)

    snapshot = rollout.evaluate()

    assert line(snapshot)["held"] == 1
    changed = snapshot.content["changed_after_freeze"]
    assert [(each["criterion"], each["before"]["pass_mark"], each["after"]["pass_mark"]) for each in changed] == [
        ("invoices", "0.950000", "0.920000")
    ]
    assert (changed[0]["reason"], changed[0]["by"], changed[0]["body"]) == ("agreed with audit", CHAIR, "steering")


def test_criteria_are_changed_after_the_freeze_only_by_the_body_that_froze_them_and_with_a_reason(rollout):
    with pytest.raises(NotAllowed, match="not_of_the_body"), rollout.work(PMO_LEAD) as work:
        gate_changes.put_criterion(work, rollout.gate, a_spec(weight=Decimal(5)), reason="rounder")
    with pytest.raises(RuleBroken, match="reason_required"), rollout.work(CHAIR) as work:
        gate_changes.put_criterion(work, rollout.gate, a_spec(weight=Decimal(5)))
    with rollout.look() as session:
        assert session.get_one(Gate, rollout.gate).criteria_version == 1


def test_an_evaluation_read_before_a_change_of_criteria_is_not_kept(rollout):
    with rollout.look() as session:
        found = evaluate_gate(session, rollout.gate, readings=rollout.readings, now=rollout.clock.now())
    with rollout.work(CHAIR) as work:
        put_criterion(work, rollout.gate, a_spec(weight=Decimal(5)), reason="heavier", authority=SEATS)
    with pytest.raises(Conflict, match="criteria_changed"), rollout.job() as work:
        store_evaluation(work, found)


FAIL_CLOSED = {
    "no reading at all": (lambda r: r.readings.figures.clear(), "source_missing"),
    "a source that cannot be read": (
        lambda r: setattr(r.readings, "broken", OperationalError("select", {}, Exception("gone"))), "source_missing",
    ),
    "a source that refuses": (lambda r: setattr(r.readings, "broken", RuleBroken("no")), "source_missing"),
    "a consumer more than a minute behind": (
        lambda r: r.readings.stale.update(invoice_right_at_posting=Stale.CONSUMER_BEHIND), "consumer_behind",
    ),
    "a parked event": (lambda r: r.readings.stale.update(invoice_right_at_posting=Stale.PARKED_EVENT), "parked_event"),
    "figures of earlier rules": (
        lambda r: r.readings.stale.update(invoice_right_at_posting=Stale.EARLIER_RULES), "earlier_rules",
    ),
    "nothing to divide by": (lambda r: r.readings.figures.update(invoice_right_at_posting=(0, 0)), "nothing_to_measure"),
    "too few documents": (lambda r: r.readings.figures.update(invoice_right_at_posting=(29, 29)), "too_few_documents"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAIL_CLOSED)
def test_no_evidence_is_never_green(sqlite_database, case):
    rollout = a_rollout(sqlite_database, specs=(a_spec(**KEY),))
    happens, code = FAIL_CLOSED[case]
    happens(rollout)
    rollout.later(hours=1)

    snapshot = rollout.evaluate()

    assert snapshot.word == GateWord.NOT_READY_NO_EVIDENCE
    assert (line(snapshot)["word"], line(snapshot)["verdict_code"]) == ("no_evidence", code)


def test_a_gate_without_criteria_is_not_frozen(rollout):
    wave = rollout.plan("W9", ((LINZ, WEB),), date(2026, 6, 1))
    with pytest.raises(RuleBroken, match="gate_without_criteria"):
        rollout.freeze(wave, ())


def test_a_gate_open_for_more_than_eight_weeks_asks_for_fixed_dates(rollout):
    wave = rollout.plan("W9", ((LINZ, WEB),), date(2026, 6, 1))
    with pytest.raises(RuleBroken, match="gate_days_invalid"):
        rollout.freeze(wave, (a_spec(),), decides_on=date(2026, 5, 20))


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (a_spec(evidence=Evidence.OWN_LIVE), "entry_reads_own_live"),
        (a_spec(evidence=Evidence.REFERENCE), "no_cells_named"),
        (a_spec(evidence=Evidence.REFERENCE, cells=((LINZ, WEB),)), "reference_is_own_cell"),
        (a_spec(evidence=Evidence.REFERENCE, cells=((99, WEB),)), "reference_not_of_earlier_wave"),
        (a_spec(cells=((HAMBURG, WHOLESALE),)), "cell_of_another_wave"),
        (a_spec(warn_mark=Decimal("0.99")), "warn_mark_stricter_than_pass_mark"),
        (a_spec(measure="order_cycle_time.p90", warn_mark=Decimal("0.90")), "warn_mark_stricter_than_pass_mark"),
    ],
)
def test_a_criterion_that_could_not_prove_anything_is_not_frozen(sqlite_database, spec, code):
    rollout = a_rollout(sqlite_database, gate=False)
    wave = rollout.plan("W9", ((LINZ, WEB),), date(2026, 6, 1))
    with pytest.raises(RuleBroken, match="gate_criteria_refused") as refused:
        rollout.freeze(wave, (spec,))
    assert ("invoices", code) in refused.value.facts["problems"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"code": " "}, "code"),
        ({"pass_mark": None}, "pass_mark"),
        ({"measure": None}, "measure"),
        ({"evidence": Evidence.ATTESTATION}, "measure"),
        ({"weight": Decimal(-1)}, "weight"),
        ({"min_documents": 0}, "min_documents"),
        ({"min_actors": 0}, "min_actors"),
        ({"min_days": 0}, "min_days"),
        ({"pass_mark": Decimal("0.9500001")}, "pass_mark"),
        ({"measure": "no_such_figure"}, "measure"),
    ],
)
def test_a_criterion_that_cannot_be_kept_is_refused_at_its_field(sqlite_database, given, field):
    rollout = a_rollout(sqlite_database, gate=False)
    with pytest.raises(RuleBroken) as refused:
        rollout.freeze(rollout.wave, (a_spec(**given),))
    assert refused.value.field == field
    with rollout.look() as session:
        assert session.scalar(select(func.count()).select_from(Gate)) == 0


def test_a_gate_never_has_two_criteria_of_one_code(sqlite_database):
    rollout = a_rollout(sqlite_database, gate=False)
    with pytest.raises(RuleBroken, match="criterion_twice"):
        rollout.freeze(rollout.wave, (a_spec(), a_spec()))


def test_reference_cells_are_read_one_by_one_and_the_worst_counts(rollout):
    wave = rollout.plan("W3", ((LINZ, WEB),), date(2026, 6, 1))
    cells = ((HAMBURG, WHOLESALE), (BREMEN, WHOLESALE))
    gate = rollout.freeze(wave, (a_spec(evidence=Evidence.REFERENCE),), reference=cells)
    snapshot = rollout.evaluate(gate)
    assert [(one.realm, one.scope, one.cells) for one in rollout.readings.asked] == [
        ("live", "11:21", ((HAMBURG, WHOLESALE),)),
        ("live", "12:21", ((BREMEN, WHOLESALE),)),
    ]
    assert len(line(snapshot)["readings"]) == 2


def test_an_own_rehearsal_is_read_over_all_cells_of_the_wave_in_the_rehearsal_realm(rollout):
    rollout.evaluate()
    assert [(one.realm, one.scope, one.cells) for one in rollout.readings.asked] == [
        ("rehearsal", "all", ((HAMBURG, WHOLESALE), (BREMEN, WHOLESALE)))
    ]


def test_a_statement_counts_until_it_lapses_and_only_from_its_owner(database):
    rollout = a_rollout(database, specs=(a_spec(), a_statement(owner_id=FINANCE, statutory=True)))
    assert rollout.evaluate().word == GateWord.NOT_READY
    statement = Attest(
        gate_id=rollout.gate, criterion="tax", holds=True, statement="in force", document="opinion 27-003",
        until=rollout.clock.now() + timedelta(days=3),
    )  # fmt: skip
    with pytest.raises(NotAllowed, match="not_your_attestation"), rollout.work(CHAIR) as work:
        attest(work, statement)
    with rollout.look() as session:
        assert [each.kind for each in waits_for(session, FINANCE, rollout.clock.now())] == [WaitingKind.ATTESTATION]
    with rollout.work(FINANCE) as work:
        attest(work, statement)
    with rollout.look() as session:
        assert waits_for(session, FINANCE, rollout.clock.now()) == []
    rollout.later(days=1)
    assert rollout.evaluate().word == GateWord.READY
    rollout.later(days=2)
    assert rollout.evaluate().word == GateWord.NOT_READY


def test_nobody_grants_the_waiver_they_asked_for(rollout):
    waiver = a_waiver(rollout, who=CHAIR)
    with pytest.raises(NotAllowed, match="requester_may_not_grant"):
        granted(rollout, waiver, who=CHAIR)
    with rollout.look() as session:
        assert session.get_one(WaiverRecord, waiver).state == "requested"


def test_an_outsider_grants_nothing_and_the_gates_body_grants_what_is_ordinary(rollout):
    waiver = a_waiver(rollout)
    with pytest.raises(NotAllowed, match="not_of_the_body"):
        granted(rollout, waiver, who=OUTSIDER, body="pmo")
    granted(rollout, waiver, who=PMO_LEAD, body="pmo")


def test_a_key_criterion_is_waived_by_the_steering_committee_alone(database):
    rollout = a_rollout(database, specs=(a_spec(**KEY),))
    waiver = a_waiver(rollout)
    with pytest.raises(NotAllowed, match="key_waived_by_steering_only"):
        granted(rollout, waiver, who=PMO_LEAD, body="pmo")
    granted(rollout, waiver, who=CHAIR)


def test_a_statutory_criterion_is_never_waived(database):
    rollout = a_rollout(database, specs=(a_spec(), a_statement(statutory=True)))
    with pytest.raises(RuleBroken, match="statutory_never_waived"):
        a_waiver(rollout, "tax")


def test_a_waiver_in_the_past_is_refused(rollout):
    with pytest.raises(RuleBroken, match="validity_empty"):
        a_waiver(rollout, days=-1)


def test_a_waiver_is_taken_back_only_by_who_asked(rollout):
    waiver = a_waiver(rollout)
    with pytest.raises(NotAllowed, match="not_your_request"), rollout.work(CHAIR) as work:
        withdraw_waiver(work, waiver, reason="no")
    with rollout.work(IT) as work:
        withdraw_waiver(work, waiver, reason="fixed")


@pytest.fixture
def waived(database):
    rollout = a_rollout(
        database, specs=(a_spec(weight=Decimal(8)), a_spec("fills", measure="fill_rate_lines", weight=Decimal(1)))
    )
    rollout.readings.figures["fill_rate_lines"] = (100, 400)
    granted(rollout, a_waiver(rollout, "fills"))
    rollout.later(hours=1)
    return rollout


def test_a_waived_criterion_counts_as_warn_and_keeps_its_own_verdict(waived):
    snapshot = waived.evaluate()
    assert (line(snapshot, "fills")["word"], line(snapshot, "fills")["counts_as"]) == ("fail", "warn")
    assert snapshot.word == GateWord.READY
    assert [each["is_used"] for each in snapshot.content["waivers"]] == [True]


def test_a_waiver_that_lapses_outdates_the_decision_that_needs_it_and_is_told_once(waived):
    waived.evaluate()
    decision = waived.open(
        effective_at=waived.clock.now() + timedelta(days=20), closes_at=waived.clock.now() + timedelta(days=12)
    )
    waived.later(days=10)

    settle_due(waived.database, clock=waived.clock)

    assert waived.state(decision) == "outdated"
    assert settle_due(waived.database, clock=waived.clock) == []
    assert line(waived.evaluate(), "fills")["counts_as"] == "fail"


def test_a_waiver_taken_back_outdates_the_decision_that_needs_it(waived):
    waived.evaluate()
    decision = waived.open()
    with waived.look() as session:
        waiver = waivers(session, waived.clock.now())[0].id
    with waived.work(CHAIR) as work:
        end_waiver(work, waiver, body="steering", reason="scanners broke again", authority=SEATS)
    waived.later(minutes=1)
    settle_due(waived.database, clock=waived.clock)
    assert waived.state(decision) == "outdated"


def test_a_waiver_waits_for_those_who_may_grant_it_and_not_for_who_asked(rollout):
    a_waiver(rollout, who=IT)

    def kinds(who):
        with rollout.look() as session:
            return [each.kind for each in waits_for(session, who, rollout.clock.now())]

    assert kinds(CHAIR) == [WaitingKind.WAIVER]
    assert kinds(PMO_LEAD) == [WaitingKind.WAIVER]
    assert kinds(IT) == kinds(OUTSIDER) == []


def test_the_standard_templates_make_gates_that_can_be_frozen(rollout):
    for _ in range(2):
        with rollout.work() as work:
            save_standard_templates(work)
    with rollout.look() as session:
        assert sorted((one.code, one.version) for one in session.query(GateTemplate)) == [
            ("entry", 1), ("exit", 1), ("stay_live", 1),
        ]  # fmt: skip
    wave = rollout.plan("W3", ((LINZ, WEB),), date(2026, 6, 1))
    with rollout.work() as work:
        for phase in ("entry", "stay_live", "exit"):
            create_gate(
                work,
                CreateGate(
                    wave_id=wave, phase=phase, decides_on=date(2026, 3, 20), template=phase,
                    reference=((HAMBURG, WHOLESALE),),
                ),
            )  # fmt: skip
    with rollout.look() as session:
        made = [row.id for row in gates(session, wave_id=wave)]
    for gate in made:
        with rollout.work(CHAIR) as work:
            freeze_gate(work, gate, body="steering", authority=SEATS)
        assert rollout.evaluate(gate).word in set(GateWord)


def test_the_gate_page_tells_what_changed_the_trend_and_the_forecast(database):
    rollout = a_rollout(database)
    for good in (352, 356, 360, 364, 368):
        rollout.later(days=1)
        rollout.readings.figures["invoice_right_at_posting"] = (good, 400)
        rollout.evaluate()
    with rollout.look() as session:
        view = gate_view(session, rollout.gate, now=rollout.clock.now())
    assert view.snapshot.number == 6
    assert [point.value for point in view.trends["invoices"]][1:] == [
        Decimal("0.880000"), Decimal("0.890000"), Decimal("0.900000"), Decimal("0.910000"), Decimal("0.920000"),
    ]  # fmt: skip
    assert view.changes == ()
    assert view.forecasts[0].criterion == "invoices"
    rollout.later(days=1)
    rollout.readings.figures["invoice_right_at_posting"] = (400, 400)
    rollout.evaluate()
    with rollout.look() as session:
        changes = gate_view(session, rollout.gate, now=rollout.clock.now()).changes
    assert [(each.before, each.after, each.points) for each in changes] == [("warn", "pass", Decimal("0.500000"))]


class Counter:
    """How many statements ran on an engine."""

    def __init__(self, engine):
        self.engine, self.count = engine, 0

    def _tick(self, *_args):
        self.count += 1

    def __enter__(self):
        event.listen(self.engine, "before_cursor_execute", self._tick)
        return self

    def __exit__(self, *_args):
        event.remove(self.engine, "before_cursor_execute", self._tick)


def test_pages_ask_a_fixed_number_of_questions(sqlite_database):
    specs = (a_spec(), *(a_spec(f"c{i}", measure="invoice_right_at_posting") for i in range(19)))
    rollout = a_rollout(sqlite_database, specs=specs)
    decision = rollout.open()
    rollout.all_vote(decision)
    now = rollout.clock.now()
    with rollout.look() as session:
        session.execute(text("SELECT 1"))
        asked = {}
        for name, call in {
            "gate": lambda: gate_view(session, rollout.gate, now=now),
            "gates": lambda: gates(session),
            "waves": lambda: waves(session, programme_id=rollout.programme),
            "blackouts": lambda: blackouts(session),
            "grants": lambda: grants(session),
            "decision": lambda: decision_view(session, decision, now=now),
            "log": lambda: decision_log(session),
            "waiting": lambda: waits_for(session, CHAIR, now),
        }.items():
            session.expunge_all()
            with Counter(sqlite_database.read_engine) as counter:
                call()
            asked[name] = counter.count
    assert asked == {
        "gate": 6, "gates": 2, "waves": 5, "blackouts": 1, "grants": 1, "decision": 8, "log": 1, "waiting": 4,
    }  # fmt: skip


def test_evaluating_a_gate_of_twenty_criteria_asks_a_fixed_number_of_questions(sqlite_database):
    specs = [a_spec(f"c{i}", measure="invoice_right_at_posting") for i in range(20)]
    rollout = a_rollout(sqlite_database, specs=specs)
    with rollout.look() as session:
        session.execute(text("SELECT 1"))
        with Counter(sqlite_database.read_engine) as counter:
            evaluate_gate(session, rollout.gate, readings=rollout.readings, now=rollout.clock.now())
        assert counter.count == 9
        assert session.scalar(select(func.count()).select_from(GateSnapshot)) == 1
