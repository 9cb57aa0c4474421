"""Which sites does somebody see? One set of ids, and one way to keep a query inside it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.identity.queries import GrantedRole
from app.security.roles import permissions_of
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Site

S = TypeVar("S", bound=Select[Any])


def sites_of(session: Session, grants: Iterable[GrantedRole]) -> frozenset[int] | None:
    """The sites that grants of one role reach: ``None`` is all, otherwise each site with its rehearsal and other twins."""
    granted = [grant.site for grant in grants]
    return None if None in granted else _with_twins(session, [site for site in granted if site is not None])


def _with_twins(session: Session, sites: Collection[int]) -> frozenset[int]:
    if not sites:
        return frozenset()
    return frozenset(session.scalars(select(Site.id).where(or_(Site.id.in_(sites), Site.twin_id.in_(sites)))))


def actor_for(
    session: Session,
    account_id: int,
    role: str,
    grants: Iterable[GrantedRole],
    *,
    permissions: frozenset[str] | None = None,
    sites: frozenset[int] | None = None,
) -> Actor:
    """Who acts: a person in one role. ``permissions`` and ``sites`` narrow what the role has (tokens), never widen it."""
    allowed = permissions_of(role)
    reach = sites_of(session, grants)
    if sites is not None:
        named = _with_twins(session, sites)
        reach = named if reach is None else reach & named
    return Actor(
        id=account_id,
        role=role,
        permissions=allowed if permissions is None else allowed & permissions,
        sites=reach,
    )


def within_sites(query: S, actor: Actor, column: ColumnElement[Any] | InstrumentedAttribute[Any]) -> S:
    """``query`` kept to rows whose ``column`` is a site the actor sees. Rows of no site are seen by those who see all."""
    return query if actor.sites is None else query.where(column.in_(sorted(actor.sites)))


def within_companies(query: S, actor: Actor, column: ColumnElement[Any] | InstrumentedAttribute[Any]) -> S:
    """``query`` kept to rows whose ``column`` is a company with a site that the actor sees."""
    if actor.sites is None:
        return query
    return query.where(column.in_(select(Site.entity_id).where(Site.id.in_(sorted(actor.sites)))))


def check_site(actor: Actor, site: int | None) -> None:
    """Raise ``NotFound`` for a document of a site the actor does not see: to them it does not exist."""
    if actor.sites is not None and site not in actor.sites:
        raise NotFound("not_found")
