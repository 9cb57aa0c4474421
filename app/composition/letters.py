"""What do customers get to read, in which language, at which address, and what was sent to whom?

A letter is made in the transaction in which the consumer takes the event, once for each event, and sent by a job; what was sent is
kept word for word with the version of its template. Texts are data: the newest version of a template is in force.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.composition.letter_texts import FIELDS, LANGUAGES, SCRIPTS, STANDARD, Event, Situation
from erpcore.kernel.canonical import fingerprint
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.flow import Flow, Move
from erpcore.kernel.model import Base, Key, UtcDateTime, append_only, states
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Customer

WRITE = "orders:letter:write"
SEND = "orders:letter:replay"
#: After so many attempts a letter is parked and waits for a person.
MOST_ATTEMPTS = 8
#: So long a letter is one process's: handed over by nobody else meanwhile, and again once that one was killed.
CLAIM = timedelta(minutes=5)
#: The first pause after a failed attempt; each further one is twice as long.
FIRST_PAUSE = timedelta(minutes=1)
_ADDRESS = re.compile(r"[^@\s,;:<>\"]+@[^@\s,;:<>\"]+\.[^@\s,;:<>\".]+")


class LetterState(StrEnum):
    """``skipped``: the customer wants no letters."""

    WAITING = "waiting"
    SENT = "sent"
    PARKED = "parked"
    SKIPPED = "skipped"


class Way(StrEnum):
    """How a letter left. ``folder``: it was kept on this machine, and reached nobody."""

    MAIL = "mail"
    FOLDER = "folder"


def way_of(mail_url: str) -> Way:
    """How letters leave by this address."""
    return Way.FOLDER if mail_url.startswith("file:") else Way.MAIL


LETTER = Flow(
    "letter",
    LetterState,
    LetterState.WAITING,
    (
        Move(name="send", sources=(LetterState.WAITING,), target=LetterState.SENT, permission=SEND),
        Move(name="park", sources=(LetterState.WAITING,), target=LetterState.PARKED, permission=SEND),
        Move(name="skip", sources=(LetterState.WAITING,), target=LetterState.SKIPPED, permission=SEND),
        Move(name="replay", sources=(LetterState.PARKED,), target=LetterState.WAITING, permission=SEND),
    ),
)


class LetterTemplate(Base):
    """One version of a text. The standard texts of the product are version 0 and stand in no row."""

    __tablename__ = "letter_template"
    __table_args__ = (UniqueConstraint("event", "language", "version"), states("event", Event))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    event: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(5))
    version: Mapped[int] = mapped_column(Integer)
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_by: Mapped[int] = mapped_column(BigInteger)


class AgentScript(Base):
    """One version of what people say in a situation; the product's own are version 0."""

    __tablename__ = "agent_script"
    __table_args__ = (UniqueConstraint("situation", "version"), states("situation", Situation))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    situation: Mapped[str] = mapped_column(String(24))
    version: Mapped[int] = mapped_column(Integer)
    body: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_by: Mapped[int] = mapped_column(BigInteger)


class CustomerContact(Base):
    """Where and how a customer is written to; without a row it is not. ``language`` ``None``: that of the country."""

    __tablename__ = "customer_contact"
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), primary_key=True, autoincrement=False)
    email: Mapped[str] = mapped_column(String(200))
    language: Mapped[str | None] = mapped_column(String(5))
    wants_none: Mapped[bool] = mapped_column(Boolean)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)


