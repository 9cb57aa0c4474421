"""Where does stock lie, of which lot, in which status, and what may a pick take from there?

Bins are locked after the balances of their places. What is available at the default place and of no lot has no row: it is
the balance less what is placed, and the balance's lock is its lock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select, update

from erpcore.inventory.balances import Place, frozen_places, lock_balances, placed_of
from erpcore.inventory.documents import CountState, CountTask
from erpcore.inventory.models import BinHold, Location, LocationKind, Lot, StockBin, StockStatus
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.rows import Change, param, raw_columns, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import SiteFacts, items, site_facts

_BIN = (
    "id",
    "entity_id",
    "site_id",
    "item_id",
    "location_id",
    "lot_id",
    "is_serial",
    "status",
    "slot",
    "quantity",
    "since",
)


#: Places where somebody who wanted goods found a lot past its last day still available.
EXPIRED_MET = "expired lots met"


class Slot(NamedTuple):
    """One place, lot and status of an item at a site."""

    site: int
    item: int
    location: int | None = None
    lot: int | None = None
    status: str = StockStatus.AVAILABLE

    @property
    def is_default(self) -> bool:
        """At the default place, of no lot, available: the part of the balance that has no bin."""
        return self.location is None and self.lot is None and self.status == StockStatus.AVAILABLE

    @property
    def text(self) -> str:
        """As the bin's unique key spells it."""
        return f"{self.location or 0}/{self.lot or 0}/{self.status}"


class Bin:
    """A locked bin. ``held``: meant for picks and still there."""

    __slots__ = ("held", "id", "quantity", "since", "slot")

    def __init__(self, slot: Slot, key: int, quantity: int, since: datetime) -> None:
        self.slot, self.id, self.quantity, self.since = slot, key, quantity, since
        self.held = 0


class LotFacts(NamedTuple):
    id: int
    item_id: int
    code: str
    is_serial: bool
    expires_on: date | None


class LocationFacts(NamedTuple):
    id: int
    site_id: int
    code: str
    kind: str
    walk: int
    is_blocked: bool


def _change_bin() -> Any:
    table = StockBin.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values(quantity=table.c.quantity + param("d_quantity", table.c.quantity), since=param("from", table.c.since))
    )


_CHANGE_BIN = Change(_change_bin)


def lots(work: UnitOfWork, ids: Iterable[int]) -> dict[int, LotFacts]:
    """Lots by id; raises ``NotFound`` for an unknown one."""
    return _facts(work, "lots", Lot, LotFacts, ids, "lot_unknown")


def sound_status(work: UnitOfWork, site: SiteFacts, lot: int | None, status: str) -> str:
    """``status``, or quarantine for a lot that is past its last day where the site stands: nobody may promise it."""
    return StockStatus.QUARANTINE if last_day_over(work, Slot(site.id, 0, lot=lot), work.now) else status


def last_day_over(work: UnitOfWork, slot: Slot, when: datetime) -> date | None:
    """The last day of the slot's lot where it is past ``when`` at its site, else ``None``."""
    if slot.lot is None:
        return None
    last = lots(work, {slot.lot})[slot.lot].expires_on
    return last if last is not None and last < local_day(when, site_facts(work, slot.site).time_zone) else None


def locations(work: UnitOfWork, ids: Iterable[int]) -> dict[int, LocationFacts]:
    """Locations by id; raises ``NotFound`` for an unknown one."""
    return _facts(work, "locations", Location, LocationFacts, ids, "location_unknown")


def _facts(work: UnitOfWork, key: str, table: Any, facts: Any, ids: Iterable[int], missing: str) -> dict[int, Any]:
    known: dict[int, Any] = work.memo.setdefault(key, {})
    unread = set(ids) - known.keys()
    if unread:
        for row in read_rows(work, table, facts._fields, "id", unread):
            known[row.id] = facts(*row)
        if absent := unread - known.keys():
            raise NotFound(missing, id=min(absent))
    return known


def location_at(work: UnitOfWork, site: int, location: int) -> LocationFacts:
    """A location of this site; raises ``RuleBroken`` for another site's."""
    found = locations(work, {location})[location]
    if found.site_id != site:
        raise RuleBroken("location_elsewhere", field="location", location=found.code)
    return found


def receiving_location(work: UnitOfWork, site: int) -> int | None:
    """Where the site lets goods wait to be put away; ``None``: it has no such place and they are available at once."""
    memo: dict[int, int | None] = work.memo.setdefault("receiving", {})
    if site not in memo:
        memo[site] = work.session.execute(
            select(Location.id)
            .where(Location.site_id == site, Location.kind == LocationKind.RECEIVING, Location.is_blocked.is_(False))
            .order_by(Location.walk, Location.id)
            .limit(1)
        ).scalar_one_or_none()
    return memo[site]


