"""Companies as their documents name them, for programs: the address over time, and the tax numbers."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from app.api.companies import in_company
from app.api.framework import operation
from app.api.v1.numbers import pointing
from app.api.values import Answer, Body
from app.composition.request import reader
from app.queries.companies import CompanyPage, company_page
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.billing.paying import TellInvoiceAccount, tell_invoice_account
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.company_address import CompanyAddress, TellAddress, tell_address

TAG = "Taxes"


class CompanyAddressAnswer(Answer):
    """The address from `valid_from` on; `number` counts from 1, `country` is a code of ISO 3166-1."""

    number: int
    valid_from: date
    name: str
    street: str
    postal_code: str
    city: str
    region: str | None
    country: str
    register_number: str | None
    reason: str
    set_at: datetime


class HeldNumberAnswer(Answer):
    """A tax number with the days on which it holds."""

    id: int
    country: str
    number: str
    valid_from: date
    valid_until: date | None


class InvoiceAccountAnswer(Answer):
    """The account that invoices in its currency name from `valid_from` on; `number` counts from 1."""

    number: int
    account_id: int
    account: str
    currency: str
    bic: str | None
    valid_from: date
    reason: str
    set_at: datetime


class CompanyAnswer(Answer):
    """A company. Of its addresses, in the order they were told, the last of those that have begun holds."""

    id: int
    code: str
    name: str
    realm: str
    currency: str
    addresses: list[CompanyAddressAnswer]
    tax_numbers: list[HeldNumberAnswer]
    invoice_accounts: list[InvoiceAccountAnswer]


class InvoiceAccountBody(Body):
    """The account that invoices name next. `seen` is the number of the last one, 0 where there is none."""

    account: int
    valid_from: date
    bic: str = Field("", max_length=14)
    reason: str = Field(min_length=1, max_length=200)
    seen: int = Field(0, ge=0)


class CompanyAddressBody(Body):
    """The next address. `seen` is the number of the last one, 0 where there is none."""

    valid_from: date
    name: str = Field(min_length=1, max_length=200)
    street: str = Field(min_length=1, max_length=120)
    postal_code: str = Field(min_length=1, max_length=16)
    city: str = Field(min_length=1, max_length=80)
    region: str | None = Field(None, max_length=64)
    country: str = Field(min_length=2, max_length=2)
    register_number: str | None = Field(None, max_length=64)
    reason: str = Field(min_length=1, max_length=200)
    seen: int = Field(0, ge=0)


def _answer(page: CompanyPage) -> CompanyAnswer:
    one = page.company
    return CompanyAnswer(
        id=one.id, code=one.code, name=one.name, realm=one.realm, currency=one.currency,
        addresses=[CompanyAddressAnswer.model_validate(each) for each in page.addresses],
        tax_numbers=[HeldNumberAnswer.model_validate(each) for each in page.numbers],
        invoice_accounts=[InvoiceAccountAnswer.model_validate(each) for each in page.accounts],
    )  # fmt: skip


@operation(
    "GET", "/companies/{entity_id}", permission=Permission.MASTERDATA_READ, summary="A company, its address and tax numbers",
    tag=TAG, answer=CompanyAnswer,
)  # fmt: skip
def show_company(entity_id: int) -> CompanyAnswer:
    return _answer(company_page(reader(), actor(), entity_id))


@operation(
    "POST", "/companies/{entity_id}/addresses", permission=Permission.TAX_KEEP, summary="Tell a company's next address",
    tag=TAG, body=CompanyAddressBody, answer=CompanyAnswer, status=201,
    example={
        "valid_from": "2026-01-01", "name": "Nordhaus GmbH", "street": "Ruhrstraße 4", "postal_code": "47051", "city": "Duisburg",
        "country": "DE", "register_number": "HRB 4711 Duisburg", "reason": "as registered", "seen": 0,
    },
)  # fmt: skip
def tell_company_address(work: UnitOfWork, entity_id: int, body: CompanyAddressBody) -> CompanyAnswer:
    in_company(work, entity_id)
    said = body.model_dump(exclude={"valid_from", "reason", "seen"})
    with pointing():
        tell_address(
            work,
            TellAddress(
                entity=entity_id, address=CompanyAddress(**said), valid_from=body.valid_from, reason=body.reason, seen=body.seen
            ),
        )  # fmt: skip
    return _answer(company_page(work.session, work.actor, entity_id))


@operation(
    "POST", "/companies/{entity_id}/invoice-accounts", permission=Permission.BANK_ACCOUNT,
    summary="Tell which account a company's invoices name from a day on", tag=TAG, body=InvoiceAccountBody, answer=CompanyAnswer,
    status=201,
    example={"account": 5001, "valid_from": "2026-03-02", "bic": "COBADEFFXXX", "reason": "the house bank", "seen": 0},
)  # fmt: skip
def tell_account_on_invoices(work: UnitOfWork, entity_id: int, body: InvoiceAccountBody) -> CompanyAnswer:
    in_company(work, entity_id)
    with pointing():
        tell_invoice_account(work, TellInvoiceAccount(entity=entity_id, **body.model_dump()))
    return _answer(company_page(work.session, work.actor, entity_id))
