"""Figures that differ from the events are found by the proof and put right by the command that it names."""

from __future__ import annotations

import json

from click.testing import CliRunner
from sqlalchemy import text

from app.cli import cli
from app.composition.coverage import read_coverage
from app.composition.uow import reading, unit_of_work
from app.jobs.consumers import ConsumerRunner
from erpcore.kernel.actor import Actor
from readiness.conformance.consumer import ConformanceConsumer
from readiness.measures.consumer import JourneyConsumer
from tests.support.core import a_business
from tests.support.steps import released


def test_what_differs_from_the_events_is_built_anew_and_agrees_again(database, monkeypatch):
    business = a_business(database)
    released(business)
    for consumer in (JourneyConsumer(), ConformanceConsumer(read_coverage)):
        ConsumerRunner(database, consumer, clock=business.clock).run_to_head()
    with unit_of_work(database, actor=Actor.system("test")) as work:
        work.session.execute(text("UPDATE journey SET released_at = NULL WHERE kind = 'order'"))
        work.session.execute(text("UPDATE conformance_journey SET customer_group = 4711"))
    monkeypatch.setenv("WAVEGATE_DATABASE_URL", database.url)
    run = CliRunner().invoke

    def differing():
        found = json.loads(run(cli, ["prove", "--rebuild", "--json"]).output)
        return [row["what"] for row in found["totals"] if row["control"] == "rebuild" and row["difference"]]

    assert differing() == ["journey = rebuilt from the events", "conformance_journey = judged anew from the events"]
    with reading(database) as session:
        read_to = session.execute(text("SELECT seq FROM consumer_cursor WHERE name = 'journeys'")).scalar_one()
    done = run(cli, ["rebuild", "--json"])
    assert (done.exit_code, json.loads(done.output)) == (0, {"read_to": read_to, "judged_to": read_to})
    assert differing() == []
    with reading(database) as session:
        kept = session.execute(text("SELECT kind, subject_id FROM audit_entry WHERE kind = 'figures_rebuilt'")).all()
        assert [tuple(row) for row in kept] == [("figures_rebuilt", read_to)]