def lock_bins(work: UnitOfWork, places: Iterable[Place]) -> dict[Place, dict[Slot, Bin]]:
    """All bins of each place with what picks hold of them, locked. The balances are locked first."""
    known: dict[Place, dict[Slot, Bin]] = work.memo.setdefault("bins", {})
    wanted = {place for place in places if place not in known}
    if not wanted:
        return known
    lock_balances(work, wanted)
    by_site: dict[int, set[int]] = defaultdict(set)
    for place in wanted:
        known[place] = {}
        by_site[place[0]].add(place[1])
    names = ("id", "item_id", "location_id", "lot_id", "status", "quantity", "since")
    for site, of in sorted(by_site.items()):
        rows = read_rows(work, StockBin, names, "item_id", of, lock=True, also=("site_id", site))
        for row in rows:
            slot = Slot(site, row.item_id, row.location_id, row.lot_id, row.status)
            known[site, row.item_id][slot] = Bin(slot, row.id, row.quantity, row.since)
        held = select(*raw_columns(BinHold)).where(
            BinHold.site_id == site, BinHold.item_id.in_(of), BinHold.used + BinHold.freed < BinHold.quantity
        )
        for row in work.session.execute(held):
            slot = Slot(site, row.item_id, row.location_id, row.lot_id)
            _bin(known, slot, work.now).held += row.quantity - row.used - row.freed
    return known


def _bin(known: dict[Place, dict[Slot, Bin]], slot: Slot, now: datetime) -> Bin:
    """The bin of a slot; one that is not there yet has id 0 and nothing in it (the default place has no bin to find)."""
    bins = known[slot.site, slot.item]
    if slot not in bins:
        bins[slot] = Bin(slot, 0, 0, now)
    return bins[slot]


def change_bin(work: UnitOfWork, slot: Slot, delta: int) -> None:
    """Put so much into a locked slot, or take it from there; ``write_bins`` writes it.

    The blocked and placed figures of the locked balance go with it. Raises ``RuleBroken("bin_short")`` when the slot would
    hold less than nothing or than picks hold.
    """
    place = (slot.site, slot.item)
    known = lock_bins(work, {place})
    placed, held = placed_of(work), lock_balances(work, {place})
    if slot.is_default:
        if delta < 0 and rest_of(work, place) + delta < 0:
            raise bin_short(work, slot)
        return
    found = _bin(known, slot, work.now)
    if delta < 0 and found.quantity + delta < found.held:
        raise bin_short(work, slot)
    if found.quantity == 0:
        found.since = work.now
    found.quantity += delta
    pending: dict[Slot, int] = work.memo.setdefault("bin_changes", {})
    pending[slot] = pending.get(slot, 0) + delta
    placing: dict[Place, list[int]] = work.memo.setdefault("placing", {})
    sums = placing.setdefault(place, [0, 0])
    blocked = delta if slot.status != StockStatus.AVAILABLE else 0
    sums[0] += blocked
    sums[1] += delta
    held[place][2] += blocked
    placed[place] += delta


def write_bins(work: UnitOfWork, entities: Mapping[Place, int]) -> dict[Place, list[int]]:
    """Write the bins changed since the last time; returns [blocked, placed] by which each place's balance changes.

    Raises ``RuleBroken("serial_in_stock")`` when a serial number would be there twice.
    """
    wanted: dict[Slot, int] = {k: v for k, v in work.memo.pop("bin_changes", {}).items() if v}
    if not wanted:
        work.memo.pop("placing", None)
        return {}
    known: dict[Place, dict[Slot, Bin]] = work.memo["bins"]
    _check_serials(work, wanted)
    facts = lots(work, {slot.lot for slot in wanted if slot.lot is not None})
    changed: list[dict[str, Any]] = []
    fresh: list[tuple[Any, ...]] = []
    # What leaves is written before what comes, so that a serial number is never in two bins.
    for slot, delta in sorted(wanted.items(), key=lambda part: (part[1] > 0, part[0].site, part[0].item, part[0].text)):
        found = known[slot.site, slot.item][slot]
        if found.id:
            changed.append({"of": found.id, "d_quantity": delta, "from": found.since})
            continue
        found.id = work.ids.one()
        serial = slot.lot is not None and facts[slot.lot].is_serial
        fresh.append(
            (
                found.id, entities[slot.site, slot.item], slot.site, slot.item, slot.location, slot.lot, serial, slot.status,
                slot.text, delta, found.since,
            )
        )  # fmt: skip
    _CHANGE_BIN.run(work, changed)
    write_rows(work, StockBin.__table__, _BIN, fresh)
    placing: dict[Place, list[int]] = work.memo.pop("placing")
    return placing


