"""``wavegate pack`` and ``wavegate verify-pack``: what they print, and with which code they end."""

from __future__ import annotations

import orjson
import pytest
from click.testing import CliRunner

from app.cli import cli
from tests.support.dossiers import a_board_case


@pytest.fixture
def run(sqlite_database, monkeypatch):
    a_board_case(sqlite_database)
    monkeypatch.setenv("WAVEGATE_DATABASE_URL", sqlite_database.url)
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words], prog_name="wavegate")


def test_a_pack_is_written_and_verified_and_one_changed_byte_ends_with_a_code(run, tmp_path, monkeypatch):
    file = tmp_path / "w2.pdf"
    made = run("pack", "W2", "--out", file, "--json")
    assert made.exit_code == 0, made.output
    facts = orjson.loads(made.stdout)
    assert facts["size"] == file.stat().st_size

    whole = run("verify-pack", file)
    assert whole.exit_code == 0
    assert f"is whole: wave W2, evidence {facts['fingerprint']}." in whole.stdout
    assert "the audit trail has the digest" in whole.stdout
    report = orjson.loads(run("verify-pack", file, "--json").stdout)
    assert (report["digest"], report["holds"]) == (facts["digest"], True)

    alone = run("verify-pack", "--alone", file)
    assert (alone.exit_code, "is whole in itself" in alone.stdout) == (0, True)
    monkeypatch.setenv("WAVEGATE_DATABASE_URL", f"sqlite:///{tmp_path}/none.sqlite3")
    assert "no database was asked" in run("verify-pack", file).stdout
    assert not (tmp_path / "none.sqlite3").exists()

    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content)
    broken = run("verify-pack", file)
    assert broken.exit_code == 1
    assert "it was changed after it was made" in broken.output
    assert "must not be relied on" in broken.output


def test_a_wave_or_gate_that_is_not_there_ends_with_its_sentence_and_no_file(run, tmp_path):
    for words, said in (
        (("pack", "W9"), "There is no wave W9"),
        (("pack", "W2", "--gate", "exit"), "This wave has no exit gate"),
        (("pack", "W2", "--decision", "77"), "77"),
    ):
        refused = run(*words, "--out", tmp_path / "x.pdf")
        assert refused.exit_code == 1
        assert said in refused.output
    assert list(tmp_path.glob("*.pdf")) == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("gates", "--wave", "NOPE"), 1, "There is no wave NOPE"),
        (("gates", "evaluate", "NOPE"), 1, "There is no wave NOPE"),
        (("grants", "--wave", "NOPE"), 1, "There is no wave NOPE"),
        (("measures", "--site", "99"), 2, "There is no site 99. There are: "),
        (("measures", "--channel", "98"), 2, "There is no channel 98. There are: "),
        (
            ("measures", "--realm", "dream"),
            2,
            "There is no realm 'dream'. There are live, rehearsal, training, legacy.",
        ),
        (("measures", "nix"), 2, "There is no measure 'nix'. `wavegate measures` lists them."),
        (("totals", "--profile", "nix"), 1, "No file was imported yet, so there are no totals. Import one: "),
    ],
)
def test_what_there_is_not_is_named_with_the_way_out_and_a_code(run, words, code, said):
    refused = run(*words)
    assert (refused.exit_code, said in refused.output) == (code, True), refused.output


def test_totals_name_the_profiles_there_are(run, sqlite_database, tmp_path):
    from tests.support.orderfiles import SALE, importer, written

    importer(sqlite_database).run(written(tmp_path, SALE))
    refused = run("totals", "--profile", "nix")
    assert (
        refused.exit_code,
        "No file of profile nix was imported. Name one that was: online-retail." in refused.output,
    ) == (1, True)
    assert run("totals").exit_code == 0
