"""The interim state on its pages and on the page of the wave, on both databases."""

from __future__ import annotations

import pytest

from app.composition.process_desk import take_set_over
from app.composition.uow import reading
from governance.interim.models import InterimInterface, InterimLink
from tests.support.processes import PMO, work_as
from tests.support.queries import MOST, queries
from tests.support.steering import a_programme
from tests.support.web import Browser


@pytest.fixture
def sqlite_database(database):
    """The pages on both databases."""
    return database


@pytest.fixture
def steered(sqlite_database, clock):
    made = a_programme(sqlite_database, clock, evaluated=None)
    with work_as(sqlite_database, clock, PMO) as work:
        take_set_over(work)
    return made


@pytest.fixture
def as_person(site):
    def sign_in(who):
        browser = Browser(site)
        browser.sign_in(who)
        return browser

    return sign_in


def kept(steered, model):
    with reading(steered.database) as session:
        found = session.query(model).order_by(model.id).all()
        session.expunge_all()
        return found


def test_a_master_is_said_an_interface_added_handed_over_and_ended(as_person, steered):
    office, here = as_person(steered.office), f"/waves/{steered.wave}/interim"
    page = office.get(here)
    assert "nobody masters it" in page.text
    office.get(f"{here}/datum/stock")
    page = office.post(
        f"{here}/datum/stock",
        {"master": "both", "rule": "", "evidence": "Minutes of Monday", "version": ""},
        status=422,
    )
    assert page.errors() == ["Rule: Where both systems may write, a rule says whose word counts when. Enter the rule."]
    assert page.value("evidence") == "Minutes of Monday"
    assert kept(steered, InterimLink) == []
    office.post(f"{here}/datum/stock", {"master": "both", "rule": "By site.", "evidence": "", "version": ""})
    assert "Both, by a rule" in office.page.text
    office.get(f"{here}/datum/stock")
    office.post(f"{here}/datum/stock", {"master": "ours", "rule": "", "evidence": "", "version": "7"}, status=409)
    (link,) = kept(steered, InterimLink)
    assert (link.master, link.rule) == ("both", "By site.")
    address = f"{here}/links/{link.id}/interfaces/new"
    page = office.get(address)
    typed = {
        "name": "Stock each hour", "direction": "to_legacy", "frequency": "each hour", "owner": "0", "ends_on": "2026-03-31",
        "when_it_stops": "Planning reads the core.", "request_key": page.value("request_key"),
    }  # fmt: skip
    page = office.post(address, {**typed, "ends_on": "2026-01-01"}, status=422)
    assert page.value("when_it_stops") == "Planning reads the core."
    office.post(address, typed)
    assert "nobody looks after an interface" in office.page.text
    (one,) = kept(steered, InterimInterface)
    page = office.get(f"{here}/interfaces/{one.id}")
    assert page.value("ends_on") == "2026-03-31"
    office.post(
        f"{here}/interfaces/{one.id}",
        {"owner": str(steered.chair.id), "ends_on": "2026-04-30", "reason": "handed over", "version": page.value("version")},
    )  # fmt: skip
    assert "nobody looks after an interface" not in office.page.text
    page = office.get(f"{here}/interfaces/{one.id}/end")
    office.post(f"{here}/interfaces/{one.id}/end", {"reason": "", "version": page.value("version")}, status=422)
    office.post(f"{here}/interfaces/{one.id}/end", {"reason": "off", "version": page.value("version")})
    assert kept(steered, InterimInterface)[0].ended_at is not None
    assert "No temporary interface" in office.page.text


def test_steps_of_a_process_that_is_mastered_as_a_whole_are_folded(as_person, steered):
    office, here = as_person(steered.office), f"/waves/{steered.wave}/interim"
    assert "as the whole process" not in office.get(here).text
    for code, master in (("order_to_cash", "ours"), ("order_to_cash.capture", "legacy")):
        office.get(f"{here}/process/{code}")
        office.post(f"{here}/process/{code}", {"master": master, "rule": "", "evidence": "", "version": ""})
    (fold,) = [one for one in office.page.root.find("details") if one.attributes.get("class") == "more"]
    links = [one.attributes["href"] for one in fold.find("a")]
    assert f"{here}/process/order_to_cash.release" in links
    assert f"{here}/process/order_to_cash.capture" not in links
    assert f"{here}/process/order_to_cash.capture" in office.page.links()


def test_the_wave_counts_its_open_links_and_leads_to_them(as_person, steered):
    chair, here = as_person(steered.chair), f"/waves/{steered.wave}/interim"
    with queries(steered.database) as ran:
        page = chair.get(f"/waves/{steered.wave}")
    assert len(ran) <= MOST
    assert "links open" in page.text
    assert here in page.links()
    with queries(steered.database) as ran:
        page = chair.get(here)
    assert len(ran) <= MOST
    assert f"{here}/datum/stock" not in page.links()
    chair.get(f"{here}/datum/stock", status=403)


def test_what_is_not_in_the_waves_scope_has_no_page(as_person, steered):
    office, here = as_person(steered.office), f"/waves/{steered.wave}/interim"
    for address in (f"{here}/datum/weather", f"{here}/process/procure_to_pay", f"{here}/moon/stock", f"{here}/interfaces/1",
                    f"{here}/links/1/interfaces/new", "/waves/1/interim"):  # fmt: skip
        office.get(address, status=404)
