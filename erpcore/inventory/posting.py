"""Where does a warehouse transaction happen, under which grant and rules, and what does it do to the books?"""

from __future__ import annotations

from collections.abc import Sequence

from erpcore.inventory.movement import Movement
from erpcore.inventory.services import Moved
from erpcore.kernel.clock import local_day
from erpcore.kernel.events import Place
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.posting_rules import contra_of
from erpcore.ledger.services import Entry, Side, post_entries
from erpcore.masterdata.queries import SiteFacts
from erpcore.ports import Cell, CellStates, Process, ProcessRules, Ruleset, admit
from erpcore.published import StockMoved


def warehouse_place(
    work: UnitOfWork, site: SiteFacts, rules: ProcessRules, cells: CellStates, *, begins: bool = True
) -> Place:
    """The dimensions of what the warehouse of this site does now; raises ``RuleBroken("cell_closed")`` where it may not."""
    grant = admit(work, cells, site.entity.realm, Cell(site.live_id, None, Process.WAREHOUSE), begins=begins)
    ruleset = warehouse_rules(work, site, rules)
    return Place(
        realm=site.entity.realm, entity=site.entity.id, site=site.id, grant=grant, ruleset=ruleset.hash,
        variants=ruleset.variants, currency=site.entity.currency, time_zone=site.time_zone,
    )  # fmt: skip


def warehouse_rules(work: UnitOfWork, site: SiteFacts, rules: ProcessRules) -> Ruleset:
    """The policy values that this site's warehouse works by."""
    return rules.resolve(work, entity=site.entity.live_id, site=site.live_id, channel=None, customer_group=None)


def stock_entry(place: Place, movement: Movement, moved: Moved) -> Entry:
    """What a move does to the books: stock against the account of its reason."""
    value = moved.value or 0
    contra = contra_of("stock_move", movement.reason, AccountRole.INVENTORY)
    return Entry(
        rule=movement.reason, place=place, document_type="stock_move", document_id=moved.id, journey=moved.id,
        entry_on=local_day(movement.moved_at, place.time_zone), posted_at=movement.moved_at, currency=movement.currency,
        sides=(Side(AccountRole.INVENTORY, value), Side(contra, -value)), text=movement.note,
    )  # fmt: skip


def report_moves(
    work: UnitOfWork, places: Sequence[Place], movements: Sequence[Movement], moved: Sequence[Moved], *, step: str
) -> None:
    """Say that stock came or left for no order, and post what it is worth."""
    entries = []
    for place, movement, done in zip(places, movements, moved, strict=True):
        if done.value:
            entries.append(stock_entry(place, movement, done))
        work.publish(
            StockMoved(item=movement.item, quantity=movement.quantity, value=done.value, reason=movement.reason), place,
            step=step, subject=("stock_move", done.id, 1), journey=done.id, at=movement.moved_at,
        )  # fmt: skip
    post_entries(work, entries)
