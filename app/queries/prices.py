"""Which prices are there, for whom and until when; which lists changed them; and why does an order line have its price?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Date, case, func, literal, or_, select
from sqlalchemy.orm import Session, defer

from app.queries.listing import MOST_ROWS, Asked, Found, Position, SqlList, last_page, like
from app.queries.worked_out import AskedList
from app.security.scopes import within_companies
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from erpcore.masterdata.models import Channel, Customer, CustomerGroup, Entity, Item, ItemGroup
from erpcore.masterdata.queries import find_by_code
from erpcore.pricing.models import PriceKind, PriceList, PriceRule
from erpcore.pricing.precedence import precedence
from governance.approvals.models import ApprovalRequest

KINDS = tuple(kind.value for kind in PriceKind)
_NAMED: Mapping[str, Any] = {
    "item_group": ItemGroup, "customer": Customer, "customer_group": CustomerGroup, "channel": Channel,
}  # fmt: skip
STANDINGS = ("now", "later", "ended")


@dataclass(frozen=True, kw_only=True)
class PriceRow:
    """A rule with the names that people know. ``unit_price`` or ``discount``, a share of the list price."""

    id: int
    entity_id: int
    entity: str
    kind: str
    item_id: int | None
    item_code: str
    item: str
    unit: str
    item_group_code: str
    item_group: str
    customer_code: str
    customer: str
    customer_group_code: str
    customer_group: str
    channel_code: str
    channel: str
    minimum_quantity: Decimal
    unit_price: Decimal | None
    discount: Decimal | None
    currency: str
    valid_from: date
    valid_until: date | None
    reference: str
    price_list_id: int | None
    saved_by: int
    saved_at: datetime
    ended_at: datetime | None

    @property
    def what(self) -> str:
        """What it prices: the item's code, or its group's name."""
        return self.item_code or self.item_group

    @property
    def whom(self) -> str:
        """For whom it holds: ``Bautechnik, Wholesale``, or everybody."""
        parts = [part for part in (self.customer, self.customer_group, self.channel) if part]
        return ", ".join(parts) or "everybody"

    def standing(self, today: date) -> str:
        if self.valid_until is not None and self.valid_until <= max(today, self.valid_from):
            return "ended"
        return "later" if self.valid_from > today else "now"


def code_choices(session: Session, name: str) -> list[tuple[str, str]]:
    """Codes and names of ``item_group``, ``customer_group`` or ``channel``, by name."""
    table = _NAMED[name]
    return [(row.code, row.name) for row in session.execute(select(table.code, table.name).order_by(table.name))]


def ids_by_code(session: Session, entity: int, item: str, customer: str) -> tuple[int | None, int | None]:
    """The ids of a company's item and customer; ``None`` where there is none of this code."""
    items, customers = (
        find_by_code(session, table, entity, [code] if code else [])
        for table, code in ((Item, item), (Customer, customer))
    )
    return items.get(item), customers.get(customer)


_COPIED = (
    "id", "entity_id", "kind", "item_id", "minimum_quantity", "unit_price", "discount", "currency", "valid_from",
    "valid_until", "price_list_id", "saved_by", "saved_at", "ended_at",
)  # fmt: skip


def _query() -> Any:
    query: Any = (
        select(PriceRule, Item.code.label("item_code"), Item.name.label("item_name"), Item.unit, Entity.name.label("entity"))
        .join(Entity, Entity.id == PriceRule.entity_id)
        .outerjoin(Item, Item.id == PriceRule.item_id)
    )  # fmt: skip
    for name, table in _NAMED.items():
        query = query.add_columns(table.code.label(f"{name}_code"), table.name.label(f"{name}_name"))
        query = query.outerjoin(table, table.id == getattr(PriceRule, f"{name}_id"))
    return query


def _row(found: Any) -> PriceRow:
    rule: PriceRule = found.PriceRule
    names: dict[str, Any] = {name: getattr(found, f"{name}_name") or "" for name in _NAMED}
    codes: dict[str, Any] = {f"{name}_code": getattr(found, f"{name}_code") or "" for name in _NAMED}
    return PriceRow(
        entity=found.entity, item_code=found.item_code or "", item=found.item_name or "", unit=found.unit or "",
        reference=rule.reference or "", **names, **codes, **{name: getattr(rule, name) for name in _COPIED},
    )  # fmt: skip


def _mine(query: Any, actor: Actor) -> Any:
    """Kept to the companies of the sites that the person sees."""
    return within_companies(query, actor, PriceRule.entity_id)


def day_by_company(
    now: datetime, zones: Mapping[int, str], company: Any = PriceRule.entity_id
) -> date | ColumnElement[date]:
    """Today where the company of a rule is: one date, unless it is another day already somewhere. ``zones``: by company."""
    days = {company: local_day(now, zone) for company, zone in zones.items()}
    usual = next(iter(days.values()), local_day(now, "UTC"))
    others = {company: day for company, day in days.items() if day != usual}
    if not others:
        return usual
    said = {company: literal(day, Date) for company, day in others.items()}
    return case(said, value=company, else_=literal(usual, Date))


