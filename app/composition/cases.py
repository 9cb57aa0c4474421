"""Who looks after a document in trouble, what was said about it, and until when is it left alone?

Whether a document is in trouble, and in which queue, is read from the document itself (``app/queries/troubles.py``). Kept here is
only what people decide about it: the owner, notes, and being left alone for a while with a reason. Every act is appended to
``exception_entry``; ``exception_case`` holds what the last ones come to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.identity.models import Account, RoleGrant
from app.identity.queries import in_force
from app.security.permissions import Permission
from app.security.roles import ROLES, Role
from erpcore.billing.disputes.models import Dispute, DisputeReason
from erpcore.billing.disputing import Hand, hand_over
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.kernel.first import add_first, insert_absent
from erpcore.kernel.model import Base, Key, UtcDateTime, append_only, states
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Site

WORK = "orders:exception:work"
ASSIGN = "orders:exception:assign"
#: Longer than this nothing is left alone at once.
LONGEST_SNOOZE = timedelta(days=30)


class Queue(StrEnum):
    """Why a document does not go on by itself. A document is in one of them: the first that fits in this order."""

    BLOCKED = "blocked"
    SHORT = "short"
    LATE = "late"
    STUCK = "stuck"
    VARIANCE = "variance"


#: The queues as people call them.
QUEUE_WORDS = {
    Queue.BLOCKED: "Blocked", Queue.SHORT: "Short", Queue.LATE: "Late", Queue.STUCK: "Stuck", Queue.VARIANCE: "Variance",
}  # fmt: skip


class Subject(StrEnum):
    """What kind of document it is. A ``bill`` is a shipment that is due to be billed, ``put_away`` goods of one arrival."""

    ORDER = "order"
    SHIPMENT = "shipment"
    BILL = "bill"
    INVOICE = "invoice"
    RETURN = "return"
    EXPECTED = "expected"
    COUNT = "count"
    ADJUSTMENT = "adjustment"
    PUT_AWAY = "put_away"
    DISPUTE = "dispute"
    PAYOUT_LINE = "payout_line"
    CARRIER_LINE = "carrier_line"


class Act(StrEnum):
    """What somebody did about it."""

    ASSIGNED = "assigned"
    NOTED = "noted"
    SNOOZED = "snoozed"
    WOKEN = "woken"


class ExceptionCase(Base):
    """What people decided about one document: the person or else the role that owns it, until when it is left alone.

    Without a row, or with neither, the owner is by rule.
    """

    __tablename__ = "exception_case"
    __table_args__ = (
        states("subject", Subject),
        CheckConstraint("owner_id IS NULL OR owner_role IS NOT NULL", name="owner_role"),
    )
    subject: Mapped[str] = mapped_column(String(12), primary_key=True)
    document_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    owner_role: Mapped[str | None] = mapped_column(String(32))
    snoozed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ExceptionEntry(Base):
    """One act about one document, kept for good."""

    __tablename__ = "exception_entry"
    __table_args__ = (states("act", Act), Index("ix_exception_entry_document", "subject", "document_id"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    subject: Mapped[str] = mapped_column(String(12))
    document_id: Mapped[int] = mapped_column(BigInteger)
    act: Mapped[str] = mapped_column(String(12))
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    owner_role: Mapped[str | None] = mapped_column(String(32))
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    text: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[str] = mapped_column(String(64))


class ExceptionRule(Base):
    """Which role owns what comes into a queue: at one site, or (``None``) wherever no site says otherwise."""

    __tablename__ = "exception_rule"
    __table_args__ = (
        UniqueConstraint("site_id", "queue"),
        # No site is not equal to no site: without this a queue could have two owners everywhere.
        Index(
            "uq_exception_rule_everywhere",
            "queue",
            unique=True,
            sqlite_where=text("site_id IS NULL"),
            postgresql_where=text("site_id IS NULL"),
        ),
        states("queue", Queue),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    queue: Mapped[str] = mapped_column(String(12))
    owner_role: Mapped[str] = mapped_column(String(32))
    version: Mapped[int] = mapped_column(Integer)


append_only(ExceptionEntry)


@dataclass(frozen=True, kw_only=True)
class Document:
    """Which document an act is about, and its site."""

    subject: str
    id: int
    site: int


@dataclass(frozen=True, kw_only=True)
class AssignCases:
    """Give documents to a person (in the role that the person has at the site) or to a role; with neither, back to the rule."""

    documents: Sequence[Document]
    person: int | None = None
    role: str | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class NoteCases:
    """Say something about documents."""

    documents: Sequence[Document]
    text: str


@dataclass(frozen=True, kw_only=True)
class SnoozeCases:
    """Leave documents alone until then, for this reason; ``until`` ``None``: no longer."""

    documents: Sequence[Document]
    until: datetime | None
    reason: str


def assign_cases(work: UnitOfWork, command: AssignCases) -> None:
    """Give the documents an owner.

    One may take for oneself with ``exception:work``; giving to others needs ``exception:assign``. Raises
    ``RuleBroken("case_owner_elsewhere")`` for a person without a role at the site of one of them, or a role that nobody has there.
    """
    for document in command.documents:
        own = command.person == work.actor.id
        work.actor.require(WORK if own else ASSIGN, site=document.site)
        role = _role_there(work, command, document.site)
        if document.subject == Subject.DISPUTE:
            _hand_over(work, document.id, command.person, role, command.note)
        else:
            case = _case(work, document)
            case.owner_id, case.owner_role = command.person, role
        _keep(work, document, Act.ASSIGNED, owner=command.person, role=role, text=command.note)


def note_cases(work: UnitOfWork, command: NoteCases) -> None:
    """Append a note to each document. Raises ``RuleBroken`` without words."""
    said = command.text.strip()
    if not said:
        raise RuleBroken("case_note_missing", field="note")
    for document in command.documents:
        work.actor.require(WORK, site=document.site)
        _case(work, document).note = said
        _keep(work, document, Act.NOTED, text=said)


def snooze_cases(work: UnitOfWork, command: SnoozeCases) -> None:
    """Leave the documents alone until a moment, or wake them. Raises ``RuleBroken`` without a reason, for the past, too long."""
    if command.until is not None:
        if not command.reason.strip():
            raise RuleBroken("case_reason_missing", field="reason")
        if not work.now < command.until <= work.now + LONGEST_SNOOZE:
            raise RuleBroken("case_snooze_until", field="until", days=LONGEST_SNOOZE.days)
    act = Act.WOKEN if command.until is None else Act.SNOOZED
    for document in command.documents:
        work.actor.require(WORK, site=document.site)
        _case(work, document).snoozed_until = command.until
        _keep(work, document, act, until=command.until, text=command.reason.strip())


def set_rule(work: UnitOfWork, *, site: int | None, queue: Queue, role: str, version: int | None = None) -> None:
    """Let a role own what comes into a queue. Raises ``RuleBroken`` for a role that works on none, and ``Conflict`` when somebody
    changed it since it was seen.
    """
    work.actor.require(ASSIGN, site=site)
    if role not in set(Role) or Permission.EXCEPTION_WORK not in ROLES[Role(role)].permissions:
        raise RuleBroken("case_rule_role", field="role", role=role)
    if site is None and work.actor.sites is not None:
        raise RuleBroken("case_rule_everywhere", field="site")
    rule = work.session.scalar(
        select(ExceptionRule)
        .where(
            ExceptionRule.queue == queue,
            ExceptionRule.site_id.is_(None) if site is None else ExceptionRule.site_id == site,
        )
        .with_for_update(key_share=True)
    )
    if rule is None:
        rule = ExceptionRule(id=work.ids.one(), site_id=site, queue=queue, version=0)
    elif version is not None and rule.version != version:
        raise Conflict("case_rule_changed")
    rule.owner_role, rule.version = role, rule.version + 1
    add_first(work, rule, "case_rule_changed")
    work.audit("exception.rule_set", "site", site, queue=str(queue), role=role)


def history_of(session: Session, subject: str, document_id: int) -> list[ExceptionEntry]:
    """What was done about a document, the newest first."""
    query = select(ExceptionEntry).where(ExceptionEntry.subject == subject, ExceptionEntry.document_id == document_id)
    return list(session.scalars(query.order_by(ExceptionEntry.id.desc())))


def rules_of(session: Session, actor: Actor) -> list[ExceptionRule]:
    """Who owns which queue where, as far as the person sees the sites; rules for everywhere are seen by all."""
    query = select(ExceptionRule).order_by(ExceptionRule.site_id, ExceptionRule.queue)
    if actor.sites is not None:
        query = query.where(or_(ExceptionRule.site_id.is_(None), ExceptionRule.site_id.in_(sorted(actor.sites))))
    return list(session.scalars(query))


def person_named(session: Session, sign_in: str) -> int | None:
    """The open account of that sign-in name."""
    query = select(Account.id).where(Account.sign_in == sign_in.strip().lower(), Account.closed_at.is_(None))
    return session.scalar(query)


def _hand_over(work: UnitOfWork, dispute: int, person: int | None, role: str | None, note: str) -> None:
    """A difference with a customer has its owner itself; by rule it is whose differences of its reason are."""
    if role is None:
        reason = work.session.execute(
            select(DisputeReason.owner_id, DisputeReason.owner_role)
            .join(Dispute, Dispute.reason_code == DisputeReason.code)
            .where(Dispute.id == dispute)
        ).one()
        person, role = reason.owner_id, reason.owner_role
    hand_over(work, [Hand(dispute=dispute, owner=person, role=role, reason=note)])


def _role_there(work: UnitOfWork, command: AssignCases, site: int) -> str | None:
    """In which role the owner acts at the site, so that nothing is given to nobody."""
    if command.person is None and command.role is None:
        return None
    held = select(RoleGrant.role).join(Account, Account.id == RoleGrant.account_id).where(
        Account.closed_at.is_(None), in_force(work.now), _reaches(site)
    )  # fmt: skip
    if command.person is not None:
        held = held.where(RoleGrant.account_id == command.person)
        if command.person == work.actor.id:
            held = held.where(RoleGrant.role == work.actor.role)
    else:
        held = held.where(RoleGrant.role == command.role)
    role = work.session.scalar(held.order_by(RoleGrant.id).limit(1))
    if role is None:
        raise RuleBroken("case_owner_elsewhere", field="owner")
    return role


def _reaches(site: int) -> ColumnElement[bool]:
    """Grants that reach the site: for all sites, for it, or for the live one that it stands for."""
    live = select(Site.twin_id).where(Site.id == site).scalar_subquery()
    return or_(RoleGrant.site_id.is_(None), RoleGrant.site_id == site, RoleGrant.site_id == live)


def _case(work: UnitOfWork, document: Document) -> ExceptionCase:
    """What was decided about the document, locked. The first two who look after it at once do so one after the other."""
    key = {"subject": document.subject, "document_id": document.id}
    case = work.session.get(ExceptionCase, key, with_for_update={"key_share": True})
    if case is None:
        insert_absent(work, ExceptionCase, key | {"changed_at": work.now})
        case = work.session.get_one(ExceptionCase, key, with_for_update={"key_share": True})
    case.changed_at = work.now
    return case


def _keep(
    work: UnitOfWork,
    document: Document,
    act: Act,
    *,
    owner: int | None = None,
    role: str | None = None,
    until: datetime | None = None,
    text: str = "",
) -> None:
    work.later(
        ExceptionEntry.__table__,
        ("id", "subject", "document_id", "act", "owner_id", "owner_role", "until", "text", "at", "actor", "role"),
        (
            None, document.subject, document.id, str(act), owner, role, until, text.strip() or None, work.now,
            work.actor.id, work.actor.role,
        ),
    )  # fmt: skip
