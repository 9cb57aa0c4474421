"""The tamper-evident trail of acts that give or use power: a hash chain with one link per transaction.

Each link's hash covers the hash before it and the canonical content of all acts of its transaction; it is written inside
the publish section, so the chain has one order and no branches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import BigInteger, Index, Integer, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from erpcore.kernel.canonical import canonical_json, fingerprint
from erpcore.kernel.model import Base, Key, UtcDateTime, append_only

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from erpcore.kernel.work import UnitOfWork

GENESIS = "0" * 64


class AuditLink(Base):
    """One transaction's link in the chain."""

    __tablename__ = "audit_link"
    position: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)


class AuditEntry(Base):
    """One act, as it was."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_subject", "subject_type", "subject_id"),)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    ordinal: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(64))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    actor: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[str] = mapped_column(String(64))
    content: Mapped[str] = mapped_column(Text)


append_only(AuditLink, AuditEntry)


@dataclass(frozen=True, slots=True)
class Act:
    """Something to be kept in the trail."""

    kind: str
    subject_type: str
    subject_id: int | None
    facts: dict[str, Any]


def _link_hash(previous: str, position: int, at: datetime, contents: Sequence[str]) -> str:
    head = canonical_json({"previous": previous, "position": position, "at": at})
    return sha256(b"\n".join([head, *(content.encode() for content in contents)])).hexdigest()


def _content(kind: str, subject_type: str, subject_id: int | None, actor: int, role: str, facts: dict[str, Any]) -> str:
    return canonical_json(
        {"kind": kind, "subject": [subject_type, subject_id], "actor": actor, "role": role, "facts": facts}
    ).decode()


def audit_all(
    work: UnitOfWork, kind: str, subject_type: str, changed: Mapping[int, Mapping[str, Any]], **shared: Any
) -> None:
    """Keep what one command changed as one act: of a single object what is said of it, of many their number, the last one and
    the digest of all that is said of them. ``changed``: object → facts; nothing changed is no act.
    """
    if not changed:
        return
    first = next(iter(changed))
    if len(changed) == 1:
        work.audit(kind, subject_type, first, **shared, **changed[first])
        return
    content = fingerprint([[key, facts] for key, facts in changed.items()])
    work.audit(kind, subject_type, first, **shared, count=len(changed), last=max(changed), content=content)


def write_link(work: UnitOfWork, acts: Sequence[Act]) -> None:
    """Append the acts of this transaction. Called with the publish lock held."""
    last = work.session.execute(
        select(AuditLink.position, AuditLink.hash).order_by(AuditLink.position.desc()).limit(1)
    ).one_or_none()
    position, previous = (last.position + 1, last.hash) if last else (1, GENESIS)
    contents = [
        _content(act.kind, act.subject_type, act.subject_id, work.actor.id, work.actor.role, act.facts) for act in acts
    ]
    link = _link_hash(previous, position, work.now, contents)
    work.session.add(AuditLink(position=position, at=work.now, previous=previous, hash=link))
    for ordinal, (act, content) in enumerate(zip(acts, contents, strict=True)):
        work.session.add(
            AuditEntry(
                position=position, ordinal=ordinal, kind=act.kind, subject_type=act.subject_type,
                subject_id=act.subject_id, actor=work.actor.id, role=work.actor.role, content=content,
            )
        )  # fmt: skip
    # The link must be in the transaction before the lock is released by the commit.
    work.session.flush()


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a check of the chain found: how many links, its last hash, and the first place where it breaks."""

    links: int
    head: str
    broken_at: int | None = None
    why: str | None = None


class Anchor(NamedTuple):
    """A link as somebody outside the database has kept it."""

    position: int
    hash: str


def last_link(session: Session) -> tuple[int, str] | None:
    """How far the chain is: its last link's number and hash; ``None`` before the first."""
    row = session.execute(
        select(AuditLink.position, AuditLink.hash).order_by(AuditLink.position.desc()).limit(1)
    ).one_or_none()
    return None if row is None else (row.position, row.hash)


def verify_chain(session: Session, anchors: Iterable[Anchor] = ()) -> ChainReport:
    """Recompute every hash from the stored acts, from the first link to the last.

    A chain whose tail was cut off, or written anew, is whole in itself; ``anchors`` are links that others have kept, by which
    that is found.
    """
    kept = sorted(anchors)
    hashes = dict.fromkeys((anchor.position for anchor in kept), "")
    report = _recomputed(session, hashes)
    if report.broken_at is not None:
        return report
    for anchor in kept:
        if anchor.position <= report.links and hashes[anchor.position] != anchor.hash:
            why = "the link is not the one that was kept elsewhere"
            return ChainReport(report.links, report.head, anchor.position, why)
    if kept and kept[-1].position > report.links:
        why = f"links are missing at the end: one with the number {kept[-1].position} was kept elsewhere"
        return ChainReport(report.links, report.head, report.links + 1, why)
    return report


def _recomputed(session: Session, hashes: dict[int, str]) -> ChainReport:
    """The chain by itself; ``hashes`` gets those of its links that it asks for."""
    previous, count = GENESIS, 0
    entries = iter(
        session.execute(
            select(
                AuditEntry.position, AuditEntry.kind, AuditEntry.subject_type, AuditEntry.subject_id, AuditEntry.actor,
                AuditEntry.role, AuditEntry.content,
            ).order_by(AuditEntry.position, AuditEntry.ordinal)
        )
    )  # fmt: skip
    entry = next(entries, None)
    for link in session.execute(select(AuditLink).order_by(AuditLink.position)).scalars():
        count += 1
        if link.position != count:
            return ChainReport(count, previous, link.position, "a link is missing")
        contents = []
        while entry is not None and entry.position == link.position:
            shown = canonical_json([entry.kind, entry.subject_type, entry.subject_id, entry.actor, entry.role])
            inside = _shown_in(entry.content)
            if shown != inside:
                return ChainReport(count, previous, link.position, "an act's columns differ from its content")
            contents.append(entry.content)
            entry = next(entries, None)
        if link.previous != previous or _link_hash(previous, link.position, link.at, contents) != link.hash:
            return ChainReport(count, previous, link.position, "the content does not give the recorded hash")
        previous = link.hash
        if count in hashes:
            hashes[count] = link.hash
    if entry is not None:
        return ChainReport(count, previous, entry.position, "an act without a link")
    return ChainReport(count, previous)


def _shown_in(content: str) -> bytes:
    act = orjson.loads(content)
    return canonical_json([act["kind"], act["subject"][0], act["subject"][1], act["actor"], act["role"]])
