"""Statements of banks for programs: handed in as files, their entries with proposals, accepted or assigned."""

from __future__ import annotations

from datetime import date
from typing import IO, NamedTuple

import orjson
from pydantic import Field

from app.api.companies import in_company, of_company
from app.api.framework import operation
from app.api.v1.billing import TAG
from app.api.v1.numbers import Key, as_amount, as_minor, fresh
from app.api.values import Amount, Answer, Body
from app.composition.request import reader
from app.composition.short_pays import Short, name_rests
from app.importers.bankfiles.accepting import accept_chosen, accept_sure
from app.importers.bankfiles.reading import digest_of, read_bank_file
from app.importers.bankfiles.table import Mapping
from app.importers.bankfiles.values import MOST_BYTES
from app.queries.bank_statements import statement_page
from app.queries.cash_desk import Suggestion, line_page, lines_waiting, suggest
from app.queries.places import company_seen
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.billing.bank import account_facts, add_bank_account, take_statements, worst_of
from erpcore.billing.bank_lines import AssignLine, Part, assign_lines, recognise_lines
from erpcore.billing.cash_credit import ApplyCredit
from erpcore.billing.cash_known import SameReceipt
from erpcore.kernel.work import UnitOfWork


class BankAccountBody(Body):
    """An account of a company at a bank."""

    entity: Key
    number: str = Field(min_length=4, max_length=64, description="IBAN, or the number as statements name it.")
    name: str = Field(min_length=1, max_length=120)


class BankAccountAnswer(Answer):
    """The account that was added."""

    id: int


class StatementQuery(Body):
    """Of which account, and for a table, which has none, the balances."""

    account: Key
    entity: Key
    file_name: str = Field(max_length=200)
    opening: Amount | None = None
    closing: Amount | None = None


class StatementLineAnswer(Answer):
    """A line as the bank wrote it: `open`, `assigned`, `repeated` or `rejected` with its fault."""

    id: int
    line_no: int
    state: str
    fault: str | None
    booked_on: date | None
    posted_on: date | None = Field(description="Where the books of the day were closed: the first open one.")
    amount: Amount | None
    payer_name: str | None
    payer_account: str | None
    text: str | None
    outcome: str | None
    receipt_id: int | None


class BankStatementAnswer(Answer):
    """A statement: `accepted`, or `refused` with the fault, and then nothing moved. `follows`: it begins where the one before ended.

    Of a file with several, the first that was refused is answered, else the last.
    """

    id: int
    reference: str
    format: str
    state: str
    fault: str | None
    currency: str
    opening: Amount | None
    closing: Amount | None
    follows: bool
    lines: list[StatementLineAnswer]


class DeskQuery(Body):
    """Of which company; the oldest entries first."""

    entity: Key
    limit: int = Field(50, ge=1, le=500)


class PartAnswer(Answer):
    """So much of an invoice would be settled."""

    invoice_id: int
    invoice: str
    amount: Amount


class SetAgainstAnswer(Answer):
    """So much of a credit memo, which the customer deducted, would be set against an invoice."""

    credit_memo_id: int
    credit_memo: str
    invoice_id: int
    invoice: str
    amount: Amount


class SuggestionAnswer(Answer):
    """An entry that waits and what is proposed for it; `token` says which proposal it was."""

    line: int
    booked_on: date
    amount: Amount
    payer_name: str | None
    text: str
    owner_id: int | None
    confidence: int = Field(description="In percent; nothing is proposed at 0.")
    customer_id: int | None
    why: str
    parts: list[PartAnswer]
    credits: list[SetAgainstAnswer]
    token: str
    typed_receipt_id: int | None = Field(
        description="A receipt of the same customer and amount that somebody typed within a week; it is not accepted by itself then."
    )


class DeskAnswer(Answer):
    """What waits at the cash desk."""

    items: list[SuggestionAnswer]


class ChosenBody(Body):
    """An entry, and the token of the proposal that is accepted."""

    line: Key
    token: str = Field(max_length=16)


class AcceptBody(Body):
    """The proposals that are accepted, or all of at least this confidence."""

    entity: Key
    chosen: list[ChosenBody] = Field(default_factory=list, max_length=200)
    percent: int | None = Field(None, ge=1, le=100)


class AcceptedAnswer(Answer):
    """The receipts that were taken."""

    receipts: list[int]


