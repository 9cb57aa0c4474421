"""Which goods come back, why, and how far is each return?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, aliased

from app.composition.core_approvals import waiting_request
from app.composition.return_approvals import RETURN_OUTSIDE
from app.queries.listing import SqlList
from app.queries.order_detail import steps_of
from app.queries.order_facts import Step
from app.security.scopes import within_sites
from erpcore.billing.models import CreditMemo
from erpcore.fulfilment.models import ReturnLine, ReturnOrder, ReturnState
from erpcore.fulfilment.return_policy import Judgement, judged
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.masterdata.models import Channel, Customer, Entity, Item, Realm, Site
from erpcore.orders.models import OrderLine, SalesOrder

_REPLACEMENT = aliased(SalesOrder)
STATES = tuple(state.value for state in ReturnState)


@dataclass(frozen=True, kw_only=True)
class ReturnRow:
    id: int
    number: str
    state: str
    reason: str
    fault: str
    customer: str
    site_id: int
    site: str
    channel: str
    realm: str
    entity: str
    entity_id: int
    currency: str
    order_id: int | None
    order: str | None
    requested_at: datetime
    version: int
    condition: str


@dataclass(frozen=True, kw_only=True)
class ReturnLineFact:
    """``asked``: what was asked for; ``unlinked``: why no sale stands behind it."""

    id: int
    line_no: int
    item_id: int
    code: str
    name: str
    unit: str
    kind: str
    asked: Decimal
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    disposition: str
    unlinked: str | None
    order_id: int | None
    order: str | None


@dataclass(frozen=True, kw_only=True)
class ReturnPage:
    row: ReturnRow
    lines: list[ReturnLineFact]
    memo_id: int | None
    memo: str | None
    steps: list[Step]
    judgement: Judgement | None
    replacement_id: int | None
    replacement: str | None
    request_id: int | None

    @property
    def against(self) -> list[str]:
        """What the policy has against it, in words."""
        return [] if self.judgement is None else self.judgement.words()

    @property
    def is_outside(self) -> bool:
        return bool(self.against)


def _returns() -> Any:
    return (
        select(
            ReturnOrder, Customer.name.label("customer"), Site.name.label("site"), Channel.name.label("channel"), Entity.realm,
            Entity.name.label("entity"), SalesOrder.number.label("order"),
            _REPLACEMENT.number.label("replacement"),
        )
        .select_from(ReturnOrder)
        .join(Customer, Customer.id == ReturnOrder.customer_id)
        .join(Site, Site.id == ReturnOrder.site_id)
        .join(Channel, Channel.id == ReturnOrder.channel_id)
        .join(Entity, Entity.id == ReturnOrder.entity_id)
        .join(SalesOrder, SalesOrder.id == ReturnOrder.order_id, isouter=True)
        .join(_REPLACEMENT, _REPLACEMENT.id == ReturnOrder.replacement_id, isouter=True)
    )  # fmt: skip


def _query(actor: Actor) -> Any:
    return within_sites(_returns(), actor, ReturnOrder.site_id)


def _row(row: Any) -> ReturnRow:
    found: ReturnOrder = row.ReturnOrder
    return ReturnRow(
        id=found.id, number=found.number, state=found.state, reason=found.reason, fault=found.fault, customer=row.customer,
        site_id=found.site_id, site=row.site, channel=row.channel, realm=row.realm, entity=row.entity, entity_id=found.entity_id, currency=found.currency,
        order_id=found.order_id, order=row.order, requested_at=found.requested_at, version=found.version, condition=found.condition,
    )  # fmt: skip


#: The list of returns.
RETURNS: SqlList[ReturnRow] = SqlList(
    select=_returns, row=_row, tie=(ReturnOrder.id,), usual="-requested", site=ReturnOrder.site_id,
    realm=Entity.realm, by=("state", ReturnOrder.state), text=(ReturnOrder.number, Customer.name, SalesOrder.number),
    sorts={
        "number": ReturnOrder.number, "customer": Customer.name, "requested": ReturnOrder.requested_at, "site": Site.name,
        "reason": ReturnOrder.reason,
    },
    wanted={"state": lambda value, _: ReturnOrder.state == value},
)  # fmt: skip


class ReturnPlace(NamedTuple):
    """A return and how far it is."""

    id: int
    state: str


def return_of_number(session: Session, actor: Actor, number: str) -> ReturnPlace:
    """The return of the number on a label, at the sites of this person; raises ``RuleBroken``. Of several companies the latest."""
    wanted = number.strip().upper()
    query = (
        _query(actor)
        .where(func.upper(ReturnOrder.number) == wanted)
        .order_by(case((Entity.realm == Realm.LIVE, 0), else_=1), ReturnOrder.id.desc())
        .limit(1)
    )
    row = session.execute(query).first()
    if row is None:
        raise RuleBroken("return_number_unknown", field="number", number=number.strip())
    return ReturnPlace(row.ReturnOrder.id, row.ReturnOrder.state)


def _request(session: Session, return_id: int) -> int | None:
    found = waiting_request(session, RETURN_OUTSIDE, return_id)
    return None if found is None else found.id


def return_page(session: Session, actor: Actor, return_id: int) -> ReturnPage:
    """One return; raises ``NotFound`` for an unknown one and for another site's."""
    row = session.execute(_query(actor).where(ReturnOrder.id == return_id)).one_or_none()
    if row is None:
        raise NotFound("return_unknown", id=return_id)
    lines = session.execute(
        select(ReturnLine, Item.code, Item.name, Item.unit, Item.kind, SalesOrder.id.label("order_id"), SalesOrder.number.label("order"))
        .join(Item, Item.id == ReturnLine.item_id)
        .join(OrderLine, OrderLine.id == ReturnLine.order_line_id, isouter=True)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id, isouter=True)
        .where(ReturnLine.return_id == return_id)
        .order_by(ReturnLine.line_no)
    )  # fmt: skip
    memo = session.execute(select(CreditMemo.id, CreditMemo.number).where(CreditMemo.return_id == return_id)).first()
    return ReturnPage(
        row=_row(row),
        lines=[
            ReturnLineFact(
                id=one.ReturnLine.id, line_no=one.ReturnLine.line_no, kind=one.kind, asked=one.ReturnLine.asked, item_id=one.ReturnLine.item_id, code=one.code, name=one.name, unit=one.unit,
                quantity=one.ReturnLine.quantity, unit_price=one.ReturnLine.unit_price, amount=one.ReturnLine.amount,
                disposition=one.ReturnLine.disposition, unlinked=one.ReturnLine.unlinked, order_id=one.order_id,
                order=one.order,
            )
            for one in lines
        ],
        memo_id=memo.id if memo else None, memo=memo.number if memo else None,
        steps=steps_of(session, {"return": [return_id]}), judgement=judged(row.ReturnOrder.judged), replacement_id=row.ReturnOrder.replacement_id,
        replacement=row.replacement,
        request_id=_request(session, return_id) if row.ReturnOrder.state == ReturnState.WAITING else None,
    )  # fmt: skip
