"""Comparisons of the books as they were made: asked for by a person or due by the hour, with both sides of every control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import BigInteger, Index, Integer, SmallInteger, Text, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from erpcore.kernel.errors import Busy
from erpcore.kernel.first import insert_absent
from erpcore.kernel.model import Base, Key, UtcDateTime
from erpcore.kernel.work import UnitOfWork

#: So long a comparison is kept with both sides; what differed stays as an event.
KEPT = timedelta(days=30)


class ProofRun(Base):
    """One comparison of all controls at one moment; one without ``done_at`` waits for the worker.

    ``asked_by`` is nobody for those by the hour. ``found`` is a JSON array with control, entity, site, left, right, difference
    and first key of each place, in the order of the controls; ``differing`` counts the places that do not agree.
    """

    __tablename__ = "proof_run"
    __table_args__ = (Index("ix_proof_run_done", "done_at"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    asked_by: Mapped[int | None] = mapped_column(BigInteger)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: 1 while it waits, empty once it is made: only one waits at a time.
    waits: Mapped[int | None] = mapped_column(SmallInteger, unique=True)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_to: Mapped[int | None] = mapped_column(BigInteger)
    differing: Mapped[int | None] = mapped_column(Integer)
    found: Mapped[str | None] = mapped_column(Text)


def ask_for_proof(work: UnitOfWork) -> ProofRun:
    """Have the books compared by the worker; one that waits already answers this asker too."""
    run = waiting_proof(work.session)
    if run is None:
        asked = {"id": work.ids.one(), "asked_by": work.actor.id, "asked_at": work.now, "waits": 1}
        insert_absent(work, ProofRun, asked)
        run = waiting_proof(work.session)
    if run is None:
        # Another's, made and answered in this very moment: it was not asked early enough for this asker.
        raise Busy("busy")
    return run


def waiting_proof(session: Session) -> ProofRun | None:
    """The comparison that somebody asked for and that is not made yet."""
    return session.scalars(select(ProofRun).where(ProofRun.waits == 1)).first()


def last_proof(session: Session) -> ProofRun | None:
    """The last comparison that was made."""
    return session.scalars(
        select(ProofRun).where(ProofRun.done_at.is_not(None)).order_by(ProofRun.done_at.desc(), ProofRun.id.desc()).limit(1)
    ).first()  # fmt: skip


def keep_proof(work: UnitOfWork, found: Sequence[Any], read_to: int) -> ProofRun:
    """Keep what was found, as the answer to whoever asked, else as that of the hour. ``found``: the comparisons."""
    run = waiting_proof(work.session)
    if run is None:
        run = ProofRun(id=work.ids.one(), asked_by=None, asked_at=work.now)
        work.session.add(run)
    run.waits, run.done_at, run.read_to = None, work.now, read_to
    run.differing = sum(1 for one in found if one.difference)
    sides = [{k: v for k, v in asdict(one).items() if k not in ("title", "unit")} for one in found]
    run.found = orjson.dumps(sides).decode()
    return run


def forget_proofs(work: UnitOfWork) -> int:
    """Delete comparisons made long ago, but for the last. Returns how many."""
    last = select(func.max(ProofRun.id)).where(ProofRun.done_at.is_not(None)).scalar_subquery()
    gone: Any = work.session.execute(delete(ProofRun).where(ProofRun.done_at < work.now - KEPT, ProofRun.id != last))
    return int(gone.rowcount)
