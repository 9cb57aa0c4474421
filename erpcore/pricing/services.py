"""Saving price rules and ending them; a rule that contradicts another is refused while it is saved, not when somebody orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select, update

from erpcore.kernel.canonical import fingerprint
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.rows import Change, chunks, param, raw_columns, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Channel, CustomerGroup, Entity, Item, ItemGroup
from erpcore.masterdata.queries import CustomerFacts, ItemFacts, customers, items
from erpcore.pricing.flow import CHANGE
from erpcore.pricing.models import PriceRule
from erpcore.pricing.newprice import NewPrice, check_numbers, check_shape
from erpcore.pricing.precedence import Slot, meet

_COLUMNS = (
    "id", "entity_id", "kind", "item_id", "item_group_id", "customer_id", "customer_key", "customer_group_id",
    "channel_id", "minimum_quantity", "unit_price", "discount", "currency", "valid_from", "valid_until", "reference", "price_list_id",
    "saved_by", "saved_at",
)  # fmt: skip
_SLOT = (
    "id", "entity_id", "kind", "item_id", "item_group_id", "customer_id", "customer_group_id", "channel_id",
    "minimum_quantity", "currency", "valid_from", "valid_until", "unit_price", "discount",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class EndPrice:
    """A rule holds until before ``on``."""

    rule: int
    on: date


def slot_of(row: Any) -> Slot:
    """The slot of a stored rule."""
    return Slot(
        row.entity_id, row.kind, row.item_id, row.item_group_id, row.customer_id, row.customer_group_id, row.channel_id,
        row.minimum_quantity, row.currency,
    )  # fmt: skip


def add_prices(work: UnitOfWork, commands: Sequence[NewPrice]) -> list[int]:
    """Save price rules, all or none; their ids in the order given.

    Raises ``RuleBroken("price_rule_conflict")`` naming the rule of equal rank and the same scope that would hold on the same
    day, and for prices that are negative, too precise or absurd, scopes that a kind does not have, blocked customers and items.
    """
    work.actor.require(CHANGE)
    facts = price_facts(work, commands)
    for command in commands:
        check_price(command, facts)
    held = held_slots(work, commands)
    refuse_conflicts(commands, held)
    return insert_prices(work, commands)


def insert_prices(work: UnitOfWork, commands: Sequence[NewPrice]) -> list[int]:
    """Write rules that are checked, with their slots locked."""
    ids = work.ids.reserve(len(commands))
    rows = [
        (
            next(ids), c.entity, c.stands_as, c.item, c.item_group, c.customer, c.customer or 0, c.customer_group, c.channel,
            scaled_int(c.minimum_quantity, QUANTITY_PLACES),
            None if c.unit_price is None else scaled_int(c.unit_price, PRICE_PLACES),
            None if c.discount is None else scaled_int(c.discount, PRICE_PLACES), c.currency, c.valid_from, c.valid_until,
            c.reference, c.price_list, work.actor.id, work.now,
        )
        for c in commands
    ]  # fmt: skip
    work.session.flush()  # items and groups added as objects, which these refer to
    write_rows(work, PriceRule.__table__, _COLUMNS, rows)
    work.memo.pop("prices", None)
    if rows:
        first = commands[0]
        content = fingerprint([list(row[:-2]) for row in rows]) if len(rows) > 1 else None
        work.audit(
            "price_rules.saved", "price_rule", rows[0][0], count=len(rows), price_kind=first.stands_as, item=first.item,
            item_group=first.item_group, customer=first.customer, customer_group=first.customer_group,
            channel=first.channel, price=first.unit_price, discount=first.discount, valid_from=first.valid_from,
            price_list=first.price_list, content=content,
        )  # fmt: skip
    return [row[0] for row in rows]


@dataclass(frozen=True)
class PriceFacts:
    """What rules are checked against, read once for all of them. ``books`` are the currencies of entities."""

    books: Mapping[int, str]
    items: Mapping[int, ItemFacts]
    customers: Mapping[int, CustomerFacts]
    others: Mapping[str, set[int]]


def price_facts(work: UnitOfWork, commands: Sequence[NewPrice]) -> PriceFacts:
    """Read what ``check_price`` asks; raises ``NotFound`` for an item or customer that is not there. Seven queries at most."""
    others: dict[str, set[int]] = {}
    for table, name in ((Channel, "channel"), (CustomerGroup, "customer_group"), (ItemGroup, "item_group")):
        wanted = {getattr(c, name) for c in commands} - {None}
        others[name] = set(work.session.scalars(select(table.id).where(table.id.in_(wanted)))) if wanted else set()
    books = select(Entity.id, Entity.currency).where(Entity.id.in_({c.entity for c in commands}))
    return PriceFacts(
        {row.id: row.currency for row in work.session.execute(books)}, items(work, {c.item for c in commands if c.item is not None}),
        customers(work, {c.customer for c in commands if c.customer is not None}), others,
    )  # fmt: skip


def check_price(command: NewPrice, facts: PriceFacts) -> None:
    """Raise for a rule that cannot be one, naming what is wrong with which field."""
    check_shape(command, facts.books)
    others = facts.others
    if command.channel is not None and command.channel not in others["channel"]:
        raise NotFound("channel_unknown", field="channel", channel=command.channel)
    if command.customer_group is not None and command.customer_group not in others["customer_group"]:
        raise NotFound("customer_group_unknown", field="customer_group", group=command.customer_group)
    if command.item_group is not None and command.item_group not in others["item_group"]:
        raise NotFound("item_group_unknown", field="item_group", item_group=command.item_group)
    customer = facts.customers[command.customer] if command.customer is not None else None
    if customer is not None and customer.entity_id != command.entity:
        raise RuleBroken("price_rule_foreign", field="customer", what=customer.code)
    if customer is not None and customer.is_blocked:
        raise RuleBroken("customer_blocked", field="customer", customer=customer.code)
    item = facts.items[command.item] if command.item is not None else None
    if item is not None and item.entity_id != command.entity:
        raise RuleBroken("price_rule_foreign", field="item", what=item.code)
    if item is not None and item.is_blocked:
        raise RuleBroken("item_blocked", field="item", item=item.code)
    check_numbers(command, QUANTITY_PLACES if item is None else item.quantity_places)


def held_slots(work: UnitOfWork, commands: Sequence[NewPrice], *, lock: bool = True) -> dict[Slot, list[Any]]:
    """The stored rules of everything these touch, by slot. With ``lock`` their items and groups stay locked, so that nobody
    saves a rule beside us; without it is only a look.
    """
    found: dict[Slot, list[Any]] = defaultdict(list)
    if not commands:
        return found
    first = min(c.valid_from for c in commands)
    for table, column, keys in (
        (Item, PriceRule.item_id, {c.item for c in commands} - {None}),
        (ItemGroup, PriceRule.item_group_id, {c.item_group for c in commands} - {None}),
    ):
        if lock:
            read_rows(work, table, ("id",), "id", keys, lock=True)
        for part in chunks(sorted(key for key in keys if key is not None)):
            query = select(*raw_columns(PriceRule, *_SLOT)).where(
                column.in_(part), or_(PriceRule.valid_until.is_(None), PriceRule.valid_until >= first)
            )
            for row in work.session.execute(query):
                found[slot_of(row)].append(row)
    return found


def refuse_conflicts(commands: Sequence[NewPrice], held: dict[Slot, list[Any]]) -> None:
    """Raise for the first rule that would hold on the same day as another of its slot, stored or saved with it."""
    taken: dict[Slot, list[tuple[date, date | None, str]]] = {
        slot: [(row.valid_from, row.valid_until, str(row.id)) for row in rows] for slot, rows in held.items()
    }
    for place, command in enumerate(commands, 1):
        others = taken.setdefault(command.slot, [])
        for starts, ends, other in others:
            if meet(command.valid_from, command.valid_until, starts, ends):
                raise RuleBroken(
                    "price_rule_conflict", field="valid_from", other=other, kind=command.stands_as, since=starts,
                    until=ends or "further notice",
                )  # fmt: skip
        others.append((command.valid_from, command.valid_until, f"{place} of this batch"))


def end_prices(work: UnitOfWork, commands: Sequence[EndPrice]) -> None:
    """Let rules end on a day from today on, or before they begin; what was priced by them stays as it is."""
    work.actor.require(CHANGE)
    wanted = {command.rule: command.on for command in commands}
    rows = {
        row.id: row
        for row in read_rows(
            work, PriceRule, ("id", "entity_id", "valid_from", "valid_until", "ended_at"), "id", wanted, lock=True
        )
    }
    ends: list[tuple[int, date | None]] = []
    for rule, on in sorted(wanted.items()):
        row = rows.get(rule)
        if row is None:
            raise NotFound("price_rule_unknown", rule=rule)
        if on < today_of(work, row.entity_id):
            raise RuleBroken("price_end_past", field="on", day=on)
        if row.valid_until is not None and on >= row.valid_until:
            raise RuleBroken("price_ended", field="on", rule=rule, until=row.valid_until)
        ends.append((rule, max(on, row.valid_from)))
        if not work.actor.is_system:
            work.audit("price_rule.ended", "price_rule", rule, until=ends[-1][1])
    write_ends(work, ends)


def _end() -> Any:
    table = PriceRule.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values(
            valid_until=param("until", table.c.valid_until), ended_by=param("by", table.c.ended_by),
            ended_at=param("at", table.c.ended_at),
        )
    )  # fmt: skip


_END = Change(_end)


def write_ends(work: UnitOfWork, ends: Iterable[tuple[int, date | None]]) -> None:
    """Set the ends of rules that are locked."""
    rows = [{"of": rule, "until": on, "by": work.actor.id, "at": work.now} for rule, on in ends]
    _END.run(work, rows)
    work.memo.pop("prices", None)


def today_of(work: UnitOfWork, entity: int) -> date:
    """The day it is at the entity."""
    known: dict[int, date] = work.memo.setdefault("entity_days", {})
    if entity not in known:
        zone = work.session.execute(select(Entity.time_zone).where(Entity.id == entity)).scalar_one()
        known[entity] = local_day(work.now, zone)
    return known[entity]
