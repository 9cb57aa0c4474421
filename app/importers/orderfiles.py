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
from erpcore.masterdata.queries import customers, site_facts
from erpcore.orders.commands import CaptureOrder
from erpcore.orders.duplicates import DUPLICATE, notice_duplicates
from erpcore.orders.services import CAPTURE, capture_orders, draft_order
from erpcore.ports import Cell, CellStates, Process, ProcessRules, admit

#: What an order may be refused by; anything else is a fault and stops all.
_REFUSALS = (RuleBroken, NotFound, Conflict, NotAllowed, NeedsConfirmation)


@dataclass(frozen=True, kw_only=True)
class PlannedOrder:
    """What becomes of one order of a file. ``number``: the order that it is; ``row``: the row that is wrong; ``text``: why."""

    name: str
    rows: list[int]
    outcome: str
    order_id: int | None = None
    number: str = ""
    value_minor: int | None = None
    currency: str = ""
    promised_on: str = ""
    prices: list[int] | None = None
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
    done: list[tuple[SheetOrder, PlannedOrder]] = []
    made: dict[str, tuple[str, Any]] = {}
    for asked, one in plan:
        if one.outcome != Outcome.NEW or asked.command is None:
            done.append((asked, one))
            continue
        try:
            # A refusal comes before anything of its order is written, so the others need no savepoint.
            (order,) = capture_orders(work, [_accepting(asked, command.duplicate_reason)], rules=rules, cells=cells)
        except _REFUSALS as refusal:
            if command.bad_rows == BadRows.ALL_OR_NOTHING:
                raise RuleBroken("order_file_not_whole", order=one.name, why=sentence(refusal)) from refusal
            done.append((asked, _refused(asked, refusal)))
            continue
        made[asked.key] = (asked.digest, {"id": order.id, "number": order.number})
        changes = {"outcome": Outcome.ENTERED.value, "order_id": order.id, "number": order.number}
        done.append((asked, PlannedOrder(**{**asdict(one), **changes})))
    if not made:
        raise RuleBroken("order_file_nothing_new", file=row.file_name)
    keep_documents(work, _scope(row.entity_id), made)
    _keep(row, work, done)
    row.entered_by, row.entered_at = work.actor.id, work.now
    work.audit(
        "order_file.entered", "order_file", row.id, entered=len(made), refused=row.refused, policy=command.bad_rows
    )
    return row


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
    """What would become of each order now, by the rules that capturing applies; nothing is written."""
    asked = orders_of(work.session, row.entity_id, rows_of(row))
    known = documents_kept(work.session, _scope(row.entity_id), [one.key for one in asked if one.command])
    return [(one, _plan(work, one, known, rules, cells, reason)) for one in asked]


def _plan(
    work: UnitOfWork,
    one: SheetOrder,
    known: dict[str, tuple[str, Any]],
    rules: ProcessRules,
    cells: CellStates,
    reason: str,
) -> PlannedOrder:
    if one.command is None:
        return _refused(one, one.why)
    if one.key in known:
        digest, result = known[one.key]
        if digest != one.digest:
            return _refused(one, Conflict("order_file_entered_otherwise", order=one.name, number=result["number"]))
        return PlannedOrder(
            name=one.name,
            rows=list(one.rows),
            outcome=Outcome.KNOWN.value,
            order_id=result["id"],
            number=result["number"],
        )
    try:
        command = _accepting(one, reason)
        work.actor.require(CAPTURE, site=command.site)
        site = site_facts(work, command.site)
        group = customers(work, {command.customer})[command.customer].group_id
        admit(
            work,
            cells,
            site.entity.realm,
            Cell(site.live_id, command.channel, Process.ORDER_TO_CASH, group),
            begins=True,
        )
        order = draft_order(work, command, rules=rules)
        notice_duplicates(work, [order], [command.accepted], rules)
    except _REFUSALS as refusal:
        return _refused(one, refusal)
    return PlannedOrder(
        name=one.name, rows=list(one.rows), outcome=Outcome.NEW.value, value_minor=order.value_minor, currency=order.currency,
        promised_on=max(line.promised_on for line in order.lines).isoformat(),
        prices=[line.unit_price for line in order.lines],
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
