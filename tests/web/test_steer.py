"""Programme, waves, gates, votes and measures as people use them; every page is checked as it is loaded."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.composition.question_desk import Asking, put_question
from app.composition.uow import reading
from governance.decisions.models import Vote
from governance.decisions.queries import decision_view
from governance.questions.services import Option
from readiness.gates.models import GateSnapshot, WaiverRecord
from readiness.waves.models import Grant, Wave
from tests.support.processes import PMO, the_set, work_as
from tests.support.queries import MOST, queries
from tests.support.rollout import a_spec
from tests.support.steering import WEAK, a_programme
from tests.support.web import Browser, a_person


@pytest.fixture
def steered(sqlite_database, clock):
    return a_programme(sqlite_database, clock)


@pytest.fixture
def as_person(site):
    def sign_in(who):
        browser = Browser(site)
        browser.sign_in(who)
        return browser

    return sign_in


def rows(steered, model):
    with reading(steered.database) as session:
        found = session.query(model).all()
        session.expunge_all()
        return found


def view(steered, decision):
    with reading(steered.database) as session:
        return decision_view(session, decision, now=steered.clock.now())


def ballot(browser, decision, **fields):
    """Load the vote page and send it with these fields."""
    page = browser.get(f"/decisions/{decision}/vote")
    form = {name: page.value(name) for name in ("seat", "terms", "request_key")}
    return form, lambda **more: browser.post(
        f"/decisions/{decision}/vote", {**form, **fields, **more.pop("also", {})}, **more
    )


PAGES = ("/", "/programme", "/waves", "/waves/{wave}", "/gates/{gate}", "/gates/{gate}/criteria/invoices",
         "/gates/{gate}/criteria/tax", "/gates/{gate}/evaluations", "/gates/{gate}/as-now-known", "/decisions",
         "/decisions/{decision}", "/decisions/{decision}/vote", "/committees/{steering}", "/measures", "/measures/otif_lines",
         "/measures/order_cycle_time.p90", "/measures/silent_failures", "/measures/silent-failures/order%20release", "/proof",
         "/proof?part=stock", "/proof?part=orders", "/proof?part=billing", "/proof?part=ledger", "/proof?part=events", "/proof?part=papers")  # fmt: skip


def test_every_page_is_whole_and_asks_the_database_25_times_at_most(steered, as_person):
    decision = steered.open()
    steered.ask(decision)
    browser = as_person(steered.chair)
    many = {}
    for pattern in PAGES:
        path = pattern.format(wave=steered.wave, gate=steered.gate, decision=decision, steering=steered.steering)
        with queries(steered.database) as ran:
            browser.get(path)
        if len(ran) > MOST:
            many[path] = len(ran)
    assert many == {}


@pytest.mark.parametrize(
    "path",
    ["/waves/999", "/gates/999", "/gates/999/evaluations", "/decisions/999", "/committees/999", "/programmes/999", "/journeys/999",
     "/measures/nonsense", "/waivers/999", "/gates/{gate}?evaluation=99", "/gates/{gate}/criteria/nonsense",
     "/measures/silent-failures/nonsense", "/decisions/new?wave=999", f"/waves/{2**63}"],
)  # fmt: skip
def test_what_does_not_exist_is_not_found(steered, as_person, path):
    as_person(steered.office).get(path.format(gate=steered.gate), status=404)


def test_a_wave_counts_the_design_questions_that_are_open_in_its_scope(steered, as_person, clock):
    the_set(steered.database, clock)
    judge, far = a_person(steered.database, "process_owner", clock=clock).id, steered.another_site()
    places = ({}, {"site": steered.business.site}, {"site": far}, {"process": "record_to_report"})
    with work_as(steered.database, clock, PMO) as work:
        for place in places:
            asking = {
                "title": "Who overrides?", "question": "Desk or lead?", "process": "order_to_cash", "decider": judge,
                "options": (Option(title="Desk", consequences="faster"), Option(title="Lead", consequences="safer")),
                "due_on": work.now.date() + timedelta(days=7), **place,
            }  # fmt: skip
            put_question(work, Asking(**asking))
    office = as_person(steered.office)
    with queries(steered.database) as ran:
        page = office.get(f"/waves/{steered.wave}")
    assert "2 open design questions about Order to cash in its scope" in page.text
    assert "/questions?process=order_to_cash&standing=open" in page.links()
    assert len(ran) <= MOST
    page = office.get("/questions?process=order_to_cash&standing=open")
    assert page.text.count("Who overrides?") == 3


def test_today_shows_the_vote_that_waits_and_leads_to_it(steered, as_person):
    decision = steered.open()
    browser = as_person(steered.chair)
    page = browser.get("/")
    assert "Vote: Go-live of W2" in page.text
    assert f"/decisions/{decision}/vote" in page.links()
    assert "W2 goes live in 21 days" in page.text
    assert "Vote: Go-live of W2" not in as_person(steered.office).get("/").text


def test_a_gate_answers_with_verdict_score_seats_criteria_and_snapshot_in_this_order(steered, as_person):
    steered.open()
    page = as_person(steered.chair).get(f"/gates/{steered.gate}")
    (kept,) = rows(steered, GateSnapshot)
    order = [
        "evaluation 1", "Ready", "The score of 100 % meets 90 %", "Score", "100.0", "Decision", "Dr. Katrin Voss, Chair",
        "Criteria", "2 pass", "Invoices", "≥ 95 %", "warn ≥ 90 % · value", "100 %", "99.05 – 100", "400 invoices", "400 of 400",
        "Tax opinion", "Stated", "Waivers", "Changed", "Forecast", "Snapshot",
    ]  # fmt: skip
    at = 0
    for words in order:
        found = page.text.find(words, at)
        assert found >= 0, f"'{words}' is missing after '{page.text[max(0, at - 60) : at]}'"
        at = found
    assert " ".join(kept.sha256[i : i + 4] for i in range(0, 32, 4)) in page.text


def test_evaluating_now_keeps_one_evaluation_however_often_the_button_is_pressed(steered, as_person):
    browser = as_person(steered.office)
    browser.get(f"/gates/{steered.gate}")
    browser.post(f"/gates/{steered.gate}/evaluate", {"seen": "1"})
    assert "Evaluation 2 is kept" in browser.page.text
    browser.post(f"/gates/{steered.gate}/evaluate", {"seen": "1"})
    assert "Evaluation 2 was made meanwhile" in browser.page.text
    assert sorted(one.number for one in rows(steered, GateSnapshot)) == [1, 2]


def test_a_vote_is_bound_to_its_snapshot_and_sending_it_twice_counts_once(steered, as_person):
    decision = steered.open()
    browser = as_person(steered.chair)
    form, send = ballot(browser, decision, choice="go", reason="as shown")
    assert f"Binds to snapshot {rows(steered, GateSnapshot)[0].sha256[:8]}" in browser.page.text
    send()
    browser.get(f"/decisions/{decision}/vote")
    send()
    assert [(vote.choice, vote.reason) for vote in rows(steered, Vote)] == [("go", "as shown")]
    assert form["terms"] == "1"


def test_a_vote_without_reason_is_refused_and_what_was_written_stays(steered, as_person):
    decision = steered.open()
    browser = as_person(steered.chair)
    _, send = ballot(browser, decision, choice="postpone", postpone_to="2026-04-08")
    page = send(status=422)
    assert page.errors()[0].startswith("Reason: ")
    assert page.value("postpone_to") == "2026-04-08"
    assert rows(steered, Vote) == []


def test_a_vote_can_be_changed_until_the_vote_closes_and_not_afterwards(steered, as_person, clock):
    decision = steered.open()
    browser = as_person(steered.chair)
    ballot(browser, decision, choice="go", reason="as shown")[1]()
    ballot(browser, decision, choice="no_go", reason="I have seen the docks")[1]()
    (mine,) = [seat.vote for seat in view(steered, decision).seats if seat.vote]
    assert (mine.choice, mine.reason) == ("no_go", "I have seen the docks")
    _, late = ballot(browser, decision, choice="go", reason="after all")
    clock.advance(timedelta(days=2))
    browser.sign_in(steered.chair)
    browser.get("/decisions")
    page = late(status=422)
    assert "is closed, so nothing is counted any more" in page.errors()[0]


def test_choices_that_the_gate_does_not_allow_are_closed_with_the_reason(steered, as_person):
    steered.evaluate(WEAK)
    decision = steered.open()
    browser = as_person(steered.chair)
    page = browser.get(f"/decisions/{decision}/vote")
    values = [one.attributes["value"] for one in page.root.find("input", type="radio") if "value" in one.attributes]
    assert values == ["postpone", "no_go"]
    assert "closed: the gate reads not ready" in page.text
    _, send = ballot(browser, decision, choice="go", reason="I want it")
    send(status=422)
    assert rows(steered, Vote) == []


def test_new_evidence_under_an_open_vote_is_a_conflict_that_keeps_the_words(steered, as_person):
    decision = steered.open()
    browser = as_person(steered.chair)
    _, send = ballot(browser, decision, choice="go", reason="carefully written")
    steered.ask(decision)
    page = send(status=422)
    assert "The terms have changed" in page.text
    assert page.value("reason") == "carefully written"
    assert page.value("terms") == "2"
    assert rows(steered, Vote) == []


def test_nobody_votes_for_a_seat_that_is_not_theirs(steered, as_person):
    decision = steered.open()
    browser = as_person(steered.chair)
    _, send = ballot(browser, decision, choice="go", reason="as shown")
    other = next(seat.id for seat in view(steered, decision).seats if seat.function == "Finance")
    send(also={"seat": str(other)}, status=403)
    browser.get(f"/decisions/{decision}/vote")
    send(also={"seat": "1"}, status=404)
    as_person(steered.office).get(f"/decisions/{decision}/vote", status=403)
    assert rows(steered, Vote) == []


def test_a_recused_seat_leaves_the_vote(steered, as_person):
    decision = steered.open()
    browser = as_person(steered.finance)
    browser.get(f"/decisions/{decision}")
    browser.post(f"/decisions/{decision}/recuse", {"reason": "my firm sells the scanners"})
    assert view(steered, decision).tally.eligible == 2
    browser.get(f"/decisions/{decision}")
    browser.post(f"/decisions/{decision}/recuse", {"reason": "again"}, status=404)


def test_a_closed_vote_opens_the_cells_in_the_same_step_and_the_page_says_so(steered, as_person):
    decision = steered.open()
    for who in (steered.chair, steered.finance, steered.warehouse):
        ballot(as_person(who), decision, choice="go", reason="as shown")[1]()
    office = as_person(steered.office)
    office.get(f"/decisions/{decision}")
    page = office.post(f"/decisions/{decision}/close")
    assert "Go. 4 grants are open" in page.text
    assert {grant.state for grant in rows(steered, Grant)} == {"open"}
    assert rows(steered, Wave)[0].state == "live"
    page = office.post(f"/decisions/{decision}/close", status=422)
    assert "is closed" in page.text


def test_a_vote_that_can_still_change_is_not_closed_and_says_why(steered, as_person):
    decision = steered.open()
    office = as_person(steered.office)
    page = office.get(f"/decisions/{decision}")
    assert "it runs until" in page.text
    assert "0 of 3 have voted" in page.text
    office.post(f"/decisions/{decision}/close", status=422)
    assert rows(steered, Grant) == []


def test_a_decision_that_lost_its_ground_says_why_on_top(steered, as_person):
    decision = steered.open()
    steered.evaluate(WEAK)
    page = as_person(steered.chair).get(f"/decisions/{decision}")
    assert "What is voted on has changed" in page.text
    assert "A gate reads worse than when the vote was opened on it." in page.text


def test_a_condition_is_put_on_the_table_and_met_by_its_owner(steered, as_person):
    decision = steered.draft()
    office = as_person(steered.office)
    page = office.get(f"/decisions/{decision}")
    fields = {
        "text": "Second scanner", "check": "seen on site", "owner": str(steered.warehouse.id), "due_on": "2026-03-20",
        "request_key": page.value("request_key"),
    }  # fmt: skip
    office.post(f"/decisions/{decision}/conditions", fields)
    office.get(f"/decisions/{decision}")
    office.post(f"/decisions/{decision}/conditions", fields)
    assert [one.text for one in view(steered, decision).conditions] == ["Second scanner"]
    office.post(f"/decisions/{decision}/open")
    for who in (steered.chair, steered.finance, steered.warehouse):
        ballot(as_person(who), decision, choice="conditional_go", reason="with the scanner")[1]()
    office.get(f"/decisions/{decision}")
    office.post(f"/decisions/{decision}/close")
    (condition,) = view(steered, decision).conditions
    owner = as_person(steered.warehouse)
    assert "Condition: Second scanner" in owner.get("/").text
    owner.get(f"/decisions/{decision}/conditions/{condition.id}/meet")
    owner.post(f"/decisions/{decision}/conditions/{condition.id}/meet", {"evidence": "serial 4711"})
    assert view(steered, decision).conditions[0].state == "met"


def test_who_asks_for_a_waiver_does_not_grant_it(steered, as_person):
    office = as_person(steered.office)
    page = office.get(f"/gates/{steered.gate}/criteria/invoices")
    fields = {
        "rationale": "supplier", "mitigation": "watch it", "owner": str(steered.finance.id), "until": "2026-04-30",
        "request_key": page.value("request_key"),
    }  # fmt: skip
    office.post(f"/gates/{steered.gate}/criteria/invoices/waivers", fields)
    (asked,) = rows(steered, WaiverRecord)
    assert "Your role does not decide on waivers." in office.page.text
    office.post(f"/waivers/{asked.id}/decide", {"answer": "grant", "body": "pmo"}, status=403)
    chair = as_person(steered.chair)
    assert "Waiver: Invoices" in chair.get("/").text
    chair.get(f"/waivers/{asked.id}")
    chair.post(f"/waivers/{asked.id}/decide", {"answer": "grant", "body": "steering"})
    assert rows(steered, WaiverRecord)[0].state == "granted"


def test_a_statement_is_given_by_its_owner_and_read_by_the_next_evaluation(steered, as_person):
    finance = as_person(steered.finance)
    page = finance.get(f"/gates/{steered.gate}/criteria/tax")
    fields = {"holds": "no", "statement": "The opinion was withdrawn.", "request_key": page.value("request_key")}
    finance.post(f"/gates/{steered.gate}/criteria/tax/statement", fields)
    assert "The opinion was withdrawn." in finance.page.text
    office = as_person(steered.office)
    assert "Your statement" not in office.get(f"/gates/{steered.gate}/criteria/tax").text
    steered.evaluate()
    assert "1 fail" in office.get(f"/gates/{steered.gate}").text


def test_a_delegate_is_named_by_the_holder_alone(steered, as_person):
    chair = as_person(steered.chair)
    page = chair.get(f"/committees/{steered.steering}")
    (action,) = [
        form.attributes["action"] for form in page.root.find("form") if "/delegate" in form.attributes.get("action", "")
    ]
    fields = {
        "delegate": str(steered.office.id), "valid_from": "2026-03-02", "valid_until": "2026-03-31", "reason": "leave",
        "request_key": "k" * 20,
    }  # fmt: skip
    page = chair.post(action, fields)
    assert "Paul Nowak" in page.text
    other = re.sub(r"seats/\d+", "seats/999", action)
    chair.post(other, fields | {"request_key": "m" * 20}, status=404)


def test_a_wave_says_why_a_step_is_closed(steered, as_person):
    page = as_person(steered.chair).get(f"/waves/{steered.wave}")
    assert "your role may not start and end rehearsals" in page.text
    assert "your role may not plan and date waves" in page.text
    office = as_person(steered.office)
    page = office.get(f"/waves/{steered.wave}/dates")
    office.post(
        f"/waves/{steered.wave}/dates",
        {"go_live_on": "2026-04-06", "hypercare_until": "2026-05-04", "reason": "carrier", "version": page.value("version")},
    )  # fmt: skip
    assert "Mon 6 Apr" in office.page.text
    page = office.get(f"/waves/{steered.wave}/dates")
    stale = {"go_live_on": "2026-04-07", "hypercare_until": "2026-05-04", "reason": "again", "version": "1"}
    office.post(f"/waves/{steered.wave}/dates", stale, status=409)
    assert rows(steered, Wave)[0].go_live_on.isoformat() == "2026-04-06"


def test_before_the_first_evaluation_the_gate_lists_what_it_will_ask(sqlite_database, clock, as_person):
    steered = a_programme(sqlite_database, clock, specs=(a_spec(key=True),), evaluated=None)
    page = as_person(steered.chair).get(f"/gates/{steered.gate}")
    assert "not evaluated yet" in page.text
    assert "invoice_right_at_posting" in page.text
    assert as_person(steered.chair).get(f"/gates/{steered.gate}/as-now-known").heading == "As decided, and as now known"
