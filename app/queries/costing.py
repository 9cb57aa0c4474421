"""What is stock worth, and why? The method of each site, the layers of an item and what went out of them, late costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from app.queries.places import SitePick, sites_seen
from app.queries.stock_moves import MoveRow, list_moves
from app.security.scopes import check_site, within_sites
from erpcore.inventory.cost_kinds import CostMethod
from erpcore.inventory.cost_models import CostLayer, LateCost, LateCostLine, LayerReason, LayerStep, SiteCosting
from erpcore.inventory.documents import GoodsReceipt
from erpcore.inventory.models import StockBalance, StockMove
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Entity, Item, Site

#: So many layers, and steps of them, are shown at once.
MOST_LAYERS = 50
MOST_STEPS = 25


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A method that a site chose. ``revalued_minor``: what its stock was worth more (or less) by that."""

    id: int
    method: str
    since: datetime
    reason: str
    revalued_minor: int
    chosen_by: int


@dataclass(frozen=True, kw_only=True)
class CostedSite:
    """How a site values its stock and what that comes to; ``choice`` ``None``: at standard cost since ever."""

    site: SitePick
    choice: Choice | None
    value_minor: int

    @property
    def method(self) -> str:
        return self.choice.method if self.choice else CostMethod.STANDARD


def _choices(session: Session, sites: Sequence[int]) -> dict[int, list[Choice]]:
    found: dict[int, list[Choice]] = {}
    rows = session.scalars(select(SiteCosting).where(SiteCosting.site_id.in_(sites)).order_by(SiteCosting.id.desc()))
    for one in rows:
        found.setdefault(one.site_id, []).append(
            Choice(
                id=one.id, method=one.method, since=one.since, reason=one.reason, revalued_minor=one.revalued_minor,
                chosen_by=one.chosen_by,
            )
        )  # fmt: skip
    return found


def costed_sites(session: Session, actor: Actor, realm: str | None = None) -> list[CostedSite]:
    """Every site the person sees that may hold goods, with the method that holds now."""
    realms = None if realm is None else [realm]
    sites = [one for one in sites_seen(session, actor, realms=realms) if one.kind != "drop_ship"]
    keys = [one.id for one in sites]
    chosen = _choices(session, keys)
    worth = select(StockBalance.site_id, func.sum(StockBalance.value_minor)).group_by(StockBalance.site_id)
    values = {row[0]: int(row[1]) for row in session.execute(worth.where(StockBalance.site_id.in_(keys)))}
    return [
        CostedSite(site=one, choice=chosen.get(one.id, [None])[0], value_minor=values.get(one.id, 0)) for one in sites
    ]


def costing_of_site(session: Session, actor: Actor, site: int) -> tuple[CostedSite, list[Choice]]:
    """A site's method and all that it chose, the newest first; raises ``NotFound`` for one the person does not see."""
    found = next((one for one in costed_sites(session, actor) if one.site.id == site), None)
    if found is None:
        raise NotFound("not_found")
    return found, _choices(session, [site]).get(site, [])


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    """A layer: what came, what is left of it and exactly worth what."""

    id: int
    came_at: datetime
    document_type: str
    document_id: int
    document: str
    quantity: Decimal
    left: Decimal
    value_minor: int

    @property
    def unit_cost_minor(self) -> Decimal | None:
        """What a unit of what is left costs, in minor units."""
        return Decimal(self.value_minor) / self.left if self.left else None


@dataclass(frozen=True, kw_only=True)
class StepRow:
    """What happened to a layer; ``move`` for goods that came or went, ``late_cost`` for what they cost more."""

    id: int
    layer: int
    at: datetime
    reason: str
    document_id: int
    quantity: Decimal
    value_minor: int
    move: MoveRow | None = None


@dataclass(frozen=True, kw_only=True)
class LayerPage:
    """The layers of an item at a site, the first to go first, and the newest steps. ``older``: steps go on behind that one."""

    layers: list[LayerRow]
    used_up: int
    steps: list[StepRow]
    older: int | None


_NUMBERS = {"goods_receipt": "GR", "transfer": "TR"}
_WORDS = {
    "costing": "what was there before", "return": "return", "stock_change": "stock change", "count": "count",
    "stock_move": "taken back",
}  # fmt: skip


def _layer(one: CostLayer) -> LayerRow:
    prefix = _NUMBERS.get(one.document_type)
    return LayerRow(
        id=one.id, came_at=one.came_at, document_type=one.document_type, document_id=one.document_id, quantity=one.quantity,
        document=f"{prefix}-{one.document_id}" if prefix else _WORDS.get(one.document_type, one.document_type.replace("_", " ")),
        left=one.quantity_left, value_minor=one.value_minor,
    )  # fmt: skip


