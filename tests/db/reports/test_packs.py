"""What a decision pack says comes from what is stored, and what was made stands on record."""

from __future__ import annotations

import hashlib
import sys

import pytest
from sqlalchemy import select

from app.reports import packs
from app.reports.packs import make_pack, read_dossier, recorded, write_pack
from app.reports.presenting import present
from app.reports.seal import carried, placeholder, seal
from app.reports.verifying import verify_pack
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import verify_chain
from erpcore.kernel.errors import NotFound, RuleBroken
from readiness.gates.models import GateSnapshot
from tests.support.dossiers import a_board_case, a_vote, dossier_of
from tests.support.rollout import a_rollout, a_spec

BY = Actor.system("packs")


@pytest.fixture
def case(database):
    return a_board_case(database)


def test_a_pack_says_what_the_gate_says_and_its_fingerprint_is_the_gates(case):
    dossier = dossier_of(case)
    pack = present(dossier)
    with case.look() as session:
        kept = session.scalar(select(GateSnapshot.sha256).order_by(GateSnapshot.number.desc()).limit(1))

    assert pack.fingerprint == kept == hashlib.sha256(dossier.evidence).hexdigest()
    assert (pack.mark.word, pack.score) == ("Conditional", "77.1")
    assert pack.sentence == "The score of 77.08 % meets 75 % but not 90 %."
    rows = {row.code: row for group in pack.groups for row in group.criteria}
    invoices = rows["invoices"]
    assert (invoices.threshold, invoices.reading, invoices.interval) == ("≥ 97 %", "99.5 %", "98.2 – 99.86")
    assert invoices.threshold_notes == ("warn ≥ 94 %", "on the bound")
    assert (invoices.count, invoices.count_note) == ("400 invoices", "398 of 400 · at least 100")
    assert (invoices.mark.word, invoices.mark.note) == ("Warn", "held 2 of 5")
    assert invoices.owner == "Marta Albers, Billing"
    assert [cell.name for cell in rows["otif"].cells] == ["Hamburg DC, Wholesale", "Bremen branch, Wholesale"]
    assert (rows["training"].mark.word, rows["training"].mark.note) == ("Waived", "own verdict: no evidence")
    assert [(hold.title, hold.points) for hold in pack.holds] == [
        ("Invoices right at posting", "−10.4"), ("Returns credited in time", "−6.2"), ("Shifts trained", "−6.2"),
    ]  # fmt: skip


def test_a_pack_tells_what_changed_since_the_evaluation_before_and_after_the_freeze(case):
    pack = present(dossier_of(case))
    assert pack.changed_since == "evaluation 9 of Tue 10 Mar 2026 10:00: not ready, score 71.9"
    change = next(each for each in pack.changes if each.title == "Orders without manual work")
    assert (change.before.word, change.after.word, change.points) == ("Warn", "Pass", "+5.2")
    (late,) = pack.late_changes
    assert late.what == "Changed: Orders without manual work"
    assert late.by == "Dr. Katrin Voss, Steering committee"
    assert ("Pass mark", "70 %", "68 %") in late.differences
    (waiver,) = pack.waivers
    assert (waiver.title, waiver.mark.word) == ("Shifts trained", "In use")
    assert pack.waiver_note == "Waivers in use cover 12.5 % of the weight; 15 % is the most that is allowed."


def test_an_open_vote_shows_every_seat_with_its_reason_and_what_no_longer_counts(case):
    a_vote(case)
    ballot = present(dossier_of(case)).ballot
    assert (ballot.mark.word, len(ballot.seats)) == ("Open", 5)
    seats = {seat.function: seat for seat in ballot.seats}
    assert (seats["Chair"].mark.word, seats["Chair"].reason) == (
        "Conditional go", "The evidence carries it if the late shift is trained.",
    )  # fmt: skip
    assert (seats["Sales"].holder, seats["Sales"].mark.note) == (
        "Tom Brandt, delegate Jan Ahrens",
        "by Jan Ahrens as delegate",
    )
    assert (seats["IT"].mark.word, seats["IT"].reason) == ("Recused", "Her brother runs the carrier's IT.")
    assert seats["Warehouse"].mark.word == "No vote"
    assert ballot.earlier_votes == (
        "Finance, Marta Albers, Wed 11 Mar 2026 11:00: no-go: Write-offs are not understood yet. (changed afterwards)",
    )
    assert [(row.text, row.owner) for row in ballot.conditions] == [("Late shift trained", "Selim Yildiz")]


