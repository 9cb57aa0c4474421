"""Which rebate agreements are there, how far has each come through its tiers, and what did every line accrue?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from app.queries.order_detail import steps_of
from app.queries.order_facts import Step
from app.security.scopes import within_sites
from erpcore.billing.models import CreditMemo, Invoice
from erpcore.billing.rebates.flow import REBATE
from erpcore.billing.rebates.models import (
    Basis,
    RebateAgreement,
    RebateCredit,
    RebatePosting,
    RebateSettlement,
    RebateStanding,
    RebateTier,
)
from erpcore.billing.rebates.rules import Terms, measured
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.model import QUANTITY_PLACES
from erpcore.kernel.money import from_minor
from erpcore.masterdata.models import Customer, CustomerGroup, Entity, Item, ItemGroup, Site
from erpcore.masterdata.queries import find_by_code

STATES = tuple(state.value for state in REBATE.states)
#: As many documents as the page of an agreement shows; the list of accruals has them all.
NEWEST = 12


@dataclass(frozen=True, kw_only=True)
class RebateRow:
    """An agreement with names and what stands of it. ``open_minor``: accrued and not settled."""

    id: int
    number: str
    name: str
    state: str
    realm: str
    entity_id: int
    entity: str
    site_id: int
    site: str
    customer_id: int | None
    customer_group_id: int | None
    whose: str
    item_id: int | None
    item_group_id: int | None
    what: str
    valid_from: date
    valid_until: date
    currency: str
    basis: str
    base: int
    adds_up: bool
    net_minor: int
    quantity: Decimal
    level: int
    accrued_minor: int
    settled_minor: int
    difference_minor: int
    written_by: int
    agreed_by: int | None
    agreed_at: datetime | None
    version: int

    @property
    def open_minor(self) -> int:
        return self.accrued_minor - self.settled_minor + self.difference_minor

    @property
    def counted(self) -> int:
        """What tiers are measured by so far, beyond the base: minor units or thousandths."""
        return measured(self.terms_of(()), self.net_minor, self.thousandths)

    @property
    def thousandths(self) -> int:
        return int(self.quantity.scaleb(QUANTITY_PLACES))

    def terms_of(self, tiers: Any) -> Terms:
        """What decides how much is earned."""
        return Terms(self.basis, self.base, self.currency, tiers)

    def as_measured(self, value: int) -> Decimal:
        """What tiers are measured by as people say it: an amount, or a quantity."""
        if self.basis == Basis.NET:
            return from_minor(value, self.currency)
        return Decimal(value).scaleb(-QUANTITY_PLACES)


@dataclass(frozen=True, kw_only=True)
class TierFact:
    """A tier: from where on, what it gives, and how much more of what is measured it takes (nothing: reached)."""

    level: int
    starts_at: int
    percent: Decimal | None
    per_unit: Decimal | None
    is_retroactive: bool
    missing: int
    is_reached: bool
    is_current: bool


@dataclass(frozen=True, kw_only=True)
class PostingFact:
    """What a document accrued for an agreement."""

    document_type: str
    document_id: int
    document: str
    posted_on: date
    amount_minor: int
    adjusted_minor: int
    level: int


@dataclass(frozen=True, kw_only=True)
class SettlementFact:
    """One settlement with its credit memos: id, number, customer, net."""

    id: int
    is_final: bool
    claimed_minor: int | None
    accrued_minor: int
    paid_minor: int
    difference_minor: int
    reason: str | None
    settled_at: datetime
    memos: list[tuple[int, str, str, int]]


@dataclass(frozen=True, kw_only=True)
class RebatePage:
    """One agreement with all that belongs to it, the newest documents first."""

    row: RebateRow
    tiers: list[TierFact]
    postings: list[PostingFact]
    settlements: list[SettlementFact]
    steps: list[Step] = field(default_factory=list)

    @property
    def writers(self) -> set[int]:
        """Who wrote or changed it: none of them agrees to it."""
        return {self.row.written_by, *(one.actor for one in self.steps if one.move in ("write", "change"))}

    @property
    def next_tier(self) -> TierFact | None:
        """The first tier that is not reached yet."""
        return next((one for one in self.tiers if not one.is_reached), None)


def _all() -> Any:
    return (
        select(
            RebateAgreement, RebateStanding, Entity.name.label("entity"), Entity.realm, Site.name.label("site"),
            Customer.name.label("customer"), CustomerGroup.name.label("customers"), Item.name.label("item"),
            ItemGroup.name.label("items"),
        )
        .select_from(RebateAgreement)
        .join(RebateStanding, RebateStanding.agreement_id == RebateAgreement.id)
        .join(Entity, Entity.id == RebateAgreement.entity_id)
        .join(Site, Site.id == RebateAgreement.site_id)
        .join(Customer, Customer.id == RebateAgreement.customer_id, isouter=True)
        .join(CustomerGroup, CustomerGroup.id == RebateAgreement.customer_group_id, isouter=True)
        .join(Item, Item.id == RebateAgreement.item_id, isouter=True)
        .join(ItemGroup, ItemGroup.id == RebateAgreement.item_group_id, isouter=True)
    )  # fmt: skip


def _row(found: Any) -> RebateRow:
    one: RebateAgreement = found.RebateAgreement
    stand: RebateStanding = found.RebateStanding
    return RebateRow(
        id=one.id, number=one.number, name=one.name, state=one.state, realm=found.realm, entity_id=one.entity_id,
        entity=found.entity, site_id=one.site_id, site=found.site, customer_id=one.customer_id,
        customer_group_id=one.customer_group_id, whose=found.customer or f"all of {found.customers}", item_id=one.item_id,
        item_group_id=one.item_group_id, what=found.item or found.items or "all goods", valid_from=one.valid_from,
        valid_until=one.valid_until, currency=one.currency, basis=one.basis, base=one.base, adds_up=one.adds_up,
        net_minor=stand.net_minor, quantity=stand.quantity, level=stand.level, accrued_minor=stand.accrued_minor,
        settled_minor=stand.settled_minor, difference_minor=stand.difference_minor, written_by=one.written_by,
        agreed_by=one.agreed_by, agreed_at=one.agreed_at, version=one.version,
    )  # fmt: skip


_OPEN = RebateStanding.accrued_minor - RebateStanding.settled_minor + RebateStanding.difference_minor

#: All agreements, the newest days first.
REBATES: SqlList[RebateRow] = SqlList(
    select=_all, row=_row, tie=(RebateAgreement.id,), usual="-until", site=RebateAgreement.site_id, realm=Entity.realm,
    by=("state", RebateAgreement.state), flags=("open",), text=(RebateAgreement.number, RebateAgreement.name, Customer.name),
    sums={"Open": _OPEN, "Accrued": RebateStanding.accrued_minor}, currency=RebateAgreement.currency,
    sorts={
        "number": RebateAgreement.id, "name": RebateAgreement.name, "until": RebateAgreement.valid_until,
        "accrued": RebateStanding.accrued_minor, "open": _OPEN,
    },
    wanted={
        "state": lambda value, _: RebateAgreement.state == value,
        "open": lambda _value, _: _OPEN != 0,
        "customer": lambda value, _: RebateAgreement.customer_id == value,
    },
)  # fmt: skip


def rebate_row(session: Session, actor: Actor, key: int) -> RebateRow:
    """One agreement; raises ``NotFound`` for an unknown one and for another site's."""
    query = within_sites(_all(), actor, RebateAgreement.site_id).where(RebateAgreement.id == key)
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound("rebate_unknown", id=key)
    return _row(found)