class PartBody(Body):
    """So much of an invoice is settled."""

    invoice: Key
    amount: Amount
    short: str | None = Field(
        None, max_length=32, description="Why it is not paid whole; what is left becomes a deduction."
    )
    note: str = Field("", max_length=2000)


class SetAgainstBody(Body):
    """So much of a credit memo of the customer is set against an invoice."""

    credit_memo: Key
    invoice: Key
    amount: Amount


class AssignBody(Body):
    """Whose the money is and what it pays; what is left stands on account."""

    customer: Key
    parts: list[PartBody] = Field(default_factory=list, max_length=200)
    credits: list[SetAgainstBody] = Field(
        default_factory=list, max_length=200, description="Credit memos that the customer deducted before paying."
    )
    fee: Amount | None = Field(None, description="What the bank kept besides what the line says.")
    again: str | None = Field(
        None, max_length=300, description="Why it is another payment, where its money looks typed before."
    )


class SameBody(Body):
    """The receipt that somebody typed of the entry's money."""

    receipt: Key


class SameAnswer(Answer):
    """The receipt that the entry is."""

    receipt: int


class Read(NamedTuple):
    """A file that came, and by what it is known again."""

    content: bytes
    digest: str


def _read(query: StatementQuery, file: IO[bytes]) -> Read:
    content = file.read(MOST_BYTES + 1)
    return Read(content, digest_of(content))


def _statement(statement_id: int, work: UnitOfWork | None = None) -> BankStatementAnswer:
    page = statement_page(fresh(work) if work else reader(), work.actor if work else actor(), statement_id, None)
    row, code = page.statement, page.account.currency
    return BankStatementAnswer(
        id=row.id, reference=row.reference, format=row.format, state=row.state, fault=row.fault, currency=code,
        opening=None if row.opening_minor is None else as_amount(row.opening_minor, code),
        closing=None if row.closing_minor is None else as_amount(row.closing_minor, code), follows=page.follows,
        lines=[
            StatementLineAnswer(
                id=one.id, line_no=one.line_no, state=one.state, fault=one.fault, booked_on=one.booked_on,
                posted_on=page.posted_on.get(one.id, one.booked_on if one.state in ("open", "assigned") else None),
                amount=None if one.amount_minor is None else as_amount(one.amount_minor, code), payer_name=one.payer_name,
                payer_account=one.payer_account, text=one.text, outcome=one.outcome, receipt_id=one.receipt_id,
            )
            for one in page.lines
        ],
    )  # fmt: skip


def _suggestion(one: Suggestion) -> SuggestionAnswer:
    line, code = one.line, one.line.currency
    return SuggestionAnswer(
        line=line.id, booked_on=line.booked_on, amount=as_amount(line.amount_minor, code), payer_name=line.payer_name,
        typed_receipt_id=one.typed.id if one.typed else None, text=line.text, owner_id=line.owner_id, confidence=one.proposal.confidence, customer_id=one.proposal.customer,
        why=one.proposal.why, token=one.token,
        parts=[PartAnswer(invoice_id=key, invoice=number, amount=as_amount(minor, code)) for key, number, minor in one.parts],
        credits=[
            SetAgainstAnswer(
                credit_memo_id=each.credit, credit_memo=each.number, invoice_id=each.invoice, invoice=each.invoice_number,
                amount=as_amount(each.minor, code),
            )
            for each in one.credits
        ],
    )  # fmt: skip


@operation(
    "POST", "/bank-accounts", permission=Permission.BANK_ACCOUNT, summary="Add an account of a company at a bank", tag=TAG,
    body=BankAccountBody, answer=BankAccountAnswer, status=201,
    example={"entity": 1000, "number": "DE89370400440532013000", "name": "House bank"},
)  # fmt: skip
def add_account_at_bank(work: UnitOfWork, body: BankAccountBody) -> BankAccountAnswer:
    in_company(work, body.entity)
    return BankAccountAnswer(id=add_bank_account(work, body.entity, number=body.number, name=body.name))


