"""Journals by hand for programs: writing, deciding, posting, reversing; the same four eyes as on the page."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from app.api.companies import in_company
from app.api.framework import operation
from app.api.lists import listed, part_of, which
from app.api.v1.numbers import Key, as_amount, as_minor, fresh, pointing
from app.api.v1.warehouse_models import Made
from app.api.values import Amount, Answer, Body, Page, PageQuery, Realm
from app.composition.request import reader
from app.queries.journals import JOURNALS, JournalPage, JournalRow, journal_page
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.chart import add_account
from erpcore.ledger.journals import (
    MOST_LINES,
    JournalLineIn,
    WriteJournal,
    move_journal,
    reverse_journal,
    write_journal,
)

TAG = "Ledger"
_EXAMPLE_LINES = [{"account": 1002, "debit": "900.00"}, {"account": 1001, "credit": "900.00"}]


class SideBody(Body):
    """A debit or a credit."""

    account: Key
    debit: Amount | None = None
    credit: Amount | None = None


class JournalBody(Body):
    """A journal as a draft; debits and credits agree."""

    entity: Key
    entry_on: date
    reason: str = Field(min_length=1, max_length=300)
    evidence: str | None = Field(None, max_length=4000)
    site: Key | None = None
    channel: Key | None = None
    lines: list[SideBody] = Field(min_length=2, max_length=MOST_LINES)


class StepBody(Body):
    """What to do with it. A rejection needs its `note`; with `version` it is refused if somebody changed the journal since."""

    move: Literal["submit", "approve", "reject", "rework", "post"]
    note: str | None = Field(None, max_length=500)
    version: int | None = Field(None, ge=1)


class MirrorBody(Body):
    """The day of the mirror image, and why."""

    entry_on: date
    reason: str = Field(min_length=1, max_length=300)


class AccountBody(Body):
    """An account that no posting rule uses."""

    entity: Key
    code: str = Field(min_length=1, max_length=24)
    name: str = Field(min_length=1, max_length=200)
    kind: Literal["asset", "liability", "equity", "income", "expense"]


class JournalQuery(PageQuery):
    """Which journals."""

    realm: Realm = "live"
    state: Literal["draft", "submitted", "approved", "rejected", "posted", "reversed"] | None = None
    text: str = part_of("the reason or the evidence")
    entity: Key | None = which("Only those of this company's books.")


class SideAnswer(Answer):
    """A line of a journal."""

    line_no: int
    account_id: int
    account: str
    debit: Amount
    credit: Amount


class JournalAnswer(Answer):
    """A journal of a list; `entry_id` once it is posted."""

    id: int
    entity_id: int
    site_id: int | None
    channel_id: int | None
    state: str
    entry_on: date
    currency: str
    amount: Amount
    reason: str
    evidence: str | None
    reverses_id: int | None
    entry_id: int | None
    written_by: int
    decided_by: int | None
    decision_note: str | None
    version: int


class JournalDetail(JournalAnswer):
    """A journal with its lines."""

    reversed_by: int | None
    lines: list[SideAnswer]


def _fields(row: JournalRow) -> dict[str, object]:
    values = {name: getattr(row, name) for name in JournalAnswer.model_fields if name != "amount"}
    return {**values, "amount": as_amount(row.amount_minor, row.currency)}


def _detail(page: JournalPage) -> JournalDetail:
    code = page.row.currency
    lines = [
        SideAnswer(
            line_no=one.line_no, account_id=one.account_id, account=one.account, debit=as_amount(one.debit_minor, code),
            credit=as_amount(one.credit_minor, code),
        )
        for one in page.lines
    ]  # fmt: skip
    return JournalDetail.model_validate({**_fields(page.row), "reversed_by": page.reversed_by, "lines": lines})


@operation("GET", "/journals", permission=Permission.LEDGER_READ, summary="Journals by hand", tag=TAG, query=JournalQuery, answer=Page[JournalAnswer])  # fmt: skip
def list_journals(query: JournalQuery) -> Page[JournalAnswer]:
    return listed(JOURNALS, query, lambda row: JournalAnswer.model_validate(_fields(row)))


@operation("GET", "/journals/{journal_id}", permission=Permission.LEDGER_READ, summary="One journal by hand", tag=TAG, answer=JournalDetail)  # fmt: skip
def show_journal(journal_id: int) -> JournalDetail:
    return _detail(journal_page(reader(), actor(), journal_id))


@operation(
    "POST", "/journals", permission=Permission.LEDGER_POST, summary="Write a journal", tag=TAG, body=JournalBody, answer=Made,
    status=201, example={"entity": 1000, "entry_on": "2026-11-26", "reason": "rent of November", "lines": _EXAMPLE_LINES},
)  # fmt: skip
def create_journal(work: UnitOfWork, body: JournalBody) -> Made:
    company = in_company(work, body.entity)

    def minor(amount: Decimal | None, number: int, side: str) -> int:
        return 0 if amount is None else as_minor(amount, company.currency, f"lines/{number}/{side}")

    lines = [
        JournalLineIn(line.account, minor(line.debit, number, "debit"), minor(line.credit, number, "credit"))
        for number, line in enumerate(body.lines)
    ]
    command = WriteJournal(
        entity=company.id, entry_on=body.entry_on, reason=body.reason, evidence=body.evidence, site=body.site,
        channel=body.channel, lines=lines,
    )  # fmt: skip
    with pointing():
        return Made(id=write_journal(work, command))


@operation(
    "POST", "/journals/{journal_id}/moves", permission=Permission.LEDGER_READ, summary="Submit, decide on, or post a journal",
    tag=TAG, body=StepBody, answer=JournalDetail, example={"move": "submit"},
)  # fmt: skip
def step_journal(work: UnitOfWork, journal_id: int, body: StepBody) -> JournalDetail:
    """The service asks for the permission of the move."""
    work.realm = journal_page(work.session, work.actor, journal_id).row.realm
    with pointing():
        move_journal(work, journal_id, body.move, note=body.note, seen_version=body.version)
    return _detail(journal_page(fresh(work), work.actor, journal_id))


@operation(
    "POST", "/journals/{journal_id}/reversal", permission=Permission.LEDGER_POST, summary="Submit the mirror image of a journal",
    tag=TAG, body=MirrorBody, answer=Made, status=201, example={"entry_on": "2026-11-27", "reason": "booked twice"},
)  # fmt: skip
def mirror_journal(work: UnitOfWork, journal_id: int, body: MirrorBody) -> Made:
    work.realm = journal_page(work.session, work.actor, journal_id).row.realm
    with pointing():
        return Made(id=reverse_journal(work, journal_id, entry_on=body.entry_on, reason=body.reason))


@operation(
    "POST", "/ledger/accounts", permission=Permission.LEDGER_POST, summary="Add an account for journals by hand", tag=TAG,
    body=AccountBody, answer=Made, status=201, example={"entity": 1000, "code": "6100", "name": "Rent", "kind": "expense"},
)  # fmt: skip
def create_account(work: UnitOfWork, body: AccountBody) -> Made:
    company = in_company(work, body.entity)
    return Made(id=add_account(work, company.id, code=body.code, name=body.name, kind=body.kind))
