"""The interim state of a wave: what must have a master is derived, and what is open is said until it is settled."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest

from app.composition.interim_desk import NewInterface, change_interface, map_link, put_interface
from app.composition.process_desk import take_set_over
from app.composition.uow import reading
from app.identity.services import close_account
from app.queries.interim import interim_of
from erpcore.kernel.audit import AuditEntry
from erpcore.kernel.errors import Busy, Conflict, DomainError, NotAllowed, NotFound, RuleBroken
from governance.interim.kinds import Direction, LinkKind, Master
from governance.interim.models import InterimInterface, InterimLink
from governance.interim.services import ChangeInterface, MapLink, end_interface
from tests.support.processes import OTHER, PMO, work_as
from tests.support.steering import a_programme
from tests.support.web import a_person

DATA = ["customers", "items", "prices", "stock", "open_orders", "receivables", "ledger"]


@pytest.fixture
def steered(database, clock):
    """A wave over all processes of the bundled set."""
    made = a_programme(database, clock, evaluated=None)
    with work_as(database, clock, PMO) as work:
        take_set_over(work)
    return made


def say(steered, kind, code, master=Master.OURS, who=None, **given):
    with steered.work(who) as work:
        return map_link(work, MapLink(wave_id=steered.wave, kind=kind, code=code, master=master, **given)).id


def add(steered, link, **given):
    asked = {
        "link_id": link, "name": "Stock each night", "direction": Direction.TO_LEGACY, "frequency": "each night",
        "owner": steered.office.id, "ends_on": date(2026, 3, 31), "when_it_stops": "The old stock is frozen.", **given,
    }  # fmt: skip
    with steered.work() as work:
        return put_interface(work, NewInterface(**asked)).id


def seen(steered):
    with reading(steered.database) as session:
        return interim_of(session, steered.wave, steered.clock.now()).state


def opens(steered):
    return {one.code: [why.value for why in one.opens] for one in seen(steered).open}


def counts(steered):
    with reading(steered.database) as session:
        return session.query(InterimLink).count(), session.query(InterimInterface).count()


def whole(steered):
    """Say of everything who masters it."""
    for code in ("order_to_cash", "returns_to_credit", "warehouse", "record_to_report"):
        say(steered, LinkKind.PROCESS, code)
    return {code: say(steered, LinkKind.DATUM, code) for code in DATA}


def test_every_step_and_all_data_of_the_waves_processes_are_open_until_somebody_masters_them(steered):
    before = seen(steered)
    assert [one.code for one in before.data] == DATA
    assert len(before.steps) > 30
    assert len(before.open) == before.slots == len(before.steps) + len(DATA)
    say(steered, LinkKind.PROCESS, "warehouse")
    after = seen(steered)
    pick = next(one for one in after.steps if one.code == "warehouse.pick")
    assert (pick.master, pick.inherited, pick.id) == (Master.OURS, True, None)
    assert {one.code.split(".")[0] for one in after.open if one.kind is LinkKind.PROCESS} == {
        "order_to_cash", "returns_to_credit", "record_to_report",
    }  # fmt: skip
    whole_of_it = say(steered, LinkKind.PROCESS, "warehouse.pick", Master.LEGACY)
    pick = next(one for one in seen(steered).steps if one.code == "warehouse.pick")
    assert (pick.master, pick.inherited, pick.id) == (Master.LEGACY, False, whole_of_it)


def test_nothing_is_open_once_all_is_mastered_and_an_overdue_or_ownerless_interface_opens_its_link(steered, clock):
    links = whole(steered)
    assert opens(steered) == {}
    late = add(steered, links["stock"])
    lonely = add(steered, links["prices"], name="Price lists by file", owner=None)
    assert opens(steered) == {"prices": ["no_owner"]}
    clock.set(clock.now().replace(month=4, day=1))
    assert opens(steered) == {"stock": ["overdue"], "prices": ["overdue", "no_owner"]}
    with steered.work() as work:
        change_interface(
            work, ChangeInterface(interface_id=lonely, owner=steered.chair.id, ends_on=date(2026, 5, 1), reason="a month more")
        )  # fmt: skip
        end_interface(work, late, reason="the old stock is frozen")
    assert opens(steered) == {}
    assert [one.id for one in seen(steered).interfaces] == [lonely]


def test_an_interface_of_a_step_that_its_process_has_lost_is_seen_until_it_ends(steered, clock):
    whole(steered)
    step = say(steered, LinkKind.PROCESS, "warehouse.pick", Master.LEGACY)
    left = add(steered, step, owner=None)
    with work_as(steered.database, clock, PMO) as work:
        work.session.get_one(InterimLink, step).code = "warehouse.pick_by_voice"
    assert [one.id for one in seen(steered).interfaces] == [left]
    assert opens(steered) == {"warehouse.pick_by_voice": ["no_owner"]}
    with steered.work() as work:
        end_interface(work, left, reason="the step is gone")
    assert (seen(steered).interfaces, opens(steered)) == ([], {})


def test_the_last_day_ends_by_the_calendar_of_the_wave(steered, clock):
    links = whole(steered)
    add(steered, links["stock"])
    clock.set(clock.now().replace(month=3, day=31, hour=21, minute=59))
    assert opens(steered) == {}
    clock.advance(timedelta(minutes=1))  # midnight in Berlin, summer time
    assert opens(steered) == {"stock": ["overdue"]}


def test_an_interface_whose_owner_left_is_nobodys(steered, clock):
    links = whole(steered)
    leaver = a_person(steered.database, "deployment_lead", clock=clock, name="Odile Brenneke")
    add(steered, links["stock"], owner=leaver.id)
    assert opens(steered) == {}
    with steered.work() as work:
        close_account(work, leaver.id, reason="left")
    assert opens(steered) == {"stock": ["no_owner"]}
    with pytest.raises(RuleBroken) as refused:
        add(steered, links["stock"], name="Another", owner=leaver.id)
    assert refused.value.code == "person_unknown"


@pytest.mark.parametrize(
    ("kind", "code", "given", "expected"),
    [
        (LinkKind.DATUM, "weather", {}, "interim_out_of_scope"),
        (LinkKind.PROCESS, "warehouse.juggle", {}, "interim_out_of_scope"),
        (LinkKind.PROCESS, "procure_to_pay", {}, "interim_out_of_scope"),
        (LinkKind.DATUM, "stock", {"master": Master.BOTH}, "interim_rule_missing"),
        (LinkKind.DATUM, "stock", {"master": Master.BOTH, "rule": "  "}, "interim_rule_missing"),
        (LinkKind.DATUM, "stock", {"seen_version": 3}, "changed_meanwhile"),
    ],
)
def test_what_cannot_be_mastered_is_refused_and_nothing_kept(steered, kind, code, given, expected):
    with pytest.raises(DomainError) as refused:
        say(steered, kind, code, **given)
    assert (refused.value.code, counts(steered)) == (expected, (0, 0))


def test_an_interface_says_how_often_until_when_and_what_follows(steered):
    link = say(steered, LinkKind.DATUM, "stock")
    for given, code in (
        ({"name": " "}, "name_missing"), ({"frequency": ""}, "interim_frequency_missing"), ({"when_it_stops": ""}, "interim_stop_missing"),
        ({"ends_on": date(2026, 3, 1)}, "interim_end_past"), ({"owner": 4711}, "person_unknown"), ({"link_id": 4711}, "interim_link_not_found"),
    ):  # fmt: skip
        with pytest.raises(DomainError) as refused:
            add(steered, link, **given)
        assert refused.value.code == code
    assert counts(steered) == (1, 0)
    one = add(steered, link)
    with pytest.raises(Conflict) as refused:
        add(steered, link)
    assert refused.value.code == "interim_interface_there"
    with steered.work() as work:
        end_interface(work, one, reason="off")
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        end_interface(work, one, reason="off again")
    assert (refused.value.code, counts(steered)) == ("interim_interface_over", (1, 1))


def test_what_is_said_anew_replaces_what_was_seen_and_the_trail_keeps_both(steered):
    link = say(steered, LinkKind.DATUM, "ledger", Master.LEGACY)
    with pytest.raises(Conflict):
        say(steered, LinkKind.DATUM, "ledger", Master.OURS)
    assert say(steered, LinkKind.DATUM, "ledger", Master.OURS, seen_version=1) == link
    with reading(steered.database) as session:
        kept = session.query(AuditEntry).filter_by(kind="interim_link.mapped", subject_id=link).count()
        row = session.get(InterimLink, link)
        assert (kept, row.master, row.version) == (2, "ours", 2)
    with pytest.raises(NotFound), steered.work() as work:
        map_link(work, MapLink(wave_id=4711, kind=LinkKind.DATUM, code="ledger", master=Master.OURS))


def test_two_say_at_once_who_masters_something_and_one_is_kept(steered):
    start, refused = threading.Barrier(2), []

    def attempt(master):
        start.wait()
        try:
            say(steered, LinkKind.DATUM, "stock", master)
        except (Conflict, Busy) as error:
            refused.append(error)

    threads = [threading.Thread(target=attempt, args=(one,)) for one in (Master.OURS, Master.LEGACY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(refused), counts(steered)) == (1, (1, 0))


def test_only_the_programme_office_says_it(steered):
    with pytest.raises(NotAllowed), work_as(steered.database, steered.clock, OTHER) as work:
        map_link(work, MapLink(wave_id=steered.wave, kind=LinkKind.DATUM, code="stock", master=Master.OURS))
    assert counts(steered) == (0, 0)
