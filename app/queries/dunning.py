"""Dunning: which runs there are, what one proposes and leaves out, what a notice says, and by which procedures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.composition.dunning_letters import DunningLetter, notice_number
from app.composition.letters import CustomerContact
from app.queries.letterheads import Letterhead, letterhead
from app.queries.listing import SqlList
from app.security.scopes import within_companies
from erpcore.billing.dunning.models import (
    DunningFee,
    DunningItem,
    DunningLeftOut,
    DunningNotice,
    DunningProcedure,
    DunningRun,
    NoticeState,
    RunState,
)
from erpcore.billing.dunning.procedures import levels_of
from erpcore.billing.dunning.rules import Level
from erpcore.billing.models import Invoice
from erpcore.credit.models import Receivable
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Customer, CustomerGroup, Entity

#: So many of what a run leaves out are shown; the number says how many there are.
MOST_LEFT = 100


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run with what it asks for, without what was dropped. ``issued`` of its notices are."""

    id: int
    entity_id: int
    entity: str
    realm: str
    currency: str
    run_on: date
    state: str
    proposed_by: int
    proposed_at: datetime
    confirmed_by: int | None
    confirmed_at: datetime | None
    version: int
    notices: int
    issued: int
    overdue_minor: int
    fee_minor: int


@dataclass(frozen=True, kw_only=True)
class NoticeRow:
    """What one customer is asked for. ``letter_state`` once it was issued."""

    id: int
    customer_id: int
    code: str
    customer: str
    level: int
    letter: str
    pay_until: date
    overdue_minor: int
    fee_minor: int
    state: str
    reason: str
    to_address: str
    letter_state: str
    documents: int

    @property
    def number(self) -> str:
        return notice_number(self.id)


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """An overdue document that a run does not ask for."""

    document: int
    number: str
    customer_id: int
    customer: str
    open_minor: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class RunPage:
    row: RunRow
    notices: list[NoticeRow]
    left_out: list[LeftOut]
    left_count: int


@dataclass(frozen=True, kw_only=True)
class NoticeItem:
    """A document of a notice: as proposed, and what is open of it now."""

    document: int
    number: str
    due_on: date
    from_level: int
    to_level: int
    asked_minor: int
    open_minor: int


@dataclass(frozen=True, kw_only=True)
class NoticePage:
    """A notice with its documents, its letter and its fee."""

    row: NoticeRow
    run_id: int
    run_on: date
    run_state: str
    entity_id: int
    entity: str
    realm: str
    currency: str
    head: Letterhead
    issued_at: datetime | None
    items: list[NoticeItem]
    subject: str
    body: str
    language: str
    sent_at: datetime | None
    last_error: str
    fee: str
    fee_id: int | None
    fee_open_minor: int


def _all_runs() -> Any:
    kept = DunningNotice.state != NoticeState.DROPPED
    sums = (
        select(
            DunningNotice.run_id, func.count().label("notices"),
            func.count().filter(DunningNotice.state == NoticeState.ISSUED).label("issued"),
            func.sum(DunningNotice.overdue_minor).label("overdue"), func.sum(DunningNotice.fee_minor).label("fee"),
        )
        .where(kept)
        .group_by(DunningNotice.run_id)
        .subquery()
    )  # fmt: skip
    return (
        select(
            DunningRun, Entity.name.label("entity"), Entity.realm, Entity.currency, sums.c.notices, sums.c.issued,
            sums.c.overdue, sums.c.fee,
        )
        .select_from(DunningRun)
        .join(Entity, Entity.id == DunningRun.entity_id)
        .outerjoin(sums, sums.c.run_id == DunningRun.id)
    )  # fmt: skip


def _run(row: Any) -> RunRow:
    one: DunningRun = row.DunningRun
    return RunRow(
        id=one.id, entity_id=one.entity_id, entity=row.entity, realm=row.realm, currency=row.currency, run_on=one.run_on,
        state=one.state, proposed_by=one.proposed_by, proposed_at=one.proposed_at, confirmed_by=one.confirmed_by,
        confirmed_at=one.confirmed_at, version=one.version, notices=row.notices or 0, issued=row.issued or 0,
        overdue_minor=int(row.overdue or 0), fee_minor=int(row.fee or 0),
    )  # fmt: skip