def rebate_page(session: Session, actor: Actor, key: int) -> RebatePage:
    """One with its tiers, newest documents, settlements and history; raises as ``rebate_row`` does. Six queries."""
    row = rebate_row(session, actor, key)
    return RebatePage(
        row=row, tiers=_tiers(session, row), postings=_postings(session, key), settlements=_settlements(session, key),
        steps=steps_of(session, {"rebate": [key]}),
    )  # fmt: skip


def _tiers(session: Session, row: RebateRow) -> list[TierFact]:
    query = select(RebateTier).where(RebateTier.agreement_id == row.id).order_by(RebateTier.level)
    return [
        TierFact(
            level=one.level, starts_at=one.starts_at, percent=one.percent, per_unit=one.per_unit,
            is_retroactive=one.is_retroactive, missing=max(0, one.starts_at - row.counted),
            is_reached=row.counted > 0 and one.starts_at <= row.counted, is_current=one.level == row.level,
        )
        for one in session.scalars(query)
    ]  # fmt: skip


def _postings(session: Session, key: int) -> list[PostingFact]:
    rows = session.execute(
        select(RebatePosting, Invoice.number.label("invoice"), CreditMemo.number.label("memo"))
        .outerjoin(Invoice, and_(Invoice.id == RebatePosting.document_id, RebatePosting.document_type == "invoice"))
        .outerjoin(
            CreditMemo, and_(CreditMemo.id == RebatePosting.document_id, RebatePosting.document_type == "credit_memo")
        )
        .where(RebatePosting.agreement_id == key)
        .order_by(RebatePosting.id.desc())
        .limit(NEWEST)
    )
    return [
        PostingFact(
            document_type=one.RebatePosting.document_type, document_id=one.RebatePosting.document_id,
            document=one.invoice or one.memo or "", posted_on=one.RebatePosting.posted_on,
            amount_minor=one.RebatePosting.amount_minor, adjusted_minor=one.RebatePosting.adjusted_minor,
            level=one.RebatePosting.level,
        )
        for one in rows
    ]  # fmt: skip


