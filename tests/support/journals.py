"""Journals by hand: accounts to write them on, and one that is written."""

from __future__ import annotations

from datetime import date

from erpcore.kernel.actor import Actor
from erpcore.ledger.chart import add_account
from erpcore.ledger.journals import JournalLineIn, WriteJournal, write_journal

TODAY = date(2026, 3, 2)
MAY = frozenset({"ledger:entry:post", "ledger:journal:approve"})
HANNE, ILSE, KIM = (Actor(id=key, role="finance", permissions=MAY) for key in (41, 42, 43))


def with_rent(business):
    """Give the company an account of rent and one of what is owed for it."""
    with business.work() as work:
        business.rent = add_account(work, business.entity, code="6100", name="Rent", kind="expense")
        business.owed = add_account(work, business.entity, code="2400", name="Accrued expenses", kind="liability")
    return business


def rent_lines(business, debit=90_000, credit=90_000):
    return [JournalLineIn(business.rent, debit, 0), JournalLineIn(business.owed, 0, credit)]


def a_journal(business, *, actor=HANNE, lines=None, **changes):
    command = WriteJournal(
        entity=business.entity, entry_on=changes.pop("entry_on", TODAY), reason=changes.pop("reason", "rent of March"),
        lines=lines or rent_lines(business), **changes,
    )  # fmt: skip
    with business.work(actor) as work:
        return write_journal(work, command)
