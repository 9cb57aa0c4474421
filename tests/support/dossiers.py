"""A wave before its committee, with everything a decision pack tells: figures of every kind, waivers, late changes, votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from app.composition import golive
from app.composition.uow import Database, reading
from app.identity.models import Account
from app.reports.dossier import Dossier, gather
from erpcore.masterdata.models import Channel, Entity, Site
from governance.decisions.rules import Choice
from governance.decisions.services import AddCondition, add_condition
from governance.decisions.voting import recuse_seat
from governance.programme.seats import DelegateSeat, delegate_seat
from readiness.gates.changing import put_criterion
from readiness.gates.criteria import Phase
from readiness.gates.ports import ReadingRequest, Readout
from readiness.gates.waiving import Attest, RequestWaiver, attest, grant_waiver, request_waiver
from readiness.measures.catalogue import MEASURES
from readiness.measures.intervals import Sums, yes_no_sample
from readiness.measures.reading import Form, Reading, Window, WindowUnit, ratio
from tests.support.rollout import (
    BREMEN,
    CHAIR,
    DELEGATE,
    FINANCE,
    HAMBURG,
    IT,
    LINZ,
    PMO_LEAD,
    SALES,
    WAREHOUSE,
    WEB,
    WHOLESALE,
    Rollout,
    a_rollout,
    a_spec,
    a_statement,
)

NAMES = {
    CHAIR: "Dr. Katrin Voss", FINANCE: "Marta Albers", WAREHOUSE: "Selim Yildiz", SALES: "Tom Brandt", IT: "Nadia Ferrari",
    PMO_LEAD: "Claire Reuter", DELEGATE: "Jan Ahrens",
}  # fmt: skip
SITES = {
    HAMBURG: ("Hamburg DC", "distribution_centre", "Germany"), BREMEN: ("Bremen branch", "branch", "Germany"),
    LINZ: ("Linz DC", "distribution_centre", "Austria"),
}  # fmt: skip


@dataclass
class DailyReadings:
    """Figures by measure as (good, of) on the first day and what is added to ``good`` on each further one."""

    figures: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    first: datetime | None = None

    def read_many(self, session: Any, requests: Sequence[ReadingRequest], *, now: datetime) -> Readout:
        self.first = self.first or now
        return Readout(
            readings={one: self._reading(one, now) for one in requests if one.measure in self.figures},
            read_to=184_027 + (now - self.first).days * 1_311, behind_seconds=2,
        )  # fmt: skip

    def _reading(self, one: ReadingRequest, now: datetime) -> Reading:
        good, of, gain = self.figures[one.measure]
        good += gain * (now - (self.first or now)).days - len(one.scope) % 3
        measure = MEASURES[one.measure]
        rate = measure.form in {Form.YES_NO, Form.SHARE}
        return Reading(
            measure=one.measure, statistic=one.statistic, version=one.version, unit=measure.unit,
            direction=measure.direction, form=measure.form, realm=one.realm, scope=one.scope,
            window=Window(WindowUnit.DAY, now.date() - timedelta(days=14), now.date()), as_of=now,
            value=ratio(good, of) if rate else Decimal(good), numerator=good if rate else None,
            denominator=of if rate else None, count=of, documents=measure.documents, days=14, actors=9,
            sample=yes_no_sample([Sums(of, good, of, good, good, of)]) if rate else None,
        )  # fmt: skip


def _specs():
    return (
        a_spec("invoices", title="Invoices right at posting", key=True, weight=Decimal(10), pass_mark=Decimal("0.97"),
               warn_mark=Decimal("0.94"), owner="Billing", owner_id=FINANCE, min_documents=100),
        a_spec("otif", title="Lines on time in full", measure="otif_lines", grain="cell", weight=Decimal(8), pass_mark=Decimal("0.95"),
               warn_mark=Decimal("0.92"), owner="Logistics", owner_id=WAREHOUSE),
        a_spec("touch", title="Orders without manual work", measure="touchless_rate", weight=Decimal(5),
               pass_mark=Decimal("0.70"), warn_mark=Decimal("0.62"), owner="Order desk", owner_id=SALES),
        a_spec("exceptions", title="Orders with exceptions", measure="order_exception_rate", weight=Decimal(4),
               pass_mark=Decimal("0.05"), warn_mark=Decimal("0.08"), grain="site"),
        a_spec("adjust", title="Stock written off or found", measure="inventory_adjustment_rate", weight=Decimal(6),
               pass_mark=Decimal("0.002"), warn_mark=Decimal("0.004"), owner="Warehouse", owner_id=WAREHOUSE),
        a_spec("backlog", title="Age of the open backlog, 90th percentile", measure="backlog_age.p90", weight=Decimal(3),
               pass_mark=Decimal(86_400), warn_mark=Decimal(172_800)),
        a_spec("credits", title="Returns credited in time", measure="return_credit_time.p90", weight=Decimal(3),
               pass_mark=Decimal(864_000), warn_mark=Decimal(1_209_600)),
        a_statement("archive", title="E-invoice and archive", statutory=True, weight=Decimal(3), owner="Tax and audit",
                    owner_id=FINANCE),
        a_statement("training", title="Shifts trained", weight=Decimal(6), owner="Site lead", owner_id=WAREHOUSE),
    )  # fmt: skip


FIGURES = {
    "invoice_right_at_posting": (380, 400, 2), "otif_lines": (930, 1000, 7), "touchless_rate": (262, 411, 2),
    "order_exception_rate": (30, 411, -1), "inventory_adjustment_rate": (0, 900, 0), "backlog_age": (70_000, 48, 1_500),
}  # fmt: skip


def a_board_case(database: Database, *, days: int = 9) -> Rollout:
    """Wave W2, Hamburg and Bremen, after ``days`` daily evaluations, with a waiver in use, a criterion changed after the freeze and a statement."""
    rollout = a_rollout(database, gate=False)
    rollout.readings = DailyReadings(dict(FIGURES))
    _name_everybody(rollout)
    rollout.gate = rollout.freeze(rollout.wave, _specs())
    rollout.evaluate()
    with rollout.work(FINANCE) as work:
        attest(work, Attest(gate_id=rollout.gate, criterion="archive", holds=True, document="tax opinion 27-003",
                            statement="E-invoices are issued and archived as the law asks from 1 January on."))  # fmt: skip
    with rollout.work() as work:
        waiver = request_waiver(
            work,
            RequestWaiver(gate_id=rollout.gate, criterion="training", owner=WAREHOUSE,
                          rationale="Two of twelve heads of the late shift return from leave on 16 March.",
                          mitigation="The early shift covers their stations; both are trained before their first day.",
                          until=rollout.clock.now() + timedelta(days=25)),
        )  # fmt: skip
    with rollout.work(CHAIR) as work:
        grant_waiver(work, waiver.id, body="steering", authority=golive.Seats())
    rollout.later(days=1)
    spec = next(each for each in _specs() if each.code == "touch")
    with rollout.work(CHAIR) as work:
        put_criterion(
            work, rollout.gate, replace(spec, pass_mark=Decimal("0.68"), warn_mark=Decimal("0.60")),
            reason="Branch orders are entered by hand until release 1.8.", authority=golive.Seats(),
        )  # fmt: skip
    for _ in range(days - 1):
        rollout.evaluate()
        rollout.later(days=1)
    rollout.evaluate()
    return rollout


def _name_everybody(rollout: Rollout) -> None:
    now = rollout.clock.now()
    with rollout.work() as work:
        for who, name in NAMES.items():
            work.session.add(
                Account(id=who, sign_in=f"p{who}", name=name, time_zone="Europe/Berlin", locale="en", must_change=False,
                        created_at=now)
            )  # fmt: skip
        work.session.add(
            Entity(
                id=1,
                code="DE",
                name="Nordhaus",
                realm="live",
                country="Germany",
                currency="EUR",
                time_zone="Europe/Berlin",
            )
        )
        work.session.flush()
        for key, (name, kind, country) in SITES.items():
            work.session.add(
                Site(id=key, entity_id=1, code=name[:3].upper(), name=name, kind=kind, country=country,
                     time_zone="Europe/Berlin", opens_at=time(6), closes_at=time(22))
            )  # fmt: skip
        work.session.add_all(
            [Channel(id=WHOLESALE, code="WS", name="Wholesale"), Channel(id=WEB, code="WEB", name="E-commerce")]
        )


def a_vote(rollout: Rollout, *, close: bool = False) -> int:
    """An open vote on the case: one seat recused, one delegated, one dissenting, with a condition; closed if asked."""
    seat = _seat_of(rollout, SALES)
    with rollout.work(SALES) as work:
        delegate_seat(work, DelegateSeat(seat_id=seat, delegate=DELEGATE, valid_from=rollout.clock.now(),
                                     valid_until=rollout.clock.now() + timedelta(days=10), reason="on leave"))  # fmt: skip
    decision = rollout.draft(title="Go-live of wave W2", question="May Hamburg and Bremen go live on 23 March?")
    with rollout.work() as work:
        add_condition(
            work,
            AddCondition(decision_id=decision, text="Late shift trained", check="attested by the site lead",
                         owner=WAREHOUSE, due_at=rollout.clock.now() + timedelta(days=5)),
        )  # fmt: skip
    with rollout.work() as work:
        golive.open_vote(work, decision)
    seats = rollout.seats(decision)
    rollout.later(hours=1)
    with rollout.work(IT) as work:
        recuse_seat(work, decision, seats[IT], reason="Her brother runs the carrier's IT.")
    yes = {"waivers": tuple(_waivers(rollout))}
    rollout.vote(
        decision, CHAIR, Choice.CONDITIONAL_GO, reason="The evidence carries it if the late shift is trained.", **yes
    )
    rollout.vote(decision, FINANCE, Choice.NO_GO, reason="Write-offs are not understood yet.")
    rollout.later(minutes=20)
    rollout.vote(
        decision, FINANCE, Choice.CONDITIONAL_GO, reason="Write-offs are explained; agreed with the condition.", **yes
    )
    rollout.vote(
        decision, DELEGATE, Choice.CONDITIONAL_GO, seat=seats[SALES], reason="Customers have been told.", **yes
    )
    if close:
        rollout.vote(
            decision, WAREHOUSE, Choice.POSTPONE, reason="Two heads are missing on the late shift; a week would do."
        )
        rollout.later(hours=2)
        rollout.close(decision)
    return decision


def _waivers(rollout: Rollout) -> list[int]:
    from readiness.gates.models import WaiverRecord

    with rollout.look() as session:
        return [key for (key,) in session.query(WaiverRecord.id)]


def _seat_of(rollout: Rollout, who: int) -> int:
    from governance.programme.models import Seat

    with rollout.look() as session:
        return session.query(Seat.id).filter(Seat.person_id == who, Seat.body_id == rollout.steering).scalar()


def dossier_of(rollout: Rollout, wave: str = "W2", phase: Phase = Phase.ENTRY, **given: Any) -> Dossier:
    with reading(rollout.database, snapshot=True) as session:
        return gather(session, wave, phase, **given)
