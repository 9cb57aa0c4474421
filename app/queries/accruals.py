"""The accruals of a company at the end of a period: what stands in the books, what a run would post now, and where each line comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from app.composition.terms import late_rulesets
from app.queries.listing import SqlList
from erpcore.billing.accruals.ends import period_end
from erpcore.billing.accruals.figures import Due, DueKey
from erpcore.billing.accruals.models import AccrualKind, AccrualLine, AccrualRun
from erpcore.billing.accruals.services import due_at, standing_at, still_due
from erpcore.billing.models import Invoice
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import day_start
from erpcore.kernel.money import from_minor
from erpcore.masterdata.models import Channel, Entity, Site
from erpcore.orders.models import SalesOrder

#: What each kind is called on pages.
KINDS: dict[AccrualKind, str] = {
    AccrualKind.UNBILLED: "Revenue not invoiced",
    AccrualKind.DEFERRED: "Revenue deferred",
    AccrualKind.COST: "Cost of goods on the way",
    AccrualKind.FREIGHT: "Freight not billed",
    AccrualKind.REFUND: "Refunds expected",
    AccrualKind.RETURNED: "Goods expected back",
}
#: Why.
MEANS: dict[AccrualKind, str] = {
    AccrualKind.UNBILLED: "the customer controls the goods, and no invoice of the period bills them",
    AccrualKind.DEFERRED: "an invoice bills what the customer does not control yet",
    AccrualKind.COST: "goods have left whose revenue does not count yet",
    AccrualKind.FREIGHT: "shipments have left that no carrier has billed",
    AccrualKind.REFUND: "of the last 30 days’ sales, at the rate of the channel’s last year",
    AccrualKind.RETURNED: "what comes back and is sold again, at its cost",
}


def said_of(due: Iterable[Due]) -> str:
    """In words: each kind with how many and how much."""
    sums: dict[tuple[AccrualKind, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in due:
        part = sums[one.key.kind, one.key.currency]
        part[0], part[1] = part[0] + 1, part[1] + one.amount
    return "; ".join(
        f"{KINDS[kind].lower()} {from_minor(minor, currency)} {currency} ({count})"
        for (kind, currency), (count, minor) in sorted(sums.items(), key=lambda one: (list(KINDS).index(one[0][0]), one[0][1]))
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class KindRow:
    """One kind in one currency: what is due, how many documents it comes from, what stands there, and what a run would post."""

    kind: AccrualKind
    currency: str
    count: int
    due_minor: int
    standing_minor: int

    @property
    def title(self) -> str:
        return KINDS[self.kind]

    @property
    def means(self) -> str:
        return MEANS[self.kind]

    @property
    def left_minor(self) -> int:
        return self.due_minor - self.standing_minor


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One run: whose books, which end, when it was run last, and how many lines it posted in all."""

    id: int
    until: date
    last_on: date
    run_at: datetime
    lines: int
    times: int


@dataclass(frozen=True, kw_only=True)
class EndPage:
    """The end of one period: what is due by kind, and whether anything is left to be posted. ``has_traded``: whether goods left or
    were billed in the month that ends with it; where nothing is due, only then does that say anything.
    """

    until: date
    last_on: date
    kinds: list[KindRow]
    due: int
    left: int
    run: RunRow | None
    has_traded: bool


