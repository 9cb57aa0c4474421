"""May these changes be made to this order, and what would each of its lines be before and after? Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Self

import orjson

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.quantity import ABSURD
from erpcore.masterdata.models import ItemKind
from erpcore.masterdata.queries import ItemFacts
from erpcore.masterdata.units import require_multiple
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import ChangeKind, LineKind
from erpcore.orders.splitting import Wanted

_YEARS = range(1990, 2101)


@dataclass(frozen=True, kw_only=True)
class Amend:
    """One change. ``line`` for all but an added one, ``item`` for that; ``quantity`` is what shall be ordered in all."""

    kind: ChangeKind
    line: int | None = None
    item: int | None = None
    quantity: Decimal | None = None
    day: date | None = None
    ship_to: int | None = None

    @classmethod
    def of(cls, kind: ChangeKind, line: int | None, item: int | None, after: str) -> Self:
        """The change as it was staged."""
        said = orjson.loads(after)
        return cls(
            kind=kind, line=line, item=item if line is None else None,
            quantity=Decimal(said["quantity"]) if "quantity" in said else None,
            day=date.fromisoformat(said["day"]) if said.get("day") else None, ship_to=said.get("ship_to"),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A change that may be made. ``by`` is how many thousandths more (or fewer) the line will have."""

    change: Amend
    item: int
    line: Line | None
    before: dict[str, Any]
    after: dict[str, Any]
    by: int = 0

    @property
    def grows(self) -> bool:
        return self.by > 0


class Refused(RuleBroken):
    """The first of the changes that cannot be, with all of them in ``every``: a person mends them in one go."""

    def __init__(self, every: Sequence[RuleBroken]) -> None:
        first = every[0]
        super().__init__(first.code, field=first.field, **first.facts)
        self.every = tuple(every)


def plan(order: Order, changes: Sequence[Amend], known: Mapping[int, ItemFacts], *, by_customer: bool) -> list[Planned]:
    """What the changes would do, all of them or none; raises ``Refused`` naming each change that cannot be, by its place."""
    if not changes:
        raise RuleBroken("amend_nothing", document=order.number)
    lines = {line.id: line for line in order.lines}
    touched: set[tuple[int, str]] = set()
    out, refused = [], []
    for position, change in enumerate(changes):
        try:
            out.append(_planned(change, lines, touched, known, f"changes-{position}", by_customer=by_customer))
        except RuleBroken as refusal:
            refused.append(refusal)
    if refused:
        raise Refused(refused)
    _check_parts(out)
    left = {line.id: line.quantity - line.cancelled for line in order.lines}
    for one in out:
        if one.line is not None:
            left[one.line.id] += one.by
    if not any(left.values()) and all(one.line is not None for one in out):
        raise RuleBroken("amend_everything", document=order.number)
    return out


def _planned(
    change: Amend,
    lines: Mapping[int, Line],
    touched: set[tuple[int, str]],
    known: Mapping[int, ItemFacts],
    field: str,
    *,
    by_customer: bool,
) -> Planned:
    if change.kind == ChangeKind.ADD:
        return _added(change, known, field, by_customer=by_customer)
    line = lines.get(change.line or 0)
    if line is None:
        raise RuleBroken("line_unknown", field=f"{field}-line", line=change.line)
    blocked, left = _marks(change.kind)
    if any((line.id, mark) in touched for mark in blocked):
        raise RuleBroken("amend_twice", field=f"{field}-line", line=line.line_no)
    touched |= {(line.id, mark) for mark in left}
    return _CHECKS[change.kind](change, line, known[line.item_id], field, by_customer)


def _marks(kind: ChangeKind) -> tuple[set[str], set[str]]:
    """What must not have been done to the line before such a change, and what it keeps others from doing.

    A line that is dropped is not changed as well; one may be split into several parts, and is not changed besides.
    """
    every = {str(one) for one in ChangeKind}
    if kind == ChangeKind.DROP:
        return every, every
    if kind == ChangeKind.SPLIT:
        return every - {str(kind)}, {str(kind)}
    return {str(kind), str(ChangeKind.SPLIT)}, {str(kind), str(ChangeKind.DROP)}


def _added(change: Amend, known: Mapping[int, ItemFacts], field: str, *, by_customer: bool) -> Planned:
    item = known[change.item or 0]
    if not by_customer and item.kind not in (ItemKind.CHARGE, ItemKind.SERVICE):
        raise RuleBroken("amend_needs_customer", field=f"{field}-item", item=item.code)
    quantity = _quantity(change, item, field)
    after: dict[str, Any] = {"quantity": change.quantity, "day": change.day}
    if change.ship_to is not None:
        after["ship_to"] = change.ship_to
    return Planned(change=change, item=item.id, line=None, before={}, after=after, by=quantity)


def _quantity(change: Amend, item: ItemFacts, field: str) -> int:
    value = change.quantity
    if value is None or value <= 0:
        raise RuleBroken("quantity_not_positive", field=f"{field}-quantity", line="", item=item.code)
    if value >= ABSURD:
        raise RuleBroken("quantity_absurd", field=f"{field}-quantity", value=str(value))
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > item.quantity_places:
        raise RuleBroken(
            "quantity_too_precise", field=f"{field}-quantity", value=str(value), places=item.quantity_places
        )
    return scaled_int(value, QUANTITY_PLACES)


