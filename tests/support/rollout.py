"""A programme with a committee, waves and gates; each test names only what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.composition import golive
from app.composition.evidence import evaluate_and_store
from app.composition.uow import Database, reading, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock
from erpcore.ports import Process
from governance.decisions.kinds import DecisionKind
from governance.decisions.models import Decision, DecisionSeat
from governance.decisions.rules import Choice
from governance.decisions.services import DraftDecision, draft_decision
from governance.decisions.voting import CastVote
from governance.programme.kinds import BodyKind
from governance.programme.services import CreateBody, CreateProgramme, NewSeat, create_body, create_programme
from readiness.gates.criteria import Evidence, Phase
from readiness.gates.ports import ReadingRequest, Readout
from readiness.gates.services import CreateGate, create_gate, freeze_gate
from readiness.gates.specs import CriterionSpec
from readiness.measures.catalogue import MEASURES
from readiness.measures.intervals import Sums, yes_no_sample
from readiness.measures.reading import Reading, Stale, Window, WindowUnit, ratio
from readiness.waves.services import PlanWave, plan_wave, step_wave

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
#: Live sites and channels; nothing here needs their rows.
HAMBURG, BREMEN, LINZ = 11, 12, 13
WHOLESALE, WEB = 21, 22
CHAIR, FINANCE, WAREHOUSE, SALES, IT = 101, 102, 103, 104, 105
PMO_LEAD, OUTSIDER, DELEGATE = 201, 301, 302

ALL = frozenset(
    {
        "governance:programme:view", "governance:programme:manage", "governance:seat:assign", "governance:decision:draft", "governance:decision:open",
        "governance:decision:vote", "governance:decision:record-attendance", "governance:decision:close",
        "governance:decision:revoke", "governance:condition:settle", "readiness:wave:plan", "readiness:wave:rehearse",
        "readiness:wave:run", "readiness:wave:roll-back", "readiness:grant:record-already-live", "readiness:grant:open",
        "readiness:grant:declare-fallback", "readiness:gate:define", "readiness:gate:freeze", "readiness:gate:evaluate",
        "readiness:attestation:give", "readiness:waiver:request", "readiness:waiver:approve", "readiness:baseline:record",
        "readiness:measure:name-owner",
    }
)  # fmt: skip


def person(who: int, permissions: frozenset[str] = ALL) -> Actor:
    return Actor(id=who, role="member", permissions=permissions)


@dataclass
class FakeReadings:
    """Figures by measure as (good, of), the same for every scope; ``stale`` marks a measure as not to be believed."""

    figures: dict[str, tuple[int, int]] = field(default_factory=dict)
    stale: dict[str, Stale] = field(default_factory=dict)
    read_to: int = 7
    asked: list[ReadingRequest] = field(default_factory=list)
    broken: Exception | None = None

    def read_many(self, session: Any, requests: Sequence[ReadingRequest], *, now: datetime) -> Readout:
        if self.broken is not None:
            raise self.broken
        self.asked = list(requests)
        return Readout(
            readings={one: self._reading(one, now) for one in requests if one.measure in self.figures},
            read_to=self.read_to, behind_seconds=0,
        )  # fmt: skip

    def _reading(self, one: ReadingRequest, now: datetime) -> Reading:
        good, of = self.figures[one.measure]
        measure = MEASURES[one.measure]
        return Reading(
            measure=one.measure, statistic=one.statistic, version=one.version, unit=measure.unit, direction=measure.direction,
            form=measure.form, realm=one.realm, scope=one.scope,
            window=Window(WindowUnit.DAY, now.date() - timedelta(days=14), now.date()), as_of=now, value=ratio(good, of),
            numerator=good, denominator=of, count=of, documents=measure.documents, days=14, actors=9,
            sample=yes_no_sample([Sums(of, good, of, good, good, of)]), stale=self.stale.get(one.measure),
        )  # fmt: skip


def a_spec(code: str = "invoices", **given: Any) -> CriterionSpec:
    return CriterionSpec(
        **{
            "code": code, "title": code.capitalize(), "measure": "invoice_right_at_posting",
            "evidence": Evidence.OWN_REHEARSAL, "pass_mark": Decimal("0.95"), "warn_mark": Decimal("0.90"),
            "weight": Decimal(2), **given,
        }
    )  # fmt: skip


def a_statement(code: str = "tax", **given: Any) -> CriterionSpec:
    return CriterionSpec(
        **{
            "code": code, "title": code.capitalize(), "measure": None, "evidence": Evidence.ATTESTATION,
            "owner": "Finance director", **given,
        }
    )  # fmt: skip


@dataclass
class Rollout:
    """A programme under test: the database, its clock, and the ids of what was set up."""

    database: Database
    clock: SetClock
    readings: FakeReadings
    programme: int = 0
    steering: int = 0
    wave: int = 0
    gate: int = 0

    @contextmanager
    def work(self, who: int = PMO_LEAD, permissions: frozenset[str] = ALL, **given: Any):
        with unit_of_work(self.database, actor=person(who, permissions), clock=self.clock, **given) as work:
            yield work

    @contextmanager
    def job(self):
        with unit_of_work(self.database, actor=Actor.system("test"), clock=self.clock) as work:
            yield work

    @contextmanager
    def look(self):
        with reading(self.database) as session:
            yield session

    def evaluate(self, gate: int | None = None):
        return evaluate_and_store(
            self.database, gate or self.gate, readings=self.readings, actor=Actor.system("gates"), clock=self.clock
        )

    def plan(
        self, code: str, cells, go_live_on: date, *, processes=(Process.ORDER_TO_CASH,), rehearse=True, **given
    ) -> int:
        with self.work() as work:
            wave = plan_wave(
                work,
                PlanWave(
                    programme_id=self.programme, code=code, name=f"Wave {code}", owner=PMO_LEAD, time_zone="Europe/Berlin",
                    cells=tuple(cells), processes=tuple(processes), go_live_on=go_live_on,
                    hypercare_until=go_live_on + timedelta(days=28), **given,
                ),
            )  # fmt: skip
        with self.work() as work:
            step_wave(work, wave.id, "prepare")
        if rehearse:
            with self.work() as work:
                step_wave(work, wave.id, "rehearse")
        return wave.id

    def freeze(self, wave: int, specs, *, phase=Phase.ENTRY, decides_on=date(2026, 3, 20), **given) -> int:
        with self.work() as work:
            gate = create_gate(
                work,
                CreateGate(
                    wave_id=wave, phase=phase, decides_on=decides_on, criteria=tuple(specs), waiver_body="pmo", **given
                ),
            )
        with self.work(CHAIR) as work:
            freeze_gate(work, gate.id, body="steering", authority=golive.Seats())
        return gate.id

    def draft(self, kind: DecisionKind = DecisionKind.GO_LIVE, *, wave: int | None = None, **given) -> int:
        with self.work() as work:
            decision = draft_decision(
                work,
                DraftDecision(
                    **{
                        "body_id": self.steering, "wave_id": wave or self.wave, "kind": kind, "title": "Wave 2",
                        "question": "May wave 2 go live?", "closes_at": self.clock.now() + timedelta(days=2), **given,
                    }
                ),
            )  # fmt: skip
        return decision.id

    def open(self, kind: DecisionKind = DecisionKind.GO_LIVE, **given) -> int:
        decision = self.draft(kind, **given)
        with self.work() as work:
            golive.open_vote(work, decision)
        return decision

    def seats(self, decision: int) -> dict[int, int]:
        """The seat of each person in a vote."""
        with self.look() as session:
            rows = session.query(DecisionSeat.person_id, DecisionSeat.id).filter(DecisionSeat.decision_id == decision)
            return {row.person_id: row.id for row in rows}

    def vote(self, decision: int, who: int, choice: Choice = Choice.GO, *, seat: int | None = None, **given):
        seat = seat or self.seats(decision)[who]
        with self.work(who) as work:
            return golive.cast_vote(
                work,
                CastVote(
                    **{
                        "decision_id": decision,
                        "decision_seat_id": seat,
                        "choice": choice,
                        "reason": "as shown",
                        **given,
                    }
                ),
            )

    def all_vote(self, decision: int, choice: Choice = Choice.GO, **given) -> None:
        for who in (CHAIR, FINANCE, WAREHOUSE, SALES, IT):
            self.vote(decision, who, choice, **given)

    def close(self, decision: int, who: int = PMO_LEAD) -> golive.Closing:
        with self.work(who) as work:
            return golive.close_vote(work, decision)

    def state(self, decision: int) -> str:
        with self.look() as session:
            return session.get_one(Decision, decision).state

    def later(self, **by: int) -> None:
        self.clock.advance(timedelta(**by))


def a_rollout(database: Database, *, gate: bool = True, specs=None) -> Rollout:
    """One programme, a steering committee of five and a PMO, wave W2 in rehearsal with a frozen entry gate that is ready."""
    rollout = Rollout(database, SetClock(MONDAY), FakeReadings({"invoice_right_at_posting": (400, 400)}))
    with rollout.work() as work:
        programme = create_programme(
            work,
            CreateProgramme(
                code="ONE", name="One Core", purpose="one ERP", starts_on=date(2026, 1, 1),
                cells=((HAMBURG, WHOLESALE), (BREMEN, WHOLESALE), (LINZ, WEB)),
            ),
        )  # fmt: skip
        steering = create_body(
            work,
            CreateBody(
                programme_id=programme.id, code="steering", name="Steering committee", kind=BodyKind.STEERING, mandate="decide",
                quorum=(3, 5),
                seats=(
                    NewSeat(function="Chair", person=CHAIR, chair=True), NewSeat(function="Finance", person=FINANCE, mandatory=True),
                    NewSeat(function="Warehouse", person=WAREHOUSE, veto=True), NewSeat(function="Sales", person=SALES),
                    NewSeat(function="IT", person=IT),
                ),
            ),
        )  # fmt: skip
        create_body(
            work,
            CreateBody(
                programme_id=programme.id, code="pmo", name="PMO", kind=BodyKind.PMO, mandate="run",
                seats=(NewSeat(function="Lead", person=PMO_LEAD), NewSeat(function="Planner", person=DELEGATE)),
            ),
        )  # fmt: skip
    rollout.programme, rollout.steering = programme.id, steering.id
    rollout.wave = rollout.plan("W2", ((HAMBURG, WHOLESALE), (BREMEN, WHOLESALE)), date(2026, 3, 23))
    if gate:
        rollout.gate = rollout.freeze(rollout.wave, specs or (a_spec(),))
        rollout.evaluate()
    return rollout