def _settlements(session: Session, key: int) -> list[SettlementFact]:
    memos: dict[int, list[tuple[int, str, str, int]]] = defaultdict(list)
    credited = session.execute(
        select(RebateCredit, CreditMemo.number, Customer.name)
        .join(RebateSettlement, RebateSettlement.id == RebateCredit.settlement_id)
        .join(CreditMemo, CreditMemo.id == RebateCredit.credit_memo_id)
        .join(Customer, Customer.id == RebateCredit.customer_id)
        .where(RebateSettlement.agreement_id == key)
        .order_by(RebateCredit.credit_memo_id)
    )
    for one, number, customer in credited:
        memos[one.settlement_id].append((one.credit_memo_id, number or "", customer, one.net_minor))
    rows = session.scalars(
        select(RebateSettlement).where(RebateSettlement.agreement_id == key).order_by(RebateSettlement.id)
    )
    return [
        SettlementFact(
            id=one.id, is_final=one.is_final, claimed_minor=one.claimed_minor, accrued_minor=one.accrued_minor,
            paid_minor=one.paid_minor, difference_minor=one.difference_minor, reason=one.reason, settled_at=one.settled_at,
            memos=memos[one.id],
        )
        for one in rows
    ]  # fmt: skip


def item_groups(session: Session) -> list[tuple[int, str]]:
    """Every group of items by id and name, by name."""
    rows = session.execute(select(ItemGroup.id, ItemGroup.name).order_by(ItemGroup.name))
    return [(row.id, row.name) for row in rows]


def customer_named(session: Session, entity: int, code: str) -> int | None:
    """The customer of a company with this code."""
    return find_by_code(session, Customer, entity, [code]).get(code)


def item_named(session: Session, entity: int, code: str) -> int | None:
    """The item of a company with this code."""
    return find_by_code(session, Item, entity, [code]).get(code)


def codes_of(session: Session, row: RebateRow) -> tuple[str, str]:
    """The codes of an agreement's customer and item; empty where it is for a group, on a group or on all goods."""
    customer = session.scalar(select(Customer.code).where(Customer.id == row.customer_id))
    item = session.scalar(select(Item.code).where(Item.id == row.item_id))
    return customer or "", item or ""
