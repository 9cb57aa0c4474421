"""What approvals ask of the world around them: who has which role, when people work, and how a rule is said."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from erpcore.kernel.work import UnitOfWork
from governance.approvals.models import ApprovalRequest
from governance.approvals.rules import Need, Rule


class Surroundings(Protocol):
    """Answered by the composition; nothing here is kept by governance."""

    def roles_of(self, session: Session, person: int, now: datetime) -> Mapping[int | None, AbstractSet[str]]:
        """The roles that somebody whose account is open has now, by site, twins of it too; ``None``: at all sites. One query."""

    def permits(self, role: str, permission: str) -> bool:
        """Whether who has the role may do this."""

    def is_somebody(self, session: Session, person: int) -> bool:
        """Whether this is a person whose account is open."""

    def roles(self) -> Collection[str]:
        """The roles that there are."""

    def permissions(self) -> Collection[str]:
        """The permissions that there are."""

    def due(
        self, session: Session, site: int | None, entity: int | None, since: datetime, hours: Collection[int]
    ) -> dict[int, datetime]:
        """When so many working hours have passed at the site, by number of hours."""

    def subject_version(self, session: Session, kind: str, subject_id: int) -> int | None:
        """In which version the subject of a request of this kind is now; ``None``: it is not there any more."""

    def lock_subject(self, work: UnitOfWork, kind: str, subject_id: int) -> None:
        """Hold the subject, before its request is held."""

    def settled(self, work: UnitOfWork, request: ApprovalRequest) -> None:
        """Tell the subject that its request is settled."""

    def lock_person(self, session: Session, person: int) -> None:
        """Hold somebody's account, so that what is kept for them is looked at and written by one after the other."""

    def rule_sentence(self, rule: Rule) -> str:
        """The rule in one sentence, as it is frozen with a request."""

    def need_sentence(self, need: Need) -> str:
        """A need that no rule but the asker adds, in one sentence."""
