"""Which events make a letter, and what stands in it? Made once for each event, with the order as it is then.

Only live orders that people or programs enter are written about: an imported history must not reach today's customers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from app.composition.letter_texts import OF_COUNTRY, Event
from app.composition.letters import LETTER, CustomerContact, Letter, filled, message_id_of, template_of
from erpcore.fulfilment.carriers.models import Carriage
from erpcore.kernel.eventlog import LoggedEvent
from erpcore.kernel.events import EventLog
from erpcore.kernel.model import QUANTITY_PLACES
from erpcore.kernel.money import from_minor
from erpcore.kernel.work import STATED, UnitOfWork
from erpcore.masterdata.models import Customer, Entity, Item, Site
from erpcore.orders.models import OrderLine, SalesOrder

NAME = "letters"
#: By event of the core: what is told.
TOLD = {
    "order.captured": Event.CONFIRMATION, "order.repromised": Event.DELAY, "order.backordered": Event.SHORTAGE,
    "order.held": Event.HOLD, "order.amended": Event.CORRECTION, "shipment.confirmed": Event.SHIPMENT,
    "order.cancelled": Event.CANCELLATION, "order.substituted": Event.SUBSTITUTION,
}  # fmt: skip
#: Doors through which customers' own wishes come; others bring history.
_DOORS = frozenset({"screen", "api", "system"})


class LetterConsumer:
    """Makes letters of events, in the transaction that moves its cursor."""

    name = NAME
    types = frozenset(TOLD)

    def prepare(self, connection: Connection, events: Sequence[LoggedEvent]) -> Any:
        """Nothing is worked out ahead: most events make no letter."""
        del connection, events

    def rows(self, prepared: Any) -> int:
        """Letters are few and are not known ahead."""
        del prepared
        return 0

    def take(self, work: UnitOfWork, events: Sequence[LoggedEvent], prepared: Any = None) -> None:
        """One letter for each event of an order whose customer has an address."""
        del prepared
        for event in events:
            if event.realm == "live" and event.source in _DOORS and _is_news(work.session, event):
                _write(work, event)


def _is_news(session: Session, event: LoggedEvent) -> bool:
    """Whether the customer learns something by it: a promise is told when it is later than the first one was, and when no other
    letter of the same commit tells it.
    """
    if event.type != "order.repromised":
        return True
    days = {line["line"]: date.fromisoformat(line["day"]) for line in orjson.loads(event.data)["lines"]}
    first = session.execute(select(OrderLine.id, OrderLine.first_promised_on).where(OrderLine.id.in_(days)))
    if not any(days[row.id] > row.first_promised_on for row in first):
        return False
    told = ("order.amended", "order.backordered", "order.substituted")
    same = (EventLog.journey == event.journey, EventLog.recorded_at == event.recorded_at, EventLog.type.in_(told))
    return session.execute(select(EventLog.seq).where(*same).limit(1)).first() is None


def _write(work: UnitOfWork, event: LoggedEvent) -> None:
    row = work.session.execute(
        select(SalesOrder, Customer, CustomerContact, Entity.name.label("company"), Site.name.label("site"))
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(CustomerContact, CustomerContact.customer_id == Customer.id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .join(Site, Site.id == SalesOrder.site_id)
        .where(SalesOrder.id == event.journey)
    ).one_or_none()
    if row is None or row.SalesOrder.source in STATED:
        return
    order, contact = row.SalesOrder, row.CustomerContact
    language = contact.language or OF_COUNTRY.get(row.Customer.country, "en")
    found = template_of(work.session, TOLD[event.type], language)
    facts = order_facts(work.session, order, row.Customer.name, row.company, row.site, event)
    subject, body = filled(found.subject, facts), filled(found.body, facts)
    work.session.add(
        Letter(
            id=work.ids.one(), event_seq=event.seq, event=TOLD[event.type], order_id=order.id, site_id=order.site_id,
            customer_id=order.customer_id, language=found.language, template_version=found.version, to_address=contact.email,
            subject=" ".join(subject.split())[:300], body=body,
            message_id=message_id_of(order.id, event.seq, contact.email, subject, body),
            state=LETTER.target("skip", LETTER.initial) if contact.wants_none else LETTER.initial, attempts=0, next_at=work.now,
            made_at=work.now,
        )
    )  # fmt: skip


def order_facts(
    session: Session, order: SalesOrder, customer: str, company: str, site: str, event: LoggedEvent | None
) -> dict[str, str]:
    """What the fields of a text stand for; ``event`` says which lines, without one all of them."""
    rows = session.execute(
        select(OrderLine, Item.code, Item.name, Item.unit)
        .join(Item, Item.id == OrderLine.item_id)
        .where(OrderLine.order_id == order.id)
        .order_by(OrderLine.line_no)
    ).all()
    about = _quantities(event)
    told = [(row, about.get(row.OrderLine.id) or row.OrderLine.quantity - row.OrderLine.cancelled) for row in rows]
    lines = [(row, quantity) for row, quantity in told if quantity > 0 and (not about or row.OrderLine.id in about)]
    shown = [
        f"{quantity:f}".rstrip("0").rstrip(".")
        + f" {row.unit} {row.code} {row.name}: {row.OrderLine.promised_on.isoformat()}"
        for row, quantity in lines
    ]
    tracking = None
    if event is not None and event.subject_type == "shipment":
        tracking = session.scalar(select(Carriage.tracking_number).where(Carriage.shipment_id == event.subject))
    return {
        "company": company, "customer": customer, "order": order.number, "reference": order.customer_reference or "–",
        "lines": "\n".join(shown), "tracking": tracking or "–", "site": site,
        "promised": max((row.OrderLine.promised_on for row, _ in lines), default=order.captured_at.date()).isoformat(),
        "value": f"{from_minor(order.value_minor, order.currency)} {order.currency}",
    }  # fmt: skip


def _quantities(event: LoggedEvent | None) -> dict[int, Decimal | None]:
    """The lines that the event is about, with how much of each where it says so."""
    if event is None or event.type in ("order.amended", "order.held"):
        return {}
    data = orjson.loads(event.data)
    if event.type == "order.substituted":
        return {data["substitute_line"]: _units(data["quantity"])}
    return {line["line"]: _units(line["quantity"]) if "quantity" in line else None for line in data.get("lines", [])}


def _units(thousandths: int) -> Decimal:
    """With all its places, so that only those after the point are ever cut."""
    return Decimal(thousandths).scaleb(-QUANTITY_PLACES)
