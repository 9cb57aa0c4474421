"""Who is not asked for money for a while: blocks with an owner, and what customers promise to pay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from erpcore.billing.dunning.flow import WORK
from erpcore.billing.dunning.models import BlockKind, DunningBlock, PaymentPromise
from erpcore.billing.dunning.records import company, place_of, promises
from erpcore.billing.dunning.rules import PromiseState
from erpcore.credit.models import Receivable
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Customer
from erpcore.masterdata.queries import EntityFacts
from erpcore.published.dunning import PaymentPromised

#: A block or promise that lasts longer is a decision about the customer's terms.
_LONGEST = timedelta(days=366)
_MOST_MINOR = 10**13


@dataclass(frozen=True, kw_only=True)
class SetBlock:
    """Nobody asks before ``until``; ``document`` ``None``: for nothing of the customer."""

    customer: int
    kind: str
    reason: str
    until: date
    owner: int
    document: int | None = None


@dataclass(frozen=True, kw_only=True)
class TakePromise:
    """So much comes until the end of that day; ``said_by`` names who said so. ``document``: to settle that invoice."""

    customer: int
    amount_minor: int
    until: date
    said_by: str
    note: str | None = None
    document: int | None = None


def _customer(work: UnitOfWork, customer: int, document: int | None) -> tuple[int | None, EntityFacts]:
    """The customer's group and company; refuses documents that are another's, or settled."""
    work.actor.require(WORK)
    rows = read_rows(work, Customer, ("id", "entity_id", "group_id"), "id", [customer], lock=True)
    if not rows:
        raise NotFound("customer_unknown", id=customer)
    facts = company(work, rows[0].entity_id)
    if document is not None:
        query = select(Receivable.customer_id, Receivable.open_minor).where(Receivable.document_id == document)
        found = work.session.execute(query).one_or_none()
        if found is None or found.customer_id != customer:
            raise RuleBroken("choice_unknown", field="document", value=str(document))
        if found.open_minor <= 0:
            raise RuleBroken("document_settled", field="document")
    return rows[0].group_id, facts


def set_block(work: UnitOfWork, command: SetBlock) -> int:
    """Let nobody ask for a while; returns its id. Raises ``RuleBroken`` for a day that is not ahead, or too far."""
    _, facts = _customer(work, command.customer, command.document)
    today = local_day(work.now, facts.time_zone)
    if command.kind not in set(BlockKind):
        raise RuleBroken("choice_unknown", field="kind", value=command.kind)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="dunning_block", move="set")
    if not today < command.until <= today + _LONGEST:
        raise RuleBroken("dunning_until", field="until", most=_LONGEST.days)
    key = work.ids.one()
    work.session.add(
        DunningBlock(
            id=key, entity_id=facts.id, customer_id=command.customer, document_id=command.document, kind=command.kind,
            reason=command.reason.strip(), until=command.until, owner_id=command.owner, set_by=work.actor.id, set_at=work.now,
        )
    )  # fmt: skip
    work.audit(
        "dunning_block.set", "dunning_block", key, customer=command.customer, document=command.document, why=command.kind,
        until=command.until, owner=command.owner,
    )  # fmt: skip
    return key


def lift_block(work: UnitOfWork, block: int, reason: str) -> None:
    """End a block before its day. Raises ``NotFound``, or ``RuleBroken`` for one that has ended."""
    work.actor.require(WORK)
    row = work.session.get(DunningBlock, block, with_for_update={"key_share": True})
    if row is None:
        raise NotFound("dunning_block_unknown", id=block)
    facts = company(work, row.entity_id)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="dunning_block", move="lift")
    if row.lifted_at is not None or row.until <= local_day(work.now, facts.time_zone):
        raise RuleBroken("dunning_block_over", block=block)
    row.lifted_by, row.lifted_at, row.lift_reason = work.actor.id, work.now, reason.strip()
    work.audit("dunning_block.lifted", "dunning_block", block, customer=row.customer_id, reason=reason.strip())


def take_promise(work: UnitOfWork, command: TakePromise) -> int:
    """Write down what a customer promised; returns its id. Receipts decide whether it is kept, nobody enters that.

    Raises ``RuleBroken`` for a day that has passed or is too far, and while another promise for the same is open: the same money
    would keep both.
    """
    group, facts = _customer(work, command.customer, command.document)
    today = local_day(work.now, facts.time_zone)
    if not 0 < command.amount_minor < _MOST_MINOR:
        raise RuleBroken("amount_not_positive", field="amount")
    if not command.said_by.strip():
        raise RuleBroken("promise_whose", field="said_by")
    if not today <= command.until <= today + _LONGEST:
        raise RuleBroken("dunning_until", field="until", most=_LONGEST.days)
    known = promises(work.session, {command.customer: facts.time_zone}, today)
    if any(
        one.state is PromiseState.OPEN
        and (None in {one.document, command.document} or one.document == command.document)
        for one in known
    ):
        raise RuleBroken("promise_open", field="until")
    key = work.ids.one()
    work.session.add(
        PaymentPromise(
            id=key, entity_id=facts.id, customer_id=command.customer, document_id=command.document,
            amount_minor=command.amount_minor, promised_on=command.until, said_by=command.said_by.strip(),
            note=(command.note or "").strip() or None, taken_by=work.actor.id, taken_at=work.now,
        )
    )  # fmt: skip
    event = PaymentPromised(
        customer=command.customer, amount=command.amount_minor, until=command.until, invoice=command.document
    )
    work.publish(
        event, place_of(facts, group), step="order_to_cash.cash", subject=("payment_promise", key, 1), journey=key,
        refs=[("invoice", command.document, 1_000_000)] if command.document is not None else [],
    )  # fmt: skip
    return key
