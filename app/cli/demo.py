"""Builds the demo programme on a fresh database, says what it shows, and serves it on this machine."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from urllib.parse import quote

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.engine import make_url

from app import create_app
from app.composition import schema
from app.composition.anchors import anchor_file
from app.composition.scarcity import FOLLOWERS
from app.composition.uow import Database, connect, reading
from app.config import Settings
from app.demo.build import Demo, build_demo, until_of
from app.demo.committee import StoryEnds
from app.demo.plan import ORDERS, SEED, WEEKS, DemoOptions
from app.demo.story import figure_table, tell
from app.jobs.digests import send_digests
from app.jobs.mailfolder import empty
from app.messages import sentence
from app.reports.packs import write_pack
from app.web.today.digest import waiting_of
from erpcore.kernel.clock import SetClock, SystemClock, zone
from erpcore.kernel.errors import RuleBroken

_HOST = "127.0.0.1"
#: The wave whose vote is open; its pack is written.
_VOTED = "W2"


@click.command()
@click.option("--database", "url", help="An empty database instead of a fresh SQLite file in the instance folder.")
@click.option(
    "--orders", default=ORDERS, show_default=True, type=click.IntRange(500, 50_000), help="About so many orders."
)
@click.option("--weeks", default=WEEKS, show_default=True, type=click.IntRange(6, 26), help="So many weeks of trading.")
@click.option("--seed", default=SEED, show_default=True, help="Another number gives another demo.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="Moment at which the demo ends, in UTC; now, if left out.",
)
@click.option("--password", help="Everybody's password; made and printed if left out.")
@click.option("--serve/--no-serve", default=True, show_default=True, help="Serve the site until Ctrl+C.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65_535), help="Another one is taken if in use."
)
@click.option("--figures", is_flag=True, help="Also print the figures of each site.")
def demo(
    url: str | None, orders: int, weeks: int, seed: int, until: datetime | None, password: str | None, serve: bool, port: int,
    figures: bool,
) -> None:  # fmt: skip
    """Build a distributor's programme with three waves and ten weeks of trading, and show it.

    The figures depend on --orders, --weeks, --seed and the day alone.
    """
    folder = Settings.from_environment().instance / "demo"
    url = _fresh(url, folder)
    end = until_of(SystemClock().now()) if until is None else until.replace(tzinfo=UTC)
    options = DemoOptions(until=end, orders=orders, weeks=weeks, seed=seed)
    password = password or _password()
    letters = folder / "letters"
    reminders = folder / "reminders"
    empty(letters)
    empty(reminders)
    mail_url = f"file://{quote(str(letters))}?from=auftrag@westerkamp.example"
    console = Console()
    schema.upgrade(url)
    database = connect(url, followers=FOLLOWERS)
    try:
        built = _build(database, options, password, mail_url, _to_staff(reminders))
        console.print(
            f"{built.orders:,} orders with {built.lines:,} lines in {weeks} weeks, up to {end:%Y-%m-%d %H:%M} UTC."
        )
        port = _free(port) if serve else port
        with reading(database, snapshot=True) as session:
            if figures:
                Console(width=240).print(figure_table(session, built, end))
            tell(console, session, built, end, address=f"http://{_HOST}:{port}", password=password)
        _write_pack(console, database, folder)
        _write_digests(database, Settings.from_environment(), built_at=end, port=port, folder=folder / "digests")
    except StoryEnds as end_of_story:
        raise click.ClickException(str(end_of_story)) from end_of_story
    finally:
        database.dispose()
    console.print(f"Letters to customers, as files that reach nobody: {letters}", soft_wrap=True, highlight=False)
    console.print(f"Daily mails of what waits: {folder / 'digests'}", soft_wrap=True, highlight=False)
    console.print(f"Reminders of approvals: {reminders}", soft_wrap=True, highlight=False)
    console.print(f"Database: {make_url(url).render_as_string()}", soft_wrap=True, highlight=False)
    if serve:
        _serve(console, url, port, mail_url)


def _fresh(url: str | None, folder: Path) -> str:
    """The database to build in: a file of its own that replaces the last demo's, or one that is named and still empty."""
    if url is not None:
        if schema.current(url) is not None:
            raise click.ClickException("That database is in use already; the demo needs an empty one of its own.")
        return url
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "demo.sqlite3"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    url = f"sqlite:///{path}"
    # What was kept of the last demo's trail says nothing of this one's.
    anchor_file(folder.parent, url).unlink(missing_ok=True)
    return url


def _password() -> str:
    """Easy to type, hard to guess: three groups of letters."""
    letters = "abcdefghkmnprstuvwxyz"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(3))


def _build(database: Database, options: DemoOptions, password: str, mail_url: str, staff_mail_url: str) -> Demo:
    columns = (
        TextColumn("{task.description:<42}"), BarColumn(), MofNCompleteColumn(), TextColumn("days"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("Building", total=options.days)

        def progress(day: int, text: str) -> None:
            bar.update(task, completed=day, description=text)

        return build_demo(
            database, options, password=password, progress=progress, mail_url=mail_url, staff_mail_url=staff_mail_url
        )


def _write_pack(console: Console, database: Database, folder: Path) -> None:
    out = folder / f"decision-pack-{_VOTED}.pdf"
    try:
        made = write_pack(database, _VOTED, out)
    except RuleBroken as refusal:
        console.print(f"No decision pack: {sentence(refusal)}", soft_wrap=True, highlight=False)
        return
    console.print(f"Decision pack of {_VOTED}: {out} (digest {made.digest[:16]}…)", soft_wrap=True, highlight=False)


def _to_staff(folder: Path) -> str:
    """What takes mails to people of the company."""
    return f"file://{quote(str(folder))}?from=wavegate@westerkamp.example"


def _write_digests(database: Database, settings: Settings, *, built_at: datetime, port: int, folder: Path) -> None:
    """What waits for each person on the last morning, as the worker mails it each day; into a folder of their own."""
    empty(folder)
    morning = datetime.combine(built_at.date(), time(8), zone("Europe/Berlin"))
    clock = SetClock(morning)
    site = create_app(replace(settings, database_url=database.url), database=database, clock=clock)
    waiting = waiting_of(site, f"http://{_HOST}:{port}")
    while send_digests(database, clock=clock, mail_url=_to_staff(folder), waiting=waiting):
        continue


def _free(port: int) -> int:
    """The port, or one the system gives where somebody has it."""
    for wanted in (port, 0):
        with closing(socket.socket()) as probe:
            try:
                probe.bind((_HOST, wanted))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise click.ClickException("No port is free on this machine.")


def _serve(console: Console, url: str, port: int, mail_url: str) -> None:
    """The site and its worker, each in a process of its own, until Ctrl+C. No letter of a demo leaves the machine."""
    # Whoever looks at a demo wants to read the table, not a line for each request.
    environment = {
        "WAVEGATE_LOG_LEVEL": "WARNING", **os.environ, "WAVEGATE_DATABASE_URL": url, "WAVEGATE_SMTP_URL": mail_url,
    }  # fmt: skip
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main = "import sys; from app.cli import main; main(sys.argv[1:])"
    worker = subprocess.Popen([sys.executable, "-c", main, "worker"], env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    site = subprocess.Popen([sys.executable, "-c", main, "serve", "--port", str(port)], env=environment)  # noqa: S603 - our own program
    console.print(f"Serving http://{_HOST}:{port} · Ctrl+C ends it.", highlight=False)
    try:
        site.wait()
    except KeyboardInterrupt:
        console.print("Stopping.")
    finally:
        for process in (site, worker):
            process.terminate()
        for process in (site, worker):
            process.wait()
