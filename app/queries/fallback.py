"""What does a site admit now, who put it on paper, since when and why?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.queries.steer import NameTables, Step, history, name_tables
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Site
from readiness.waves.queries import GrantView, grants


@dataclass(frozen=True, kw_only=True)
class FallbackPage:
    """A live site with its grants that are not closed, and the fallbacks declared and ended there, newest first."""

    site: int
    name: str
    channels: tuple[tuple[int, str], ...]
    grants: tuple[GrantView, ...]
    steps: tuple[tuple[GrantView, Step], ...]
    names: NameTables


def fallback_page(session: Session, site_id: int, now: datetime) -> FallbackPage:
    """One site. About seven queries. Raises ``NotFound``."""
    site = session.get(Site, site_id)
    if site is None or site.twin_id is not None:
        raise NotFound("not_found")
    found = [one for one in grants(session, site=site_id, only_effective=True) if one.opens_at <= now]
    moves = history(session, "grant", [one.id for one in found])
    steps = [
        (one, step)
        for one in found
        for step in moves.get(one.id, ())
        if step.move in {"declare_fallback", "end_fallback"}
    ]
    names = name_tables(session, [step.actor for _, step in steps])
    used = {one.channel for one in found}
    return FallbackPage(
        site=site_id, name=site.name,
        channels=tuple((int(key), str(name)) for key, name in names["channels"].items() if int(key) in used),
        grants=tuple(found), steps=tuple(sorted(steps, key=lambda pair: pair[1].at, reverse=True)), names=names,
    )  # fmt: skip
