"""What would a list of prices change, and how is it made to hold? Compared when it is looked at, and once more when it is applied.

A row is *new*, or takes the place of the price that holds in its slot (*changed*), or moves the end of one (*ended*), or says what
is so already (*unchanged*), or is *rejected* with the reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import select

from erpcore.kernel.canonical import canonical_json, fingerprint
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, DomainError, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import PRICE_PLACES, scaled_int
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import entity_facts
from erpcore.ports import ProcessRules
from erpcore.pricing.flow import CHANGE, PRICE_LIST_FLOW, PriceListState
from erpcore.pricing.lowering import Lowering, lowerings
from erpcore.pricing.models import PriceList
from erpcore.pricing.newprice import NewPrice
from erpcore.pricing.precedence import Slot, meet
from erpcore.pricing.services import (
    PriceFacts,
    check_price,
    held_slots,
    insert_prices,
    price_facts,
    today_of,
    write_ends,
)

MOST_ROWS = 20_000


class Outcome(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    ENDED = "ended"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


#: What gives a price.
GIVES = (Outcome.NEW, Outcome.CHANGED)


@dataclass(frozen=True, kw_only=True)
class ListedRow:
    """A row of a list: its number in the file, what stood there, and the rule it means, or why it means none."""

    number: int
    cells: tuple[str, ...]
    price: NewPrice | None
    why: DomainError | None = None


@dataclass(frozen=True, kw_only=True)
class RowPlan:
    """What becomes of one row. ``replaces`` is the stored rule that it ends, or whose end it moves."""

    row: ListedRow
    outcome: Outcome
    replaces: int | None = None
    from_price: int | None = None
    from_discount: int | None = None
    why: DomainError | None = None
    lowering: Lowering | None = None

    @property
    def is_beyond(self) -> bool:
        """Whether this row gives away so much that a second person decides."""
        return self.outcome in GIVES and self.lowering is not None and self.lowering.is_beyond


@dataclass(frozen=True, kw_only=True)
class ListPlan:
    """The whole list. ``digest`` is of what would change: applying asks for the one that was seen."""

    rows: tuple[RowPlan, ...]
    digest: str

    @property
    def counts(self) -> Mapping[str, int]:
        found = Counter(plan.outcome for plan in self.rows)
        return {outcome.value: found.get(outcome, 0) for outcome in Outcome}

    @property
    def beyond(self) -> int:
        """How many rows take a second person."""
        return sum(plan.is_beyond for plan in self.rows)

    @property
    def changes_something(self) -> bool:
        return any(plan.outcome in (*GIVES, Outcome.ENDED) for plan in self.rows)


def plan_list(
    work: UnitOfWork, entity: int, rows: Sequence[ListedRow], *, rules: ProcessRules, lock: bool = False
) -> ListPlan:
    """What the rows would change now. With ``lock`` nobody saves a rule of the same items until the unit of work ends."""
    facts = price_facts(work, [row.price for row in rows if row.price is not None])
    checked = [_checked(row, facts) for row in rows]
    held = held_slots(work, [row.price for row in checked if row.price is not None], lock=lock)
    today = today_of(work, entity)
    plans: list[RowPlan] = []
    seen: dict[Slot, list[NewPrice]] = defaultdict(list)
    for row in checked:
        if row.price is None:
            plans.append(RowPlan(row=row, outcome=Outcome.REJECTED, why=row.why))
            continue
        others = seen[row.price.slot]
        try:
            _not_twice(row.price, others)
            plans.append(_planned(row, row.price, held.get(row.price.slot, ()), today))
            others.append(row.price)
        except RuleBroken as refusal:
            plans.append(RowPlan(row=row, outcome=Outcome.REJECTED, why=refusal))
    giving = [plan.row.price for plan in plans if plan.outcome in GIVES and plan.row.price is not None]
    effects = iter(lowerings(work, giving, rules=rules, facts=facts, held=held))
    plans = [replace(plan, lowering=next(effects)) if plan.outcome in GIVES else plan for plan in plans]
    changes = [[plan.row.number, plan.outcome, plan.replaces, plan.from_price, plan.from_discount] for plan in plans]
    return ListPlan(rows=tuple(plans), digest=fingerprint(changes))


def _checked(row: ListedRow, facts: PriceFacts) -> ListedRow:
    if row.price is None:
        return row
    try:
        check_price(row.price, facts)
    except (RuleBroken, NotFound) as refusal:
        return replace(row, price=None, why=refusal)
    return row


def _not_twice(price: NewPrice, others: Sequence[NewPrice]) -> None:
    for other in others:
        if meet(price.valid_from, price.valid_until, other.valid_from, other.valid_until):
            raise RuleBroken("price_row_twice", since=other.valid_from)


def _value(price: NewPrice) -> tuple[int | None, int | None]:
    return (
        None if price.unit_price is None else scaled_int(price.unit_price, PRICE_PLACES),
        None if price.discount is None else scaled_int(price.discount, PRICE_PLACES),
    )


def _planned(row: ListedRow, price: NewPrice, held: Sequence[Any], today: date) -> RowPlan:
    same = next(
        (
            rule
            for rule in held
            if rule.valid_from == price.valid_from and (rule.unit_price, rule.discount) == _value(price)
        ),
        None,
    )
    rivals = [
        rule
        for rule in held
        if rule is not same and meet(price.valid_from, price.valid_until, rule.valid_from, rule.valid_until)
    ]
    if same is not None:
        return _same_price(row, price, same, rivals, today)
    if price.valid_from < today:
        raise RuleBroken("price_starts_past", day=price.valid_from)
    if not rivals:
        return RowPlan(row=row, outcome=Outcome.NEW)
    first, *later = sorted(rivals, key=lambda rule: rule.valid_from)
    if later or first.valid_from > price.valid_from:
        other = (later or [first])[0]
        raise RuleBroken("price_later_one", other=other.id, since=other.valid_from)
    if price.valid_until is not None and (first.valid_until is None or first.valid_until > price.valid_until):
        raise RuleBroken("price_gap", until=price.valid_until, other=first.id)
    return RowPlan(
        row=row, outcome=Outcome.CHANGED, replaces=first.id, from_price=first.unit_price, from_discount=first.discount
    )


def _same_price(row: ListedRow, price: NewPrice, same: Any, rivals: Sequence[Any], today: date) -> RowPlan:
    if same.valid_until == price.valid_until:
        return RowPlan(row=row, outcome=Outcome.UNCHANGED, replaces=same.id)
    if rivals:
        raise RuleBroken("price_later_one", other=rivals[0].id, since=rivals[0].valid_from)
    if price.valid_until is not None and price.valid_until < today:
        raise RuleBroken("price_end_past", day=price.valid_until)
    return RowPlan(
        row=row, outcome=Outcome.ENDED, replaces=same.id, from_price=same.unit_price, from_discount=same.discount
    )


@dataclass(frozen=True, kw_only=True)
class KeepList:
    """A list as it was handed in; ``content`` are its rows as text, so that it can be looked at again."""

    entity: int
    file_name: str
    content: Sequence[Sequence[str]]


def keep_list(work: UnitOfWork, command: KeepList) -> int:
    """The id of the list; the same content of the same entity is one list, whoever hands it in and however often."""
    work.actor.require(CHANGE)
    if len(command.content) > MOST_ROWS:
        raise RuleBroken("sheet_too_long", field="file", rows=len(command.content), most=MOST_ROWS)
    content = canonical_json([list(row) for row in command.content]).decode()
    digest = fingerprint([list(row) for row in command.content])
    known = work.session.execute(
        select(PriceList.id).where(PriceList.entity_id == command.entity, PriceList.content_hash == digest)
    ).scalar_one_or_none()
    if known is not None:
        return known
    row = PriceList(
        id=work.ids.one(), state=PRICE_LIST_FLOW.initial, entity_id=command.entity, file_name=command.file_name[:300], content_hash=digest,
        rows=len(command.content), facts="{}", content=content, version=1, uploaded_by=work.actor.id,
        uploaded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    work.audit("price_list.uploaded", "price_list", row.id, file=row.file_name, rows=row.rows, content=digest)
    return row.id


@dataclass(frozen=True, kw_only=True)
class SettleList:
    """A move of a list by the flow's table. ``seen`` is the digest of the plan that the person saw, where prices would change."""

    list: int
    move: str
    reason: str = ""
    seen: str = ""


