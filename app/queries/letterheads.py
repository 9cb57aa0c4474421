"""Who writes to whom, and where is to be paid? What stands at the head and at the foot of a letter of a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.billing.einvoice.document import PayTo
from erpcore.billing.paying import invoice_account_on, is_iban
from erpcore.masterdata.addresses import CustomerAddress
from erpcore.masterdata.company_address import address_on, addresses_told
from erpcore.masterdata.countries import country_name
from erpcore.masterdata.models import Customer, Entity
from erpcore.masterdata.tax import in_force


@dataclass(frozen=True, kw_only=True)
class Letterhead:
    """``sender`` in one line, the customer's address in some, without its name; ``pay_to``: what invoices of the day name."""

    sender: str
    to: list[str]
    pay_to: PayTo | None


def letterhead(session: Session, entity: int, customer: int, day: date) -> Letterhead:
    """The company and its customer as they were on a day. Seven statements at most."""
    company, row = session.get_one(Entity, entity), session.get_one(Customer, customer)
    told = address_on(addresses_told(session, entity), day)
    name = told.name if told else company.name
    ours = [name, told.street, f"{told.postal_code} {told.city}", country_name(told.country)] if told else [name]
    theirs = usual_address(session, customer, day)
    to = [row.country]
    if theirs is not None:
        town = f"{theirs.postal_code} {theirs.city}".strip()
        to = [one for one in (theirs.street, town, theirs.region or "", theirs.country) if one]
    return Letterhead(sender=" · ".join(ours), to=to, pay_to=pay_to(session, entity, company.currency, day, name))


def usual_address(session: Session, customer: int, day: date) -> CustomerAddress | None:
    """The customer's address that was the usual one on the day; where none was, the one that is."""
    rows = session.scalars(
        select(CustomerAddress)
        .where(CustomerAddress.customer_id == customer, CustomerAddress.is_default)
        .order_by(CustomerAddress.followed_by.is_(None).desc(), CustomerAddress.id.desc())
    ).all()
    return next((one for one in rows if in_force(one, day)), None) or next(iter(rows), None)


def pay_to(session: Session, entity: int, currency: str, day: date, holder: str) -> PayTo | None:
    """The account that documents of a day and a currency name."""
    found = invoice_account_on(session, entity, currency, day)
    if found is None:
        return None
    told, account = found
    return PayTo(account=account.number, is_iban=is_iban(account.number), holder=holder, bic=told.bic or "")
