"""The roadmap, its stage gates and the business case: pages of the programme office and of those who state and decide."""

from __future__ import annotations

import pytest

from app.composition.uow import reading
from governance.roadmap.models import Benefit, MoneyLine, RoadmapPhase, StageCriterion, Tranche, TrancheRelease
from tests.support.queries import MOST, queries
from tests.support.steering import a_programme
from tests.support.web import Browser

CODES = ("mobilise", "design", "data", "test", "deploy", "optimise")


@pytest.fixture
def sqlite_database(database):
    """The pages on both databases."""
    return database


@pytest.fixture
def steered(sqlite_database, clock):
    return a_programme(sqlite_database, clock, evaluated=None)


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


def kept(steered, model):
    with reading(steered.database) as session:
        found = session.query(model).all()
        session.expunge_all()
        return found


def days(**given):
    typed = {}
    for number, code in enumerate(CODES, start=3):
        typed |= {f"{code}_from": f"2026-{number:02d}-01", f"{code}_until": f"2026-{number:02d}-28"}
    return {**typed, **given}


def filled(office, address, **typed):
    """Open a form and send it with its key."""
    page = office.get(address)
    return office.post(address, {**typed, "request_key": page.value("request_key")})


def laid_out(office, steered):
    filled(office, f"/programmes/{steered.programme}/roadmap/new", **days())
    return min(kept(steered, RoadmapPhase), key=lambda one: one.position)


def test_a_phase_is_closed_by_the_committee_and_its_money_released(office, as_person, steered):
    office.get("/roadmap")
    office.get(f"/programmes/{steered.programme}/roadmap/new")
    page = office.post(f"/programmes/{steered.programme}/roadmap/new", days(design_until=""), status=422)
    assert page.value("mobilise_from") == "2026-03-01"
    assert kept(steered, RoadmapPhase) == []
    first = laid_out(office, steered)
    here = f"/roadmap/phases/{first.id}"
    filled(
        office, f"/programmes/{steered.programme}/tranches/new",
        phase=str(first.id), title="Design", code="T1", amount="400000", currency="EUR",
    )  # fmt: skip
    assert "400,000.00 EUR" in office.page.text
    assert "there are no criteria" in office.get(here).text
    assert "has no criteria" in office.post(f"{here}/ask", {}, status=422).text
    filled(
        office, f"{here}/criteria/new",
        title="Baselines are taken", code="baseline", owner=str(steered.chair.id), figure="", realm="live",
    )  # fmt: skip
    assert "not proven yet: Baselines are taken" in office.get(here).text
    chair, finance = as_person(steered.chair), as_person(steered.finance)
    chair.get(here)
    criterion = kept(steered, StageCriterion)[0].id
    chair.get(f"{here}/criteria/{criterion}/state")
    chair.post(f"{here}/criteria/{criterion}/state", {"holds": "yes", "statement": "Signed on Monday."})
    page = office.get(here)
    office.post(f"{here}/ask", {"version": "1"}, status=409)
    page = office.get(here)
    office.post(f"{here}/ask", {"version": page.value("version")})
    for who in (chair, finance):
        page = who.get(here)
        (request,) = {href for href in page.links() if "/approvals/" in href}
        who.get(request)
        who.post(request, {"verdict": "approve", "reason": "", "version": who.page.value("version")})
    page = office.get(here)
    assert "closed" in page.text
    assert min(kept(steered, RoadmapPhase), key=lambda one: one.position).state == "closed"
    assert len(kept(steered, TrancheRelease)) == 1
    assert "released" in page.text


def test_spend_beyond_what_is_released_is_said_and_a_coin_that_does_not_exist_refused(office, steered):
    case = f"/programmes/{steered.programme}/business-case"
    address = f"/programmes/{steered.programme}/money/new"
    typed = {"kind": "spend", "wave": "0", "amount": "500000", "currency": "EUR", "on": "2026-03-01", "note": "Partner"}
    filled(office, address, **typed)
    assert "500,000.00 EUR spent beyond what is released" in office.page.text
    office.get(address)
    page = office.post(address, {**typed, "amount": "10.5", "currency": "JPY"}, status=422)
    assert page.errors() == ["Amount: JPY has 0 decimal places."]
    assert page.value("note") == "Partner"
    page = office.post(address, {**typed, "on": "2027-01-01"}, status=422)
    assert "has not come, so nothing was spent then" in page.errors()[0]
    assert len(kept(steered, MoneyLine)) == 1
    office.get(case)