def apply_list(
    work: UnitOfWork, list_id: int, rows: Sequence[ListedRow], *, seen: str, rules: ProcessRules
) -> PriceList:
    """Make the list hold, all of what was not rejected, once; applied again it changes nothing.

    Raises ``Conflict`` when prices moved since the plan was seen, ``RuleBroken`` when nothing would change, or when it gives
    away so much that a second person decides.
    """
    return settle_list(work, SettleList(list=list_id, move="apply", seen=seen), rows, rules=rules)


def lock_list(work: UnitOfWork, list_id: int) -> PriceList:
    """The list as it is, held until the unit of work ends. Raises ``NotFound``."""
    found = work.session.get(PriceList, list_id, with_for_update={"key_share": True}, populate_existing=True)
    if found is None:
        raise NotFound("price_list_unknown", list=list_id)
    return found


def begin_no_earlier(work: UnitOfWork, found: PriceList, rows: Sequence[ListedRow]) -> list[ListedRow]:
    """The rows of a list that others are asked about as they would hold if they agreed now: a first day that has passed since
    it was asked for becomes today.
    """
    if found.state != PriceListState.ASKED or found.asked_at is None:
        return list(rows)
    today = today_of(work, found.entity_id)
    since = local_day(found.asked_at, entity_facts(work, found.entity_id).time_zone)
    return [
        replace(row, price=replace(row.price, valid_from=today))
        if row.price is not None and since <= row.price.valid_from < today
        and (row.price.valid_until is None or row.price.valid_until > today)
        else row
        for row in rows
    ]  # fmt: skip


