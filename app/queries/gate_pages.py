"""What do the pages of a gate show beyond its stored evaluation? Its decision, names, and the documents behind a criterion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.calendars import SiteCalendars
from app.composition.evidence import asked_for
from app.queries.steer import GateDecision, NameTables, decisions_of_gate, name_tables
from erpcore.kernel.actor import Actor
from erpcore.kernel.canonical import plain
from erpcore.kernel.errors import NotFound
from governance.decisions.queries import DecisionView, decision_view
from readiness.conformance.drilldown import journeys_behind
from readiness.gates.criteria import Evidence
from readiness.gates.models import AttestationRecord, GateCriterion, GateSnapshot
from readiness.gates.queries import GateView, SnapshotView, WaiverView, gate_view, snapshots, view_of
from readiness.gates.services import own_cells, standing_criteria
from readiness.gates.specs import requests_of
from readiness.measures.behind import Behind
from readiness.measures.queries import Asked


@dataclass(frozen=True, kw_only=True)
class GatePage:
    """A gate's page: what it says, the decision on it, and names. ``is_latest``: no evaluation is newer than the one shown."""

    view: GateView
    is_latest: bool
    latest_number: int
    decision: DecisionView | None
    bound: tuple[GateDecision, ...]
    names: NameTables

    @property
    def content(self) -> Mapping[str, Any]:
        """The stored evaluation; empty before the first."""
        return self.view.snapshot.content if self.view.snapshot else {}


def gate_page(
    session: Session, gate_id: int, now: datetime, *, number: int | None = None, with_decision: bool = True
) -> GatePage:
    """The gate with its latest evaluation, or the one of this number. About twenty queries. Raises ``NotFound``."""
    snapshot_id = None
    if number is not None:
        known = {row[1]: row[0] for row in snapshots(session, gate_id, limit=10_000)}
        if number not in known:
            raise NotFound("snapshot_not_found", snapshot=number)
        snapshot_id = known[number]
    view = gate_view(session, gate_id, now=now, snapshot_id=snapshot_id)
    bound = decisions_of_gate(session, gate_id) if with_decision else []
    shown = next((one for one in bound if one.state in {"open", "decided"}), bound[0] if bound else None)
    decision = decision_view(session, shown.decision_id, now=now) if shown else None
    return GatePage(
        view=view,
        is_latest=view.snapshot is None or view.snapshot.id == view.gate.snapshot_id,
        latest_number=number_of(view),
        decision=decision,
        bound=tuple(bound),
        names=name_tables(session, _people(view, decision)),
    )


def number_of(view: GateView) -> int:
    """The number of the evaluation shown; 0 before the first."""
    return view.snapshot.number if view.snapshot else 0


def _people(view: GateView, decision: DecisionView | None) -> list[int | None]:
    content = view.snapshot.content if view.snapshot else {}
    found: list[int | None] = [content["gate"]["frozen_by"] if content else None]
    for line in content.get("criteria", view.draft_criteria):
        found.append(line["owner_id"])
        if line.get("attestation"):
            found.append(line["attestation"]["by"])
    found += [change["by"] for change in content.get("changed_after_freeze", ())]
    for waiver in view.waivers:
        found += [waiver.owner, waiver.requested_by, waiver.granted_by]
    if decision is not None:
        for seat in decision.seats:
            found += [seat.person, seat.delegate, seat.vote.cast_by if seat.vote else None]
        found += [one.owner for one in decision.conditions]
    return found


def rest_of(view: GateView) -> dict[str, Any]:
    """Trends and forecasts in the form in which papers and pages word them."""
    rest: dict[str, Any] = plain(
        {
            "trends": {code: [asdict(point) for point in points] for code, points in view.trends.items()},
            "forecasts": [asdict(one) for one in view.forecasts],
        }
    )
    return rest


@dataclass(frozen=True, kw_only=True)
class CriterionPage:
    """One criterion of a gate: what it asks, and the documents behind each of its scopes."""

    gate: GatePage
    row: GateCriterion
    waivers: tuple[WaiverView, ...]
    statements: tuple[AttestationRecord, ...]
    asked: dict[str, Asked]
    scope: str
    journeys: tuple[Behind, ...]
    is_narrowed: bool


def criterion_page(
    session: Session, gate_id: int, code: str, now: datetime, actor: Actor, *, scope: str | None = None,
    number: int | None = None, limit: int = 50,
) -> CriterionPage:  # fmt: skip
    """A criterion that the gate has now. Raises ``NotFound``. The journeys are those of the sites that the person sees."""
    page = gate_page(session, gate_id, now, number=number, with_decision=False)
    row = next((one for one in standing_criteria(session, gate_id) if one.code == code), None)
    if row is None:
        raise NotFound("criterion_not_found", gate=gate_id, criterion=code)
    requests = requests_of(row, own_cells(session, page.view.gate.wave_id))
    asked = {request.scope: one for request, one in asked_for(session, requests).items()} if requests else {}
    chosen = scope if scope in asked else _worst_scope(page.content, code, asked)
    found, narrowed = _behind(session, asked.get(chosen), now, actor, limit)
    statements = session.scalars(
        select(AttestationRecord)
        .where(AttestationRecord.gate_id == gate_id, AttestationRecord.criterion == code)
        .order_by(AttestationRecord.ordinal.desc())
    ).all() if row.evidence == Evidence.ATTESTATION else []  # fmt: skip
    return CriterionPage(
        gate=page, row=row, waivers=tuple(one for one in page.view.waivers if one.criterion == code),
        statements=tuple(statements), asked=asked, scope=chosen, journeys=tuple(found), is_narrowed=narrowed,
    )  # fmt: skip


def _worst_scope(content: Mapping[str, Any], code: str, asked: Mapping[str, Asked]) -> str:
    line = next((one for one in content.get("criteria", ()) if one["code"] == code), None)
    cell = line["verdict_facts"].get("cell") if line else None
    return str(cell) if cell in asked else next(iter(asked), "")


def _behind(
    session: Session, asked: Asked | None, now: datetime, actor: Actor, limit: int
) -> tuple[Sequence[Behind], bool]:
    if asked is None:
        return (), False
    scope, narrowed = asked.scope, False
    if actor.sites is not None and not scope.sites <= actor.sites:
        scope, narrowed = replace(scope, sites=scope.sites & actor.sites), True
        if not scope.sites:
            return (), True
    found = journeys_behind(
        session, asked.key, scope, as_of=now, window=asked.window_days, dimension=asked.dimension,
        calendars=SiteCalendars(session), limit=limit,
    )  # fmt: skip
    return found, narrowed


def snapshot_by_fingerprint(session: Session, sha256: str) -> SnapshotView:
    """The first evaluation with this fingerprint. Raises ``NotFound``."""
    found = session.scalar(select(GateSnapshot).where(GateSnapshot.sha256 == sha256).order_by(GateSnapshot.id))
    if found is None:
        raise NotFound("snapshot_not_found", snapshot=sha256)
    return view_of(found)
