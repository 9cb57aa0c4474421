"""Whom does a collector work for today, in which order, and what is the next step with each? One row per customer and company.

Worked out from what is overdue now: nothing of it is kept but what people said and whose customers are. Amounts are in minor units
of the company's currency; those of two companies stand beside each other by number, never added up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.identity.models import Account
from app.queries.listing import MOST_ROWS, Asked
from app.queries.places import EntityPick, entities_seen
from app.queries.receivables import AGEING, AgeingRow, company_of
from app.queries.worked_out import MemoryList
from erpcore.billing.collecting.queries import (
    behaviours,
    cases_of,
    contacts_of,
    disputed_minor,
    last_contacts,
    routes_of,
)
from erpcore.billing.collecting.rules import Action, NextStep, Situation, next_step
from erpcore.billing.collecting.scoring import BANDS, Score, score_of
from erpcore.billing.dunning.models import BlockKind, DunningBlock, DunningNotice, NoticeState
from erpcore.billing.dunning.procedures import Procedure, procedures_of
from erpcore.billing.dunning.records import Promise, overdue_invoices, promises
from erpcore.billing.dunning.rules import Overdue, PromiseState, next_level
from erpcore.credit.models import CreditExposure
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.rows import chunks
from erpcore.masterdata.models import Customer, CustomerGroup

SCORE_BANDS = (*(name for _, name in BANDS), "unknown")


@dataclass(frozen=True, kw_only=True)
class CollectionRow:
    """A customer who owes something overdue. ``due_minor`` by the buckets of ageing; ``own_minor`` is on account and in credits;
    ``disputed_minor`` is deducted, disputed or blocked for a dispute; ``collect_minor`` is what is left to ask for. ``is_routed``: the owner is whoever a route names, not one named for them.
    """

    customer_id: int
    code: str
    customer: str
    entity_id: int
    entity: str
    realm: str
    currency: str
    due_minor: tuple[int, ...]
    overdue_minor: int
    own_minor: int
    disputed_minor: int
    collect_minor: int
    oldest_days: int
    level: int
    held: str
    promise: Promise | None
    kept: int
    broken: int
    contact_at: datetime | None
    contact_with: str
    follow_up_on: date | None
    limit_minor: int | None
    exposure_minor: int
    owner_id: int | None
    owner: str
    is_routed: bool
    score: Score
    step: NextStep

    @property
    def used_percent(self) -> int | None:
        """How much of the credit limit is used; ``None`` where none is checked."""
        if self.limit_minor is None:
            return None
        return (
            100 * self.exposure_minor // self.limit_minor if self.limit_minor > 0 else 100 * (self.exposure_minor > 0)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What is read once for all customers of a page."""

    overdue: Mapping[int, list[Overdue]]
    disputed: Mapping[int, int]
    promised: Mapping[int, list[Promise]]
    scores: Mapping[int, Score]
    blocks: Mapping[int, str]
    contacts: Mapping[int, Any]
    cases: Mapping[int, Any]
    routes: Mapping[tuple[int, int | None], int]
    standing: Mapping[int, Any]
    names: Mapping[int, str]
    procedures: Mapping[int, dict[int | None, Procedure]]


def collection_rows(session: Session, actor: Actor, asked: Asked, now: datetime) -> list[CollectionRow]:
    """Everybody who owes something overdue to a company that the person sees, unsorted."""
    entities = {one.id: one for one in entities_seen(session, actor) if one.realm == asked.realm}
    whole = Asked(values={"overdue": True}, realm=asked.realm, size=MOST_ROWS)
    return _rows(session, entities, list(AGEING.every(session, actor, whole, now)), now)


def _rows(
    session: Session, entities: Mapping[int, EntityPick], aged: Sequence[AgeingRow], now: datetime
) -> list[CollectionRow]:
    here = {one.entity_id for one in aged}
    todays = {key: local_day(now, entities[key].time_zone) for key in here}
    known = _known(session, entities, aged, todays)
    return [_row(one, entities[one.entity_id], known, todays[one.entity_id]) for one in aged]


def _known(
    session: Session, entities: Mapping[int, EntityPick], aged: Sequence[AgeingRow], todays: Mapping[int, date]
) -> _Known:
    everybody = [one.customer_id for one in aged]
    overdue: dict[int, list[Overdue]] = defaultdict(list)
    disputed: dict[int, int] = {}
    promised: dict[int, list[Promise]] = defaultdict(list)
    scores: dict[int, Score] = {}
    procedures: dict[int, dict[int | None, Procedure]] = {}
    # Companies that write the same day are read together.
    for today in set(todays.values()):
        here = [key for key, day in todays.items() if day == today]
        found = overdue_invoices(session, here, today)
        for document in found:
            overdue[document.customer].append(document)
        disputed |= disputed_minor(session, found, here, today)
        procedures |= procedures_of(session, here, today)
        zones = {one.customer_id: entities[one.entity_id].time_zone for one in aged if one.entity_id in here}
        for promise in promises(session, zones, today):
            promised[promise.customer].append(promise)
        paid = behaviours(session, zones, today, blocked=disputed.keys())
        scores |= {key: _score(paid.get(key, []), promised.get(key, [])) for key in zones}
    cases, routes = cases_of(session, everybody), routes_of(session, todays)
    owners = {row.owner_id for row in cases.values() if row.owner_id} | set(routes.values())
    return _Known(
        overdue=overdue, disputed=disputed, promised=promised, scores=scores, blocks=_blocks(session, everybody, todays),
        contacts=last_contacts(session, everybody), cases=cases, routes=routes,
        standing=_standing(session, everybody), names=_names(session, owners),
        procedures=procedures,
    )  # fmt: skip