def end_page(session: Session, actor: Actor, entity: int, until: date) -> EndPage:
    """What is due at the end of a company's days before ``until``, and what of it stands in the books: of the person's sites."""

    def seen(key: DueKey) -> bool:
        return actor.sites is None or key.site in actor.sites

    due = [one for one in due_at(session, period_end(session, entity, until, late_rulesets(session))) if seen(one.key)]
    standing = {key: sums for key, sums in standing_at(session, entity, until).items() if seen(key)}
    counts: dict[tuple[AccrualKind, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for one in due:
        part = counts[one.key.kind, one.key.currency]
        part[0], part[1] = part[0] + 1, part[1] + one.amount
    for key, (amount, _) in standing.items():
        counts[key.kind, key.currency][2] += amount
    order = list(KINDS)
    kinds = [
        KindRow(kind=kind, currency=currency, count=count, due_minor=minor, standing_minor=there)
        for (kind, currency), (count, minor, there) in sorted(counts.items(), key=lambda one: (order.index(one[0][0]), one[0][1]))
        if minor or there
    ]  # fmt: skip
    run = next(iter(runs_of(session, entity, until)), None)
    return EndPage(
        until=until, last_on=date.fromordinal(until.toordinal() - 1), kinds=kinds, due=len(due), left=len(still_due(due, standing)), run=run,
        has_traded=_has_traded(session, actor, entity, until),
    )  # fmt: skip


def _has_traded(session: Session, actor: Actor, entity: int, until: date) -> bool:
    """Whether goods of the person's sites left or were billed in the days of the last month before ``until``. One query."""
    first = (until - timedelta(days=1)).replace(day=1)
    zone = session.get_one(Entity, entity).time_zone
    left = select(Shipment.id).where(
        Shipment.entity_id == entity, Shipment.confirmed_at >= day_start(first, zone),
        Shipment.confirmed_at < day_start(until, zone), _of_sites(actor, Shipment.site_id),
    )  # fmt: skip
    billed = select(Invoice.id).where(
        Invoice.entity_id == entity,
        Invoice.invoice_on >= first,
        Invoice.invoice_on < until,
        _of_sites(actor, Invoice.site_id),
    )
    return bool(session.scalar(select(or_(left.exists(), billed.exists()))))


def _of_sites(actor: Actor, site: Any) -> ColumnElement[bool]:
    return true() if actor.sites is None else site.in_(sorted(actor.sites))


#: The newest that are shown.
MOST = 60


def runs_of(session: Session, entity: int, until: date | None = None) -> list[RunRow]:
    """The runs of a company, the newest period first. One query."""
    lines = select(func.count()).where(AccrualLine.run_id == AccrualRun.id).correlate(AccrualRun).scalar_subquery()
    query = (
        select(AccrualRun, lines).where(AccrualRun.entity_id == entity).order_by(AccrualRun.until.desc()).limit(MOST)
    )
    if until is not None:
        query = query.where(AccrualRun.until == until)
    return [
        RunRow(
            id=run.id, until=run.until, last_on=date.fromordinal(run.until.toordinal() - 1), run_at=run.run_at, lines=count,
            times=run.version,
        )
        for run, count in session.execute(query)
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LineRow:
    """One line of a run, with the shipment, order or invoice that it comes from and the two entries that it posted."""

    id: int
    run_id: int
    until: date
    kind: str
    entity_id: int
    entity: str
    site_id: int
    site: str
    channel_id: int
    channel: str
    shipment_id: int | None
    shipment: str | None
    order_id: int | None
    order: str | None
    invoice_id: int | None
    invoice: str | None
    currency: str
    amount_minor: int
    charges_minor: int
    basis: str | None
    entry_id: int
    reversal_id: int

    @property
    def title(self) -> str:
        return KINDS[AccrualKind(self.kind)]


def _select() -> Any:
    return (
        select(
            AccrualLine, AccrualRun.until, AccrualRun.entity_id, Entity.name.label("entity"), Site.name.label("site"),
            Channel.name.label("channel"), Shipment.number.label("shipment"), SalesOrder.number.label("order"),
            Invoice.number.label("invoice"),
        )
        .select_from(AccrualLine)
        .join(AccrualRun, AccrualRun.id == AccrualLine.run_id)
        .join(Entity, Entity.id == AccrualRun.entity_id)
        .join(Site, Site.id == AccrualLine.site_id)
        .join(Channel, Channel.id == AccrualLine.channel_id)
        .join(Shipment, Shipment.id == AccrualLine.shipment_id, isouter=True)
        .join(SalesOrder, SalesOrder.id == AccrualLine.order_id, isouter=True)
        .join(Invoice, Invoice.id == AccrualLine.invoice_id, isouter=True)
    )  # fmt: skip


def _row(row: Any) -> LineRow:
    one: AccrualLine = row.AccrualLine
    return LineRow(
        id=one.id, run_id=one.run_id, until=row.until, kind=one.kind, entity_id=row.entity_id, entity=row.entity,
        site_id=one.site_id, site=row.site, channel_id=one.channel_id, channel=row.channel, shipment_id=one.shipment_id,
        shipment=row.shipment, order_id=one.order_id, order=row.order, invoice_id=one.invoice_id, invoice=row.invoice,
        currency=one.currency, amount_minor=one.amount_minor, charges_minor=one.charges_minor, basis=one.basis,
        entry_id=one.entry_id, reversal_id=one.reversal_id,
    )  # fmt: skip


def _scoped(query: Any, actor: Actor) -> Any:
    return query if actor.sites is None else query.where(AccrualLine.site_id.in_(sorted(actor.sites)))


#: The lines of all runs of the companies that the person sees.
ACCRUALS: SqlList[LineRow] = SqlList(
    select=_select, row=_row, tie=(AccrualLine.id,), usual="-until", scope=_scoped, is_long=True,
    text=(Shipment.number, SalesOrder.number, Invoice.number),
    sorts={
        "id": AccrualLine.id, "until": AccrualRun.until, "kind": AccrualLine.kind, "site": Site.name, "channel": Channel.name,
        "amount": AccrualLine.amount_minor,
    },
    wanted={
        "entity": lambda value, _: AccrualRun.entity_id == value,
        "run": lambda value, _: AccrualLine.run_id == value,
        "kind": lambda value, _: AccrualLine.kind == value,
        "site": lambda value, _: AccrualLine.site_id == value,
        "channel": lambda value, _: AccrualLine.channel_id == value,
    },
)  # fmt: skip