def _scoped(query: Any, actor: Actor) -> Any:
    return within_companies(query, actor, DunningRun.entity_id)


#: The list of runs.
RUNS: SqlList[RunRow] = SqlList(
    select=_all_runs, row=_run, tie=(DunningRun.id,), usual="-day", scope=_scoped, company=DunningRun.entity_id,
    by=("state", DunningRun.state), words=tuple(RunState), sorts={"day": DunningRun.run_on},
    wanted={
        "state": lambda value, _: DunningRun.state == value,
        "company": lambda value, _: DunningRun.entity_id == value,
    },
)  # fmt: skip


def _notices() -> Any:
    items = select(DunningItem.notice_id, func.count().label("documents")).group_by(DunningItem.notice_id).subquery()
    return (
        select(
            DunningNotice, Customer.code, Customer.name, Customer.country, CustomerContact.email, CustomerContact.wants_none,
            DunningLetter.state.label("letter_state"), DunningLetter.to_address, items.c.documents,
        )
        .select_from(DunningNotice)
        .join(Customer, Customer.id == DunningNotice.customer_id)
        .join(items, items.c.notice_id == DunningNotice.id)
        .outerjoin(CustomerContact, CustomerContact.customer_id == Customer.id)
        .outerjoin(DunningLetter, DunningLetter.notice_id == DunningNotice.id)
    )  # fmt: skip


def _notice(row: Any) -> NoticeRow:
    one: DunningNotice = row.DunningNotice
    address = row.to_address if row.letter_state else row.email if row.email and not row.wants_none else None
    return NoticeRow(
        id=one.id, customer_id=one.customer_id, code=row.code, customer=row.name, level=one.level, letter=one.letter,
        pay_until=one.pay_until, overdue_minor=one.overdue_minor, fee_minor=one.fee_minor, state=one.state,
        reason=one.reason or "", to_address=address or "", letter_state=row.letter_state or "", documents=row.documents,
    )  # fmt: skip


def run_page(session: Session, actor: Actor, run: int) -> RunPage:
    """One run, the highest level and the largest amounts first. Raises ``NotFound`` for an unknown one. Four queries."""
    found = session.execute(_scoped(_all_runs(), actor).where(DunningRun.id == run)).one_or_none()
    if found is None:
        raise NotFound("dunning_run_unknown", id=run)
    order = (DunningNotice.level.desc(), DunningNotice.overdue_minor.desc(), DunningNotice.id)
    notices = session.execute(_notices().where(DunningNotice.run_id == run).order_by(*order))
    of_run = DunningLeftOut.run_id == run
    left = session.execute(
        select(DunningLeftOut.__table__, Invoice.number, Customer.name)
        .join(Invoice, Invoice.id == DunningLeftOut.document_id)
        .join(Customer, Customer.id == DunningLeftOut.customer_id)
        .where(of_run)
        .order_by(DunningLeftOut.open_minor.desc(), DunningLeftOut.document_id)
        .limit(MOST_LEFT)
    )
    return RunPage(
        row=_run(found), notices=[_notice(one) for one in notices],
        left_out=[
            LeftOut(
                document=one.document_id, number=one.number or "", customer_id=one.customer_id, customer=one.name,
                open_minor=one.open_minor, reason=one.reason,
            )
            for one in left
        ],
        left_count=session.scalar(select(func.count()).select_from(DunningLeftOut).where(of_run)) or 0,
    )  # fmt: skip


def notice_page(session: Session, actor: Actor, notice: int) -> NoticePage:
    """One notice; raises ``NotFound`` for an unknown one and for another company's."""
    seen = within_companies(select(DunningNotice.id).where(DunningNotice.id == notice), actor, DunningNotice.entity_id)
    if session.execute(seen).first() is None:
        raise NotFound("dunning_notice_unknown", id=notice)
    return notice_of(session, notice)