def bin_short(work: UnitOfWork, slot: Slot) -> RuleBroken:
    """The refusal that names the item and the place where less lies than is asked for."""
    where = locations(work, {slot.location})[slot.location].code if slot.location else "the default place"
    item, site = items(work, {slot.item})[slot.item].code, site_facts(work, slot.site).code
    return RuleBroken("bin_short", field="quantity", item=item, site=site, location=where)


def _check_serials(work: UnitOfWork, deltas: Mapping[Slot, int]) -> None:
    coming = {slot.lot: slot for slot, delta in deltas.items() if delta > 0 and slot.lot is not None}
    facts = lots(work, coming)
    serials = sorted(lot for lot in coming if facts[lot].is_serial)
    if not serials:
        return
    read_rows(work, Lot, ("id",), "id", serials, lock=True)
    there = select(*raw_columns(StockBin)).where(StockBin.lot_id.in_(serials), StockBin.quantity > 0)
    after: dict[int, int] = defaultdict(int)
    for row in work.session.execute(there):
        after[row.lot_id] += row.quantity
    for slot, delta in deltas.items():
        if slot.lot in coming:
            after[slot.lot] += delta
    for lot in serials:
        if after[lot] > 1000:
            raise RuleBroken("serial_in_stock", field="lot", serial=facts[lot].code)


def rest_of(work: UnitOfWork, place: Place) -> int:
    """What is available at the default place and of no lot, less what picks hold there."""
    held = lock_balances(work, {place}).get(place)
    if held is None:
        return 0
    rest = lock_bins(work, {place})[place].get(Slot(*place))
    return held[0] - placed_of(work)[place] - (rest.held if rest else 0)


class Part(NamedTuple):
    """So much from one slot."""

    slot: Slot
    quantity: int


def take_parts(
    work: UnitOfWork,
    place: Place,
    quantity: int,
    *,
    rule: str = "first_expiry",
    less: Mapping[Slot, int] | None = None,
) -> list[Part]:
    """From where so much of an item is taken by the lot rule; gives less when less may be taken.

    ``less``: what is taken from there already and not written yet.

    First expiry: the lot that expires first; then, as under first in, what has lain longest; then the way people walk. A lot
    past its day, a blocked location and a bin that is being counted frozen give nothing.
    """
    less = less or {}
    today = local_day(work.now, site_facts(work, place[0]).time_zone)
    frozen = frozen_slots(work, {place})
    bins = [
        one
        for one in lock_bins(work, {place})[place].values()
        if not one.slot.is_default and one.quantity - one.held - less.get(one.slot, 0) > 0
    ]
    known_lots = lots(work, {b.slot.lot for b in bins if b.slot.lot is not None})
    known_places = locations(work, {b.slot.location for b in bins if b.slot.location is not None})
    found: list[tuple[Any, ...]] = []
    for one in bins:
        slot = one.slot
        lot = known_lots[slot.lot] if slot.lot is not None else None
        where = known_places[slot.location] if slot.location is not None else None
        if slot.status != StockStatus.AVAILABLE or slot in frozen:
            continue
        if lot and lot.expires_on and lot.expires_on < today:
            work.memo.setdefault(EXPIRED_MET, set()).add(place)
            continue
        if where and (where.is_blocked or where.kind != LocationKind.STORAGE):
            continue
        expiry = (lot.expires_on if lot and lot.expires_on else date.max) if rule == "first_expiry" else date.max
        found.append(
            (expiry, one.since, where.walk if where else 0, one.id, slot, one.quantity - one.held - less.get(slot, 0))
        )
    parts: list[Part] = []
    for *_, slot, there in sorted(found, key=lambda row: row[:4]):
        if quantity <= 0:
            return parts
        parts.append(Part(slot, min(there, quantity)))
        quantity -= parts[-1].quantity
    rest = rest_of(work, place) - less.get(Slot(*place), 0) if Slot(*place) not in frozen else 0
    if quantity > 0 and rest > 0:
        parts.append(Part(Slot(*place), min(rest, quantity)))
    return parts


def frozen_slots(work: UnitOfWork, places: Iterable[Place]) -> frozenset[Slot]:
    """Bins of these locked places that are being counted while nothing may be taken from them."""
    wanted = set(places) & frozen_places(work)
    if not wanted:
        return frozenset()
    rows = work.session.execute(
        select(CountTask.site_id, CountTask.item_id, CountTask.location_id, CountTask.lot_id).where(
            CountTask.is_frozen.is_(True),
            CountTask.state.in_((CountState.COUNTING, CountState.RECOUNTING)),
            CountTask.site_id.in_({place[0] for place in wanted}),
            CountTask.item_id.in_({place[1] for place in wanted}),
        )
    )
    return frozenset(Slot(*row) for row in rows if (row.site_id, row.item_id) in wanted)


def is_placed(work: UnitOfWork, places: Iterable[Place]) -> set[Place]:
    """Those of the locked places that have bins of their own."""
    placed = placed_of(work)
    return {place for place in places if placed.get(place)}
