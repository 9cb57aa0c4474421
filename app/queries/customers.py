"""Who buys from us, how do they stand, what fills their credit, and what is open with them?

A customer belongs to a company: people see those of the companies of whose sites they see one, and of their documents those of
their own sites. What the company is owed is one figure, whatever the site.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, String, cast, func, or_, select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from app.queries.orders import OPEN_STATES
from app.security.scopes import within_companies, within_sites
from erpcore.billing.models import Invoice
from erpcore.credit.models import CreditExposure, Receivable
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import AuditEntry, AuditLink
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.customers import Standing
from erpcore.masterdata.models import Channel, Customer, CustomerGroup, Entity, Item, ItemGroup, Site
from erpcore.orders.models import OrderHold, OrderState, SalesOrder
from erpcore.orders.quotes.models import Quote, QuoteState
from erpcore.pricing.models import PriceRule

#: Documents of a kind, and price rules, that the page shows.
MOST_SHOWN, MOST_RULES = 10, 50

_EXPOSURE: ColumnElement[int] = (
    func.coalesce(CreditExposure.receivable_minor, 0) + func.coalesce(CreditExposure.shipped_minor, 0)
    + func.coalesce(CreditExposure.released_minor, 0)
)  # fmt: skip
#: Addresses hold words.
_tier_word = cast(Customer.tier, String)


@dataclass(frozen=True, kw_only=True)
class CustomerRow:
    """A customer with the three parts of what they owe and will owe, in minor units of the company's currency."""

    id: int
    code: str
    name: str
    country: str
    group_id: int | None
    group: str | None
    company_id: int
    company: str
    realm: str
    currency: str
    time_zone: str
    tier: int
    is_blocked: bool
    is_unknown: bool
    payment_days: int
    tax_class: str
    limit_minor: int | None
    receivable_minor: int
    shipped_minor: int
    released_minor: int

    @property
    def exposure_minor(self) -> int:
        return self.receivable_minor + self.shipped_minor + self.released_minor

    @property
    def left_minor(self) -> int | None:
        """What the limit leaves; below zero when it is exceeded, ``None`` when none is checked."""
        return None if self.limit_minor is None else self.limit_minor - self.exposure_minor

    @property
    def standing(self) -> Standing:
        return Standing(limit_minor=self.limit_minor, tier=self.tier, is_blocked=self.is_blocked)


@dataclass(frozen=True, kw_only=True)
class Filling:
    """A document that fills the credit or is open: its page's kind and id, and so much of it."""

    id: int
    number: str
    state: str
    on: datetime | date | None
    minor: int
    site: str


@dataclass(frozen=True, kw_only=True)
class RuleFact:
    """A price rule that can hold for the customer. ``why``: their own, or their group's."""

    id: int
    kind: str
    why: str
    what: str
    channel: str | None
    minimum: Any
    unit_price: Any
    discount: Any
    currency: str
    valid_from: date
    valid_until: date | None
    reference: str | None


@dataclass(frozen=True, kw_only=True)
class Act:
    """A change by authority: before and after by name, and the reason."""

    at: datetime
    actor: int
    role: str
    facts: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CustomerPage:
    """One customer on one page; ``counts`` of open documents by kind."""

    row: CustomerRow
    orders: list[Filling]
    holds: list[tuple[int, str, str, str, datetime]]
    quotes: list[Filling]
    overdue: list[Filling]
    rules: list[RuleFact]
    acts: list[Act]
    counts: dict[str, int]
    overdue_minor: int
    others: list[tuple[int, str, str]]


def _of_company(query: Any, actor: Actor) -> Any:
    return within_companies(query, actor, Customer.entity_id)


_COLUMNS = (
    Customer, CustomerGroup.name.label("group"), Entity.name.label("company"), Entity.realm,
    Entity.currency.label("books"), Entity.time_zone, CreditExposure.receivable_minor, CreditExposure.shipped_minor,
    CreditExposure.released_minor,
)  # fmt: skip


def _joined(query: Any) -> Any:
    return (
        query.select_from(Customer)
        .join(Entity, Entity.id == Customer.entity_id)
        .outerjoin(CustomerGroup, CustomerGroup.id == Customer.group_id)
        .outerjoin(CreditExposure, CreditExposure.customer_id == Customer.id)
    )


def _row(found: Any) -> CustomerRow:
    one: Customer = found.Customer
    return CustomerRow(
        id=one.id, code=one.code, name=one.name, country=one.country, group_id=one.group_id, group=found.group,
        company_id=one.entity_id, company=found.company, realm=found.realm, currency=found.books, time_zone=found.time_zone,
        tier=one.tier, is_blocked=one.is_blocked, is_unknown=one.is_unknown, payment_days=one.payment_days,
        tax_class=one.tax_class, limit_minor=one.credit_limit_minor, receivable_minor=found.receivable_minor or 0,
        shipped_minor=found.shipped_minor or 0, released_minor=found.released_minor or 0,
    )  # fmt: skip


