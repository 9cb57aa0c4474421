"""Collecting for programs: the worklist with the next step of each customer, what was said to them, and whose they are."""

from __future__ import annotations

from datetime import date, datetime
from operator import attrgetter
from typing import Annotated, Literal

from pydantic import Field

from app.api.companies import in_company
from app.api.framework import operation
from app.api.lists import OneOf, listed, only, part_of, which
from app.api.v1.numbers import Key, as_amount, fresh, pointing
from app.api.v1.warehouse_models import Made
from app.api.values import Amount, Answer, Body, Page, PageQuery, Realm
from app.composition.request import now, reader
from app.queries.collections import COLLECTIONS, SCORE_BANDS, CollectionPage, CollectionRow, collection_page
from app.queries.processes import people_here
from app.queries.receivables import company_of
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.billing.collecting.rules import Action
from erpcore.billing.collecting.scoring import Score
from erpcore.billing.collecting.services import (
    NoteContact,
    give_customers,
    note_contact,
    route_customers,
    set_follow_up,
)
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork

TAG = "Collections"


class CollectionQuery(PageQuery):
    """Whom to collect from."""

    realm: Realm = "live"
    action: Annotated[str | None, OneOf([str(one) for one in Action])] = None
    today: bool = only("those with whom something is to be done today")
    mine: bool = only("those whom the caller looks after")
    nobody: bool = only("those whom nobody looks after")
    text: str = part_of("the customer's name or code")
    company: Key | None = which("Only what this company is owed.")
    owner: Key | None = which("Only those whom this person looks after.")
    score: Annotated[str | None, OneOf(SCORE_BANDS)] = None


class ReasonAnswer(Answer):
    """So many of so many points, and why."""

    part: str
    points: int
    most: int
    text: str


class ScoreAnswer(Answer):
    """How late a customer pays: `points` of 100, none below five invoices. `paid` and `late_open` are the sample."""

    points: int | None
    band: str
    paid: int
    late_open: int
    reasons: list[ReasonAnswer]


class CollectionAnswer(Answer):
    """A customer who owes something overdue. `collect` is overdue less what is in dispute and of theirs to apply."""

    customer_id: int
    code: str
    customer: str
    entity_id: int
    currency: str
    overdue: Amount
    overdue_1_30: Amount
    overdue_31_60: Amount
    overdue_61_90: Amount
    overdue_over_90: Amount
    disputed: Amount
    own: Amount = Field(description="On account and in credits, not applied yet.")
    collect: Amount
    oldest_days: int
    level: int
    held: str
    promises_kept: int
    promises_broken: int
    contact_at: datetime | None
    follow_up_on: date | None
    credit_used_percent: int | None
    action: str
    why: str
    owner_id: int | None
    is_routed: bool
    score: ScoreAnswer


class ContactAnswer(Answer):
    """What was said."""

    id: int
    kind: str
    spoke_with: str
    said: str
    follow_up_on: date | None
    by: int
    at: datetime


class CollectionDetail(Answer):
    """One customer; `collection` is empty while nothing is overdue."""

    customer_id: int
    collection: CollectionAnswer | None
    score: ScoreAnswer
    follow_up_on: date | None
    contacts: list[ContactAnswer]


class ContactBody(Body):
    """Somebody was spoken to."""

    kind: Literal["call", "mail", "letter", "visit"] = "call"
    spoke_with: str = Field(min_length=1, max_length=200)
    said: str = Field(min_length=1, max_length=2000)
    follow_up: date | None = None


class FollowUpBody(Body):
    """When the customer is due again; without a day whenever the rules say so."""

    day: date | None = None


class GiveBody(Body):
    """Whose these customers of one company are; without an owner whoever the routes say."""

    entity: Key
    customers: list[Key] = Field(min_length=1, max_length=500)
    owner: Key | None = None


class RouteBody(Body):
    """Whose a company's customers of a group are, or without a group all others; without an owner nobody's."""

    entity: Key
    group: Key | None = None
    owner: Key | None = None


class GivenAnswer(Answer):
    """So many customers were given."""

    customers: int


def _score(one: Score) -> ScoreAnswer:
    return ScoreAnswer(
        points=one.points, band=one.band, paid=one.paid, late_open=one.late_open,
        reasons=[ReasonAnswer(part=why.part, points=why.points, most=why.most, text=why.text) for why in one.reasons],
    )  # fmt: skip


