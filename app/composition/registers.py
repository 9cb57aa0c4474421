"""What stands in the registers of governance, as figures count it: variants, design questions and what people were asked to approve."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import BigInteger, Date, String, Text, cast, literal, null, select, union_all
from sqlalchemy.orm import Session

from erpcore.kernel.clock import local_day
from erpcore.kernel.model import UtcDateTime
from erpcore.masterdata.models import Site
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest
from governance.questions.flow import QuestionState
from governance.questions.models import DesignQuestion
from governance.variants.flow import AGREED, VariantState
from governance.variants.kinds import Kind
from governance.variants.models import Variant, VariantValue
from governance.variants.validity import facts_of, fits, is_valid
from readiness.measures.ports import RegisterEntry

_VARIANT, _QUESTION, _APPROVAL, _SITE = "variant", "design_question", "approval_request", "site"
#: Variants that somebody agreed to, whatever has become of them since.
_DECIDED = (*AGREED, VariantState.RETIRED, VariantState.REVOKED)
_DECIDED_REQUESTS = (RequestState.APPROVED, RequestState.REJECTED)


def register_entries(session: Session, since: datetime | None, at: datetime) -> list[RegisterEntry]:
    """All entries that figures are counted from at this instant; requests from ``since`` on, none without. One query."""
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in session.execute(_query(since)):
        rows[row.register].append(row)
    places = _Places.of(rows[_SITE])
    found = _variants(rows[_VARIANT], places, at)
    found += [_question(row, places) for row in rows[_QUESTION]]
    return found + [_approval(row, places) for row in rows[_APPROVAL]]


_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("id", BigInteger), ("kind", String), ("title", String), ("state", String), ("realm", String), ("entity_id", BigInteger),
    ("site_id", BigInteger), ("channel_id", BigInteger), ("customer_group_id", BigInteger), ("process", String), ("zone", String),
    ("valid_from", UtcDateTime), ("valid_until", UtcDateTime), ("owner_left_at", UtcDateTime), ("next_review_on", Date),
    ("point", String), ("value", Text),
)  # fmt: skip


def _part(register: str, **known: Any) -> Any:
    """A part of the query: what it does not know is nothing, of the column's type."""
    columns = [known.get(name, cast(null(), of)).label(name) for name, of in _COLUMNS]
    return select(literal(register).label("register"), *columns)


def _query(since: datetime | None) -> Any:
    v, q, a = Variant, DesignQuestion, ApprovalRequest
    parts = [
        _part(
            _VARIANT, id=v.id, kind=v.kind, title=v.code, state=v.state, entity_id=v.entity_id, site_id=v.site_id,
            channel_id=v.channel_id, customer_group_id=v.customer_group_id, process=v.step, zone=v.zone, valid_from=v.valid_from,
            valid_until=v.valid_until, owner_left_at=v.owner_left_at, next_review_on=v.next_review_on, point=VariantValue.point,
            value=VariantValue.value,
        )
        .select_from(Variant)
        .outerjoin(VariantValue, VariantValue.variant_id == v.id)
        .where(v.state.in_(_DECIDED)),
        _part(
            _QUESTION, id=q.id, state=q.state, site_id=q.site_id, channel_id=q.channel_id, process=q.process,
            valid_from=q.asked_at,
        ),
        _part(_SITE, id=Site.id, entity_id=Site.entity_id, site_id=Site.twin_id, zone=Site.time_zone),
    ]  # fmt: skip
    if since is not None:
        asked = _part(
            _APPROVAL, id=a.id, kind=a.kind, state=a.state, realm=a.realm, entity_id=a.entity_id, site_id=a.site_id,
            valid_from=a.asked_at, valid_until=a.settled_at,
        )  # fmt: skip
        states = (RequestState.WAITING, *_DECIDED_REQUESTS)
        parts.append(asked.where(a.asked_at >= since, a.is_automatic.is_(False), a.state.in_(states)))
    return union_all(*parts)


class _Places(NamedTuple):
    """Sites with those that stand for them in other realms; their entities and zones."""

    twins: Mapping[int, frozenset[int]]
    entity: Mapping[int, int]
    zone: Mapping[int, str]

    @classmethod
    def of(cls, rows: Sequence[Any]) -> _Places:
        twins: dict[int, set[int]] = {row.id: {row.id} for row in rows}
        for row in rows:
            if row.site_id in twins:
                twins[row.site_id].add(row.id)
        return cls(
            {site: frozenset(found) for site, found in twins.items()},
            {row.id: row.entity_id for row in rows}, {row.id: row.zone for row in rows},
        )  # fmt: skip

    def where(self, row: Any) -> dict[str, Any]:
        """The sites and entities that an entry holds at, its twins' too; ``None`` for one that names none."""
        if row.site_id is not None:
            sites = self.twins.get(row.site_id, frozenset({row.site_id}))
        elif row.entity_id is not None:
            own = [site for site, entity in self.entity.items() if entity == row.entity_id]
            sites = frozenset().union(*(self.twins[site] for site in own))
        else:
            return {"sites": None, "entities": None}
        entities = {self.entity[site] for site in sites if site in self.entity}
        return {
            "sites": sites,
            "entities": frozenset(entities | ({row.entity_id} if row.entity_id is not None else set())),
        }


def _variants(rows: Sequence[Any], places: _Places, at: datetime) -> list[RegisterEntry]:
    values: dict[int, list[tuple[str, Any]]] = defaultdict(list)
    for row in rows:
        if row.point is not None:
            values[row.id].append((row.point, orjson.loads(row.value)))
    return [_variant(row, fits(values[row.id]), places, at) for row in {row.id: row for row in rows}.values()]


def _variant(row: Any, is_fit: bool, places: _Places, at: datetime) -> RegisterEntry:
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


def _question(row: Any, places: _Places) -> RegisterEntry:
    mine = frozenset({"design_questions_open"})
    return RegisterEntry(
        register=_QUESTION, id=row.id, title=f"Question {row.id}", kind=row.process, of=mine,
        counts=mine if row.state == QuestionState.OPEN else frozenset(), since=row.valid_from, channel=row.channel_id,
        process=row.process, **places.where(row),
    )  # fmt: skip


def _approval(row: Any, places: _Places) -> RegisterEntry:
    mine = frozenset({"approval_cycle_time"})
    return RegisterEntry(
        register=_APPROVAL, id=row.id, title=f"Approval {row.id}", kind=row.kind, of=mine, counts=mine, since=row.valid_from,
        until=row.valid_until, realm=row.realm, zone=places.zone.get(row.site_id, "UTC"), **places.where(row),
    )  # fmt: skip
