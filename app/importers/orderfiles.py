"""How does a file of orders become orders? Handed in, looked at order by order, and entered once, by the service of typed ones.

An order is known by its customer and its name in the file, for ever: the same file again, or a mended one with orders that were
entered already, adds nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import orjson
from sqlalchemy import select

from app.composition.order_approvals import BY_RULES
from app.composition.orderfiles import BadRows, OrderFile, Outcome
from app.importers.ordersheets import SheetOrder, orders_of
from app.importers.sheets import ReadSheet
from app.messages import sentence
from erpcore.kernel.canonical import canonical_json, fingerprint
from erpcore.kernel.errors import (
    Conflict,
    DomainError,
    NeedsConfirmation,
    NotAllowed,
    NotFound,
    RuleBroken,
)
from erpcore.kernel.first import add_first
from erpcore.kernel.requests import documents_kept, keep_documents
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Entity
from erpcore.masterdata.queries import customers, items, site_facts
from erpcore.orders.commands import CaptureOrder
from erpcore.orders.documents import Order
from erpcore.orders.duplicates import DUPLICATE, duplicates_among
from erpcore.orders.services import CAPTURE, capture_orders, draft_orders
from erpcore.ports import Cell, CellStates, Process, ProcessRules, admit

#: What an order may be refused by; anything else is a fault and stops all.
_REFUSALS = (RuleBroken, NotFound, Conflict, NotAllowed, NeedsConfirmation)


@dataclass(frozen=True, kw_only=True)
class PlannedOrder:
    """What becomes of one order of a file. ``number``: the order that it is; ``row``: the row that is wrong; ``text``: why.

    ``prices`` are those of its lines; ``added``: what the rules add to them, by code, with its worth in minor units.
    """

    name: str
    rows: list[int]
    outcome: str
    order_id: int | None = None
    number: str = ""
    value_minor: int | None = None
    currency: str = ""
    promised_on: str = ""
    prices: list[int] | None = None
    added: list[tuple[str, int]] | None = None
    row: int | None = None
    code: str = ""
    text: str = ""

    @property
    def promised(self) -> date | None:
        return date.fromisoformat(self.promised_on) if self.promised_on else None


@dataclass(frozen=True, kw_only=True)
class EnterOrders:
    """Enter what a file holds. ``version`` is the one whose plan was seen; ``duplicate_reason`` accepts orders that look like
    earlier ones.
    """

    file: int
    bad_rows: BadRows
    version: int
    duplicate_reason: str = ""


def plan_of(row: OrderFile) -> list[PlannedOrder]:
    """What was to become of the orders when the file was looked at last."""
    return [PlannedOrder(**one) for one in orjson.loads(row.plan)]


def rows_of(row: OrderFile) -> list[list[str]]:
    """The rows of the file as text, each with its number before it."""
    found: list[list[str]] = orjson.loads(row.content)
    return found


def hand_in(work: UnitOfWork, entity: int, read: ReadSheet, *, rules: ProcessRules, cells: CellStates) -> OrderFile:
    """Keep a file's rows with what would become of its orders; one of the same content is the one that is there already."""
    work.actor.require(CAPTURE)
    company = work.session.get(Entity, entity)
    if company is None:
        raise NotFound("entity_unknown", field="entity", entity=entity)
    digest = fingerprint(read.content)
    known = work.session.scalar(
        select(OrderFile).where(OrderFile.entity_id == entity, OrderFile.content_hash == digest)
    )
    if known is not None:
        if known.uploaded_by != work.actor.id:
            raise Conflict("order_file_of_another", field="file", file=known.file_name)
        return known
    row = OrderFile(
        id=work.ids.one(), entity_id=entity, file_name=read.file_name[:300], content_hash=digest, rows=len(read.content),
        content=canonical_json(read.content).decode(), version=0, uploaded_by=work.actor.id, uploaded_at=work.now, orders=0,
        entered=0, refused=0, plan="[]", looked_at=work.now,
    )  # fmt: skip
    _keep(row, work, _planned(work, row, rules, cells, ""))
    add_first(work, row, "order_file_handed_in_meanwhile", field="file", file=row.file_name)
    work.audit("order_file.handed_in", "order_file", row.id, file=row.file_name, rows=row.rows, content=digest)
    return row


def look_again(work: UnitOfWork, file: int, *, rules: ProcessRules, cells: CellStates) -> OrderFile:
    """The file with what would become of its orders now."""
    row = _locked(work, file)
    _keep(row, work, _planned(work, row, rules, cells, ""))
    return row