class Letter(Base):
    """One letter to one customer about one event: as it is sent, when, how often it was tried. ``message_id`` is made of the
    content, so that a mail server sees the same letter when it is handed over twice. ``way``: how it left.
    """

    __tablename__ = "letter"
    __table_args__ = (
        UniqueConstraint("event_seq"),
        states("state", LetterState),
        states("way", Way),
        Index("ix_letter_order", "order_id"),
        Index("ix_letter_made", "made_at", "id"),
        Index("ix_letter_state", "state"),
        Index(
            "ix_letter_due",
            "next_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    event_seq: Mapped[int] = mapped_column(BigInteger)
    event: Mapped[str] = mapped_column(String(16))
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    language: Mapped[str] = mapped_column(String(5))
    template_version: Mapped[int] = mapped_column(Integer)
    to_address: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(12))
    attempts: Mapped[int] = mapped_column(Integer)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    way: Mapped[str | None] = mapped_column(String(8))


append_only(LetterTemplate, AgentScript)


@dataclass(frozen=True, kw_only=True)
class TextFact:
    """The text in force for an event in a language."""

    event: str
    language: str
    version: int
    subject: str
    body: str


def template_of(session: Session, event: str, language: str) -> TextFact:
    """The newest version in the language, else the product's own, else the English one."""
    row = session.scalar(
        select(LetterTemplate)
        .where(LetterTemplate.event == event, LetterTemplate.language == language)
        .order_by(LetterTemplate.version.desc())
        .limit(1)
    )
    if row is not None:
        return TextFact(event=event, language=language, version=row.version, subject=row.subject, body=row.body)
    if language not in STANDARD[Event(event)]:
        return template_of(session, event, "en")
    subject, body = STANDARD[Event(event)][language]
    return TextFact(event=event, language=language, version=0, subject=subject, body=body)


def filled(text_: str, facts: Mapping[str, Any]) -> str:
    """The text with its fields replaced; every field of ``FIELDS`` is among the facts."""
    return re.sub(r"\{(\w+)\}", lambda field: str(facts.get(field[1], field[0])), text_)


def unknown_fields(text_: str) -> list[str]:
    """Names between braces that are no fields, and a brace that stands alone."""
    names = re.findall(r"\{([^{}]*)\}", text_)
    rest = re.sub(r"\{[^{}]*\}", "", text_)
    return [name for name in names if name not in FIELDS] + (["{"] if "{" in rest or "}" in rest else [])


def save_template(work: UnitOfWork, *, event: Event, language: str, subject: str, body: str, seen: int) -> int:
    """Keep a new version of a text; returns its number.

    Raises ``RuleBroken`` for a language without texts, an empty text and a field that nobody fills, by name; ``Conflict`` when there
    is a newer version than the one seen.
    """
    work.actor.require(WRITE)
    if language not in LANGUAGES:
        raise RuleBroken("letter_language", field="language", language=language)
    for name, value in (("subject", subject), ("body", body)):
        if not value.strip() or (name == "subject" and "\n" in value):
            raise RuleBroken("letter_text_missing", field=name)
        wrong = unknown_fields(value)
        if wrong:
            raise RuleBroken("letter_field_unknown", field=name, name=wrong[0], known=", ".join(sorted(FIELDS)))
    last = work.session.scalar(
        select(func.max(LetterTemplate.version)).where(
            LetterTemplate.event == event, LetterTemplate.language == language
        )
    ) or 0  # fmt: skip
    if last != seen:
        raise Conflict("letter_text_changed", version=last)
    row = LetterTemplate(
        id=work.ids.one(), event=event, language=language, version=last + 1, subject=subject.strip(), body=body.strip(),
        saved_at=work.now, saved_by=work.actor.id,
    )  # fmt: skip
    add_first(work, row, "letter_text_changed", version=last + 1)
    work.audit(
        "letter_template.saved", "letter_template", row.id, event=event, language=language, version=[last, last + 1],
        content=fingerprint([row.subject, row.body]),
    )  # fmt: skip
    return last + 1


def script_of(session: Session, situation: str) -> tuple[int, str]:
    """Version and text of what is said in a situation."""
    row = session.scalar(
        select(AgentScript).where(AgentScript.situation == situation).order_by(AgentScript.version.desc()).limit(1)
    )
    return (row.version, row.body) if row is not None else (0, SCRIPTS[Situation(situation)])


def words_for(session: Session, situations: Sequence[str]) -> list[tuple[str, str]]:
    """What is said in each of these situations, those that are known. One query."""
    known = [one for one in dict.fromkeys(situations) if one in set(Situation)]
    if not known:
        return []
    rows = session.execute(
        select(AgentScript.situation, AgentScript.body)
        .where(AgentScript.situation.in_(known))
        .order_by(AgentScript.version)
    )
    own = {row.situation: row.body for row in rows}
    return [(one, own.get(one, SCRIPTS[Situation(one)])) for one in known]


def save_script(work: UnitOfWork, *, situation: Situation, body: str, seen: int) -> int:
    """Keep a new version of what is said; returns its number. Raises ``RuleBroken`` without words, ``Conflict`` for a newer one."""
    work.actor.require(WRITE)
    if not body.strip():
        raise RuleBroken("letter_text_missing", field="body")
    last = script_of(work.session, situation)[0]
    if last != seen:
        raise Conflict("letter_text_changed", version=last)
    row = AgentScript(
        id=work.ids.one(), situation=situation, version=last + 1, body=body.strip(), saved_at=work.now,
        saved_by=work.actor.id,
    )  # fmt: skip
    add_first(work, row, "letter_text_changed", version=last + 1)
    work.audit(
        "agent_script.saved",
        "agent_script",
        row.id,
        situation=situation,
        version=[last, last + 1],
        content=fingerprint(row.body),
    )
    return last + 1


def keep_contact(
    work: UnitOfWork, *, customer: int, email: str, language: str | None, wants_none: bool, seen: int
) -> None:
    """Where and how the customer is written to. Raises ``RuleBroken`` for no address or no language, ``Conflict`` for a newer one."""
    work.actor.require(WRITE)
    if work.session.get(Customer, customer) is None:
        raise NotFound("customer_unknown", id=customer)
    if not _ADDRESS.fullmatch(email.strip()) or len(email) > 200:
        raise RuleBroken("letter_address", field="email")
    if language is not None and language not in LANGUAGES:
        raise RuleBroken("letter_language", field="language", language=language)
    row = work.session.get(CustomerContact, customer, with_for_update={"key_share": True})
    if (row.version if row else 0) != seen:
        raise Conflict("letter_contact_changed")
    row = row or CustomerContact(customer_id=customer, version=0)
    # Whether they are written to elsewhere, not where: the address is kept with the customer alone.
    work.audit(
        "customer.contact_kept", "customer", customer, language=[row.language, language], wants_none=[row.wants_none, wants_none],
        is_other_address=row.email != email.strip(), version=[seen, seen + 1],
    )  # fmt: skip
    row.email, row.language, row.wants_none = email.strip(), language, wants_none
    row.changed_at, row.version = work.now, seen + 1
    add_first(work, row, "letter_contact_changed")


def try_again(work: UnitOfWork, letter_id: int) -> None:
    """Let a parked letter be tried again at once. Raises ``NotFound``, or ``RuleBroken`` for one that is not parked."""
    work.actor.require(SEND)
    letter = work.session.get(Letter, letter_id, with_for_update={"key_share": True})
    if letter is None or (work.actor.sites is not None and letter.site_id not in work.actor.sites):
        raise NotFound("letter_unknown", letter=letter_id)
    if letter.state != LetterState.PARKED:
        raise RuleBroken("letter_not_parked", letter=letter_id)
    letter.state = LETTER.target("replay", letter.state)
    letter.attempts, letter.next_at = 0, work.now


def message_id_of(order: int, event_seq: int, address: str, subject: str, body: str) -> str:
    """The same for the same letter, however often it is handed over."""
    content = "\n".join([str(order), str(event_seq), address, subject, body])
    return f"<{sha256(content.encode()).hexdigest()[:32]}@letters.wavegate.invalid>"
