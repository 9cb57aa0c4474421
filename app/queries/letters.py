"""What was told to which customer, when, by which text, and what waits or is parked?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.composition.letter_consumer import order_facts
from app.composition.letters import CustomerContact, Letter, LetterState, LetterTemplate
from app.queries.listing import SqlList
from app.security.scopes import within_companies, within_sites
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Customer, Entity, Site
from erpcore.orders.models import SalesOrder

STATES = tuple(state.value for state in LetterState)


@dataclass(frozen=True, kw_only=True)
class LetterRow:
    """One letter. ``template_version`` 0: the product's own text."""

    id: int
    event: str
    order_id: int
    order: str
    customer_id: int
    customer: str
    site: str
    language: str
    template_version: int
    to_address: str
    subject: str
    body: str
    message_id: str
    state: str
    attempts: int
    next_at: datetime
    last_error: str
    made_at: datetime
    sent_at: datetime | None
    way: str | None


def _letters() -> Any:
    return (
        select(Letter, SalesOrder.number.label("order"), Customer.name.label("customer"), Site.name.label("site"))
        .select_from(Letter)
        .join(SalesOrder, SalesOrder.id == Letter.order_id, isouter=True)
        .join(Customer, Customer.id == Letter.customer_id, isouter=True)
        .join(Site, Site.id == Letter.site_id, isouter=True)
    )


def _row(row: Any) -> LetterRow:
    one: Letter = row.Letter
    names = (
        "id", "event", "order_id", "customer_id", "language", "template_version", "to_address", "subject", "body", "message_id",
        "state", "attempts", "next_at", "made_at", "sent_at", "way",
    )  # fmt: skip
    return LetterRow(
        order=row.order, customer=row.customer, site=row.site, last_error=one.last_error or "",
        **{name: getattr(one, name) for name in names},
    )  # fmt: skip


#: The list of letters.
LETTERS: SqlList[LetterRow] = SqlList(
    select=_letters, row=_row, tie=(Letter.id,), usual="-made", site=Letter.site_id, by=("state", Letter.state),
    words=STATES,
    text=(SalesOrder.number, Customer.name, Letter.to_address, Letter.subject),
    sorts={"made": Letter.made_at, "sent": Letter.sent_at, "order": SalesOrder.number, "customer": Customer.name},
    wanted={
        "state": lambda value, _: Letter.state == value,
        "event": lambda value, _: Letter.event == value,
        "order": lambda value, _: Letter.order_id == value,
    },
)  # fmt: skip


def letter_page(session: Session, actor: Actor, letter_id: int) -> LetterRow:
    """One letter; raises ``NotFound`` for an unknown one and for another site's."""
    row = session.execute(within_sites(_letters().where(Letter.id == letter_id), actor, Letter.site_id)).one_or_none()
    if row is None:
        raise NotFound("letter_unknown", letter=letter_id)
    return _row(row)


def letters_of_order(session: Session, order: int) -> list[LetterRow]:
    """What the order's customer was told, the newest first."""
    query = _letters().where(Letter.order_id == order).order_by(Letter.id.desc()).limit(50)
    return [_row(row) for row in session.execute(query)]


def waiting_letters(session: Session) -> tuple[int, int]:
    """How many wait to be sent, and how many are parked."""
    counts = dict(
        session.execute(
            select(Letter.state, func.count()).where(Letter.state.in_(("waiting", "parked"))).group_by(Letter.state)
        ).all()
    )
    return counts.get("waiting", 0), counts.get("parked", 0)


def versions(session: Session) -> dict[tuple[str, str], int]:
    """The newest version of each text that was changed, by event and language."""
    rows = session.execute(
        select(LetterTemplate.event, LetterTemplate.language, func.max(LetterTemplate.version)).group_by(
            LetterTemplate.event, LetterTemplate.language
        )
    )
    return {(row[0], row[1]): row[2] for row in rows}


def preview_facts(session: Session, actor: Actor, number: str) -> dict[str, str] | None:
    """What the fields stand for in an order of that number that the person sees; ``None`` without one."""
    query: Any = (
        select(SalesOrder, Customer.name.label("customer"), Entity.name.label("company"), Site.name.label("site"))
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .join(Site, Site.id == SalesOrder.site_id)
        .where(SalesOrder.number == number.strip())
    )
    row = session.execute(within_sites(query, actor, SalesOrder.site_id).limit(1)).one_or_none()
    return None if row is None else order_facts(session, row.SalesOrder, row.customer, row.company, row.site, None)


@dataclass(frozen=True, kw_only=True)
class ContactFact:
    """How a customer is written to; without an address not at all."""

    customer_id: int
    customer: str
    code: str
    email: str
    language: str | None
    wants_none: bool
    version: int


def contact_of(session: Session, actor: Actor, customer: int) -> ContactFact:
    """The customer's entry; raises ``NotFound`` for a customer of no company with a site that the person sees."""
    query: Any = (
        select(Customer, CustomerContact)
        .join(CustomerContact, CustomerContact.customer_id == Customer.id, isouter=True)
        .where(Customer.id == customer)
    )
    query = within_companies(query, actor, Customer.entity_id)
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound("customer_unknown", id=customer)
    one: CustomerContact | None = row.CustomerContact
    return ContactFact(
        customer_id=customer, customer=row.Customer.name, code=row.Customer.code, email=one.email if one else "",
        language=one.language if one else None, wants_none=bool(one and one.wants_none), version=one.version if one else 0,
    )  # fmt: skip
