"""Writes the books to a file for whoever checks them elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from app.cli.database import database
from app.composition.uow import reading
from app.reports.journal_export import Company, beancount_text, companies, csv_text

Text = Callable[[Session, list[Company]], Iterator[str]]


@click.group()
def export() -> None:
    """Write the books to a file: every entry of every company, in the order of their days."""


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--realm", default="live", show_default=True, type=click.Choice(["live", "rehearsal", "training", "legacy"])),
        click.option("--entity", "code", help="Code of one company, instead of all of the realm."),
        click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write."),
    ):  # fmt: skip
        command = option(command)
    return command


@export.command()
@_options
def beancount(out: Path, code: str | None, realm: str) -> None:
    """As Beancount's plain text; `bean-check FILE` compares every balance."""
    _write(out, beancount_text, code, realm)


@export.command(name="csv")
@_options
def as_csv(out: Path, code: str | None, realm: str) -> None:
    """As a table, a row for each line of an entry."""
    _write(out, csv_text, code, realm)


def _write(out: Path, text: Text, code: str | None, realm: str) -> None:
    """What was there before stays until all is written, so that nobody reads half of the books."""
    with database() as connected, reading(connected, snapshot=True) as session:
        chosen = companies(session, realm, code)
        if not chosen:
            raise click.ClickException(f"There is no company{f' {code}' if code else ''} in the {realm} realm.")
        beside = out.with_name(f"{out.name}.part")
        try:
            with beside.open("w", encoding="utf-8", newline="") as file:
                size = sum(file.write(part) for part in text(session, chosen))
            beside.replace(out)
        finally:
            beside.unlink(missing_ok=True)
    click.echo(f"Wrote {out}, {size:,} characters: the books of {', '.join(company.code for company in chosen)}.")
