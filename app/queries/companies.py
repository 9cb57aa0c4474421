"""Who is a company to others? Its address, as it was told over time, and its tax numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.places import EntityPick, company_seen
from erpcore.billing.bank_models import BankAccount
from erpcore.billing.paying import InvoiceAccount, invoice_accounts_told
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.masterdata.company_address import address_on, addresses_told
from erpcore.masterdata.countries import country_name
from erpcore.masterdata.models import Entity
from erpcore.masterdata.tax_models import TaxRegistration


@dataclass(frozen=True, kw_only=True)
class ToldAddress:
    """An address as it was told; ``number`` counts those of the company from 1, ``country`` is the code."""

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
    set_by: int
    set_as: str
    set_at: datetime

    @property
    def lines(self) -> list[str]:
        """What stands below the name."""
        town = f"{self.postal_code} {self.city}".strip()
        return [part for part in (self.street, town, self.region or "", country_name(self.country)) if part]


@dataclass(frozen=True, kw_only=True)
class NumberRow:
    """A tax number with the days on which it holds."""

    id: int
    country: str
    number: str
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, kw_only=True)
class ToldAccount:
    """An account that invoices name from a day on, as it was told; ``number`` counts those of the company from 1."""

    number: int
    account_id: int
    account: str
    name: str
    currency: str
    bic: str | None
    valid_from: date
    reason: str
    set_by: int
    set_as: str
    set_at: datetime


@dataclass(frozen=True, kw_only=True)
class CompanyPage:
    """A company with all its addresses, in the order they were told, and its tax numbers. ``is_twin``: it has those of a live one."""

    company: EntityPick
    country: str
    is_twin: bool
    addresses: list[ToldAddress]
    numbers: list[NumberRow]
    accounts: list[ToldAccount]

    def holding(self, day: date) -> ToldAddress | None:
        """The address that holds on a day: the last told of those that have begun."""
        return next((one for one in reversed(self.addresses) if one.valid_from <= day), None)

    def named(self, day: date) -> list[ToldAccount]:
        """The account that invoices of a day name, by currency, and those that are told for a later one."""
        held = {one.currency: one for one in self.accounts if one.valid_from <= day}
        return [*held.values(), *(one for one in self.accounts if one.valid_from > day)]


def company_page(session: Session, actor: Actor, entity: int) -> CompanyPage:
    """One company; raises ``NotFound`` for an unknown one and for one whose books the person does not see."""
    company = company_seen(session, actor, entity)
    row = session.execute(select(Entity.country, Entity.twin_id).where(Entity.id == entity)).one()
    return CompanyPage(
        company=company, country=row.country, is_twin=row.twin_id is not None,
        addresses=[_told(one) for one in addresses_told(session, entity)], numbers=tax_numbers(session, entity, None),
        accounts=[_told_account(*one) for one in invoice_accounts_told(session, entity)],
    )  # fmt: skip


def address_at(session: Session, entity: int, at: datetime) -> ToldAddress | None:
    """Where a company has its post on the day of ``at`` in its own zone; ``None`` where no address was told by then."""
    time_zone = session.scalars(select(Entity.time_zone).where(Entity.id == entity)).one()
    told = address_on(addresses_told(session, entity), local_day(at, time_zone))
    return None if told is None else _told(told)


def tax_numbers(session: Session, entity: int, customer: int | None) -> list[NumberRow]:
    """The tax numbers of a company, or of one of its customers, by country and first day."""
    whose = TaxRegistration.customer_id.is_(None) if customer is None else TaxRegistration.customer_id == customer
    query = select(TaxRegistration).where(TaxRegistration.entity_id == entity, whose)
    order = (TaxRegistration.country, TaxRegistration.valid_from, TaxRegistration.id)
    names = NumberRow.__dataclass_fields__
    return [
        NumberRow(**{name: getattr(row, name) for name in names}) for row in session.scalars(query.order_by(*order))
    ]


def _told(row: Any) -> ToldAddress:
    return ToldAddress(**{name: getattr(row, name) for name in ToldAddress.__dataclass_fields__})


def _told_account(told: InvoiceAccount, account: BankAccount) -> ToldAccount:
    return ToldAccount(
        number=told.number, account_id=account.id, account=account.number, name=account.name, currency=account.currency,
        bic=told.bic, valid_from=told.valid_from, reason=told.reason, set_by=told.set_by, set_as=told.set_as, set_at=told.set_at,
    )  # fmt: skip
