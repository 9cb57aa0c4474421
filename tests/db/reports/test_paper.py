"""The paper: the same bytes each time, nothing fetched, and no byte of it changed without being seen."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import orjson
import pytest
from pypdf import PdfReader

from app.composition.uow import connect
from app.reports import paper
from app.reports.dossier import Dossier
from app.reports.paper import page, render_pack
from app.reports.presenting import present
from app.reports.seal import carried, digest_of, seal
from app.reports.verifying import verify_pack
from tests.architecture.source import ROOT
from tests.support.archive import broken_rules
from tests.support.dossiers import a_board_case, a_vote, dossier_of


@dataclass(frozen=True)
class Case:
    rollout: Any
    dossier: Dossier
    content: bytes


@pytest.fixture(scope="module")
def case(sqlite_template, tmp_path_factory):
    """One wave before its committee and its pack, for all tests here: none of them writes."""
    path = tmp_path_factory.mktemp("packs") / "wavegate.sqlite3"
    shutil.copyfile(sqlite_template, path)
    database = connect(f"sqlite:///{path}")
    rollout = a_board_case(database)
    a_vote(rollout)
    dossier = dossier_of(rollout)
    yield Case(rollout, dossier, render_pack(dossier))
    database.dispose()


def checks(report):
    return {check.name: check.holds for check in report.checks}


def test_the_same_dossier_gives_the_same_bytes_in_another_process_hash_seed_and_time_zone(case, tmp_path):
    dossier = case.dossier
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
    found = {hashlib.sha256(case.content).hexdigest(), hashlib.sha256(render_pack(dossier)).hexdigest()}
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": "31337", "TZ": "Pacific/Auckland", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    found.add(run.stdout.strip())
    assert len(found) == 1


def test_the_evidence_travels_inside_as_it_was_stored_and_the_file_says_what_it_is(case):
    dossier = case.dossier
    reader = PdfReader(BytesIO(case.content))
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


def test_the_file_keeps_every_rule_of_an_archive(case):
    assert broken_rules(case.content) == []
    assert broken_rules(case.content.replace(b"pdfaid:part", b"pdfaid:pert")) != []


def test_one_changed_bit_anywhere_is_found(case):
    content = case.content
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
    content = bytearray(case.content)
    content[len(content) // 2] ^= 4
    with case.rollout.look() as session:
        report = verify_pack(bytes(content), session)
    assert not report.holds
    assert checks(report) == {"digest": False, "evidence": None}
    assert report.digest in report.checks[0].said


def test_forged_evidence_under_a_fresh_seal_is_found_by_the_printed_fingerprint(case):
    dossier = case.dossier
    content = orjson.loads(dossier.evidence)
    content["score"] = "0.990000"
    forged = replace(dossier, evidence=orjson.dumps(content, option=orjson.OPT_SORT_KEYS))
    with case.rollout.look() as session:
        report = verify_pack(render_pack(forged), session)
    found = checks(report)
    assert not report.holds
    assert (found["digest"], found["evidence"], found["pages"]) == (True, False, False)


def test_a_forger_who_also_changes_the_claimed_fingerprint_is_found_by_the_database(case):
    dossier = case.dossier
    content, rest = orjson.loads(dossier.evidence), orjson.loads(dossier.rest)
    content["score"] = "0.990000"
    evidence = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    rest["fingerprint"] = hashlib.sha256(evidence).hexdigest()
    forged = replace(dossier, evidence=evidence, rest=orjson.dumps(rest, option=orjson.OPT_SORT_KEYS))
    with case.rollout.look() as session:
        report = verify_pack(render_pack(forged), session)
    assert checks(report) == {"digest": True, "evidence": True, "pages": True, "evaluation": False, "record": False}


def test_a_file_that_is_no_pack_is_said_to_be_none(case):
    report = verify_pack(b"%PDF-1.7\nhello\n%%EOF\n")
    assert not report.holds
    assert report.checks[0].said.startswith("the file carries no digest")
    with pytest.raises(ValueError, match="no empty place"):
        seal(b"no place at all")


def test_a_paper_that_asks_for_a_file_or_an_address_is_not_made(case, monkeypatch):
    dossier = case.dossier
    for address in ("file:///etc/passwd", "http://127.0.0.1:9/x.png", "typeface:900"):
        monkeypatch.setattr(paper, "page", lambda pack, a=address: f'<html><body><img src="{a}" alt="x"></body></html>')
        with pytest.raises(RuntimeError, match="nothing is fetched"):
            paper.render_pack(dossier)


def test_words_of_people_stay_words(case):
    dossier = case.dossier
    rest = orjson.loads(dossier.rest)
    rest["programme"]["purpose"] = "<script>x</script><img src='file:///etc/passwd'> & more"
    odd = replace(dossier, rest=orjson.dumps(rest, option=orjson.OPT_SORT_KEYS))
    html = page(present(odd))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    render_pack(odd)


def test_a_pack_that_nobody_put_on_record_is_no_pack_of_this_database(case):
    content = case.content
    with case.rollout.look() as session:
        report = verify_pack(content, session)
    assert not report.holds
    assert checks(report) == {"digest": True, "evidence": True, "pages": True, "evaluation": True, "record": False}
