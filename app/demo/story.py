"""What the demo shows, as tables: each gate's verdict with what holds it back, who may sign in, the figures of each site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from app.composition.calendars import SiteCalendars
from app.demo.build import Demo
from app.demo.people import one_per_role
from app.security.roles import title_of
from erpcore.kernel.clock import zone
from governance.decisions.queries import decision_view
from readiness.gates.criteria import Phase
from readiness.gates.queries import GateRow, gates, latest_snapshots
from readiness.gates.rules import GateWord
from readiness.gates.wording import GATE_WORDS
from readiness.measures.catalogue import Figure, figures
from readiness.measures.queries import Asked, Scope, read_many
from readiness.measures.reading import Reading, Unit, shown

_COLOURS = {GateWord.READY: "green", GateWord.CONDITIONAL: "yellow"}
_PHASES = {Phase.ENTRY: "entry", Phase.STAY_LIVE: "stay live", Phase.EXIT: "exit"}
_NAMED = 2
_ZONE = "Europe/Berlin"


def tell(console: Console, session: Session, demo: Demo, now: datetime, *, address: str, password: str) -> None:
    """Print the verdicts with where to look, the votes, and how to sign in."""
    console.print(verdict_table(session))
    for line in _votes(session, demo, now):
        console.print(line, highlight=False, soft_wrap=True)
    console.print()
    console.print(sign_in_table())
    console.print(
        f"Everybody's password: [bold]{password}[/bold] · where to look: {address}", highlight=False, soft_wrap=True
    )


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)


def verdict_table(session: Session) -> Table:
    """Wave, gate, verdict, score, what holds it back most, and the page that says why."""
    rows = gates(session)
    known = latest_snapshots(session, [row.id for row in rows])
    table = _table("What the gates say")
    for heading in ("Wave", "Gate", "Verdict", "Score", "What holds it back", "Where to look"):
        table.add_column(heading, justify="right" if heading == "Score" else "left", overflow="fold")
    for row in rows:
        if row.word is None:
            continue
        colour = _COLOURS.get(row.word, "red")
        score = "" if row.score is None else f"{shown(row.score, Unit.PERCENT, 1)} %"
        table.add_row(
            row.wave_code, _gate(row), f"[{colour}]{GATE_WORDS[row.word]}[/{colour}]", score, _held_back(known[row.id].content),
            f"/gates/{row.id}",
        )  # fmt: skip
    return table


def _gate(row: GateRow) -> str:
    return _PHASES[row.phase] + (", closed" if row.state == "closed" else "")


def _held_back(content: Mapping[str, Any]) -> str:
    """The criteria that cost most, by their names."""
    titles = {line["code"]: line["title"] for line in content["criteria"]}
    found = [titles[each["criterion"]] for each in content["holds_back"]]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    waived = sum(1 for waiver in content["waivers"] if waiver["is_used"])
    note = f" ({waived} waived)" if waived else ""
    return "; ".join(found[:_NAMED]) + more + note if found else "nothing"


def _votes(session: Session, demo: Demo, now: datetime) -> list[str]:
    """A line for each decision: how it went, or who is still waited for."""
    out = []
    for code, decision in demo.committee.decisions.items():
        view = decision_view(session, decision, now=now)
        row = view.row
        if row.closed_at is not None:
            day = row.closed_at.astimezone(zone(_ZONE)).date()
            said = f"{str(row.outcome or row.state).replace('_', ' ')} on {day}"
        else:
            until = row.closes_at.astimezone(zone(_ZONE))
            missing = [seat.function for seat in view.seats if seat.vote is None]
            said = f"vote open until {until:%Y-%m-%d %H:%M}; waited for: {', '.join(missing)}"
        out.append(f"{code}: {said} · /decisions/{decision}")
    return out


def sign_in_table() -> Table:
    """One sign-in for each role."""
    table = _table("Sign in as")
    for heading in ("Role", "Sign-in", "Name", "Site"):
        table.add_column(heading)
    for person in one_per_role():
        table.add_row(title_of(person.role), person.sign_in, person.name, person.site or "all")
    return table


def figure_table(session: Session, demo: Demo, now: datetime) -> Table:
    """Every figure of the catalogue for each site of each realm, as of ``now``; in brackets the documents behind it."""
    nodes = [node for _, node in sorted(demo.world.nodes.items())]
    table = _table("Figures by site (R: rehearsal)")
    table.add_column("Figure", no_wrap=True)
    for node in nodes:
        table.add_column(f"{node.plan.code}{'' if node.realm == 'live' else ' R'}", justify="right", no_wrap=True)
    asked = [
        Asked(key=figure.key, scope=Scope(realm=node.realm, sites=frozenset({node.id})))
        for figure in figures()
        for node in nodes
    ]
    found = iter(read_many(session, asked, as_of=now, calendars=SiteCalendars(session)))
    for figure in figures():
        table.add_row(figure.key, *(_cell(figure, next(found)) for _ in nodes))
    return table


def _cell(figure: Figure, reading: Reading) -> str:
    if reading.value is None:
        return "–"
    return f"{shown(reading.value, figure.measure.unit, 1)} ({reading.count})"
