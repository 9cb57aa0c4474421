"""How does what people enter become a variant: names that exist, days of the right zone, and the approval that its kind asks for?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition import approving
from app.composition.approving import Ask, Need, settles
from app.composition.policy_desk import within_reach, zone_of
from app.composition.trading import rules
from app.identity.models import Account
from app.identity.services import close_account
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import day_start, local_day
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Entity, Site
from erpcore.orders.anew import put_under_rules_of_now
from erpcore.ports import POLICY_POINTS
from governance.approvals import services as approvals
from governance.approvals.delegations import end_delegations_of
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalAnswer, ApprovalRequest
from governance.approvals.offices import Offices
from governance.approvals.queries import may_approve
from governance.approvals.records import case_of
from governance.variants import services, writing
from governance.variants.checks import values_of
from governance.variants.flow import AGREED, VariantState
from governance.variants.kinds import Kind
from governance.variants.models import Variant
from governance.variants.permissions import VariantPermission
from governance.variants.records import lock_variant
from governance.variants.register import Scope, lock_register, scope_of
from governance.variants.services import MoveVariant, SettleVariant
from governance.variants.writing import Content, DraftVariant

SUBJECT = "variant"
#: The process owner agrees where somebody else asks.
CONSENT = "role:process_owner"
_DEVIATION = re.compile(r"^[a-z][a-z0-9_]{2,63}$")


@dataclass(frozen=True, kw_only=True)
class AskForVariant:
    """A variant by days: from the first until before the last; ``from_on`` ``None``: from its approval on.

    ``is_draft``: it is only written down, and asked for later.
    """

    kind: Kind = Kind.CONTROLLED_VARIATION
    scope: Scope
    values: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()
    from_on: date | None = None
    until_on: date | None
    content: Content
    supersedes: int | None = None
    is_draft: bool = False


def write_variant(work: UnitOfWork, command: AskForVariant) -> Variant:
    """Write it down and, unless it is a draft, put it to those who decide. Days are those of the site named, else of the
    company, else UTC.

    Raises ``NotFound`` for a scope that is not there or stands for another, ``NotAllowed`` where somebody of one site asks for
    more than their site, ``RuleBroken`` as the register does.
    """
    row = writing.draft_variant(work, _draft(work, command))
    return row if command.is_draft else submit(work, row.id)


def rewrite_variant(work: UnitOfWork, variant_id: int, command: AskForVariant, *, seen_version: int | None) -> Variant:
    """Write a draft anew and, unless it stays one, put it to those who decide."""
    row = writing.change_draft(work, variant_id, _draft(work, command), seen_version=seen_version)
    return row if command.is_draft else submit(work, row.id)


def _draft(work: UnitOfWork, command: AskForVariant) -> DraftVariant:
    zone = zone_of(work.session, command.scope)
    if command.kind != Kind.STANDARD_CHANGE or work.actor.sites is not None:
        within_reach(work.actor, command.scope, VariantPermission.REQUEST)
    if command.supersedes is not None:
        _check_superseded(work, command.supersedes)
    for deviation in command.deviations:
        if not _DEVIATION.match(deviation):
            raise RuleBroken("variant_deviation_unusable", field="deviations", deviation=deviation)
    for name in ("owner", "deputy"):
        _check_person(work.session, getattr(command.content, name), name)
    starts: datetime | None = None
    today = local_day(work.now, zone)
    if command.from_on is not None and command.from_on != today:
        if command.from_on < today:
            raise RuleBroken("policy_value_starts_past", field="valid_from", day=command.from_on)
        starts = day_start(command.from_on, zone)
    content = command.content
    if content.cost_minor is not None and not content.cost_currency:
        content = replace(content, cost_currency=currency_of(work.session, command.scope))
    return DraftVariant(
        kind=command.kind, scope=command.scope, values=command.values, deviations=command.deviations, valid_from=starts,
        valid_until=None if command.until_on is None else day_start(command.until_on, zone), zone=zone, content=content,
        supersedes=command.supersedes,
    )  # fmt: skip


def _check_superseded(work: UnitOfWork, variant_id: int) -> None:
    """Raise for one that this person could not ask for: its end is asked for with it."""
    other = work.session.get(Variant, variant_id)
    if other is None:
        raise NotFound("variant_unknown", field="supersedes", variant=variant_id)
    if other.kind != Kind.STANDARD_CHANGE or work.actor.sites is not None:
        within_reach(work.actor, scope_of(other), VariantPermission.REQUEST)


def _check_person(session: Session, person: int | None, name: str) -> None:
    if person is None:
        return
    account = session.get(Account, person, populate_existing=True)
    if account is None or account.closed_at is not None:
        raise RuleBroken("variant_person_unknown", field=name)


def currency_of(session: Session, scope: Scope) -> str:
    """In which currency costs are said there, unless they name another one."""
    entity = scope.entity
    if scope.site is not None:
        entity = session.get_one(Site, scope.site).entity_id
    return session.get_one(Entity, entity).currency if entity is not None else "EUR"


def submit(work: UnitOfWork, variant_id: int, *, seen_version: int | None = None) -> Variant:
    """Put a draft to those who decide on its kind."""
    row = writing.submit_variant(work, variant_id, seen_version=seen_version)
    _put_to(work, row)
    return row


def _plain(text: str) -> str:
    return text.replace(":", "").casefold()


def _put_to(work: UnitOfWork, row: Variant, *, reason: str = "") -> None:
    row.approval_id = approving.ask(work, _asked_of(work, row, reason)).id


def _asked_of(work: UnitOfWork, row: Variant, reason: str) -> Ask:
    """What those who decide are asked: whether it may be, or, in review, whether it stays. Neither who asked for the variant or
    its review nor who answers for it decides.
    """
    is_review = row.state == VariantState.UNDER_REVIEW
    summary = _what_becomes_of_it(row, reason) if is_review else _what_it_changes(work, row)
    # A title that only says the value is said once.
    said = row.title if _plain(row.title) == _plain(summary) else f"{row.title}: {summary}"
    if not is_review and row.supersedes_id is not None:
        said += f", instead of {work.session.get_one(Variant, row.supersedes_id).code}"
    return Ask(
        kind=row.kind, subject_type=SUBJECT, subject_id=row.id, subject_version=row.version, summary=f"{row.code} {said}",
        site=row.site_id, entity=row.entity_id,
        excluded=sorted({row.requested_by, row.owner_id, *([row.review_by] if row.review_by is not None else ())}),
        route=(Need(capacity=CONSENT, people=1),) if row.needs_consent and not is_review else (),
    )  # fmt: skip


def _what_becomes_of_it(row: Variant, reason: str) -> str:
    until = row.extend_until
    ends = "keep it as it is" if until is None else f"extend until {local_day(until, row.zone):%-d %B %Y}"
    return f"{ends}. {reason.strip()}" if reason.strip() else ends


def _what_it_changes(work: UnitOfWork, row: Variant) -> str:
    shown = [
        f"{POLICY_POINTS[point].title.lower()} {POLICY_POINTS[point].shown(value)}"
        for point, value in sorted(values_of(work, row.id).items())
    ]
    return ", ".join(shown) or "done by hand"


def _version(session: Session, variant_id: int) -> int | None:
    return session.scalar(select(Variant.version).where(Variant.id == variant_id))


def _lock(work: UnitOfWork, variant_id: int) -> None:
    """The register, then the variant; requests come last, here as everywhere."""
    lock_register(work)
    lock_variant(work, variant_id)


def _settled(work: UnitOfWork, request: ApprovalRequest) -> None:
    consent = work.session.scalar(
        select(ApprovalAnswer.person_id).where(
            ApprovalAnswer.request_id == request.id,
            ApprovalAnswer.capacity == CONSENT,
            ApprovalAnswer.verdict == "approve",
        )
    )
    older = work.session.scalar(select(Variant.supersedes_id).where(Variant.id == request.subject_id)) or 0
    before = _version(work.session, older)
    row = services.settle_variant(
        work,
        SettleVariant(
            variant=request.subject_id, is_agreed=request.state == RequestState.APPROVED, consented_by=consent,
            reason=request.settle_reason or "agreed",
        ),
    )  # fmt: skip
    if _version(work.session, older) != before:
        # What was asked about the one before, such as a later end, is asked about something that is over.
        approvals.outdate(work, SUBJECT, [older], reason=f"superseded by {row.code}")


for _kind, _title in (
    (Kind.CONTROLLED_VARIATION, "Controlled variation"), (Kind.STRATEGIC_EXCEPTION, "Strategic exception"),
    (Kind.STANDARD_CHANGE, "New standard"),
):  # fmt: skip
    settles(
        _kind,
        title=_title,
        version_of=_version,
        page=("variants.show_one", "variant_id"),
        lock=_lock,
        may_be_automatic=False,
    )(_settled)


def move(work: UnitOfWork, command: MoveVariant, *, until_on: date | None = None) -> Variant:
    """Withdraw, have reviewed, retire or revoke, within the sites that the person has. A review goes back to those who decide;
    ``until_on`` is the later day on which it would end.
    """
    row = reachable(work, command.variant)
    if until_on is not None:
        command = replace(command, until=day_start(until_on, row.zone))
    row = services.move_variant(work, command)
    if row.state == VariantState.UNDER_REVIEW:
        _put_to(work, row, reason=command.reason)
    else:
        approvals.outdate(work, SUBJECT, [row.id], reason=command.reason.strip())
    return row


def hand_over(
    work: UnitOfWork, variant_id: int, owner: int, *, deputy: int | None, reason: str, seen_version: int | None = None
) -> Variant:
    """Somebody else answers for it. What waits for a decision is put to it anew: those who decide see who answers for it."""
    reachable(work, variant_id)
    # Under the lock that who leaves takes too: nobody becomes the owner of one while their account is closed.
    lock_register(work)
    for person, name in ((owner, "owner"), (deputy, "deputy")):
        _check_person(work.session, person, name)
    row = services.hand_over(work, variant_id, owner, deputy=deputy, reason=reason, seen_version=seen_version)
    if row.state in (VariantState.SUBMITTED, VariantState.UNDER_REVIEW):
        _put_to(work, row)
    return row


def reachable(work: UnitOfWork, variant_id: int) -> Variant:
    """The variant; raises ``NotFound`` where it concerns another site, ``NotAllowed`` where it reaches beyond the person's."""
    row = work.session.get(Variant, variant_id)
    if row is None:
        raise NotFound("variant_unknown", variant=variant_id)
    within_reach(work.actor, scope_of(row), VariantPermission.REQUEST)
    return row


