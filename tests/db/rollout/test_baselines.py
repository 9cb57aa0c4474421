"""What figures read before the programme: computed or typed, comparable or not, kept for good, shown beside every reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from app.composition.baselines import TakeBaseline, record_typed, say_who_answers, take_baseline
from app.composition.uow import reading
from app.identity.services import close_account
from app.queries.baselines import owner_desk
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from readiness.gates.evaluation import evaluate_gate
from readiness.measures import catalogue
from readiness.measures.baselines import NameOwner, TypeBaseline, baselines, history, nearest, owners
from readiness.measures.models import BaselineRow, MeasureOwnerRow
from tests.support.rollout import FakeReadings
from tests.support.steering import READY, a_programme


@pytest.fixture
def steered(database, clock):
    return a_programme(database, clock, evaluated=None)


def typed(**given):
    return TypeBaseline(
        **{
            "figure": "invoice_right_at_posting", "site": None, "value": Decimal("0.91"), "period_from": date(2025, 10, 1),
            "period_until": date(2026, 1, 1), "completeness": Decimal("0.95"), "method": "All invoices posted.",
            "source": "Billing report of January 2026", "is_comparable": True, **given,
        }
    )  # fmt: skip


def kept(steered):
    with reading(steered.database) as session:
        return session.query(BaselineRow).count(), session.query(MeasureOwnerRow).count()


def known(steered, *sites):
    with reading(steered.database) as session:
        return baselines(session, sites)


def test_a_typed_baseline_stands_beside_figures_and_the_newest_counts(steered):
    site = steered.business.site
    with steered.work() as work:
        record_typed(work, typed())
        work.session.flush()
        record_typed(work, typed(value=Decimal("0.92")))
        record_typed(work, typed(site=site, value=Decimal("0.87"), is_comparable=False, why_not="credits left out"))
    found = known(steered, None, site)
    assert found["invoice_right_at_posting", None].value == Decimal("0.92")
    own = nearest(found, "invoice_right_at_posting", {site})
    assert (own.value, own.is_comparable, own.why_not) == (Decimal("0.87"), False, "credits left out")
    assert nearest(found, "invoice_right_at_posting", {site, site + 1}).value == Decimal("0.92")
    assert nearest(found, "fill_rate_lines", {site}) is None
    with reading(steered.database) as session:
        assert [one.value for one in history(session, "invoice_right_at_posting")] == [
            Decimal("0.87"),
            Decimal("0.92"),
            Decimal("0.91"),
        ]


def test_the_record_made_last_counts_whatever_numbers_the_records_have(steered, clock):
    """Each process hands out ids of its own block: a later record may have the lower one."""
    later, figure = clock.now(), "invoice_right_at_posting"
    with steered.work() as work:
        for number, at, value in ((900, later - timedelta(days=1), "0.91"), (100, later, "0.92")):
            row = BaselineRow(
                id=number, figure=figure, version=1, site_id=None, kind="typed", realm=None, value=Decimal(value), count=None,
                period_from=date(2025, 10, 1), period_until=date(2026, 1, 1), completeness=Decimal(1), method="All.",
                source="Report", is_comparable=True, why_not="", recorded_by=work.actor.id, recorded_at=at,
            )  # fmt: skip
            work.session.add(row)
        for number, at, person in ((900, later - timedelta(days=1), steered.finance), (100, later, steered.chair)):
            owner = MeasureOwnerRow(
                id=number, measure=figure, person_id=person.id, reason="x", recorded_by=work.actor.id, since=at
            )
            work.session.add(owner)
    assert known(steered, None)[figure, None].value == Decimal("0.92")
    with reading(steered.database) as session:
        assert [one.id for one in history(session, figure)] == [100, 900]
        assert owners(session) == {figure: steered.chair.id}


def test_a_formula_that_has_changed_since_makes_a_baseline_not_comparable(steered, monkeypatch):
    with steered.work() as work:
        record_typed(work, typed())
    measure = catalogue.MEASURES["invoice_right_at_posting"]
    monkeypatch.setitem(catalogue.MEASURES, measure.key, replace(measure, version=measure.version + 1))
    one = known(steered, None)["invoice_right_at_posting", None]
    assert (one.is_comparable, one.why_not) == (False, "made by version 1 of the formula; it is 2 now")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"source": " "}, "baseline_source_missing"),
        ({"method": ""}, "baseline_method_missing"),
        ({"is_comparable": False}, "baseline_why_not_missing"),
        ({"completeness": Decimal("1.01")}, "baseline_completeness"),
        ({"value": Decimal(91)}, "baseline_absurd"),
        ({"value": Decimal("NaN")}, "baseline_absurd"),
        ({"period_until": date(2025, 10, 1)}, "end_before_start"),
        ({"period_until": date(2026, 3, 3)}, "baseline_not_over"),
        ({"period_from": date.min}, "baseline_too_old"),
        ({"period_until": date.max}, "baseline_not_over"),
        ({"site": 4711}, "site_not_live"),
    ],
)
def test_a_baseline_that_cannot_be_is_refused_and_nothing_is_kept(steered, given, code):
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        record_typed(work, typed(**given))
    assert refused.value.code == code
    assert kept(steered) == (0, 0)


def test_nothing_measured_is_no_baseline_and_no_legacy_site_has_none(steered):
    for given, code in (
        ({"realm": "live"}, "baseline_nothing_measured"),
        ({"realm": "legacy"}, "baseline_no_twin"),
        ({"realm": "training"}, "baseline_realm"),
        ({"period_until": date(2026, 2, 1)}, "end_before_start"),
        ({"period_from": date.min}, "baseline_too_old"),
        ({"period_until": date.max}, "baseline_not_over"),
    ):
        command = TakeBaseline(
            **{
                "figure": "invoice_right_at_posting", "realm": "live", "site": steered.business.site,
                "period_from": date(2026, 2, 1), "period_until": date(2026, 3, 1), "method": "Our events.", **given,
            }
        )  # fmt: skip
        with pytest.raises(RuleBroken) as refused, steered.work() as work:
            take_baseline(work, command)
        assert refused.value.code == code
    with pytest.raises(NotFound), steered.work() as work:
        take_baseline(work, replace(command, figure="happiness", period_until=date(2026, 3, 1)))
    assert kept(steered) == (0, 0)


def test_a_baseline_is_never_changed_nor_deleted(steered):
    with steered.work() as work:
        record_typed(work, typed())
        say_who_answers(work, NameOwner(measure="fill_rate_lines", person=steered.chair.id, reason="owns it"))
    for statement in (
        "UPDATE measure_baseline SET value = 990000",
        "DELETE FROM measure_baseline",
        "DELETE FROM measure_owner",
    ):
        with pytest.raises(DatabaseError, match="is history"), steered.work() as work:
            work.session.execute(text(statement))
    assert kept(steered) == (1, 1)


def test_an_evaluation_keeps_what_the_figure_read_before_and_no_verdict_depends_on_it(steered, clock):
    readings = FakeReadings({"invoice_right_at_posting": READY})
    with reading(steered.database) as session:
        without = evaluate_gate(session, steered.gate, readings=readings, now=clock.now())
    with steered.work() as work:
        record_typed(work, typed(is_comparable=False, why_not="credits left out"))
    with reading(steered.database) as session:
        found = evaluate_gate(session, steered.gate, readings=readings, now=clock.now())
    lines = {line["measure"]: line["before"] for line in found.content["criteria"]}
    assert lines["invoice_right_at_posting"] == {
        "value": Decimal("0.91"), "site": None, "from": date(2025, 10, 1), "until": date(2026, 1, 1), "comparable": False,
        "kind": "typed",
    }  # fmt: skip
    assert lines[None] is None
    assert (found.word, found.score) == (without.word, without.score)


def test_each_measure_has_one_owner_and_who_has_left_is_a_gap(steered):
    with steered.work() as work:
        say_who_answers(work, NameOwner(measure="fill_rate_lines", person=steered.finance.id, reason="first"))
        work.session.flush()
        say_who_answers(work, NameOwner(measure="fill_rate_lines", person=steered.chair.id, reason="takes over"))
        say_who_answers(work, NameOwner(measure="otif_lines", person=steered.finance.id, reason="first"))
    with reading(steered.database) as session:
        assert owners(session) == {"fill_rate_lines": steered.chair.id, "otif_lines": steered.finance.id}
    with steered.work() as work:
        close_account(work, steered.finance.id, reason="left")
        say_who_answers(work, NameOwner(measure="fill_rate_lines", person=steered.chair.id, reason="still"))
    with reading(steered.database) as session:
        rows = {row.measure.key: row for row in owner_desk(session)}
    assert (rows["fill_rate_lines"].is_gap, rows["otif_lines"].is_gap, rows["otif_lines"].has_left) == (
        False,
        True,
        True,
    )
    assert sum(row.is_gap for row in rows.values()) == len(catalogue.MEASURES) - 1
    assert kept(steered) == (0, 3)
    with pytest.raises(NotFound), steered.work() as work:
        say_who_answers(work, NameOwner(measure="happiness", person=steered.chair.id, reason="x"))
    with pytest.raises(RuleBroken), steered.work() as work:
        say_who_answers(work, NameOwner(measure="otif_lines", person=None, reason=" "))


def test_who_answers_for_some_sites_speaks_for_none_of_all(steered):
    def some(work, permissions):
        work.actor = replace(work.actor, sites=frozenset({steered.business.site}), permissions=permissions)
        return work

    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        record_typed(some(work, frozenset({"readiness:baseline:record"})), typed())
    assert refused.value.code == "baseline_of_all"
    with pytest.raises(NotAllowed), steered.work() as work:
        record_typed(some(work, frozenset()), typed(site=steered.business.site))
    assert kept(steered) == (0, 0)
