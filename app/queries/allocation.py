"""What did runs of allocation look at, what did they decide, and why?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.queries.listing import MOST_ROWS, SqlList
from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Customer, Entity, Item, Site
from erpcore.orders.allocation_models import (
    AllocationRun,
    AllocationRunLine,
    AllocationRunPlace,
    RunState,
    RunTrigger,
)
from erpcore.orders.models import OrderLine, SalesOrder

STATES = tuple(state.value for state in RunState)
TRIGGERS = tuple(trigger.value for trigger in RunTrigger)


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One run in a list; ``given`` is what it gives or gave of what was ``wanted``."""

    id: int
    site_id: int
    site: str
    realm: str
    item: str | None
    state: str
    trigger: str
    simulated_at: datetime
    simulated_by: int
    decided_at: datetime | None
    decided_by: int | None
    moved_by: int | None
    moved_reason: str | None
    reason: str | None
    places: int
    lines: int
    winners: int
    version: int


@dataclass(frozen=True, kw_only=True)
class RunPlaceRow:
    """One item of a run with its inputs."""

    item_id: int
    code: str
    name: str
    unit: str
    rule: str
    free: Decimal
    wanted: Decimal
    given: Decimal
    protected: Decimal


@dataclass(frozen=True, kw_only=True)
class RunLineRow:
    """One line of a run: what ranked it, what it gets and why, what every rule would have given it."""

    item_id: int
    line_id: int
    line_no: int
    order_id: int
    order: str
    customer: str
    rank: int
    moved_to: int | None
    wanted: Decimal
    got: Decimal
    why: str
    since: datetime
    priority: int
    tier: int
    by_first_come: Decimal
    by_priority: Decimal
    by_contract: Decimal
    by_fair_share: Decimal


@dataclass(frozen=True, kw_only=True)
class RunPage:
    """A run with its places, and the lines of each in the order of their ranks; ``shown`` of ``run.lines`` lines."""

    run: RunRow
    places: list[RunPlaceRow]
    lines: dict[int, list[RunLineRow]]
    shown: int


#: Lines of a run on its page; the file has all.
MOST_LINES = 500


_WINNERS = (
    select(func.count())
    .select_from(AllocationRunLine)
    .where(AllocationRunLine.run_id == AllocationRun.id, AllocationRunLine.got > 0)
    .scalar_subquery()
)


def _all() -> Any:
    return (
        select(AllocationRun, Site.name.label("site"), Entity.realm, Item.code.label("item"), _WINNERS.label("winners"))
        .select_from(AllocationRun)
        .join(Site, Site.id == AllocationRun.site_id)
        .join(Entity, Entity.id == AllocationRun.entity_id)
        .outerjoin(Item, Item.id == AllocationRun.item_id)
    )


def _run(row: Any) -> RunRow:
    run: AllocationRun = row.AllocationRun
    return RunRow(
        id=run.id, site_id=run.site_id, site=row.site, realm=row.realm, item=row.item, state=run.state, trigger=run.trigger,
        simulated_at=run.simulated_at, simulated_by=run.simulated_by, decided_at=run.decided_at, decided_by=run.decided_by,
        moved_by=run.moved_by, moved_reason=run.moved_reason, reason=run.reason, places=run.places, lines=run.lines,
        winners=row.winners, version=run.version,
    )  # fmt: skip


#: The list of runs, the newest first.
RUNS: SqlList[RunRow] = SqlList(
    select=_all, row=_run, tie=(AllocationRun.id,), usual="-simulated", site=AllocationRun.site_id, realm=Entity.realm,
    by=("state", AllocationRun.state), flags=("moved",), text=(Item.code, Item.name),
    sorts={
        "simulated": AllocationRun.simulated_at, "site": Site.name, "places": AllocationRun.places,
        "lines": AllocationRun.lines,
    },
    wanted={
        "state": lambda value, _: AllocationRun.state == value,
        "trigger": lambda value, _: AllocationRun.trigger == value,
        "moved": lambda _value, _: AllocationRun.moved_by.is_not(None),
    },
)  # fmt: skip


def run_row(session: Session, actor: Actor, run: int) -> RunRow:
    """One run; raises ``NotFound`` for one of a site that this person does not see."""
    query = within_sites(_all(), actor, AllocationRun.site_id)
    row = session.execute(query.where(AllocationRun.id == run)).one_or_none()
    if row is None:
        raise NotFound("run_unknown", run=run)
    return _run(row)


def run_page(session: Session, actor: Actor, run: int, *, most: int = MOST_LINES) -> RunPage:
    """One run with its inputs and its explanation, in three queries."""
    found = run_row(session, actor, run)
    places = session.execute(
        select(AllocationRunPlace, Item.code, Item.name, Item.unit)
        .join(Item, Item.id == AllocationRunPlace.item_id)
        .where(AllocationRunPlace.run_id == run)
        .order_by(Item.code)
    )
    out = [
        RunPlaceRow(
            item_id=row.AllocationRunPlace.item_id, code=row.code, name=row.name, unit=row.unit,
            **{name: getattr(row.AllocationRunPlace, name) for name in ("rule", "free", "wanted", "given", "protected")},
        )
        for row in places
    ]  # fmt: skip
    lines: dict[int, list[RunLineRow]] = {}
    shown = 0
    for row in every_run_line(session, run, most):
        lines.setdefault(row.item_id, []).append(row)
        shown += 1
    return RunPage(run=found, places=out, lines=lines, shown=shown)


_LINE = (
    "item_id", "order_id", "rank", "moved_to", "wanted", "got", "why", "since", "priority", "tier", "by_first_come",
    "by_priority", "by_contract", "by_fair_share",
)  # fmt: skip


def every_run_line(session: Session, run: int, most: int = MOST_ROWS) -> Iterator[RunLineRow]:
    """The lines of a run by item and rank."""
    query = (
        select(AllocationRunLine, OrderLine.line_no, SalesOrder.number, Customer.name.label("customer"))
        .join(OrderLine, OrderLine.id == AllocationRunLine.order_line_id)
        .join(SalesOrder, SalesOrder.id == AllocationRunLine.order_id)
        .join(Customer, Customer.id == AllocationRunLine.customer_id)
        .join(Item, Item.id == AllocationRunLine.item_id)
        .where(AllocationRunLine.run_id == run)
        .order_by(Item.code, AllocationRunLine.rank)
        .limit(most)
    )
    for row in session.execute(query):
        line = row.AllocationRunLine
        yield RunLineRow(
            line_id=line.order_line_id, line_no=row.line_no, order=row.number, customer=row.customer,
            **{name: getattr(line, name) for name in _LINE},
        )  # fmt: skip
