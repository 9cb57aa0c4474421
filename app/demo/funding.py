"""The roadmap of the demo: six phases, what closes them, the money that this releases, and what the programme is to bring."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from app.composition import approving, stage_gates
from app.composition.business_case import Booking, plan_benefit, record_money
from app.composition.uow import reading
from app.demo.desk import Desk
from app.demo.rollout import Rollout
from governance.approvals.services import Answer
from governance.roadmap import funding, phases
from governance.roadmap.kinds import MoneyKind
from governance.roadmap.queries import phase

_ZONE = "Europe/Berlin"
#: Phase by place, code, what for, and how much in euros.
_TRANCHES = (
    (0, "T1", "Design and data of all waves", 420_000), (1, "T2", "Rehearsals of waves 1 and 2", 380_000),
    (3, "T3", "Wave 3 and support", 510_000), (4, "T4", "Optimisation after going live", 150_000),
)  # fmt: skip
#: Phase by place, code, what must hold, who states it, and what they say.
_STATED = (
    (0, "baseline", "Headline figures have a baseline", "finance", "Ten figures, signed and filed with the board's paper."),
    (0, "mandate", "Bodies have their mandates and seats", "sponsor", "Committee and office are seated since the kick-off."),
    (1, "standard", "The standard of every process is signed", "process", "Eight processes, each signed by its owner."),
    (2, "owners", "Master data have owners and rules", "data", "Customers, items and prices; the list is on the wall of the data room."),
    (3, "rehearsed", "A day of Duisburg was played end to end", "operations", "Played twice, the second time without a hand in between."),
    (4, "hypercare", "Support of the last wave has ended", "operations", ""),
)  # fmt: skip
#: Code, benefit, figure, target in base units, worth a year in euros, and who answers.
_BENEFITS = (
    ("fill", "Fewer lines come later", "fill_rate_lines", "0.95", 640_000, "operations"),
    ("touch", "Fewer orders need a hand", "touchless_rate", "0.75", 310_000, "process"),
    ("billing", "Invoices leave sooner", "billing_cycle_time.p90", "86400", 120_000, "process.billing"),
)  # fmt: skip
#: Wave (without one: the programme), kind, euros, note.
_MONEY = (
    ("W1", MoneyKind.BUDGET, 360_000, "Decided with the business case"), ("W1", MoneyKind.SPEND, 261_400, "Booked up to going live"),
    ("W1", MoneyKind.FORECAST, 352_000, "With support until its end"), ("W2", MoneyKind.BUDGET, 440_000, "Decided with the business case"),
    ("W2", MoneyKind.FORECAST, 455_000, "Kassel's picking routes cost more"), ("W3", MoneyKind.BUDGET, 390_000, "Decided with the business case"),
    ("", MoneyKind.BUDGET, 270_000, "Programme office and optimisation"), ("", MoneyKind.SPEND, 84_200, "Programme office so far"),
)  # fmt: skip


@dataclass
class Funding:
    """What the office and the committee do about phases and money, by its days."""

    desk: Desk
    rollout: Rollout
    phases: list[int] = field(default_factory=list)

    def lay_out(self) -> None:
        """Six phases, what closes five of them, the money on them, and what the programme is to bring."""
        options, staff, programme = self.desk.options, self.desk.staff, self.rollout.programme
        live = options.go_live
        bounds = (
            (-120, 2),
            (-60, live - 5),
            (-30, live - 3),
            (0, live),
            (live, options.days + 60),
            (options.days + 60, options.days + 240),
        )
        days = tuple(
            (options.first + timedelta(days=start), options.first + timedelta(days=end)) for start, end in bounds
        )
        with self.desk.work(staff["pmo"], "live", "screen") as work:
            self.phases = [one.id for one in phases.lay_out(work, phases.LayOut(programme_id=programme, days=days))]
            for place, code, title, amount in _TRANCHES:
                stage_gates.plan_tranche(
                    work,
                    funding.PlanTranche(
                        phase_id=self.phases[place], code=code, title=title, amount_minor=amount * 100, currency="EUR"
                    ),
                )
            for place, code, title, who, _ in _STATED:
                stage_gates.add_criterion(
                    work,
                    phases.AddCriterion(phase_id=self.phases[place], code=code, title=title, owner=staff.ids[who]),
                )
            stage_gates.add_criterion(
                work,
                phases.AddCriterion(
                    phase_id=self.phases[4], code="right", title="Invoices right at posting", owner=staff.ids["process.billing"],
                    figure="invoice_right_at_posting", realm="live", pass_mark=Decimal("0.95"),
                ),
            )  # fmt: skip
            for code, title, figure, target, worth, who in _BENEFITS:
                plan_benefit(
                    work,
                    funding.PlanBenefit(
                        programme_id=programme, code=code, title=title, figure=figure, target=Decimal(target),
                        proof_on=options.until.date() + timedelta(days=240), worth_minor=worth * 100, currency="EUR",
                        owner=staff.ids[who],
                    ),
                )  # fmt: skip

    def close(self, place: int) -> None:
        """The owners state what holds, the committee closes the phase, and its money is released."""
        desk, staff = self.desk, self.desk.staff
        with reading(desk.database) as session:
            found = {one.code: one.id for one in phase(session, self.phases[place]).criteria}
        for where, code, _, who, said in _STATED:
            if where == place:
                with desk.work(staff[who], "live", "screen") as work:
                    stage_gates.state(work, phases.State(criterion_id=found[code], holds=True, statement=said))
        with desk.work(staff["pmo"], "live", "screen") as work:
            needed = stage_gates.ask_the_body(work, self.phases[place]).id
        for who in ("sponsor", "finance", "operations", "sales", "technology"):
            with desk.work(staff[who], "live", "screen") as work:
                state = approving.answer(work, Answer(request=needed, verdict="approve")).state
            if state != "waiting":
                break

    def record_costs(self) -> None:
        """What the waves were given, what is spent, and what they are now thought to need."""
        day = self.desk.clock.now().date()
        with self.desk.work(self.desk.staff["pmo"], "live", "screen") as work:
            record_money(
                work,
                [
                    Booking(
                        programme_id=self.rollout.programme, wave_id=self.rollout.waves.get(code), kind=kind,
                        amount_minor=amount * 100, currency="EUR", on=day, note=note, time_zone=_ZONE,
                    )
                    for code, kind, amount, note in _MONEY
                ],
            )  # fmt: skip
