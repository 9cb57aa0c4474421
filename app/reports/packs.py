"""Makes a decision pack and keeps its digest: read on one moment, set outside of any transaction, then put on record."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.uow import Database, reading, unit_of_work
from app.reports.dossier import Dossier, gather
from app.reports.paper import render_pack
from app.reports.seal import carried
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import AuditEntry, AuditLink
from erpcore.kernel.clock import Clock
from erpcore.kernel.work import UnitOfWork
from readiness.gates.criteria import Phase

#: The act under which a digest stands in the audit trail; its subject is the gate's evaluation.
WRITTEN, SUBJECT = "pack.written", "gate_snapshot"


@dataclass(frozen=True, kw_only=True)
class Digest:
    """A pack that was made: the digest over all its bytes, and the fingerprint of the evidence in it."""

    digest: str
    fingerprint: str
    snapshot_id: int
    file_name: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A digest as the audit trail has it."""

    digest: str
    fingerprint: str
    by: int
    at: datetime


def read_dossier(
    database: Database, wave_code: str, *, phase: Phase = Phase.ENTRY, decision_id: int | None = None
) -> Dossier:
    """What a pack is made from, all of one moment; see ``dossier.gather`` for which evaluation it is."""
    with reading(database, snapshot=True) as session:
        return gather(session, wave_code, phase, decision_id=decision_id)


def set_pack(dossier: Dossier) -> tuple[bytes, Digest]:
    """The PDF of a dossier, not on record yet. Raises ``RuleBroken("pdf_not_available")``. Belongs outside of transactions."""
    content = render_pack(dossier)
    digest = carried(content)
    if digest is None:
        raise AssertionError("a pack is sealed when it is rendered")
    made = Digest(
        digest=digest, fingerprint=dossier.fingerprint, snapshot_id=dossier.snapshot_id,
        file_name=f"{dossier.file_stem}.pdf", size=len(content),
    )  # fmt: skip
    return content, made


def record_pack(work: UnitOfWork, made: Digest) -> None:
    """Put the digest of a pack into the audit trail."""
    work.audit(WRITTEN, SUBJECT, made.snapshot_id, digest=made.digest, fingerprint=made.fingerprint, size=made.size)


def make_pack(
    database: Database, dossier: Dossier, *, actor: Actor, clock: Clock | None = None, source: str = "system"
) -> tuple[bytes, Digest]:
    """The PDF of a dossier, its digest on record before anybody holds the file. Raises ``RuleBroken("pdf_not_available")``."""
    content, made = set_pack(dossier)
    with unit_of_work(database, actor=actor, clock=clock, source=source) as work:
        record_pack(work, made)
    return content, made


def write_pack(
    database: Database,
    wave_code: str,
    out: Path,
    *,
    phase: Phase = Phase.ENTRY,
    decision_id: int | None = None,
    actor: Actor | None = None,
    clock: Clock | None = None,
) -> Digest:
    """Write the pack of a wave's gate to ``out``; the file appears whole or not at all.

    Raises ``NotFound`` for an unknown wave or decision, ``RuleBroken`` without gate, evaluation, or libraries for PDFs.
    """
    dossier = read_dossier(database, wave_code, phase=phase, decision_id=decision_id)
    content, made = make_pack(database, dossier, actor=actor or Actor.system("packs"), clock=clock)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=out.parent, suffix=".part", delete=False) as draft:
        draft.write(content)
    Path(draft.name).chmod(0o644)
    Path(draft.name).replace(out)
    return made


def recorded(session: Session, snapshot_id: int) -> list[Recorded]:
    """The packs of an evaluation that the audit trail knows, oldest first. One query."""
    rows = session.execute(
        select(AuditEntry.content, AuditLink.at)
        .join(AuditLink, AuditLink.position == AuditEntry.position)
        .where(AuditEntry.subject_type == SUBJECT, AuditEntry.subject_id == snapshot_id, AuditEntry.kind == WRITTEN)
        .order_by(AuditEntry.position, AuditEntry.ordinal)
    )
    found = []
    for row in rows:
        act = orjson.loads(row.content)
        facts = act["facts"]
        found.append(Recorded(digest=facts["digest"], fingerprint=facts["fingerprint"], by=act["actor"], at=row.at))
    return found
