"""Where do a customer's goods go, where did they go, and who may see it?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.security.scopes import within_companies
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.addresses import CustomerAddress, holds_on, missing_parts
from erpcore.masterdata.models import Customer, Entity


@dataclass(frozen=True, kw_only=True)
class AddressFact:
    """One address; ``lines`` are what stands on paper below the name and above the country."""

    id: int
    customer_id: int
    code: str
    name: str
    street: str
    postal_code: str
    city: str
    region: str | None
    country: str
    gln: str | None
    is_default: bool
    needs_export_check: bool
    valid_from: date
    valid_until: date | None
    followed_by: int | None
    version: int

    @property
    def lines(self) -> list[str]:
        town = " ".join(part for part in (self.postal_code, self.city) if part)
        return [part for part in (self.street, town, self.region or "") if part]

    @property
    def label(self) -> str:
        return ", ".join(part for part in (f"{self.code} · {self.name}", self.city, self.country) if part)

    @property
    def missing(self) -> list[str]:
        """What it lacks to be shipped to."""
        return missing_parts(self)

    def holds(self, day: date) -> bool:
        return self.followed_by is None and holds_on(self, day)


@dataclass(frozen=True, kw_only=True)
class AddressedCustomer:
    """A customer whose addresses are looked at."""

    id: int
    entity_id: int
    code: str
    name: str
    country: str
    realm: str
    time_zone: str


def address_fact(row: CustomerAddress) -> AddressFact:
    """The address as pages and papers show it."""
    return AddressFact(**{name: getattr(row, name) for name in AddressFact.__dataclass_fields__})


def customer_addressed(session: Session, actor: Actor, customer: int) -> AddressedCustomer:
    """The customer; raises ``NotFound`` for an unknown one and for one of a company whose sites this person does not see."""
    query: Any = (
        select(Customer, Entity.realm, Entity.time_zone)
        .join(Entity, Entity.id == Customer.entity_id)
        .where(Customer.id == customer)
    )
    query = within_companies(query, actor, Customer.entity_id)
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound("customer_unknown", id=customer)
    one = row.Customer
    return AddressedCustomer(
        id=one.id, entity_id=one.entity_id, code=one.code, name=one.name, country=one.country, realm=row.realm,
        time_zone=row.time_zone,
    )  # fmt: skip


def addresses_of(session: Session, customer: int) -> list[AddressFact]:
    """The customer's addresses: the usual one first, those that another has followed last."""
    rows = session.scalars(select(CustomerAddress).where(CustomerAddress.customer_id == customer))
    return sorted(
        map(address_fact, rows),
        key=lambda one: (one.followed_by is not None, not one.is_default, one.code, -one.valid_from.toordinal()),
    )


def present_addresses(session: Session, customer: int | None, day: date) -> list[AddressFact]:
    """Those that goods may be sent to on that day, the usual one first."""
    return [one for one in addresses_of(session, customer) if one.holds(day)] if customer else []


def one_address(session: Session, actor: Actor, address: int) -> tuple[AddressedCustomer, AddressFact]:
    """The address with its customer; raises ``NotFound`` as the customer's page does."""
    row = session.get(CustomerAddress, address)
    if row is None:
        raise NotFound("address_unknown", address=address)
    return customer_addressed(session, actor, row.customer_id), address_fact(row)


def addresses_named(session: Session, ids: Iterable[Any]) -> dict[int, AddressFact]:
    """Addresses by id, in one query; none for none."""
    wanted = {key for key in ids if key is not None}
    if not wanted:
        return {}
    return {
        row.id: address_fact(row)
        for row in session.scalars(select(CustomerAddress).where(CustomerAddress.id.in_(wanted)))
    }
