"""Who is asked, and what becomes of what was asked about: approvals joined with people, working hours and their subjects.

Every kind of request has a row in ``OUTCOMES``, put there by the module that knows its subject (``settles``). ``ask`` and
``answer`` tell the subject in the same unit of work when its request is settled, also where that happens at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from app.composition.approval_words import need_sentence, rule_sentence
from app.composition.calendars import SiteCalendars
from app.identity.models import Account, RoleGrant
from app.identity.queries import in_force
from app.security.permissions import Permission
from app.security.roles import Role, permissions_of
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Entity, Site
from governance.approvals import services
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest, ApprovalRule
from governance.approvals.ports import Surroundings
from governance.approvals.rulebook import ProposeRule
from governance.approvals.rulebook import decide_rule as decide_on_rule
from governance.approvals.rulebook import propose_rule as propose
from governance.approvals.rules import Facts, Need, Rule
from governance.approvals.services import Answer, Ask
from readiness.measures.hours import working_end
from readiness.measures.ports import SiteCalendar

__all__ = ["Answer", "Ask", "Facts", "Need"]

#: Hours of what happens at no site.
_OPENS, _CLOSES = time(8), time(17)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What requests of a kind are about. ``version_of``: the present version of a subject, ``None`` where it is gone;
    ``settled``: what approving or rejecting does to it; ``page``: (endpoint, argument) of where it is shown. Without
    ``may_withdraw`` a request stays until it is decided, since its subject does. ``lock`` holds the subject before its request
    is held, so that all who hold both do so in one order. Without ``may_be_automatic`` somebody decides in every case.
    """

    kind: str
    title: str
    version_of: Callable[[Session, int], int | None]
    settled: Callable[[UnitOfWork, ApprovalRequest], None]
    page: tuple[str, str] | None = None
    may_withdraw: bool = True
    lock: Callable[[UnitOfWork, int], None] | None = None
    may_be_automatic: bool = True


#: Kind of request → its subject.
OUTCOMES: dict[str, Subject] = {}


def settles(
    kind: str,
    *,
    title: str,
    version_of: Callable[[Session, int], int | None],
    page: tuple[str, str] | None = None,
    may_withdraw: bool = True,
    lock: Callable[[UnitOfWork, int], None] | None = None,
    may_be_automatic: bool = True,
) -> Callable[[Callable[[UnitOfWork, ApprovalRequest], None]], Callable[[UnitOfWork, ApprovalRequest], None]]:
    """Tell this function when a request of the kind is approved or rejected (``request.state``)."""

    def register(
        settled: Callable[[UnitOfWork, ApprovalRequest], None],
    ) -> Callable[[UnitOfWork, ApprovalRequest], None]:
        OUTCOMES[kind] = Subject(
            kind=kind, title=title, version_of=version_of, settled=settled, page=page, may_withdraw=may_withdraw, lock=lock,
            may_be_automatic=may_be_automatic,
        )  # fmt: skip
        return settled

    return register


def subject_of(kind: str) -> Subject:
    """What requests of the kind are about. Raises ``RuleBroken``: without an outcome an approval would say nothing to anybody."""
    if kind not in OUTCOMES:
        raise RuleBroken("approval_kind_unknown", field="kind", kind=kind)
    return OUTCOMES[kind]


