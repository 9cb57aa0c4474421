"""Interim links as a figure: how many of a wave's links are open, of how many, and that a gate does not pass while one is."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.composition.calendars import SiteCalendars
from app.composition.evidence import MeasuredReadings, evaluate_and_store
from app.composition.interim_desk import NewInterface, map_link, put_interface
from app.composition.process_desk import take_set_over
from app.composition.uow import reading
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Entity, Site
from erpcore.ports import Process
from governance.interim.kinds import DOMAINS, Direction, LinkKind, Master
from governance.interim.services import MapLink
from governance.programme.services import add_cells
from readiness.conformance.drilldown import journeys_behind
from readiness.gates.criteria import Evidence
from readiness.gates.evaluation import evaluate_gate
from readiness.gates.models import Gate
from readiness.measures.queries import Scope, read_measure
from readiness.waves.services import PlanWave, plan_wave, step_wave
from tests.support.processes import PMO, work_as
from tests.support.rollout import a_spec
from tests.support.steering import a_programme

KEY = "interim_links_open"
ALL_PROCESSES = tuple(Process)
INTERIM = a_spec(
    "interim", measure=KEY, evidence=Evidence.OWN_REHEARSAL, pass_mark=Decimal(0), warn_mark=None, key=True
)


@pytest.fixture
def steered(database, clock):
    """A wave over all processes of the bundled set, with its site's stand-in for the rehearsal."""
    made = a_programme(database, clock, specs=[INTERIM], evaluated=None)
    with work_as(database, clock, PMO) as work:
        take_set_over(work)
    return made


def with_a_rehearsal(steered):
    with steered.work() as work:
        live = work.session.get_one(Entity, steered.business.entity)
        names = {column.name: getattr(live, column.name) for column in Entity.__table__.columns}
        twin = Entity(**{**names, "id": work.ids.one(), "code": "REH", "realm": "rehearsal", "twin_id": live.id})
        work.session.add(twin)
        work.session.flush()
        site = work.session.get_one(Site, steered.business.site)
        names = {column.name: getattr(site, column.name) for column in Site.__table__.columns}
        work.session.add(Site(**{**names, "id": work.ids.one(), "entity_id": twin.id, "twin_id": site.id}))


def say(steered, kind, code, master=Master.OURS):
    with steered.work() as work:
        return map_link(work, MapLink(wave_id=steered.wave, kind=kind, code=code, master=master)).id


def say_all(steered, but=()):
    links = {code: say(steered, LinkKind.PROCESS, code) for code in ALL_PROCESSES if code not in but}
    return links | {code: say(steered, LinkKind.DATUM, code) for code in DOMAINS}


def an_interface(steered, link, until):
    with steered.work() as work:
        asked = NewInterface(
            link_id=link, name="Stock each night", direction=Direction.TO_LEGACY, frequency="each night",
            owner=steered.office.id, ends_on=until, when_it_stops="The old stock is frozen.",
        )  # fmt: skip
        return put_interface(work, asked).id


def told(steered, scope=None, **more):
    """How many are open, of how many; ``None`` where no wave is."""
    with reading(steered.database) as session:
        one = read_measure(
            session, KEY, scope or Scope(), as_of=steered.clock.now(), calendars=SiteCalendars(session), **more
        )
    return None if one.value is None else int(one.value), one.count


def behind(steered):
    with reading(steered.database) as session:
        found = journeys_behind(
            session, KEY, Scope(), as_of=steered.clock.now(), calendars=SiteCalendars(session), limit=500
        )
        return [(one.kind, one.id, one.title) for one in found]


def verdict(steered):
    with reading(steered.database, snapshot=True) as session:
        found = evaluate_gate(session, steered.gate, readings=MeasuredReadings(), now=steered.clock.now())
    return found.word.value, found.lines[0].verdict.word.value


def test_of_what_nothing_is_said_all_is_open_and_what_is_said_closes_it(steered, clock):
    every = told(steered)[1]
    assert every > 37
    assert told(steered) == (every, every)
    say(steered, LinkKind.PROCESS, "warehouse")
    fewer = told(steered)[0]
    assert fewer < every
    assert told(steered, Scope(process="warehouse"))[0] == len(DOMAINS), "data belongs to every process"
    links = say_all(steered, but=("warehouse",))
    assert told(steered) == (0, every)
    an_interface(steered, links["stock"], date(2026, 3, 31))
    clock.set(clock.now().replace(month=4, day=1))
    assert told(steered) == (1, every)
    assert behind(steered) == [("interim_state", steered.wave, "W2, Stock: an interface is past its last day")]
    assert told(steered, dimension="W2") == (1, every)
    assert told(steered, dimension="W3") == (None, 0)


def another_wave(steered, site, process=Process.WAREHOUSE):
    with steered.work() as work:
        return plan_wave(
            work,
            PlanWave(
                programme_id=steered.programme, code="W3", name="Bremen", owner=steered.office.id, time_zone="Europe/Berlin",
                cells=((site, steered.business.channel),), processes=(process,), go_live_on=date(2026, 6, 1),
                hypercare_until=date(2026, 6, 29),
            ),
        ).id  # fmt: skip


def test_the_links_of_a_wave_are_those_of_its_cells_and_of_a_cancelled_one_there_are_none(steered):
    say_all(steered)
    every = told(steered)[1]
    site, bremen = steered.business.site, steered.another_site()
    with steered.work() as work:
        add_cells(work, steered.programme, ((bremen, steered.business.channel),))
    wave = another_wave(steered, bremen)
    here, there = Scope(sites=frozenset({site})), Scope(sites=frozenset({bremen}))
    assert told(steered, here) == (0, every)
    open_there, of = told(steered, there)
    assert open_there == of > 2
    assert told(steered) == (of, every + of)
    cell = frozenset({(bremen, steered.business.channel)})
    channel = frozenset({steered.business.channel})
    assert told(steered, Scope(sites=frozenset({bremen, site}), channels=channel, cells=cell)) == (of, of)
    assert told(steered, Scope(sites=frozenset({bremen}), channels=frozenset({4711}))) == (None, 0)
    with steered.work() as work:
        step_wave(work, wave, "cancel", reason="not now")
    assert told(steered, there) == (None, 0), "nothing there is to be mastered, which is no evidence of anything"


def test_a_gate_passes_neither_without_a_rehearsal_nor_while_a_link_is_open(steered, clock):
    assert verdict(steered) == ("not_ready_no_evidence", "no_evidence")
    with_a_rehearsal(steered)
    assert verdict(steered) == ("not_ready", "fail"), "nothing is said of the wave"
    links = say_all(steered)
    with reading(steered.database) as session:
        needed = session.get_one(Gate, steered.gate).hold_needed
    for _ in range(needed):
        evaluate_and_store(
            steered.database, steered.gate, readings=MeasuredReadings(), actor=Actor.system("gates"), clock=clock
        )
        clock.advance(timedelta(days=1))
    assert verdict(steered) == ("ready", "pass")
    an_interface(steered, links["stock"], clock.now().date())
    assert verdict(steered) == ("ready", "pass")
    clock.advance(timedelta(days=1))
    assert verdict(steered) == ("not_ready", "fail")
