"""What are goods worth that come to or leave a place which is not valued at standard cost? Kept exact to the minor unit.

All figures belong to a balance that the unit of work has locked, so nobody else uses the same layers meanwhile. What is left of a
layer, or of an average, takes its whole remaining worth with it when the last of it goes: no rounding stays behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import update

from erpcore.inventory.balances import Place, Worth, worth_of
from erpcore.inventory.cost_kinds import CostMethod
from erpcore.inventory.cost_models import CostLayer, LayerReason, LayerStep
from erpcore.inventory.movement import Movement
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES
from erpcore.kernel.money import places, scaled_amount
from erpcore.kernel.rows import Change, chunks, param, raw_columns, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import items, site_facts

_LAYER = (
    "id", "entity_id", "site_id", "item_id", "document_type", "document_id", "quantity", "quantity_left", "value_minor", "came_at",
)  # fmt: skip
_STEP = ("id", "layer_id", "reason", "document_id", "quantity", "value_minor", "at")


class Layer:
    """One layer as a unit of work holds it: id, how many are left, what they are worth, when they came, with which paper."""

    __slots__ = ("came_at", "document_id", "document_type", "key", "left", "value")

    def __init__(
        self, key: int, left: int, value: int, came_at: datetime, document_type: str, document_id: int
    ) -> None:
        self.key, self.left, self.value, self.came_at = key, left, value, came_at
        self.document_type, self.document_id = document_type, document_id


def half_up(amount: int, part: int, whole: int) -> int:
    """``amount`` × ``part`` / ``whole``, half away from zero."""
    rounded = (2 * abs(amount) * part + whole) // (2 * whole)
    return rounded if amount >= 0 else -rounded


def unit_cost_of(value: int, quantity: int, currency: str) -> int:
    """What a unit cost on average, in millionths: for people to read; the value is what counts."""
    scale = 10 ** (QUANTITY_PLACES + PRICE_PLACES - places(currency))
    return half_up(abs(value), scale, abs(quantity))


def _change_layer() -> Any:
    table = CostLayer.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values(
            quantity_left=table.c.quantity_left + param("d_left", table.c.quantity_left),
            value_minor=table.c.value_minor + param("d_value", table.c.value_minor),
        )
    )


_CHANGE = Change(_change_layer)


def read_layers(work: UnitOfWork, wanted: Iterable[Place]) -> dict[Place, list[Layer]]:
    """The layers with something left of these locked places, the first to go first."""
    held: dict[Place, list[Layer]] = work.memo.setdefault("cost layers", {})
    by_site: dict[int, list[int]] = defaultdict(list)
    for place in wanted:
        if place not in held:
            held[place] = []
            by_site[place[0]].append(place[1])
    table = CostLayer.__table__.c
    names = ("id", "item_id", "quantity_left", "value_minor", "document_type", "document_id")
    for site, unread in sorted(by_site.items()):
        for part in chunks(sorted(unread), 500):
            rows = work.session.execute(
                CostLayer.__table__.select()
                .with_only_columns(*raw_columns(CostLayer, *names), table.came_at)
                .where(table.site_id == site, table.item_id.in_(part), table.quantity_left > 0)
                .order_by(table.came_at, table.id)
            )
            for row in rows:
                held[site, row.item_id].append(
                    Layer(row.id, row.quantity_left, row.value_minor, row.came_at, row.document_type, row.document_id)
                )
    return held


class Valuing:
    """What one batch of moves does to averages and layers; ``write`` writes it down."""

    def __init__(self, work: UnitOfWork, leaving: Iterable[Place]) -> None:
        self.work = work
        self.worth = worth_of(work)
        self.layers = read_layers(
            work, {p for p in leaving if p in self.worth and self.worth[p].method == CostMethod.FIFO}
        )
        self._new: list[tuple[Any, ...]] = []
        self._steps: list[tuple[Any, ...]] = []
        self._changes: dict[int, list[int]] = defaultdict(lambda: [0, 0])

    def move(self, key: int, m: Movement, quantity: int) -> tuple[int, int]:
        """Unit cost and value of a move of that id; a value has the sign of the quantity."""
        place = (m.site, m.item)
        worth = self.worth[place]
        value = self._come(key, m, quantity, worth) if quantity > 0 else -self._go(key, m, -quantity, worth)
        worth.on_hand += quantity
        worth.value += value
        return unit_cost_of(value, quantity, m.currency), value

    def _come(self, key: int, m: Movement, quantity: int, worth: Worth) -> int:
        if m.worth is not None:
            value = half_up(m.worth, quantity, m.quantity)
        else:
            cost = m.price if m.price is not None else m.unit_cost
            if cost is None:
                item, site = items(self.work, {m.item})[m.item].code, site_facts(self.work, m.site).code
                raise RuleBroken("cost_unknown", field="item", item=item, site=site)
            value = scaled_amount(quantity, cost, m.currency)
        if worth.method == CostMethod.FIFO:
            self.open_layer(
                m.entity, (m.site, m.item), quantity, value, m.moved_at, m.document_type, m.document_id, key
            )
        return value

    def open_layer(
        self, entity: int, place: Place, quantity: int, value: int, at: datetime, document_type: str, document: int, step: int
    ) -> None:  # fmt: skip
        """A new layer, last but for what came later still; ``step`` is the document that made it."""
        layer = self.work.ids.one()
        self._new.append((layer, entity, *place, document_type, document, quantity, 0, 0, at))
        self._step(layer, LayerReason.CAME, step, quantity, value)
        held = self.layers.get(place)
        if held is not None:
            held.append(Layer(layer, quantity, value, at, document_type, document))
            held.sort(key=lambda one: (one.came_at, one.key))

    def _go(self, key: int, m: Movement, quantity: int, worth: Worth) -> int:
        if worth.method == CostMethod.AVERAGE:
            return half_up(worth.value, quantity, worth.on_hand)
        left, total = quantity, 0
        for layer in self.layers[m.site, m.item]:
            if not left:
                break
            take = min(layer.left, left)
            if take:
                part = half_up(layer.value, take, layer.left)
                self.step(layer, LayerReason.WENT, key, -take, -part)
                left -= take
                total += part
        return total

    def step(self, layer: Layer, reason: LayerReason, document: int, quantity: int, value: int) -> None:
        """So much more or less of a layer that was read here."""
        layer.left += quantity
        layer.value += value
        self._step(layer.key, reason, document, quantity, value)

    def _step(self, layer: int, reason: LayerReason, document: int, quantity: int, value: int) -> None:
        self._steps.append((self.work.ids.one(), layer, reason, document, quantity, value, self.work.now))
        self._changes[layer][0] += quantity
        self._changes[layer][1] += value

    def write(self) -> None:
        """Layers that came, what is left of each, and the steps that say so."""
        born = {row[0]: row for row in self._new}
        write_rows(
            self.work, CostLayer.__table__, _LAYER,
            [(*row[:7], *self._changes[key], row[9]) for key, row in born.items()],
        )  # fmt: skip
        rest = [(key, change) for key, change in sorted(self._changes.items()) if key not in born]
        _CHANGE.run(self.work, [{"of": key, "d_left": left, "d_value": value} for key, (left, value) in rest])
        write_rows(self.work, LayerStep.__table__, _STEP, self._steps)
        self._new, self._steps = [], []
        self._changes.clear()


def valuing_of(work: UnitOfWork, leaving: Iterable[Place]) -> Valuing | None:
    """What values a batch of moves; ``None`` where all locked places are valued at standard cost, which asks nothing."""
    return Valuing(work, leaving) if worth_of(work) else None


def write_valued(valuing: Valuing | None) -> None:
    """Write down what was valued, if anything was."""
    if valuing is not None:
        valuing.write()
