"""Taking stock back from a line for one that ranks better: by authority, with a reason, and with a new promise for who loses.

Where the rule of the site asks for a second person the wish waits for somebody else; by then both lines must still be as they
were seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from erpcore.inventory.posting import warehouse_rules
from erpcore.inventory.services import Demand, reserve
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import QUANTITY_PLACES
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import customers, items, site_facts
from erpcore.masterdata.units import require_countable
from erpcore.orders import flow
from erpcore.orders.allocation import deallocate, give_stock, promise_losers
from erpcore.orders.allocation_models import TakeBackState, TakeBackWish
from erpcore.orders.claims import claim_of
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import OrderLine, OrderState
from erpcore.orders.moving import admit_order
from erpcore.orders.ranking import outranks
from erpcore.orders.records import lock_orders, save_orders, write_waiting
from erpcore.ports import BY_PERMISSION, Authority, CellStates, Matter, ProcessRules

TAKE_BACK = "orders:allocation:take_back"
APPROVE = "orders:allocation:approve_take_back"


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeBack:
    """So much (thousandths) of what is allocated to ``line`` goes to ``to`` instead, which waits for the same item there."""

    line: int
    to: int
    quantity: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenBack:
    """What came of it: ``wish`` is set where a second person has to agree first; nothing has changed then."""

    loser: Order
    line: Line
    wish: int | None


def take_back(
    work: UnitOfWork,
    commands: Sequence[TakeBack],
    *,
    rules: ProcessRules,
    cells: CellStates,
    authority: Authority = BY_PERMISSION,
) -> list[TakenBack]:
    """Move allocated stock from one line to another, or ask for it where the site's rule wants a second person.

    The line that loses is backordered and promised anew. Raises ``RuleBroken("not_lower_ranked")`` unless the other line
    ranks better by channel, tier or waiting time, ``take_back_too_much`` beyond what is allocated and not picked, or beyond
    what the other line still wants, ``take_back_never`` where the rule leaves what is allocated.
    """
    lines = _locked(work, commands)
    out: list[TakenBack] = []
    at_once: list[TakeBack] = []
    for command in commands:
        loser, from_line = lines[command.line]
        work.actor.require(TAKE_BACK, site=from_line.site_id)
        site = site_facts(work, from_line.site_id)
        rule = warehouse_rules(work, site, rules)["take_back_rule"]
        if rule == "never":
            raise RuleBroken("take_back_never", document=loser.number, site=site.code)
        _check(work, rules, cells, command, lines[command.line], lines[command.to])
        wish = None
        if rule == "second_person":
            wish = _ask(work, command, loser, from_line)
            authority.ask(work, _matter(work, wish, command, lines))
        if wish is None:
            at_once.append(command)
        out.append(TakenBack(loser=loser, line=from_line, wish=wish))
    if at_once:
        _move(work, at_once, lines, rules=rules, cells=cells)
    return out


def _ask(work: UnitOfWork, command: TakeBack, loser: Order, line: Line) -> int:
    wish = TakeBackWish(
        id=work.ids.one(), entity_id=loser.entity_id, site_id=line.site_id, item_id=line.item_id, from_line_id=command.line,
        to_line_id=command.to, quantity=Decimal(command.quantity).scaleb(-QUANTITY_PLACES), state=TakeBackState.PROPOSED,
        reason=command.reason.strip(), asked_by=work.actor.id, asked_at=work.now,
    )  # fmt: skip
    work.session.add(wish)
    work.session.flush()
    record_move(work, "take_back", wish.id, "propose", None, TakeBackState.PROPOSED, reason=wish.reason)
    return wish.id


def _matter(work: UnitOfWork, wish: int, command: TakeBack, lines: dict[int, tuple[Order, Line]]) -> Matter:
    (loser, line), (winner, _) = lines[command.line], lines[command.to]
    item, site = items(work, {line.item_id})[line.item_id], site_facts(work, line.site_id)
    quantity = Decimal(command.quantity).scaleb(-QUANTITY_PLACES).normalize()
    return Matter(
        kind="take_back", document_type="take_back", document=wish, version=1,
        summary=f"Take {quantity:f} of {item.code} at {site.name} back from {loser.number} for {winner.number}",
        site=line.site_id, entity=loser.entity_id, currency=loser.currency,
        amount_minor=scaled_amount(command.quantity, line.unit_price, loser.currency),
        tier=customers(work, {loser.customer_id})[loser.customer_id].tier,
    )  # fmt: skip


def decide_take_back(
    work: UnitOfWork, wish_id: int, *, agreed: bool, note: str, rules: ProcessRules, cells: CellStates
) -> TakeBackWish:
    """Do what somebody else asked for, or reject it with a reason.

    Raises ``NotAllowed("own_request")`` for who asked, ``Conflict("take_back_outdated")`` when the lines have changed since.
    """
    seen = work.session.get(TakeBackWish, wish_id)
    if seen is None or (work.actor.sites is not None and seen.site_id not in work.actor.sites):
        raise NotFound("take_back_unknown", wish=wish_id)
    site_facts(work, seen.site_id)
    work.actor.require(APPROVE, site=seen.site_id)
    return settle_take_back(work, wish_id, agreed=agreed, note=note, rules=rules, cells=cells)


def lock_take_back(work: UnitOfWork, wish_id: int) -> TakeBackWish:
    """The wish, locked after the orders of both its lines. Raises ``NotFound``."""
    seen = work.session.get(TakeBackWish, wish_id)
    if seen is None:
        raise NotFound("take_back_unknown", wish=wish_id)
    _locked(work, [_command(seen)])
    return work.session.get_one(TakeBackWish, wish_id, with_for_update={"key_share": True}, populate_existing=True)


def _command(wish: TakeBackWish) -> TakeBack:
    quantity = int(wish.quantity.scaleb(QUANTITY_PLACES))
    return TakeBack(line=wish.from_line_id, to=wish.to_line_id, quantity=quantity, reason=wish.reason)


def settle_take_back(
    work: UnitOfWork, wish_id: int, *, agreed: bool, note: str, rules: ProcessRules, cells: CellStates
) -> TakeBackWish:
    """Carry out what was answered: whether the person at work may decide was looked at by whoever took the answer.

    Raises as ``decide_take_back`` does.
    """
    wish = lock_take_back(work, wish_id)
    move, was = ("agree" if agreed else "reject"), wish.state
    target = flow.TAKE_BACK.target(move, was, reason=note)
    if wish.asked_by == work.actor.id:
        raise NotAllowed("own_request", document=f"wish {wish.id}")
    if agreed:
        command = _command(wish)
        lines = _locked(work, [command])
        try:
            _check(work, rules, cells, command, lines[command.line], lines[command.to])
        except RuleBroken as changed:
            raise Conflict("take_back_outdated", wish=wish.id) from changed
        _move(work, [command], lines, rules=rules, cells=cells)
    wish.state, wish.decided_by, wish.decided_at, wish.note = target, work.actor.id, work.now, note.strip() or None
    record_move(work, "take_back", wish.id, move, was, target, reason=note.strip() or None)
    work.audit("take_back_decided", "take_back", wish.id, agreed=agreed, asked_by=wish.asked_by)
    return wish


def _locked(work: UnitOfWork, commands: Sequence[TakeBack]) -> dict[int, tuple[Order, Line]]:
    """The lines on both sides with their orders, locked, by id."""
    asked = {c.line for c in commands} | {c.to for c in commands}
    order_of = {row.id: row.order_id for row in read_rows(work, OrderLine, ("id", "order_id"), "id", asked)}
    if unknown := asked - order_of.keys():
        raise NotFound("line_unknown", line=min(unknown))
    orders = lock_orders(work, order_of.values())
    return {line.id: (order, line) for order in orders for line in order.lines}


def _move(
    work: UnitOfWork,
    commands: Sequence[TakeBack],
    lines: dict[int, tuple[Order, Line]],
    *,
    rules: ProcessRules,
    cells: CellStates,
) -> None:
    lost: list[tuple[Order, Line]] = []
    for command in commands:
        (loser, from_line), (winner, to_line) = lines[command.line], lines[command.to]
        # Again for each, since an earlier one of this batch may have moved the same lines.
        _check(work, rules, cells, command, lines[command.line], lines[command.to])
        deallocate(work, loser, from_line, command.quantity, command.reason)
        facts = {"line": from_line.id, "quantity": command.quantity, "to": to_line.id, "to_order": winner.id}
        record_move(work, "order", loser.id, "take_back", loser.state, loser.state, reason=command.reason, facts=facts)
        demand = Demand(to_line.id, winner.entity_id, to_line.site_id, to_line.item_id, command.quantity)
        (got,) = reserve(work, [demand], at=work.now)
        give_stock(work, [(winner, to_line)], {to_line.id: got})
        work.audit("allocation_taken_back", "order", loser.id, **facts, reason=command.reason)
        lost.append((loser, from_line))
    write_waiting(work, [lines[key][1] for key in sorted({c.to for c in commands})])
    promise_losers(work, lost)
    touched = {c.line for c in commands} | {c.to for c in commands}
    orders = {order.id: order for order, _ in (lines[key] for key in touched)}
    save_orders(work, list(orders.values()), [lines[key][1] for key in sorted(touched)])


def _check(
    work: UnitOfWork,
    rules: ProcessRules,
    cells: CellStates,
    command: TakeBack,
    losing: tuple[Order, Line],
    winning: tuple[Order, Line],
) -> None:
    (loser, from_line), (winner, to_line) = losing, winning
    for order in (loser, winner):
        admit_order(work, cells, order, site=from_line.site_id)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document=loser.number, move="take back")
    if winner.state != OrderState.RELEASED:
        raise RuleBroken("not_released", document=winner.number, state=winner.state)
    if (from_line.site_id, from_line.item_id) != (to_line.site_id, to_line.item_id):
        raise RuleBroken("other_place", field="to", document=winner.number, line=to_line.line_no)
    if command.quantity <= 0 or command.quantity > min(from_line.allocated, to_line.unallocated):
        raise RuleBroken("take_back_too_much", field="quantity", document=loser.number, line=from_line.line_no)
    require_countable(work, [(from_line.item_id, command.quantity)])
    mine = claim_of(work, rules, winner, to_line, since=to_line.backordered_at or winner.captured_at)
    theirs = claim_of(work, rules, loser, from_line, since=from_line.backordered_at or loser.captured_at)
    if not outranks(mine, theirs):
        raise RuleBroken("not_lower_ranked", field="to", document=loser.number, other=winner.number)
