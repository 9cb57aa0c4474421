"""Whatever a program sends to any operation, no answer is an incident. Cases are made from the API's own description."""

from __future__ import annotations

from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.web import a_person, a_token

ROLES = ("administrator", "pmo", "super_user", "billing", "collections", "warehouse_supervisor", "finance")


@pytest.fixture
def tokens(sqlite_database, clock):
    business = a_business(sqlite_database, at=clock.now())
    business.clock = clock
    open_cells(business)
    return [a_token(sqlite_database, a_person(sqlite_database, role, clock=clock), role, clock=clock) for role in ROLES]


def test_no_operation_breaks_on_what_it_is_sent(site, tokens):
    site.config["PROPAGATE_EXCEPTIONS"] = False
    api = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", site)
    broken, sent = [], Counter()

    @settings(
        max_examples=250, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=st.one_of(*(found.ok().as_strategy() for found in api.get_all_operations())))
    def send(case):
        for token in tokens:
            answer = case.call(headers={"Authorization": f"Bearer {token}"})
            if answer.status_code != 403:
                break
        sent[answer.status_code] += 1
        # 503 is the honest answer of an operation whose libraries are missing or that is busy.
        if answer.status_code >= 500 and answer.status_code != 503:
            broken.append((case.method, case.path, repr(case.body), answer.text[:300]))

    send()
    assert broken == []
    assert min(sent[200], sent[422], sent[404]) > 0, sent
