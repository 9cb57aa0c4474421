"""On which database does a command work, and as whom? One door for all commands that change something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from app.composition.uow import Database, connect, unit_of_work
from app.config import Settings
from app.messages import sentence
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError
from erpcore.kernel.work import UnitOfWork

#: Whoever has the shell of the server has the database: commands act as the system, and say so in every record.
OPERATOR = Actor.system("command-line")


@contextmanager
def database() -> Iterator[Database]:
    """The database of WAVEGATE_DATABASE_URL. A refusal inside is printed as its sentence, with exit code 1."""
    connected = connect(Settings.from_environment().database_url)
    try:
        yield connected
    except DomainError as refusal:
        raise click.ClickException(sentence(refusal)) from refusal
    finally:
        connected.dispose()


@contextmanager
def change(connected: Database) -> Iterator[UnitOfWork]:
    """One unit of work of a command."""
    with unit_of_work(connected, actor=OPERATOR, source="system") as work:
        yield work
