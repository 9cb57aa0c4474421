"""Whoever names a company that there is not, or another's, is told so in one way by every operation, and nothing changes."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from app.security.roles import ROLES
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.web import a_person, a_site, a_token

NOWHERE = 4_711_000
#: What is asked for beside the company: the name of a file, the end of a period, the row of a report.
FILES = {
    "/accruals": "until=2026-04-01", "/cut-off": "until=2026-04-01", "/margin-report/entries": "key=1",
    "/order-files": "file_name=o.csv", "/price-lists": "file_name=p.csv", "/bank-statements": "file_name=b.csv&account=1",
}  # fmt: skip
#: A sheet of the columns of each list.
SHEETS = {
    "/order-files": b"order,site,channel,customer,item,quantity\nA-1,DUI,wholesale,10482,40-0,5\n",
    "/price-lists": b"kind,item,currency,valid_from,unit_price\nlist,40-0,EUR,2026-12-01,1.00\n",
    "/bank-statements": b"what a bank wrote",
}


def naming_a_company(description):
    """Method, path, body and query of each operation that must be told a company."""
    schemas = description["components"]["schemas"]
    for path, methods in description["paths"].items():
        for method, one in methods.items():
            content = one.get("requestBody", {}).get("content", {}).get("application/json", {})
            name = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
            if "entity" in schemas.get(name, {}).get("required", ()):
                yield method, path, {**content["example"], "entity": NOWHERE}, ""
            asked = {each["name"]: each.get("required") for each in one.get("parameters", ()) if each["in"] == "query"}
            if asked.get("entity"):
                day = "report=trial-balance" if "report" in asked else FILES.get(path, "")
                yield method, path, None, f"?entity={NOWHERE}&{day}"


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def test_a_company_that_there_is_not_is_refused_alike_by_every_operation_and_nothing_changes(
    database, business, tmp_path, clock
):
    site = a_site(database, tmp_path, clock)
    tokens = [a_token(database, a_person(database, role, clock=clock), role, clock=clock) for role in ROLES]
    description = site.extensions["wavegate_openapi"]()

    def kept():
        with reading(database) as session:
            return session.scalar(text("SELECT count(*) FROM id_head")), session.scalar(
                text("SELECT count(*) FROM audit_entry")
            )

    before, told = kept(), {}
    for method, path, body, query in naming_a_company(description):
        for token in tokens:
            sent = {"json": body} if body is not None else {"data": SHEETS.get(path)}
            answer = site.test_client().open(
                f"/api/v1{path}{query}", method=method.upper(), headers={"Authorization": f"Bearer {token}"}, **sent
            )
            if answer.status_code != 403:
                break
        told[f"{method} {path}"] = (answer.status_code, answer.json["code"], answer.json.get("field"))
    assert len(told) > 12
    assert {where: said for where, said in told.items() if said != (404, "entity_unknown", "entity")} == {}
    assert kept() == before
