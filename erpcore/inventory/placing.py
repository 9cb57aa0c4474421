"""Which places, lots and statuses does a movement touch, said or not?"""

from __future__ import annotations

from collections import defaultdict

from erpcore.inventory.balances import frozen_places, placed_of
from erpcore.inventory.bins import Slot, frozen_slots, last_day_over, lots, take_parts
from erpcore.inventory.holds import use_holds
from erpcore.inventory.models import MoveReason, StockStatus
from erpcore.inventory.movement import Movement
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Tracking
from erpcore.masterdata.queries import ItemFacts


def slots_of(work: UnitOfWork, m: Movement, item: ItemFacts) -> list[tuple[Slot, int]] | None:
    """The slots that a movement touches and by how much; ``None``: only the default place of an item without bins.

    What is issued without a word about its place uses the line's holds first, then what may be picked, by the lot rule. A tracked
    item comes with its lot; one that a customer returns without goes to quarantine until somebody says which it is.
    """
    place = (m.site, m.item)
    if m.slot is not None:
        check_slot(work, m.slot, item, m.reason)
        return [(m.slot, m.quantity)]
    if m.quantity > 0:
        if item.tracking == Tracking.NONE:
            return [(Slot(*place), m.quantity)] if placed_of(work).get(place) else None
        if m.reason == MoveReason.RETURN:
            return [(Slot(*place, status=StockStatus.QUARANTINE), m.quantity)]
        raise RuleBroken("lot_required", field="lot", item=item.code)
    if not placed_of(work).get(place) and place not in frozen_places(work):
        return None
    if m.reason != MoveReason.ISSUE:
        # A correction says where; unsaid it is the default place.
        default = Slot(*place)
        check_slot(work, default, item, m.reason)
        return [(default, m.quantity)]
    taken: dict[Slot, int] = defaultdict(int)
    if m.reserved_line is not None:
        for slot, quantity in use_holds(work, m.reserved_line, place, -m.quantity, m.holds):
            _require_sound(work, m, slot, item)
            taken[slot] += quantity
    left = -m.quantity - sum(taken.values())
    if left:
        for slot, quantity in take_parts(work, place, left, less=dict(taken)):
            taken[slot] += quantity
    if sum(taken.values()) < -m.quantity:
        raise RuleBroken("nothing_to_pick", field="quantity", item=item.code)
    return [(slot, -quantity) for slot, quantity in taken.items()]


def _require_sound(work: UnitOfWork, m: Movement, slot: Slot, item: ItemFacts) -> None:
    """Raise ``RuleBroken("picked_expired")`` for goods that went past their last day in the tote. A history says what left."""
    if work.is_stated:
        return
    if (last := last_day_over(work, slot, m.moved_at)) is not None:
        lot = lots(work, {slot.lot or 0})[slot.lot or 0].code
        raise RuleBroken("picked_expired", item=item.code, lot=lot, day=last)


def check_slot(work: UnitOfWork, slot: Slot, item: ItemFacts, reason: str) -> None:
    """Refuse a slot that does not fit the item, or that is being counted frozen."""
    if slot.lot is None:
        # Returned without its lot: it lies in quarantine until somebody says which it is.
        if item.tracking != Tracking.NONE and slot.status != StockStatus.QUARANTINE:
            raise RuleBroken("lot_required", field="lot", item=item.code)
    elif lots(work, {slot.lot})[slot.lot].item_id != item.id:
        raise RuleBroken("lot_of_other_item", field="lot", item=item.code)
    if reason != MoveReason.COUNT and slot in frozen_slots(work, {(slot.site, slot.item)}):
        raise RuleBroken("bin_frozen", field="location", item=item.code)