def _narrowed(query: Any, actor: Actor, asked: Asked, today: date | ColumnElement[date]) -> Any:
    query, wanted = _mine(query, actor), asked.values
    query = query.where(PriceRule.entity_id.in_(select(Entity.id).where(Entity.realm == asked.realm)))
    for name in ("entity", "customer_group", "channel"):
        if name in wanted:
            query = query.where(getattr(PriceRule, f"{name}_id") == wanted[name])
    is_open = or_(PriceRule.valid_until.is_(None), PriceRule.valid_until > PriceRule.valid_from)
    goes_on = or_(PriceRule.valid_until.is_(None), PriceRule.valid_until > today)
    if wanted.get("standing") == "now":
        query = query.where(PriceRule.valid_from <= today, goes_on)
    if wanted.get("standing") == "later":
        query = query.where(PriceRule.valid_from > today, is_open)
    if wanted.get("standing") == "ended":
        query = query.where(or_(~goes_on, ~is_open))
    if "text" in wanted:
        pattern = like(wanted["text"])
        found = [
            PriceRule.item_id.in_(
                select(Item.id).where(or_(Item.code.ilike(pattern, escape="\\"), Item.name.ilike(pattern, escape="\\")))
            ),
            PriceRule.customer_id.in_(
                select(Customer.id).where(
                    or_(Customer.code.ilike(pattern, escape="\\"), Customer.name.ilike(pattern, escape="\\"))
                )
            ),
            PriceRule.item_group_id.in_(select(ItemGroup.id).where(ItemGroup.name.ilike(pattern, escape="\\"))),
            PriceRule.reference.ilike(pattern, escape="\\"),
        ]
        query = query.where(or_(*found))
    return query


def _of_kind(query: Any, asked: Asked) -> Any:
    return query.where(PriceRule.kind == asked.values["kind"]) if "kind" in asked.values else query


_SORTS: Mapping[str, Any] = {
    "item": Item.code, "kind": PriceRule.kind, "price": PriceRule.unit_price, "from": PriceRule.valid_from,
}  # fmt: skip


def _sorted(query: Any, sort: str) -> Any:
    column = _SORTS.get(sort.removeprefix("-"), Item.code)
    column = column.desc() if sort.startswith("-") else column.asc()
    return query.order_by(
        column.nulls_last(),
        Item.code,
        PriceRule.item_group_id,
        PriceRule.customer_key,
        PriceRule.valid_from,
        PriceRule.id,
    )


def _days(session: Session, actor: Actor, now: datetime) -> date | ColumnElement[date]:
    """Today where the company of a rule is, for the companies that the person sees."""
    seen: Any = select(Entity.id, Entity.time_zone).order_by(Entity.id)
    rows = session.execute(within_companies(seen, actor, Entity.id))
    return day_by_company(now, {row.id: row.time_zone for row in rows})


def _page(session: Session, actor: Actor, asked: Asked, now: datetime) -> Found[PriceRow]:
    """By item, the strongest kind first."""
    today = _days(session, actor, now)
    counts = _narrowed(select(PriceRule.kind, func.count()), actor, asked, today).group_by(PriceRule.kind)
    by_kind = {row[0]: row[1] for row in session.execute(counts)}
    total = by_kind.get(asked.values["kind"], 0) if "kind" in asked.values else sum(by_kind.values())
    query = _sorted(_of_kind(_narrowed(_query(), actor, asked, today), asked), asked.sort)
    rows = session.execute(query.limit(asked.size).offset((last_page(asked, total) - 1) * asked.size))
    return Found(rows=[_row(row) for row in rows], total=total, counts={"kind": by_kind})


def _every(session: Session, actor: Actor, asked: Asked, now: datetime) -> Iterator[PriceRow]:
    query = _of_kind(_narrowed(_query(), actor, asked, _days(session, actor, now)), asked)
    rows = session.execute(_sorted(query, asked.sort).limit(MOST_ROWS), execution_options={"yield_per": 500})
    for row in rows:
        yield _row(row)


def _behind(session: Session, actor: Actor, asked: Asked, now: datetime, after: Position, limit: int) -> list[PriceRow]:
    query = _of_kind(_narrowed(_query(), actor, asked, _days(session, actor, now)), asked)
    query = query if after is None else query.where(PriceRule.id > after[0])
    return [_row(row) for row in session.execute(query.order_by(PriceRule.id).limit(limit))]


#: The list of price rules, those that hold now unless another standing is asked for.
PRICES: AskedList[PriceRow] = AskedList(sorts=_SORTS, one_page=_page, all_rows=_every, behind=_behind)


