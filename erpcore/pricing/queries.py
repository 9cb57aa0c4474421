"""Price resolution: what a line costs, by which rule, and which others fitted. Batch-wise: no query per line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from erpcore.kernel.rows import chunks, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.pricing.models import PriceRule
from erpcore.pricing.precedence import LISTED, precedence

_COLUMNS = (
    "id", "kind", "item_id", "item_group_id", "customer_id", "customer_group_id", "channel_id", "minimum_quantity",
    "unit_price", "discount", "currency", "valid_from", "valid_until",
)  # fmt: skip
#: A share of one, in millionths.
_ONE = 1_000_000


class Asked(NamedTuple):
    """What is to be priced; quantity in thousandths."""

    item: int
    customer: int
    group: int | None
    channel: int
    quantity: int
    on: date
    currency: str
    item_group: int | None = None


class Candidate(NamedTuple):
    """A rule that fitted, and what it gives, in millionths."""

    rule: int
    kind: str
    unit_price: int


class Price(NamedTuple):
    """The winning unit price in millionths, the rule and kind that gave it, the list price, and the rules that lost to it."""

    unit_price: int
    source: str
    rule: int
    list_price: int | None
    losers: tuple[Candidate, ...]


def resolve_prices(work: UnitOfWork, asked: Iterable[Asked]) -> list[Price | None]:
    """A price per question, ``None`` where no rule fits; which one holds says ``precedence``."""
    questions = list(asked)
    known: dict[tuple[int, int], list[Any]] = work.memo.setdefault("prices", {})
    unread = [q for q in questions if (q.item, q.customer) not in known]
    if unread:
        _read(work, unread, known)
    return [best_price(known[q.item, q.customer], q) for q in questions]


def _read(work: UnitOfWork, unread: Sequence[Asked], known: dict[tuple[int, int], list[Any]]) -> None:
    """The rules of all items asked for: their own, and those of their groups, of these customers or of none."""
    customers = (0, *sorted({q.customer for q in unread} - {0}))
    found: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for column, keys in (
        ("item_id", {q.item for q in unread}),
        ("item_group_id", {q.item_group for q in unread if q.item_group is not None}),
    ):
        for part in chunks(customers):
            for row in read_rows(work, PriceRule, _COLUMNS, column, keys, also=("customer_key", tuple(part))):
                found[column, getattr(row, column)].append(row)
    for q in unread:
        rules = found["item_id", q.item]
        if q.item_group is not None:
            rules = rules + found["item_group_id", q.item_group]
        known[q.item, q.customer] = [rule for rule in rules if rule.customer_id in (None, q.customer)]


def _fits(rule: Any, q: Asked) -> bool:
    return (
        rule.currency == q.currency
        and rule.customer_id in (None, q.customer)
        and rule.customer_group_id in (None, q.group)
        and rule.channel_id in (None, q.channel)
        and rule.minimum_quantity <= q.quantity
        and rule.valid_from <= q.on
        and (rule.valid_until is None or q.on < rule.valid_until)
    )


def best_price(rules: Iterable[Any], q: Asked) -> Price | None:
    """The first of the rules that fit, in the order of precedence. A discount is taken from the list price that holds for the
    line; without one it gives nothing.
    """
    fitting = sorted((rule for rule in rules if _fits(rule, q)), key=precedence, reverse=True)
    listed = next((rule.unit_price for rule in fitting if rule.kind in LISTED), None)
    given = [
        Candidate(rule.id, rule.kind, price) for rule in fitting if (price := _gives(rule, listed)) is not None
    ]  # fmt: skip
    if not given:
        return None
    first = given[0]
    return Price(first.unit_price, first.kind, first.rule, listed, tuple(given[1:]))


def _gives(rule: Any, listed: int | None) -> int | None:
    if rule.unit_price is not None:
        return int(rule.unit_price)
    return None if listed is None else discounted(listed, rule.discount)


def discounted(price: int, discount: int) -> int:
    """``price`` less a share of it in millionths, at six places, rounded half away from zero."""
    return (2 * price * (_ONE - discount) + _ONE) // (2 * _ONE)
