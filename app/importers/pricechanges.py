"""How do typed rows and files of prices come to hold: at once, or after somebody else has looked?

A typed price is a list of one row in the columns of the export, so that both have one meaning, one check and one approval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from app.importers.priceapprovals import asked_by_rules, asks_nobody, said, settle
from app.importers.pricelists import COLUMNS, ReadSheet, meaning
from app.importers.priceweights import Change, weigh
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Entity
from erpcore.ports import ProcessRules
from erpcore.pricing.changing import NEEDS_SECOND, insert_price, needs_second, weigh_price
from erpcore.pricing.lists import (
    KeepList,
    Outcome,
    RowPlan,
    SettleList,
    keep_list,
    plan_list,
)
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
    """What became of a typed price: the rule that holds, or the list that waits for somebody else. ``said``: by which rules of
    approval it needed nobody.
    """

    rule: int | None = None
    waits: int | None = None
    said: str = ""


def save_row(
    work: UnitOfWork, entity: int, row: Mapping[str, str], *, rules: ProcessRules, accepted: Mapping[str, str]
) -> Saved:
    """Save a price in the columns of the export; ``accepted`` holds the reason once the person asks for a second one.

    Raises ``NeedsConfirmation`` where the rules of approval ask others, ``RuleBroken`` and ``NotFound`` at the column concerned.
    """
    content = [["1", *(row.get(name, "").strip() for name in COLUMNS)]]
    price = _meant(work.session, entity, content)
    lowering = weigh_price(work, price, rules=rules)
    weight = weigh(work, entity, [Change(price, lowering)], by={work.actor.id} - {0})
    asked = asked_by_rules(work.session, weight.facts)
    if asks_nobody(asked):
        return Saved(rule=insert_price(work, price), said=said(asked))
    if NEEDS_SECOND not in accepted:
        raise needs_second(price, lowering, touches=weight.words)
    kept = keep_list(work, KeepList(entity=entity, file_name=TYPED, content=content))
    rows = meaning(work.session, entity, content)
    seen = plan_list(work, entity, rows, rules=rules).digest
    settle(work, SettleList(list=kept, move="ask", reason=accepted[NEEDS_SECOND], seen=seen), rules=rules)
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
