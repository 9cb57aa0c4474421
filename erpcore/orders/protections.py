"""How much of an item is kept for one customer by contract, where the rule of the place protects contracts?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.quantity import ABSURD
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import customers, items, site_facts
from erpcore.masterdata.units import in_own_unit
from erpcore.orders.allocation_models import StockProtection

CHANGE = "orders:protection:change"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProtectStock:
    """Keep so much of an item at a site for a customer, by this contract, from a day on (until before another)."""

    site: int
    item: int
    customer: int
    quantity: Decimal
    contract: str
    valid_from: date
    valid_until: date | None = None


def protect_stock(work: UnitOfWork, commands: Sequence[ProtectStock]) -> list[StockProtection]:
    """Enter protections. Nothing is reserved by them: they hold back what others would be given in their place.

    Raises ``Conflict("protection_exists")`` where one of the same customer, place and contract holds in that time.
    """
    made = []
    known_items = items(work, {c.item for c in commands})
    known_customers = customers(work, {c.customer for c in commands})
    for c in commands:
        work.actor.require(CHANGE, site=c.site)
        site, item, customer = site_facts(work, c.site), known_items[c.item], known_customers[c.customer]
        for one in (item, customer):
            if one.entity_id != site.entity.id:
                raise RuleBroken("other_entity", field="customer", customer=one.code, site=site.code)
        if not 0 < c.quantity < ABSURD:
            raise RuleBroken("quantity_absurd", field="quantity", value=str(c.quantity))
        if not c.contract.strip():
            raise RuleBroken("reason_required", field="contract", document="protection", move="enter")
        if c.valid_until is not None and c.valid_until <= c.valid_from:
            raise RuleBroken("validity_empty", field="valid_until", since=c.valid_from, until=c.valid_until)
        _require_free(work, c)
        row = StockProtection(
            id=work.ids.one(), entity_id=site.entity.id, site_id=site.id, item_id=item.id, customer_id=customer.id,
            quantity=in_own_unit(c.quantity, None, item.quantity_places), contract=c.contract.strip(),
            valid_from=c.valid_from, valid_until=c.valid_until,
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        work.audit(
            "protection_entered", "stock_protection", row.id, site=site.id, item=item.id, customer=customer.id,
            quantity=str(row.quantity), contract=row.contract,
        )  # fmt: skip
        made.append(row)
    return made


def _require_free(work: UnitOfWork, c: ProtectStock) -> None:
    query = select(StockProtection).where(
        StockProtection.site_id == c.site, StockProtection.item_id == c.item, StockProtection.customer_id == c.customer,
        StockProtection.contract == c.contract.strip(),
    )  # fmt: skip
    for other in work.session.scalars(query):
        if (other.valid_until is None or other.valid_until > c.valid_from) and (
            c.valid_until is None or c.valid_until > other.valid_from
        ):
            raise Conflict("protection_exists", field="contract", contract=other.contract, since=other.valid_from)


def end_protection(work: UnitOfWork, protection: int) -> StockProtection:
    """Let a protection end today: what it held back may be given to others from now on."""
    row = work.session.get(StockProtection, protection, with_for_update={"key_share": True})
    if row is None or (work.actor.sites is not None and row.site_id not in work.actor.sites):
        raise NotFound("protection_unknown", protection=protection)
    site = site_facts(work, row.site_id)
    work.actor.require(CHANGE, site=site.id)
    today = local_day(work.now, site.time_zone)
    if row.valid_until is not None and row.valid_until <= today:
        raise RuleBroken("protection_ended", protection=protection, until=row.valid_until)
    if row.valid_from >= today:
        # It never held: an empty span says so.
        work.session.delete(row)
    else:
        row.valid_until = today
    work.audit("protection_ended", "stock_protection", row.id, until=today.isoformat())
    return row
