"""Where a gate's figures come from: the cells themselves live, their twins in another realm, and nothing where there is none."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import orjson
import pytest
from click.testing import CliRunner

from app.cli import cli
from app.composition.evidence import MeasuredReadings, _asked, _twins, evaluate_open_gates
from erpcore.masterdata.models import Entity, Site
from readiness.gates.criteria import Evidence
from readiness.gates.ports import ReadingRequest
from readiness.gates.rules import GateWord
from tests.support.rollout import BREMEN, HAMBURG, WEB, WHOLESALE, a_rollout, a_spec

LIVE, PRACTICE, OLD = 1, 2, 3


def an_entity(id_, realm, twin=None):
    return Entity(
        id=id_,
        code=f"E{id_}",
        name="Nord",
        realm=realm,
        twin_id=twin,
        country="DE",
        currency="EUR",
        time_zone="Europe/Berlin",
    )


def a_site(id_, entity, twin=None):
    return Site(
        id=id_, entity_id=entity, twin_id=twin, code=f"S{id_}", name="Hamburg", kind="branch", country="DE",
        time_zone="Europe/Berlin", opens_at=time(8), closes_at=time(18),
    )  # fmt: skip


def a_request(*cells, realm="live", **given):
    return ReadingRequest(
        **{
            "scope": "all",
            "measure": "fill_rate_lines",
            "statistic": None,
            "version": 1,
            "realm": realm,
            "cells": cells,
            **given,
        }
    )


@pytest.fixture
def sites(database):
    rollout = a_rollout(database, gate=False)
    with rollout.job() as work:
        work.session.add(an_entity(LIVE, "live"))
        work.session.flush()
        work.session.add_all([an_entity(PRACTICE, "rehearsal", LIVE), an_entity(OLD, "legacy", LIVE)])
        work.session.add_all([a_site(HAMBURG, LIVE), a_site(BREMEN, LIVE)])
        work.session.flush()
        work.session.add_all([a_site(911, PRACTICE, HAMBURG), a_site(811, OLD, HAMBURG), a_site(912, PRACTICE, BREMEN)])
    return rollout


def asked(rollout, request):
    with rollout.look() as session:
        return _asked(request, _twins(session, [request]))


def test_live_evidence_reads_the_cells_themselves(sites):
    found = asked(sites, a_request((HAMBURG, WHOLESALE)))
    assert (found.scope.realm, found.scope.sites, found.scope.channels) == ("live", {HAMBURG}, {WHOLESALE})


def test_a_rehearsal_reads_the_twins_of_that_realm(sites):
    found = asked(sites, a_request((HAMBURG, WHOLESALE), (BREMEN, WHOLESALE), realm="rehearsal"))
    assert (found.scope.realm, found.scope.sites) == ("rehearsal", {911, 912})


def test_legacy_evidence_without_a_twin_is_not_asked_for_at_all(sites):
    assert asked(sites, a_request((HAMBURG, WHOLESALE), realm="legacy")).scope.sites == {811}
    assert asked(sites, a_request((HAMBURG, WHOLESALE), (BREMEN, WHOLESALE), realm="legacy")) is None
    assert asked(sites, a_request()) is None


def test_cells_that_are_no_rectangle_are_read_as_they_are(sites):
    found = asked(sites, a_request((HAMBURG, WHOLESALE), (HAMBURG, WEB), (BREMEN, WHOLESALE)))
    assert found.scope.cells == {(HAMBURG, WHOLESALE), (HAMBURG, WEB), (BREMEN, WHOLESALE)}
    assert not asked(sites, a_request((HAMBURG, WHOLESALE), (BREMEN, WHOLESALE))).scope.cells


def test_a_statistic_and_a_group_go_with_the_question(sites):
    found = asked(
        sites,
        a_request((HAMBURG, WHOLESALE), measure="order_cycle_time", statistic="p90", customer_group=5, window_days=7),
    )
    assert (found.key, found.scope.customer_group, found.window_days, found.scope.name) == (
        "order_cycle_time.p90",
        5,
        7,
        "all",
    )


def test_a_gate_over_a_log_that_nobody_has_read_has_no_evidence(sites):
    gate = sites.freeze(
        sites.wave, (a_spec(), a_spec("books", measure="control_difference", pass_mark=Decimal(0), warn_mark=None))
    )
    sites.later(hours=1)

    (kept,) = evaluate_open_gates(sites.database, readings=MeasuredReadings(), clock=sites.clock)

    assert (kept.gate_id, kept.word) == (gate, GateWord.NOT_READY)
    assert {each["verdict_code"] for each in kept.content["criteria"]} == {"source_missing"}


def test_a_cell_without_twins_has_no_evidence_however_good_the_others_are(sites):
    sites.freeze(sites.wave, (a_spec(evidence=Evidence.LEGACY, key=True),))
    (kept,) = evaluate_open_gates(sites.database, readings=MeasuredReadings(), clock=sites.clock)
    assert kept.word == GateWord.NOT_READY_NO_EVIDENCE
    assert kept.content["criteria"][0]["verdict_code"] == "source_missing"


@pytest.fixture
def shell(database_url, database, monkeypatch):
    monkeypatch.setenv("WAVEGATE_DATABASE_URL", database_url)

    def run(*words):
        result = CliRunner().invoke(cli, words)
        assert result.exit_code == 0, result.output
        return result.output

    return a_rollout(database), run


def test_gates_as_json_say_verdict_score_criteria_and_reasons(shell):
    rollout, run = shell

    (gate,) = orjson.loads(run("gates", "--json"))

    assert (gate["wave"], gate["gate"], gate["verdict"], gate["score"]) == ("W2", "entry", "ready", 1.0)
    assert gate["reasons"] == ["The score of 100 % meets 90 %"]
    assert [(each["code"], each["measure"], each["verdict"], each["count"]) for each in gate["criteria"]] == [
        ("invoices", "invoice_right_at_posting", "pass", 400)
    ]
    assert rollout.gate


def test_a_gate_that_was_never_evaluated_is_listed_as_not_ready_without_evidence(shell):
    rollout, run = shell
    wave = rollout.plan("W3", ((13, WEB),), (datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=60)).date())
    rollout.freeze(wave, (a_spec(),))
    gate = next(each for each in orjson.loads(run("gates", "--json")) if each["wave"] == "W3")
    assert (gate["verdict"], gate["score"], gate["reasons"], gate["criteria"]) == (
        "not ready: no evidence", None, ["Not evaluated yet"], [],
    )  # fmt: skip


def test_listings_of_waves_grants_and_decisions_are_tables_and_json(shell):
    rollout, run = shell
    decision = rollout.open()
    rollout.all_vote(decision)
    rollout.close(decision)
    assert [each["code"] for each in orjson.loads(run("waves", "--json"))] == ["W2"]
    assert [each["state"] for each in orjson.loads(run("grants", "--json", "--wave", "W2"))] == ["open", "open"]
    assert [each["outcome"] for each in orjson.loads(run("decisions", "--json", "--search", "live?"))] == ["go"]
    assert orjson.loads(run("decisions", "--json", "--wave", "nowhere")) == []
    assert "ready" in run("gates")
