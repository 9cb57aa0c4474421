"""How is a template of a place kept: written, written anew as the next version, given up, and used?

What a version says never changes; what was made from it names the version. Sites, companies and channels are looked up by the
composition (``app/composition/placing``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.work import UnitOfWork
from governance.templates.content import Content, PlaceKind
from governance.templates.models import PlaceTemplate, TemplateUse, TemplateVersion
from governance.templates.permissions import TemplatePermission


@dataclass(frozen=True, kw_only=True)
class NewTemplate:
    """A template with its first version; ``source``: what it was taken from."""

    code: str
    name: str
    content: Content
    source: int | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class NextVersion:
    """What the template says from now on. ``seen``: the number of the version that the person saw."""

    template: int
    name: str
    content: Content
    reason: str
    seen: int
    source: int | None = None


def add_template(work: UnitOfWork, command: NewTemplate) -> PlaceTemplate:
    """Write a template down. Raises ``RuleBroken`` without code or name, ``Conflict`` for a code that is taken."""
    work.actor.require(TemplatePermission.WRITE)
    code, name = command.code.strip(), command.name.strip()
    if not code or not name:
        raise RuleBroken("code_missing" if not code else "name_missing", field="name" if code else "code")
    row = PlaceTemplate(id=work.ids.one(), kind=command.content.kind, code=code, name=name, last_number=1)
    add_first(work, row, "template_there", field="code", name=code)
    _write(work, row, command.content, command.source, command.reason or "written down")
    work.audit(
        "template.added",
        "place_template",
        row.id,
        code=code,
        of=row.kind,
        source=command.source,
        digest=command.content.digest(),
    )
    return row


def write_next(work: UnitOfWork, command: NextVersion) -> PlaceTemplate:
    """Write the next version; what was made from earlier ones stays as it is. Raises ``Conflict`` where somebody wrote one meanwhile."""
    work.actor.require(TemplatePermission.WRITE)
    row = lock_template(work, command.template)
    if row.last_number != command.seen:
        raise Conflict("changed_meanwhile", document="template", seen=command.seen, now=row.last_number)
    if row.kind != command.content.kind:
        raise RuleBroken("template_other_kind", code=row.code, kind=row.kind)
    if not command.name.strip():
        raise RuleBroken("name_missing", field="name")
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="template", move="change")
    row.name, row.last_number = command.name.strip(), row.last_number + 1
    _write(work, row, command.content, command.source, command.reason)
    work.audit(
        "template.changed", "place_template", row.id, version=row.last_number, reason=command.reason.strip(),
        digest=command.content.digest(),
    )  # fmt: skip
    return row


def retire_template(work: UnitOfWork, template_id: int, *, reason: str) -> PlaceTemplate:
    """Make nothing from it any more; what was made stays."""
    work.actor.require(TemplatePermission.WRITE)
    row = lock_template(work, template_id)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="template", move="retire")
    row.retired_at, row.retired_by = work.now, work.actor.id
    work.audit("template.retired", "place_template", row.id, reason=reason.strip())
    return row


def lock_template(work: UnitOfWork, template_id: int) -> PlaceTemplate:
    """The template, held until the unit of work ends. Raises ``NotFound``, or ``RuleBroken`` for a retired one."""
    row = work.session.scalar(
        select(PlaceTemplate).where(PlaceTemplate.id == template_id).with_for_update(key_share=True)
    )
    if row is None:
        raise NotFound("template_not_found", template=template_id)
    if row.retired_at is not None:
        raise RuleBroken("template_retired", code=row.code)
    return row


def keep_use(
    work: UnitOfWork, version: TemplateVersion, kind: PlaceKind, place: int, *, asked: dict[str, Any], made: dict[str, Any]
) -> TemplateUse:  # fmt: skip
    """Keep what was made from which version. The caller has made it in the same unit of work."""
    work.actor.require(TemplatePermission.APPLY)
    row = TemplateUse(
        id=work.ids.one(), version_id=version.id, kind=kind, place_id=place, asked=canonical_json(asked).decode(),
        made=canonical_json(made).decode(), made_by=work.actor.id, made_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    work.audit(
        "template.used",
        "template_use",
        row.id,
        template=version.template_id,
        version=version.number,
        of=kind,
        place=place,
        made=made,
    )
    return row


def _write(work: UnitOfWork, row: PlaceTemplate, content: Content, source: int | None, reason: str) -> None:
    work.session.add(
        TemplateVersion(
            id=work.ids.one(), template_id=row.id, number=row.last_number, content=content.text(), source_id=source,
            reason=reason.strip(), made_by=work.actor.id, made_at=work.now,
        )
    )  # fmt: skip
    work.session.flush()