def _score(paid: Sequence[Any], said: Sequence[Promise]) -> Score:
    counted = [one.state for one in said]
    return score_of(paid, counted.count(PromiseState.KEPT), counted.count(PromiseState.BROKEN))


def _blocks(session: Session, customers: Collection[int], todays: Mapping[int, date]) -> dict[int, str]:
    """Why nobody asks a customer for anything, by customer; blocks of single documents are no reason to leave them alone."""
    found: dict[int, str] = {}
    for part in chunks(sorted(customers)):
        rows = session.execute(
            select(DunningBlock.__table__)
            .where(DunningBlock.customer_id.in_(part), DunningBlock.document_id.is_(None), DunningBlock.lifted_at.is_(None))
            .order_by(DunningBlock.until)
        )  # fmt: skip
        for row in rows:
            if row.until > todays[row.entity_id]:
                said = "In dispute" if row.kind == BlockKind.DISPUTE else "Blocked"
                found[row.customer_id] = f"{said} until {row.until.day} {row.until:%b %Y}: {row.reason}"
    return found


def _standing(session: Session, customers: Collection[int]) -> dict[int, Any]:
    """Group, limit and exposure of each customer, and the day that the newest issued notice gives them."""
    owed, notice, found = CreditExposure, DunningNotice, dict[int, Any]()
    pay_until = (
        select(notice.pay_until)
        .where(notice.customer_id == Customer.id, notice.state == NoticeState.ISSUED)
        .order_by(notice.id.desc())
        .limit(1)
        .correlate(Customer)
        .scalar_subquery()
    )
    for part in chunks(sorted(customers)):
        rows = session.execute(
            select(
                Customer.id, Customer.group_id, Customer.credit_limit_minor, pay_until.label("pay_until"),
                (func.coalesce(owed.receivable_minor, 0) + func.coalesce(owed.shipped_minor, 0) + func.coalesce(owed.released_minor, 0)).label("exposure"),
            ).outerjoin(owed, owed.customer_id == Customer.id).where(Customer.id.in_(part))
        )  # fmt: skip
        found.update({row.id: row for row in rows})
    return found


def _names(session: Session, people: Collection[int]) -> dict[int, str]:
    if not people:
        return {}
    return {
        row.id: row.name
        for row in session.execute(select(Account.id, Account.name).where(Account.id.in_(sorted(people))))
    }


def _row(one: AgeingRow, entity: EntityPick, known: _Known, today: date) -> CollectionRow:
    key, documents, said = (
        one.customer_id,
        known.overdue.get(one.customer_id, []),
        known.promised.get(one.customer_id, []),
    )
    case, contact, stands, score = known.cases.get(key), known.contacts.get(key), known.standing[key], known.scores[key]
    of_group = known.routes.get((one.entity_id, stands.group_id)) if stands.group_id is not None else None
    routed = of_group or known.routes.get((one.entity_id, None))
    named = case.owner_id if case else None
    owner = named or routed
    blocked = sum(known.disputed.get(document.document, 0) for document in documents)
    disputed = blocked + one.deducted_minor
    own = -(one.credits_minor + one.on_account_minor)
    collect = max(0, one.overdue_minor - blocked - own)
    level = max((document.level for document in documents), default=0)
    held = known.blocks.get(key, "")
    open_promise = next((promise for promise in said if promise.state is PromiseState.OPEN), None)
    broken = [promise for promise in said if promise.state is PromiseState.BROKEN]
    step = next_step(
        Situation(
            today=today, collect_minor=collect, disputed_minor=disputed, level=level, held=held, points=score.points,
            oldest_days=max(((today - document.due_on).days for document in documents), default=0),
            top_level=_top(known, one.entity_id, stands.group_id), letter_level=_letter(known, one, stands.group_id, documents, today),
            pay_until=stands.pay_until, promised_until=open_promise.until if open_promise else None,
            promised_by=open_promise.said_by if open_promise else "", broken_on=broken[0].until if broken else None,
            contact_on=local_day(contact.at, entity.time_zone) if contact else None,
            follow_up_on=case.follow_up_on if case else None,
        )
    )  # fmt: skip
    return CollectionRow(
        customer_id=key, code=one.code, customer=one.customer, entity_id=one.entity_id, entity=one.entity, realm=entity.realm,
        currency=one.currency, due_minor=one.due_minor, overdue_minor=one.overdue_minor, own_minor=own, disputed_minor=disputed,
        collect_minor=collect, oldest_days=max(((today - document.due_on).days for document in documents), default=0), level=level,
        held=held, promise=open_promise or (broken[0] if broken else None), broken=len(broken),
        kept=sum(promise.state is PromiseState.KEPT for promise in said), contact_at=contact.at if contact else None,
        contact_with=contact.spoke_with if contact else "", follow_up_on=case.follow_up_on if case else None,
        limit_minor=stands.credit_limit_minor, exposure_minor=int(stands.exposure), owner_id=owner,
        owner=known.names.get(owner or 0, ""), is_routed=named is None and owner is not None, score=score, step=step,
    )  # fmt: skip


