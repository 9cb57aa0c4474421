"""What is not there is answered with a page that says so: for every address that names a document, files and papers too."""

from __future__ import annotations

import pytest
from flask import url_for

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
