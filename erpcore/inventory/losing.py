"""Goods that left one site and never came to the other: who says so, and who agrees above the site's limit?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from erpcore.inventory.adjusting import propose_loss, waits_for_approval
from erpcore.inventory.posting import warehouse_place
from erpcore.inventory.transfer_records import lock_transfer
from erpcore.inventory.transfers import lose_in_transit, require_in_transit
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import items, site_facts
from erpcore.masterdata.units import in_own_unit
from erpcore.ports import BY_PERMISSION, Authority, CellStates, ProcessRules


@dataclass(frozen=True, kw_only=True, slots=True)
class GiveUp:
    """What is on its way still is lost, with a reason."""

    transfer: int
    line: int
    quantity: Decimal
    reason: str


class GivenUp(NamedTuple):
    """Whether nothing of the transfer is on its way any more, and whether somebody else must agree to the loss first."""

    settled: bool
    waits: bool


def give_up(
    work: UnitOfWork, command: GiveUp, *, rules: ProcessRules, cells: CellStates, authority: Authority = BY_PERMISSION
) -> GivenUp:
    """What is on its way is lost: it leaves the stock of the receiving site as an adjustment, with a reason.

    Above the site's limit, or at unknown worth, it is proposed as an adjustment and stays on its way until somebody else agrees.
    """
    head, lines = lock_transfer(work, command.transfer)
    work.actor.require("warehouse:stock:adjust", site=head.site_id)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="transfer", move="give_up")
    line = lines.get(command.line)
    if line is None:
        raise RuleBroken("line_unknown", line=command.line)
    site, item = site_facts(work, head.site_id), items(work, {line.item_id})[line.item_id]
    warehouse_place(work, site, rules, cells, begins=False)
    quantity = scaled_int(in_own_unit(command.quantity, None, item.quantity_places), QUANTITY_PLACES)
    require_in_transit(head, line, quantity, item)
    cost = item.standard_cost
    value = None if cost is None else scaled_amount(-quantity, cost, site.entity.currency)
    if waits_for_approval(work, site, rules, value):
        asked = (work, site, item.id, line.lot_id, line.id, quantity, value, command.reason.strip(), authority)
        if propose_loss(*asked):
            return GivenUp(settled=False, waits=True)
        head, _ = lock_transfer(work, command.transfer)
        return GivenUp(settled=head.settled_at is not None, waits=False)
    done = lose_in_transit(work, line.id, quantity, command.reason.strip(), rules=rules, cells=cells)
    return GivenUp(settled=done.settled, waits=False)
