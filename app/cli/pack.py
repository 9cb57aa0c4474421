"""Makes and checks decision packs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from app.cli.database import OPERATOR, database
from app.cli.output import json_option, print_json
from app.composition.uow import connect, reading
from app.config import Settings
from app.reports.packs import write_pack
from app.reports.verifying import Check, Report
from app.reports.verifying import verify_pack as checked
from readiness.gates.criteria import Phase

_SIGNS = {True: "holds ", False: "FAILS ", None: "  –   "}


@click.command()
@click.argument("wave")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The PDF to write.")
@click.option(
    "--gate", "phase", type=click.Choice([phase.value for phase in Phase]), default="entry", show_default=True
)
@click.option("--decision", type=int, help="Id of an earlier decision, instead of the one that stands.")
@json_option
def pack(wave: str, out: Path, phase: str, decision: int | None, as_json: bool) -> None:
    """Write the decision pack of WAVE (its code) as a PDF, and put its digest into the audit trail."""
    with database() as connected:
        made = write_pack(connected, wave, out, phase=Phase(phase), decision_id=decision, actor=OPERATOR)
    if as_json:
        print_json({**asdict(made), "file": str(out)})
        return
    click.echo(f"Wrote {out}, {made.size:,} bytes.\nDigest    {made.digest}\nEvidence  {made.fingerprint}")


@click.command("verify-pack")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--alone", is_flag=True, help="Check the file by itself, without the database.")
@json_option
def verify_pack(file: Path, alone: bool, as_json: bool) -> None:
    """Recompute the digest and the fingerprint of FILE and look both up; exits with 1 when a check fails."""
    content = file.read_bytes()
    report = checked(content) if alone or not _database_there() else _with_database(content)
    if as_json:
        print_json({**asdict(report), "holds": report.holds})
    else:
        _print(file, report)
    if not report.holds:
        raise click.exceptions.Exit(1)


def _database_there() -> bool:
    """Whether there is a database to ask; looking for one must not make an empty file."""
    url = make_url(Settings.from_environment().database_url)
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


def _with_database(content: bytes) -> Report:
    connected = connect(Settings.from_environment().database_url)
    try:
        with reading(connected, snapshot=True) as session:
            if not inspect(session.connection()).has_table("gate_snapshot"):
                return checked(content)
            return checked(content, session)
    finally:
        connected.dispose()


def _print(file: Path, report: Report) -> None:
    for check in report.checks:
        _line(check)
    if report.holds:
        compared = all(check.holds for check in report.checks)
        click.echo(
            f"{file} is whole{'' if compared else ' in itself'}: wave {report.wave}, evidence {report.fingerprint}."
        )
    else:
        click.echo(f"{file} must not be relied on.", err=True)


def _line(check: Check) -> None:
    click.echo(f"{_SIGNS[check.holds]} {check.name:<10}  {check.said}", err=check.holds is False)
