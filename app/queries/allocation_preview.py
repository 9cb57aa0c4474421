"""What would each rule give now to who waits for one item, by the very rules that a run applies? Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.trading import looking
from app.security.scopes import check_site
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.rows import chunks
from erpcore.masterdata.models import Channel, Customer, Entity, Item, Site
from erpcore.masterdata.queries import site_facts
from erpcore.orders.models import OrderLine, SalesOrder
from erpcore.orders.ranking import AllocationRule, Claim
from erpcore.orders.run_inputs import claims_at, planned, run_inputs
from erpcore.ports import CellStates, ProcessRules

RULES = tuple(rule.value for rule in AllocationRule)


@dataclass(frozen=True, kw_only=True)
class PreviewRow:
    """One claim: what ranks it, what it would get now and why, and what every rule would give it."""

    line_id: int
    order_id: int
    order: str
    line_no: int
    customer: str
    channel: str
    rank: int
    priority: int
    tier: int
    since: datetime
    promised_on: date | None
    whole: bool
    wanted: Decimal
    got: Decimal
    why: str
    by: dict[str, Decimal]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """One short item at one site. ``protected``: what is still kept by contracts of who holds less."""

    site_id: int
    site: str
    realm: str
    item_id: int
    code: str
    name: str
    unit: str
    rule: str
    free: Decimal
    protected: Decimal
    rows: list[PreviewRow]

    @property
    def wanted(self) -> Decimal:
        return sum((row.wanted for row in self.rows), Decimal(0))

    def given(self, rule: str) -> Decimal:
        return sum((row.by[rule] for row in self.rows), Decimal(0))

    def served(self, rule: str) -> int:
        """How many lines a rule would serve whole."""
        return sum(1 for row in self.rows if row.by[rule] >= row.wanted)


def _quantity(thousandths: int) -> Decimal:
    return Decimal(thousandths).scaleb(-3)


def preview(
    session: Session, actor: Actor, now: datetime, site: int, item: int, *, rules: ProcessRules, cells: CellStates
) -> Preview:
    """The claims on one place with what every rule would give; raises ``NotFound`` for what this person does not see."""
    check_site(actor, site)
    head = session.execute(
        select(Site.name.label("site"), Entity.realm, Item.code, Item.name, Item.unit)
        .join(Entity, Entity.id == Site.entity_id)
        .join(Item, Item.entity_id == Entity.id)
        .where(Site.id == site, Item.id == item)
    ).one_or_none()
    if head is None:
        raise NotFound("not_found")
    look = looking(session, actor=actor, now=now, realm=head.realm)
    inputs = run_inputs(
        look, rules, site_facts(look, site), claims_at(look, rules, cells, site, [item]), keep_empty=True
    )
    place = (site, item)
    claims = {claim.line: claim for claim in inputs.claims.get(place, ())}
    by_rule = {rule: {share.line: share.got for share in planned(inputs, rule).get(place, ())} for rule in RULES}
    facts = _facts(session, list(claims))
    rows = []
    for share in planned(inputs).get(place, ()):
        claim, (order, line_no, customer, channel) = claims[share.line], facts[share.line]
        by = {rule: _quantity(by_rule[rule][share.line]) for rule in RULES}
        rows.append(_row(claim, order, line_no, customer, channel, share.rank, share.got, share.why, by))
    return Preview(
        site_id=site, site=head.site, realm=head.realm, item_id=item, code=head.code, name=head.name, unit=head.unit,
        rule=inputs.rules.get(place, AllocationRule.FIRST_COME), free=_quantity(inputs.free.get(place, 0)),
        protected=_quantity(sum(inputs.kept.get(place, {}).values())), rows=rows,
    )  # fmt: skip


def _row(
    claim: Claim,
    order: str,
    line_no: int,
    customer: str,
    channel: str,
    rank: int,
    got: int,
    why: str,
    by: dict[str, Decimal],
) -> PreviewRow:
    return PreviewRow(
        line_id=claim.line, order_id=claim.order, order=order, line_no=line_no, customer=customer, channel=channel, rank=rank,
        priority=claim.priority, tier=claim.tier, since=claim.since, promised_on=claim.promised, whole=claim.whole,
        wanted=_quantity(claim.wanted), got=_quantity(got), why=why, by=by,
    )  # fmt: skip


def _facts(session: Session, lines: list[int]) -> dict[int, tuple[str, int, str, str]]:
    found: dict[int, tuple[str, int, str, str]] = {}
    for part in chunks(sorted(lines)):
        query = (
            select(OrderLine.id, SalesOrder.number, OrderLine.line_no, Customer.name, Channel.name.label("channel"))
            .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
            .join(Customer, Customer.id == SalesOrder.customer_id)
            .join(Channel, Channel.id == SalesOrder.channel_id)
            .where(OrderLine.id.in_(part))
        )
        found |= {row.id: (row.number, row.line_no, row.name, row.channel) for row in session.execute(query)}
    return found
