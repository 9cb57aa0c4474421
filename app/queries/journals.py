"""Journals by hand: which there are, one with its lines and its history, and the accounts they may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from erpcore.ledger.flow import WRITING
from erpcore.ledger.models import Account, AccountKind, JournalState, ManualJournal, ManualLine
from erpcore.ledger.posting_rules import CONTROL_ROLES
from erpcore.masterdata.models import Channel, Entity, Site

#: The kinds of account there are.
KINDS: tuple[str, ...] = tuple(AccountKind)


@dataclass(frozen=True, kw_only=True)
class JournalRow:
    """One journal; ``amount_minor`` is what it debits (and credits)."""

    id: int
    entity_id: int
    entity: str
    realm: str
    site_id: int | None
    site: str | None
    channel_id: int | None
    channel: str | None
    state: str
    entry_on: date
    currency: str
    amount_minor: int
    reason: str
    evidence: str | None
    reverses_id: int | None
    entry_id: int | None
    written_by: int
    written_at: datetime
    decided_by: int | None
    decision_note: str | None
    version: int


@dataclass(frozen=True, kw_only=True)
class JournalSide:
    """One line of it."""

    line_no: int
    account_id: int
    account: str
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, kw_only=True)
class JournalStep:
    """One step of its history."""

    move: str
    at: datetime
    actor: int
    role: str
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class JournalPage:
    """``reversed_by``: the mirror image that waits or was posted."""

    row: JournalRow
    lines: list[JournalSide]
    steps: list[JournalStep]
    reversed_by: int | None

    @property
    def writers(self) -> set[int]:
        """Who wrote or changed it: none of them decides on it."""
        return {self.row.written_by, *(step.actor for step in self.steps if step.move in WRITING)}


def _all_journals() -> Any:
    return (
        select(
            ManualJournal, Entity.name.label("entity"), Entity.realm, Site.name.label("site"), Channel.name.label("channel")
        )
        .select_from(ManualJournal)
        .join(Entity, Entity.id == ManualJournal.entity_id)
        .join(Site, Site.id == ManualJournal.site_id, isouter=True)
        .join(Channel, Channel.id == ManualJournal.channel_id, isouter=True)
    )  # fmt: skip


def _scoped(query: Any, actor: Actor) -> Any:
    """What belongs to no site is for people who see all."""
    return query if actor.sites is None else query.where(ManualJournal.site_id.in_(sorted(actor.sites)))


def _row(row: Any) -> JournalRow:
    one: ManualJournal = row.ManualJournal
    return JournalRow(
        id=one.id, entity_id=one.entity_id, entity=row.entity, realm=row.realm, site_id=one.site_id, site=row.site,
        channel_id=one.channel_id, channel=row.channel, state=one.state, entry_on=one.entry_on, currency=one.currency,
        amount_minor=one.amount_minor, reason=one.reason, evidence=one.evidence, reverses_id=one.reverses_id,
        entry_id=one.entry_id, written_by=one.written_by, written_at=one.written_at, decided_by=one.decided_by,
        decision_note=one.decision_note, version=one.version,
    )  # fmt: skip


#: The list of journals by hand.
JOURNALS: SqlList[JournalRow] = SqlList(
    select=_all_journals, row=_row, tie=(ManualJournal.id,), usual="-day", scope=_scoped, company=ManualJournal.entity_id,
    text=(ManualJournal.reason, ManualJournal.evidence), by=("state", ManualJournal.state), words=tuple(JournalState),
    sorts={"id": ManualJournal.id, "day": ManualJournal.entry_on, "amount": ManualJournal.amount_minor},
    currency=ManualJournal.currency, sums={"Amount": ManualJournal.amount_minor},
    wanted={
        "state": lambda value, _: ManualJournal.state == value,
        "entity": lambda value, _: ManualJournal.entity_id == value,
    },
)  # fmt: skip


def journal_page(session: Session, actor: Actor, journal: int) -> JournalPage:
    """One journal; raises ``NotFound`` for an unknown one and for one that the person does not see. Four queries."""
    found = session.execute(_scoped(_all_journals(), actor).where(ManualJournal.id == journal)).one_or_none()
    if found is None:
        raise NotFound("journal_unknown", id=journal)
    lines = session.execute(
        select(ManualLine, Account.code, Account.name)
        .join(Account, Account.id == ManualLine.account_id)
        .where(ManualLine.journal_id == journal)
        .order_by(ManualLine.line_no)
    )
    steps = session.scalars(
        select(Transition)
        .where(Transition.document_type == "journal", Transition.document_id == journal)
        .order_by(Transition.id)
    )
    mirror = select(ManualJournal.id).where(
        ManualJournal.reverses_id == journal, ManualJournal.state != JournalState.REJECTED
    )
    return JournalPage(
        row=_row(found), reversed_by=session.scalar(mirror),
        lines=[
            JournalSide(
                line_no=one.ManualLine.line_no, account_id=one.ManualLine.account_id, account=f"{one.code} {one.name}",
                debit_minor=one.ManualLine.debit_minor, credit_minor=one.ManualLine.credit_minor,
            )
            for one in lines
        ],
        steps=[JournalStep(move=s.move, at=s.at, actor=s.actor, role=s.role, reason=s.reason) for s in steps],
    )  # fmt: skip


def accounts_by_hand(session: Session, entity: int) -> list[tuple[int, str]]:
    """The accounts of a chart that a journal by hand may use, by number."""
    rows = session.execute(
        select(Account.id, Account.code, Account.name)
        .where(Account.entity_id == entity, or_(Account.role.is_(None), Account.role.not_in(sorted(CONTROL_ROLES))))
        .order_by(Account.code)
    )
    return [(row.id, f"{row.code} {row.name}") for row in rows]
