"""Setting up where stock lies and how closely it is tracked: zones, locations, lots, items kept by lot or serial number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from erpcore.inventory.models import Location, LocationKind, Lot, StockBalance, Zone
from erpcore.kernel.audit import audit_all
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Item, Tracking
from erpcore.masterdata.queries import ItemFacts, site_facts
from erpcore.masterdata.units import in_own_unit

ARRANGE = "warehouse:location:change"


@dataclass(frozen=True, kw_only=True, slots=True)
class AddLocation:
    """A place with a label. ``zone``: the code of its zone, made when the site has none of it yet."""

    site: int
    code: str
    kind: str = LocationKind.STORAGE
    zone: str | None = None
    walk: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class LotWanted:
    """A lot or serial number as it stands on the goods."""

    item: int
    code: str
    expires_on: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class KeepItem:
    """How an item is tracked, and in multiples of what customers buy it (``None``: any quantity its unit allows)."""

    item: int
    tracking: str
    order_multiple: Decimal | None = None


def add_locations(work: UnitOfWork, commands: Sequence[AddLocation]) -> list[int]:
    """New locations; raises ``Conflict`` for a code that the site has already."""
    zones: dict[tuple[int, str], int] = {}
    made: dict[int, dict[str, Any]] = {}
    for command in commands:
        work.actor.require(ARRANGE, site=command.site)
        site_facts(work, command.site)
        if command.kind not in set(LocationKind):
            raise RuleBroken("choice_unknown", field="kind", value=command.kind)
        if not command.code.strip():
            raise RuleBroken("code_missing", field="code")
        taken = select(Location.id).where(Location.site_id == command.site, Location.code == command.code)
        if work.session.execute(taken).first():
            raise Conflict("code_in_use", field="code", code=command.code)
        zone = None
        if command.zone:
            key = (command.site, command.zone)
            zone = zones[key] = zones.get(key) or _zone(work, *key)
        key_ = work.ids.one()
        work.session.add(
            Location(
                id=key_, site_id=command.site, zone_id=zone, code=command.code, kind=command.kind, walk=command.walk,
                is_blocked=False,
            )
        )  # fmt: skip
        work.session.flush()
        made[key_] = {"code": command.code, "site": command.site, "is_a": command.kind, "zone": zone}
    work.memo.pop("receiving", None)
    audit_all(work, "location.added", "location", made)
    return list(made)


def _zone(work: UnitOfWork, site: int, code: str) -> int:
    found = work.session.execute(
        select(Zone.id).where(Zone.site_id == site, Zone.code == code)
    ).scalar_one_or_none()  # fmt: skip
    if found is None:
        found = work.ids.one()
        work.session.add(Zone(id=found, site_id=site, code=code, name=code))
        work.session.flush()
        work.audit("zone.added", "zone", found, site=site, code=code)
    return found


def add_zone(work: UnitOfWork, site: int, code: str, name: str) -> int:
    """A part of a site that people work in; raises ``Conflict`` for a code that the site has already."""
    work.actor.require(ARRANGE, site=site)
    site_facts(work, site)
    if not code.strip() or not name.strip():
        raise RuleBroken("code_missing", field="code" if not code.strip() else "name")
    if work.session.execute(select(Zone.id).where(Zone.site_id == site, Zone.code == code.strip())).first():
        raise Conflict("code_in_use", field="code", code=code.strip())
    key = work.ids.one()
    work.session.add(Zone(id=key, site_id=site, code=code.strip(), name=name.strip()))
    work.session.flush()
    work.audit("zone.added", "zone", key, site=site, code=code.strip())
    return key


def block_location(work: UnitOfWork, location: int, *, blocked: bool, reason: str) -> None:
    """Let nothing be picked from a location, or let it again, with a reason. What lies there stays promised.

    Raises ``RuleBroken("location_is_so")`` when it is so already.
    """
    row = work.session.get(Location, location, with_for_update={"key_share": True})
    if row is None:
        raise NotFound("location_unknown", id=location)
    work.actor.require(ARRANGE, site=row.site_id)
    site_facts(work, row.site_id)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="location", move="block" if blocked else "release")
    if row.is_blocked == blocked:
        raise RuleBroken("location_is_so", location=row.code, state="blocked" if blocked else "open")
    row.is_blocked = blocked
    work.session.flush()
    work.memo.pop("receiving", None)
    work.audit("location_blocked" if blocked else "location_opened", "location", row.id, reason=reason.strip())


def ensure_lots(work: UnitOfWork, wanted: Sequence[LotWanted], known: Mapping[int, ItemFacts]) -> list[int]:
    """The lots of these codes, made when they are not there yet.

    Raises ``RuleBroken`` for an item that is not tracked, and for a lot that is known with another last day.
    """
    for one in wanted:
        item = known[one.item]
        if item.tracking == Tracking.NONE:
            raise RuleBroken("not_tracked", field="lot", item=item.code)
        if not one.code.strip():
            raise RuleBroken("lot_required", field="lot", item=item.code)
    if not wanted:
        return []
    rows = [
        {
            "id": work.ids.one(), "entity_id": known[one.item].entity_id, "item_id": one.item, "code": one.code,
            "is_serial": known[one.item].tracking == Tracking.SERIAL, "expires_on": one.expires_on, "first_seen_at": work.now,
        }
        for one in wanted
    ]  # fmt: skip
    insert: Any = sqlite_insert if work.dialect.name == "sqlite" else pg_insert
    work.session.execute(insert(Lot).values(rows).on_conflict_do_nothing(index_elements=["item_id", "code"]))
    found = {
        (row.item_id, row.code): row
        for row in work.session.execute(
            select(Lot.id, Lot.item_id, Lot.code, Lot.expires_on).where(
                Lot.item_id.in_({one.item for one in wanted}), Lot.code.in_({one.code for one in wanted})
            )
        )
    }
    for one in wanted:
        there = found[one.item, one.code]
        if one.expires_on is not None and there.expires_on != one.expires_on:
            raise RuleBroken("lot_other_expiry", field="expires_on", lot=one.code, day=there.expires_on)
    return [found[one.item, one.code].id for one in wanted]


def keep_item(work: UnitOfWork, command: KeepItem) -> None:
    """Change how an item is tracked and sold.

    Tracking changes only while none of it is in stock: nobody could say of which lot what is there already is.
    """
    work.actor.require("masterdata:record:change")
    row = work.session.get(Item, command.item, with_for_update={"key_share": True})
    if row is None:
        raise NotFound("item_unknown", id=command.item)
    if command.tracking not in set(Tracking):
        raise RuleBroken("choice_unknown", field="tracking", value=command.tracking)
    if command.tracking != row.tracking:
        if command.tracking == Tracking.SERIAL and row.quantity_places:
            raise RuleBroken("serial_in_parts", field="tracking", item=row.code)
        there = select(StockBalance.site_id).where(StockBalance.item_id == row.id, StockBalance.on_hand > 0)
        if work.session.execute(there).first():
            raise RuleBroken("tracking_with_stock", field="tracking", item=row.code)
    multiple = command.order_multiple
    if multiple is not None:
        if multiple <= 0:
            raise RuleBroken("multiple_not_positive", field="order_multiple")
        in_own_unit(multiple, None, row.quantity_places, field="order_multiple")
    work.audit(
        "item.kept",
        "item",
        row.id,
        tracking=[row.tracking, command.tracking],
        order_multiple=[row.order_multiple, multiple],
    )
    row.tracking, row.order_multiple = command.tracking, multiple
    work.memo.pop("items", None)
    work.session.flush()
