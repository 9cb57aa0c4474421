"""How a variant is written and asked for: what it changes, where, until when, who answers, why, and what it costs to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.ports.points import DIMENSIONS
from governance.variants.checks import (
    check_owner,
    check_replaces,
    check_shape,
    check_time,
    check_values,
    point_named,
    refuse_overlap,
    values_of,
)
from governance.variants.flow import AGREED, VARIANT_FLOW, VariantState
from governance.variants.kinds import Kind, Rationale
from governance.variants.models import Variant, VariantDeviation, VariantValue
from governance.variants.permissions import VariantPermission
from governance.variants.records import deviations_of, facts_of_record, lock_variant, tell
from governance.variants.register import Scope, lock_register, scope_of

LONGEST_TITLE = 200


@dataclass(frozen=True, kw_only=True)
class Content:
    """What is said about a variant. ``cost_minor`` is what keeping it costs per month. ``owner`` ``None``: whoever asks."""

    title: str = ""
    step: str | None = None
    owner: int | None = None
    deputy: int | None = None
    rationale: Rationale | None = None
    reason: str = ""
    evidence: str = ""
    benefit: str = ""
    cost_minor: int | None = None
    cost_currency: str | None = None
    support_who: str = ""
    support_hours: str = ""
    support_vendor: str = ""
    controls: str = ""
    trainings: str = ""
    tests: str = ""
    review_months: int | None = None
    exit_condition: str = ""


@dataclass(frozen=True, kw_only=True)
class DraftVariant:
    """A variant to be: values of policy points, or deviations that people make by hand, for a scope and a time.

    ``valid_from`` ``None``: from its approval on. ``zone`` is where its days begin.
    """

    kind: Kind = Kind.CONTROLLED_VARIATION
    scope: Scope
    values: Mapping[str, Any] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None
    zone: str = "UTC"
    content: Content
    supersedes: int | None = None


def draft_variant(work: UnitOfWork, command: DraftVariant) -> Variant:
    """Write one down; it asks for nothing yet. Raises ``RuleBroken`` as ``check_values`` and ``check_time`` do."""
    work.actor.require(VariantPermission.REQUEST)
    register = lock_register(work)
    register.last_number += 1
    row = Variant(
        id=work.ids.one(), code=f"V-{register.last_number}", state=VARIANT_FLOW.initial, version=1,
        requested_by=work.actor.id, requested_at=work.now, needs_consent=False,
    )  # fmt: skip
    _fill(work, row, command)
    work.session.add(row)
    work.session.flush()
    _write_parts(work, row.id, command)
    record_move(work, "variant", row.id, "draft", None, row.state, reason=row.reason or None)
    work.audit("variant.drafted", "variant", row.id, **facts_of_record(row, command.values, command.deviations))
    return row


def change_draft(
    work: UnitOfWork, variant_id: int, command: DraftVariant, *, seen_version: int | None = None
) -> Variant:
    """Write a draft anew. Raises ``RuleBroken`` once it was asked for, ``NotAllowed`` for somebody else's."""
    work.actor.require(VariantPermission.REQUEST)
    lock_register(work)
    row = lock_variant(work, variant_id, seen_version)
    if row.state != VariantState.DRAFT:
        raise RuleBroken("variant_not_draft", variant=row.code, state=row.state)
    if work.actor.id != row.requested_by:
        raise NotAllowed("variant_of_another", variant=row.code)
    _fill(work, row, command)
    row.version += 1
    work.session.execute(delete(VariantValue).where(VariantValue.variant_id == row.id))
    work.session.execute(delete(VariantDeviation).where(VariantDeviation.variant_id == row.id))
    _write_parts(work, row.id, command)
    work.audit("variant.changed", "variant", row.id, **facts_of_record(row, command.values, command.deviations))
    return row


