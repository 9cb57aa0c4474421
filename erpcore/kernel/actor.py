"""Who acts: a person or a job, with role, permissions and site scope."""

from __future__ import annotations

from dataclasses import dataclass

from erpcore.kernel.errors import NotAllowed, NotFound


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The person or job behind a unit of work. ``sites`` is ``None`` for all sites, live or not."""

    id: int
    role: str
    permissions: frozenset[str] = frozenset()
    sites: frozenset[int] | None = None
    is_system: bool = False

    @classmethod
    def system(cls, job: str) -> Actor:
        """A job of the product itself: may do what its code does, and is named in every record."""
        return cls(id=0, role=f"system:{job}", is_system=True)

    def may(self, permission: str) -> bool:
        return self.is_system or permission in self.permissions

    def require(self, permission: str, *, site: int | None = None) -> None:
        """Raise ``NotAllowed`` without the permission, ``NotFound`` for another site's document."""
        if site is not None and self.sites is not None and site not in self.sites:
            raise NotFound("not_found")
        if not self.may(permission):
            raise NotAllowed("not_allowed", permission=permission)
