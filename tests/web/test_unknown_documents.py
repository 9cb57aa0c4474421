"""What is not there is answered with a page that says so: for every address that names a document, files and papers too."""

from __future__ import annotations

import pytest
from flask import url_for
from sqlalchemy import text

from app.composition.uow import reading
from app.security.roles import ROLES, Role
from tests.support.steering import a_programme
from tests.support.web import Browser, a_person, a_site

#: No document has this id.
NOBODY = 999_999_999


@pytest.fixture
def readers(database, tmp_path, clock):
    """A browser of somebody with a role, made when it is asked for."""
    a_programme(database, clock)
    site, made = a_site(database, tmp_path, clock), {}

    def reader(role):
        if role not in made:
            made[role] = Browser(site)
            made[role].sign_in(a_person(database, role, clock=clock))
        return made[role]

    reader.site = site
    return reader


def test_a_document_that_is_not_there_is_not_found_by_any_page_file_or_paper(readers):
    asked, wrong = 0, {}
    for rule in readers.site.url_map.iter_rules():
        numbers = [
            name for name, converter in rule._converters.items() if type(converter).__name__ == "IntegerConverter"
        ]
        if "GET" not in rule.methods or not numbers or rule.rule.startswith("/api/"):
            continue
        permission = readers.site.view_functions[rule.endpoint].permission
        role = next(role for role in Role if permission in ROLES[role].permissions)
        with readers.site.test_request_context():
            path = url_for(rule.endpoint, **{name: NOBODY if name in numbers else "x" for name in rule.arguments})
        answer = readers(role).client.get(path)
        answer.get_data()
        if answer.status_code != 404:
            wrong[path] = answer.status_code
        asked += 1
    assert wrong == {}
    assert asked > 100


def test_an_owner_of_exceptions_is_set_only_for_what_the_form_offers(readers, database):
    boss = readers("process_owner")
    boss.get("/exceptions/owners")
    typed = {"site": NOBODY, "queue": "💥", "role": "nobody", "seen": ""}
    page = boss.post("/exceptions/owners", typed, status=422)
    assert [message.partition(":")[0] for message in page.errors()] == ["Site", "Queue", "Owner"]
    boss.post("/exceptions/owners", {**typed, "site": "0", "queue": "late", "role": "site_lead"})
    with reading(database) as session:
        rules = session.execute(text("SELECT queue, owner_role FROM exception_rule WHERE version > 0")).all()
    assert [tuple(row) for row in rules] == [("late", "site_lead")]
