"""What has become of a profile's files? Its totals, out of the documents in the core."""

from __future__ import annotations

import click

from app.cli.database import database
from app.cli.output import json_option, print_json, print_listing
from app.composition.uow import reading
from app.importers.queries import choose_profile, ledger_totals
from app.importers.totals import totals as totals_of


@click.command()
@click.option("--profile", help="May be left out when one profile is in use.")
@click.option(
    "--ledger", is_flag=True, help="What the books hold by posting rule, with the rounding of lines to cents."
)
@json_option
def totals(profile: str | None, ledger: bool, as_json: bool) -> None:
    """Print the totals of what is in the core, in the keys that the profile's data is published with."""
    with database() as connected, reading(connected, snapshot=True) as session:
        used = choose_profile(session, profile)
        if ledger:
            rows = ledger_totals(session, used)
            columns = [
                ("rule", "Posting rule"),
                ("entries", "Entries"),
                ("posted", "Posted"),
                ("rounding", "Exact less posted"),
            ]
            print_listing(rows, columns, as_json=as_json, empty="Nothing is posted yet.")
            return
        found = totals_of(session, used)
    if as_json:
        print_json(found)
        return
    flat = [{"key": key, "value": value} for key, value in found.items() if not isinstance(value, dict)]
    print_listing(flat, [("key", "What"), ("value", "Total")], as_json=False, empty="")
