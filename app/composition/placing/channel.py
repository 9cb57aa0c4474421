"""What does a new channel begin with? Its rank, what customers are promised at chosen sites, its cells and proposals."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.placing.parts import celled, named, promised, proposed
from app.composition.placing.plan import Asked, Made, Part
from erpcore.kernel.errors import DomainError, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Channel, Entity, Realm, Site
from erpcore.masterdata.services import ensure_channel, rank_channel
from governance.templates.content import Content

_LAST_RANK = 9


def parts_of_channel(session: Session, content: Content, asked: Asked, now: datetime) -> list[Part]:
    """All parts of a new channel. List prices hold for it as for every channel; prices of its own come by a price list."""
    rows = session.execute(
        select(Site.id, Site.name)
        .join(Entity, Entity.id == Site.entity_id)
        .where(Site.id.in_(asked.sites), Entity.realm == Realm.LIVE)
        .order_by(Site.id)
    )
    sites = {row.id: row.name for row in rows}
    names = [f"{name} · {asked.name.strip()}" for name in sites.values()]
    starts_on = asked.starts_on or now.date()
    return [
        _channel(session, content, asked, set(sites)),
        promised(session, content, [(site, 0) for site in sites], starts_on, only=asked.code),
        proposed(session, content, asked, "channel", now),
        celled(session, asked, [(site, None) for site in sites], names),
    ]


def _channel(session: Session, content: Content, asked: Asked, sites: set[int]) -> Part:
    code, name, rank = asked.code.strip(), asked.name.strip(), int(content.facts["priority"])
    problems: list[DomainError] = [*named(code, name, Channel, session)]
    if not 1 <= rank <= _LAST_RANK:
        problems.append(RuleBroken("template_rank", field="priority", rank=rank, last=_LAST_RANK))
    problems += [NotFound("site_unknown", field="sites", site=site) for site in sorted(set(asked.sites) - sites)]

    def make(work: UnitOfWork, made: Made) -> None:
        made.place = ensure_channel(work, code, name).id
        rank_channel(work, made.place, rank)

    return Part(
        title="The channel", of="priority", lines=(f"{code} {name}, rank {rank} for scarce stock",), problems=tuple(problems),
        make=make,
    )  # fmt: skip
