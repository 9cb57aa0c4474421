"""Which rules does an order run under, and what set each of them?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Protocol

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.order_facts import OrderPage
from app.queries.policies import ValueRow, values_by_id
from erpcore.fulfilment.rules import goes_along
from erpcore.masterdata.models import ChargeTerms, Item, StoredRuleset
from erpcore.orders.models import LineKind, OrderLine, SalesOrder
from erpcore.ports import POLICY_POINTS


@dataclass(frozen=True, kw_only=True)
class DocumentRule:
    """One policy value of a document. ``origin``: the approved value that set it; ``is_older``: the ruleset is older than the
    point, so the core does what it did before.
    """

    name: str
    title: str
    value: Any
    shown: str
    sentence: str
    is_standard: bool
    is_older: bool
    origin: ValueRow | None


@dataclass(frozen=True, kw_only=True)
class LineRules:
    """Lines with rules of their own, by their numbers, and in what these differ from the order's."""

    lines: tuple[int, ...]
    differs: tuple[DocumentRule, ...]


@dataclass(frozen=True, kw_only=True)
class OrderRules:
    """The order's rules, those that depart from the standard first, and the lines whose item group has rules of its own."""

    departs: tuple[DocumentRule, ...]
    standard: tuple[DocumentRule, ...]
    lines: tuple[LineRules, ...]

    @property
    def leaves_whole(self) -> DocumentRule | None:
        """The rule by which nothing of the order is set aside before all of it is there; ``None`` where it leaves in parts."""
        found = (rule for rule in (*self.departs, *self.standard) if rule.name == "partial_shipment")
        return next((rule for rule in found if rule.value is False), None)


class StampedLine(Protocol):
    """A line of an order or a quote, with the rules of its item group where these are others."""

    @property
    def line_no(self) -> int: ...
    @property
    def ruleset(self) -> str | None: ...


def order_rules(session: Session, ruleset: str, lines: Iterable[StampedLine], now: datetime) -> OrderRules:
    """From the rulesets that order, or quote, and lines are stamped with. Two queries at most."""
    own: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        if line.ruleset is not None:
            own[line.ruleset].append(line.line_no)
    rows = session.execute(
        select(StoredRuleset.hash, StoredRuleset.content, StoredRuleset.origins).where(
            StoredRuleset.hash.in_({ruleset, *own})
        )
    )
    kept = {row.hash: (orjson.loads(row.content), orjson.loads(row.origins)) for row in rows}
    ids = {value for _, origins in kept.values() for value in origins.values()}
    known = values_by_id(session, ids, now)
    found = _rules(*kept.get(ruleset, ({}, {})), known)
    here = {rule.name: rule for rule in found}
    return OrderRules(
        departs=tuple(rule for rule in found if not rule.is_standard),
        standard=tuple(rule for rule in found if rule.is_standard),
        lines=tuple(
            LineRules(
                lines=tuple(numbers),
                differs=tuple(
                    rule
                    for rule in _rules(*kept.get(hash_, ({}, {})), known)
                    if rule.name not in here
                    or rule.value != here[rule.name].value
                    or rule.origin != here[rule.name].origin
                ),
            )
            for hash_, numbers in sorted(own.items(), key=lambda one: one[1])
        ),
    )


def _rules(values: dict[str, Any], origins: dict[str, int], known: dict[int, ValueRow]) -> list[DocumentRule]:
    out = []
    for name in [*POLICY_POINTS, *sorted(values.keys() - POLICY_POINTS.keys())]:
        point = POLICY_POINTS.get(name)
        if point is None:
            out.append(
                DocumentRule(
                    name=name, title=name.replace("_", " ").capitalize(), value=values[name], shown=str(values[name]),
                    sentence="The core has no such point any more.", is_standard=False, is_older=False,
                    origin=known.get(origins.get(name, 0)),
                )
            )  # fmt: skip
            continue
        value = values.get(name, point.before_introduction)
        out.append(
            DocumentRule(
                name=name, title=point.title, value=value, shown=point.shown(value), sentence=point.sentence,
                is_standard=value == point.standard and name not in origins, is_older=name not in values,
                origin=known.get(origins.get(name, 0)),
            )
        )  # fmt: skip
    return out


def spare_of_lines(session: Session, page: OrderPage) -> dict[int, Decimal]:
    """How much of each line may leave beyond what is allocated, by its id; only of lines of which all is there."""
    permille = _tolerances(session, {page.ruleset, *(line.ruleset for line in page.lines if line.ruleset)})
    there = [line for line in page.lines if line.has_stock and line.allocated and line.unallocated <= 0]
    tolerated = {line.id: permille.get(line.ruleset or page.ruleset, 0) for line in there}
    places = _places(session, {line.item_id for line in there if tolerated[line.id]})
    return {line.id: _spare(line, tolerated[line.id], places.get(line.item_id, 0)) for line in there}


def spare_of_line(session: Session, order_line: int) -> Decimal:
    """As ``spare_of_lines``, of one line alone."""
    row = session.execute(
        select(OrderLine, SalesOrder.ruleset.label("usual"))
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .where(OrderLine.id == order_line)
    ).one()
    line: OrderLine = row.OrderLine
    open_ = line.quantity + line.extra - line.shipped - line.cancelled
    if line.kind not in (LineKind.STOCK, LineKind.FREE) or not line.allocated or open_ > line.allocated + line.picked:
        return Decimal(0)
    stamp = line.ruleset or row.usual
    permille = _tolerances(session, {stamp}).get(stamp, 0)
    return _spare(line, permille, _places(session, {line.item_id})[line.item_id]) if permille else Decimal(0)


def _places(session: Session, items: set[int]) -> dict[int, int]:
    if not items:
        return {}
    query = select(Item.id, Item.quantity_places).where(Item.id.in_(items))
    return {row.id: row.quantity_places for row in session.execute(query)}


def _tolerances(session: Session, hashes: set[str]) -> dict[str, int]:
    rows = session.execute(select(StoredRuleset.hash, StoredRuleset.content).where(StoredRuleset.hash.in_(hashes)))
    point = POLICY_POINTS["over_ship_tolerance_permille"]
    return {row.hash: orjson.loads(row.content).get(point.name, point.before_introduction) for row in rows}


def _spare(line: Any, permille: int, places: int) -> Decimal:
    most = (line.quantity - line.cancelled) * permille / 1000 - line.extra
    # In what the unit can be counted in at all.
    return max(Decimal(0), Decimal(most).quantize(Decimal(1).scaleb(-places), ROUND_FLOOR))


def staying_lines(session: Session, page: OrderPage) -> set[int]:
    """The charges and services that do not go with what can be picked now, by line id."""
    charges = [line for line in page.lines if not line.is_goods and line.open > 0]
    if not charges:
        return set()
    rows = session.execute(
        select(ChargeTerms.item_id, ChargeTerms.leaves).where(
            ChargeTerms.item_id.in_({line.item_id for line in charges})
        )
    )
    leaves = {row.item_id: row.leaves for row in rows}
    taken = {line.id: line.pickable for line in page.lines if line.is_goods}
    return {line.id for line in charges if not goes_along(page.lines, line, taken, leaves)}