def _listed() -> Any:
    return _joined(select(*_COLUMNS))


#: The list of customers. ``over``: owes and will owe more than the limit.
CUSTOMERS: SqlList[CustomerRow] = SqlList(
    select=_listed, row=_row, tie=(Customer.code, Customer.id), usual="customer", scope=_of_company, realm=Entity.realm,
    by=("tier", _tier_word), flags=("over", "blocked"), sums={"Exposure": _EXPOSURE}, currency=Entity.currency,
    text=(Customer.code, Customer.name),
    sorts={
        "customer": Customer.code, "name": Customer.name, "tier": Customer.tier, "exposure": _EXPOSURE,
        "limit": Customer.credit_limit_minor,
    },
    wanted={
        "tier": lambda value, _: _tier_word == value,
        "group": lambda value, _: Customer.group_id == value,
        "over": lambda _value, _eyes: Customer.credit_limit_minor < _EXPOSURE,
        "blocked": lambda _value, _eyes: Customer.is_blocked.is_(True),
    },
)  # fmt: skip


def find_customer(session: Session, actor: Actor, code: str, *, realm: str, company: int | None = None) -> int:
    """The id of the customer of that code; raises ``NotFound`` for an unknown one and for another company's."""
    query = _of_company(select(Customer.id).join(Entity, Entity.id == Customer.entity_id), actor)
    query = query.where(Customer.code == code)
    query = query.where(Customer.entity_id == company) if company is not None else query.where(Entity.realm == realm)
    key: int | None = session.scalar(query.order_by(Customer.entity_id).limit(1))
    if key is None:
        raise NotFound("customer_unknown", id=code)
    return key


def customer_row(session: Session, actor: Actor, customer: int) -> CustomerRow:
    """The customer by id; raises ``NotFound`` for an unknown one and for another company's."""
    found = session.execute(_of_company(_joined(select(*_COLUMNS)), actor).where(Customer.id == customer)).one_or_none()
    if found is None:
        raise NotFound("customer_unknown", id=customer)
    return _row(found)


def customer_page(session: Session, actor: Actor, customer: int, now: datetime) -> CustomerPage:
    """Everything open with the customer, in about nine queries. Documents are those of the person's sites."""
    row = customer_row(session, actor, customer)
    today = local_day(now, row.time_zone)
    orders, order_count = _orders(session, actor, customer)
    quotes, quote_count = _quotes(session, actor, customer)
    overdue, overdue_count, overdue_minor = _overdue(session, actor, customer, today)
    holds = _holds(session, actor, customer)
    counts = {"orders": order_count, "quotes": quote_count, "overdue": overdue_count, "holds": len(holds)}
    others = session.execute(
        _of_company(select(Customer.entity_id, Entity.name, Entity.realm).join(Entity, Entity.id == Customer.entity_id), actor)
        .where(Customer.code == row.code, Customer.id != row.id)
    )  # fmt: skip
    return CustomerPage(
        row=row, orders=orders, holds=holds, quotes=quotes, overdue=overdue, rules=_rules(session, row, today),
        acts=_acts(session, customer), counts=counts, overdue_minor=overdue_minor, others=[tuple(one) for one in others],
    )  # fmt: skip


def _orders(session: Session, actor: Actor, customer: int) -> tuple[list[Filling], int]:
    """Open orders, released ones first since they fill the credit."""
    query: Any = (
        select(SalesOrder, Site.name.label("site"), func.count().over().label("all"))
        .join(Site, Site.id == SalesOrder.site_id)
        .where(SalesOrder.customer_id == customer, SalesOrder.state.in_(OPEN_STATES))
        .order_by((SalesOrder.state != OrderState.RELEASED), SalesOrder.captured_at.desc())
    )
    rows = session.execute(within_sites(query, actor, SalesOrder.site_id).limit(MOST_SHOWN)).all()
    found = [
        Filling(
            id=row.SalesOrder.id, number=row.SalesOrder.number, state=row.SalesOrder.state, on=row.SalesOrder.captured_at,
            minor=row.SalesOrder.value_minor, site=row.site,
        )
        for row in rows
    ]  # fmt: skip
    return found, rows[0].all if rows else 0


