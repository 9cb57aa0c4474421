"""May this person open this page? Every view says which permission it needs, and says it where it is declared.

This is the first of two checks: the route's. What depends on the document (its site, who asked for it) the service checks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g

from app.security.permissions import Permission
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError

F = TypeVar("F", bound=Callable[..., Any])

#: What a view carries when everybody may open it; a test lists which those are.
PUBLIC = "public"


class SignInNeeded(DomainError):
    """Nobody is signed in, or no valid token came."""

    def __init__(self) -> None:
        super().__init__("sign_in_needed")


def actor() -> Actor:
    """Who acts in this request; raises ``SignInNeeded`` when nobody does."""
    found: Actor | None = g.get("actor")
    if found is None:
        raise SignInNeeded
    return found


def says(view: Callable[..., Any], permission: str) -> None:
    """Let a view say what it needs, for the test that walks all routes."""
    view.__dict__["permission"] = permission


def require(permission: Permission, *, site: str | None = None) -> Callable[[F], F]:
    """The view needs ``permission``; ``site`` names the argument of the route that is a site's id, which must be in scope.

    Refuses with 401 or the sign-in page for nobody, 403 without the permission, 404 for another site.
    """

    def mark(view: F) -> F:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            actor().require(permission, site=kwargs[site] if site else None)
            return view(*args, **kwargs)

        says(checked, permission)
        return checked  # type: ignore[return-value]  # wraps() keeps the signature

    return mark


def public(view: F) -> F:
    """The view is for everybody, signed in or not."""
    says(view, PUBLIC)
    return view
