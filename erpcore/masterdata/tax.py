"""Which tax is on a line? Resolved once, by place, class and customer, for a day; the answer names the rule that gave it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.tax_models import EVERY, TaxExemption, TaxRate, TaxRegistration

_RATE = (
    "id", "country", "customer_tax_class", "item_tax_class", "rate", "valid_from", "valid_until", "ship_from", "code", "category",
    "registration", "needs_number",
)  # fmt: skip
_REGISTRATION = ("id", "country", "valid_from", "valid_until")
_EXEMPTION = ("id", "customer_id", "country", "item_tax_class", "valid_from", "valid_until")


class Taxed(NamedTuple):
    """What is asked: goods of a class that go from one country to another, to a customer, on a day."""

    entity: int
    ship_from: str
    ship_to: str
    customer: int
    customer_class: str
    item_class: str
    on: date


class Tax(NamedTuple):
    """The rate in millionths with the rule, and the exemption, that gave it; ``rate`` ``None``: none does, and ``why`` not."""

    rate: int | None
    rule: int | None = None
    exemption: int | None = None
    why: str = ""


NO_RULE = "no tax rate for the country and classes"
ENDED = "the tax rule for it ended before that day"
NOT_YET = "the tax rule for it begins after that day"
NOT_REGISTERED = "we have no tax number in the country that the rule asks for"
NO_NUMBER = "the customer has no tax number in the country"


def taxes(work: UnitOfWork, asked: Iterable[Taxed]) -> dict[Taxed, Tax]:
    """The tax on each: an exemption first, then the rule that says most; of those that say as much the youngest."""
    wanted = set(asked)
    known: dict[Taxed, Tax] = work.memo.setdefault("taxes", {})
    unread = wanted - known.keys()
    exempt: dict[int, list[Any]] = {}
    for row in read_rows(work, TaxExemption, _EXEMPTION, "customer_id", {one.customer for one in unread}):
        exempt.setdefault(row.customer_id, []).append(row)
    for one in unread:
        known[one] = _exempted(one, exempt.get(one.customer, ())) or _ruled(work, one)
    return {one: known[one] for one in wanted}


def expected(work: UnitOfWork, asked: Taxed) -> Tax:
    """The tax on a line that is only being entered, by the rules alone: what exempts the customer is looked at when it is billed."""
    known: dict[Taxed, Tax] = work.memo.setdefault("taxes expected", {})
    if asked not in known:
        known[asked] = _ruled(work, asked)
    return known[asked]


def in_force(row: Any, on: date) -> bool:
    """Whether a dated row holds on a day: from its first day until the day before its last bound."""
    return bool(row.valid_from <= on and (row.valid_until is None or on < row.valid_until))


def _exempted(asked: Taxed, rows: Sequence[Any]) -> Tax | None:
    fitting = [
        row
        for row in rows
        if in_force(row, asked.on)
        and row.country in (EVERY, asked.ship_to)
        and row.item_tax_class in (EVERY, asked.item_class)
    ]
    best = max(fitting, key=lambda row: (row.valid_until, row.id), default=None)
    return None if best is None else Tax(0, None, best.id)


def _ruled(work: UnitOfWork, asked: Taxed) -> Tax:
    fitting = [row for row in _rates(work, asked.entity) if _fits(row, asked)]
    fitting.sort(key=_rank, reverse=True)
    now = [row for row in fitting if in_force(row, asked.on)]
    why = NO_RULE
    for row in now:
        if row.registration is not None and not _registered(work, asked.entity, None, row.registration, asked.on):
            why = NOT_REGISTERED
        elif row.needs_number and not _registered(work, asked.entity, asked.customer, asked.ship_to, asked.on):
            why = NO_NUMBER
        else:
            return Tax(int(row.rate), row.id)
    if not now and fitting:
        why = ENDED if fitting[0].valid_from <= asked.on else NOT_YET
    return Tax(None, why=why)


def _fits(row: Any, asked: Taxed) -> bool:
    return (
        row.country in (EVERY, asked.ship_to)
        and row.ship_from in (EVERY, asked.ship_from)
        and row.customer_tax_class in (EVERY, asked.customer_class)
        and row.item_tax_class in (EVERY, asked.item_class)
    )


def _rank(row: Any) -> tuple[Any, ...]:
    """What says more comes first: destination, origin, customer, item; then what needs more proof, then the youngest."""
    return (
        row.country != EVERY, row.ship_from != EVERY, row.customer_tax_class != EVERY, row.item_tax_class != EVERY,
        row.needs_number, row.valid_from, row.id,
    )  # fmt: skip


def _rates(work: UnitOfWork, entity: int) -> Sequence[Any]:
    key = f"tax:{entity}"
    rows: Sequence[Any] | None = work.memo.get(key)
    if rows is None:
        rows = work.memo[key] = read_rows(work, TaxRate, _RATE, "entity_id", [entity])
    return rows


def _registered(work: UnitOfWork, entity: int, customer: int | None, country: str, on: date) -> bool:
    key = f"registered:{entity}:{customer}"
    rows = work.memo.get(key)
    if rows is None:
        column, of = ("customer_id", customer) if customer is not None else ("entity_id", entity)
        found = read_rows(work, TaxRegistration, (*_REGISTRATION, "customer_id"), column, [of])
        rows = work.memo[key] = [row for row in found if row.customer_id == customer]
    return any(row.country == country and in_force(row, on) for row in rows)
