"""Customers for programs: how they stand, what fills their credit, and changes of it by authority."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated

from pydantic import Field

from app.api.framework import operation
from app.api.lists import REALM, OneOf, listed, only, part_of, which
from app.api.v1.numbers import Key, as_amount, as_minor, fresh
from app.api.values import Amount, Answer, Body, Page, PageQuery, Quantity, Realm, UnitPrice
from app.composition.request import now, reader
from app.queries.customers import CUSTOMERS, CustomerPage, CustomerRow, Filling, customer_page, customer_row
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.credit.services import relieve
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.customers import ChangeStanding, Standing, change_standings

TAG = "Customers"


class CustomerAnswer(Answer):
    """A customer with the three parts of exposure, in the company's currency. `credit_limit` null: none is checked."""

    id: int
    code: str
    name: str
    country: str
    group: str | None
    company: str
    realm: str
    currency: str
    tier: int
    is_blocked: bool
    payment_days: int
    receivable: Amount
    shipped: Amount
    released: Amount
    exposure: Amount
    credit_limit: Amount | None


class OpenDocument(Answer):
    """A document that is open with the customer."""

    id: int
    number: str
    state: str
    site: str
    value: Amount


class OwnPrice(Answer):
    """A price rule that names the customer or their group."""

    rule: int
    kind: str
    what: str
    minimum_quantity: Quantity
    unit_price: UnitPrice | None
    discount: UnitPrice | None
    valid_from: date
    valid_until: date | None


class CustomerDetail(CustomerAnswer):
    """One customer with what is open: at most ten of each kind, and how many there are."""

    open_orders: list[OpenDocument]
    open_quotes: list[OpenDocument]
    overdue_invoices: list[OpenDocument]
    held_orders: list[int]
    counts: dict[str, int]
    prices: list[OwnPrice]


class CustomerQuery(PageQuery):
    """Which customers."""

    realm: Realm | None = REALM
    over: bool = only("those who owe, or will owe, more than their limit")
    blocked: bool = only("those to whom nothing is sold")
    tier: Annotated[str | None, OneOf(("1", "2", "3"))] = which("1 key account, 2 usual, 3 small.")
    text: str = part_of("the code or name")
    group: Key | None = which("Only those of this group of customers.")


class StandingBody(Body):
    """Another standing; what is left out stays. `credit_limit` null: no limit is checked any more."""

    credit_limit: Amount | None = None
    tier: int | None = Field(None, description="1 key account, 2 usual, 3 small")
    is_blocked: bool | None = None
    reason: str = Field(min_length=1, max_length=500)


def _answer(row: CustomerRow) -> CustomerAnswer:
    code = row.currency
    return CustomerAnswer(
        id=row.id, code=row.code, name=row.name, country=row.country, group=row.group, company=row.company, realm=row.realm,
        currency=code, tier=row.tier, is_blocked=row.is_blocked, payment_days=row.payment_days,
        receivable=as_amount(row.receivable_minor, code), shipped=as_amount(row.shipped_minor, code),
        released=as_amount(row.released_minor, code), exposure=as_amount(row.exposure_minor, code),
        credit_limit=None if row.limit_minor is None else as_amount(row.limit_minor, code),
    )  # fmt: skip


def _document(one: Filling, currency: str) -> OpenDocument:
    return OpenDocument(
        id=one.id, number=one.number, state=one.state, site=one.site, value=as_amount(one.minor, currency)
    )


def _detail(page: CustomerPage) -> CustomerDetail:
    currency = page.row.currency
    return CustomerDetail(
        **dict(_answer(page.row)),
        open_orders=[_document(one, currency) for one in page.orders],
        open_quotes=[_document(one, currency) for one in page.quotes],
        overdue_invoices=[_document(one, currency) for one in page.overdue],
        held_orders=[hold[0] for hold in page.holds], counts=page.counts,
        prices=[
            OwnPrice(
                rule=rule.id, kind=rule.kind, what=rule.what, minimum_quantity=rule.minimum, unit_price=rule.unit_price,
                discount=rule.discount, valid_from=rule.valid_from, valid_until=rule.valid_until,
            )
            for rule in page.rules
        ],
    )  # fmt: skip


@operation("GET", "/customers", permission=Permission.ORDER_READ, summary="List customers", tag=TAG, query=CustomerQuery, answer=Page[CustomerAnswer])  # fmt: skip
def list_customers(query: CustomerQuery) -> Page[CustomerAnswer]:
    return listed(CUSTOMERS, query, _answer)


@operation("GET", "/customers/{customer_id}", permission=Permission.ORDER_READ, summary="One customer", tag=TAG, answer=CustomerDetail)  # fmt: skip
def show_customer(customer_id: int) -> CustomerDetail:
    return _detail(customer_page(reader(), actor(), customer_id, now()))


@operation(
    "POST", "/customers/{customer_id}/standing", permission=Permission.ORDER_READ,
    summary="Change a customer's credit limit, tier or blocking; each takes its own permission", tag=TAG, body=StandingBody,
    answer=CustomerDetail, example={"credit_limit": "25000.00", "reason": "insured up to this"},
)  # fmt: skip
def change_standing(work: UnitOfWork, customer_id: Key, body: StandingBody) -> CustomerDetail:
    row = customer_row(work.session, work.actor, customer_id)
    work.realm = row.realm
    named = body.model_fields_set
    after: Standing = row.standing
    if "credit_limit" in named:
        limit = None if body.credit_limit is None else as_minor(body.credit_limit, row.currency, "credit_limit")
        after = replace(after, limit_minor=limit)
    if body.tier is not None:
        after = replace(after, tier=body.tier)
    if body.is_blocked is not None:
        after = replace(after, is_blocked=body.is_blocked)
    change_standings(
        work, [ChangeStanding(customer=customer_id, standing=after, reason=body.reason, seen=row.standing)]
    )
    relieve(work, customer_id)
    return _detail(customer_page(fresh(work), work.actor, customer_id, work.now))
