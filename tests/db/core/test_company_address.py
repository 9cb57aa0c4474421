"""A company's address: told with a first day and a reason, never changed, that of the live company for its twins."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.composition.uow import reading, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.masterdata.company_address import CompanyAddress, TellAddress, address_on, addresses_told, tell_address
from erpcore.masterdata.services import NewEntity, add_entity
from tests.support.core import MONDAY, a_business
from tests.support.threads import at_once

KEEPER = Actor(id=5, role="finance", permissions=frozenset({"masterdata:tax:keep"}))
TODAY = MONDAY.date()
SEAT = {"name": "Nordhaus GmbH", "street": "Ruhrstraße 4", "postal_code": "47051", "city": "Duisburg", "country": "DE"}


@pytest.fixture
def business(database):
    return a_business(database, at=MONDAY, items=1)


def tell(database, entity, *, since=TODAY, seen=0, reason="as registered", actor=KEEPER, **said):
    with unit_of_work(database, actor=actor, clock=SetClock(MONDAY)) as work:
        address = CompanyAddress(**{**SEAT, **said})
        tell_address(work, TellAddress(entity=entity, address=address, valid_from=since, reason=reason, seen=seen))


def told(database, entity):
    with reading(database) as session:
        return [(one.number, one.city, one.valid_from) for one in addresses_told(session, entity)]


def test_of_the_addresses_that_have_begun_the_one_told_last_holds(database, business):
    year = TODAY - timedelta(days=365)
    tell(database, business.entity, since=year)
    tell(database, business.entity, seen=1, city="Essen", reason="moved")
    assert told(database, business.entity) == [(1, "Duisburg", year), (2, "Essen", TODAY)]
    with reading(database) as session:
        known = addresses_told(session, business.entity)
        before, since = address_on(known, TODAY - timedelta(days=1)), address_on(known, TODAY)
        assert (before.city, since.city) == ("Duisburg", "Essen")
        assert address_on(known, year - timedelta(days=1)) is None
        audit = text("SELECT COUNT(*) FROM audit_entry WHERE kind = 'company_address.told'")
        assert session.execute(audit).scalar_one() == 2


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"city": " "}, "address_part_missing", "city"), ({"postal_code": ""}, "address_part_missing", "postal_code"),
        ({"country": "Germany"}, "country_unknown", "country"), ({"country": "XX"}, "country_unknown", "country"),
        ({"reason": " "}, "company_address_reason", "reason"),
        ({"since": TODAY + timedelta(days=1)}, "company_address_ahead", "valid_from"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_its_field(database, business, said, code, field):
    with pytest.raises(RuleBroken) as refused:
        tell(database, business.entity, **said)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert told(database, business.entity) == []


def test_only_who_keeps_taxes_tells_it_and_only_of_a_company_that_is_there(database, business):
    with pytest.raises(NotAllowed):
        tell(database, business.entity, actor=Actor(id=6, role="billing", permissions=frozenset()))
    with pytest.raises(NotFound):
        tell(database, 4711)
    assert told(database, business.entity) == []


def test_a_twin_has_the_address_of_its_live_company(database, business):
    tell(database, business.entity)
    with unit_of_work(database, actor=Actor.system("test"), clock=SetClock(MONDAY), realm="rehearsal") as work:
        twin = add_entity(
            work,
            NewEntity(
                code="TWIN", name="Twin", country="Germany", currency="EUR", time_zone="Europe/Berlin", realm="rehearsal",
                twin=business.entity,
            ),
        ).id  # fmt: skip
        with pytest.raises(RuleBroken) as refused:
            tell_address(
                work, TellAddress(entity=twin, address=CompanyAddress(**SEAT), valid_from=TODAY, reason="so", seen=1)
            )
        assert refused.value.code == "company_address_of_twin"
    assert told(database, twin) == told(database, business.entity) == [(1, "Duisburg", TODAY)]


def test_of_two_who_tell_it_at_once_the_second_is_told(database, business):
    done = at_once(
        lambda: tell(database, business.entity), lambda: tell(database, business.entity, city="Essen")
    )  # fmt: skip
    assert [type(one) for one in done if one is not None] == [Conflict]
    assert len(told(database, business.entity)) == 1
    with pytest.raises(Conflict):
        tell(database, business.entity, seen=0)


def test_nobody_changes_what_was_told(database, business):
    tell(database, business.entity)
    with pytest.raises(DBAPIError), database.write_engine.begin() as connection:
        connection.execute(text("UPDATE entity_address SET city = 'Essen'"))
