"""What do the gates say, and why? For people as a table, for programs as JSON; `evaluate` asks them now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from sqlalchemy.orm import Session

from app.cli.database import OPERATOR, database
from app.cli.output import json_option, print_json, print_listing
from app.composition.evidence import MeasuredReadings, evaluate_and_store
from app.composition.uow import reading
from erpcore.kernel.clock import SystemClock
from readiness.gates.flow import GateState
from readiness.gates.queries import GateRow, SnapshotView, latest_snapshots
from readiness.gates.queries import gates as list_gates
from readiness.gates.rules import GateWord
from readiness.gates.wording import GATE_WORDS
from readiness.waves.queries import wave_by_code

_UNJUDGED = {
    GateState.DRAFT: "The criteria are not frozen yet",
    GateState.FROZEN: "Not evaluated yet",
    GateState.CLOSED: "Closed without an evaluation",
}
_COLUMNS = (
    ("wave", "Wave"), ("gate", "Gate"), ("verdict", "Verdict"), ("score", "Score"), ("decides_on", "Decides on"), ("why", "Why"),
)  # fmt: skip


@click.group(invoke_without_command=True)
@json_option
@click.option("--wave", "code", help="Only this wave, by its code.")
@click.pass_context
def gates(context: click.Context, as_json: bool, code: str | None) -> None:
    """List the gates with verdict, score, criteria and reasons, as last evaluated."""
    if context.invoked_subcommand is not None:
        return
    with database() as connected, reading(connected) as session:
        rows = _gates_of(session, code)
        known = latest_snapshots(session, [row.id for row in rows])
    listed = [_listed(row, known.get(row.id)) for row in rows]
    if as_json:
        print_json(listed)
        return
    shown = [{**each, "why": (each["reasons"] or [""])[0]} for each in listed]
    print_listing(shown, _COLUMNS, as_json=False, empty="There are no gates yet.")


@gates.command(short_help="Evaluate the open gates now, and keep what they say.")
@click.argument("code", metavar="[WAVE]", required=False)
def evaluate(code: str | None) -> None:
    """Evaluate the open gates, or those of WAVE, now, and keep what they say."""
    with database() as connected:
        with reading(connected) as session:
            rows = [row for row in _gates_of(session, code) if row.state is GateState.FROZEN]
        for row in rows:
            kept = evaluate_and_store(
                connected, row.id, readings=MeasuredReadings(), actor=OPERATOR, clock=SystemClock()
            )
            click.echo(f"{row.wave_code} {row.phase}: {GATE_WORDS[kept.word]}, evaluation {kept.number}, {kept.sha256}")
    if not rows:
        click.echo("There is no open gate to evaluate.")


def _gates_of(session: Session, code: str | None) -> list[GateRow]:
    """All gates, or those of a wave; raises ``NotFound`` naming a wave there is not."""
    if code is not None:
        wave_by_code(session, code)
    return [row for row in list_gates(session) if code in {None, row.wave_code}]


def _listed(row: GateRow, kept: SnapshotView | None) -> dict[str, Any]:
    content: Mapping[str, Any] = kept.content if kept else {}
    return {
        "wave": row.wave_code,
        "wave_name": row.wave_name,
        "gate": row.phase.value,
        "state": row.state.value,
        "verdict": GATE_WORDS[row.word or GateWord.NOT_READY_NO_EVIDENCE],
        "score": None if row.score is None else float(row.score),
        "reasons": [reason["sentence"] for reason in content["reasons"]] if kept else [_UNJUDGED[row.state]],
        "criteria": [_criterion(line) for line in content.get("criteria", ())],
        "waivers": [
            {key: waiver[key] for key in ("id", "criterion", "until", "is_used", "is_in_force")}
            for waiver in content.get("waivers", ())
        ],
        "decides_on": row.decides_on,
        "evaluated_at": row.evaluated_at,
        "evaluation": kept.number if kept else None,
        "read_to": kept.read_to if kept else None,
        "sha256": row.sha256,
    }


def _criterion(line: Mapping[str, Any]) -> dict[str, Any]:
    figure: Mapping[str, Any] = min(
        line["readings"], key=lambda each: each["scope"] != line["verdict_facts"].get("cell"), default={}
    )
    name = line["measure"] and (f"{line['measure']}.{line['statistic']}" if line["statistic"] else line["measure"])
    return {
        "code": line["code"],
        "title": line["title"],
        "measure": name,
        "evidence": line["evidence"],
        "verdict": line["word"].replace("_", " "),
        "is_waived": line["waiver"] is not None,
        "why": line["sentence"],
        "value": figure.get("value"),
        "interval": figure.get("interval"),
        "count": figure.get("count"),
        "pass_mark": line["pass_mark"],
        "warn_mark": line["warn_mark"],
        "weight": line["weight"],
        "is_key": line["key"],
        "is_statutory": line["statutory"],
        "held": line["held"],
        "needed": line["needed"],
        "owner": line["owner"],
        "layer": line["layer"],
    }
