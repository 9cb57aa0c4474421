"""Accounts, tokens and the audit trail from the command line, and the site as it is served."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from click.testing import CliRunner

from app.cli import cli
from app.config import Settings

SECRET = "seven green kettles hum"


@pytest.fixture
def shell(sqlite_database, monkeypatch):
    """``shell("users", "list")`` runs a command on the test's database and returns its result."""
    monkeypatch.setenv("WAVEGATE_DATABASE_URL", sqlite_database.url)

    def run(*words, **options):
        return CliRunner().invoke(cli, words, **options)

    return run


def _add(shell, sign_in="ada@example.com", **more):
    words = ["--name", "Ada", "--role", "administrator", "--password", SECRET]
    return shell(
        "users", "add", sign_in, *words, *(part for name, value in more.items() for part in (f"--{name}", value))
    )


def test_the_first_administrator_is_made_in_the_shell(shell):
    assert "`wavegate users add NAME --role administrator` makes the first" in shell("users", "list").output
    assert _add(shell).exit_code == 0
    (row,) = json.loads(shell("users", "list", "--json").output)
    assert (row["sign_in"], row["roles"], row["closed"]) == ("ada@example.com", ["administrator"], False)
    assert "administrator" in shell("users", "list").output


def test_a_refusal_in_the_shell_is_the_same_sentence_and_changes_nothing(shell):
    _add(shell)
    result = _add(shell)
    assert (result.exit_code, result.stderr) == (1, "Error: The name ada@example.com is in use. Choose another.\n")
    result = _add(shell, "eve@example.com", site="NOWHERE")
    assert result.stderr == "Error: There is no site NOWHERE. Choose one from the list.\n"
    assert len(json.loads(shell("users", "list", "--json").output)) == 1


def test_a_weak_password_is_refused_in_the_shell(shell):
    result = shell("users", "add", "x", "--name", "X", "--role", "pmo", "--password", "short")
    assert result.exit_code == 1
    assert "At least 12 characters" in result.stderr


def test_roles_are_listed_with_what_they_may(shell):
    assert "app:user:manage" in json.loads(shell("users", "roles", "--json").output)["administrator"]


def test_a_token_is_made_listed_and_revoked_in_the_shell(shell):
    _add(shell)
    made = json.loads(
        shell("tokens", "add", "ada@example.com", "--name", "feed", "--role", "administrator", "--json").output
    )
    listed = shell("tokens", "list", "--json").output
    assert made["secret"] not in listed
    assert json.loads(listed)[0]["begins"] == made["secret"][:10]
    assert shell("tokens", "revoke", str(made["id"]), "--reason", "done").exit_code == 0
    assert json.loads(shell("tokens", "list", "--json").output)[0]["revoked_at"]
    assert shell("tokens", "revoke", str(made["id"]), "--reason", "done").exit_code == 1


def test_a_token_in_the_shell_never_exceeds_its_role(shell):
    _add(shell)
    words = ("--name", "x", "--role", "administrator", "--permission", "governance:decision:vote")
    result = shell("tokens", "add", "ada@example.com", *words)
    assert result.exit_code == 1
    assert "does not include governance:decision:vote" in result.stderr


def test_the_key_of_the_installation_is_made_once_and_for_its_owner_alone(tmp_path):
    settings = Settings(instance=tmp_path / "new", database_url="sqlite:///x")
    key = settings.signing_key()
    assert len(key) >= 64
    assert settings.signing_key() == key
    assert (tmp_path / "new" / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["secret_key"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAVEGATE_SECRET_KEY", "short"), ("WAVEGATE_HTTPS", "maybe"), ("WAVEGATE_PROXIES", "-1"),
        ("WAVEGATE_IDLE_MINUTES", "0"), ("WAVEGATE_SESSION_HOURS", "x"), ("WAVEGATE_LOG_LEVEL", "LOUD"),
        ("WAVEGATE_DATABASE_URL", "mysql://x"), ("WAVEGATE_SMTP_URL", "file:relative"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_named_at_start_up(name, value):
    from app.config import SettingError

    with pytest.raises(SettingError, match=name):
        Settings.from_environment({name: value})


def _ask(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return answer.status, answer.read()


def test_the_site_is_served_until_it_is_told_to_stop(sqlite_database, free_port, tmp_path):
    settings = {"WAVEGATE_DATABASE_URL": sqlite_database.url, "WAVEGATE_INSTANCE": str(tmp_path / "instance")}
    command = [
        sys.executable,
        "-c",
        "from app.cli import main; main()",
        "serve",
        "--port",
        str(free_port),
        "--workers",
        "1",
    ]
    served = subprocess.Popen(command, env={**os.environ, **settings}, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                assert _ask(free_port, "/readyz")[0] == 200
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert served.poll() is None, "the server ended by itself"
                time.sleep(0.2)
        else:
            pytest.fail("the server did not come up within a minute")
        status, page = _ask(free_port, "/sign-in")
        assert (status, b"Sign in" in page) == (200, True)
    finally:
        served.send_signal(signal.SIGTERM)
        served.wait(20)
    assert served.returncode == 0


def test_a_database_with_another_schema_is_not_served(tmp_path, monkeypatch):
    monkeypatch.setenv("WAVEGATE_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    result = CliRunner().invoke(cli, ["serve"])
    assert result.exit_code == 1
    assert "Run `wavegate db upgrade`" in result.stderr
