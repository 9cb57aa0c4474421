"""Is the audit trail as it was written? Recomputes the chain from the stored acts."""

from __future__ import annotations

from dataclasses import asdict

import click

from app.cli.database import database
from app.cli.output import json_option, print_json
from app.composition.uow import reading
from erpcore.kernel.audit import verify_chain


@click.command("verify-audit")
@json_option
def verify_audit(as_json: bool) -> None:
    """Recompute every link of the audit chain; exits with 1 when one does not fit."""
    with database() as connected, reading(connected, snapshot=True) as session:
        report = verify_chain(session)
    if as_json:
        print_json(asdict(report))
    elif report.broken_at is None:
        click.echo(f"The chain is whole: {report.links} links, last hash {report.head}.")
    else:
        click.echo(f"The chain is broken at link {report.broken_at}: {report.why}.", err=True)
    if report.broken_at is not None:
        raise click.exceptions.Exit(1)
