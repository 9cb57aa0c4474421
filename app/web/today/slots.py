"""What stands on the home page? Areas hand in what waits for a person, and the panels of their role.

A provider is a function of (session, actor, now). It is asked only for a person with its permission, and says nothing by
returning nothing. One page has at most 25 queries, so a provider makes one or two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.security.permissions import Permission
from app.security.roles import Role
from erpcore.kernel.actor import Actor


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Something a person has to do: what, why now, where it is done. ``due_at`` orders the list."""

    title: str
    url: str
    why: str
    detail: str = ""
    due_at: datetime | None = None
    move: str = "Open"
    is_primary: bool = False


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A card of the page: its title, a line of context, and the template of its body with the values it shows."""

    title: str
    template: str
    meta: str = ""
    values: dict[str, Any] = field(default_factory=dict)


WaitingProvider = Callable[[Session, Actor, datetime], Iterable[Waiting]]
PanelProvider = Callable[[Session, Actor, datetime], Panel | None]


@dataclass(frozen=True)
class _Offer:
    permission: Permission
    order: int
    roles: frozenset[Role] | None
    provider: Any


_waiting: dict[str, _Offer] = {}
_panels: dict[str, _Offer] = {}


def waits_for_me(
    permission: Permission, *, roles: Iterable[Role] | None = None
) -> Callable[[WaitingProvider], WaitingProvider]:
    """Ask this function what waits for the person; ``roles`` narrows to whom it concerns."""

    def register(provider: WaitingProvider) -> WaitingProvider:
        _waiting[_name(provider)] = _Offer(permission, 0, frozenset(roles) if roles else None, provider)
        return provider

    return register


def panel(
    permission: Permission, *, order: int, roles: Iterable[Role] | None = None
) -> Callable[[PanelProvider], PanelProvider]:
    """Ask this function for a card; the lower ``order``, the higher it stands."""

    def register(provider: PanelProvider) -> PanelProvider:
        _panels[_name(provider)] = _Offer(permission, order, frozenset(roles) if roles else None, provider)
        return provider

    return register


def _name(provider: Callable[..., Any]) -> str:
    return f"{provider.__module__}.{provider.__qualname__}"


def _concerns(offer: _Offer, actor: Actor) -> bool:
    return actor.may(offer.permission) and (offer.roles is None or actor.role in offer.roles)


def everything_waiting(session: Session, actor: Actor, now: datetime) -> list[Waiting]:
    """What waits for this person, soonest due first."""
    found = [
        item for offer in _waiting.values() if _concerns(offer, actor) for item in offer.provider(session, actor, now)
    ]
    return sorted(found, key=lambda item: (item.due_at is None, item.due_at or now, item.title))


def panels(session: Session, actor: Actor, now: datetime) -> list[Panel]:
    """The cards of this person's page, in their order."""
    asked = sorted((offer for offer in _panels.values() if _concerns(offer, actor)), key=lambda offer: offer.order)
    return [card for offer in asked if (card := offer.provider(session, actor, now)) is not None]
