"""Which changes of prices do the rules of approval ask people about, and what becomes of them?

A list, and a typed price that is a list of one row then, holds once those who are asked agree, from its first day and never from
before the approval. Where the rules ask nobody it holds at once, and the request says so. List, then request is the order of locks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.approval_words import rule_sentence
from app.composition.approving import Answer, Ask, answer, ask, settles
from app.composition.core_approvals import waiting_request
from app.composition.policies import RegisterRules
from app.importers.pricelists import rows_of
from app.importers.priceweights import PriceWeight, changes_of, weigh
from erpcore.kernel.errors import Conflict, NotAllowed, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import ProcessRules
from erpcore.pricing.flow import PRICE_LIST_FLOW, PriceListState
from erpcore.pricing.lists import ListPlan, SettleList, begin_no_earlier, lock_list, plan_list, settle_list
from erpcore.pricing.models import PriceList
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest
from governance.approvals.records import rules_in_force
from governance.approvals.rules import Facts, Rule, rules_for
from governance.approvals.services import outdate

PRICE_CHANGE = "price_change"
LIST = "price_list"
_RULES = RegisterRules()


def _list_version(session: Session, price_list: int) -> int | None:
    query = select(PriceList.version).where(PriceList.id == price_list, PriceList.state == PriceListState.ASKED)
    found: int | None = session.scalar(query)
    return found


def _lock(work: UnitOfWork, price_list: int) -> None:
    lock_list(work, price_list)


@settles(
    PRICE_CHANGE, title="Change of prices", version_of=_list_version, page=("prices.show_list", "list_id"),
    may_withdraw=False, lock=_lock,
)  # fmt: skip
def prices_settled(work: UnitOfWork, request: ApprovalRequest) -> None:
    """The prices hold, or the list is refused. Raises ``Conflict`` where prices moved since it was asked about."""
    found = lock_list(work, request.subject_id)
    if found.state != PriceListState.ASKED:
        return  # nobody is asked: whoever asked applies it in this unit of work, by the preview that they saw
    move = "approve" if request.state == RequestState.APPROVED else "decline"
    _, rows = rows_of(work.session, found.id)
    note = request.settle_reason or request.rule_text
    command = SettleList(list=found.id, move=move, reason=note, seen=found.asked_digest or "")
    settle_list(work, command, rows, rules=_RULES, is_decided=True)


def plan_now(work: UnitOfWork, list_id: int, *, rules: ProcessRules) -> ListPlan:
    """What the list would change now; one that people are asked about begins no earlier than it could be approved."""
    entity, rows = rows_of(work.session, list_id)
    return plan_list(work, entity, begin_no_earlier(work, work.session.get_one(PriceList, list_id), rows), rules=rules)


class Listed(Protocol):
    """What is known of a list wherever it is read."""

    @property
    def id(self) -> int: ...
    @property
    def entity_id(self) -> int: ...
    @property
    def uploaded_by(self) -> int: ...
    @property
    def asked_by(self) -> int | None: ...


def weigh_list(work: UnitOfWork, of: PriceList | Listed, plan: ListPlan) -> PriceWeight:
    """What a list touches, together with what whoever handed it in and whoever asks for it changed lately."""
    asks = work.actor.id if of.asked_by is None else of.asked_by
    return weigh(work, of.entity_id, changes_of(plan), by={of.uploaded_by, asks} - {0}, but=of.id)


def asked_by_rules(session: Session, facts: Facts) -> tuple[Rule, ...]:
    """The rules that hold for a change of prices; without one nobody may decide."""
    return rules_for(rules_in_force(session, PRICE_CHANGE), facts)


def asks_nobody(rules: tuple[Rule, ...]) -> bool:
    """Whether such a change holds without anybody else."""
    return bool(rules) and all(rule.is_automatic for rule in rules)


def said(rules: tuple[Rule, ...]) -> str:
    """The rules in words."""
    return " ".join(rule_sentence(rule) for rule in rules)


def settle(work: UnitOfWork, command: SettleList, *, rules: ProcessRules) -> PriceList:
    """Apply a list, ask for it, or decide on it, all by the rules of approval; one that was asked for before there were such
    rules is decided by permission.

    Raises as ``settle_list`` and ``answer`` do; ``RuleBroken`` where a list is to be applied that others are asked about.
    """
    found = lock_list(work, command.list)
    if command.move in ("apply", "ask") and found.state != PriceListState.APPLIED:
        return _begun(work, found, command, rules)
    request = waiting_request(work.session, PRICE_CHANGE, found.id)
    _, rows = rows_of(work.session, found.id)
    if command.move not in ("approve", "decline") or request is None:
        settled = settle_list(work, command, rows, rules=rules)
        if command.move == "withdraw":
            outdate(work, LIST, [found.id], reason="whoever asked took it back")
        return settled
    PRICE_LIST_FLOW.target(command.move, found.state, reason=command.reason)
    if work.actor.id in (found.asked_by, found.uploaded_by):
        raise NotAllowed("own_request", document=f"price list {found.file_name}")
    if command.move == "approve" and plan_now(work, found.id, rules=rules).digest != command.seen:
        raise Conflict("price_list_moved", list=found.file_name)
    verdict = "approve" if command.move == "approve" else "reject"
    answer(work, Answer(request=request.id, verdict=verdict, reason=command.reason))
    return lock_list(work, found.id)


def _begun(work: UnitOfWork, found: PriceList, command: SettleList, rules: ProcessRules) -> PriceList:
    """Apply at once where the rules ask nobody, else put the list to those whom they name."""
    _, rows = rows_of(work.session, found.id)
    plan = plan_list(work, found.entity_id, rows, rules=rules)
    weight = weigh_list(work, found, plan)
    is_free = asks_nobody(asked_by_rules(work.session, weight.facts))
    if command.move == "apply" and not is_free:
        raise RuleBroken("price_list_needs_second", list=found.file_name, rows=plan.beyond)
    if not is_free:
        settle_list(work, command, rows, rules=rules)
    request = ask(work, _asked(found, weight))
    if is_free != (request.state == RequestState.APPROVED):
        # The rules changed in between; what was seen is looked at once more.
        raise Conflict("changed_meanwhile", document=found.file_name)
    if is_free:
        settle_list(work, replace(command, move="apply"), rows, rules=rules, is_decided=True)
    return found


def _asked(found: PriceList, weight: PriceWeight) -> Ask:
    """The list in its version, with what it touches in a line."""
    return Ask(
        kind=PRICE_CHANGE, subject_type=LIST, subject_id=found.id, subject_version=found.version,
        summary=f"Prices: {found.file_name} ({weight.words})", facts=weight.facts, entity=found.entity_id,
        excluded=(found.uploaded_by,),
    )  # fmt: skip


def request_of_list(session: Session, price_list: int) -> ApprovalRequest | None:
    """The last request about a list, whatever became of it; ``None`` where none was made."""
    found: ApprovalRequest | None = session.scalar(
        select(ApprovalRequest)
        .where(
            ApprovalRequest.kind == PRICE_CHANGE, ApprovalRequest.subject_type == LIST,
            ApprovalRequest.subject_id == price_list,
        )
        .order_by(ApprovalRequest.id.desc())
        .limit(1)
    )  # fmt: skip
    return found


def asked_for_no_list(session: Session) -> list[int]:
    """Requests about lists that wait no longer, whoever ended them. One query."""
    query = (
        select(ApprovalRequest.id)
        .join(PriceList, PriceList.id == ApprovalRequest.subject_id)
        .where(
            ApprovalRequest.kind == PRICE_CHANGE, ApprovalRequest.state == RequestState.WAITING,
            PriceList.state != PriceListState.ASKED,
        )
        .order_by(ApprovalRequest.id)
    )  # fmt: skip
    return list(session.scalars(query))
