"""Which files came in, how far is each, what was rejected and why, and what do the documents of a profile come to?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.composition.imports import ImportDocument, ImportLine, ImportProfile, ImportRun, Outcome, RunState
from app.queries.listing import PAGE, Asked, SqlList
from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Channel, Entity, Site

#: A running import that has said nothing for so long was killed; the next run goes on where it ended.
SILENT = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One run. Lines in = posted + rejected + those known from before, once it is done."""

    id: int
    profile: str
    title: str
    site: str
    file_name: str
    file_hash: str
    state: str
    started_at: datetime
    beat_at: datetime
    finished_at: datetime | None
    lines: int
    documents: int
    lines_done: int
    lines_rejected: int
    lines_known: int
    documents_done: int
    documents_known: int
    batches: int
    items_opened: int
    note: str | None

    @property
    def lines_posted(self) -> int:
        return self.lines_done

    @property
    def lines_seen(self) -> int:
        return self.lines_done + self.lines_rejected + self.lines_known

    def is_silent(self, now: datetime) -> bool:
        return self.state == RunState.RUNNING and now - self.beat_at > SILENT

    def seconds_left(self, now: datetime) -> int | None:
        """By the pace so far; ``None`` before there is one."""
        if self.state != RunState.RUNNING or not self.lines_seen or not self.lines:
            return None
        passed = (now - self.started_at).total_seconds()
        return int(passed * max(self.lines - self.lines_seen, 0) / self.lines_seen)


@dataclass(frozen=True, kw_only=True)
class Reject:
    """A line that was kept and not posted: where it stood, why, and what it said."""

    document: str
    position: int
    reason: str
    text: str | None


@dataclass(frozen=True, kw_only=True)
class RunPage:
    row: RunRow
    entity: str
    realm: str
    channel: str
    outcomes: list[tuple[str, int]]
    rejects: list[Reject]
    reject_total: int
    reasons: list[tuple[str, int]]


def _all_runs() -> Any:
    return (
        select(ImportRun, ImportProfile.name, ImportProfile.title, Site.name.label("site"), Entity.name.label("entity"),
               Entity.realm, Channel.name.label("channel"))
        .select_from(ImportRun)
        .join(ImportProfile, ImportProfile.id == ImportRun.profile_id)
        .join(Site, Site.id == ImportProfile.site_id)
        .join(Entity, Entity.id == ImportProfile.entity_id)
        .join(Channel, Channel.id == ImportProfile.channel_id)
    )  # fmt: skip


def _runs(actor: Actor) -> Any:
    return within_sites(_all_runs(), actor, ImportProfile.site_id)


def _row(row: Any) -> RunRow:
    run: ImportRun = row.ImportRun
    names = (
        "id", "file_name", "file_hash", "state", "started_at", "beat_at", "finished_at", "lines", "documents", "lines_done",
        "lines_rejected", "lines_known", "documents_done", "documents_known", "batches", "items_opened", "note",
    )  # fmt: skip
    return RunRow(profile=row.name, title=row.title, site=row.site, **{name: getattr(run, name) for name in names})


#: The list of imports.
RUNS: SqlList[RunRow] = SqlList(
    select=_all_runs, row=_row, tie=(ImportRun.id,), usual="-started", site=ImportProfile.site_id,
    by=("state", ImportRun.state), flags=("rejected",), text=(ImportRun.file_name, ImportProfile.title, ImportProfile.name),
    sorts={
        "file": ImportRun.file_name, "started": ImportRun.started_at, "lines": ImportRun.lines,
        "rejected": ImportRun.lines_rejected, "site": Site.name,
    },
    wanted={
        "state": lambda value, _: ImportRun.state == value,
        "rejected": lambda _value, _: ImportRun.lines_rejected > 0,
    },
)  # fmt: skip
STATES = tuple(state.value for state in RunState)


def list_runs(session: Session, actor: Actor, asked: Asked, now: datetime, page: int) -> tuple[list[RunRow], int]:
    """Runs that fit, the newest first, with how many there are."""
    _, total, _ = RUNS.counted(session, actor, asked, now)
    query = RUNS.narrowed(actor, asked, now).order_by(ImportRun.started_at.desc(), ImportRun.id.desc())
    return [_row(row) for row in session.execute(query.limit(PAGE).offset((page - 1) * PAGE))], total


def run_page(session: Session, actor: Actor, run_id: int, page: int) -> RunPage:
    """One run with a page of its rejected lines; raises ``NotFound`` for an unknown one and for another site's."""
    found = session.execute(_runs(actor).where(ImportRun.id == run_id)).one_or_none()
    if found is None:
        raise NotFound("not_found")
    mine = ImportDocument.run_id == run_id
    outcomes = session.execute(
        select(ImportLine.outcome, func.count())
        .join(ImportDocument, ImportDocument.id == ImportLine.document_id)
        .where(mine, ImportLine.share == 0)
        .group_by(ImportLine.outcome)
    )
    reasons = session.execute(
        select(ImportLine.reason, func.count())
        .join(ImportDocument, ImportDocument.id == ImportLine.document_id)
        .where(mine, ImportLine.outcome == Outcome.REJECTED)
        .group_by(ImportLine.reason)
        .order_by(func.count().desc())
        .limit(12)
    )
    rejected = _rejected(run_id)
    total = session.scalar(select(func.count()).select_from(rejected.subquery())) or 0
    rows = session.execute(rejected.limit(PAGE).offset((page - 1) * PAGE))
    return RunPage(
        row=_row(found), entity=found.entity, realm=found.realm, channel=found.channel,
        outcomes=sorted((row[0], row[1]) for row in outcomes),
        rejects=[_reject(row) for row in rows],
        reject_total=total, reasons=[(row[0] or "", row[1]) for row in reasons],
    )  # fmt: skip


def _rejected(run_id: int) -> Any:
    return (
        select(ImportLine, ImportDocument.key)
        .join(ImportDocument, ImportDocument.id == ImportLine.document_id)
        .where(ImportDocument.run_id == run_id, ImportLine.outcome == Outcome.REJECTED)
        .order_by(ImportLine.document_id, ImportLine.position)
    )


def _reject(row: Any) -> Reject:
    line: ImportLine = row.ImportLine
    return Reject(document=row.key, position=line.position, reason=line.reason or "", text=line.text or line.kept)


def every_reject(session: Session, actor: Actor, run_id: int) -> Iterator[Reject]:
    """All rejected lines of a run; raises ``NotFound`` as its page does."""
    if session.execute(_runs(actor).where(ImportRun.id == run_id)).one_or_none() is None:
        raise NotFound("not_found")
    return (_reject(row) for row in session.execute(_rejected(run_id).execution_options(yield_per=1_000)))
