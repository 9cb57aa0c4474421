"""A programme with real people: a committee of three, an office, one wave over the cell of a business, and its entry gate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from app.composition import golive
from app.composition.uow import Database, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Site
from erpcore.masterdata.services import NewSite, add_site, ensure_channel
from erpcore.ports import Process
from governance.decisions.kinds import DecisionKind
from governance.decisions.services import AddCondition, DraftDecision, add_condition, draft_decision
from governance.programme.kinds import BodyKind
from governance.programme.services import CreateBody, CreateProgramme, NewSeat, create_body, create_programme
from readiness.gates.criteria import Phase
from readiness.gates.evaluation import evaluate_gate, store_evaluation
from readiness.gates.services import CreateGate, create_gate, freeze_gate
from readiness.gates.waiving import Attest, attest
from readiness.waves.services import PlanWave, plan_wave, step_wave
from tests.support.core import Business, a_business
from tests.support.rollout import ALL, FakeReadings, a_spec, a_statement
from tests.support.web import Somebody, a_person

#: The measured criterion of the gate reads as many right invoices of as many.
READY, WEAK = (400, 400), (300, 400)


@dataclass
class Steered:
    """Ids of the programme and the people in it."""

    database: Database
    business: Business
    clock: object
    chair: Somebody
    finance: Somebody
    warehouse: Somebody
    office: Somebody
    programme: int = 0
    steering: int = 0
    wave: int = 0
    gate: int = 0
    #: Further channels of the site that the programme has and no wave takes live.
    more_channels: tuple[int, ...] = ()

    def work(self, who: Somebody | None = None):
        actor = Actor(id=(who or self.office).id, role="pmo", permissions=ALL)
        return unit_of_work(self.database, actor=actor, clock=self.clock)

    def another_site(self) -> int:
        """A live site of the same company that is in no programme."""
        with self.work() as work:
            entity = work.session.get_one(Site, self.business.site).entity_id
            new = NewSite(
                entity=entity, code="BRE", name="Bremen", kind="branch", country="Germany", time_zone="Europe/Berlin"
            )
            return add_site(work, new).id

    def evaluate(self, right: tuple[int, int] = READY) -> None:
        """Keep an evaluation on these invoices."""
        with self.work() as work:
            found = evaluate_gate(
                work.session, self.gate, readings=FakeReadings({"invoice_right_at_posting": right}), now=work.now
            )
            store_evaluation(work, found)

    def draft(self, **given) -> int:
        with self.work() as work:
            return draft_decision(
                work,
                DraftDecision(
                    **{
                        "body_id": self.steering, "wave_id": self.wave, "kind": DecisionKind.GO_LIVE, "title": "Go-live of W2",
                        "question": "May Duisburg go live?", "closes_at": work.now + timedelta(days=2), **given,
                    }
                ),
            ).id  # fmt: skip

    def open(self, **given) -> int:
        decision = self.draft(**given)
        with self.work() as work:
            golive.open_vote(work, decision)
        return decision

    def ask(self, decision: int, **given) -> int:
        """Put a condition on the table."""
        with self.work() as work:
            command = AddCondition(
                **{
                    "decision_id": decision, "text": "Second scanner", "check": "seen on site", "owner": self.warehouse.id,
                    "due_at": work.now + timedelta(days=5), **given,
                }
            )  # fmt: skip
            return add_condition(work, command).id


def a_programme(
    database: Database, clock, *, specs=None, evaluated: tuple[int, int] | None = READY, more_cells: int = 0
) -> Steered:
    """Everything up to an evaluated gate of a wave in rehearsal; the cell of the business is closed."""
    business = a_business(database)
    business.clock = clock
    people = {
        name: a_person(database, role, clock=clock, name=full)
        for name, role, full in (
            ("chair", "sponsor", "Dr. Katrin Voss"), ("finance", "finance", "Martin Albers"),
            ("warehouse", "steering_member", "Selin Yildiz"), ("office", "pmo", "Paul Nowak"),
        )
    }  # fmt: skip
    made = Steered(database, business, clock, **people)
    with made.work() as work:
        made.more_channels = tuple(
            ensure_channel(work, f"channel-{number}", f"Channel {number}").id for number in range(more_cells)
        )
        work.session.flush()
        made.programme = create_programme(
            work,
            CreateProgramme(
                code="ONE", name="One Core", purpose="One ERP for all sites.", starts_on=date(2026, 1, 1),
                cells=((business.site, business.channel), *((business.site, one) for one in made.more_channels)),
            ),
        ).id  # fmt: skip
        made.steering = create_body(
            work,
            CreateBody(
                programme_id=made.programme, code="steering", name="Steering committee", kind=BodyKind.STEERING,
                mandate="Decides on every go-live.", quorum=(2, 3),
                seats=(
                    NewSeat(function="Chair", person=made.chair.id, chair=True), NewSeat(function="Finance", person=made.finance.id),
                    NewSeat(function="Warehouse", person=made.warehouse.id),
                ),
            ),
        ).id  # fmt: skip
        create_body(
            work,
            CreateBody(
                programme_id=made.programme, code="pmo", name="Programme office", kind=BodyKind.PMO, mandate="Keeps the plan.",
                seats=(NewSeat(function="Lead", person=made.office.id),),
            ),
        )  # fmt: skip
        made.wave = plan_wave(
            work,
            PlanWave(
                programme_id=made.programme, code="W2", name="Duisburg", owner=made.office.id, time_zone="Europe/Berlin",
                cells=((business.site, business.channel),), processes=tuple(Process), go_live_on=date(2026, 3, 23),
                hypercare_until=date(2026, 4, 20),
            ),
        ).id  # fmt: skip
    for move in ("prepare", "rehearse"):
        with made.work() as work:
            step_wave(work, made.wave, move)
    with made.work() as work:
        made.gate = create_gate(
            work,
            CreateGate(
                wave_id=made.wave, phase=Phase.ENTRY, decides_on=date(2026, 3, 20), waiver_body="pmo",
                criteria=specs or (a_spec(), a_statement("tax", title="Tax opinion", owner_id=made.finance.id)),
            ),
        ).id  # fmt: skip
        freeze_gate(work, made.gate, body="pmo", authority=golive.Seats())
    if specs is None:
        with made.work(made.finance) as work:
            attest(work, Attest(gate_id=made.gate, criterion="tax", holds=True, statement="The opinion is signed."))
    if evaluated is not None:
        made.evaluate(evaluated)
    return made
