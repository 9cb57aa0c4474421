"""Letters to customers for programs: what was told, sending a parked one again, and where a customer is written to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from app.api.framework import operation
from app.api.lists import OneOf, listed, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Answer, Body, Page, PageQuery
from app.composition.letter_texts import Event
from app.composition.letters import keep_contact, try_again
from app.composition.request import reader
from app.queries.letters import LETTERS, STATES, contact_of, letter_page
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork

TAG = "Orders"


class ToldLetter(Answer):
    """One letter. `template_version` 0 is the product's own text; `way`: `mail`, or `folder` for one that reached nobody."""

    id: int
    event: str
    order_id: int
    order: str
    customer_id: int
    language: str
    template_version: int
    to_address: str
    subject: str
    body: str
    message_id: str
    state: str
    attempts: int
    made_at: datetime
    sent_at: datetime | None
    way: str | None
    last_error: str


class LetterQuery(PageQuery):
    """Which letters."""

    state: Annotated[str | None, OneOf(STATES)] = None
    event: Annotated[str | None, OneOf(tuple(Event))] = which("Only those about this event.")
    order: Key | None = which("Only those about this order.")
    text: str = part_of("the order, the customer, the address or the subject")
    site: Key | None = which("Only those about orders taken at this site.")


class Contact(Answer):
    """Where and how a customer is written to; without an address not at all. `language` null: that of the country."""

    customer_id: int
    email: str
    language: str | None
    wants_none: bool
    version: int


class ContactBody(Body):
    """How a customer is written to. `version` is the one that was read, 0 before the first."""

    email: str = Field(min_length=3, max_length=200)
    language: str | None = None
    wants_none: bool = False
    version: int = Field(ge=0)


def _letter(row: object) -> ToldLetter:
    return ToldLetter(**{name: getattr(row, name) for name in ToldLetter.model_fields})


@operation("GET", "/letters", permission=Permission.LETTER_READ, summary="List letters to customers", tag=TAG, answer=Page[ToldLetter], query=LetterQuery)  # fmt: skip
def list_letters(query: LetterQuery) -> Page[ToldLetter]:
    return listed(LETTERS, query, _letter)


@operation("POST", "/letters/{letter_id}/again", permission=Permission.LETTER_REPLAY, summary="Send a parked letter again", tag=TAG, answer=ToldLetter)  # fmt: skip
def send_again(work: UnitOfWork, letter_id: int) -> ToldLetter:
    try_again(work, letter_id)
    work.session.flush()
    return _letter(letter_page(work.session, work.actor, letter_id))


@operation("GET", "/customers/{customer_id}/contact", permission=Permission.LETTER_READ, summary="Read where a customer is written to", tag=TAG, answer=Contact)  # fmt: skip
def read_contact(customer_id: int) -> Contact:
    return _contact(contact_of(reader(), actor(), customer_id))


def _contact(row: object) -> Contact:
    return Contact(**{name: getattr(row, name) for name in Contact.model_fields})


@operation(
    "POST", "/customers/{customer_id}/contact", permission=Permission.LETTER_WRITE, summary="Say where a customer is written to",
    tag=TAG, answer=Contact, body=ContactBody,
    example={"email": "orders@bautechnik.example", "language": "de", "wants_none": False, "version": 0},
)  # fmt: skip
def write_contact(work: UnitOfWork, customer_id: int, body: ContactBody) -> Contact:
    contact_of(work.session, work.actor, customer_id)
    keep_contact(
        work,
        customer=customer_id,
        email=body.email,
        language=body.language,
        wants_none=body.wants_none,
        seen=body.version,
    )
    work.session.flush()
    return _contact(contact_of(work.session, work.actor, customer_id))
