"""The machine on screen: consumers, parked events, the audit trail, health and metrics."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update

from app.composition.subscriptions import CONSUMERS
from app.composition.uow import reading, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.events import ConsumerCursor, EventHead, EventLog, ParkedEvent
from tests.support.trail import acts
from tests.support.web import Browser, a_person, a_token


@pytest.fixture
def parked(sqlite_database, clock):
    """One event that every consumer has read up to and the first one could not take, and one that waits behind it."""
    name = CONSUMERS[0].name
    with unit_of_work(sqlite_database, actor=Actor.system("test"), clock=clock) as work:
        for seq in (1, 2):
            work.session.execute(
                insert(EventLog).values(
                    seq=seq, id=f"0195{seq:028x}", type="nobody.reads_this", version=1, occurred_at=work.now,
                    occurred_on=work.now.date(), recorded_at=work.now, realm="live", entity=1, process_step="x.y", variants="",
                    subject_type="order", subject_id=7, subject_version=1, journey=7, actor=0, role="system:test",
                    source="system", data="{}",
                )
            )  # fmt: skip
        work.session.execute(update(EventHead).values(seq=2))
        work.session.execute(insert(ConsumerCursor).values(name=name, seq=2, moved_at=work.now, is_paused=False))
        common = {"consumer": name, "journey": 7, "parked_at": work.now, "tries": 1}
        work.session.execute(insert(ParkedEvent).values(seq=1, error="ValueError: no such order", **common))
        work.session.execute(insert(ParkedEvent).values(seq=2, error="waits", waits_behind=1, **common))
    return name


def test_parked_events_show_with_their_error_and_what_waits_behind(signed_in, parked):
    page = signed_in("administrator").get("/operations")
    assert "ValueError: no such order" in page.text
    assert "waits behind 1 of the same journey" in page.text
    assert "Events parked" in page.text
    assert len(page.root.find("form", action="/operations/replay")) == 1, "only the first of a journey is replayed"


def test_the_navigation_counts_parked_events(signed_in, parked):
    page = signed_in("administrator").get("/")
    link = next(one for one in page.root.find("a", href="/operations"))
    assert [part.text for part in link.children] == ["Operations", "2"]


class _Willing:
    """Takes whatever comes, as the consumer does once its fault is mended."""

    name = CONSUMERS[0].name
    types = frozenset({"nobody.reads_this"})

    def take(self, work, events):
        pass


def test_a_replay_takes_the_journey_and_stands_in_the_audit_trail(signed_in, parked, sqlite_database, monkeypatch):
    monkeypatch.setattr("app.web.operations.views.CONSUMERS", (_Willing(),))
    browser = signed_in("administrator")
    browser.get("/operations")
    page = browser.post("/operations/replay", {"consumer": parked, "journey": "7"})
    with reading(sqlite_database) as session:
        assert session.scalar(select(func.count()).select_from(ParkedEvent)) == 0
        act = acts(session)[0]
    assert "Nothing is parked" in page.text
    assert (act.kind, act.actor) == ("parked.replayed", browser.who.id)
    assert act.facts == {"consumer": parked, "journey": 7, "taken": 2, "left": 0}


def test_what_a_replay_cannot_take_stays_parked_with_the_new_error(signed_in, parked, sqlite_database):
    browser = signed_in("administrator")
    browser.get("/operations")
    page = browser.post("/operations/replay", {"consumer": parked, "journey": "7"})
    assert "0 events were taken; 2 stay parked" in page.text
    assert "nobody.reads_this version 1 is unknown here" in page.text


def test_an_auditor_sees_parked_events_and_cannot_replay_them(signed_in, parked, sqlite_database):
    browser = signed_in("auditor")
    page = browser.get("/operations")
    assert not page.root.find("form", action="/operations/replay")
    browser.get("/account")
    browser.post("/operations/replay", {"consumer": parked}, status=403)
    with reading(sqlite_database) as session:
        assert session.scalar(select(func.count()).select_from(ParkedEvent)) == 2


def test_a_replay_for_a_consumer_that_does_not_exist_is_refused(signed_in):
    browser = signed_in("administrator")
    browser.get("/account")
    browser.post("/operations/replay", {"consumer": "nobody"}, status=404)


def test_a_consumer_more_than_a_minute_behind_is_no_evidence(signed_in, parked, sqlite_database, clock):
    with unit_of_work(sqlite_database, actor=Actor.system("test"), clock=clock) as work:
        work.session.execute(update(ConsumerCursor).values(seq=0))
        work.session.execute(ParkedEvent.__table__.delete())
    browser = signed_in("administrator")
    clock.advance(timedelta(seconds=61))
    page = browser.get("/operations")
    assert "Too far behind" in page.text
    assert "61 s" in page.text


def test_there_is_one_audit_trail_and_operations_leads_to_it_and_verifies_it(signed_in, sqlite_database, clock):
    a_person(sqlite_database, "pmo", clock=clock)
    browser = signed_in("auditor")
    page = browser.get("/operations")
    assert "/audit" in page.links()
    browser.get("/operations/audit", status=404)
    page = browser.get("/operations/audit/verify")
    assert "The chain is whole" in page.text
    assert "2 links recomputed" in page.text


def test_a_changed_act_breaks_the_chain_on_screen_and_on_the_command_line(signed_in, sqlite_database, monkeypatch):
    from click.testing import CliRunner

    from app.cli.verify_audit import verify_audit

    browser = signed_in("auditor")
    monkeypatch.setenv("WAVEGATE_DATABASE_URL", sqlite_database.url)
    assert CliRunner().invoke(verify_audit, []).exit_code == 0
    with sqlite_database.write_engine.begin() as connection:
        connection.exec_driver_sql(
            "DROP TRIGGER audit_entry_no_update"
            if sqlite_database.is_sqlite
            else "SET LOCAL session_replication_role = replica"
        )
        connection.exec_driver_sql("UPDATE audit_entry SET content = replace(content, 'auditor', 'sponsor')")
    page = browser.get("/operations/audit/verify")
    assert "The chain is broken at link 1" in page.text
    result = CliRunner().invoke(verify_audit, ["--json"])
    assert result.exit_code == 1
    assert '"broken_at": 1' in result.output


def test_watchers_learn_whether_it_lives_and_is_ready(site, sqlite_database):
    client = site.test_client()
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ok"}
    with sqlite_database.write_engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"status": "other schema"})


def test_metrics_are_for_a_token_with_the_permission(site, parked, sqlite_database, clock):
    client = site.test_client()
    who = a_person(sqlite_database, "administrator", clock=clock)
    secret = a_token(sqlite_database, who, "administrator", clock=clock, permissions=frozenset({"app:metrics:read"}))
    other = a_token(sqlite_database, who, "administrator", clock=clock, permissions=frozenset({"app:user:read"}))
    text = client.get("/metrics", headers={"Authorization": f"Bearer {secret}"}).text
    assert f'wavegate_parked_events{{name="{parked}"}} 2' in text.splitlines()
    assert "wavegate_event_seq 2" in text.splitlines()
    assert 'wavegate_requests_total{method="GET"' in text
    assert client.get("/metrics", headers={"Authorization": f"Bearer {other}"}).status_code == 403
    assert client.get("/metrics").status_code == 302


def test_the_api_is_described_for_people_too(site, signed_in):
    page = signed_in("administrator").get("/api/docs")
    for path in site.test_client().get("/api/v1/openapi.json").json["paths"]:
        assert f"/api/v1{path}" in page.text


def test_the_browser_follows_the_theme_cookie(site):
    browser = Browser(site)
    browser.client.set_cookie("wavegate-theme", "dark")
    assert browser.get("/sign-in").root.find("html")[0].attributes["data-bs-theme"] == "dark"


def test_jobs_show_their_last_run_and_who_leads(signed_in, sqlite_database, clock):
    from app.composition.jobruns import JobLease, JobRun
    from app.jobs.registry import JOBS

    names = [job.name for job in JOBS]
    begun = clock.now() - timedelta(days=9)
    with unit_of_work(sqlite_database, actor=Actor.system("test"), clock=clock) as work:
        common = {"owner": "host-1", "slot": "1"}
        work.session.add_all(
            [
                JobRun(id=1, job=names[0], state="failed", started_at=clock.now(), note="ValueError: no", **common),
                JobRun(id=2, job=names[1], state="done", started_at=begun, finished_at=begun, items=1234, **common),
                JobLease(name="worker", owner="host-1", expires_at=clock.now() + timedelta(seconds=5)),
            ]
        )
    browser = signed_in("administrator")
    text = browser.get("/operations").text
    for said in ("led by host-1", "Failed", "ValueError: no", "Silent for too long", "1,234", "Never ran"):
        assert said in text, said
    clock.advance(timedelta(seconds=5))
    assert "no worker runs" in browser.get("/operations").text
