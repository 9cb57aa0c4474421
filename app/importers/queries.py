"""What came in, how far is it, and what still waits for a correction?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.composition.imports import ImportDocument, ImportLine, ImportProfile, ImportRun, Outcome
from erpcore.kernel.errors import NotFound
from erpcore.kernel.model import PRICE_PLACES
from erpcore.kernel.rows import raw
from erpcore.ledger.models import JournalEntry, JournalLine


def choose_profile(session: Session, name: str | None) -> ImportProfile:
    """The profile of that name, or the only one in use. Raises ``NotFound`` naming those in use."""
    found = session.execute(select(ImportProfile).order_by(ImportProfile.name)).scalars().all()
    fitting = [one for one in found if name in (None, one.name)]
    known = [one.name for one in found]
    if not fitting:
        raise NotFound("import_profile_unused", field="profile", profile=name, known=known)
    if len(fitting) > 1:
        raise NotFound("import_profile_unnamed", field="profile", known=known)
    return fitting[0]


def open_rejects(session: Session, profile: ImportProfile, *, limit: int | None = None) -> list[dict[str, Any]]:
    """Rejected lines that no later file has corrected: the same position of the same document is not posted."""
    posted = (
        select(ImportLine.document_id)
        .join(other := ImportDocument.__table__.alias(), other.c.id == ImportLine.document_id)
        .where(ImportLine.outcome != Outcome.REJECTED)
    )
    mine, its = ImportLine.__table__.alias("mine"), ImportDocument.__table__.alias("its")
    posted = posted.where(
        other.c.profile_id == its.c.profile_id, other.c.key == its.c.key, ImportLine.position == mine.c.position
    ).correlate(mine, its)
    query = (
        select(
            its.c.key.label("document"), its.c.kind, its.c.run_id.label("run"), mine.c.position, mine.c.reason, mine.c.text,
            mine.c.stated_on,
        )
        .select_from(mine.join(its, its.c.id == mine.c.document_id))
        .where(its.c.profile_id == profile.id, mine.c.outcome == Outcome.REJECTED, ~posted.exists())
        .order_by(its.c.key, mine.c.position)
    )  # fmt: skip
    return [dict(row._mapping) for row in session.execute(query.limit(limit))]  # noqa: SLF001 - SQLAlchemy's public name


def ledger_totals(session: Session, profile: ImportProfile) -> list[dict[str, Any]]:
    """What the entity's books hold by posting rule, beside the exact sums of the documents behind it."""
    entry, line = JournalEntry.__table__.c, JournalLine.__table__.c
    debits = {
        rule: int(amount)
        for rule, amount in session.execute(
            select(entry.rule, func.sum(line.debit_minor))
            .join_from(JournalEntry, JournalLine, line.entry_id == entry.id)
            .where(entry.entity_id == profile.entity_id)
            .group_by(entry.rule)
        )
    }
    out = []
    heads = session.execute(
        select(entry.rule, func.count(), func.sum(raw(entry.rounding)))
        .where(entry.entity_id == profile.entity_id)
        .group_by(entry.rule)
        .order_by(entry.rule)
    )
    for rule, count, rounding in heads:
        posted = debits.get(rule, 0)
        out.append(
            {
                "rule": rule, "entries": count, "posted": format(Decimal(posted).scaleb(-2), "f"),
                "rounding": format(Decimal(int(rounding)).scaleb(-PRICE_PLACES), "f"),
            }
        )  # fmt: skip
    return out


def list_runs(session: Session, *, limit: int = 100) -> list[dict[str, Any]]:
    """Imports with their progress, the latest first."""
    run = ImportRun.__table__.c
    rows = session.execute(
        select(
            run.id, ImportProfile.name.label("profile"), run.file_name.label("file"), run.state, run.started_at,
            run.finished_at, run.beat_at, run.lines, run.documents, run.lines_done, run.lines_rejected, run.lines_known,
            run.documents_done, run.documents_known, run.batches, run.items_opened, run.note,
        )
        .join_from(ImportRun, ImportProfile, ImportProfile.id == run.profile_id)
        .order_by(run.started_at.desc(), run.id.desc())
        .limit(limit)
    )  # fmt: skip
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name