def _row(row: CollectionRow) -> CollectionAnswer:
    young, middle, old, oldest = (as_amount(minor, row.currency) for minor in row.due_minor[1:])
    return CollectionAnswer(
        customer_id=row.customer_id, code=row.code, customer=row.customer, entity_id=row.entity_id, currency=row.currency,
        overdue=as_amount(row.overdue_minor, row.currency), overdue_1_30=young, overdue_31_60=middle, overdue_61_90=old,
        overdue_over_90=oldest, disputed=as_amount(row.disputed_minor, row.currency), own=as_amount(row.own_minor, row.currency),
        collect=as_amount(row.collect_minor, row.currency), oldest_days=row.oldest_days, level=row.level, held=row.held,
        promises_kept=row.kept, promises_broken=row.broken, contact_at=row.contact_at, follow_up_on=row.follow_up_on,
        credit_used_percent=row.used_percent, action=row.step.action, why=row.step.reason, owner_id=row.owner_id,
        is_routed=row.is_routed, score=_score(row.score),
    )  # fmt: skip


def _page(page: CollectionPage) -> CollectionDetail:
    return CollectionDetail(
        customer_id=page.customer_id, collection=_row(page.row) if page.row else None, score=_score(page.score),
        follow_up_on=page.follow_up_on,
        contacts=[
            ContactAnswer(
                id=one.id, kind=one.kind, spoke_with=one.spoke_with, said=one.said, follow_up_on=one.follow_up_on, by=one.actor,
                at=one.at,
            )
            for one in page.contacts
        ],
    )  # fmt: skip


def _known(work: UnitOfWork, person: int | None) -> None:
    if person is not None and person not in dict(people_here(work.session)):
        raise RuleBroken("choice_unknown", field="owner", value=str(person))


@operation(
    "GET", "/collections", permission=Permission.INVOICE_READ, summary="List whom to collect from, with the next step of each",
    tag=TAG, query=CollectionQuery, answer=Page[CollectionAnswer],
)  # fmt: skip
def list_collections(query: CollectionQuery) -> Page[CollectionAnswer]:
    return listed(COLLECTIONS, query, _row, key=attrgetter("customer_id"))


@operation(
    "GET", "/collections/{customer_id}", permission=Permission.INVOICE_READ,
    summary="One customer: the next step, the late-payment score with its reasons, and what was said", tag=TAG, answer=CollectionDetail,
)  # fmt: skip
def show_collection(customer_id: int) -> CollectionDetail:
    return _page(collection_page(reader(), actor(), customer_id, now()))


@operation(
    "POST", "/collections/{customer_id}/contacts", permission=Permission.COLLECTION_WORK, summary="Note what was said to a customer",
    tag=TAG, body=ContactBody, answer=Made, status=201,
    example={"kind": "call", "spoke_with": "Ms Kern", "said": "pays on Friday", "follow_up": "2026-12-21"},
)  # fmt: skip
def note_collection_contact(work: UnitOfWork, customer_id: int, body: ContactBody) -> Made:
    work.realm = company_of(work.session, work.actor, customer_id)[1].realm
    with pointing():
        return Made(id=note_contact(work, NoteContact(customer=customer_id, **body.model_dump())))


@operation(
    "POST", "/collections/{customer_id}/follow-up", permission=Permission.COLLECTION_WORK,
    summary="Say when a customer is due again", tag=TAG, body=FollowUpBody, answer=CollectionDetail, example={"day": "2026-12-21"},
)  # fmt: skip
def follow_collection_up(work: UnitOfWork, customer_id: int, body: FollowUpBody) -> CollectionDetail:
    work.realm = company_of(work.session, work.actor, customer_id)[1].realm
    with pointing():
        set_follow_up(work, customer_id, body.day)
    return _page(collection_page(fresh(work), work.actor, customer_id, work.now))


@operation(
    "POST", "/collections/give", permission=Permission.COLLECTION_WORK, summary="Say who looks after customers of a company", tag=TAG,
    body=GiveBody, answer=GivenAnswer, example={"entity": 1000, "customers": [1003], "owner": 7},
)  # fmt: skip
def give_collections(work: UnitOfWork, body: GiveBody) -> GivenAnswer:
    in_company(work, body.entity)
    _known(work, body.owner)
    with pointing():
        give_customers(work, body.customers, body.owner)
    return GivenAnswer(customers=len(set(body.customers)))


@operation(
    "POST", "/collections/routes", permission=Permission.DUNNING_SET_UP, summary="Say whose customers of a group are", tag=TAG,
    body=RouteBody, answer=GivenAnswer, example={"entity": 1000, "group": 12, "owner": 7},
)  # fmt: skip
def route_collections(work: UnitOfWork, body: RouteBody) -> GivenAnswer:
    in_company(work, body.entity)
    _known(work, body.owner)
    with pointing():
        route_customers(work, body.entity, body.group, body.owner)
    return GivenAnswer(customers=0)