def submit_variant(work: UnitOfWork, variant_id: int, *, seen_version: int | None = None) -> Variant:
    """Ask for a draft. Raises ``RuleBroken`` naming what is not said yet, or the variant that it would stand beside.

    Where somebody else than a process owner asks, a process owner's consent comes before the decision.
    """
    work.actor.require(VariantPermission.REQUEST)
    lock_register(work)
    row = lock_variant(work, variant_id, seen_version)
    target = VARIANT_FLOW.target("submit", row.state)
    if work.actor.id != row.requested_by:
        raise NotAllowed("variant_of_another", variant=row.code)
    values = values_of(work, row.id)
    check_values(work, row.kind, scope_of(row), values, row.valid_from)
    check_time(work, row.kind, row.valid_from, row.valid_until)
    check_owner(work, row)
    _check_said(row)
    may_consent = work.actor.may(VariantPermission.CONSENT)
    if row.kind == Kind.STANDARD_CHANGE and not may_consent:
        raise NotAllowed("standard_of_process_owner", permission=VariantPermission.CONSENT)
    refuse_overlap(work, row, values, starts=row.valid_from, until=row.valid_until)
    row.needs_consent = row.kind == Kind.CONTROLLED_VARIATION and not may_consent
    was, row.state, row.version, row.requested_at = row.state, target, row.version + 1, work.now
    work.session.flush()
    record_move(work, "variant", row.id, "submit", was, row.state, reason=row.reason)
    facts = facts_of_record(row, values, deviations_of(work, row.id))
    work.audit("variant.submitted", "variant", row.id, **facts, reason=row.reason)
    tell(work, row, "submit")
    return row


def request_variant(work: UnitOfWork, command: DraftVariant) -> Variant:
    """Write one down and ask for it at once."""
    return submit_variant(work, draft_variant(work, command).id)


def _fill(work: UnitOfWork, row: Variant, command: DraftVariant) -> None:
    starts = command.valid_from or work.now
    check_shape(command.kind, command.scope, command.values, command.deviations)
    check_values(work, command.kind, command.scope, command.values, starts)
    check_time(work, command.kind, starts, command.valid_until)
    said = command.content
    owner = said.owner or work.actor.id
    if said.deputy is not None and said.deputy == owner:
        raise RuleBroken("variant_deputy_is_owner", field="deputy")
    if said.cost_minor is not None and (said.cost_minor < 0 or not said.cost_currency):
        raise RuleBroken("variant_cost_unusable", field="cost")
    if said.review_months is not None and not 1 <= said.review_months <= 36:
        raise RuleBroken("variant_review_unusable", field="review_months")
    if command.supersedes is not None:
        _check_superseded(work, row, command)
    row.kind, row.zone, row.supersedes_id = command.kind, command.zone, command.supersedes
    row.valid_from, row.valid_until = starts, command.valid_until
    for name, part in zip(DIMENSIONS, command.scope, strict=True):
        setattr(row, f"{name}_id", part)
    row.owner_id, row.deputy_id, row.step = owner, said.deputy, (said.step or "").strip() or None
    row.rationale_category = said.rationale
    row.title = (said.title.strip() or _usual_title(command))[:LONGEST_TITLE]
    for name in _TEXTS:
        setattr(row, name, str(getattr(said, name)).strip())
    row.cost_minor, row.review_months = said.cost_minor, said.review_months
    row.cost_currency = said.cost_currency if said.cost_minor is not None else None


#: Fields that are text and may be empty while it is a draft.
_TEXTS = tuple(one.name for one in fields(Content) if one.type == "str" and one.name != "title")


def _usual_title(command: DraftVariant) -> str:
    said = [
        f"{point_named(name).title}: {point_named(name).shown(command.values[name])}" for name in sorted(command.values)
    ]
    text = ", ".join(said) or ", ".join(one.replace("_", " ") for one in command.deviations)
    return text[:1].upper() + text[1:]


def _check_superseded(work: UnitOfWork, row: Variant, command: DraftVariant) -> None:
    other = work.session.get(Variant, command.supersedes)
    if other is None or other.id == row.id:
        raise NotFound("variant_unknown", field="supersedes", variant=command.supersedes)
    check_replaces(command.kind, other)
    if other.state not in AGREED:
        raise RuleBroken("variant_not_agreed", field="supersedes", variant=other.code, state=other.state)


_CALLED = {
    "reason": "the reason", "rationale_category": "the rationale", "support_who": "who supports it",
    "exit_condition": "when it ends",
}  # fmt: skip


def _check_said(row: Variant) -> None:
    """What a decision needs to know besides the values; a new standard needs no support of its own and no exit."""
    needed = ["reason", "rationale_category"]
    if row.kind != Kind.STANDARD_CHANGE:
        needed += ["support_who", "exit_condition"]
    for name in needed:
        if not getattr(row, name):
            raise RuleBroken("variant_unsaid", field=name, what=_CALLED[name])


def _write_parts(work: UnitOfWork, variant_id: int, command: DraftVariant) -> None:
    for point in sorted(command.values):
        text = canonical_json(command.values[point]).decode()
        work.session.add(VariantValue(variant_id=variant_id, point=point, value=text))
    for deviation in sorted(set(command.deviations)):
        work.session.add(VariantDeviation(variant_id=variant_id, deviation=deviation))
    work.session.flush()
