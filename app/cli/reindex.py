"""Are items found by what they are called? Keeps the words of all items anew, where `prove` says that some are old or lost."""

from __future__ import annotations

import click

from app.cli.database import database
from app.cli.output import json_option, print_json
from app.composition.uow import unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.masterdata.search import rebuild_words


@click.command()
@json_option
def reindex(as_json: bool) -> None:
    """Keep anew the words by which items are found."""
    with database() as connected, unit_of_work(connected, actor=Actor.system("reindex")) as work:
        items = rebuild_words(work)
    if as_json:
        print_json({"items": items})
        return
    click.echo(f"The words of {items:,} items are kept anew.")
