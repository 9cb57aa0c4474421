"""A consumer takes each event exactly once, and one it cannot take stops nothing but its own journey."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.composition.uow import reading, unit_of_work
from app.jobs.consumers import BULK, ConsumerRunner, next_size, replay_parked
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock
from erpcore.kernel.events import ConsumerCursor, ParkedEvent
from readiness.measures.consumer import JourneyConsumer, UnknownVersion
from readiness.measures.deltas import SliceKey
from readiness.measures.proof import compare_with_rebuild, rebuild
from readiness.measures.queries import Scope, read_measure
from readiness.measures.reading import Stale
from readiness.measures.store import Store
from tests.support.events import MONDAY, AnOrder, a_smooth_order, publish

HERE_ONLY = Scope(sites=frozenset({11}))


class Choking(JourneyConsumer):
    """Cannot take events of some journeys, as long as ``chokes``."""

    def __init__(self, *journeys, kind="order.released"):
        self.journeys, self.kind, self.chokes = set(journeys), kind, True

    def take(self, work, events, prepared=None):
        super().take(work, events, prepared)
        if self.chokes and any(event.journey in self.journeys and event.type == self.kind for event in events):
            raise ValueError("this one does not go down")


class Dying(JourneyConsumer):
    """Writes its batch and then the power fails."""

    def take(self, work, events, prepared=None):
        super().take(work, events, prepared)
        raise KeyboardInterrupt


class Interrupted(JourneyConsumer):
    """Is kept from its transaction, once, by something that happens after its batch was worked out."""

    def __init__(self, happens):
        self.happens = happens

    def prepare(self, connection, events):
        prepared = super().prepare(connection, events)
        happens, self.happens = self.happens, lambda: None
        happens()
        return prepared


def parked(database):
    with reading(database) as session:
        rows = session.execute(select(ParkedEvent).order_by(ParkedEvent.seq)).scalars()
        return [(row.journey, row.waits_behind, row.error) for row in rows]


def cursor(database):
    with reading(database) as session:
        return session.execute(select(ConsumerCursor.seq)).scalar()


def count(database, table):
    with reading(database) as session:
        return session.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()


def agrees(database):
    with reading(database, snapshot=True) as session:
        result = compare_with_rebuild(session)
        return not any(table.differing for table in result.tables)


def test_a_failing_event_is_parked_with_the_later_ones_of_its_journey_and_the_rest_goes_on(database):
    publish(database, [said for identity in (1000, 2000) for said in a_smooth_order(identity)])
    runner = ConsumerRunner(database, Choking(1000), batch=100)
    done = runner.run_once()
    assert done.parked == 11
    held = parked(database)
    assert held[0] == (1000, None, "ValueError: this one does not go down")
    assert {(journey, behind) for journey, behind, _ in held[1:]} == {(1000, 3)}
    with reading(database) as session:
        assert session.execute(text("SELECT root_id, steps FROM journey WHERE id = root_id ORDER BY 1")).all() == [
            (1000, "capture,promise"),
            (2000, "capture,promise,release,allocate,pick,ship,post,invoice,invoice,post,deliver,cash,cash"),
        ]
    assert cursor(database) == 26
    assert agrees(database)


def test_events_that_come_later_wait_behind_the_parked_one(database):
    order = AnOrder(id=1000).captured().promised().released()
    publish(database, order.said)
    consumer = Choking(1000)
    runner = ConsumerRunner(database, consumer)
    runner.run_to_head()
    order.said.clear()
    publish(database, order.allocated().said)
    consumer.chokes = False
    assert runner.run_once().parked == 1
    assert [behind for _, behind, _ in parked(database)] == [None, 3]


def test_parked_events_are_replayed_in_their_order_once_they_can_be_taken(database):
    publish(database, [said for identity in (1000, 2000) for said in a_smooth_order(identity)])
    consumer = Choking(1000)
    ConsumerRunner(database, consumer, batch=100).run_once()
    assert replay_parked(database, consumer) == (0, 11)
    consumer.chokes = False
    assert replay_parked(database, consumer) == (11, 0)
    assert parked(database) == []
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees
    assert replay_parked(database, consumer) == (0, 0)


def test_an_unknown_version_is_parked_and_says_so(database):
    publish(database, AnOrder(id=1000).captured().said)
    with unit_of_work(database, actor=Actor.system("test"), clock=SetClock(MONDAY)) as work:
        work.session.execute(text("UPDATE event_head SET seq = 2"))
        work.session.execute(
            text(
                "INSERT INTO event_log SELECT 2, :id, 'order.released', 9, occurred_at, occurred_on, recorded_at, realm, "
                "entity, site, channel, customer_group, process_step, grant_id, ruleset, variants, currency, subject_type, "
                "subject_id, subject_version, journey, refs, request_id, actor, role, source, '{}' FROM event_log"
            ),
            {"id": "0" * 32 if database.is_sqlite else "00000000-0000-0000-0000-000000000000"},
        )
    ConsumerRunner(database, JourneyConsumer()).run_to_head()
    assert parked(database) == [(1000, None, f"{UnknownVersion.__name__}: order.released version 9 is unknown here")]


def test_a_crash_between_writing_and_the_commit_leaves_nothing_and_the_next_run_all(database):
    publish(database, a_smooth_order(1000))
    with pytest.raises(KeyboardInterrupt):
        ConsumerRunner(database, Dying(), batch=5).run_once()
    assert (cursor(database), count(database, "journey"), count(database, "measure_bucket")) == (None, 0, 0)
    ConsumerRunner(database, JourneyConsumer(), batch=5).run_to_head()
    assert cursor(database) == 13
    assert agrees(database)


def test_two_processes_reading_at_once_count_every_event_once(database):
    publish(database, [said for number in range(40) for said in a_smooth_order(1000 + 10 * number)])
    runners = [ConsumerRunner(database, JourneyConsumer(), batch=20) for _ in range(2)]

    def read_all(runner):
        for _ in range(400):
            runner.batch = 20
            done = runner.run_once()
            if done is not None and done.is_at_head:
                return

    threads = [threading.Thread(target=read_all, args=(runner,)) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert cursor(database) == 40 * 13
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees
        one = read_measure(session, "touchless_rate", HERE_ONLY, as_of=MONDAY + timedelta(days=2))
    assert (one.numerator, one.denominator) == (40, 40)


def test_a_batch_that_another_process_took_meanwhile_is_left_alone(database):
    publish(database, [said for number in range(4) for said in a_smooth_order(1000 + 10 * number)])
    other = ConsumerRunner(database, JourneyConsumer(), batch=20)
    runner = ConsumerRunner(database, Interrupted(other.run_once), batch=20)
    assert runner.run_once() is None
    assert cursor(database) == 20
    assert runner.run_to_head() == 32
    assert agrees(database)


def test_a_batch_worked_out_before_a_replay_is_worked_out_again(database):
    publish(database, a_smooth_order(1000))
    choking = Choking(1000)
    ConsumerRunner(database, choking).run_to_head()
    publish(database, a_smooth_order(2000))
    choking.chokes = False
    runner = ConsumerRunner(database, Interrupted(lambda: replay_parked(database, choking)))
    assert runner.run_once() is None
    assert (cursor(database), parked(database)) == (13, [])
    assert runner.run_to_head() == 13
    assert agrees(database)


def test_a_batch_worked_out_before_a_rebuild_is_worked_out_again(database):
    publish(database, a_smooth_order(1000))
    ConsumerRunner(database, JourneyConsumer()).run_to_head()
    publish(database, a_smooth_order(2000))

    def build_anew():
        with unit_of_work(database, actor=Actor.system("test")) as work:
            rebuild(work)

    runner = ConsumerRunner(database, Interrupted(build_anew))
    assert runner.run_once() is None
    assert runner.run_to_head() == 13
    assert agrees(database)


def test_others_write_while_a_batch_is_worked_out(sqlite_database):
    publish(sqlite_database, a_smooth_order(1000))
    others = Interrupted(lambda: publish(sqlite_database, a_smooth_order(2000)))
    runner = ConsumerRunner(sqlite_database, others)
    assert runner.run_once().events == 13
    assert runner.run_to_head() == 13
    assert agrees(sqlite_database)


def test_a_slice_that_a_sampler_made_meanwhile_is_not_made_twice(database):
    publish(database, a_smooth_order(1000))

    def sampled():
        with unit_of_work(database, actor=Actor.system("test")) as work:
            store = Store(work.driver, is_sqlite=database.is_sqlite, new_ids=work.ids.reserve)
            store.slice_id(SliceKey("live", 1, 11, 21, "order_to_cash", "", 41, "EUR"))

    ConsumerRunner(database, Interrupted(sampled)).run_to_head()
    assert count(database, "measure_slice") == 1
    assert agrees(database)


class Heavy(JourneyConsumer):
    """Every event after the first hundred is said to write a thousand rows."""

    def prepare(self, connection, events):
        self.rows_to_come = sum(1000 if event.seq > 100 else 1 for event in events)
        return super().prepare(connection, events)

    def rows(self, prepared):
        return self.rows_to_come


def test_a_live_batch_is_cut_before_it_writes_for_too_long(database):
    publish(database, [said for n in range(60) for said in a_smooth_order(1000 + 100 * n)])
    runner = ConsumerRunner(database, Heavy(), batch=100)
    assert runner.run_once().events == 100
    runner.batch = 400
    assert runner.run_once().events == 100
    runner.run_to_head()
    assert cursor(database) == 780
    assert agrees(database)


def test_a_paused_consumer_reads_nothing(database):
    publish(database, AnOrder(id=1000).captured().said)
    runner = ConsumerRunner(database, JourneyConsumer())
    runner.run_to_head()
    with unit_of_work(database, actor=Actor.system("test")) as work:
        work.session.execute(text("UPDATE consumer_cursor SET is_paused = :yes"), {"yes": True})
    publish(database, AnOrder(id=2000).captured().said)
    assert runner.run_once() is None
    assert cursor(database) == 1


@pytest.mark.parametrize(
    ("size", "events", "writing", "held", "next_one"),
    [
        (100, 100, 0.003, 0.01, 200),  # far from its aim: twice as many, never more
        (1000, 1000, 0.02, 0.03, 1500),  # two thirds of its aim
        (1000, 1000, 0.06, 0.06, 500),  # twice its aim
        (1000, 1000, 0.01, 0.12, 500),  # the disk was slow: half of what it held too long
        (100, 100, 0.3, 0.4, 100),  # below this the commit is what a batch costs
        (8000, 8000, 0.01, 0.02, BULK),  # as many as alone
        (1000, 10, 0.001, 0.002, 1000),  # a few events say nothing about many
        (1000, 10, 0.06, 0.06, 100),  # unless even they were slow
        (1000, 0, 0.0, 0.0, 1000),
    ],
)
def test_the_next_live_batch_is_as_long_as_its_writing_allows(size, events, writing, held, next_one):
    assert next_size(size, events, writing=writing, held=held) == next_one


def test_a_worker_far_behind_takes_long_batches(sqlite_database, monkeypatch):
    publish(sqlite_database, [said for number in range(150) for said in a_smooth_order(1000 + 10 * number)])
    monkeypatch.setattr("app.jobs.consumers.time.monotonic", lambda: 0.0)
    runner = ConsumerRunner(sqlite_database, JourneyConsumer())
    taken = [runner.run_once().events for _ in range(5)]
    assert taken == [100, 200, 400, 800, 450]


def test_a_live_batch_keeps_the_writer_of_sqlite_for_less_than_a_tenth_of_a_second(sqlite_database):
    publish(sqlite_database, [said for number in range(300) for said in a_smooth_order(1000 + 10 * number)])
    runner = ConsumerRunner(sqlite_database, JourneyConsumer())
    held = []
    while not (done := runner.run_once()).is_at_head:
        held.append(done.held)
    # The median: on a busy machine a single batch may be interrupted.
    assert sorted(held)[len(held) // 2] < 0.1


def read_at(database, key, now):
    with reading(database) as session:
        return read_measure(session, key, HERE_ONLY, as_of=now)


def test_a_reading_is_stale_when_the_consumer_never_ran(database):
    publish(database, AnOrder(id=1000).captured().said)
    one = read_at(database, "touchless_rate", MONDAY)
    assert (one.stale, one.stale_detail) == (Stale.SOURCE_MISSING, "the journeys consumer never ran")


def test_a_reading_is_stale_when_the_consumer_is_more_than_a_minute_behind(database):
    publish(database, AnOrder(id=1000).captured().said)
    ConsumerRunner(database, JourneyConsumer(), clock=SetClock(MONDAY)).run_to_head()
    later = MONDAY + timedelta(hours=1)
    assert read_at(database, "touchless_rate", later).stale is None
    publish(database, AnOrder(id=2000, at=later).captured().said)
    assert read_at(database, "touchless_rate", later + timedelta(seconds=60)).stale is None
    one = read_at(database, "touchless_rate", later + timedelta(seconds=61))
    assert (one.stale, one.stale_detail) == (Stale.CONSUMER_BEHIND, "1 events, 61 s behind")


def test_a_reading_is_stale_when_an_event_of_its_site_is_parked_and_only_then(database):
    publish(database, AnOrder(id=1000).captured().released().said)
    ConsumerRunner(database, Choking(1000)).run_to_head()
    one = read_at(database, "touchless_rate", MONDAY)
    assert (one.stale, one.stale_detail) == (Stale.PARKED_EVENT, "parked events at site 11")
    with reading(database) as session:
        elsewhere = read_measure(session, "touchless_rate", Scope(sites=frozenset({12})), as_of=MONDAY)
    assert elsewhere.stale is None
