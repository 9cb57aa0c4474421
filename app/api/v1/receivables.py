"""Receivables for programs: ageing by customer, one customer's account, and the statement, each as of any day."""

from __future__ import annotations

from datetime import date
from operator import attrgetter

from pydantic import Field

from app.api.framework import operation
from app.api.lists import listed, only, part_of, which
from app.api.v1.numbers import Key, as_amount
from app.api.v1.papers import PaperAnswer, paper_answer
from app.api.values import Amount, Answer, Body, Page, PageQuery, Realm
from app.composition.request import now, reader
from app.queries.customer_statement import Statement, statement
from app.queries.receivables import AGEING, BUCKETS, Account, AgeingRow, account
from app.reports.accounts import statement_paper
from app.security.permissions import Permission
from app.security.require import actor

TAG = "Billing"


class AgeingAnswer(Answer):
    """What a customer owes, by how long it is overdue; `credits` and `on_account` are negative or nil."""

    customer_id: int
    code: str
    customer: str
    entity_id: int
    currency: str
    not_due: Amount
    overdue_1_30: Amount
    overdue_31_60: Amount
    overdue_61_90: Amount
    overdue_over_90: Amount
    deducted: Amount = Field(description="deducted or disputed, in none of the others")
    credits: Amount
    on_account: Amount
    balance: Amount


class AgeingQuery(PageQuery):
    """Whose receivables, on which day; today of each company without one."""

    realm: Realm = "live"
    overdue: bool = only("those who owe something that is overdue")
    as_of: date | None = which("A day that has not come is today.")
    text: str = part_of("the customer's name or code")
    company: Key | None = which("Only what this company is owed.")


class OpenItemAnswer(Answer):
    """A document or receipt that is not settled on the day."""

    kind: str = Field(description="invoice, credit_memo, debt_journal or receipt")
    id: int
    number: str
    dated: date
    due_on: date | None
    amount: Amount
    open: Amount
    days_over: int
    deducted: Amount


class AccountAnswer(Answer):
    """A customer's account on a day."""

    as_of: date
    ageing: AgeingAnswer
    items: list[OpenItemAnswer]


class DayQuery(Body):
    """The day; today without one."""

    as_of: date | None = None


class PeriodQuery(Body):
    """The days, both included: from the first of last month until today unless said."""

    since: date | None = None
    until: date | None = None


class MovementAnswer(Answer):
    """What changed the balance, and the balance after it."""

    kind: str
    id: int
    number: str
    dated: date
    due_on: date | None
    note: str
    amount: Amount
    balance: Amount


class StatementAnswer(Answer):
    """A statement: `closing` is `opening` and all movements, and the balance of the account on the last day."""

    since: date
    until: date
    currency: str
    opening: Amount
    closing: Amount
    movements: list[MovementAnswer]


def _ageing(row: AgeingRow) -> AgeingAnswer:
    not_due, first, second, third, older = (as_amount(minor, row.currency) for minor in row.due_minor)
    return AgeingAnswer(
        customer_id=row.customer_id, code=row.code, customer=row.customer, entity_id=row.entity_id, currency=row.currency,
        not_due=not_due, overdue_1_30=first, overdue_31_60=second, overdue_61_90=third, overdue_over_90=older,
        deducted=as_amount(row.deducted_minor, row.currency), credits=as_amount(row.credits_minor, row.currency), on_account=as_amount(row.on_account_minor, row.currency),
        balance=as_amount(row.balance_minor, row.currency),
    )  # fmt: skip


def _account(page: Account) -> AccountAnswer:
    code = page.row.currency
    items = [
        OpenItemAnswer(
            kind=one.kind, id=one.id, number=one.number, dated=one.on, due_on=one.due_on,
            amount=as_amount(one.amount_minor, code), open=as_amount(one.open_minor, code), days_over=one.days_over,
            deducted=as_amount(one.deducted_minor, code),
        )
        for one in page.items
    ]  # fmt: skip
    return AccountAnswer(as_of=page.as_of, ageing=_ageing(page.row), items=items)


def _statement(page: Statement) -> StatementAnswer:
    code = page.account.row.currency
    movements = [
        MovementAnswer(
            kind=one.kind, id=one.id, number=one.number, dated=one.on, due_on=one.due_on, note=one.note,
            amount=as_amount(one.minor, code), balance=as_amount(one.balance_minor, code),
        )
        for one in page.movements
    ]  # fmt: skip
    return StatementAnswer(
        since=page.since, until=page.until, currency=code, opening=as_amount(page.opening_minor, code),
        closing=as_amount(page.closing_minor, code), movements=movements,
    )  # fmt: skip


@operation(
    "GET", "/receivables", permission=Permission.INVOICE_READ, summary=f"Ageing by customer: {', '.join(BUCKETS)}", tag=TAG,
    query=AgeingQuery, answer=Page[AgeingAnswer],
)  # fmt: skip
def list_receivables(query: AgeingQuery) -> Page[AgeingAnswer]:
    return listed(AGEING, query, _ageing, key=attrgetter("customer_id"))


@operation(
    "GET", "/customers/{customer_id}/account", permission=Permission.INVOICE_READ, summary="What is open of a customer on a day",
    tag=TAG, query=DayQuery, answer=AccountAnswer,
)  # fmt: skip
def show_account(customer_id: int, query: DayQuery) -> AccountAnswer:
    return _account(account(reader(), actor(), customer_id, query.as_of, now()))


@operation(
    "GET", "/customers/{customer_id}/statement", permission=Permission.INVOICE_READ, summary="A customer's statement of account",
    tag=TAG, query=PeriodQuery, answer=StatementAnswer,
)  # fmt: skip
def show_statement(customer_id: int, query: PeriodQuery) -> StatementAnswer:
    return _statement(statement(reader(), actor(), customer_id, since=query.since, until=query.until, now=now()))


@operation(
    "GET", "/customers/{customer_id}/statement-paper", permission=Permission.INVOICE_READ,
    summary="A customer's statement of account as a PDF", tag="Papers", query=PeriodQuery, answer=PaperAnswer,
)  # fmt: skip
def print_statement(customer_id: int, query: PeriodQuery) -> PaperAnswer:
    page = statement(reader(), actor(), customer_id, since=query.since, until=query.until, now=now())
    return paper_answer(statement_paper(page, now()))
