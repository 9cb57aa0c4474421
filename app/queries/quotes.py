"""Which quotes are there, which of them still hold, and what does one offer? Kept to the sites that somebody sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from app.queries.listing import SqlList
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from erpcore.masterdata.models import Channel, Customer, CustomerGroup, Entity, Item, Site
from erpcore.orders.models import SalesOrder
from erpcore.orders.quotes.models import Quote, QuoteLine, QuoteState

STATES = tuple(state.value for state in QuoteState)
#: A quote that ends within so many days asks for a call.
SOON = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class QuoteRow:
    """One quote of a list. ``valid_until`` is the first day on which its prices no longer hold."""

    id: int
    number: str
    revision: int
    reference: str | None
    customer_id: int
    customer_code: str
    customer: str
    site_id: int
    site: str
    channel: str
    time_zone: str
    realm: str
    state: str
    currency: str
    value_minor: int
    entered_at: datetime
    sent_at: datetime | None
    valid_until: date
    version: int
    lines: int = 0

    @property
    def last_day(self) -> date:
        return self.valid_until - timedelta(days=1)

    def is_over(self, now: datetime) -> bool:
        """Sent, and its last day has passed: whatever the job has kept so far."""
        return self.state == QuoteState.SENT and local_day(now, self.time_zone) >= self.valid_until

    def days_left(self, now: datetime) -> int:
        """Days on which the prices still hold, today among them."""
        return (self.valid_until - local_day(now, self.time_zone)).days


@dataclass(frozen=True, kw_only=True)
class QuotedItem:
    """A line of a quote with all that its price came from. ``losers``: rule, kind and price of those that fitted and lost."""

    id: int
    line_no: int
    item_id: int
    code: str
    name: str
    unit: str
    kind: str
    quantity: Decimal
    unit_price: Decimal
    price_source: str
    value_minor: int
    tax_rate: Decimal | None
    requested_on: date | None
    promised_on: date
    promise_reason: str
    price_rule_id: int | None
    list_price: Decimal | None
    resolved_price: Decimal | None
    price_floor: Decimal | None
    unit_cost: Decimal | None
    price_reason: str | None
    is_rush: bool
    is_rush_charge: bool
    ruleset: str | None
    losers: list[tuple[int, str, Decimal]]

    @property
    def margin_permille(self) -> int | None:
        if self.unit_cost is None or not self.unit_price:
            return None
        return int((self.unit_price - self.unit_cost) * 1000 // self.unit_price)

    @property
    def is_below_floor(self) -> bool:
        return self.price_floor is not None and self.unit_price < self.price_floor


@dataclass(frozen=True, kw_only=True)
class QuoteStep:
    """A move of the quote, with its actor's role."""

    move: str
    from_state: str | None
    to_state: str
    at: datetime
    actor: int
    role: str
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class QuotePage:
    """One quote on one page. ``order_number`` is that of the order that came of this or another revision."""

    row: QuoteRow
    note: str | None
    requested_on: date | None
    ship_country: str
    group: str | None
    entity: str
    channel_id: int
    is_blocked: bool
    valid_from: date
    priced_by: int
    asked_by: int | None
    permission: str | None
    level: str | None
    lost_minor: int
    journey_id: int
    source: str
    ruleset: str
    order_number: str | None
    lines: list[QuotedItem]
    revisions: list[tuple[int, int, str]]
    steps: list[QuoteStep]

    @property
    def margin_permille(self) -> int | None:
        """Of all lines whose cost is known; ``None`` when there is none."""
        known = [line for line in self.lines if line.unit_cost is not None]
        value = sum((line.unit_price * line.quantity for line in known), Decimal(0))
        cost = sum((line.unit_cost * line.quantity for line in known if line.unit_cost is not None), Decimal(0))
        return int((value - cost) * 1000 // value) if value else None


def _rows() -> Any:
    return select(
        Quote, Customer.code.label("customer_code"), Customer.name.label("customer"), Site.name.label("site"),
        Site.time_zone, Channel.name.label("channel"), Entity.realm,
    )  # fmt: skip


def _placed(query: Any) -> Any:
    return query.join(Site, Site.id == Quote.site_id).join(Channel, Channel.id == Quote.channel_id)


def _row(found: Any) -> QuoteRow:
    one: Quote = found.Quote
    return QuoteRow(
        id=one.id, number=one.number, revision=one.revision, reference=one.customer_reference, customer_id=one.customer_id,
        customer_code=found.customer_code, customer=found.customer, site_id=one.site_id, site=found.site,
        channel=found.channel, time_zone=found.time_zone, realm=found.realm, state=one.state, currency=one.currency,
        value_minor=one.value_minor, entered_at=one.entered_at, sent_at=one.sent_at, valid_until=one.valid_until,
        version=one.version,
    )  # fmt: skip


def _with_lines(session: Session, rows: list[QuoteRow]) -> list[QuoteRow]:
    ids = [row.id for row in rows]
    if not ids:
        return []
    query = select(QuoteLine.quote_id, func.count()).where(QuoteLine.quote_id.in_(ids)).group_by(QuoteLine.quote_id)
    counts = {row[0]: row[1] for row in session.execute(query)}
    return [replace(row, lines=counts.get(row.id, 0)) for row in rows]


def _heads() -> Any:
    return (
        select(Quote.id)
        .select_from(Quote)
        .join(Customer, Customer.id == Quote.customer_id)
        .join(Entity, Entity.id == Quote.entity_id)
    )


def _listed() -> Any:
    query = _rows().select_from(Quote).join(Customer, Customer.id == Quote.customer_id)
    return _placed(query.join(Entity, Entity.id == Quote.entity_id))


#: The list of quotes. ``ending``: sent and over within a week, or over already.
QUOTES: SqlList[QuoteRow] = SqlList(
    select=_listed, count_from=_heads, row=_row, finish=_with_lines, tie=(Quote.id,), usual="-entered", site=Quote.site_id,
    realm=Entity.realm, by=("state", Quote.state), flags=("ending",), sums={"Value": Quote.value_minor},
    currency=Quote.currency, text=(Quote.number, Quote.customer_reference, Customer.code, Customer.name),
    sorts={
        "number": Quote.number, "entered": Quote.entered_at, "customer": Customer.name, "value": Quote.value_minor,
        "state": Quote.state, "until": Quote.valid_until,
    },
    wanted={
        "state": lambda value, _: Quote.state == value,
        "channel": lambda value, _: Quote.channel_id == value,
        "customer": lambda value, _: Quote.customer_id == value,
        "ending": lambda _value, eyes: and_(
            Quote.state == QuoteState.SENT, Quote.valid_until <= (eyes.now + SOON).date()
        ),
    },
)  # fmt: skip


def quote_page(session: Session, actor: Actor, quote_id: int) -> QuotePage:
    """The quote, in four queries. Raises ``NotFound`` for an unknown one and for another site's."""
    made = aliased(SalesOrder)
    found = session.execute(
        _placed(
            _rows()
            .add_columns(
                CustomerGroup.name.label("group"), Entity.name.label("entity"), Customer.is_blocked,
                made.number.label("order_number"),
            )
            .select_from(Quote)
            .join(Customer, Customer.id == Quote.customer_id)
            .join(CustomerGroup, CustomerGroup.id == Customer.group_id, isouter=True)
            .join(Entity, Entity.id == Quote.entity_id)
            .join(made, made.id == Quote.journey_id, isouter=True)
        ).where(Quote.id == quote_id)
    ).one_or_none()  # fmt: skip
    if found is None or (actor.sites is not None and found.Quote.site_id not in actor.sites):
        raise NotFound("quote_unknown", quote=quote_id)
    one: Quote = found.Quote
    others = session.execute(
        select(Quote.id, Quote.revision, Quote.state).where(Quote.journey_id == one.journey_id).order_by(Quote.revision)
    )
    return QuotePage(
        row=_row(found), note=one.note, requested_on=one.requested_on, ship_country=one.ship_country, group=found.group,
        entity=found.entity, channel_id=one.channel_id, is_blocked=found.is_blocked, valid_from=one.valid_from,
        priced_by=one.priced_by, asked_by=one.asked_by, permission=one.permission, level=one.level,
        lost_minor=one.lost_minor, journey_id=one.journey_id, source=one.source, ruleset=one.ruleset,
        order_number=found.order_number, lines=_lines(session, quote_id),
        revisions=[(row.id, row.revision, row.state) for row in others], steps=_steps(session, quote_id),
    )  # fmt: skip


def _lines(session: Session, quote_id: int) -> list[QuotedItem]:
    rows = session.execute(
        select(QuoteLine, Item.code, Item.name, Item.unit)
        .join(Item, Item.id == QuoteLine.item_id)
        .where(QuoteLine.quote_id == quote_id)
        .order_by(QuoteLine.line_no)
    )
    own = [name for name in QuotedItem.__dataclass_fields__ if name not in ("code", "name", "unit", "losers")]
    return [
        QuotedItem(
            code=row.code, name=row.name, unit=row.unit, losers=_losers(row.QuoteLine.price_losers),
            **{name: getattr(row.QuoteLine, name) for name in own},
        )
        for row in rows
    ]  # fmt: skip


def _losers(kept: str | None) -> list[tuple[int, str, Decimal]]:
    return [(rule, kind, Decimal(price).scaleb(-6)) for rule, kind, price in orjson.loads(kept or "[]")]


def _steps(session: Session, quote_id: int) -> list[QuoteStep]:
    rows = session.scalars(
        select(Transition)
        .where(Transition.document_type == "quote", Transition.document_id == quote_id)
        .order_by(Transition.id.desc())
    )
    names = QuoteStep.__dataclass_fields__
    return [QuoteStep(**{name: getattr(row, name) for name in names}) for row in rows]


def quote_of_order(session: Session, order: int) -> tuple[int, str, int] | None:
    """The quote that an order came of: its id, number and revision."""
    row = session.execute(
        select(Quote.id, Quote.number, Quote.revision).where(
            Quote.journey_id == order, Quote.state == QuoteState.ACCEPTED
        )
    ).one_or_none()
    return None if row is None else (row.id, row.number, row.revision)