def settle_list(
    work: UnitOfWork, command: SettleList, rows: Sequence[ListedRow], *, rules: ProcessRules, is_decided: bool = False
) -> PriceList:
    """Apply, ask for approval, approve (which applies), decline or withdraw. With ``is_decided`` others have settled who may.

    Raises besides what ``apply_list`` does ``NotAllowed`` where who asked decides.
    """
    if command.move not in PRICE_LIST_FLOW.moves:
        raise RuleBroken("choice_unknown", field="move", value=command.move)
    move = PRICE_LIST_FLOW.moves[command.move]
    if not is_decided:
        work.actor.require(move.permission)
    found = lock_list(work, command.list)
    if move.name == "apply" and found.state == PriceListState.APPLIED:
        return found
    target = PRICE_LIST_FLOW.target(move.name, found.state, reason=command.reason)
    if not is_decided:
        _check_person(work, found, move.name)
    if move.name in ("apply", "ask", "approve"):
        rows = begin_no_earlier(work, found, rows)
        plan = plan_list(work, found.entity_id, rows, rules=rules, lock=target == PriceListState.APPLIED)
        if plan.digest != command.seen and not (is_decided and move.name == "approve"):
            raise Conflict("price_list_moved", list=found.file_name)
        if move.name == "approve" and found.asked_digest not in (None, plan.digest):
            # Who decides now agrees to something that nobody has asked for.
            raise Conflict("price_list_asked_otherwise", list=found.file_name)
        if not plan.changes_something:
            raise RuleBroken("price_list_changes_nothing", list=found.file_name)
        if move.name == "apply" and plan.beyond and not is_decided:
            raise RuleBroken("price_list_needs_second", list=found.file_name, rows=plan.beyond)
        if move.name == "ask":
            found.asked_by, found.asked_at, found.asked_digest = work.actor.id, work.now, plan.digest
        else:
            _take_effect(work, found, plan)
    was, found.state, found.version = found.state, target, found.version + 1
    work.session.flush()
    reason = command.reason.strip() or None
    record_move(work, "price_list", found.id, move.name, was, found.state, reason=reason)
    work.audit(f"price_list.{_DONE[move.name]}", "price_list", found.id, file=found.file_name, reason=reason)
    return found


_DONE = {
    "apply": "applied", "ask": "asked", "approve": "approved", "decline": "declined", "withdraw": "withdrawn",
}  # fmt: skip


def _check_person(work: UnitOfWork, found: PriceList, move: str) -> None:
    if move == "withdraw" and work.actor.id != found.asked_by:
        raise NotAllowed("price_list_of_another", list=found.file_name)
    if move in ("approve", "decline") and work.actor.id in (found.asked_by, found.uploaded_by):
        raise NotAllowed("own_request", document=f"price list {found.file_name}")


def _take_effect(work: UnitOfWork, found: PriceList, plan: ListPlan) -> None:
    ends: list[tuple[int, date | None]] = []
    fresh: list[NewPrice] = []
    for one in plan.rows:
        price = one.row.price
        if price is None or one.outcome in (Outcome.UNCHANGED, Outcome.REJECTED):
            continue
        if one.outcome == Outcome.ENDED:
            ends.append((one.replaces or 0, price.valid_until))
            continue
        if one.replaces is not None:
            ends.append((one.replaces, price.valid_from))
        fresh.append(replace(price, price_list=found.id))
    write_ends(work, ends)
    insert_prices(work, fresh)
    found.applied_by, found.applied_at = work.actor.id, work.now
    found.facts = _facts(plan)


def _facts(plan: ListPlan) -> str:
    rejected = [
        {"row": one.row.number, "cells": list(one.row.cells), "code": one.why.code, "facts": _plain(one.why.facts)}
        for one in plan.rows
        if one.why is not None
    ]
    return canonical_json({"counts": dict(plan.counts), "rejected": rejected}).decode()


def _plain(facts: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in facts.items()}


def kept_rows(content: str) -> list[list[str]]:
    """The rows of a kept list as text."""
    found: list[list[str]] = orjson.loads(content)
    return found
