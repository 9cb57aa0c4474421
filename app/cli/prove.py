"""Do the books, the events and the figures agree? Each total is recomputed from first records."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from app.cli.database import database
from app.cli.output import json_option, print_json
from app.composition.anchors import anchors_known
from app.composition.coverage import read_coverage
from app.composition.uow import reading
from app.config import Settings
from app.queries.controls import compare_controls
from app.queries.trouble_control import compare_ownership
from app.queries.variant_control import compare_variants
from erpcore.kernel.audit import verify_chain
from erpcore.kernel.clock import SystemClock
from readiness.conformance import proof as conformance
from readiness.measures.proof import compare_up_to_cursor, compare_with_rebuild


@click.command()
@click.option(
    "--rebuild", is_flag=True, help="Also build journeys and buckets anew from the events and compare each row."
)
@json_option
def prove(rebuild: bool, as_json: bool) -> None:
    """Recompute stock, reservations, sub-ledgers, exposure, numbers, events and figures; exits with 1 on any difference."""
    with ExitStack() as stack:
        connected = stack.enter_context(database())
        # Before the snapshot is taken: an anchor of a link written meanwhile would look like a tail cut off.
        anchors = anchors_known(Settings.from_environment().instance, connected.url)
        session = stack.enter_context(reading(connected, snapshot=True))
        controls = compare_controls(session) + compare_ownership(session, SystemClock().now())
        controls += compare_variants(session)
        totals = compare_up_to_cursor(session)
        totals += conformance.compare_sums(session)
        rebuilt = compare_with_rebuild(session) if rebuild else None
        judged = conformance.compare_with_rebuild(session, read_coverage(session.connection())) if rebuild else None
        chain = verify_chain(session, anchors)
    rows: list[dict[str, object]] = [
        {
            "control": row.control, "what": row.title, "unit": row.unit, "entity": row.entity, "site": row.site,
            "left": row.left, "right": row.right, "difference": row.difference, "first": row.first_key,
        }
        for row in controls
    ]  # fmt: skip
    rows += [
        {
            "control": "figures", "what": f"Figures know all {total.name}", "unit": "documents", "entity": None, "site": None,
            "left": total.projected, "right": total.counted, "difference": abs(total.difference), "first": None,
        }
        for total in totals
    ]  # fmt: skip
    rows += [
        {
            "control": "rebuild", "what": f"{table.table} = {how}", "unit": "rows", "entity": None,
            "site": None, "left": table.rows, "right": table.rebuilt, "difference": table.differing, "first": table.example,
        }
        for how, found in (("rebuilt from the events", rebuilt), ("judged anew from the events", judged))
        for table in (found.tables if found else ())
    ]  # fmt: skip
    wrong = [row for row in rows if row["difference"]]
    fails = bool(wrong) or chain.broken_at is not None
    if as_json:
        print_json({"agrees": not fails, "totals": rows, "audit": asdict(chain)})
    else:
        _show(rows)
        broken = f"broken at link {chain.broken_at}: {chain.why}" if chain.broken_at is not None else "whole"
        click.echo(f"Audit chain of {chain.links} links: {broken}.")
        click.echo(f"{len(wrong)} of {len(rows)} totals differ." if wrong else f"All {len(rows)} totals agree.")
    if fails:
        raise click.exceptions.Exit(1)


def _show(rows: list[dict[str, object]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("What must agree", "Entity", "Site", "Unit"):
        table.add_column(heading)
    for heading in ("Left", "Right", "Difference"):
        table.add_column(heading, justify="right")
    table.add_column("First key")
    for row in rows:
        cells = [row["what"], row["entity"], row["site"], row["unit"], row["left"], row["right"], row["difference"]]
        table.add_row(*("" if cell is None else str(cell) for cell in cells), str(row["first"] or ""))
    console = Console()
    # Piped or on a narrow screen a row must still be one line.
    Console(width=max(console.width, 150)).print(table)
