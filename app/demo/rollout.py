"""The programme of the demo: its bodies and waves, the gates with their criteria, attestations and waivers."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta

from app.composition import golive
from app.composition.evidence import MeasuredReadings, evaluate_open_gates
from app.demo.criteria import Criteria
from app.demo.desk import Desk, working_day
from app.demo.plan import ALREADY_LIVE, WAVE_CELLS
from erpcore.kernel.actor import Actor
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import Process
from governance.programme.kinds import BodyKind
from governance.programme.services import CreateBody, CreateProgramme, NewSeat, create_body, create_programme
from readiness.gates.criteria import Phase
from readiness.gates.services import CreateGate, create_gate, freeze_gate
from readiness.gates.specs import Cells, CriterionSpec
from readiness.gates.templates import save_standard_templates
from readiness.gates.waiving import Attest, RequestWaiver, attest, grant_waiver, request_waiver
from readiness.waves.grants import RecordAlreadyLive, record_already_live
from readiness.waves.services import BlackOut, PlanWave, black_out, plan_wave, step_wave

STEERING, OFFICE = "steering", "pmo"
_SEATS = (
    ("Sponsor", "sponsor", True, True, True),
    ("Finance", "finance", False, True, False),
    ("Operations", "operations", False, True, False),
    ("Order to cash", "process", False, False, False),
    ("Billing", "process.billing", False, False, False),
    ("Sales", "sales", False, False, False),
    ("Technology", "technology", False, False, False),
)


@dataclass
class Rollout:
    """What the programme is made of, by code."""

    desk: Desk
    programme: int = 0
    body: int = 0
    waves: dict[str, int] = field(default_factory=dict)
    gates: dict[tuple[str, Phase], int] = field(default_factory=dict)
    waivers: list[int] = field(default_factory=list)

    def _work(self, actor: Actor) -> AbstractContextManager[UnitOfWork]:
        return self.desk.work(actor, "live", "screen")

    def _who(self, sign_in: str) -> tuple[str, int]:
        name = next(person.name for person in self.desk.staff.signs if person.sign_in == sign_in)
        return name, self.desk.staff.ids[sign_in]

    def set_up(self) -> None:
        """Programme, bodies, what was live before, and the three waves."""
        desk, world, options = self.desk, self.desk.world, self.desk.options
        pmo = desk.staff["pmo"]
        cells = tuple(cell for named in WAVE_CELLS.values() for cell in world.cells(named)) + world.cells(ALREADY_LIVE)
        with self._work(pmo) as work:
            programme = create_programme(
                work,
                CreateProgramme(
                    code="ONE", name="One core for Aldenhoff", starts_on=options.first - timedelta(days=120),
                    ends_on=options.until.date() + timedelta(days=240), cells=cells,
                    purpose="Bring three countries onto one core, wave by wave, each on what its own transactions show.",
                ),
            )  # fmt: skip
            self.programme = programme.id
            self.body = create_body(
                work,
                CreateBody(
                    programme_id=programme.id, code=STEERING, name="Executive steering committee", kind=BodyKind.STEERING,
                    mandate="Decides on every go-live, on key waivers and on going back.",
                    seats=tuple(
                        NewSeat(function=title, person=desk.staff.ids[who], chair=chair, mandatory=must, veto=veto)
                        for title, who, chair, must, veto in _SEATS
                    ),
                ),
            ).id  # fmt: skip
            create_body(
                work,
                CreateBody(
                    programme_id=programme.id, code=OFFICE, name="Programme office", kind=BodyKind.PMO, quorum=(1, 2),
                    mandate="Keeps plan, criteria and conditions; waives what is not key.",
                    seats=(
                        NewSeat(function="Programme office", person=desk.staff.ids["pmo"], chair=True),
                        NewSeat(function="Deployment", person=desk.staff.ids["deployment"]),
                        NewSeat(function="Process owners", person=desk.staff.ids["process"]),
                    ),
                ),
            )  # fmt: skip
            self._authorities(work)
            save_standard_templates(work)
            record_already_live(
                work,
                RecordAlreadyLive(
                    cells=world.cells(ALREADY_LIVE), processes=tuple(Process),
                    reason="Counter sales ran on the core before the programme began",
                ),
            )  # fmt: skip
        self._plan_waves()
        with self._work(pmo) as work:
            step_wave(work, self.waves["W1"], "prepare")
            step_wave(work, self.waves["W1"], "rehearse")

    def _authorities(self, work: UnitOfWork) -> None:
        """Who decides on departures from the standard, and on the standard itself."""
        ids = self.desk.staff.ids
        create_body(
            work,
            CreateBody(
                programme_id=self.programme, code="DA", name="Design authority", kind=BodyKind.DESIGN_AUTHORITY, quorum=(1, 2),
                mandate="Decides on controlled variations, and revokes them.",
                seats=(
                    NewSeat(function="Process design", person=ids["design"], chair=True),
                    NewSeat(function="Technology", person=ids["technology"]),
                ),
            ),
        )  # fmt: skip
        create_body(
            work,
            CreateBody(
                programme_id=self.programme, code="PC", name="Process council", kind=BodyKind.PROCESS_COUNCIL, quorum=(2, 3),
                mandate="Decides on the standard, which process owners propose.",
                seats=(
                    NewSeat(function="Order to cash", person=ids["process"], chair=True),
                    NewSeat(function="Billing", person=ids["process.billing"]),
                    NewSeat(function="Design authority", person=ids["design"]),
                ),
            ),
        )  # fmt: skip

    def _plan_waves(self) -> None:
        desk, options = self.desk, self.desk.options
        today = options.until.date()
        live = options.date_of(options.go_live)
        plan = (
            ("W1", "Germany: Duisburg and direct deliveries", live, today + timedelta(days=3), ()),
            ("W2", "Switzerland and the Kassel warehouse", working_day(today + timedelta(days=4)), today + timedelta(days=46),
             (("W1", "Uses Duisburg's item master and its support team"),)),
            ("W3", "United Kingdom: Leeds", working_day(today + timedelta(days=40)), today + timedelta(days=82),
             (("W2", "Takes over the Swiss tax set-up"),)),
        )  # fmt: skip
        with self._work(desk.staff["pmo"]) as work:
            black_out(
                work,
                BlackOut(
                    programme_id=self.programme, name="Year-end closing",
                    starts_on=date(today.year, 12, 21), ends_on=date(today.year + 1, 1, 8),
                ),
            )  # fmt: skip
            for code, name, day, until, depends in plan:
                self.waves[code] = plan_wave(
                    work,
                    PlanWave(
                        programme_id=self.programme, code=code, name=name, owner=desk.staff.ids["deployment"],
                        time_zone="Europe/Berlin", cells=desk.world.cells(WAVE_CELLS[code]), processes=tuple(Process),
                        go_live_on=day, hypercare_until=max(until, day + timedelta(days=20)),
                        depends_on=tuple((self.waves[wave], why) for wave, why in depends),
                        blackout_reason="Support is staffed through the holidays",
                    ),
                ).id  # fmt: skip

    def rehearse(self, code: str) -> None:
        """A wave begins to practise."""
        with self._work(self.desk.staff["deployment"]) as work:
            step_wave(work, self.waves[code], "prepare")
            step_wave(work, self.waves[code], "rehearse")

    def _gate(
        self, code: str, phase: Phase, criteria: tuple[CriterionSpec, ...], decides_in: int, reference: Cells = ()
    ) -> None:
        desk = self.desk
        day = desk.clock.now().date() + timedelta(days=decides_in)
        with self._work(desk.staff["pmo"]) as work:
            gate = create_gate(
                work,
                CreateGate(
                    wave_id=self.waves[code], phase=phase, decides_on=day, criteria=criteria, reference=reference,
                    waiver_body=OFFICE,
                ),
            )  # fmt: skip
            freeze_gate(work, gate.id, body=OFFICE, authority=golive.Seats())
            self.gates[code, phase] = gate.id

    def _attest(self, code: str, phase: Phase, who: str, criterion: str, statement: str, *, holds: bool = True) -> None:
        with self._work(self.desk.staff[who]) as work:
            attest(
                work,
                Attest(gate_id=self.gates[code, phase], criterion=criterion, holds=holds, statement=statement),
            )

    def freeze_first(self) -> None:
        """The gate of wave 1, a week before it goes."""
        world = self.desk.world
        people = {key: self._who(key) for key in ("deployment", "dui.lead", "data")}
        criteria = Criteria(self.desk.options).first_entry(
            world.cells((("DUI", "wholesale"), ("DUI", "ecommerce"))), world.cells((("WKD", "wholesale"),)), people
        )
        self._gate("W1", Phase.ENTRY, criteria, 10)
        self._attest(
            "W1", Phase.ENTRY, "deployment", "trained", "All 46 people at Duisburg have passed their role's test."
        )
        self._attest(
            "W1", Phase.ENTRY, "data", "opening", "Count of all locations finished; differences below 0.2 % of value."
        )
        self._attest(
            "W1", Phase.ENTRY, "dui.lead", "fallback",
            "Two hours on paper went well; entering them afterwards took a day longer than planned.", holds=False,
        )  # fmt: skip

    def evaluate(self) -> None:
        """Every frozen gate, as each morning."""
        evaluate_open_gates(self.desk.database, readings=MeasuredReadings(), clock=self.desk.clock)

    def freeze_gates(self) -> None:
        """The gates of today: wave 1 stays live, waves 2 and 3 ask to go. Both refer to what Duisburg shows live."""
        desk = self.desk
        criteria, world = Criteria(desk.options), desk.world
        cells = world.cells((("DUI", "wholesale"), ("DUI", "ecommerce")))
        people = {"deployment": self._who("deployment")}
        self._gate("W1", Phase.STAY_LIVE, criteria.stay_live(cells, people), 27)
        # Wave 2 decides before the week in which it goes live; wave 3 has more time.
        for code, trained, decides_in in (("W2", "pra.lead", 18), ("W3", "lds.lead", 27)):
            people = {"trained": self._who(trained), "cutover": self._who("deployment")}
            self._gate(code, Phase.ENTRY, criteria.next_entry(cells, people), decides_in)

    def attest_gates(self) -> None:
        """What people say of the gates of today. Leeds has not said anything about its training yet."""
        self._attest(
            "W1", Phase.STAY_LIVE, "deployment", "support", "Support answered nine of ten calls within the hour."
        )
        self._attest(
            "W2",
            Phase.ENTRY,
            "pra.lead",
            "trained",
            "57 of 58 people at Pratteln and Kassel have passed; the last is on leave.",
        )
        self._attest(
            "W2",
            Phase.ENTRY,
            "deployment",
            "cutover",
            "Second rehearsal of the cut-over took 31 hours; the way back was tried.",
        )
        self._attest(
            "W3",
            Phase.ENTRY,
            "deployment",
            "cutover",
            "First rehearsal stopped: open orders could not be carried over.",
            holds=False,
        )

    def ask_waiver(self, criterion: str, rationale: str, mitigation: str) -> None:
        """The deployment lead asks to pass over a criterion of wave 2 for a time."""
        desk = self.desk
        with desk.work(desk.staff["deployment"], "live", "screen") as work:
            waiver = request_waiver(
                work,
                RequestWaiver(
                    gate_id=self.gates["W2", Phase.ENTRY], criterion=criterion, rationale=rationale, mitigation=mitigation,
                    owner=desk.staff.ids["kas.lead"], until=desk.options.until + timedelta(days=21),
                ),
            )  # fmt: skip
            self.waivers.append(waiver.id)

    def grant_waivers(self) -> None:
        """A process owner of the programme office grants them: somebody else than who asked."""
        for waiver in self.waivers:
            with self.desk.work(self.desk.staff["process"], "live", "screen") as work:
                grant_waiver(work, waiver, body=OFFICE, authority=golive.Seats())
