"""Design questions: asked with options, decided by the one who was named and never by who asked, counted in a wave's scope."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.composition.question_desk import Asking, put_question
from app.composition.uow import reading
from app.queries.questions import question_rows
from erpcore.kernel.errors import Conflict, DomainError, IllegalMove, NotAllowed, RuleBroken
from governance.questions.models import DesignQuestion
from governance.questions.queries import moves_of, open_in_scope, question, waiting_for
from governance.questions.services import DecideQuestion, MoveQuestion, Option, decide_question, move_question, put_off
from tests.support.core import a_business
from tests.support.policies import approve
from tests.support.processes import PMO, acting, the_set, work_as
from tests.support.queries import queries
from tests.support.web import a_person

TODAY = date(2026, 3, 2)
OPTIONS = (Option(title="Desk", consequences="faster"), Option(title="Lead", consequences="safer"))


@pytest.fixture
def judge(database, clock):
    the_set(database, clock)
    return acting(a_person(database, "process_owner", clock=clock).id, "process_owner")


def asking(judge, **changes):
    return Asking(
        **{
            "title": "Who overrides?", "question": "Desk or lead?", "process": "order_to_cash", "options": OPTIONS,
            "decider": judge.id, "due_on": TODAY + timedelta(days=7), **changes,
        }
    )  # fmt: skip


def ask(database, clock, judge, *, by=PMO, **changes):
    with work_as(database, clock, by) as work:
        return put_question(work, asking(judge, **changes)).id


def decide(database, clock, key, who, at=0, **changes):
    with reading(database) as session:
        option = question(session, key).options[at].id
    with work_as(database, clock, who) as work:
        return decide_question(
            work, DecideQuestion(**{"question": key, "option": option, "reason": "agreed", **changes})
        ).state


def test_a_question_is_decided_by_whoever_was_named_with_an_option_and_a_reason(database, clock, judge):
    variant = approve(a_business(database, at=clock.now()), "partial_shipment", False)
    named = {"points": ("override_authority",), "steps": ("order_to_cash.capture",), "variants": (variant,)}
    key = ask(database, clock, judge, **named)
    with reading(database) as session:
        assert [one.id for one in waiting_for(session, judge.id)] == [key]
    assert decide(database, clock, key, judge, at=1) == "decided"
    with reading(database) as session:
        found = question(session, key)
        assert (found.options[1].id, found.decision, found.decided_by) == (found.option, "agreed", judge.id)
        assert sorted(found.links) == [
            ("policy_point", "override_authority"), ("step", "order_to_cash.capture"), ("variant", str(variant)),
        ]  # fmt: skip
        assert waiting_for(session, judge.id) == []


def test_who_asked_and_who_was_not_named_do_not_decide(database, clock, judge):
    key = ask(database, clock, judge, by=replace(judge, id=501))
    for who, code in ((replace(judge, id=501), "own_request"), (replace(judge, id=502), "question_of_another")):
        with pytest.raises(NotAllowed, match=code):
            decide(database, clock, key, who)
    with pytest.raises(RuleBroken, match="decider_asks"):
        ask(database, clock, judge, by=judge)
    with reading(database) as session:
        assert question(session, key).state == "open"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": " "}, "question_incomplete"),
        ({"question": " "}, "question_incomplete"),
        ({"title": "x" * 201}, "text_too_long"),
        ({"options": OPTIONS[:1]}, "question_options"),
        ({"options": (OPTIONS[0], Option(title="Lead", consequences=" "))}, "option_incomplete"),
        ({"process": "dancing"}, "question_process"),
        ({"steps": ("order_to_cash.dance",)}, "question_step"),
        ({"points": ("gravity",)}, "policy_point_unknown"),
        ({"decider": 999}, "person_unknown"),
        ({"due_on": TODAY - timedelta(days=1)}, "due_in_the_past"),
        ({"site": 999}, "site_unknown"),
        ({"channel": 999}, "channel_unknown"),
        ({"variants": (999,)}, "variant_unknown"),
    ],
)
def test_a_question_that_nobody_could_decide_is_refused_and_not_there(database, clock, judge, changes, code):
    with pytest.raises(DomainError, match=code):
        ask(database, clock, judge, **changes)
    with reading(database) as session:
        assert session.scalar(select(func.count()).select_from(DesignQuestion)) == 0


def test_an_option_of_another_question_a_version_seen_before_and_a_second_decision_are_refused(database, clock, judge):
    first, second = ask(database, clock, judge), ask(database, clock, judge)
    with reading(database) as session:
        foreign = question(session, second).options[0].id
    with pytest.raises(RuleBroken, match="option_unknown"):
        decide(database, clock, first, judge, option=foreign)
    with work_as(database, clock, PMO) as work:
        put_off(work, first, TODAY + timedelta(days=9), today=TODAY, reason="the council meets later")
    with pytest.raises(Conflict):
        decide(database, clock, first, judge, seen_version=1)
    assert decide(database, clock, first, judge, seen_version=2) == "decided"
    with pytest.raises(IllegalMove):
        decide(database, clock, first, judge)


def test_a_decided_question_is_opened_again_and_its_history_keeps_what_was_decided(database, clock, judge):
    key = ask(database, clock, judge)
    decide(database, clock, key, judge)
    with work_as(database, clock, judge) as work:
        move_question(work, MoveQuestion(question=key, move="reopen", reason="the pilot showed otherwise"))
    with reading(database) as session:
        assert (question(session, key).state, question(session, key).option) == ("open", None)
        assert [one.move for one in moves_of(session, key)] == ["reopen", "decide"]
        assert "Desk" in moves_of(session, key)[1].facts


def test_open_questions_count_in_the_scope_of_a_wave(database, clock, judge):
    business = a_business(database, at=clock.now())
    ask(database, clock, judge)
    ask(database, clock, judge, site=business.site)
    ask(database, clock, judge, site=business.site, channel=business.channel, process="warehouse")
    withdrawn = ask(database, clock, judge)
    with work_as(database, clock, PMO) as work:
        move_question(work, MoveQuestion(question=withdrawn, move="withdraw", reason="asked twice"))
    with reading(database) as session:
        here = {"sites": [business.site], "channels": [business.channel]}
        assert open_in_scope(session, processes=["order_to_cash"], **here) == {"order_to_cash": 2}
        both = open_in_scope(session, processes=["order_to_cash", "warehouse"], **here)
        assert both == {"order_to_cash": 2, "warehouse": 1}
        assert open_in_scope(session, processes=["order_to_cash"], sites=[1], channels=[1]) == {"order_to_cash": 1}
        assert open_in_scope(session, processes=["warehouse"], sites=[business.site], channels=[1]) == {}
        assert open_in_scope(session, processes=["record_to_report"], **here) == {}


def test_age_and_lateness_are_derived_and_another_sites_question_is_not_seen(database, clock, judge):
    business = a_business(database, at=clock.now())
    key = ask(database, clock, judge, site=business.site)
    clock.set(clock.now() + timedelta(days=8))
    with reading(database) as session:
        (row,) = question_rows(session, judge, clock.now())
        assert (row.view.id, row.age_days, row.standing, row.where) == (key, 8, "late", "Duisburg")
        assert question_rows(session, replace(judge, sites=frozenset({1})), clock.now()) == []


def test_the_day_of_a_question_ends_where_its_site_stands_and_at_utc_where_it_holds_everywhere(database, clock, judge):
    business = a_business(database, at=clock.now())
    clock.set(datetime(2026, 3, 9, 22, 30, tzinfo=UTC))
    here, everywhere = (ask(database, clock, judge, site=site) for site in (business.site, None))
    clock.set(datetime(2026, 3, 9, 23, 30, tzinfo=UTC))  # half past midnight in Duisburg
    with queries(database) as ran, reading(database) as session:
        rows = {row.view.id: row for row in question_rows(session, judge, clock.now())}
    assert len([one for one in ran.statements if one.startswith("SELECT")]) == 9
    assert [(rows[key].standing, rows[key].age_days) for key in (here, everywhere)] == [("late", 1), ("open", 0)]
    with pytest.raises(RuleBroken, match="due_in_the_past"):
        ask(database, clock, judge, site=business.site)
    ask(database, clock, judge)
