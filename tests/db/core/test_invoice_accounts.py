"""The account that invoices name: told with a first day, never changed, and nothing that was given out names another later."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.composition.uow import reading, unit_of_work
from erpcore.billing.bank import add_bank_account
from erpcore.billing.paying import (
    TellInvoiceAccount,
    invoice_account_on,
    invoice_accounts_told,
    is_iban,
    tell_invoice_account,
)
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from tests.support.core import MONDAY, a_business
from tests.support.threads import at_once

FINANCE = Actor(id=5, role="finance", permissions=frozenset({"billing:bank:account"}))
TODAY = MONDAY.date()
HOUSE, OTHER = "DE89370400440532013000", "DE02120300000000202051"


@pytest.fixture
def business(database):
    return a_business(database, at=MONDAY, items=1)


def account(database, entity, number=HOUSE):
    with unit_of_work(database, actor=FINANCE, clock=SetClock(MONDAY)) as work:
        return add_bank_account(work, entity, number=number, name=f"Bank {number[-2:]}")


def tell(database, entity, key, *, since=TODAY, seen=0, reason="the house bank", actor=FINANCE, bic=""):
    with unit_of_work(database, actor=actor, clock=SetClock(MONDAY)) as work:
        c = TellInvoiceAccount(entity=entity, account=key, valid_from=since, reason=reason, seen=seen, bic=bic)
        tell_invoice_account(work, c)


def named(database, entity, day, currency="EUR"):
    with reading(database) as session:
        found = invoice_account_on(session, entity, currency, day)
        return found[1].number if found else None


def told(database, entity):
    with reading(database) as session:
        return [(one.number, bank.number) for one, bank in invoice_accounts_told(session, entity)]


def test_the_first_may_begin_in_the_past_and_the_next_holds_from_its_day_on(database, business):
    entity, ahead = business.entity, TODAY + timedelta(days=7)
    tell(database, entity, account(database, entity), since=date(2025, 1, 1), bic="cobadeff xxx")
    tell(database, entity, account(database, entity, OTHER), since=ahead, seen=1, reason="the bank merges")
    assert told(database, entity) == [(1, HOUSE), (2, OTHER)]
    days = (date(2024, 12, 31), date(2025, 1, 1), ahead - timedelta(days=1), ahead)
    assert [named(database, entity, day) for day in days] == [None, HOUSE, HOUSE, OTHER]
    assert named(database, entity, TODAY, "CHF") is None
    with reading(database) as session:
        assert session.execute(text("SELECT bic FROM invoice_account ORDER BY number")).scalars().all() == [
            "COBADEFFXXX",
            None,
        ]
        said = text("SELECT COUNT(*) FROM audit_entry WHERE kind = 'invoice_account.told'")
        assert session.execute(said).scalar_one() == 2


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"since": TODAY - timedelta(days=1)}, "invoice_account_late", "valid_from"), ({"bic": "COBA"}, "bic_wrong", "bic"),
        ({"reason": " "}, "invoice_account_reason", "reason"),
    ],
)  # fmt: skip
def test_what_cannot_be_named_is_refused_with_its_field(database, business, said, code, field):
    entity = business.entity
    tell(database, entity, account(database, entity), since=date(2025, 1, 1))
    other = account(database, entity, OTHER)
    with pytest.raises(RuleBroken) as refused:
        tell(database, entity, other, seen=1, **said)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert told(database, entity) == [(1, HOUSE)]


def test_an_iban_whose_check_digits_do_not_hold_is_not_named(database, business):
    wrong = account(database, business.entity, "DE89370400440532013001")
    with pytest.raises(RuleBroken) as refused:
        tell(database, business.entity, wrong)
    assert (refused.value.code, refused.value.field) == ("iban_wrong", "account")
    assert told(database, business.entity) == []
    tell(database, business.entity, account(database, business.entity, "70009876"))
    assert told(database, business.entity) == [(1, "70009876")]


def test_only_who_keeps_accounts_names_one_and_only_one_of_the_company(database, business):
    key = account(database, business.entity)
    with pytest.raises(NotAllowed):
        tell(database, business.entity, key, actor=Actor(id=6, role="billing", permissions=frozenset()))
    with pytest.raises(NotFound):
        tell(database, 4711, key)
    with pytest.raises(NotFound):
        tell(database, business.entity, 4711)
    assert told(database, business.entity) == []


def test_of_two_who_tell_it_at_once_the_second_is_told(database, business):
    key, other = account(database, business.entity), account(database, business.entity, OTHER)
    done = at_once(lambda: tell(database, business.entity, key), lambda: tell(database, business.entity, other))
    assert [type(one) for one in done if one is not None] == [Conflict]
    assert len(told(database, business.entity)) == 1


def test_nobody_changes_what_was_told(database, business):
    tell(database, business.entity, account(database, business.entity))
    with pytest.raises(DBAPIError), database.write_engine.begin() as connection:
        connection.execute(text("UPDATE invoice_account SET valid_from = '2020-01-01'"))


@pytest.mark.parametrize(
    ("number", "holds"),
    [
        (HOUSE, True), ("GB82WEST12345698765432", True), ("CH9300762011623852957", True), ("GB82WEST12345698765423", False),
        ("70009876", False), ("", False), ("DE89 3704", False),
    ],
)  # fmt: skip
def test_check_digits_of_an_iban(number, holds):
    assert is_iban(number) is holds
