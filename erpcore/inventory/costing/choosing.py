"""By which method does a site value its stock? Chosen by an explicit act that revalues what is there; nothing else changes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text, update

from erpcore.inventory.cost_kinds import CostMethod
from erpcore.inventory.cost_models import LayerReason, Revaluation, SiteCosting
from erpcore.inventory.costing.layers import Valuing, read_layers
from erpcore.inventory.models import StockBalance
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, post_entries
from erpcore.masterdata.queries import SiteFacts, items, site_facts
from erpcore.ports import standard_ruleset
from erpcore.published.stock import CostingChosen

_COSTING = ("id", "entity_id", "site_id", "method", "since", "reason", "revalued_minor", "chosen_by")
_BALANCE = ("site_id", "item_id", "on_hand", "value_minor", "unvalued", "method")


@dataclass(frozen=True, kw_only=True, slots=True)
class ChooseCosting:
    """Value the site's stock by this method from now on. ``seen``: the choice that held when the person looked (0: none)."""

    site: int
    method: str
    reason: str
    seen: int | None = None


def _change_method() -> Any:
    table = StockBalance.__table__
    return (
        update(table)
        .where(table.c.site_id == param("site", table.c.site_id), table.c.item_id == param("item", table.c.item_id))
        .values(
            method=param("now_method", table.c.method),
            value_minor=table.c.value_minor + param("d_value", table.c.value_minor),
        )
    )  # fmt: skip


_CHANGE = Change(_change_method)


def books_of(work: UnitOfWork, site: SiteFacts) -> Place:
    """The dimensions of what Finance does to a site's stock account; raises ``RuleBroken("other_realm")``."""
    if site.entity.realm != work.realm:
        raise RuleBroken("other_realm", site=site.code, realm=site.entity.realm, asked=work.realm)
    return Place(
        realm=site.entity.realm, entity=site.entity.id, site=site.id, ruleset=standard_ruleset().hash,
        currency=site.entity.currency, time_zone=site.time_zone,
    )  # fmt: skip


def costing_of(work: UnitOfWork, site: int) -> Any | None:
    """The choice that holds for the site; ``None``: it values at standard cost."""
    return max(read_rows(work, SiteCosting, _COSTING, "site_id", [site]), key=lambda row: row.id, default=None)


def choose_costing(work: UnitOfWork, commands: Sequence[ChooseCosting]) -> list[int]:
    """The sites value their stock so from now on; what is there goes on at what it is worth, in layers where layers are kept.

    At standard cost it is worth that, and the difference is a stock adjustment of today. Items without a cost stay at unknown
    cost. Raises ``RuleBroken("costing_same")`` for the method that holds, ``Conflict`` when another was chosen meanwhile.
    """
    for command in commands:
        work.actor.require("ledger:costing:choose", site=command.site)
    # Nobody may lock, write or add a balance meanwhile; who waits reads the new method then.
    if work.dialect.name == "postgresql":
        work.session.execute(text("LOCK TABLE stock_balance IN EXCLUSIVE MODE"))
    return [_choose(work, command) for command in commands]


def _choose(work: UnitOfWork, command: ChooseCosting) -> int:
    site = site_facts(work, command.site)
    place = books_of(work, site)
    if command.method not in set(CostMethod):
        raise RuleBroken("choice_unknown", field="method", value=command.method)
    reason = command.reason.strip()
    if not reason:
        raise RuleBroken("reason_required", field="reason", document="costing", move="choose")
    held = costing_of(work, site.id)
    if command.seen is not None and command.seen != (held.id if held else 0):
        raise Conflict("changed_meanwhile")
    if command.method == (held.method if held else CostMethod.STANDARD):
        raise RuleBroken("costing_same", field="method", site=site.code, method=command.method)
    key = work.ids.one()
    revalued = _revalue(work, site, key, command.method)
    total = sum(revalued.values())
    row = (key, site.entity.id, site.id, command.method, work.now, reason, total, work.actor.id)
    write_rows(work, SiteCosting.__table__, _COSTING, [row])
    changed = [(key, item, value) for item, value in sorted(revalued.items()) if value]
    write_rows(work, Revaluation.__table__, ("costing_id", "item_id", "value_minor"), changed)
    entry = Entry(
        rule="revaluation", place=place, document_type="costing", document_id=key, journey=key, posted_at=work.now,
        entry_on=local_day(work.now, place.time_zone), currency=site.entity.currency, text=reason[:200],
        sides=(Side(AccountRole.INVENTORY, total), Side(AccountRole.ADJUSTMENT, -total)),
    )  # fmt: skip
    post_entries(work, [entry])
    told = CostingChosen(method=command.method, value=total)
    work.publish(told, place, step="record_to_report.post", subject=("costing", key, 1), journey=key)
    work.audit("costing_chosen", "site", site.id, entity=site.entity.id, method=command.method, value=total)
    return key


def _revalue(work: UnitOfWork, site: SiteFacts, costing: int, method: str) -> dict[int, int]:
    """What each item is worth more by the new method; layers end and begin with it."""
    for stale in ("balances", "placed", "frozen", "worth", "cost layers"):
        work.memo.pop(stale, None)
    rows = read_rows(work, StockBalance, _BALANCE, "site_id", [site.id], lock=True)
    known = items(work, {row.item_id for row in rows})
    valuing = Valuing(work, ())
    layered = [(site.id, row.item_id) for row in rows if row.method == CostMethod.FIFO]
    for layers in read_layers(work, layered).values():
        for layer in layers:
            valuing.step(layer, LayerReason.ENDED, costing, -layer.left, -layer.value)
    work.memo.pop("cost layers", None)
    more: dict[int, int] = {}
    changes = []
    for row in rows:
        cost = known[row.item_id].standard_cost
        if cost is None or row.unvalued:
            continue
        worth = row.value_minor if row.on_hand else 0
        if method == CostMethod.STANDARD or worth < 0:
            worth = scaled_amount(row.on_hand, cost, site.entity.currency)
        more[row.item_id] = worth - row.value_minor
        changes.append({"site": site.id, "item": row.item_id, "now_method": method, "d_value": more[row.item_id]})
        if method == CostMethod.FIFO and row.on_hand:
            at = (site.id, row.item_id)
            valuing.open_layer(site.entity.id, at, row.on_hand, worth, work.now, "costing", costing, costing)
    valuing.write()
    _CHANGE.run(work, changes)
    work.memo.pop("cost layers", None)
    return more