def test_a_benefit_is_planned_shown_and_withdrawn_and_a_tranche_too(office, steered):
    first = laid_out(office, steered)
    case = f"/programmes/{steered.programme}/business-case"
    filled(
        office, f"/programmes/{steered.programme}/benefits/new",
        title="Fewer lines come later", code="fill", figure="fill_rate_lines", target="95", proof_on="2026-12-31",
        worth="600000", currency="EUR", owner=str(steered.chair.id),
    )  # fmt: skip
    page = office.page
    assert "not due" in page.text
    assert "95 %" in page.text
    assert "no baseline" in page.text
    assert "0 orders" in page.text
    (benefit,) = kept(steered, Benefit)
    assert (str(benefit.target), benefit.worth_minor) == ("0.950000", 60_000_000)
    address = f"/programmes/{steered.programme}/benefits/{benefit.id}/withdraw"
    office.get(address)
    office.post(address, {"reason": ""}, status=422)
    office.post(address, {"reason": "the channel is sold"})
    assert "Fewer lines come later" not in office.get(case).text
    office.get(address, status=404)
    filled(
        office, f"/programmes/{steered.programme}/tranches/new",
        phase=str(first.id), title="Design", code="T1", amount="400000", currency="EUR",
    )  # fmt: skip
    (tranche,) = kept(steered, Tranche)
    address = f"/programmes/{steered.programme}/tranches/{tranche.id}/withdraw"
    office.get(address)
    office.post(address, {"reason": "planned twice"})
    assert "No tranche is planned." in office.get(case).text


def test_a_phase_is_given_other_days_and_a_criterion_taken_away(office, steered):
    first = laid_out(office, steered)
    here = f"/roadmap/phases/{first.id}"
    page = office.get(f"{here}/days")
    assert page.value("starts_on") == "2026-03-01"
    typed = {"starts_on": "2026-03-01", "ends_on": "2026-02-01", "reason": "later", "version": page.value("version")}
    page = office.post(f"{here}/days", typed, status=422)
    assert page.value("ends_on") == "2026-02-01"
    office.post(f"{here}/days", {**typed, "ends_on": "2026-03-30"})
    assert min(kept(steered, RoadmapPhase), key=lambda one: one.position).ends_on.isoformat() == "2026-03-30"
    filled(
        office, f"{here}/criteria/new", title="Lines filled", code="fill", owner=str(steered.chair.id),
        figure="fill_rate_lines", realm="rehearsal", pass_mark="95",
    )  # fmt: skip
    page = office.get(here)
    assert "95 %" in page.text
    assert "0 orders" in page.text
    criterion = kept(steered, StageCriterion)[0].id
    office.get(f"{here}/criteria/{criterion}/remove")
    office.post(f"{here}/criteria/{criterion}/remove", {"reason": "covered by the rehearsal"})
    assert "No criteria yet" in office.get(here).text


def test_the_pages_of_the_roadmap_ask_few_questions_of_the_database(office, steered):
    first = laid_out(office, steered)
    for code in ("a", "b", "c"):
        filled(
            office, f"/roadmap/phases/{first.id}/criteria/new", title=f"Lines filled {code}", code=code,
            owner=str(steered.chair.id), figure="fill_rate_lines", realm="live", pass_mark="95",
        )  # fmt: skip
    for address in (
        f"/programmes/{steered.programme}/roadmap",
        f"/roadmap/phases/{first.id}",
        f"/programmes/{steered.programme}/business-case",
    ):
        with queries(steered.database) as asked:
            office.get(address)
        assert len(asked) <= MOST, address


def test_who_may_only_read_the_programme_changes_nothing(office, as_person, steered):
    first = laid_out(office, steered)
    chair = as_person(steered.chair)
    chair.get(f"/roadmap/phases/{first.id}")
    chair.get(f"/roadmap/phases/{first.id}/days", status=403)
    chair.get(f"/programmes/{steered.programme}/money/new", status=403)
    chair.get(f"/roadmap/phases/{first.id}")
    chair.post(f"/roadmap/phases/{first.id}/ask", {}, status=403)