@operation(
    "POST", "/bank-statements", permission=Permission.BANK_IMPORT,
    summary="Hand in a bank's file: camt.053, MT940, or a table by the account's mapping", tag=TAG, query=StatementQuery,
    answer=BankStatementAnswer, status=201, takes_file=True, prepare=_read,
)  # fmt: skip
def take_bank_statement(work: UnitOfWork, query: StatementQuery, prepared: Read) -> BankStatementAnswer:
    in_company(work, query.entity)
    account = account_facts(work, query.account)
    company_seen(work.session, work.actor, account.entity_id)
    mapping = None if account.mapping is None else Mapping(**orjson.loads(account.mapping))
    sums = [
        None if value is None else as_minor(value, account.currency, name)
        for name, value in (("opening", query.opening), ("closing", query.closing))
    ]
    found = read_bank_file(prepared.content, account, mapping, opening_minor=sums[0], closing_minor=sums[1])
    taken = take_statements(work, account.id, found, file_name=query.file_name, digest=prepared.digest)
    return _statement(worst_of(taken).id, work)


@operation(
    "GET", "/bank-statements/{statement_id}", permission=Permission.RECEIPT_TAKE, summary="One bank statement with its lines",
    tag=TAG, answer=BankStatementAnswer,
)  # fmt: skip
def show_bank_statement(statement_id: int) -> BankStatementAnswer:
    return _statement(statement_id)


@operation(
    "GET", "/cash-desk", permission=Permission.RECEIPT_TAKE, summary="Entries of the bank that wait, with what is proposed",
    tag=TAG, query=DeskQuery, answer=DeskAnswer,
)  # fmt: skip
def list_cash_desk(query: DeskQuery) -> DeskAnswer:
    entity = of_company(query.entity)
    waiting = lines_waiting(reader(), entity.id, limit=query.limit)
    return DeskAnswer(items=[_suggestion(one) for one in suggest(reader(), actor(), entity.id, waiting)])


@operation(
    "POST", "/cash-desk/accept", permission=Permission.RECEIPT_APPLY,
    summary="Accept proposals: those chosen with their tokens, or all of at least a confidence", tag=TAG, body=AcceptBody,
    answer=AcceptedAnswer, example={"entity": 1000, "percent": 95},
)  # fmt: skip
def accept_at_cash_desk(work: UnitOfWork, body: AcceptBody) -> AcceptedAnswer:
    entity = in_company(work, body.entity)
    if body.percent is not None:
        return AcceptedAnswer(receipts=accept_sure(work, entity.id, body.percent))
    shown = {one.line: one.token for one in body.chosen}
    return AcceptedAnswer(receipts=accept_chosen(work, entity.id, shown, set(shown)))


@operation(
    "POST", "/bank-lines/{line_id}/assign", permission=Permission.RECEIPT_APPLY,
    summary="Say whose the money of a bank entry is and what it pays", tag=TAG, body=AssignBody, answer=AcceptedAnswer,
    example={"customer": 1003, "parts": [{"invoice": 1201, "amount": "129.90"}]},
)  # fmt: skip
def assign_bank_line(work: UnitOfWork, line_id: int, body: AssignBody) -> AcceptedAnswer:
    page = line_page(work.session, work.actor, line_id, body.customer)
    work.realm, code = page.entity.realm, page.suggestion.line.currency
    command = AssignLine(
        line=line_id, customer=body.customer, again=body.again, fee_minor=0 if body.fee is None else as_minor(body.fee, code, "fee"),
        parts=[
            Part(invoice=one.invoice, amount_minor=as_minor(one.amount, code, f"parts/{at}/amount"))
            for at, one in enumerate(body.parts)
        ],
        credits=[
            ApplyCredit(
                credit=one.credit_memo, invoice=one.invoice, amount_minor=as_minor(one.amount, code, f"credits/{at}/amount")
            )
            for at, one in enumerate(body.credits)
        ],
    )  # fmt: skip
    (receipt,) = assign_lines(work, [command])
    name_rests(work, receipt, {one.invoice: Short(one.short, one.note) for one in body.parts if one.short is not None})
    return AcceptedAnswer(receipts=[receipt])


@operation(
    "POST", "/bank-lines/{line_id}/same-receipt", permission=Permission.RECEIPT_APPLY,
    summary="Say that the money of a bank entry is that of a receipt typed before", tag=TAG, body=SameBody, answer=SameAnswer,
    example={"receipt": 1204},
)  # fmt: skip
def recognise_bank_line(work: UnitOfWork, line_id: int, body: SameBody) -> SameAnswer:
    page = line_page(work.session, work.actor, line_id, None)
    work.realm = page.entity.realm
    recognise_lines(work, [SameReceipt(line=line_id, receipt=body.receipt)])
    return SameAnswer(receipt=body.receipt)
