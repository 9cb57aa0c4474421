"""Addresses of customers for programs: what holds and what held, a new one, another in its place, an end."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from app.api.framework import check_version, operation
from app.api.v1.numbers import fresh
from app.api.values import Answer, Body
from app.composition.request import reader
from app.queries.addresses import AddressFact, addresses_of, customer_addressed, one_address
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.credit.services import relieve
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.addresses import AddressContent, add_address, change_address, end_address

TAG = "Customers"


class AddressBody(Body):
    """What an address says. Without street or city, goods to it wait; `gln` is 13 digits with its check digit."""

    code: str = Field(min_length=1, max_length=40)
    name: str = Field(min_length=1, max_length=200)
    street: str = Field("", max_length=120)
    postal_code: str = Field("", max_length=16)
    city: str = Field("", max_length=80)
    region: str | None = Field(None, max_length=64)
    country: str = Field(min_length=1, max_length=64)
    gln: str | None = Field(None, max_length=13)
    is_default: bool = False
    needs_export_check: bool = False
    valid_from: date
    valid_until: date | None = None


class EndBody(Body):
    """`on`: the first day on which nothing goes there."""

    on: date


class AddressAnswer(Answer):
    """One address. `followed_by`: the one that took its place."""

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
    missing: list[str]


class AddressList(Answer):
    """The customer's addresses, the usual one first."""

    items: list[AddressAnswer]


def _answer(one: AddressFact) -> AddressAnswer:
    return AddressAnswer(**{name: getattr(one, name) for name in AddressAnswer.model_fields})


def _content(body: AddressBody) -> AddressContent:
    return AddressContent(**body.model_dump(exclude={"valid_from"}))


_EXAMPLE = {
    "code": "main", "name": "Bautechnik", "street": "Ruhrstraße 4", "postal_code": "47051", "city": "Duisburg",
    "country": "Germany", "valid_from": "2026-01-01",
}  # fmt: skip


@operation(
    "GET", "/customers/{customer_id}/addresses", permission=Permission.MASTERDATA_READ, summary="List a customer's addresses",
    tag=TAG, answer=AddressList,
)  # fmt: skip
def list_addresses(customer_id: int) -> AddressList:
    customer_addressed(reader(), actor(), customer_id)
    return AddressList(items=[_answer(one) for one in addresses_of(reader(), customer_id)])


@operation(
    "POST", "/customers/{customer_id}/addresses", permission=Permission.ADDRESS_CHANGE, summary="Enter an address", tag=TAG,
    body=AddressBody, answer=AddressAnswer, status=201, example=_EXAMPLE,
)  # fmt: skip
def enter_address(work: UnitOfWork, customer_id: int, body: AddressBody) -> AddressAnswer:
    work.realm = customer_addressed(work.session, work.actor, customer_id).realm
    made = add_address(work, customer_id, _content(body), valid_from=body.valid_from)
    relieve(work, customer_id)
    return _answer(one_address(fresh(work), work.actor, made.id)[1])


@operation(
    "POST", "/addresses/{address_id}/change", permission=Permission.ADDRESS_CHANGE, summary="Put another address in its place",
    tag=TAG, body=AddressBody, answer=AddressAnswer, versioned=True, example=_EXAMPLE,
)  # fmt: skip
def follow_address(work: UnitOfWork, address_id: int, version: int, body: AddressBody) -> AddressAnswer:
    """Open orders go to the new one; shipments that exist keep the one they go to."""
    customer, before = one_address(work.session, work.actor, address_id)
    work.realm = customer.realm
    check_version(version, before.version)
    made = change_address(work, address_id, _content(body), valid_from=body.valid_from, seen_version=version)
    relieve(work, customer.id)
    return _answer(one_address(fresh(work), work.actor, made.id)[1])


@operation(
    "POST", "/addresses/{address_id}/end", permission=Permission.ADDRESS_CHANGE, summary="End an address", tag=TAG, body=EndBody,
    answer=AddressAnswer, versioned=True, example={"on": "2026-12-31"},
)  # fmt: skip
def close_address(work: UnitOfWork, address_id: int, version: int, body: EndBody) -> AddressAnswer:
    customer, before = one_address(work.session, work.actor, address_id)
    work.realm = customer.realm
    check_version(version, before.version)
    end_address(work, address_id, on=body.on, seen_version=version)
    return _answer(one_address(fresh(work), work.actor, address_id)[1])
