"""How do typed rows and files of prices come to hold: at once, or after somebody else has looked?

A typed price is a list of one row in the columns of the export, so that both have one meaning, one check and one approval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.importers.pricelists import COLUMNS, ReadSheet, meaning
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Entity
from erpcore.ports import ProcessRules
from erpcore.pricing.changing import NEEDS_SECOND, save_price, weigh_price
from erpcore.pricing.lists import (
    KeepList,
    ListedRow,
    ListPlan,
    Outcome,
    RowPlan,
    SettleList,
    apply_list,
    keep_list,
    kept_rows,
    plan_list,
    settle_list,
)
from erpcore.pricing.models import PriceList
from erpcore.pricing.newprice import NewPrice

TYPED = "Typed by hand"


class Effect(StrEnum):
    """What becomes of a row, in the order in which one looks at them. Second: of whatever effect, somebody else has to agree."""

    SECOND = "second"
    LOWERED = "lowered"
    RAISED = "raised"
    NEW = "new"
    ENDED = "ended"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What became of a typed price: the rule that holds, or the list that waits for somebody else."""

    rule: int | None = None
    waits: int | None = None


def save_row(
    work: UnitOfWork, entity: int, row: Mapping[str, str], *, rules: ProcessRules, accepted: Mapping[str, str]
) -> Saved:
    """Save a price in the columns of the export; ``accepted`` holds the reason once the person asks for a second one.

    Raises ``NeedsConfirmation`` where it gives away too much, ``RuleBroken`` and ``NotFound`` at the column concerned.
    """
    content = [["1", *(row.get(name, "").strip() for name in COLUMNS)]]
    price = _meant(work.session, entity, content)
    reason = accepted.get(NEEDS_SECOND)
    if reason is None or not weigh_price(work, price, rules=rules).is_beyond:
        return Saved(rule=save_price(work, price, rules=rules))
    kept = keep_list(work, KeepList(entity=entity, file_name=TYPED, content=content))
    rows = meaning(work.session, entity, content)
    seen = plan_list(work, entity, rows, rules=rules).digest
    settle_list(work, SettleList(list=kept, move="ask", reason=reason, seen=seen), rows, rules=rules)
    return Saved(waits=kept)


def _meant(session: Session, entity: int, content: list[list[str]]) -> NewPrice:
    (row,) = meaning(session, entity, content)
    if row.why is not None:
        raise row.why
    assert row.price is not None  # noqa: S101 - a row means a price, or says why not
    return row.price


def hand_in(work: UnitOfWork, entity: int, read: ReadSheet) -> int:
    """Keep a file's rows to be looked at; the id of the list."""
    if work.session.get(Entity, entity) is None:
        raise NotFound("entity_unknown", field="entity", entity=entity)
    return keep_list(work, KeepList(entity=entity, file_name=read.file_name, content=read.content))


def rows_of(session: Session, list_id: int) -> tuple[int, list[ListedRow]]:
    """The entity of a kept list, and what its rows mean now; raises ``NotFound`` for an unknown one."""
    found = session.execute(select(PriceList.entity_id, PriceList.content).where(PriceList.id == list_id)).one_or_none()
    if found is None:
        raise NotFound("price_list_unknown", list=list_id)
    return found.entity_id, meaning(session, found.entity_id, kept_rows(found.content))


def preview(work: UnitOfWork, list_id: int, *, rules: ProcessRules) -> ListPlan:
    """What the list would change now. Only looked at."""
    entity, rows = rows_of(work.session, list_id)
    return plan_list(work, entity, rows, rules=rules)


def settle(work: UnitOfWork, command: SettleList, *, rules: ProcessRules) -> PriceList:
    """Apply a list, ask for it, or decide on it."""
    _, rows = rows_of(work.session, command.list)
    if command.move == "apply":
        return apply_list(work, command.list, rows, seen=command.seen, rules=rules)
    return settle_list(work, command, rows, rules=rules)


def effect(plan: RowPlan) -> Effect:
    """A changed price is lowered or raised, or new where there was none to compare it with."""
    if plan.outcome != Outcome.CHANGED:
        return Effect(str(plan.outcome))
    lowering = plan.lowering
    if lowering is None or lowering.before is None or lowering.after is None:
        return Effect.NEW
    return Effect.LOWERED if lowering.after < lowering.before else Effect.RAISED


def rows_with(plans: Iterable[RowPlan], only: Effect | None) -> list[RowPlan]:
    """The rows of this effect, or those that need a second person; all without one."""
    if only is None:
        return list(plans)
    return [one for one in plans if (one.is_beyond if only is Effect.SECOND else effect(one) is only)]
