"""What was decided, and what is being decided?"""

from __future__ import annotations

from dataclasses import asdict

import click

from app.cli.database import database
from app.cli.output import json_option, print_listing
from app.composition.uow import reading
from governance.decisions.queries import decision_log
from readiness.waves.queries import waves

_COLUMNS = (
    ("id", "Decision"), ("wave", "Wave"), ("kind", "Kind"), ("title", "Title"), ("state", "State"), ("outcome", "Outcome"),
    ("body_name", "Body"), ("closes_at", "Closes"),
)  # fmt: skip


@click.command()
@json_option
@click.option("--search", "text", help="Words in titles, questions, reasons of votes and conditions.")
@click.option("--wave", "code", help="Only decisions about this wave, by its code.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
def decisions(as_json: bool, text: str | None, code: str | None, limit: int) -> None:
    """List the decisions, newest first."""
    with database() as connected, reading(connected) as session:
        codes = {wave.id: wave.code for wave in waves(session)}
        wanted = next((wave for wave, known in codes.items() if known == code), -1) if code else None
        found = decision_log(session, text=text, wave_id=wanted, limit=limit)
    rows = [{**asdict(each), "wave": codes.get(each.wave_id)} for each in found]
    print_listing(rows, _COLUMNS, as_json=as_json, empty="Nothing has been decided yet.")
