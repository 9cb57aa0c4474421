"""The wavegate command says what is wrong in a sentence and loads no more than it needs."""

import subprocess
import sys

import click
import pytest

from app import cli


def said_by(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        cli.main(list(args))
    return ended.value.code, capsys.readouterr().err


def test_help_imports_neither_flask_nor_sqlalchemy():
    code = (
        "import sys; from app.cli import cli; cli.main(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = shown.splitlines()[-1]
    assert "'click'" in loaded
    assert "'flask'" not in loaded
    assert "'sqlalchemy'" not in loaded


def test_a_setting_that_cannot_be_used_is_a_sentence(capsys, monkeypatch):
    monkeypatch.setenv("WAVEGATE_DATABASE_URL", "mysql://somewhere/else")
    code, words = said_by(capsys, "db", "current")
    assert code == 2
    assert words == (
        "wavegate: WAVEGATE_DATABASE_URL begins with 'mysql:'. Wavegate runs on sqlite:///FILE and "
        "postgresql+psycopg://USER@HOST/DATABASE.\n"
    )


def test_a_database_that_is_away_is_a_sentence(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("WAVEGATE_DATABASE_URL", f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.sqlite3'}")
    code, words = said_by(capsys, "db", "current")
    assert code == 1
    assert words == (
        "wavegate: The database cannot be used: unable to open database file. "
        "WAVEGATE_DATABASE_URL says which one it is.\n"
    )


def test_a_programming_error_keeps_its_trace(monkeypatch):
    @click.command()
    def broken():
        raise ZeroDivisionError

    monkeypatch.setattr(cli.cli, "get_command", lambda *_: broken)
    with pytest.raises(ZeroDivisionError):
        cli.main(["broken"])


def test_an_unknown_command_is_refused_with_the_way_out(capsys):
    code, words = said_by(capsys, "frobnicate")
    assert code == 2
    assert "No such command 'frobnicate'" in words
