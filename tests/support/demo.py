"""A demo built once for all tests that only look at it, and the questions they ask it."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from sqlalchemy import text

from app.cli import cli
from app.composition.uow import reading
from app.security.roles import permissions_of
from erpcore.kernel.actor import Actor

UNTIL = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
ORDERS, WEEKS = 1000, 6
SIZE = ("--orders", str(ORDERS), "--weeks", str(WEEKS))
PASSWORD = "harbour-lantern-oak"


@dataclass(frozen=True)
class Built:
    """A demo built by the command, and what the command said."""

    url: str
    said: str
    folder: Path


def build_once(shared: Path) -> Built:
    """The demo in this folder, built by whichever of several test processes comes first; the others wait for it."""
    said = shared / "said.txt"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            shown = CliRunner().invoke(
                cli,
                ["demo", *SIZE, "--until", "2026-11-20T18:00", "--password", PASSWORD, "--no-serve", "--figures"],
                env={"WAVEGATE_INSTANCE": str(shared), "COLUMNS": "120"},
            )
            assert shown.exit_code == 0, shown.output
            said.write_text(shown.output, encoding="utf-8")
    return Built(f"sqlite:///{shared / 'demo' / 'demo.sqlite3'}", said.read_text(encoding="utf-8"), shared / "demo")


def rows(database, query, **values) -> list[Any]:
    with reading(database) as session:
        return list(session.execute(text(query), values).all())


def site(database, code, realm="live") -> int:
    query = "SELECT s.id FROM site s JOIN entity e ON e.id = s.entity_id WHERE s.code = :code AND e.realm = :realm"
    return rows(database, query, code=code, realm=realm)[0][0]


def person(database, sign_in, role) -> Actor:
    (found,) = rows(database, "SELECT id FROM account WHERE sign_in = :name", name=sign_in)
    return Actor(id=found[0], role=role, permissions=permissions_of(role))
