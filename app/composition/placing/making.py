"""How does a template become a place? Looked at first, then made whole in one unit of work, or not at all.

Whoever may apply a template makes with it what the template says and what any person with the right of each part could make;
policy values are only proposed, and cells stay closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.placing.channel import parts_of_channel
from app.composition.placing.entity import parts_of_entity
from app.composition.placing.plan import Asked, Made, Part, Plan
from app.composition.placing.site import parts_of_site
from app.composition.placing.taking import taken
from app.security.permissions import Permission
from erpcore.kernel.errors import Conflict, NotAllowed
from erpcore.kernel.work import UnitOfWork
from governance.templates.content import Content, PlaceKind, Row, checked
from governance.templates.models import PlaceTemplate, TemplateUse, TemplateVersion
from governance.templates.permissions import TemplatePermission
from governance.templates.queries import content_of, newest, template
from governance.templates.services import NewTemplate, NextVersion, add_template, keep_use, lock_template, write_next

_PARTS = {PlaceKind.SITE: parts_of_site, PlaceKind.ENTITY: parts_of_entity, PlaceKind.CHANNEL: parts_of_channel}
#: What making a place takes besides the right to apply a template.
_WITH_IT = frozenset(
    {
        Permission.MASTERDATA_CHANGE, Permission.LOCATION_CHANGE, Permission.CARRIER_CHANGE, Permission.VARIANT_REQUEST, Permission.PROGRAMME_MANAGE, Permission.WAVE_PLAN, Permission.GATE_DEFINE,
    }
)  # fmt: skip


def take_template(
    work: UnitOfWork, kind: PlaceKind, place: int, *, code: str, name: str, reason: str = ""
) -> PlaceTemplate:
    """A template of a place as it stands."""
    work.actor.require(TemplatePermission.WRITE)
    _everywhere(work)
    content = taken(work.session, kind, place, work.now)
    return add_template(work, NewTemplate(code=code, name=name, content=content, source=place, reason=reason))


def type_template(
    work: UnitOfWork, kind: PlaceKind, facts: Mapping[str, str], rows: Mapping[str, Sequence[Row]], *, code: str, name: str
) -> PlaceTemplate:  # fmt: skip
    """A template that a person or a program writes down."""
    work.actor.require(TemplatePermission.WRITE)
    _everywhere(work)
    return add_template(work, NewTemplate(code=code, name=name, content=checked(kind, facts, rows)))


def rewrite_template(
    work: UnitOfWork, template_id: int, facts: Mapping[str, str], rows: Mapping[str, Sequence[Row]], *, name: str, reason: str, seen: int
) -> PlaceTemplate:  # fmt: skip
    """The next version of a template, typed."""
    work.actor.require(TemplatePermission.WRITE)
    _everywhere(work)
    kind = PlaceKind(template(work.session, template_id).kind)
    content = checked(kind, facts, rows)
    return write_next(work, NextVersion(template=template_id, name=name, content=content, reason=reason, seen=seen))


def plan_of(session: Session, template_id: int, asked: Asked, now: datetime) -> Plan:
    """What would be made now. Raises ``NotFound`` for the template, ``RuleBroken`` for facts that mean nothing."""
    row = template(session, template_id)
    version = newest(session, row)
    return Plan(
        parts=tuple(_parts(session, PlaceKind(row.kind), version, asked, now)), version=version.number, asked=asked
    )


def apply_template(work: UnitOfWork, template_id: int, asked: Asked, *, seen: str | None) -> TemplateUse:
    """Make the place and all that belongs to it. ``seen``: the digest of the plan that the person saw, ``None`` for a program that
    asks for what holds now. Raises the first problem of the plan, or ``Conflict`` where it is another one than was seen.
    """
    work.actor.require(TemplatePermission.APPLY)
    _everywhere(work)
    # Two who make a place at once would each find its code free: one after the other, whatever the templates.
    work.session.execute(select(PlaceTemplate.id).order_by(PlaceTemplate.id).with_for_update(key_share=True)).all()
    row = lock_template(work, template_id)
    kind, version = PlaceKind(row.kind), newest(work.session, row)
    plan = Plan(parts=tuple(_parts(work.session, kind, version, asked, work.now)), version=version.number, asked=asked)
    if plan.problems:
        raise plan.problems[0]
    if seen is not None and seen != plan.digest:
        raise Conflict("template_plan_changed")
    made = Made()
    with _allowed(work):
        for part in plan.parts:
            part.make(work, made)
    return keep_use(work, version, kind, made.place, asked=asked.plain(), made=made.things)


def _parts(session: Session, kind: PlaceKind, version: TemplateVersion, asked: Asked, now: datetime) -> list[Part]:
    content = content_of(version, kind)
    if asked.facts:
        content = checked(kind, {**content.facts, **asked.facts}, content.rows)
    return _PARTS[kind](session, _usable(content), asked, now)


def _usable(content: Content) -> Content:
    """What an older version did not say yet reads as nothing said."""
    return checked(content.kind, content.facts, content.rows)


def _everywhere(work: UnitOfWork) -> None:
    """Raise for somebody whose role is for some sites: a new place is none of them."""
    if work.actor.sites is not None:
        raise NotAllowed("template_everywhere", permission=TemplatePermission.APPLY)


@contextmanager
def _allowed(work: UnitOfWork) -> Iterator[None]:
    """The right of each part, for as long as the parts are made; every act names the person all the same."""
    actor = work.actor
    work.actor = replace(actor, permissions=actor.permissions | _WITH_IT)
    try:
        yield
    finally:
        work.actor = actor