def enter_orders(work: UnitOfWork, command: EnterOrders, *, rules: ProcessRules, cells: CellStates) -> OrderFile:
    """Enter the orders of a file that are new, each as if it were typed.

    With ``all_or_nothing`` one that is refused leaves all of them out, and the file says which; with ``good_ones`` the others
    are entered. Raises ``Conflict`` when the file was looked at anew since, ``Busy`` when another file enters the same orders.
    """
    row = _locked(work, command.file)
    if row.version != command.version:
        raise Conflict("changed_meanwhile")
    plan = _planned(work, row, rules, cells, command.duplicate_reason)
    if command.bad_rows == BadRows.ALL_OR_NOTHING and any(one.outcome == Outcome.REFUSED for _, one in plan):
        _keep(row, work, plan)
        return row
    done, made = _captured(work, plan, command, rules, cells)
    if not made:
        raise RuleBroken("order_file_nothing_new", file=row.file_name)
    keep_documents(work, _scope(row.entity_id), made)
    _keep(row, work, done)
    row.entered_by, row.entered_at = work.actor.id, work.now
    work.audit(
        "order_file.entered", "order_file", row.id, entered=len(made), refused=row.refused, policy=command.bad_rows
    )
    return row


def _captured(
    work: UnitOfWork,
    plan: Sequence[tuple[SheetOrder, PlannedOrder]],
    command: EnterOrders,
    rules: ProcessRules,
    cells: CellStates,
) -> tuple[list[tuple[SheetOrder, PlannedOrder]], dict[str, tuple[str, Any]]]:
    """Capture the orders that are new, together as they were planned; where one is refused all the same, each for itself.

    A refusal comes before anything of its orders is written, so the others need no savepoint.
    """
    new = [asked for asked, one in plan if one.outcome == Outcome.NEW]
    if not new:
        return list(plan), {}
    commands = [_accepting(asked, command.duplicate_reason) for asked in new]
    refused: dict[str, DomainError] = {}
    try:
        orders = dict(
            zip(
                [asked.key for asked in new],
                capture_orders(work, commands, rules=rules, cells=cells, authority=BY_RULES),
                strict=True,
            )
        )
    except _REFUSALS:
        orders = {}
        for asked, order in zip(new, commands, strict=True):
            try:
                (orders[asked.key],) = capture_orders(work, [order], rules=rules, cells=cells, authority=BY_RULES)
            except _REFUSALS as refusal:
                if command.bad_rows == BadRows.ALL_OR_NOTHING:
                    raise RuleBroken("order_file_not_whole", order=asked.name, why=sentence(refusal)) from refusal
                refused[asked.key] = refusal
    done = []
    for asked, one in plan:
        if one.outcome != Outcome.NEW:
            done.append((asked, one))
        elif asked.key in refused:
            done.append((asked, _refused(asked, refused[asked.key])))
        else:
            taken = orders[asked.key]
            done.append((asked, replace(one, outcome=Outcome.ENTERED.value, order_id=taken.id, number=taken.number)))
    made: dict[str, tuple[str, Any]] = {
        asked.key: (asked.digest, {"id": orders[asked.key].id, "number": orders[asked.key].number})
        for asked in new
        if asked.key in orders
    }
    return done, made


def _locked(work: UnitOfWork, file: int) -> OrderFile:
    """The file, locked. Another's does not exist: who handed it in answers for it."""
    work.actor.require(CAPTURE)
    row = work.session.get(OrderFile, file, with_for_update={"key_share": True}, populate_existing=True)
    if row is None or (row.uploaded_by != work.actor.id and work.actor.sites is not None):
        raise NotFound("order_file_unknown", file=file)
    work.realm = work.session.scalars(select(Entity.realm).where(Entity.id == row.entity_id)).one()
    return row


def _keep(row: OrderFile, work: UnitOfWork, plan: Sequence[tuple[SheetOrder, PlannedOrder]]) -> None:
    # What this very file has entered stays so: it is known from then on, but not from elsewhere.
    mine = {one.name for one in plan_of(row) if one.outcome == Outcome.ENTERED}
    kept = [
        {**asdict(one), "outcome": Outcome.ENTERED.value if one.name in mine and one.outcome == Outcome.KNOWN else one.outcome}
        for _, one in plan
    ]  # fmt: skip
    row.plan = canonical_json(kept).decode()
    row.orders = len(kept)
    row.entered = sum(one["outcome"] == Outcome.ENTERED for one in kept)
    row.refused = sum(one["outcome"] == Outcome.REFUSED for one in kept)
    row.version, row.looked_at = row.version + 1, work.now


def _scope(entity: int) -> str:
    return f"order-file:{entity}"


