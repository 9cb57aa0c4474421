"""How do order files come in from the command line?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from app.cli.database import OPERATOR, database
from app.cli.output import json_option, print_json, print_listing
from app.composition.uow import Database, reading
from app.identity.queries import account_by_sign_in
from app.importers import profiles, queries
from app.importers.report import Report
from app.importers.runs import Importer
from app.importers.uploads import run_waiting
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SystemClock
from erpcore.kernel.errors import NotFound


@click.group()
def imports() -> None:
    """Bring order files in by a profile."""


@imports.command("orders")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--profile", required=True, help="A profile that comes with the product, or the path of one's own.")
@click.option(
    "--by", metavar="SIGN_IN", help="Who answers for it: stands in the history and beside a grant made for it."
)
@click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing.")
@json_option
def orders(file: Path, profile: str, by: str | None, dry_run: bool, as_json: bool) -> None:
    """Import FILE (CSV, CSV.gz or XLSX). The same file again adds nothing; a corrected one adds what was rejected."""
    with database() as connected:
        importer = Importer(connected, profiles.load(profile), _actor(connected, by))
        if dry_run:
            report = importer.dry_run(file)
        elif as_json:
            report = importer.run(file)
        else:
            report = _with_progress(importer, file)
    if as_json:
        print_json(_as_rows(report))
        return
    _say(report)


def _actor(connected: Database, sign_in: str | None) -> Actor:
    """The operator at the shell, in the name of the person who answers for the import."""
    if sign_in is None:
        return OPERATOR
    with reading(connected) as session:
        account = account_by_sign_in(session, sign_in)
    if account is None:
        raise NotFound("account_unknown")
    return Actor(id=account.id, role=OPERATOR.role, is_system=True)


def _with_progress(importer: Importer, file: Path) -> Report:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"reading {file.name}", total=None)
        importer.on_progress = lambda done, of: bar.update(task, description="posting", completed=done, total=of)
        return importer.run(file)


def _as_rows(report: Report) -> dict[str, Any]:
    return {
        **asdict(report), "outcomes": dict(report.outcomes), "kinds": dict(report.kinds),
        "lines_posted": report.lines_posted, "lines_rejected": report.lines_rejected,
    }  # fmt: skip


def _say(report: Report) -> None:
    would = "would be posted" if report.dry_run else "posted"
    click.echo(
        f"{report.file}: {report.lines:,} lines in {report.documents:,} documents. {report.lines_posted:,} {would}, "
        f"{report.lines_rejected:,} kept as rejected, {report.lines_known:,} in before."
    )
    if report.items_opened:
        click.echo(f"Opening stock for the shortfall of {report.items_opened:,} items.")
    for one in report.rejected:
        click.echo(f"  line {one['line']}, document {one['document']}, position {one['position']}: {one['reason']}")
    if report.lines_rejected > len(report.rejected):
        click.echo(f"  … and {report.lines_rejected - len(report.rejected):,} more: wavegate import rejects")


@imports.command("waiting", short_help="Try or import now the files that were handed in.")
def run_uploads() -> None:
    """Try or import now the files that were handed in by browser or API; a worker does so by itself."""
    with database() as connected:
        done = run_waiting(connected, clock=SystemClock())
    click.echo(f"{done} files were read." if done else "No file waits.")


@imports.command("list")
@json_option
def list_runs(as_json: bool) -> None:
    """List imports with their progress, the latest first."""
    with database() as connected, reading(connected) as session:
        rows = queries.list_runs(session)
    columns = [
        ("id", "Id"), ("profile", "Profile"), ("file", "File"), ("state", "State"), ("lines", "Lines"),
        ("lines_done", "Posted"), ("lines_rejected", "Rejected"), ("lines_known", "In before"), ("started_at", "Started"),
    ]  # fmt: skip
    print_listing(
        rows, columns, as_json=as_json, empty="Nothing was imported yet: wavegate import orders FILE --profile NAME"
    )


@imports.command("rejects", short_help="List rejected lines that no later file corrected.")
@click.option("--profile", help="May be left out when one profile is in use.")
@json_option
def rejects(profile: str | None, as_json: bool) -> None:
    """List rejected lines that no later file has corrected, with the reason and what they say."""
    with database() as connected, reading(connected) as session:
        rows = queries.open_rejects(session, queries.choose_profile(session, profile))
    columns = [("document", "Document"), ("position", "Line"), ("reason", "Why"), ("text", "It says")]
    print_listing(rows, columns, as_json=as_json, empty="No line waits for a correction.")


@imports.command("profiles")
@json_option
def list_profiles(as_json: bool) -> None:
    """List the profiles that come with the product."""
    rows = [{"name": name, "title": profiles.load(name).title} for name in profiles.shipped()]
    print_listing(rows, [("name", "Name"), ("title", "For")], as_json=as_json, empty="")
