"""Do journeys, conformance and figures differ from the events? Builds them anew from the log, where `prove --rebuild` says that they do."""

from __future__ import annotations

import click

from app.cli.database import database
from app.cli.output import json_option, print_json
from app.composition.coverage import read_coverage
from app.composition.uow import unit_of_work
from erpcore.kernel.actor import Actor
from readiness.conformance import proof as conformance
from readiness.measures.proof import rebuild as rebuild_figures


@click.command()
@json_option
def rebuild(as_json: bool) -> None:
    """Build journeys, conformance and figures anew from the events and put them in place of the old ones, in one transaction."""
    with database() as connected, unit_of_work(connected, actor=Actor.system("rebuild")) as work:
        # In the order in which the consumers lock: conformance makes its slices under the cursor of the figures.
        judged_to = conformance.rebuild(work, read_coverage(work.connection))
        read_to = rebuild_figures(work)
        work.audit("figures_rebuilt", "event_log", read_to, read_to=read_to, judged_to=judged_to)
    if as_json:
        print_json({"read_to": read_to, "judged_to": judged_to})
        return
    click.echo(f"Conformance is judged anew from {judged_to:,} events.")
    click.echo(
        f"Journeys and figures are built anew from {read_to:,} events. States that were sampled stay as they were."
    )
