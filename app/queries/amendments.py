"""Which changes were made or are to be made to an order, what would each do, and what has moved since one looked?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.queries.order_detail import steps_of
from app.queries.order_facts import Step
from erpcore.kernel.errors import NotFound
from erpcore.kernel.events import EventLog
from erpcore.kernel.history import Transition
from erpcore.masterdata.models import Item
from erpcore.orders.models import OrderAmendment, OrderAmendmentChange, OrderLine


@dataclass(frozen=True, kw_only=True)
class ChangeFact:
    """One change: of a line (``line_no``) or one to be added (``None``), with what stands and what shall stand."""

    kind: str
    line: int | None
    line_no: int | None
    item_id: int
    code: str
    name: str
    unit: str
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def quantity(self) -> Decimal | None:
        said = self.after.get("quantity")
        return None if said is None else Decimal(said)

    @property
    def quantity_before(self) -> Decimal | None:
        said = self.before.get("quantity")
        return None if said is None else Decimal(said)

    @property
    def day(self) -> date | None:
        return date.fromisoformat(self.after["day"]) if self.after.get("day") else None

    @property
    def day_before(self) -> date | None:
        return date.fromisoformat(self.before["day"]) if self.before.get("day") else None


@dataclass(frozen=True, kw_only=True)
class LineEffect:
    """What becomes of a line; ``line_no`` ``None``: it is new. Quantities in the item's unit, values in minor units."""

    line_no: int | None
    item_id: int
    quantity: tuple[Decimal | None, Decimal]
    value: tuple[int | None, int]
    promised: tuple[date | None, date]
    requested: tuple[date | None, date]
    reason: str
    freed: Decimal
    open: Decimal


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What the changes would do together. ``holds`` stop the order at once, ``on_release`` when it is to be released."""

    value: tuple[int, int]
    exposure: tuple[int, int]
    limit: int | None
    holds: list[tuple[str, str]]
    on_release: list[tuple[str, str]]
    lines: list[LineEffect]


@dataclass(frozen=True, kw_only=True)
class AmendmentFact:
    """Changes to one order that are made together. ``effect``: what they would have done when they were staged."""

    id: int
    number: int
    state: str
    by_customer: bool
    reason: str
    order_version: int
    staged_at: datetime
    staged_by: int
    staged_role: str
    settled_at: datetime | None
    settled_by: int | None
    changes: list[ChangeFact]
    effect: Effect | None


def amendments_of(session: Session, order: int) -> list[AmendmentFact]:
    """The order's amendments, the newest first, in two queries."""
    staged = (
        (Transition.document_type == "amendment")
        & (Transition.document_id == OrderAmendment.id)
        & (Transition.move == "stage")
    )
    rows = session.execute(
        select(OrderAmendment, Transition.role)
        .join(Transition, staged, isouter=True)
        .where(OrderAmendment.order_id == order)
        .order_by(OrderAmendment.number.desc())
    ).all()
    changes = _changes(session, [row.OrderAmendment.id for row in rows])
    return [
        AmendmentFact(
            id=head.id, number=head.number, state=head.state, by_customer=head.by_customer, reason=head.reason,
            order_version=head.order_version, staged_at=head.staged_at, staged_by=head.staged_by, staged_role=row.role or "",
            settled_at=head.settled_at, settled_by=head.settled_by, changes=changes[head.id],
            effect=_effect(head.foreseen),
        )
        for row in rows
        if (head := row.OrderAmendment)
    ]  # fmt: skip


def one_amendment(session: Session, order: int, amendment: int) -> AmendmentFact:
    """The amendment of that order; raises ``NotFound`` for another's."""
    found = next((one for one in amendments_of(session, order) if one.id == amendment), None)
    if found is None:
        raise NotFound("amendment_unknown", amendment=amendment)
    return found


def _changes(session: Session, amendments: list[int]) -> dict[int, list[ChangeFact]]:
    out: dict[int, list[ChangeFact]] = defaultdict(list)
    if not amendments:
        return out
    rows = session.execute(
        select(OrderAmendmentChange, OrderLine.line_no, Item.code, Item.name, Item.unit)
        .join(Item, Item.id == OrderAmendmentChange.item_id)
        .join(OrderLine, OrderLine.id == OrderAmendmentChange.order_line_id, isouter=True)
        .where(OrderAmendmentChange.amendment_id.in_(amendments))
        .order_by(OrderAmendmentChange.amendment_id, OrderAmendmentChange.no)
    )
    for row in rows:
        change = row.OrderAmendmentChange
        out[change.amendment_id].append(
            ChangeFact(
                kind=change.kind, line=change.order_line_id, line_no=row.line_no, item_id=change.item_id, code=row.code,
                name=row.name, unit=row.unit, before=orjson.loads(change.before), after=orjson.loads(change.after),
            )
        )  # fmt: skip
    return out


def _effect(foreseen: str) -> Effect | None:
    said = orjson.loads(foreseen)
    if not said:
        return None
    return Effect(
        value=tuple(said["value"]), exposure=tuple(said["exposure"]), limit=said["limit"],
        holds=[tuple(one) for one in said["holds"]], on_release=[tuple(one) for one in said["on_release"]],
        lines=[_line(one) for one in said["lines"]],
    )  # fmt: skip


def _line(said: dict[str, Any]) -> LineEffect:
    before, after = said["quantity"]
    return LineEffect(
        line_no=said["line"], item_id=said["item"],
        quantity=(None if before is None else Decimal(before).scaleb(-3), Decimal(after).scaleb(-3)),
        value=tuple(said["value"]), promised=_days(said["promised"]), requested=_days(said["requested"]),
        reason=said["reason"], freed=Decimal(said["freed"]).scaleb(-3), open=Decimal(said["open"]).scaleb(-3),
    )  # fmt: skip


def _days(said: list[str | None]) -> tuple[date | None, date]:
    before, after = said
    return (None if before is None else date.fromisoformat(before)), date.fromisoformat(str(after))


def steps_since(session: Session, order: int, version: int) -> list[Step]:
    """What has been done to the order after it had this version, newest first."""
    seen = EventLog.subject_version <= version
    mine = (EventLog.subject_type == "order") & (EventLog.subject_id == order)
    until, since = session.execute(
        select(
            func.max(EventLog.recorded_at).filter(seen), func.min(EventLog.recorded_at).filter(~seen)
        ).where(mine)
    ).one()  # fmt: skip
    return [
        step
        for step in steps_of(session, {"order": [order]})
        if until is None or step.recorded_at > until or (since is not None and step.recorded_at >= since)
    ]
