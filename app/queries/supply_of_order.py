"""Where do the goods of an order come from: another site, a supplier, another item; and which of its lines are short?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Integer, Text, cast, null, select, union_all
from sqlalchemy.orm import Session

from app.queries.order_facts import OrderPage
from app.queries.purchases import PurchaseRow, purchases_of_order
from app.queries.short import is_short
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Site
from erpcore.orders.allocation_models import ShortageChoice
from erpcore.orders.models import HoldKind, OrderLine, SalesOrder


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A site that was looked at for a line: what was free there, and what the way to the customer takes, where a lane leads there."""

    site_id: int
    site: str
    free: Decimal
    transit_days: int | None
    cost_minor: int | None
    late_days: int
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class SourcedLine:
    """From where a line was to be shipped by the rule, when it was taken, and what was compared."""

    line_id: int
    line_no: int
    rule: str
    chosen_at: datetime
    sites: list[Compared]


def sources_of_order(session: Session, order: int) -> list[SourcedLine]:
    """What sourcing compared for the lines of an order, by line; what somebody decided later stands with its shortage."""
    kept: Any = (
        select(
            ShortageChoice.order_line_id, OrderLine.line_no, ShortageChoice.reason, ShortageChoice.chosen_at, ShortageChoice.facts
        )
        .join(OrderLine, OrderLine.id == ShortageChoice.order_line_id)
        .where(ShortageChoice.order_id == order, ShortageChoice.option == "sourced")
    )  # fmt: skip
    # The names of the company's sites in the same statement: the page of an order has none to spare.
    company = select(SalesOrder.entity_id).where(SalesOrder.id == order).scalar_subquery()
    named = select(
        Site.id, cast(null(), Integer), Site.name, cast(null(), ShortageChoice.chosen_at.type), cast(null(), Text)
    ).where(Site.entity_id == company)
    rows = session.execute(union_all(kept, named)).all()
    names = {key: name for key, number, name, *_ in rows if number is None}
    told = [(*row[:4], orjson.loads(row[4])) for row in rows if row[1] is not None]
    return [
        SourcedLine(
            line_id=line, line_no=number, rule=rule, chosen_at=chosen_at,
            sites=[
                Compared(
                    site_id=one["site"], site=names[one["site"]], free=Decimal(one["free"]).scaleb(-3),
                    transit_days=one["transit_days"], cost_minor=one["cost_minor"], late_days=one.get("late_days", 0),
                    chosen=one["site"] == facts["chosen"],
                )
                for one in facts["sites"]
            ],
        )
        for line, number, rule, chosen_at, facts in sorted(told, key=lambda one: one[1])
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SupplyOfOrder:
    """``elsewhere``: line numbers with site and reason; ``sourced``: what was compared for them; ``replaces``: substitute line → the line it stands in for;
    ``short``: ids of short lines by number; ``asked``: the hold of a substitution that waits.
    """

    elsewhere: list[tuple[int, str, str]] = field(default_factory=list)
    sourced: dict[int, SourcedLine] = field(default_factory=dict)
    replaces: list[tuple[int, int]] = field(default_factory=list)
    short: dict[int, int] = field(default_factory=dict)
    purchases: list[PurchaseRow] = field(default_factory=list)
    asked: int | None = None

    @property
    def says_something(self) -> bool:
        return bool(self.elsewhere or self.replaces or self.short or self.purchases or self.asked)


def supply_of_order(session: Session, actor: Actor, page: OrderPage) -> SupplyOfOrder:
    """What the order's page says of it: one query, one more for drop-ship lines, and one for lines from elsewhere."""
    numbers = {line.id: line.line_no for line in page.lines}
    rows = session.execute(
        select(
            OrderLine.id,
            OrderLine.site_id,
            OrderLine.source_reason,
            OrderLine.replaces_id,
            Site.name,
            is_short().label("is_short"),
        )
        .join(Site, Site.id == OrderLine.site_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .where(OrderLine.order_id == page.id)
        .order_by(OrderLine.line_no)
    ).all()
    by_rule = any(row.source_reason for row in rows)
    return SupplyOfOrder(
        sourced={one.line_no: one for one in sources_of_order(session, page.id)} if by_rule else {},
        elsewhere=[
            (numbers[row.id], row.name, row.source_reason or "") for row in rows if row.site_id != page.site_id
        ],
        replaces=[(numbers[row.id], numbers.get(row.replaces_id, 0)) for row in rows if row.replaces_id],
        short={numbers[row.id]: row.id for row in rows if row.is_short},
        purchases=purchases_of_order(session, actor, page.id) if any(one.kind == "drop_ship" for one in page.lines) else [],
        asked=next((hold.id for hold in page.open_holds if hold.kind == HoldKind.SUBSTITUTION), None),
    )  # fmt: skip
