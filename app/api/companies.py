"""In which company does a program work? Named in one way by every call, and refused in one."""

from __future__ import annotations

from app.composition.request import reader
from app.queries.places import EntityPick, company_seen
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork


def in_company(work: UnitOfWork, entity: int) -> EntityPick:
    """The company of a change, which from here on is of that company's realm. Raises ``NotFound`` (``entity_unknown``) for one
    that there is not, and for one whose books the caller does not see.
    """
    found = company_seen(work.session, work.actor, entity)
    work.realm = found.realm
    return found


def of_company(entity: int) -> EntityPick:
    """The company that a call reads of; raises as ``in_company`` does."""
    return company_seen(reader(), actor(), entity)
