"""Which templates are there, what does a version say, and what was made from them?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotFound
from governance.templates.content import Content, PlaceKind
from governance.templates.models import PlaceTemplate, TemplateUse, TemplateVersion


@dataclass(frozen=True, kw_only=True)
class TemplateView:
    """A template with how much was made from it."""

    id: int
    kind: PlaceKind
    code: str
    name: str
    number: int
    made_at: datetime
    uses: int
    is_retired: bool


@dataclass(frozen=True, kw_only=True)
class VersionView:
    """What a version says, and who wrote it."""

    id: int
    number: int
    content: Content
    source: int | None
    reason: str
    made_by: int
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class UseView:
    """A place that was made from a template."""

    id: int
    kind: PlaceKind
    place: int
    number: int
    asked: dict[str, Any]
    made: dict[str, Any]
    made_by: int
    made_at: datetime


def templates(session: Session) -> list[TemplateView]:
    """All templates, those that are in use first, by code. One query."""
    newest = (TemplateVersion.template_id == PlaceTemplate.id) & (TemplateVersion.number == PlaceTemplate.last_number)
    uses = (
        select(func.count())
        .select_from(TemplateUse)
        .join(other := TemplateVersion.__table__.alias(), other.c.id == TemplateUse.version_id)
        .where(other.c.template_id == PlaceTemplate.id)
        .scalar_subquery()
    )
    rows = session.execute(
        select(PlaceTemplate, TemplateVersion.made_at, uses).join(TemplateVersion, newest).order_by(
            PlaceTemplate.retired_at.is_not(None), PlaceTemplate.code
        )
    )  # fmt: skip
    return [_view(row, made_at, count) for row, made_at, count in rows]


def _view(row: PlaceTemplate, made_at: datetime, uses: int) -> TemplateView:
    return TemplateView(
        id=row.id, kind=PlaceKind(row.kind), code=row.code, name=row.name, number=row.last_number, made_at=made_at, uses=uses,
        is_retired=row.retired_at is not None,
    )  # fmt: skip


def template(session: Session, template_id: int) -> PlaceTemplate:
    """The template. Raises ``NotFound``."""
    row = session.get(PlaceTemplate, template_id)
    if row is None:
        raise NotFound("template_not_found", template=template_id)
    return row


def versions(session: Session, row: PlaceTemplate) -> list[VersionView]:
    """Its versions, the newest first. One query."""
    found = session.scalars(
        select(TemplateVersion).where(TemplateVersion.template_id == row.id).order_by(TemplateVersion.number.desc())
    )
    return [version_view(one, PlaceKind(row.kind)) for one in found]


def newest(session: Session, row: PlaceTemplate) -> TemplateVersion:
    """The version that counts."""
    return session.scalars(
        select(TemplateVersion).where(TemplateVersion.template_id == row.id, TemplateVersion.number == row.last_number)
    ).one()


def content_of(version: TemplateVersion, kind: PlaceKind) -> Content:
    """What a version says."""
    said = orjson.loads(version.content)
    return Content(kind=kind, facts=said["facts"], rows=said["rows"])


def version_view(one: TemplateVersion, kind: PlaceKind) -> VersionView:
    """A version as it is shown."""
    return VersionView(
        id=one.id, number=one.number, content=content_of(one, kind), source=one.source_id, reason=one.reason,
        made_by=one.made_by, made_at=one.made_at,
    )  # fmt: skip


def uses(session: Session, template_id: int) -> list[UseView]:
    """What was made from a template, the newest first. One query."""
    rows = session.execute(
        select(TemplateUse, TemplateVersion.number)
        .join(TemplateVersion, TemplateVersion.id == TemplateUse.version_id)
        .where(TemplateVersion.template_id == template_id)
        .order_by(TemplateUse.id.desc())
    )
    return [
        UseView(
            id=row.id, kind=PlaceKind(row.kind), place=row.place_id, number=number, asked=orjson.loads(row.asked),
            made=orjson.loads(row.made), made_by=row.made_by, made_at=row.made_at,
        )
        for row, number in rows
    ]  # fmt: skip
