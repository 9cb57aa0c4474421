"""Runs what runs by itself: consumers of events and scheduled jobs."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import Any

import click
from sqlalchemy import func, select

from app import create_app, logs
from app.cli.output import json_option, print_json, print_listing
from app.composition.scarcity import FOLLOWERS
from app.composition.subscriptions import CONSUMERS
from app.composition.uow import Database, connect, reading
from app.config import Settings
from app.jobs.consumers import ConsumerRunner, replay_parked
from app.jobs.judging import judge_by_todays_rules
from app.jobs.scheduler import Worker
from app.web.today.digest import waiting_of
from erpcore.kernel.clock import SystemClock
from erpcore.kernel.eventlog import newest_seq
from erpcore.kernel.events import ConsumerCursor, EventLog, ParkedEvent


@click.command()
@click.option("--once", is_flag=True, help="Read all events there are, then end; runs no job.")
def worker(once: bool) -> None:
    """Read events and run jobs until stopped. Several may be started: one leads, the others take over when it ends."""
    settings = Settings.from_environment()
    logs.configure(settings.log_level)
    database = connect(settings.database_url, followers=FOLLOWERS)
    if once:
        judge_by_todays_rules(database)
        for consumer in CONSUMERS:
            taken = ConsumerRunner(database, consumer).run_to_head()
            click.echo(f"{consumer.name}: {taken} events read.")
        return
    waiting = waiting_of(create_app(settings, database=database), settings.address)
    running = Worker(
        database, mail_url=settings.mail_url, waiting=waiting, instance=settings.instance, address=settings.address
    )
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: running.stop())
    click.echo(f"Worker {running.owner} runs; Ctrl+C ends it.")
    running.run()


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def consumers(context: click.Context, as_json: bool) -> None:
    """List the consumers of events: how far they are, how late, and what is parked."""
    if context.invoked_subcommand is None:
        print_listing(
            consumer_states(_database()),
            [
                ("name", "Consumer"),
                ("seq", "Read to"),
                ("newest", "Newest"),
                ("lag_seconds", "Late, s"),
                ("parked", "Parked"),
            ],
            as_json=as_json,
            empty="No consumer is known.",
        )


@consumers.command()
@json_option
def parked(as_json: bool) -> None:
    """List parked events with their errors."""
    with reading(_database()) as session:
        query = select(ParkedEvent, EventLog.type).join(EventLog, EventLog.seq == ParkedEvent.seq)
        rows = [
            {
                "consumer": row.ParkedEvent.consumer, "seq": row.ParkedEvent.seq, "type": row.type,
                "journey": row.ParkedEvent.journey, "waits_behind": row.ParkedEvent.waits_behind,
                "error": row.ParkedEvent.error, "parked_at": row.ParkedEvent.parked_at, "tries": row.ParkedEvent.tries,
            }
            for row in session.execute(query.order_by(ParkedEvent.consumer, ParkedEvent.seq))
        ]  # fmt: skip
    shown = [("consumer", "Consumer"), ("seq", "Event"), ("type", "Type"), ("journey", "Journey"), ("error", "Error")]
    print_listing(rows, shown, as_json=as_json, empty="Nothing is parked.")


@consumers.command(short_help="Try parked events again, in their order.")
@click.option("--journey", type=int, help="Only the events of this journey.")
@json_option
def replay(journey: int | None, as_json: bool) -> None:
    """Try parked events again, in their order; fails while any stays parked."""
    database = _database()
    results = []
    for consumer in CONSUMERS:
        taken, left = replay_parked(database, consumer, journey=journey)
        results.append({"consumer": consumer.name, "taken": taken, "left": left})
    if as_json:
        print_json(results)
    else:
        for one in results:
            click.echo(f"{one['consumer']}: {one['taken']} taken, {one['left']} still parked.")
    if any(one["left"] for one in results):
        raise click.exceptions.Exit(1)


def consumer_states(database: Database) -> list[dict[str, Any]]:
    """Each consumer with its cursor, its lag in seconds and the number of its parked events."""
    now = SystemClock().now()
    out = []
    with reading(database) as session:
        newest = newest_seq(session.connection())
        for consumer in CONSUMERS:
            cursor = session.get(ConsumerCursor, consumer.name)
            seq = cursor.seq if cursor else 0
            waiting = session.execute(
                select(EventLog.recorded_at).where(EventLog.seq > seq).order_by(EventLog.seq).limit(1)
            ).scalar()
            lag = max(timedelta(), now - waiting) if waiting is not None else timedelta()
            held = session.execute(
                select(func.count()).select_from(ParkedEvent).where(ParkedEvent.consumer == consumer.name)
            ).scalar_one()
            out.append(
                {
                    "name": consumer.name, "seq": seq, "newest": newest, "lag_seconds": int(lag.total_seconds()),
                    "parked": held, "paused": bool(cursor and cursor.is_paused),
                }
            )  # fmt: skip
    return out


def _database() -> Database:
    return connect(Settings.from_environment().database_url)