def person_leaves(work: UnitOfWork, account_id: int, *, reason: str) -> None:
    """Close an account, end who answers for whom with it, and say of every variant that the person answers for that its owner left."""
    close_account(work, account_id, reason=reason)
    end_delegations_of(work, account_id, reason=reason)
    services.owner_leaves(work, account_id)


def ask_again(work: UnitOfWork, variant_id: int, *, seen_version: int | None = None) -> Variant:
    """Put it to those who decide once more, where the request was withdrawn or the variant changed since."""
    row = reachable(work, variant_id)
    work.actor.require(VariantPermission.REQUEST)
    lock_register(work)
    row = lock_variant(work, variant_id, seen_version)
    if row.state not in (VariantState.SUBMITTED, VariantState.UNDER_REVIEW):
        raise RuleBroken("variant_over", variant=row.code, state=row.state)
    if row.state == VariantState.SUBMITTED and row.requested_by != work.actor.id:
        raise NotAllowed("variant_of_another", variant=row.code)
    last = None if row.approval_id is None else approvals.require_request(work, row.approval_id)
    if last is not None and last.state == RequestState.WAITING and last.subject_version == row.version:
        raise Conflict("approval_waits_already", what=last.summary)
    _put_to(work, row)
    return row


def may_answer(session: Session, who: Actor, request: ApprovalRequest | None, at: datetime) -> bool:
    """Whether this person's answer to the request is asked for."""
    if request is None or request.state != RequestState.WAITING:
        return False
    return may_approve(case_of(session, request), who, Offices(session, approving.AROUND, at))


def move_orders(work: UnitOfWork, variant_id: int, orders: Sequence[int], *, reason: str) -> int:
    """Put orders under way under the rules of now, because of this variant; how many changed."""
    row = reachable(work, variant_id)
    if row.state not in AGREED:
        raise RuleBroken("variant_not_agreed", variant=row.code, state=row.state)
    return len(
        put_under_rules_of_now(
            work, orders, rules=rules(), reason=f"{row.code}: {reason.strip()}" if reason.strip() else ""
        )
    )