class Around(Surroundings):
    """People from identity, hours from master data, subjects from the table above."""

    def roles_of(self, session: Session, person: int, now: datetime) -> Mapping[int | None, AbstractSet[str]]:
        """Given now, and the account is open; what is given for a live site holds at its twins."""
        twin = aliased(Site)
        query = (
            select(RoleGrant.role, RoleGrant.site_id, twin.id.label("twin"))
            .join(Account, Account.id == RoleGrant.account_id)
            .outerjoin(twin, twin.twin_id == RoleGrant.site_id)
            .where(RoleGrant.account_id == person, Account.closed_at.is_(None), in_force(now))
        )
        found: dict[int | None, set[str]] = defaultdict(set)
        for row in session.execute(query):
            found[row.site_id].add(row.role)
            if row.twin is not None:
                found[row.twin].add(row.role)
        return found

    def permits(self, role: str, permission: str) -> bool:
        """As the table of roles says."""
        return permission in permissions_of(role)

    def is_somebody(self, session: Session, person: int) -> bool:
        """An account that is open."""
        account = session.get(Account, person)
        return account is not None and account.closed_at is None

    def roles(self) -> Collection[str]:
        return set(Role)

    def permissions(self) -> Collection[str]:
        return set(Permission)

    def due(
        self, session: Session, site: int | None, entity: int | None, since: datetime, hours: Collection[int]
    ) -> dict[int, datetime]:
        """In the site's opening hours; without a site Monday to Friday, 8 to 17, of the company's time zone (else UTC)."""
        calendar = _calendar(session, site, entity)
        return {each: _end(since, timedelta(hours=each), calendar) for each in hours}

    def subject_version(self, session: Session, kind: str, subject_id: int) -> int | None:
        return subject_of(kind).version_of(session, subject_id)

    def lock_subject(self, work: UnitOfWork, kind: str, subject_id: int) -> None:
        """Nothing to do for a subject that is not held together with its request."""
        if (lock := subject_of(kind).lock) is not None:
            lock(work, subject_id)

    def settled(self, work: UnitOfWork, request: ApprovalRequest) -> None:
        subject_of(request.kind).settled(work, request)

    def lock_person(self, session: Session, person: int) -> None:
        session.get(Account, person, with_for_update={"key_share": True}, populate_existing=True)

    def rule_sentence(self, rule: Rule) -> str:
        return rule_sentence(rule)

    def need_sentence(self, need: Need) -> str:
        return need_sentence(need)


AROUND = Around()


def _calendar(session: Session, site: int | None, entity: int | None) -> SiteCalendar:
    if site is not None:
        found = SiteCalendars(session).of_sites([site]).get(site)
        if found is not None:
            return found
    company = None if entity is None else session.get(Entity, entity)
    return SiteCalendar("UTC" if company is None else company.time_zone, _OPENS, _CLOSES)


def _end(since: datetime, worked: timedelta, calendar: SiteCalendar) -> datetime:
    try:
        return working_end(since, worked, calendar)
    except ValueError:
        # A site that never opens: its requests must not wait for ever.
        return since + worked


def ask(work: UnitOfWork, command: Ask) -> ApprovalRequest:
    """Ask for approval; see ``governance.approvals.services.ask``. What is approved automatically has its effect at once."""
    subject_of(command.kind)
    request = services.ask(work, command, AROUND)
    if request.state == RequestState.APPROVED:
        AROUND.settled(work, request)
    return request


def answer(work: UnitOfWork, command: Answer) -> ApprovalRequest:
    """Answer a request; see ``governance.approvals.services.answer``. The last answer has its effect at once, and once."""
    before = services.require_request(work, command.request)
    was = before.state
    AROUND.lock_subject(work, before.kind, before.subject_id)
    request = services.answer(work, command, AROUND)
    if was == RequestState.WAITING and request.state != was and request.settled_at == work.now:
        AROUND.settled(work, request)
    return request


def withdraw(work: UnitOfWork, request_id: int, *, reason: str) -> ApprovalRequest:
    """Take a request back; what was asked about learns nothing, since nothing was decided.

    Raises ``RuleBroken`` where its subject cannot be taken back, and would be left to nobody.
    """
    request = services.require_request(work, request_id)
    if not subject_of(request.kind).may_withdraw:
        raise RuleBroken("approval_stays", what=request.summary)
    return services.withdraw(work, request_id, reason=reason)


def propose_rule(work: UnitOfWork, command: ProposeRule) -> ApprovalRule:
    """Propose another version of a rule of a kind that there is. Raises ``RuleBroken`` where nobody would be asked, though
    somebody else than who asked decides in every case.
    """
    subject = subject_of(command.kind)
    if command.is_automatic and not command.ends and not subject.may_be_automatic:
        raise RuleBroken("approval_rule_never_automatic", field="is_automatic", of=subject.title)
    return propose(work, command, AROUND)


def decide_rule(
    work: UnitOfWork, rule_id: int, move: str, *, reason: str, seen_version: int | None = None
) -> ApprovalRule:
    """Decide on a proposed version of a rule. What it settles of what waited has its effect at once."""
    return decide_on_rule(work, rule_id, move, reason=reason, around=AROUND, seen_version=seen_version)
