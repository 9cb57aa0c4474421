"""How many open documents, things of master data and people hang on what is touched? Counts of what one may see, never names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, func, literal, select

from app.identity.models import Account, RoleGrant
from app.identity.queries import in_force
from app.queries.bounded import OPEN_ORDER
from app.queries.impact.kinds import Kind
from app.queries.impact.moment import Moment
from app.queries.impact.shelves import companies_of
from app.queries.impact.touches import Tally
from app.security.permissions import Permission
from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Customer, Entity, Item, Realm, Site
from erpcore.orders.models import OrderLine, SalesOrder
from erpcore.orders.quotes.models import Quote, QuoteLine
from erpcore.pricing.models import PriceRule
from governance.approvals.models import ApprovalGround, ApprovalRequest
from governance.variants.models import Variant

_OPEN_QUOTES = ("draft", "waiting", "sent")


def _live() -> Any:
    return select(Site.id).join(Entity, Entity.id == Site.entity_id).where(Entity.realm == Realm.LIVE)


def _open_orders(column: Any, count: Any, actor: Actor, *joins: tuple[Any, Any]) -> Any:
    """So many by ``column``, of live orders that are not over, at sites that the person sees."""
    query: Any = select(cast(column, String).label("id"), count.label("number")).select_from(SalesOrder)
    for table, condition in joins:
        query = query.join(table, condition)
    query = query.where(OPEN_ORDER, SalesOrder.site_id.in_(_live()), column.is_not(None))
    return within_sites(query, actor, SalesOrder.site_id).group_by(column)


_LINES = (OrderLine, OrderLine.order_id == SalesOrder.id)
_ITEMS = (Item, Item.id == OrderLine.item_id)
_CUSTOMERS = (Customer, Customer.id == SalesOrder.customer_id)


def _orders_by(column: Any, *joins: tuple[Any, Any]) -> Any:
    return lambda ids, actor, _now: _open_orders(column, func.count(), actor, *joins).where(column.in_(ids))


def _quote_lines(ids: list[int], actor: Actor, _now: Any) -> Any:
    query: Any = (
        select(cast(QuoteLine.price_rule_id, String).label("id"), func.count().label("number"))
        .join(Quote, Quote.id == QuoteLine.quote_id)
        .where(Quote.state.in_(_OPEN_QUOTES), QuoteLine.price_rule_id.in_(ids))
    )
    return within_sites(query, actor, Quote.site_id).group_by(QuoteLine.price_rule_id)


def _variant_orders(ids: list[int], actor: Actor, _now: Any) -> Any:
    """By the variants that set an order's rules, as it keeps them; a line may be set by more.

    Open orders are read once and brought together by what they keep, and only those few texts are looked through for each variant.
    """
    kept = _open_orders(SalesOrder.variants, func.count(), actor).where(SalesOrder.variants != "").subquery()
    asked = select(cast(Variant.id, String).label("id")).where(Variant.id.in_(ids)).subquery()
    comma = literal(",", String)
    named = (comma + kept.c.id + comma).contains(comma + asked.c.id + comma)
    return (
        select(asked.c.id, func.sum(kept.c.number).label("number"))
        .select_from(asked)
        .join(kept, named)
        .group_by(asked.c.id)
    )


def _of_group(table: Any) -> Any:
    def rows(ids: list[int], actor: Actor, _now: Any) -> Any:
        return (
            select(cast(table.group_id, String).label("id"), func.count().label("number"))
            .where(table.group_id.in_(ids), table.entity_id.in_(companies_of(actor)))
            .group_by(table.group_id)
        )

    return rows


def _prices(ids: list[str], actor: Actor, now: Moment) -> Any:
    if "price" not in ids:
        return None
    stands = (PriceRule.valid_until.is_(None)) | (PriceRule.valid_until > now.day_at(PriceRule.entity_id))
    return select(literal("price", String).label("id"), func.count().label("number")).where(
        stands, PriceRule.entity_id.in_(companies_of(actor))
    )


def people_query(column: Any, roles: Sequence[str], actor: Actor, now: datetime) -> Any:
    """People who have one of these roles now, at a site that the person sees or at all of them; one who left is none."""
    count = func.count(func.distinct(Account.id))
    query: Any = (
        select(column, count.label("number"))
        .select_from(RoleGrant)
        .join(Account, Account.id == RoleGrant.account_id)
        .where(RoleGrant.role.in_(sorted(roles)), in_force(now), Account.closed_at.is_(None))
    )
    if actor.sites is not None:
        query = query.where(RoleGrant.site_id.is_(None) | RoleGrant.site_id.in_(sorted(actor.sites)))
    return query


def _people(ids: list[str], actor: Actor, now: Moment) -> Any:
    return people_query(cast(RoleGrant.role, String).label("id"), ids, actor, now.at).group_by(RoleGrant.role)


def _requests(ids: list[int], actor: Actor, _now: Any) -> Any:
    query: Any = (
        select(cast(ApprovalGround.rule_id, String).label("id"), func.count().label("number"))
        .select_from(ApprovalRequest)
        .join(ApprovalGround, ApprovalGround.request_id == ApprovalRequest.id)
        .where(ApprovalGround.rule_id.in_(ids), ApprovalRequest.state == "waiting")
    )
    return within_sites(query, actor, ApprovalRequest.site_id).group_by(ApprovalGround.rule_id)


def _orders(source: Kind, rows: Any) -> Tally:
    return Tally(
        source=source,
        name="open-orders",
        one="open order",
        many="open orders",
        permission=Permission.ORDER_READ,
        rows=rows,
    )


def _open_lines(source: Kind, rows: Any, says: str = "has {target}") -> Tally:
    return Tally(
        source=source, name="open-lines", one="line of open orders", many="lines of open orders", permission=Permission.ORDER_READ,
        rows=rows, says=says,
    )  # fmt: skip


TALLIES = (
    _orders(Kind.SITE, _orders_by(SalesOrder.site_id)),
    _orders(Kind.COMPANY, _orders_by(SalesOrder.entity_id)),
    _orders(Kind.CHANNEL, _orders_by(SalesOrder.channel_id)),
    _orders(Kind.CUSTOMER, _orders_by(SalesOrder.customer_id)),
    _orders(Kind.CUSTOMER_GROUP, _orders_by(Customer.group_id, _CUSTOMERS)),
    Tally(
        source=Kind.VARIANT, name="open-orders", one="open order", many="open orders", permission=Permission.ORDER_READ,
        rows=_variant_orders, says="sets the rules of {target}",
    ),
    _open_lines(Kind.PRICE_RULE, _orders_by(OrderLine.price_rule_id, _LINES), "gave the price of {target}"),
    Tally(
        source=Kind.PRICE_RULE, name="open-quote-lines", one="line of open quotes", many="lines of open quotes",
        permission=Permission.ORDER_READ, rows=_quote_lines, says="gave the price of {target}",
    ),
    _open_lines(Kind.ITEM, _orders_by(OrderLine.item_id, _LINES)),
    _open_lines(Kind.ITEM_GROUP, _orders_by(Item.group_id, _LINES, _ITEMS)),
    Tally(
        source=Kind.ITEM_GROUP, name="items", one="item", many="items", permission=Permission.STOCK_READ, rows=_of_group(Item), is_open=False,
    ),
    Tally(
        source=Kind.CUSTOMER_GROUP, name="customers", one="customer", many="customers", permission=Permission.ORDER_READ,
        rows=_of_group(Customer), is_open=False,
    ),
    Tally(
        source=Kind.DOMAIN, name="prices", one="price rule in force", many="price rules in force", permission=Permission.MASTERDATA_READ,
        rows=_prices, is_open=False,
    ),
    Tally(
        source=Kind.APPROVAL_RULE, name="requests", one="request that waits", many="requests that wait",
        permission=Permission.APPROVAL_VIEW, rows=_requests, says="says who decides on {target}",
    ),
    Tally(
        source=Kind.ROLE, name="people", one="person", many="people", permission=Permission.PROGRAMME_VIEW, rows=_people,
        says="is the role of {target}", is_open=False,
    ),
)  # fmt: skip
