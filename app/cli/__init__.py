"""What can a program do with Wavegate? The ``wavegate`` command: one module per subject, loaded only when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from app.config import SettingError

#: Name on the command line → where it is declared, and its line in ``wavegate --help`` (so that help loads no module).
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("app.cli.demo:demo", "Build a demo programme with ten weeks of trading, and serve it."),
    "import": ("app.cli.importing:imports", "Bring order files in by a profile."),
    "totals": ("app.cli.totals:totals", "What a profile's files have become in the core."),
    "serve": ("app.cli.serve:serve", "Serve the site."),
    "tokens": ("app.cli.tokens:tokens", "Secrets with which programs use the API."),
    "users": ("app.cli.users:users", "Accounts, their roles and passwords."),
    "verify-audit": ("app.cli.verify_audit:verify_audit", "Recompute the audit chain; exits with 1 when it is broken."),
    "gates": ("app.cli.gates:gates", "Say what the gates say, and why; evaluate them."),
    "waves": ("app.cli.waves:waves", "List the waves."),
    "grants": ("app.cli.waves:grants", "List what is open, by whom and why."),
    "decisions": ("app.cli.decisions:decisions", "List what was decided and what is being decided."),
    "db": ("app.cli.db:db", "Create, upgrade and look at the database."),
    "consumers": ("app.cli.worker:consumers", "List the consumers of events; try parked events again."),
    "measures": ("app.cli.measures:measures", "Read the figures of the catalogue."),
    "prove": ("app.cli.prove:prove", "Recompute the books, events and figures; exits with 1 on any difference."),
    "pack": ("app.cli.pack:pack", "Write the decision pack of a wave as a PDF."),
    "verify-pack": (
        "app.cli.pack:verify_pack",
        "Check that a decision pack is as it was made; exits with 1 when it is not.",
    ),
    "rebuild": ("app.cli.rebuild:rebuild", "Build journeys, conformance and figures anew from the events."),
    "export": ("app.cli.export:export", "Write the books to a file, as Beancount's plain text or as CSV."),
    "reindex": ("app.cli.reindex:reindex", "Keep anew the words by which items are found."),
    "worker": ("app.cli.worker:worker", "Read events and run jobs."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called: `--help` stays instant however much they need."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="wavegate", prog_name="wavegate")
def cli() -> None:
    """Wavegate governs the rollout of an ERP: from real orders to a signed go or no-go.

    WAVEGATE_DATABASE_URL chooses the database; without it, a file under the instance folder is used.
    """


def main(args: Sequence[str] | None = None, **extra: Any) -> None:
    """Entry point of the console script. What stands in the way and can be mended is a sentence, not a trace."""
    try:
        cli.main(args=args, prog_name="wavegate", **extra)
    except SettingError as refusal:
        click.echo(f"wavegate: {refusal}", err=True)
        sys.exit(2)
    except Exception as error:
        words = _explain(error)
        if words is None:
            raise
        click.echo(f"wavegate: {words}", err=True)
        sys.exit(1)


def _explain(error: Exception) -> str | None:
    """What to say of an error that is not the program's: a database that is away, busy, or of another release."""
    from sqlalchemy.exc import OperationalError, ProgrammingError  # noqa: PLC0415 - only needed when something failed

    if not isinstance(error, OperationalError | ProgrammingError):
        return None
    lines = str(error.orig).strip().splitlines()
    said = lines[0] if lines else type(error).__name__
    if "no such table" in said or "does not exist" in said or "no such column" in said:
        return f"The database has another schema than this code needs ({said}). Run `wavegate db upgrade`."
    if isinstance(error, OperationalError):
        return f"The database cannot be used: {said}. WAVEGATE_DATABASE_URL says which one it is."
    return None
