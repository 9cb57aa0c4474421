"""What stands in the registers of governance, as figures count it: variants, design questions, who masters what in the interim
state of waves, what people were asked to approve, and the months whose books companies close.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import union_all
from sqlalchemy.orm import Session

from app.composition.closing_register import CLOSE_CYCLE, closing_entries, closing_parts
from app.composition.interim_register import INTERIM_LINKS, interim_entries, interim_parts
from app.composition.register_rows import SITE, Places, part, site_part
from erpcore.kernel.clock import local_day
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest
from governance.questions.flow import QuestionState
from governance.questions.models import DesignQuestion
from governance.variants.flow import AGREED, VariantState
from governance.variants.kinds import Kind
from governance.variants.models import Variant, VariantValue
from governance.variants.validity import facts_of, fits, is_valid
from readiness.measures.ports import RegisterEntry

_VARIANT, _QUESTION, _APPROVAL = "variant", "design_question", "approval_request"
#: Variants that somebody agreed to, whatever has become of them since.
_DECIDED = (*AGREED, VariantState.RETIRED, VariantState.REVOKED)
_DECIDED_REQUESTS = (RequestState.APPROVED, RequestState.REJECTED)


def register_entries(
    session: Session, since: datetime | None, at: datetime, figures: Collection[str]
) -> list[RegisterEntry]:
    """All entries that these figures are counted from at this instant; requests from ``since`` on, none without. One query."""
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in session.execute(_query(since, is_between=INTERIM_LINKS in figures, is_closed=CLOSE_CYCLE in figures)):
        rows[row.register].append(row)
    places = Places.of(rows[SITE])
    found = _variants(rows[_VARIANT], places, at)
    found += [_question(row, places) for row in rows[_QUESTION]]
    found += interim_entries(rows, places, at)
    found += closing_entries(rows, places, since, at)
    return found + [_approval(row, places) for row in rows[_APPROVAL]]


def _query(since: datetime | None, *, is_between: bool, is_closed: bool) -> Any:
    v, q, a = Variant, DesignQuestion, ApprovalRequest
    parts = [
        part(
            _VARIANT, id=v.id, kind=v.kind, title=v.code, state=v.state, entity_id=v.entity_id, site_id=v.site_id,
            channel_id=v.channel_id, customer_group_id=v.customer_group_id, process=v.step, zone=v.zone, valid_from=v.valid_from,
            valid_until=v.valid_until, owner_left_at=v.owner_left_at, next_review_on=v.next_review_on, point=VariantValue.point,
            value=VariantValue.value,
        )
        .select_from(Variant)
        .outerjoin(VariantValue, VariantValue.variant_id == v.id)
        .where(v.state.in_(_DECIDED)),
        part(
            _QUESTION, id=q.id, state=q.state, site_id=q.site_id, channel_id=q.channel_id, process=q.process,
            valid_from=q.asked_at,
        ),
        site_part(),
    ]  # fmt: skip
    if since is not None:
        asked = part(
            _APPROVAL, id=a.id, kind=a.kind, state=a.state, realm=a.realm, entity_id=a.entity_id, site_id=a.site_id,
            valid_from=a.asked_at, valid_until=a.settled_at,
        )  # fmt: skip
        states = (RequestState.WAITING, *_DECIDED_REQUESTS)
        parts.append(asked.where(a.asked_at >= since, a.is_automatic.is_(False), a.state.in_(states)))
    return union_all(*parts, *(interim_parts() if is_between else ()), *(closing_parts() if is_closed else ()))


def _variants(rows: Sequence[Any], places: Places, at: datetime) -> list[RegisterEntry]:
    values: dict[int, list[tuple[str, Any]]] = defaultdict(list)
    for row in rows:
        if row.point is not None:
            values[row.id].append((row.point, orjson.loads(row.value)))
    return [_variant(row, fits(values[row.id]), places, at) for row in {row.id: row for row in rows}.values()]


def _variant(row: Any, is_fit: bool, places: Places, at: datetime) -> RegisterEntry:
    of, counted = {"variant_count"}, set()
    if is_valid(facts_of(row, is_fit), at):
        counted.add("variant_count")
        if row.next_review_on is not None:
            of.add("variant_reviews_overdue")
            if row.next_review_on < local_day(at, row.zone):
                counted.add("variant_reviews_overdue")
    return RegisterEntry(
        register=_VARIANT, id=row.id, title=row.title, of=frozenset(of), counts=frozenset(counted), since=row.valid_from,
        # What became the standard is no variant any more; it is told apart.
        kind=f"{row.kind}/" if row.kind == Kind.STANDARD_CHANGE else row.kind,
        channel=row.channel_id, customer_group=row.customer_group_id,
        process=row.process.partition(".")[0] if row.process else None, **places.where(row),
    )  # fmt: skip


def _question(row: Any, places: Places) -> RegisterEntry:
    mine = frozenset({"design_questions_open"})
    return RegisterEntry(
        register=_QUESTION, id=row.id, title=f"Question {row.id}", kind=row.process, of=mine,
        counts=mine if row.state == QuestionState.OPEN else frozenset(), since=row.valid_from, channel=row.channel_id,
        process=row.process, **places.where(row),
    )  # fmt: skip


def _approval(row: Any, places: Places) -> RegisterEntry:
    mine = frozenset({"approval_cycle_time"})
    return RegisterEntry(
        register=_APPROVAL, id=row.id, title=f"Approval {row.id}", kind=row.kind, of=mine, counts=mine, since=row.valid_from,
        until=row.valid_until, realm=row.realm, zone=places.zone.get(row.site_id, "UTC"), **places.where(row),
    )  # fmt: skip
