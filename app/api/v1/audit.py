"""The audit trail for programs: acts in their order, and whether the chain is whole."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from app.api.framework import operation
from app.api.lists import listed, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Answer, Page, PageQuery
from app.composition.anchors import check_chain
from app.composition.request import installation
from app.queries.audit import AUDIT
from app.security.permissions import Permission

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
    """Which acts."""

    text: str = part_of("the act's name or of what it says")
    object: str | None = Field(None, max_length=32, description="Only those about this kind of object.")
    number: Key | None = which("Only those about the object with this id.")
    person: Key | None = which("Only what this person did; nothing for callers who may not see people.")
    since: date | None = which("The first day (UTC).")
    until: date | None = which("The last day (UTC).")


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
    return listed(AUDIT, query, ActAnswer.model_validate)


@operation("GET", "/audit/chain", permission=Permission.AUDIT_READ, summary="Verify the audit chain", tag=TAG, answer=ChainAnswer)  # fmt: skip
def verify_audit_chain() -> ChainAnswer:
    return ChainAnswer.model_validate(check_chain(installation().database, installation().settings.instance))
