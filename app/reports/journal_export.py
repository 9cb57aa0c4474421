"""The books as files that others can read and check: in Beancount's plain text, and as CSV. The same books give the same bytes.

Both are written line by line as entries are read, so that a long past needs no more memory than a short one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.reports.cells import cell
from erpcore.kernel.money import from_minor
from erpcore.ledger.models import Account, AccountKind, JournalEntry, JournalLine
from erpcore.masterdata.models import Channel, Customer, Entity, Site

#: What Beancount calls the five kinds of account.
_ROOTS = {
    AccountKind.ASSET: "Assets", AccountKind.LIABILITY: "Liabilities", AccountKind.EQUITY: "Equity",
    AccountKind.INCOME: "Income", AccountKind.EXPENSE: "Expenses",
}  # fmt: skip
_AT_ONCE = 2_000
HEADS = (
    "company", "entry", "day", "rule", "document_type", "document", "reverses", "site", "channel", "text", "line", "account",
    "account_name", "party", "debit", "credit", "currency",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Company:
    """Whose books."""

    id: int
    code: str
    name: str
    currency: str


def companies(session: Session, realm: str, code: str | None = None) -> list[Company]:
    """The companies of a realm by code, or the one asked for; empty when there is none."""
    query = select(Entity).where(Entity.realm == realm).order_by(Entity.code, Entity.id)
    if code is not None:
        query = query.where(Entity.code == code)
    return [Company(id=e.id, code=e.code, name=e.name, currency=e.currency) for e in session.scalars(query)]


def _lines(session: Session, company: Company) -> Iterator[Any]:
    """Every line of a company, entry by entry, in the order of their days."""
    query = (
        select(
            JournalEntry.id, JournalEntry.entry_on, JournalEntry.rule, JournalEntry.document_type, JournalEntry.document_id,
            JournalEntry.reverses_id, JournalEntry.text, JournalEntry.currency, JournalLine.line_no, JournalLine.account_id,
            JournalLine.debit_minor, JournalLine.credit_minor, Site.code.label("site"), Channel.code.label("channel"),
            Customer.code.label("party"), Account.code.label("account"), Account.name.label("account_name"), Account.kind,
        )
        .join_from(JournalEntry, JournalLine, JournalLine.entry_id == JournalEntry.id)
        .join(Account, Account.id == JournalLine.account_id)
        .join(Site, Site.id == JournalEntry.site_id, isouter=True)
        .join(Channel, Channel.id == JournalEntry.channel_id, isouter=True)
        .join(Customer, Customer.id == JournalLine.party_id, isouter=True)
        .where(JournalEntry.entity_id == company.id)
        .order_by(JournalEntry.entry_on, JournalEntry.id, JournalLine.line_no)
    )  # fmt: skip
    yield from session.execute(query, execution_options={"yield_per": _AT_ONCE})


def account_name(company: str, kind: str, code: str, name: str) -> str:
    """An account as Beancount writes one: words of letters, digits and hyphens that begin with a capital or a digit."""
    return ":".join((_ROOTS[AccountKind(kind)], _word(company), _word(f"{code} {name}")))


def _word(text: str) -> str:
    word = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-") or "X"
    return word[0].upper() + word[1:]


def _quoted(text: str) -> str:
    plain = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


def beancount_text(session: Session, chosen: list[Company]) -> Iterator[str]:
    """The books of these companies: their accounts, every entry, and at the end what each account must then hold."""
    yield 'option "title" "Wavegate"\n'
    for currency in sorted({company.currency for company in chosen}):
        yield f'option "operating_currency" "{currency}"\n'
    for company in chosen:
        yield from _company_text(session, company)


def _company_text(session: Session, company: Company) -> Iterator[str]:
    found, first, last = session.execute(
        select(func.count(), func.min(JournalEntry.entry_on), func.max(JournalEntry.entry_on)).where(JournalEntry.entity_id == company.id)
    ).one()  # fmt: skip
    if not found:
        return
    yield f"\n; {' '.join(company.name.split())}\n"
    accounts = session.execute(select(Account).where(Account.entity_id == company.id).order_by(Account.code)).scalars()
    names = {one.id: account_name(company.code, one.kind, one.code, one.name) for one in accounts}
    for name in names.values():
        yield f"{first} open {name} {company.currency}\n"
    for _, rows in groupby(_lines(session, company), key=lambda row: row.id):
        yield _entry_text(list(rows), names)
    yield "\n"
    # Added up by the database apart from what was written above; who reads the file compares the two.
    sums = session.execute(
        select(JournalLine.account_id, func.sum(JournalLine.debit_minor), func.sum(JournalLine.credit_minor))
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(JournalEntry.entity_id == company.id)
        .group_by(JournalLine.account_id)
    )
    held = {account: int(debit) - int(credit) for account, debit, credit in sums}
    for key, name in names.items():
        yield f"{last + timedelta(days=1)} balance {name} {from_minor(held.get(key, 0), company.currency)} ~ 0 {company.currency}\n"


def _entry_text(rows: list[Any], names: dict[int, str]) -> str:
    head = rows[0]
    facts = {
        "entry": str(head.id), "document": f"{head.document_type} {head.document_id}", "site": head.site,
        "channel": head.channel, "reverses": str(head.reverses_id) if head.reverses_id else None,
    }  # fmt: skip
    out = [f"\n{head.entry_on} * {_quoted(head.rule.replace('_', ' '))} {_quoted(head.text or '')}\n"]
    out += [f"  {name}: {_quoted(value)}\n" for name, value in facts.items() if value]
    for row in rows:
        amount = from_minor(row.debit_minor - row.credit_minor, row.currency)
        out.append(f"  {names[row.account_id]}  {amount} {row.currency}\n")
        if row.party:
            out.append(f"    party: {_quoted(row.party)}\n")
    return "".join(out)


def csv_text(session: Session, chosen: list[Company]) -> Iterator[str]:
    """The same as a table, a row a line; what a spreadsheet would run as a formula is kept from it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADS)
    for company in chosen:
        for row in _lines(session, company):
            writer.writerow(
                cell(value)
                for value in (
                    company.code, row.id, row.entry_on, row.rule, row.document_type, row.document_id, row.reverses_id, row.site,
                    row.channel, row.text, row.line_no, row.account, row.account_name, row.party,
                    from_minor(row.debit_minor, row.currency), from_minor(row.credit_minor, row.currency), row.currency,
                )
            )  # fmt: skip
            if buffer.tell() > 65_536:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
    yield buffer.getvalue()
