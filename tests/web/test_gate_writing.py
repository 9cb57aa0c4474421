"""Writing a gate as the programme office does: from a template to the freeze and what comes after it, refused where it proves nothing."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from app.composition.uow import reading
from governance.decisions.models import Decision
from readiness.gates.models import CriterionChange, Gate, GateCriterion, GateTemplate
from tests.support.queries import MOST, queries
from tests.support.steering import a_programme
from tests.support.web import Browser


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


@pytest.fixture
def office(as_person, steered):
    return as_person(steered.office)


def kept(steered, model, **where):
    with reading(steered.database) as session:
        found = session.query(model).filter_by(**where).order_by(model.id).all()
        session.expunge_all()
        return found


def new_gate(office, steered, **given) -> int:
    """Draft the exit gate and return its id."""
    key = office.get(f"/waves/{steered.wave}/gates/new").value("request_key")
    office.post(
        f"/waves/{steered.wave}/gates/new",
        {
            "phase": "exit",
            "template": "",
            "decides_on": "2026-03-25",
            "waiver_body": "pmo",
            "request_key": key,
            **given,
        },
    )
    return kept(steered, Gate, phase="exit")[0].id


def fields(page, **given):
    return {
        "title": "Lines filled", "code": "fill", "evidence": "own_live", "grain": "all", "pass_mark": "94.97", "warn_mark": "90",
        "basis": "value", "window_days": "14", "min_documents": "50", "min_days": "5", "min_actors": "1", "weight": "8",
        "owner_id": "0", "layer": "process", "customer_group": "0", "version": page.value("version"),
        "request_key": page.value("request_key"), **given,
    }  # fmt: skip


def test_a_gate_begins_from_a_template_and_is_frozen_by_its_body(office, steered):
    page = office.get(f"/waves/{steered.wave}/gates/new")
    assert "Take over the standard templates" in page.text
    page = office.post("/gates/templates/standard", {"wave": str(steered.wave)})
    assert "Stay live, version 1: 5 criteria" in page.text
    gate = new_gate(office, steered, template="exit")
    page = office.page
    assert page.heading == "W2 · Duisburg: what the exit gate asks"
    assert "≥\xa097\xa0%" in page.html
    assert len(kept(steered, GateCriterion, gate_id=gate)) == 10
    page = office.post(f"/gates/{gate}/freeze", {"body": "pmo", "version": page.value("version")})
    assert "The criteria are frozen" in page.text
    frozen = kept(steered, Gate, id=gate)[0]
    assert (frozen.state, frozen.frozen_by, frozen.frozen_by_body, frozen.hold_needed) == (
        "frozen",
        steered.office.id,
        "pmo",
        5,
    )


def test_a_criterion_is_typed_in_the_unit_of_its_figure_and_kept_in_base_units(office, steered):
    gate = new_gate(office, steered)
    catalogue = office.get(f"/gates/{gate}/add-criterion")
    assert "Fill rate, lines" in catalogue.text
    assert "higher is better" in catalogue.text
    page = office.get(f"/gates/{gate}/add-criterion?measure=fill_rate_lines")
    assert page.value("window_days") == "14"
    assert "It reads now" in page.text
    office.post(f"/gates/{gate}/add-criterion?measure=fill_rate_lines", fields(page))
    (row,) = kept(steered, GateCriterion, gate_id=gate)
    assert (row.code, row.measure, row.pass_mark, row.warn_mark, row.weight, row.min_documents, row.owner) == (
        "fill", "fill_rate_lines", Decimal("0.9497"), Decimal("0.9"), Decimal(8), 50, "fulfilment owner",
    )  # fmt: skip
    page = office.get(f"/gates/{gate}/add-criterion?measure=order_cycle_time.p90")
    office.post(
        f"/gates/{gate}/add-criterion?measure=order_cycle_time.p90",
        fields(page, title="Nine of ten within", code="", pass_mark="72", warn_mark="120"),
    )
    row = kept(steered, GateCriterion, gate_id=gate)[1]
    assert (row.code, row.statistic, row.pass_mark, row.warn_mark) == (
        "nine_of_ten_within", "p90", Decimal(72 * 3600), Decimal(120 * 3600),
    )  # fmt: skip
    page = office.get(f"/gates/{gate}/criteria/fill/edit")
    assert (page.value("pass_mark"), page.value("warn_mark"), page.value("min_days")) == ("94.97", "90", "5")
    office.post(f"/gates/{gate}/criteria/fill/edit", fields(page, pass_mark="96"))
    assert kept(steered, GateCriterion, gate_id=gate)[0].pass_mark == Decimal("0.96")
    page = office.get(f"/gates/{gate}/criteria/fill/remove")
    office.post(f"/gates/{gate}/criteria/fill/remove", {"version": page.value("version"), "reason": ""})
    assert [row.code for row in kept(steered, GateCriterion, gate_id=gate) if row.removed_in is None] == [
        "nine_of_ten_within"
    ]


@pytest.mark.parametrize(
    ("given", "at", "said"),
    [
        ({"pass_mark": "194"}, "Passes from", "a share never reaches more than 100 %"),
        ({"pass_mark": "-5", "warn_mark": ""}, "Passes from", "never lies below zero"),
        ({"pass_mark": "80"}, "Warns from", "stricter than its pass mark"),
        ({"pass_mark": ""}, "Passes from", "Enter the mark from which it passes"),
        ({"pass_mark": "ninety"}, "Passes from", ""),
        ({"pass_mark": "94.97001"}, "Passes from", ""),
        ({"evidence": "reference"}, "Cells it refers to", "Tick the cells of an earlier wave"),
        ({"min_documents": "0"}, "At least", ""),
        ({"min_documents": "9999999999"}, "At least", ""),
        ({"window_days": "4000"}, "Window", ""),
        ({"weight": "-1"}, "Weight", ""),
        ({"weight": "99999"}, "Weight", ""),
        ({"title": ""}, "Title", "Give it a title"),
        ({"code": "Ümlaut"}, "Code", "Small letters"),
        ({"owner_id": "424242"}, "Owner", ""),
    ],
)  # fmt: skip
def test_nonsense_is_refused_at_its_field_also_in_draft_and_nothing_is_kept(office, steered, given, at, said):
    gate = new_gate(office, steered)
    page = office.get(f"/gates/{gate}/add-criterion?measure=fill_rate_lines")
    page = office.post(f"/gates/{gate}/add-criterion?measure=fill_rate_lines", fields(page, **given), status=422)
    assert any(error.startswith(f"{at}: ") and said in error for error in page.errors()), page.errors()
    if "title" not in given:
        assert page.value("title") == "Lines filled"
    assert kept(steered, GateCriterion, gate_id=gate) == []
    assert kept(steered, CriterionChange, gate_id=gate) == []


def test_marks_are_factors_of_a_baseline_that_is_typed_in_the_unit_of_the_figure(office, steered):
    gate = new_gate(office, steered)
    address = f"/gates/{gate}/add-criterion?measure=order_cycle_time.p90"
    page = office.get(address)
    factors = fields(
        page, marks_are="factors", code="faster", title="Faster than before", pass_mark="0.9", warn_mark="1"
    )
    page = office.post(address, {**factors, "baseline_value": "", "baseline_on": ""}, status=422)
    assert {
        "Baseline: Enter what the figure read before",
        "Measured up to: Choose the day up to which it was measured",
    } <= set(page.errors())
    assert (page.value("pass_mark"), kept(steered, GateCriterion, gate_id=gate)) == ("0.9", [])
    before = {"baseline_value": "72", "baseline_on": "2026-02-01", "baseline_comparable": "y"}
    office.post(address, {**factors, **before, "request_key": page.value("request_key")})
    (row,) = kept(steered, GateCriterion, gate_id=gate)
    baseline = json.loads(row.baseline)
    assert (row.pass_mark, row.warn_mark, baseline["value"], baseline["comparable"], baseline["measure"]) == (
        Decimal("0.9"), Decimal(1), "259200.000000", True, "order_cycle_time",
    )  # fmt: skip
    page = office.get(f"/gates/{gate}/criteria/faster/edit")
    assert (page.value("pass_mark"), page.value("baseline_value"), page.value("baseline_on")) == (
        "0.9",
        "72",
        "2026-02-01",
    )
    office.post(
        f"/gates/{gate}/criteria/faster/edit",
        fields(page, code="", marks_are="figures", pass_mark="60", warn_mark="72"),
    )
    (row,) = kept(steered, GateCriterion, gate_id=gate)
    assert (row.pass_mark, row.baseline) == (Decimal(60 * 3600), None)


def test_an_entry_gate_is_never_offered_its_own_live_cells(office, steered):
    page = office.get(f"/gates/{steered.gate}/criteria/invoices/edit")
    offered = {one.attributes["value"] for one in page.root.find("input", type="radio", name="evidence")}
    assert offered == {"own_rehearsal", "reference", "legacy"}
    wrong = fields(page, evidence="own_live", code="", reason="try")
    office.post(f"/gates/{steered.gate}/criteria/invoices/edit", wrong, status=422)
    office.get(f"/gates/{steered.gate}/add-criterion?measure=nonsense", status=404)


def test_a_change_after_the_freeze_takes_a_reason_and_a_seat_and_shows_as_such(office, as_person, steered):
    decision = steered.open()
    page = office.get(f"/gates/{steered.gate}/criteria/invoices/edit")
    changed = fields(
        page,
        title="Invoices",
        evidence="own_rehearsal",
        pass_mark="92",
        weight="2",
        code="",
        min_documents="1",
        min_days="1",
    )
    page = office.post(f"/gates/{steered.gate}/criteria/invoices/edit", changed, status=422)
    assert page.errors()[0].startswith("Reason of the change: Say why")
    assert kept(steered, Decision, id=decision)[0].state == "open"
    changed = {**changed, "reason": "agreed with audit", "request_key": page.value("request_key")}
    page = office.post(f"/gates/{steered.gate}/criteria/invoices/edit", changed)
    assert "after the freeze" in page.text
    assert "≥ 95 % → ≥ 92 %" in page.text
    assert "agreed with audit" in page.text
    (change,) = kept(steered, CriterionChange)
    assert (change.is_after_freeze, change.body, change.reason) == (True, "pmo", "agreed with audit")
    assert kept(steered, Decision, id=decision)[0].state == "outdated"
    from tests.support.web import a_person

    lead = as_person(a_person(steered.database, "deployment_lead", clock=steered.clock))
    page = lead.get(f"/gates/{steered.gate}/define")
    assert f"/gates/{steered.gate}/criteria/invoices/edit" not in page.links()
    page = lead.get(f"/gates/{steered.gate}/criteria/invoices/edit")
    lead.post(
        f"/gates/{steered.gate}/criteria/invoices/edit",
        fields(page, evidence="own_rehearsal", code="", reason="mine"),
        status=403,
    )
    assert len(kept(steered, CriterionChange)) == 1


def test_two_people_who_change_a_gate_at_once_do_not_overwrite_each_other(office, steered):
    gate = new_gate(office, steered)
    first = office.get(f"/gates/{gate}/add-criterion?measure=fill_rate_lines")
    mine, theirs = fields(first), fields(first, code="other", request_key="somebody-elses-key")
    office.post(f"/gates/{gate}/add-criterion?measure=fill_rate_lines", theirs)
    office.get(f"/gates/{gate}/define")
    page = office.post(f"/gates/{gate}/add-criterion?measure=fill_rate_lines", mine, status=409)
    assert page.value("title") == "Lines filled"
    assert [row.code for row in kept(steered, GateCriterion, gate_id=gate)] == ["other"]


def test_a_gate_under_a_vote_is_not_withdrawn_and_a_withdrawn_one_is_asked_again(office, steered):
    decision = steered.open()
    page = office.get(f"/gates/{steered.gate}/withdraw")
    page = office.post(
        f"/gates/{steered.gate}/withdraw", {"reason": "too early", "version": page.value("version")}, status=422
    )
    assert page.errors() == ["A decision stands on this gate. Withdraw or revoke that first, then the gate."]
    office.get(f"/decisions/{decision}/withdraw")
    office.post(f"/decisions/{decision}/withdraw", {"reason": "too early"})
    page = office.get(f"/gates/{steered.gate}/withdraw")
    office.post(f"/gates/{steered.gate}/withdraw", {"reason": "", "version": page.value("version")}, status=422)
    assert kept(steered, Gate, id=steered.gate)[0].state == "frozen"
    office.post(f"/gates/{steered.gate}/withdraw", {"reason": "too early", "version": page.value("version")})
    assert kept(steered, Gate, id=steered.gate)[0].state == "closed"
    page = office.get(f"/gates/{steered.gate}/reopen")
    asked = {"decides_on": "2026-01-01", "reason": "now", "version": page.value("version")}
    page = office.post(f"/gates/{steered.gate}/reopen", asked, status=422)
    assert "01 Jan 2026 is past" in page.errors()[0]
    office.post(f"/gates/{steered.gate}/reopen", {**asked, "decides_on": "2026-03-30"})
    assert kept(steered, Gate, id=steered.gate)[0].state == "draft"


def test_a_draft_is_amended_and_its_marks_make_sense(office, steered):
    gate = new_gate(office, steered)
    page = office.get(f"/gates/{gate}/define")
    sent = {
        "decides_on": "2026-03-27",
        "pass_mark": "85",
        "warn_mark": "70",
        "waiver_body": "pmo",
        "version": page.value("version"),
    }
    page = office.post(f"/gates/{gate}/amend", {**sent, "warn_mark": "95"}, status=422)
    assert "Both lie above 0 and up to 1" in page.errors()[0]
    office.post(f"/gates/{gate}/amend", sent)
    found = kept(steered, Gate, id=gate)[0]
    assert (str(found.decides_on), found.pass_mark, found.warn_mark) == ("2026-03-27", Decimal("0.85"), Decimal("0.70"))
    page = office.get(f"/gates/{gate}/define")
    assert "A gate without criteria could never pass" in page.text
    page = office.post(f"/gates/{gate}/freeze", {"body": "pmo", "version": page.value("version")}, status=422)
    assert "has no criterion with weight" in page.errors()[0]


def test_a_frozen_gate_moves_its_day_with_a_reason(office, steered):
    page = office.get(f"/gates/{steered.gate}/day")
    sent = {"decides_on": "2026-09-30", "reason": "summer", "dates": "", "version": page.value("version")}
    page = office.post(f"/gates/{steered.gate}/day", sent, status=422)
    assert "no series of evaluation days" in page.errors()[0]
    page = office.post(f"/gates/{steered.gate}/day", {**sent, "dates": "2026-05-01\nsoon"}, status=422)
    assert "“soon” is no day" in page.errors()[0]
    office.post(f"/gates/{steered.gate}/day", {**sent, "dates": "2026-05-01\n2026-07-01"})
    found = kept(steered, Gate, id=steered.gate)[0]
    assert (str(found.decides_on), found.fixed_dates) == ("2026-09-30", '["2026-05-01","2026-07-01"]')


def test_a_gate_is_kept_as_a_template_without_the_cells_of_its_wave(office, steered):
    page = office.get(f"/gates/{steered.gate}/define")
    office.post(
        f"/gates/{steered.gate}/template",
        {"code": "small", "name": "Small site", "request_key": page.value("request_key")},
    )
    assert "Small site" in office.page.text
    (template,) = kept(steered, GateTemplate)
    assert (template.code, template.version, template.phase) == ("small", 1, "entry")
    assert '"cells":[]' in template.criteria
    assert str(steered.finance.id) not in template.criteria


def test_the_pages_of_writing_ask_25_times_at_most_and_others_only_read(office, as_person, steered):
    pages = (f"/gates/{steered.gate}/define", f"/gates/{steered.gate}/add-criterion", "/gates/templates",
             f"/gates/{steered.gate}/add-criterion?measure=otif_lines", f"/gates/{steered.gate}/add-criterion?measure=attestation",
             f"/gates/{steered.gate}/criteria/invoices/edit", f"/waves/{steered.wave}/gates/new", f"/gates/{steered.gate}/withdraw")  # fmt: skip
    for path in pages:
        with queries(steered.database) as ran:
            office.get(path)
        assert len(ran) <= MOST, (path, len(ran))
    chair = as_person(steered.chair)
    chair.get(f"/gates/{steered.gate}/define")
    for path in pages[1:2] + pages[5:]:
        chair.get(path, status=403)
