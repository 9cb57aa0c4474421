"""A company with an account at a bank, and the files that this hands in."""

from __future__ import annotations

from app.importers.bankfiles.reading import digest_of, read_bank_file
from erpcore.billing.bank import BankAccountFacts, add_bank_account, take_statements
from tests.support.bankfiles import IBAN
from tests.support.core import a_business


def a_desk(database):
    business = a_business(database)
    with business.work() as work:
        business.bank = add_bank_account(work, business.entity, number="DE89 3704 0044 0532 0130 00", name="House bank")
    return business


def hand_in(business, content, name="day.xml"):
    facts = BankAccountFacts(business.bank, business.entity, IBAN, "House bank", "EUR", None, 1)
    with business.work() as work:
        return take_statements(
            work, business.bank, read_bank_file(content, facts, None), file_name=name, digest=digest_of(content)
        )