def _procedure(known: _Known, entity: int, group: int | None) -> Procedure | None:
    found = known.procedures[entity]
    return found.get(group) or found.get(None)


def _top(known: _Known, entity: int, group: int | None) -> int:
    procedure = _procedure(known, entity, group)
    return max(procedure.levels, default=0) if procedure else 0


def _letter(
    known: _Known, one: AgeingRow, group: int | None, documents: Sequence[Overdue], today: date
) -> int:  # fmt: skip
    """The highest level that a run of today would ask at; 0 where nothing rises."""
    procedure = _procedure(known, one.entity_id, group)
    if procedure is None:
        return 0
    rises = [
        (next_level(procedure.levels, document, today, procedure.interval_days), document.level)
        for document in documents
        if document.document not in known.disputed
    ]
    return max((after for after, before in rises if after > before), default=0)


_SORTS: Mapping[str, Callable[[CollectionRow], Any]] = {
    "priority": lambda row: (*row.step.priority, row.customer_id), "customer": lambda row: row.code,
    "overdue": lambda row: row.overdue_minor, "collect": lambda row: row.collect_minor, "oldest": lambda row: row.oldest_days,
    "score": lambda row: row.score.points, "contact": lambda row: row.contact_at, "follow_up": lambda row: row.follow_up_on,
}  # fmt: skip

#: The worklist of collectors, in the order in which a day is worked through.
COLLECTIONS: MemoryList[CollectionRow] = MemoryList(
    rows=collection_rows, sorts=_SORTS, usual="priority", by=("action", lambda row: row.step.action), key=lambda row: row.customer_id,
    flags=("today", "mine", "nobody"), text=lambda row: f"{row.code} {row.customer}",
    wanted={
        "action": lambda row, value, _: row.step.action == value,
        "today": lambda row, _value, _eyes: row.step.action is not Action.WAIT,
        "mine": lambda row, _value, eyes: row.owner_id == eyes.actor.id,
        "nobody": lambda row, _value, _eyes: row.owner_id is None,
        "owner": lambda row, value, _: row.owner_id == value,
        "company": lambda row, value, _: row.entity_id == value,
        "score": lambda row, value, _: row.score.band == value,
    },
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CollectionPage:
    """One customer for whoever collects. ``row`` is ``None`` while nothing is overdue; the score is there either way."""

    customer_id: int
    code: str
    customer: str
    entity: str
    realm: str
    currency: str
    row: CollectionRow | None
    score: Score
    contacts: list[Any]
    follow_up_on: date | None


def collection_page(session: Session, actor: Actor, customer: int, now: datetime) -> CollectionPage:
    """One customer; raises ``NotFound`` for another company's."""
    found, entity = company_of(session, actor, customer)
    asked = Asked(
        values={"overdue": True, "text": found.code, "company": entity.id}, realm=entity.realm, size=MOST_ROWS
    )
    aged = [one for one in AGEING.every(session, actor, asked, now) if one.customer_id == customer]
    rows = _rows(session, {entity.id: entity}, aged, now)
    case = cases_of(session, [customer]).get(customer)
    return CollectionPage(
        customer_id=found.id, code=found.code, customer=found.name, entity=entity.name, realm=entity.realm,
        currency=entity.currency, row=rows[0] if rows else None, contacts=contacts_of(session, customer),
        score=rows[0].score if rows else score_on(session, entity.time_zone, customer, now),
        follow_up_on=case.follow_up_on if case else None,
    )  # fmt: skip


def score_on(session: Session, zone: str, customer: int, now: datetime) -> Score:
    """How late a customer of a company in that zone pays. Up to five queries."""
    today = local_day(now, zone)
    said = promises(session, {customer: zone}, today)
    return _score(behaviours(session, {customer: zone}, today).get(customer, []), said)


@dataclass(frozen=True, kw_only=True)
class RoutePage:
    """Whose customers are: company, group and person by name; and the groups to choose from."""

    rows: list[tuple[str, str, str]]
    groups: list[tuple[int, str]]


def routes_shown(session: Session, actor: Actor) -> RoutePage:
    """The routes of the companies that the person sees. Four queries."""
    entities = {one.id: one.label for one in entities_seen(session, actor)}
    groups = {
        row.id: row.name
        for row in session.execute(select(CustomerGroup.id, CustomerGroup.name).order_by(CustomerGroup.name))
    }
    found = routes_of(session, entities)
    names = _names(session, set(found.values()))
    rows = [
        (entities[entity], groups.get(group or 0, ""), names.get(owner, "")) for (entity, group), owner in found.items()
    ]
    return RoutePage(rows=sorted(rows), groups=list(groups.items()))