def _planned(
    work: UnitOfWork, row: OrderFile, rules: ProcessRules, cells: CellStates, reason: str
) -> list[tuple[SheetOrder, PlannedOrder]]:
    """What would become of each order now, by the rules that capturing applies; nothing is written.

    The number of questions does not grow with the number of orders.
    """
    asked = orders_of(work.session, row.entity_id, rows_of(row))
    known = documents_kept(work.session, _scope(row.entity_id), [one.key for one in asked if one.command])
    plan: dict[str, PlannedOrder] = {}
    new: list[SheetOrder] = []
    for one in asked:
        before = _settled(one, known)
        if before is not None:
            plan[one.name] = before
        else:
            new.append(one)
    plan |= _drafted(work, new, rules, cells, reason)
    return [(one, plan[one.name]) for one in asked]


def _settled(one: SheetOrder, known: dict[str, tuple[str, Any]]) -> PlannedOrder | None:
    """What is certain of an order without asking the rules: it cannot be read, or was entered before."""
    if one.command is None:
        return _refused(one, one.why)
    if one.key not in known:
        return None
    digest, result = known[one.key]
    if digest != one.digest:
        return _refused(one, Conflict("order_file_entered_otherwise", order=one.name, number=result["number"]))
    return PlannedOrder(
        name=one.name, rows=list(one.rows), outcome=Outcome.KNOWN.value, order_id=result["id"], number=result["number"],
    )  # fmt: skip


def _drafted(
    work: UnitOfWork, new: Sequence[SheetOrder], rules: ProcessRules, cells: CellStates, reason: str
) -> dict[str, PlannedOrder]:
    """What would become of orders that were not entered before, by their names; one like another before it is none."""
    plan: dict[str, PlannedOrder] = {}
    admitted: list[tuple[SheetOrder, CaptureOrder]] = []
    buyers = customers(work, {one.command.customer for one in new if one.command})
    for one in new:
        command = _accepting(one, reason)
        try:
            _admit(work, cells, command, buyers[command.customer].group_id)
        except _REFUSALS as refusal:
            plan[one.name] = _refused(one, refusal)
        else:
            # Until it has a number, it is called as in the file.
            admitted.append((one, replace(command, number=one.name)))
    drafted: list[tuple[SheetOrder, CaptureOrder, Order]] = []
    for (one, command), draft in zip(
        admitted, draft_orders(work, [command for _, command in admitted], rules=rules), strict=True
    ):
        if isinstance(draft, DomainError):
            plan[one.name] = _refused(one, draft)
        else:
            drafted.append((one, command, draft))
    noticed = duplicates_among(
        work, [order for _, _, order in drafted], [command.accepted for _, command, _ in drafted], rules
    )
    for (one, _, order), found in zip(drafted, noticed, strict=True):
        plan[one.name] = _refused(one, found) if isinstance(found, DomainError) else _new(work, one, order)
    return plan


def _admit(work: UnitOfWork, cells: CellStates, command: CaptureOrder, group: int | None) -> None:
    work.actor.require(CAPTURE, site=command.site)
    site = site_facts(work, command.site)
    cell = Cell(site.live_id, command.channel, Process.ORDER_TO_CASH, group)
    admit(work, cells, site.entity.realm, cell, begins=True)


def _new(work: UnitOfWork, one: SheetOrder, order: Order) -> PlannedOrder:
    """What the order would be. What a rush costs stands behind the lines of the file."""
    added = order.lines[len(one.rows) :]
    goods = [line for line in order.lines if line.is_goods]
    return PlannedOrder(
        name=one.name, rows=list(one.rows), outcome=Outcome.NEW.value, value_minor=order.value_minor, currency=order.currency,
        promised_on=max(line.promised_on for line in goods or order.lines).isoformat(),
        prices=[line.unit_price for line in order.lines],
        added=[(items(work, {line.item_id})[line.item_id].code, line.value_minor) for line in added],
    )  # fmt: skip


def _accepting(one: SheetOrder, reason: str) -> CaptureOrder:
    assert one.command is not None  # noqa: S101 - an order without one is refused before
    return replace(one.command, accepted={DUPLICATE: reason}) if reason.strip() else one.command


def _refused(one: SheetOrder, why: DomainError | None) -> PlannedOrder:
    """With the row that is wrong: the one that means nothing, or the line that the service names."""
    row = one.wrong
    part = (why.field or "").split("-") if why else []
    if row is None and len(part) == 3 and part[0] == "lines" and part[1].isdecimal() and int(part[1]) < len(one.rows):
        row = one.rows[int(part[1])]
    return PlannedOrder(
        name=one.name, rows=list(one.rows), outcome=Outcome.REFUSED.value, row=row, code=why.code if why else "",
        text=sentence(why) if why else "",
    )  # fmt: skip
