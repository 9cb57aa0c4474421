"""The audit trail for programs: acts in their order, and whether the chain is whole."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from app.api.framework import operation
from app.api.v1.numbers import Key
from app.api.values import Answer, Page, PageQuery, page_of, set_filters
from app.composition.anchors import check_chain
from app.composition.request import installation, now, reader
from app.queries.audit import AUDIT
from app.queries.listing import Asked
from app.security.permissions import Permission
from app.security.require import actor

TAG = "Audit"


class ActAnswer(Answer):
    """One act. `who` is a name for those who may see people, a role for others."""

    id: int
    position: int
    at: datetime
    kind: str
    subject_type: str
    subject_id: int | None
    who: str
    role: str
    facts: dict[str, Any]


class ActQuery(PageQuery):
    """Which acts: of one kind of object, of one object, by one person, between two days (UTC)."""

    object: str | None = Field(None, max_length=32)
    number: Key | None = None
    person: Key | None = None
    since: date | None = None
    until: date | None = None


class ChainAnswer(Answer):
    """What a check of the whole chain found; `broken_at` null: every link is as it was written."""

    links: int
    head: str
    broken_at: int | None
    why: str | None


@operation(
    "GET", "/audit/acts", permission=Permission.AUDIT_READ, summary="List acts of the audit trail", tag=TAG, query=ActQuery,
    answer=Page[ActAnswer],
)  # fmt: skip
def list_audit_acts(query: ActQuery) -> Page[ActAnswer]:
    rows = AUDIT.after(
        reader(), actor(), Asked(values=set_filters(query)), now(), after=query.after, limit=query.limit + 1
    )  # fmt: skip
    return page_of([ActAnswer.model_validate(row) for row in rows], [row.id for row in rows], query.limit)


@operation("GET", "/audit/chain", permission=Permission.AUDIT_READ, summary="Verify the audit chain", tag=TAG, answer=ChainAnswer)  # fmt: skip
def verify_audit_chain() -> ChainAnswer:
    return ChainAnswer.model_validate(check_chain(installation().database, installation().settings.instance))
