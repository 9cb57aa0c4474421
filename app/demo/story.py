"""What the demo shows, as a table: each gate's verdict with what holds it back, and the figures of each site."""

from __future__ import annotations

from datetime import datetime

from rich.table import Table
from sqlalchemy.orm import Session

from app.composition.calendars import SiteCalendars
from app.demo.build import Demo
from readiness.gates.queries import gates
from readiness.measures.catalogue import Figure, figures
from readiness.measures.queries import Asked, Scope, read_many
from readiness.measures.reading import shown

_WORDS = {
    "ready": "[green]ready[/green]",
    "conditional": "[yellow]conditional[/yellow]",
    "not_ready": "[red]not ready[/red]",
    "not_ready_no_evidence": "[red]not ready: no evidence[/red]",
}


def figure_table(session: Session, demo: Demo, now: datetime) -> Table:
    """Every figure of the catalogue for each site of each realm, as of ``now``."""
    nodes = [node for key, node in sorted(demo.world.nodes.items())]
    table = Table(title="Figures by site")
    table.add_column("Figure", no_wrap=True)
    for node in nodes:
        table.add_column(f"{node.plan.code}{'' if node.realm == 'live' else ' R'}", justify="right")
    wanted = figures()
    asked = [
        Asked(key=figure.key, scope=Scope(realm=node.realm, sites=frozenset({node.id})))
        for figure in wanted
        for node in nodes
    ]
    found = iter(read_many(session, asked, as_of=now, calendars=SiteCalendars(session)))
    for figure in wanted:
        table.add_row(figure.key, *(_cell(figure, next(found)) for _ in nodes))
    return table


def _cell(figure: Figure, reading: object) -> str:
    value = reading.value  # type: ignore[attr-defined]
    if value is None:
        return "–"
    return f"{shown(value, figure.measure.unit, 1)} ({reading.count})"  # type: ignore[attr-defined]
