"""At which price does a line stand, how did it come about, and who must approve it?

The rules' price stands unless a person enters another one with a reason. Within the tolerance and above the floor that stands
too; beyond, the order is held until somebody with the authority that the routing names lets it go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import from_minor, places
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import CustomerFacts, ItemFacts, SiteFacts, customers
from erpcore.orders.acceptance import ENTERED, Facts
from erpcore.orders.documents import Line, Order
from erpcore.orders.holds import end_cured, open_hold, place_hold, refuse_hold
from erpcore.orders.models import HoldKind, OrderHold
from erpcore.orders.policy import line_rules
from erpcore.orders.records import lock_orders, save_orders
from erpcore.ports import BY_PERMISSION, Authority, Matter, ProcessRules
from erpcore.pricing.queries import Asked, Price, resolve_prices
from erpcore.pricing.rules import PERMISSIONS, EnteredPrice, Routing, price_floor, route
from erpcore.pricing.rules import Authority as Level

OVERRIDE_PRICE = "orders:price:override"
OVERRIDE = ENTERED
#: How much hangs on an entered price, by the level that the policy routes it to.
WEIGHTS = {Level.DESK: "low", Level.SITE_LEAD: "medium", Level.PROCESS_OWNER: "high"}


class PricedAs(Protocol):
    """What is asked of a line that is to be priced: of an order, an amendment or a quote."""

    @property
    def item(self) -> int: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def unit_price(self) -> Decimal | None: ...
    @property
    def price_reason(self) -> str | None: ...
    @property
    def is_rush_charge(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class LinePrice:
    """A line's price in millionths with all that it came from. ``losers``: JSON of rule, kind and price of those that fitted."""

    unit_price: int
    source: str
    cost: int | None = None
    rule: int | None = None
    list_price: int | None = None
    resolved: int | None = None
    floor: int | None = None
    losers: str | None = None
    reason: str | None = None


def price_lines(
    work: UnitOfWork,
    lines: Sequence[PricedAs],
    *,
    site: SiteFacts,
    channel: int,
    customer: CustomerFacts,
    currency: str,
    day: date,
    known: Mapping[int, ItemFacts],
    rules: ProcessRules,
) -> list[LinePrice]:
    """The price of each line: of the rules, or as entered or stated. Two queries at most, whatever the number of lines.

    Raises ``RuleBroken`` naming the line that no rule prices (the rush, where that is what it costs), or whose entered price lacks its reason.
    """
    if work.is_stated and all(line.unit_price is not None for line in lines):
        return [
            LinePrice(scaled_int(line.unit_price or Decimal(0), PRICE_PLACES), "stated", known[line.item].standard_cost)
            for line in lines
        ]
    asked = [
        Asked(
            line.item, customer.id, customer.group_id, channel, scaled_int(line.quantity, QUANTITY_PLACES), day, currency,
            known[line.item].group_id,
        )
        for line in lines
    ]  # fmt: skip
    out = []
    for number, (line, found) in enumerate(zip(lines, resolve_prices(work, asked), strict=True)):
        item = known[line.item]
        ruleset = rules.resolve_line(
            work, entity=site.entity.live_id, site=site.live_id, channel=channel, customer_group=customer.group_id,
            item_group=item.group_id,
        )  # fmt: skip
        floor = price_floor(item.standard_cost, ruleset["minimum_margin_permille"])
        out.append(_priced(work, number, line, item, found, floor, site.id))
    return out


