"""Which waves are there, and what have they opened?"""

from __future__ import annotations

from dataclasses import asdict

import click

from app.cli.database import database
from app.cli.output import json_option, print_listing
from app.composition.uow import reading
from readiness.waves import queries

_WAVES = (
    ("code", "Wave"), ("name", "Name"), ("state", "State"), ("go_live_on", "Go-live"), ("hypercare_until", "Hypercare until"),
    ("cells_count", "Cells"), ("open", "Open grants"),
)  # fmt: skip
_GRANTS = (
    ("site", "Site"), ("channel", "Channel"), ("process", "Process"), ("customer_group", "Customer group"), ("state", "State"),
    ("source", "Source"), ("opens_at", "Opens at"), ("reason", "Reason"),
)  # fmt: skip


@click.command()
@json_option
def waves(as_json: bool) -> None:
    """List the waves with state, dates and what they have opened."""
    with database() as connected, reading(connected) as session:
        found = queries.waves(session)
    rows = [{**asdict(each), "cells_count": len(each.cells), "open": each.grants.get("open", 0)} for each in found]
    print_listing(rows, _WAVES, as_json=as_json, empty="There are no waves yet.")


@click.command()
@json_option
@click.option("--wave", "code", help="Only what this wave has opened, by its code.")
def grants(as_json: bool, code: str | None) -> None:
    """List the grants under which the core transacts live."""
    with database() as connected, reading(connected) as session:
        wave = queries.wave_by_code(session, code) if code else None
        rows = [asdict(each) for each in queries.grants(session, wave_id=wave.id if wave else None)]
    print_listing(rows, _GRANTS, as_json=as_json, empty="Nothing has been opened yet.")
