"""Price resolution: one total order over the rules that fit, first match wins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import PriceRule

_COLUMNS = (
    "id", "item_id", "customer_id", "customer_group_id", "channel_id", "minimum_quantity", "unit_price", "currency",
    "valid_from", "valid_until",
)  # fmt: skip


class Asked(NamedTuple):
    """What is to be priced; quantity in thousandths."""

    item: int
    customer: int
    group: int | None
    channel: int
    quantity: int
    on: date
    currency: str


class Price(NamedTuple):
    """The winning unit price in millionths, and which kind of rule gave it."""

    unit_price: int
    source: str


def resolve_prices(work: UnitOfWork, asked: Iterable[Asked]) -> list[Price | None]:
    """A price per question, ``None`` where no rule fits.

    A rule for the customer beats one for the group, that one for the channel, that the list; then the higher minimum
    quantity, the later start, the newer rule.
    """
    asked = list(asked)
    known: dict[int, list[tuple[int, ...]]] = work.memo.setdefault("prices", {})
    unread = {q.item for q in asked} - known.keys()
    if unread:
        found = defaultdict(list)
        for row in read_rows(work, PriceRule, _COLUMNS, "item_id", unread):
            found[row.item_id].append(row)
        known.update({item: found.get(item, []) for item in unread})
    return [_best(known[q.item], q) for q in asked]


def _best(rules: Iterable[object], q: Asked) -> Price | None:
    best, best_key = None, None
    for rule in rules:
        r: PriceRule = rule  # type: ignore[assignment]  # rows have its fields
        if (
            r.currency != q.currency
            or r.customer_id not in (None, q.customer)
            or r.customer_group_id not in (None, q.group)
            or r.channel_id not in (None, q.channel)
            or r.minimum_quantity > q.quantity
            or r.valid_from > q.on
            or (r.valid_until is not None and q.on >= r.valid_until)
        ):
            continue
        key = (
            r.customer_id is not None, r.customer_group_id is not None, r.channel_id is not None, r.minimum_quantity,
            r.valid_from, r.id,
        )  # fmt: skip
        if best_key is None or key > best_key:
            best, best_key = r, key
    if best is None:
        return None
    source = (
        "contract"
        if best.customer_id
        else "group"
        if best.customer_group_id
        else "channel"
        if best.channel_id
        else "list"
    )
    return Price(int(best.unit_price), source)