def notice_of(session: Session, notice: int) -> NoticePage:
    """One notice for whoever writes it. Three queries, and those of its letterhead."""
    query = (
        _notices()
        .add_columns(
            DunningRun.run_on, DunningRun.state.label("run_state"), Entity.name.label("entity"), Entity.realm, Entity.currency,
            DunningLetter, DunningFee.number.label("fee"), DunningFee.id.label("fee_id"),
            Receivable.open_minor.label("fee_open"),
        )
        .join(DunningRun, DunningRun.id == DunningNotice.run_id)
        .join(Entity, Entity.id == DunningNotice.entity_id)
        .outerjoin(DunningFee, DunningFee.notice_id == DunningNotice.id)
        .outerjoin(Receivable, Receivable.document_id == DunningFee.id)
        .where(DunningNotice.id == notice)
    )  # fmt: skip
    row = session.execute(query).one()
    one, letter = row.DunningNotice, row.DunningLetter
    return NoticePage(
        row=_notice(row), run_id=one.run_id, run_on=row.run_on, run_state=row.run_state, entity_id=one.entity_id,
        entity=row.entity, realm=row.realm, currency=row.currency, head=letterhead(session, one.entity_id, one.customer_id, row.run_on), issued_at=one.issued_at,
        items=_items(session, notice), subject=letter.subject if letter else "", body=letter.body if letter else "",
        language=letter.language if letter else "", sent_at=letter.sent_at if letter else None,
        last_error=(letter.last_error or "") if letter else "", fee=row.fee or "", fee_id=row.fee_id,
        fee_open_minor=row.fee_open or 0,
    )  # fmt: skip


def _items(session: Session, notice: int) -> list[NoticeItem]:
    rows = session.execute(
        select(DunningItem.__table__, Invoice.number, Receivable.open_minor.label("now_open"))
        .join(Invoice, Invoice.id == DunningItem.document_id)
        .join(Receivable, Receivable.document_id == DunningItem.document_id)
        .where(DunningItem.notice_id == notice)
        .order_by(DunningItem.due_on, DunningItem.document_id)
    )
    return [
        NoticeItem(
            document=one.document_id, number=one.number or "", due_on=one.due_on, from_level=one.from_level,
            to_level=one.to_level, asked_minor=one.open_minor, open_minor=one.now_open,
        )
        for one in rows
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ProcedureRow:
    """A procedure with its levels."""

    id: int
    entity_id: int
    entity: str
    currency: str
    group: str
    name: str
    valid_from: date
    valid_until: date | None
    interval_days: int
    min_total_minor: int
    levels: Sequence[Level]


def all_procedures(session: Session, actor: Actor) -> list[ProcedureRow]:
    """Every procedure of the companies that the person sees, those that hold last first. Two queries."""
    query: Any = (
        select(DunningProcedure.__table__, Entity.name.label("entity"), Entity.currency, CustomerGroup.name.label("of"))
        .join(Entity, Entity.id == DunningProcedure.entity_id)
        .outerjoin(CustomerGroup, CustomerGroup.id == DunningProcedure.customer_group_id)
        .order_by(DunningProcedure.valid_from.desc(), DunningProcedure.id.desc())
    )
    rows = session.execute(within_companies(query, actor, DunningProcedure.entity_id)).all()
    levels = levels_of(session, [row.id for row in rows])
    return [
        ProcedureRow(
            id=row.id, entity_id=row.entity_id, entity=row.entity, currency=row.currency, group=row.of or "", name=row.name,
            valid_from=row.valid_from, valid_until=row.valid_until, interval_days=row.interval_days,
            min_total_minor=row.min_total_minor, levels=levels.get(row.id, []),
        )
        for row in rows
    ]  # fmt: skip


def notices_of_customer(session: Session, customer: int, limit: int = 20) -> list[NoticeRow]:
    """What a customer was asked for, the newest first."""
    query = _notices().where(DunningNotice.customer_id == customer, DunningNotice.state == NoticeState.ISSUED)
    return [_notice(row) for row in session.execute(query.order_by(DunningNotice.id.desc()).limit(limit))]