def _quotes(session: Session, actor: Actor, customer: int) -> tuple[list[Filling], int]:
    query: Any = (
        select(Quote, Site.name.label("site"), func.count().over().label("all"))
        .join(Site, Site.id == Quote.site_id)
        .where(Quote.customer_id == customer, Quote.state.in_((QuoteState.DRAFT, QuoteState.WAITING, QuoteState.SENT)))
        .order_by(Quote.entered_at.desc())
    )
    rows = session.execute(within_sites(query, actor, Quote.site_id).limit(MOST_SHOWN)).all()
    found = [
        Filling(
            id=row.Quote.id, number=row.Quote.number, state=row.Quote.state, on=row.Quote.valid_until,
            minor=row.Quote.value_minor, site=row.site,
        )
        for row in rows
    ]  # fmt: skip
    return found, rows[0].all if rows else 0


def _overdue(session: Session, actor: Actor, customer: int, today: date) -> tuple[list[Filling], int, int]:
    query: Any = (
        select(
            Invoice.id, Invoice.number, Invoice.state, Receivable.due_on, Receivable.open_minor, Site.name.label("site"),
            func.count().over().label("all"), func.sum(Receivable.open_minor).over().label("sum"),
        )
        .join(Receivable, Receivable.document_id == Invoice.id)
        .join(Site, Site.id == Invoice.site_id)
        .where(Receivable.customer_id == customer, Receivable.open_minor > 0, Receivable.due_on < today)
        .order_by(Receivable.due_on)
    )  # fmt: skip
    rows = session.execute(within_sites(query, actor, Invoice.site_id).limit(MOST_SHOWN)).all()
    found = [
        Filling(id=r.id, number=r.number or "draft", state=r.state, on=r.due_on, minor=r.open_minor, site=r.site)
        for r in rows
    ]
    return found, rows[0].all if rows else 0, int(rows[0].sum) if rows else 0


def _holds(session: Session, actor: Actor, customer: int) -> list[tuple[int, str, str, str, datetime]]:
    """Order, its number, kind and reason of each open hold, and since when."""
    query: Any = (
        select(SalesOrder.id, SalesOrder.number, OrderHold.kind, OrderHold.reason, OrderHold.since)
        .join(SalesOrder, SalesOrder.id == OrderHold.order_id)
        .where(SalesOrder.customer_id == customer, SalesOrder.state == OrderState.HELD, OrderHold.released_at.is_(None))
        .order_by(OrderHold.since)
    )
    rows = session.execute(within_sites(query, actor, SalesOrder.site_id).limit(MOST_SHOWN))
    return [(r[0], r[1], r[2], r[3], r[4]) for r in rows]


def _rules(session: Session, row: CustomerRow, today: date) -> list[RuleFact]:
    """Rules that name the customer or their group and hold now or later, their own first."""
    named = [PriceRule.customer_id == row.id]
    if row.group_id is not None:
        named.append(PriceRule.customer_group_id == row.group_id)
    query = (
        select(PriceRule, Item.code, Item.name, ItemGroup.name.label("item_group"), Channel.name.label("channel"))
        .outerjoin(Item, Item.id == PriceRule.item_id)
        .outerjoin(ItemGroup, ItemGroup.id == PriceRule.item_group_id)
        .outerjoin(Channel, Channel.id == PriceRule.channel_id)
        .where(
            PriceRule.entity_id == row.company_id, or_(*named),
            or_(PriceRule.valid_until.is_(None), PriceRule.valid_until > today),
        )
        .order_by(PriceRule.customer_id.is_(None), PriceRule.kind, Item.code, PriceRule.valid_from)
        .limit(MOST_RULES)
    )  # fmt: skip
    return [
        RuleFact(
            id=found.PriceRule.id, kind=found.PriceRule.kind, channel=found.channel,
            why="their own" if found.PriceRule.customer_id else "of their group",
            what=f"{found.code} {found.name}" if found.code else f"all of {found.item_group}",
            minimum=found.PriceRule.minimum_quantity, unit_price=found.PriceRule.unit_price,
            discount=found.PriceRule.discount, currency=found.PriceRule.currency, valid_from=found.PriceRule.valid_from,
            valid_until=found.PriceRule.valid_until, reference=found.PriceRule.reference,
        )
        for found in session.execute(query)
    ]  # fmt: skip


def _acts(session: Session, customer: int) -> list[Act]:
    """What was changed of the customer by authority, the newest first."""
    query = (
        select(AuditEntry, AuditLink.at)
        .join(AuditLink, AuditLink.position == AuditEntry.position)
        .where(
            AuditEntry.subject_type == "customer",
            AuditEntry.subject_id == customer,
            AuditEntry.kind == "customer.changed",
        )
        .order_by(AuditEntry.position.desc())
        .limit(MOST_SHOWN)
    )
    out = []
    for row in session.execute(query):
        facts = orjson.loads(row.AuditEntry.content)
        out.append(
            Act(at=row.at, actor=row.AuditEntry.actor, role=row.AuditEntry.role, facts=facts.get("facts", facts))
        )
    return out
