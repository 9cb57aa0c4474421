"""What would a rush cost in an order that is only typed, or why would it be refused? By the rules that capturing applies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from app.composition.trading import rules
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.model import scaled_int
from erpcore.kernel.money import scaled_amount, share_of
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.charges import rush_charge
from erpcore.masterdata.models import Item, ItemKind
from erpcore.masterdata.queries import SiteFacts, items, tax_rate
from erpcore.orders.rush import judge_rush
from erpcore.pricing.queries import Asked, resolve_prices
from governance.variants.register import Scope


class Typed(Protocol):
    """What is read of a line."""

    @property
    def item(self) -> int: ...

    @property
    def rush(self) -> bool: ...


class Buyer(Protocol):
    """What is read of the customer."""

    @property
    def id(self) -> int: ...

    @property
    def country(self) -> str: ...

    @property
    def tax_class(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class RushCharge:
    """The charge that the rules add, in minor units, or the ``refusal`` that capturing would answer with."""

    code: str = ""
    name: str = ""
    net_minor: int = 0
    tax_minor: int | None = 0
    refusal: RuleBroken | None = None


def is_rush(line: Typed, item: Item) -> bool:
    """Only goods are rushed, whatever was ticked."""
    return line.rush and item.kind == ItemKind.STOCK


def rush_charge_of(
    look: UnitOfWork,
    lines: Sequence[Typed | None],
    known: Mapping[int, Item],
    *,
    site: SiteFacts,
    buyer: Buyer | None,
    day: date,
    scope: Scope,
) -> RushCharge | None:
    """What the rush of these lines costs, or why it is refused; ``None`` where it costs nothing, or the charge is typed already."""
    ruled = {
        place: str(rules().in_force(look, scope._replace(item_group=known[line.item].group_id))["rush_rule"])
        for place, line in enumerate(lines)
        if line is not None and line.item in known and is_rush(line, known[line.item])
    }
    refused, costs = judge_rush(ruled)
    if refused is not None:
        line = lines[refused]
        code = known[line.item].code if line else ""
        return RushCharge(refusal=RuleBroken("rush_refused", field="rush", item=code, line=(refused + 1) * 10))
    if not costs:
        return None
    charge = rush_charge(look, site.entity.id)
    if charge is None:
        return RushCharge(refusal=RuleBroken("rush_charge_missing", field="rush", entity=site.entity.code))
    if any(line is not None and line.item == charge for line in lines):
        return None
    return _priced(look, charge, site=site, buyer=buyer, day=day, scope=scope)


def _priced(
    look: UnitOfWork, charge: int, *, site: SiteFacts, buyer: Buyer | None, day: date, scope: Scope
) -> RushCharge:
    item, currency = items(look, {charge})[charge], site.entity.currency
    one = scaled_int(Decimal(1), 3)
    asked = Asked(
        charge, buyer.id if buyer else 0, scope.customer_group, scope.channel or 0, one, day, currency, item.group_id
    )
    (price,) = resolve_prices(look, [asked])
    if price is None:
        return RushCharge(refusal=RuleBroken("rush_charge_unpriced", field="rush", item=item.code))
    net = scaled_amount(one, price.unit_price, currency)
    rate = tax_rate(
        look, site.entity.id, buyer.country if buyer else site.country, buyer.tax_class if buyer else "standard",
        item.tax_class, day,
    )  # fmt: skip
    tax = None if rate is None else share_of(net, rate)
    return RushCharge(code=item.code, name=item.name, net_minor=net, tax_minor=tax)
