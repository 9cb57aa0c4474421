"""Which schema does the database have, and how does it get to the one this code needs?"""

from __future__ import annotations

import click

from app.cli.output import json_option, print_json
from app.composition import schema
from app.config import Settings


@click.group()
def db() -> None:
    """Create, upgrade and look at the database of WAVEGATE_DATABASE_URL."""


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the schema up to REVISION (the newest by default); creates what is missing."""
    settings = Settings.from_environment()
    settings.instance.mkdir(parents=True, exist_ok=True)
    before = schema.current(settings.database_url)
    schema.upgrade(settings.database_url, revision)
    after = schema.current(settings.database_url)
    click.echo(f"The schema stands at {after}." if before == after else f"The schema went from {before} to {after}.")


@db.command()
@click.argument("revision")
@click.confirmation_option(prompt="Tables and their rows will be lost. Go back?")
def downgrade(revision: str) -> None:
    """Take the schema back to REVISION (`base`: no tables at all)."""
    url = Settings.from_environment().database_url
    schema.downgrade(url, revision)
    click.echo(f"The schema stands at {schema.current(url)}.")


@db.command()
@json_option
def current(as_json: bool) -> None:
    """Say which revision the database stands at, and which this code needs; fails when they differ."""
    here, needed = schema.current(Settings.from_environment().database_url), schema.head()
    if as_json:
        print_json({"current": here, "head": needed})
    else:
        click.echo(f"current {here}, needed {needed}")
    if here != needed:
        raise click.exceptions.Exit(1)


@db.command()
def draft() -> None:
    """Print the revision that would take the schema to the models (for developers, to be read before it is used)."""
    click.echo(schema.draft(Settings.from_environment().database_url))