def _resized(
    change: Amend, line: Line, item: ItemFacts, field: str, by_customer: bool
) -> Planned:  # one of a table of checks
    wanted = _quantity(change, item, field)
    now = line.quantity - line.cancelled
    if wanted == now:
        raise RuleBroken("amend_same", field=f"{field}-quantity", line=line.line_no)
    gone = line.shipped + line.picked
    if wanted < gone:
        raise RuleBroken(
            "amend_below_shipped",
            field=f"{field}-quantity",
            line=line.line_no,
            gone=as_text(gone),
            wanted=as_text(wanted),
        )
    if by_customer and wanted != gone:
        # Who wants no more than what has left wants nothing that is packed anew.
        require_multiple(item, change.quantity or Decimal(0), line.line_no, field=f"{field}-quantity")
    if wanted > now and not by_customer:
        raise RuleBroken("amend_needs_customer", field=f"{field}-quantity", item=item.code)
    return Planned(
        change=change, item=item.id, line=line, before={"quantity": as_text(now)}, after={"quantity": as_text(wanted)},
        by=wanted - now,
    )  # fmt: skip


def _dropped(change: Amend, line: Line, item: ItemFacts, field: str, _by_customer: bool) -> Planned:  # as above
    if line.shipped or line.picked:
        raise RuleBroken("amend_line_shipped", field=f"{field}-line", line=line.line_no)
    if not line.open:
        raise RuleBroken("amend_line_done", field=f"{field}-line", line=line.line_no)
    now = line.quantity - line.cancelled
    return Planned(
        change=change, item=item.id, line=line, before={"quantity": as_text(now)}, after={"quantity": "0"}, by=-now
    )


def _moved(change: Amend, line: Line, item: ItemFacts, field: str, by_customer: bool) -> Planned:  # as above
    if change.day is None or change.day.year not in _YEARS:
        raise RuleBroken("day_absurd", field=f"{field}-day", day=str(change.day))
    if not line.open:
        raise RuleBroken("amend_line_done", field=f"{field}-line", line=line.line_no)
    now = line.requested_on if by_customer else line.promised_on
    if change.day == now:
        raise RuleBroken("amend_same", field=f"{field}-day", line=line.line_no)
    return Planned(change=change, item=item.id, line=line, before={"day": now}, after={"day": change.day})


def _sent(change: Amend, line: Line, item: ItemFacts, field: str, _by_customer: bool) -> Planned:  # as above
    if change.ship_to is None:
        raise RuleBroken("address_unknown", field=f"{field}-ship_to", address="–")
    if not line.open:
        raise RuleBroken("amend_line_done", field=f"{field}-line", line=line.line_no)
    if line.picked:
        raise RuleBroken("amend_line_picked", field=f"{field}-ship_to", line=line.line_no)
    if change.ship_to == line.ship_to_id:
        raise RuleBroken("amend_same", field=f"{field}-ship_to", line=line.line_no)
    after = {"ship_to": change.ship_to}
    return Planned(change=change, item=item.id, line=line, before={"ship_to": line.ship_to_id}, after=after)


def _split(change: Amend, line: Line, item: ItemFacts, field: str, _by_customer: bool) -> Planned:  # as above
    """A part is whole packs, as what is ordered; what is left of the line may be less, as what is cancelled of one leaves."""
    if not line.is_goods:
        raise RuleBroken("amend_split_goods", field=f"{field}-line", line=line.line_no)
    if change.day is not None and change.day.year not in _YEARS:
        raise RuleBroken("day_absurd", field=f"{field}-day", day=str(change.day))
    if change.day is None and change.ship_to is None:
        raise RuleBroken("amend_split_same", field=f"{field}-day", line=line.line_no)
    quantity = _quantity(change, item, field)
    require_multiple(item, change.quantity or Decimal(0), line.line_no, field=f"{field}-quantity")
    _fits(line, quantity, f"{field}-quantity")
    after: dict[str, Any] = {"quantity": as_text(quantity), "day": change.day}
    if change.ship_to is not None:
        after["ship_to"] = change.ship_to
    before = {"quantity": as_text(line.quantity - line.cancelled), "day": line.promised_on}
    return Planned(change=change, item=item.id, line=line, before=before, after=after)


def _fits(line: Line, quantity: int, field: str) -> None:
    """What is split off is open and not picked, and something is left of the line."""
    most = min(line.open - line.picked, line.quantity - line.cancelled - 1)
    if quantity > most:
        facts = {"line": line.line_no, "most": as_text(max(0, line.open - line.picked))}
        raise RuleBroken("amend_split_too_much", field=field, **facts)


def _check_parts(planned: Sequence[Planned]) -> None:
    """Several parts of one line fit into it together."""
    parts: dict[int, int] = {}
    for position, one in enumerate(planned):
        if one.line is not None and one.change.kind == ChangeKind.SPLIT:
            wanted = scaled_int(one.change.quantity or Decimal(0), QUANTITY_PLACES)
            parts[one.line.id] = parts.get(one.line.id, 0) + wanted
            _fits(one.line, parts[one.line.id], f"changes-{position}-quantity")


def split_direct(planned: Sequence[Planned]) -> list[Wanted]:
    """What shall be split off lines that a supplier sends, all parts of a line together at the place of the last."""
    found: dict[int, Wanted] = {}
    for position, one in enumerate(planned):
        if one.line is not None and one.change.kind == ChangeKind.SPLIT and one.line.kind == LineKind.DROP_SHIP:
            before = found[one.line.id].quantity if one.line.id in found else 0
            wanted = scaled_int(one.change.quantity or Decimal(0), QUANTITY_PLACES)
            found[one.line.id] = Wanted(one.line, before + wanted, f"changes-{position}-quantity")
    return list(found.values())


_CHECKS = {
    ChangeKind.QUANTITY: _resized, ChangeKind.DROP: _dropped, ChangeKind.DATE: _moved, ChangeKind.ADDRESS: _sent,
    ChangeKind.SPLIT: _split,
}  # fmt: skip


def as_text(thousandths: int) -> str:
    """Thousandths as the quantity people write."""
    return format(Decimal(thousandths).scaleb(-QUANTITY_PLACES).normalize(), "f")
