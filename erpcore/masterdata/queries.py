"""What transactions need to know of master data, read once per unit of work."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.rows import first_row, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Channel, Customer, Entity, Item, ServiceCommitment
from erpcore.masterdata.tax import Taxed, expected
from erpcore.masterdata.tax_models import EVERY


class EntityFacts(NamedTuple):
    id: int
    code: str
    realm: str
    currency: str
    time_zone: str
    twin_id: int | None

    @property
    def live_id(self) -> int:
        """The live entity this one is or stands for: rules name entities by it."""
        return self.twin_id or self.id


class SiteFacts(NamedTuple):
    """``live_id`` is the live site this one is or stands for: cells and grants are named by it."""

    id: int
    entity: EntityFacts
    code: str
    name: str
    kind: str
    country: str
    time_zone: str
    live_id: int


class CustomerFacts(NamedTuple):
    id: int
    entity_id: int
    group_id: int | None
    code: str
    country: str
    currency: str
    tax_class: str
    payment_days: int
    credit_limit_minor: int | None
    is_blocked: bool
    is_unknown: bool
    tier: int


class ItemFacts(NamedTuple):
    """``standard_cost`` in millionths of the entity's currency per unit, ``order_multiple`` in thousandths."""

    id: int
    entity_id: int
    code: str
    name: str
    kind: str
    quantity_places: int
    standard_cost: int | None
    tax_class: str
    abc: str | None
    replenishment_days: int
    is_blocked: bool
    tracking: str
    order_multiple: int | None
    unit: str
    group_id: int | None


class Commitment(NamedTuple):
    """What is promised at a site in a channel; without a row: the order's own day, no window. ``weekdays``: Monday 1, Tuesday 2, …"""

    basis: str = "ship"
    lead_days: int = 0
    transit_days: int = 0
    cut_off: time | None = None
    early_days: int = 0
    late_days: int = 0
    weekdays: int | None = None


#: Said by nearly every unit of work, so one statement of the driver's. Numbers and texts only.
_SITE = (
    "SELECT s.id, s.code, s.name, s.kind, s.country, s.time_zone, s.twin_id, e.id, e.code, e.realm, e.currency, e.time_zone, e.twin_id "
    "FROM site s JOIN entity e ON e.id = s.entity_id WHERE s.id = ?"
)


def entity_facts(work: UnitOfWork, entity: int) -> EntityFacts:
    """The entity; raises ``NotFound`` for an unknown one."""
    known: dict[int, EntityFacts] = work.memo.setdefault("entities", {})
    if entity not in known:
        rows = read_rows(work, Entity, EntityFacts._fields, "id", [entity])
        if not rows:
            raise NotFound("entity_unknown", entity=entity)
        known[entity] = EntityFacts(*rows[0])
    return known[entity]


def site_in_any_realm(work: UnitOfWork, site: int) -> SiteFacts:
    """The site and its entity, before the unit of work is told its realm; raises ``NotFound`` for an unknown one."""
    known: dict[int, SiteFacts] = work.memo.setdefault("sites", {})
    if site not in known:
        row = first_row(work, _SITE, site)
        if row is None:
            raise NotFound("site_unknown", site=site)
        entity = work.memo.setdefault("entities", {}).setdefault(row[7], EntityFacts(*row[7:]))
        known[site] = SiteFacts(row[0], entity, row[1], row[2], row[3], row[4], row[5], row[6] or row[0])
    return known[site]


def site_facts(work: UnitOfWork, site: int) -> SiteFacts:
    """The site and its entity; refuses one of another realm than the unit of work's."""
    found = site_in_any_realm(work, site)
    if found.entity.realm != work.realm:
        raise RuleBroken("other_realm", site=found.code, realm=found.entity.realm, asked=work.realm)
    return found


def _facts(work: UnitOfWork, key: str, table: Any, facts: Any, ids: Iterable[int], missing: str) -> dict[int, Any]:
    known: dict[int, Any] = work.memo.setdefault(key, {})
    wanted = set(ids)
    unread = wanted - known.keys()
    if unread:
        for row in read_rows(work, table, facts._fields, "id", unread):
            known[row[0]] = facts(*row)
        if absent := unread - known.keys():
            raise NotFound(missing, id=min(absent))
    return known


def customers(work: UnitOfWork, ids: Iterable[int]) -> dict[int, CustomerFacts]:
    """Customers by id; raises ``NotFound`` for an unknown one."""
    return _facts(work, "customers", Customer, CustomerFacts, ids, "customer_unknown")


def items(work: UnitOfWork, ids: Iterable[int]) -> dict[int, ItemFacts]:
    """Items by id; raises ``NotFound`` for an unknown one."""
    return _facts(work, "items", Item, ItemFacts, ids, "item_unknown")


def channel_priorities(work: UnitOfWork) -> dict[int, int]:
    """How channels rank for scarce stock, by id; 1 comes first."""
    known: dict[int, int] | None = work.memo.get("channel priorities")
    if known is None:
        rows = work.session.execute(select(Channel.id, Channel.priority))
        known = work.memo["channel priorities"] = {row.id: row.priority for row in rows}
    return known


def channel_exists(work: UnitOfWork, channel: int) -> None:
    """Raise ``NotFound`` unless the channel is known."""
    known: set[int] = work.memo.setdefault("channels", set())
    if channel not in known:
        if not read_rows(work, Channel, ("id",), "id", [channel]):
            raise NotFound("channel_unknown", channel=channel)
        known.add(channel)


_COMMITMENT = ("id", "customer_group_id", "valid_from", "valid_until", *Commitment._fields)


def commitment(work: UnitOfWork, site: int, channel: int, group: int | None, on: date) -> Commitment:
    """The service commitment in force on a day; one that names the customer group beats one that does not."""
    key = ("commitments", site, channel)
    rows = work.memo.get(str(key))
    if rows is None:
        rows = work.memo[str(key)] = read_rows(
            work, ServiceCommitment, _COMMITMENT, "site_id", [site], also=("channel_id", channel)
        )
    fitting = [
        row
        for row in rows
        if row.valid_from <= on
        and (row.valid_until is None or on < row.valid_until)
        and row.customer_group_id in (None, group)
    ]
    if not fitting:
        return Commitment()
    best = max(fitting, key=lambda row: (row.customer_group_id is not None, row.valid_from, row.id))
    return Commitment(*(getattr(best, name) for name in Commitment._fields))


def tax_rate(
    work: UnitOfWork,
    entity: int,
    country: str,
    customer_class: str,
    item_class: str,
    on: date,
    *,
    ship_from: str = EVERY,
    customer: int | None = None,
) -> int | None:
    """What is expected before anything leaves: the rate in millionths, or ``None`` when no rule determines it."""
    return expected(work, Taxed(entity, ship_from, country, customer or 0, customer_class, item_class, on)).rate


def find_by_code(session: Session, table: Any, entity: int, codes: Iterable[str]) -> dict[str, int]:
    """Ids of an entity's customers or items by code."""
    out: dict[str, int] = {}
    wanted = sorted(set(codes))
    for start in range(0, len(wanted), 1000):
        part = wanted[start : start + 1000]
        found = session.execute(select(table.code, table.id).where(table.entity_id == entity, table.code.in_(part)))
        out |= {row.code: row.id for row in found}
    return out
