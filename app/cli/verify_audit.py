"""Is the audit trail as it was written? Recomputes the chain from the stored acts."""

from __future__ import annotations

from dataclasses import asdict

import click

from app.cli.database import database
from app.cli.output import json_option, print_json
from app.composition.anchors import check_chain
from app.config import Settings
from erpcore.kernel.audit import Anchor

#: Of a SHA-256 in hexadecimal.
_DIGITS = 64


@click.command("verify-audit")
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    metavar="LINK:HASH",
    help="A link that somebody has kept, as daily mails name it.",
)
@json_option
def verify_audit(as_json: bool, anchors: tuple[str, ...]) -> None:
    """Recompute every link of the audit chain; exits with 1 when one does not fit, or is not what was kept beside the database."""
    given = [_anchor(text) for text in anchors]
    with database() as connected:
        report = check_chain(connected, Settings.from_environment().instance, given)
    if as_json:
        print_json(asdict(report))
    elif report.broken_at is None:
        click.echo(f"The chain is whole: {report.links} links, last hash {report.head}.")
    else:
        click.echo(f"The chain is broken at link {report.broken_at}: {report.why}.", err=True)
    if report.broken_at is not None:
        raise click.exceptions.Exit(1)


def _anchor(text: str) -> Anchor:
    link, _, digest = text.partition(":")
    if not link.strip().isdecimal() or len(digest.strip()) != _DIGITS:
        raise click.BadParameter("Say the number of the link and its hash, as in 412:0f3a…", param_hint="--anchor")
    return Anchor(int(link), digest.strip())