def layers_page(session: Session, actor: Actor, site: int, item: int, *, before: int | None = None) -> LayerPage:
    """What an item at a site lies in, and what came into and went out of it; ``before``: steps older than that one."""
    check_site(actor, site)
    here = and_(CostLayer.site_id == site, CostLayer.item_id == item)
    left = select(CostLayer).where(here, CostLayer.quantity_left > 0).order_by(CostLayer.came_at, CostLayer.id)
    layers = [_layer(one) for one in session.scalars(left.limit(MOST_LAYERS))]
    used = session.scalar(select(func.count()).select_from(CostLayer).where(here, CostLayer.quantity_left == 0)) or 0
    query = select(LayerStep).join(CostLayer, CostLayer.id == LayerStep.layer_id).where(here)
    if before is not None:
        query = query.where(LayerStep.id < before)
    found = list(session.scalars(query.order_by(LayerStep.id.desc()).limit(MOST_STEPS + 1)))
    shown = found[:MOST_STEPS]
    steps = [
        StepRow(
            id=one.id, layer=one.layer_id, at=one.at, reason=one.reason, document_id=one.document_id, quantity=one.quantity,
            value_minor=one.value_minor,
        )
        for one in shown
    ]  # fmt: skip
    moves = _moves(session, [one for one in steps if one.reason in (LayerReason.CAME, LayerReason.WENT)])
    return LayerPage(
        layers=layers, used_up=used, steps=[replace(one, move=moves.get(one.document_id)) for one in steps],
        older=shown[-1].id if len(found) > MOST_STEPS else None,
    )  # fmt: skip


def _moves(session: Session, steps: Sequence[StepRow]) -> dict[int, MoveRow]:
    keys = {one.document_id for one in steps}
    if not keys:
        return {}
    rows, _, _ = list_moves(session, StockMove.id.in_(sorted(keys)), MOST_STEPS)
    return {row.id: row for row in rows}


@dataclass(frozen=True, kw_only=True)
class LateCostRow:
    """A late cost: of which receipt, how much of it is on goods that were still here, and how much was cost of sales."""

    id: int
    receipt_id: int
    receipt: str
    paper: str
    kind: str
    basis: str
    note: str | None
    site_id: int
    site: str
    realm: str
    currency: str
    amount_minor: int
    stock_minor: int
    entry_on: date
    added_at: datetime
    added_by: int

    @property
    def sold_minor(self) -> int:
        return self.amount_minor - self.stock_minor


@dataclass(frozen=True, kw_only=True)
class LatePart:
    """The part of one item: how many came, how many were still here, and what each side took."""

    item_id: int
    code: str
    name: str
    unit: str
    quantity: Decimal
    here: Decimal
    stock_minor: int
    sold_minor: int


def _all() -> Any:
    return (
        select(LateCost, GoodsReceipt.number, Site.name.label("site"), Entity.realm, Entity.currency)
        .select_from(LateCost)
        .join(GoodsReceipt, GoodsReceipt.id == LateCost.receipt_id)
        .join(Site, Site.id == LateCost.site_id)
        .join(Entity, Entity.id == LateCost.entity_id)
    )


def _row(row: Any) -> LateCostRow:
    one: LateCost = row.LateCost
    return LateCostRow(
        id=one.id, receipt_id=one.receipt_id, receipt=row.number, paper=one.paper, kind=one.kind, basis=one.basis, note=one.note,
        site_id=one.site_id, site=row.site, realm=row.realm, currency=row.currency, amount_minor=one.amount_minor,
        stock_minor=one.stock_minor, entry_on=one.entry_on, added_at=one.added_at, added_by=one.added_by,
    )  # fmt: skip


#: The list of late costs, the newest first.
LATE_COSTS: SqlList[LateCostRow] = SqlList(
    select=_all, row=_row, tie=(LateCost.id,), usual="-day", site=LateCost.site_id, realm=Entity.realm,
    text=(GoodsReceipt.number, LateCost.paper, LateCost.note), by=("kind", LateCost.kind),
    sums={"Late costs": LateCost.amount_minor, "Of it cost of sales": LateCost.amount_minor - LateCost.stock_minor},
    currency=Entity.currency,
    sorts={"day": LateCost.entry_on, "receipt": GoodsReceipt.number, "site": Site.name, "amount": LateCost.amount_minor},
    wanted={"kind": lambda value, _: LateCost.kind == value},
)  # fmt: skip


def late_costs_of(session: Session, receipt: int) -> list[LateCostRow]:
    """What a receipt's goods cost more, the first first."""
    return [_row(row) for row in session.execute(_all().where(LateCost.receipt_id == receipt).order_by(LateCost.id))]


def late_cost_page(session: Session, actor: Actor, key: int) -> tuple[LateCostRow, list[LatePart]]:
    """One late cost with its parts; raises ``NotFound`` for another site's."""
    row = session.execute(within_sites(_all(), actor, LateCost.site_id).where(LateCost.id == key)).one_or_none()
    if row is None:
        raise NotFound("late_cost_unknown", id=key)
    parts = session.execute(
        select(LateCostLine, Item)
        .join(Item, Item.id == LateCostLine.item_id)
        .where(LateCostLine.late_cost_id == key)
        .order_by(LateCostLine.line_no)
    )
    return _row(row), [
        LatePart(
            item_id=item.id, code=item.code, name=item.name, unit=item.unit, quantity=one.quantity, here=one.quantity_here,
            stock_minor=one.stock_minor, sold_minor=one.sold_minor,
        )
        for one, item in parts
    ]  # fmt: skip
