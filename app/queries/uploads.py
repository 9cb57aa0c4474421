"""Which files were handed in, how far is each, and what did trying one find?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from app.composition.imports import ImportProfile, ImportUpload, ImportUploadPart, Purpose, UploadState
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound

#: A worker that has said nothing for so long was killed, and another takes its file up.
SILENT = timedelta(minutes=2)
#: Files that ended stay on the list of imports for as many as these.
_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class UploadRow:
    """One file that was handed in."""

    id: int
    profile: str
    purpose: str
    file_name: str
    file_hash: str
    size_bytes: int
    state: str
    actor: int
    received_at: datetime
    begun_at: datetime | None
    beat_at: datetime
    finished_at: datetime | None
    tries: int
    lines: int
    lines_done: int
    run_id: int | None
    note: str | None

    @property
    def is_dry_run(self) -> bool:
        return self.purpose == Purpose.DRY_RUN

    @property
    def is_open(self) -> bool:
        return self.state in (UploadState.RECEIVING, UploadState.WAITING, UploadState.RUNNING)

    def is_silent(self, now: datetime) -> bool:
        return self.state == UploadState.RUNNING and now - self.beat_at > SILENT

    def seconds_left(self, now: datetime) -> int | None:
        """By the pace so far; ``None`` before there is one."""
        if self.state != UploadState.RUNNING or not self.lines_done or self.begun_at is None:
            return None
        passed = (now - self.begun_at).total_seconds()
        return int(passed * max(self.lines - self.lines_done, 0) / self.lines_done)


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What an import of the file would do. ``rejected`` names the first thousand lines; ``lines_rejected`` counts all."""

    documents: int
    documents_known: int
    lines: int
    lines_posted: int
    lines_rejected: int
    lines_known: int
    items_opened: int
    outcomes: dict[str, int] = field(default_factory=dict)
    rejected: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class UploadPage:
    """``before``: how many files are read first. ``is_kept``: it can still be imported without handing it in again."""

    row: UploadRow
    found: DryRun | None
    before: int
    is_kept: bool


def _mine(actor: Actor) -> Any:
    """Files of profiles whose site this person sees; before its first import, those of everybody who sees all."""
    query = select(ImportUpload)
    if actor.sites is None:
        return query
    seen = select(ImportProfile.name).where(ImportProfile.site_id.in_(sorted(actor.sites)))
    return query.where(ImportUpload.profile.in_(seen))


def _row(upload: ImportUpload) -> UploadRow:
    names = UploadRow.__dataclass_fields__
    return UploadRow(**{name: getattr(upload, name) for name in names})


def list_uploads(session: Session, actor: Actor) -> list[UploadRow]:
    """Files that wait or are read, then dry runs and failed ones, the newest first; what was imported is a run."""
    open_ = ImportUpload.state.in_((UploadState.WAITING, UploadState.RUNNING))
    shown = or_(
        open_, ImportUpload.state == UploadState.FAILED,
        (ImportUpload.state == UploadState.DONE) & (ImportUpload.purpose == Purpose.DRY_RUN),
    )  # fmt: skip
    query = (
        _mine(actor)
        .where(shown)
        .order_by(open_.desc(), ImportUpload.received_at.desc(), ImportUpload.id.desc())
        .limit(_SHOWN)
    )
    return [_row(upload) for upload in session.scalars(query)]


def upload_page(session: Session, actor: Actor, upload_id: int) -> UploadPage:
    """One file; raises ``NotFound`` for an unknown one and for another site's."""
    upload = session.scalar(_mine(actor).where(ImportUpload.id == upload_id))
    if upload is None:
        raise NotFound("not_found")
    waiting = select(ImportUpload.id).where(
        ImportUpload.state.in_((UploadState.WAITING, UploadState.RUNNING)),
        ImportUpload.received_at < upload.received_at,
    )
    before = len(session.scalars(waiting).all()) if upload.state == UploadState.WAITING else 0
    kept = session.scalar(select(exists().where(ImportUploadPart.upload_id == upload.id)))
    return UploadPage(
        row=_row(upload), before=before, is_kept=bool(kept),
        found=DryRun(**orjson.loads(upload.report)) if upload.report else None,
    )  # fmt: skip
