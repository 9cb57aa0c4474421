"""A pack is a pure function of what is stored, comes out the same each time, and proves what it is."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import orjson
import pytest
from sqlalchemy import select

from app.reports.packs import make_pack, read_dossier, recorded, write_pack
from app.reports.paper import page, render_pack
from app.reports.presenting import present
from app.reports.seal import carried, digest_of, seal
from app.reports.verifying import verify_pack
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import verify_chain
from erpcore.kernel.errors import NotFound, RuleBroken
from readiness.gates.models import GateSnapshot
from tests.architecture.source import ROOT
from tests.support.dossiers import a_board_case, a_vote, dossier_of
from tests.support.rollout import a_rollout

BY = Actor.system("packs")


@pytest.fixture
def case(database):
    return a_board_case(database)


def checks(report):
    return {check.name: check.holds for check in report.checks}


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
    assert (
        dict((fact.name, fact.value) for fact in ballot.facts)["Votes cast"] == "4 of 4: 3 conditional go, 1 postpone"
    )


def test_the_pack_of_an_open_vote_stays_on_the_evidence_it_was_opened_on(case):
    before = dossier_of(case)
    a_vote(case)
    case.later(hours=20)
    case.evaluate()
    assert dossier_of(case).fingerprint == before.fingerprint


def test_what_comes_later_does_not_reach_the_pack_of_an_evaluation_a_decision_stands_on(case):
    decision = a_vote(case, close=True)
    first = dossier_of(case)
    case.later(days=1)
    again = dossier_of(case, decision_id=decision)
    assert (again.evidence, again.rest) == (first.evidence, first.rest)


def test_a_wave_without_gate_or_evaluation_or_name_is_refused_by_name(database):
    rollout = a_rollout(database, gate=False)
    with pytest.raises(NotFound, match="wave_not_found"):
        dossier_of(rollout, "W9")
    with pytest.raises(RuleBroken, match="gate_missing"):
        dossier_of(rollout)
    from tests.support.rollout import a_spec

    rollout.freeze(rollout.wave, (a_spec(),))
    with pytest.raises(RuleBroken, match="gate_not_evaluated"):
        dossier_of(rollout)


def test_a_decision_that_does_not_stand_on_the_gate_is_refused(case):
    with pytest.raises(NotFound, match="decision_not_found"):
        dossier_of(case, decision_id=77)


def test_the_same_dossier_gives_the_same_bytes_in_other_processes_and_with_other_hash_seeds(case, tmp_path):
    a_vote(case)
    dossier = dossier_of(case)
    (tmp_path / "evidence").write_bytes(dossier.evidence)
    (tmp_path / "rest").write_bytes(dossier.rest)
    code = (
        "import sys, pathlib, hashlib\n"
        "from app.reports.dossier import Dossier\n"
        "from app.reports.paper import render_pack\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "dossier = Dossier(1, (folder / 'evidence').read_bytes(), (folder / 'rest').read_bytes())\n"
        "print(hashlib.sha256(render_pack(dossier)).hexdigest())\n"
    )
    found = {hashlib.sha256(render_pack(dossier)).hexdigest()}
    for seed, zone in (("1", "UTC"), ("31337", "Pacific/Auckland")):
        run = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        found.add(run.stdout.strip())
    assert len(found) == 1


def test_the_evidence_travels_inside_as_it_was_stored_and_the_file_says_what_it_is(case):
    from io import BytesIO

    from pypdf import PdfReader

    dossier = dossier_of(case)
    reader = PdfReader(BytesIO(render_pack(dossier)))
    assert reader.attachments["evidence.json"] == [dossier.evidence]
    assert reader.attachments["pack.json"] == [dossier.rest]
    catalog = reader.trailer["/Root"]
    assert catalog["/Lang"] == "en"
    assert catalog["/MarkInfo"]["/Marked"].value is True
    xmp = catalog["/Metadata"].get_object().get_data().decode()
    assert 'pdfaid:part="3"' in xmp or "<pdfaid:part>3</pdfaid:part>" in xmp
    assert reader.metadata.title == "Decision pack: Wave W2, entry gate"
    pages = [page.extract_text() for page in reader.pages]
    assert all(f"Page {number} of {len(pages)}" in text for number, text in enumerate(pages, start=1))
    assert all(dossier.fingerprint in text.replace(" ", "") for text in pages)
    for frame in reader.pages[0]["/MediaBox"], reader.pages[-1]["/MediaBox"]:
        assert [round(float(side)) for side in frame] == [0, 0, 595, 842]


def test_one_changed_bit_anywhere_is_found(case):
    content = render_pack(dossier_of(case))
    assert carried(content) == digest_of(content)
    place = content.index(b"Wavegate-Seal")
    regions = [content.index(mark) for mark in (b"%PDF", b"endstream", b"/EmbeddedFile", b"xref", b"%%EOF")]
    sampled = {*range(0, len(content), len(content) // 230), *range(place, place + 90), *regions, len(content) - 1}
    assert len(sampled) > 300
    unseen = []
    for at in sorted(sampled):
        changed = bytearray(content)
        changed[at] ^= 1
        if carried(bytes(changed)) == digest_of(bytes(changed)):
            unseen.append(at)
    assert unseen == []
    for changed in (content + b"\n", content[:-1], content[:500] + content[501:]):
        assert carried(changed) != digest_of(changed)


def test_verifying_a_changed_byte_names_the_digest_and_asks_no_further(case):
    content = bytearray(render_pack(dossier_of(case)))
    content[len(content) // 2] ^= 4
    with case.look() as session:
        report = verify_pack(bytes(content), session)
    assert not report.holds
    assert checks(report) == {"digest": False, "evidence": None}
    assert report.digest in report.checks[0].said


def test_a_pack_made_here_holds_in_every_check_and_its_digest_stands_in_the_audit_trail(case, tmp_path):
    made = write_pack(case.database, "W2", tmp_path / "out" / "w2.pdf", clock=case.clock)
    content = (tmp_path / "out" / "w2.pdf").read_bytes()
    assert (made.digest, made.size) == (carried(content), len(content))
    with case.look() as session:
        report = verify_pack(content, session)
        assert verify_chain(session).broken_at is None
        (record,) = recorded(session, made.snapshot_id)
    assert report.holds
    assert checks(report) == dict.fromkeys(("digest", "evidence", "pages", "evaluation", "record"), True)
    assert (record.digest, record.fingerprint, record.at) == (made.digest, made.fingerprint, case.clock.now())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["w2.pdf"]


def test_writing_it_again_gives_the_same_bytes(case, tmp_path):
    first = write_pack(case.database, "W2", tmp_path / "a.pdf", clock=case.clock)
    case.later(days=3)
    second = write_pack(case.database, "W2", tmp_path / "b.pdf", clock=case.clock)
    assert first.digest == second.digest
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_a_pack_that_nobody_put_on_record_is_no_pack_of_this_database(case):
    content = render_pack(dossier_of(case))
    with case.look() as session:
        report = verify_pack(content, session)
    assert not report.holds
    assert checks(report) == {"digest": True, "evidence": True, "pages": True, "evaluation": True, "record": False}


def test_forged_evidence_under_a_fresh_seal_is_found_by_the_printed_fingerprint(case, monkeypatch):
    dossier = dossier_of(case)
    content = orjson.loads(dossier.evidence)
    content["score"] = "0.990000"
    forged = replace(dossier, evidence=orjson.dumps(content, option=orjson.OPT_SORT_KEYS))
    with case.look() as session:
        report = verify_pack(render_pack(forged), session)
    found = checks(report)
    assert not report.holds
    assert (found["digest"], found["evidence"], found["pages"]) == (True, False, False)


def test_a_forger_who_also_changes_the_claimed_fingerprint_is_found_by_the_database(case):
    dossier = dossier_of(case)
    content, rest = orjson.loads(dossier.evidence), orjson.loads(dossier.rest)
    content["score"] = "0.990000"
    evidence = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    rest["fingerprint"] = hashlib.sha256(evidence).hexdigest()
    forged = replace(dossier, evidence=evidence, rest=orjson.dumps(rest, option=orjson.OPT_SORT_KEYS))
    with case.look() as session:
        report = verify_pack(render_pack(forged), session)
    assert checks(report) == {"digest": True, "evidence": True, "pages": True, "evaluation": False, "record": False}


def test_a_file_that_is_no_pack_is_said_to_be_none(case):
    report = verify_pack(b"%PDF-1.7\nhello\n%%EOF\n")
    assert not report.holds
    assert report.checks[0].said.startswith("the file carries no digest")
    with pytest.raises(ValueError, match="no empty place"):
        seal(b"no place at all")


def test_a_paper_that_asks_for_a_file_or_an_address_is_not_made(case, monkeypatch):
    from app.reports import paper

    dossier = dossier_of(case)
    for address in ("file:///etc/passwd", "http://127.0.0.1:9/x.png", "typeface:900"):
        monkeypatch.setattr(paper, "page", lambda pack, a=address: f'<html><body><img src="{a}" alt="x"></body></html>')
        with pytest.raises(RuntimeError, match="nothing is fetched"):
            paper.render_pack(dossier)


def test_words_of_people_stay_words(case):
    dossier = dossier_of(case)
    rest = orjson.loads(dossier.rest)
    rest["programme"]["purpose"] = "<script>x</script><img src='file:///etc/passwd'> & more"
    odd = replace(dossier, rest=orjson.dumps(rest, option=orjson.OPT_SORT_KEYS))
    html = page(present(odd))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    render_pack(odd)


def test_without_the_libraries_the_refusal_says_what_is_missing_and_nothing_is_on_record(case, monkeypatch):
    from app.messages import sentence

    monkeypatch.setitem(sys.modules, "weasyprint", None)
    dossier = read_dossier(case.database, "W2")
    with pytest.raises(RuleBroken, match="pdf_not_available") as refused:
        make_pack(case.database, dossier, actor=BY, clock=case.clock)
    assert "libpangoft2-1.0-0" in sentence(refused.value)
    with case.look() as session:
        assert recorded(session, dossier.snapshot_id) == []


def test_setting_a_pack_leaves_the_database_free_for_others(case, monkeypatch):
    """Another writer finishes while the pack is being set."""
    from app.reports import packs

    def meanwhile(dossier):
        case.later(minutes=1)
        case.evaluate()
        return render_pack(dossier)

    monkeypatch.setattr(packs, "render_pack", meanwhile)
    content, made = make_pack(case.database, dossier_of(case), actor=BY, clock=case.clock)
    assert made.digest == digest_of(content)
