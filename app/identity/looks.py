"""Who may learn the names behind a history? The people's own supervisor and super user, and every look is kept.

Everywhere else a person reads as role and site. So a name never stands on a page by itself: somebody asks for it, and the
audit trail says who asked about whom, on which document.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.identity.models import Account, RoleGrant
from app.identity.queries import in_force
from erpcore.kernel.actor import Actor
from erpcore.kernel.work import UnitOfWork

#: Held by the roles that supervise people at a site, and by its super user.
LOOK = "app:name:look"


def look(work: UnitOfWork, people: Collection[int], *, document: str, document_id: int) -> Mapping[int, str]:
    """The names of those of these people whom the actor supervises, by account id; kept in the audit trail.

    Raises ``NotAllowed`` for another role. One who asks about oneself alone is not kept: that is no look at others.
    """
    work.actor.require(LOOK)
    found = _own_people(work.session, work.actor, people, work)
    others = sorted(set(found) - {work.actor.id})
    if others:
        work.audit("person.looked_up", document, document_id, people=others)
    return found


def _own_people(session: Session, actor: Actor, people: Collection[int], work: UnitOfWork) -> dict[int, str]:
    query = (
        select(Account.id, Account.name)
        .join(RoleGrant, RoleGrant.account_id == Account.id)
        .where(Account.id.in_(sorted(set(people))), in_force(work.now))
    )
    if actor.sites is not None:
        # One supervises whom one's site has: those whose role is given for all sites have their supervisor elsewhere.
        query = query.where((RoleGrant.site_id.in_(sorted(actor.sites))) | (Account.id == actor.id))
    return {row.id: row.name for row in session.execute(query)}