def test_a_closed_vote_shows_its_outcome_and_who_disagreed(case):
    a_vote(case, close=True)
    ballot = present(dossier_of(case)).ballot
    assert (ballot.mark.word, ballot.standing) == (
        "Conditional go",
        "The body lets the wave go live on the conditions below.",
    )
    assert ballot.dissent == (
        "Warehouse, Selim Yildiz, voted postpone: Two heads are missing on the late shift; a week would do.",
    )
    assert {fact.name: fact.value for fact in ballot.facts}["Votes cast"] == "4 of 4: 3 conditional go, 1 postpone"


def test_later_evaluations_do_not_reach_the_pack_of_the_one_a_vote_stands_on(case):
    alone = dossier_of(case)
    decision = a_vote(case)
    first = dossier_of(case)
    case.later(hours=20)
    case.evaluate()
    again = dossier_of(case)
    assert alone.fingerprint == first.fingerprint
    assert (again.evidence, again.rest) == (first.evidence, first.rest)
    asked = dossier_of(case, decision_id=decision)
    assert (asked.evidence, asked.rest) == (first.evidence, first.rest)


def test_a_wave_without_gate_or_evaluation_or_name_is_refused_by_name(database):
    rollout = a_rollout(database, gate=False)
    with pytest.raises(NotFound, match="wave_not_found"):
        dossier_of(rollout, "W9")
    with pytest.raises(RuleBroken, match="gate_missing"):
        dossier_of(rollout)
    rollout.freeze(rollout.wave, (a_spec(),))
    with pytest.raises(RuleBroken, match="gate_not_evaluated"):
        dossier_of(rollout)


def test_a_decision_that_does_not_stand_on_the_gate_is_refused(case):
    with pytest.raises(NotFound, match="decision_not_found"):
        dossier_of(case, decision_id=77)


def test_without_the_libraries_the_refusal_says_what_is_missing_and_nothing_is_on_record(case, monkeypatch):
    from app.messages import sentence

    monkeypatch.setitem(sys.modules, "weasyprint", None)
    dossier = read_dossier(case.database, "W2")
    with pytest.raises(RuleBroken, match="pdf_not_available") as refused:
        make_pack(case.database, dossier, actor=BY, clock=case.clock)
    assert "libpangoft2-1.0-0" in sentence(refused.value)
    with case.look() as session:
        assert recorded(session, dossier.snapshot_id) == []


def test_a_pack_made_here_holds_in_every_check_and_comes_out_the_same_again(case, tmp_path):
    made = write_pack(case.database, "W2", tmp_path / "out" / "w2.pdf", clock=case.clock)
    content = (tmp_path / "out" / "w2.pdf").read_bytes()
    assert (made.digest, made.size) == (carried(content), len(content))
    with case.look() as session:
        report = verify_pack(content, session)
        assert verify_chain(session).broken_at is None
        (record,) = recorded(session, made.snapshot_id)
    assert {check.name: check.holds for check in report.checks} == dict.fromkeys(
        ("digest", "evidence", "pages", "evaluation", "record"), True
    )
    assert (record.digest, record.fingerprint, record.at) == (made.digest, made.fingerprint, case.clock.now())
    case.later(days=3)
    assert write_pack(case.database, "W2", tmp_path / "out" / "w2.pdf", clock=case.clock).digest == made.digest
    assert (tmp_path / "out" / "w2.pdf").read_bytes() == content
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["w2.pdf"]


def test_while_a_pack_is_set_others_write(case, monkeypatch):
    sealed = seal(b"stream\n" + placeholder() + b"\nendstream")

    def set_slowly(dossier):
        case.later(minutes=1)
        case.evaluate()
        return sealed

    monkeypatch.setattr(packs, "render_pack", set_slowly)
    dossier = dossier_of(case)
    _, made = make_pack(case.database, dossier, actor=BY, clock=case.clock)
    with case.look() as session:
        assert [each.digest for each in recorded(session, dossier.snapshot_id)] == [made.digest]