def _priced(
    work: UnitOfWork, number: int, line: PricedAs, item: ItemFacts, found: Price | None, floor: int | None, site: int
) -> LinePrice:
    given = None if line.unit_price is None else scaled_int(line.unit_price, PRICE_PLACES)
    if found is None and given is None:
        if line.is_rush_charge:
            raise RuleBroken("rush_charge_unpriced", field="rush", item=item.code)
        raise RuleBroken("price_missing", field=f"lines-{number}-unit_price", item=item.code)
    trace = (
        {}
        if found is None
        else {
            "rule": found.rule,
            "list_price": found.list_price,
            "resolved": found.unit_price,
            "losers": _losers(found),
        }
    )
    common = {"cost": item.standard_cost, "floor": floor, **trace}
    if found is not None and given in (None, found.unit_price):
        return LinePrice(found.unit_price, found.source, **common)  # type: ignore[arg-type]  # fields by name
    assert given is not None  # noqa: S101 - without a rule's price it was refused above
    if work.is_stated:
        return LinePrice(given, "stated", **common)  # type: ignore[arg-type]  # as above
    work.actor.require(OVERRIDE_PRICE, site=site)
    reason = (line.price_reason or "").strip()
    if not reason:
        raise RuleBroken("reason_required", field=f"lines-{number}-price_reason", document="order", move="override")
    return LinePrice(given, OVERRIDE, reason=reason, **common)  # type: ignore[arg-type]  # as above


def _losers(found: Price) -> str | None:
    if not found.losers:
        return None
    return canonical_json([[one.rule, one.kind, one.unit_price] for one in found.losers]).decode()


def routing_of(work: UnitOfWork, rules: ProcessRules, order: Order, lines: Sequence[Line]) -> Routing | None:
    """Who must approve the prices entered on these lines of an order; ``None`` when all stand by themselves."""
    entered = [
        EnteredPrice(
            line.line_no, line.quantity, line.resolved_price, line.unit_price, line.price_floor,
            line_rules(work, rules, order, line)["price_tolerance_permille"],
        )
        for line in lines
        if line.price_source == OVERRIDE
    ]  # fmt: skip
    if not entered:
        return None
    policy = rules.stored(work, order.ruleset)
    tier = customers(work, {order.customer_id})[order.customer_id].tier
    return route(
        entered, authority=policy["override_authority"], limit_minor=policy["override_limit_minor"], tier=tier,
        currency=order.currency,
    )  # fmt: skip


def hold_for_price(
    work: UnitOfWork,
    rules: ProcessRules,
    order: Order,
    lines: Sequence[Line],
    *,
    at: datetime | None = None,
    authority: Authority = BY_PERMISSION,
) -> bool:
    """Hold an order whose entered prices need another person; whoever entered them never lets it go. True when it is held.

    The authority is asked, and asked anew when what is held is not what it was asked about.
    """
    routing = routing_of(work, rules, order, lines)
    if routing is None:
        return False
    before = open_hold(work, order, HoldKind.PRICE)
    asked = None if before is None else before.version
    facts = {"lost": routing.lost_minor, "lines": list(routing.lines), "level": routing.level, "why": list(routing.why)}
    hold = place_hold(
        work, order, HoldKind.PRICE, reason="price beyond tolerance", facts=facts,
        permission=PERMISSIONS[routing.level], level=routing.level, at=at or order.captured_at,
    )  # fmt: skip
    if hold.version != asked:
        authority.ask(work, _matter(order, hold, routing, customers(work, {order.customer_id})[order.customer_id]))
    return True


def _matter(order: Order, hold: OrderHold, routing: Routing, customer: CustomerFacts) -> Matter:
    lost = f"{from_minor(routing.lost_minor, order.currency):,.{places(order.currency)}f} {order.currency}"
    return Matter(
        kind="price_override", document_type="order", document=order.id, version=hold.version,
        summary=f"Price of {order.number} for {customer.code}: {lost} less than by the rules", site=order.site_id,
        entity=order.entity_id, amount_minor=routing.lost_minor, currency=order.currency,
        margin_permille=Facts.of(order).margin, tier=customer.tier, materiality=WEIGHTS[routing.level],
        excluded=() if hold.asked_by is None else (hold.asked_by,),
    )  # fmt: skip


def settle_price(work: UnitOfWork, order_id: int, *, approved: bool, note: str) -> None:
    """Let an order go at the prices entered, or leave it held for other prices, as those who decide have answered."""
    (order,) = lock_orders(work, [order_id])
    if not approved:
        refuse_hold(work, order, HoldKind.PRICE, reason=note)
        return
    # People have decided, so the hold counts as ended by authority.
    end_cured(work, order, {HoldKind.PRICE: note}, cured=False)
    save_orders(work, [order])