def price_row(session: Session, actor: Actor, rule_id: int) -> PriceRow:
    """One rule; raises ``NotFound`` for an unknown one and for another company's."""
    found = session.execute(_mine(_query(), actor).where(PriceRule.id == rule_id)).one_or_none()
    if found is None:
        raise NotFound("price_rule_unknown", rule=rule_id)
    return _row(found)


def prices_by_id(session: Session, ids: Collection[int]) -> dict[int, PriceRow]:
    """These rules, one query."""
    if not ids:
        return {}
    return {row.PriceRule.id: _row(row) for row in session.execute(_query().where(PriceRule.id.in_(sorted(ids))))}


def beside(session: Session, row: PriceRow, today: date) -> list[PriceRow]:
    """The rules of the same item that hold today or later, in the order in which they hold: the first that fits wins."""
    query = _query().where(
        PriceRule.item_id == row.item_id, PriceRule.entity_id == row.entity_id,
        or_(PriceRule.valid_until.is_(None), PriceRule.valid_until > today),
    )  # fmt: skip
    found = session.execute(query.limit(200)).all() if row.item_id is not None else []
    return [_row(one) for one in sorted(found, key=lambda one: precedence(one.PriceRule), reverse=True)]


@dataclass(frozen=True, kw_only=True)
class ListRow:
    """A list of prices that was handed in. ``counts`` and ``rejected`` are known once it holds."""

    id: int
    entity_id: int
    entity: str
    currency: str
    file_name: str
    rows: int
    state: str
    version: int
    uploaded_by: int
    uploaded_at: datetime
    asked_by: int | None
    asked_at: datetime | None
    applied_at: datetime | None
    counts: Mapping[str, int]
    rejected: Sequence[Mapping[str, Any]]


def _filed() -> Any:
    return (
        select(PriceList, Entity.name.label("entity"), Entity.currency)
        .select_from(PriceList)
        .join(Entity, Entity.id == PriceList.entity_id)
        .options(defer(PriceList.content))
    )


def _lists_seen(query: Any, actor: Actor) -> Any:
    return within_companies(query, actor, PriceList.entity_id)


def _lists(actor: Actor) -> Any:
    return _lists_seen(_filed(), actor)


def _list(found: Any) -> ListRow:
    one: PriceList = found.PriceList
    facts = orjson.loads(one.facts)
    return ListRow(
        entity=found.entity, currency=found.currency, counts=facts.get("counts", {}), rejected=facts.get("rejected", ()),
        **{
            name: getattr(one, name)
            for name in (
                "id", "entity_id", "file_name", "rows", "state", "version", "uploaded_by", "uploaded_at", "asked_by",
                "asked_at", "applied_at",
            )
        },
    )  # fmt: skip


#: The lists of prices of the companies one sees, the newest first.
PRICE_LISTS: SqlList[ListRow] = SqlList(
    select=_filed, row=_list, tie=(PriceList.id,), usual="-handed_in", scope=_lists_seen, realm=Entity.realm,
    by=("state", PriceList.state), text=(PriceList.file_name,),
    sorts={
        "file": PriceList.file_name, "company": Entity.name, "rows": PriceList.rows, "handed_in": PriceList.uploaded_at,
        "applied": PriceList.applied_at,
    },
    wanted={
        "state": lambda value, _: PriceList.state == value, "entity": lambda value, _: PriceList.entity_id == value,
    },
)  # fmt: skip


def price_list(session: Session, actor: Actor, list_id: int) -> ListRow:
    """One list; raises ``NotFound`` for an unknown one and for another company's."""
    found = session.execute(_lists(actor).where(PriceList.id == list_id)).one_or_none()
    if found is None:
        raise NotFound("price_list_unknown", list=list_id)
    return _list(found)


_REQUEST = select(ApprovalRequest.id).where(
    ApprovalRequest.subject_type == "price_list", ApprovalRequest.subject_id == PriceList.id, ApprovalRequest.state == "waiting"
)  # fmt: skip


def lists_to_decide(session: Session, actor: Actor, *, by_permission: bool = False) -> list[ListRow]:
    """Lists that wait for somebody other than who asked and who handed them in; ``by_permission``: of these those that no rule
    of approval is asked about.
    """
    query = _lists(actor).where(
        PriceList.state == "asked", PriceList.asked_by != actor.id, PriceList.uploaded_by != actor.id
    )
    if by_permission:
        query = query.where(~_REQUEST.exists())
    return [_list(row) for row in session.execute(query.order_by(PriceList.id))]


@dataclass(frozen=True, kw_only=True)
class ListStep:
    """What somebody did with a list."""

    move: str
    at: datetime
    actor: int
    role: str
    reason: str | None


def list_steps(session: Session, list_id: int) -> list[ListStep]:
    """The moves of a list, newest first."""
    rows = session.scalars(
        select(Transition)
        .where(Transition.document_type == "price_list", Transition.document_id == list_id)
        .order_by(Transition.id.desc())
    )
    return [ListStep(move=one.move, at=one.at, actor=one.actor, role=one.role, reason=one.reason) for one in rows]
