"""How does a file come in by browser or API? It is kept in pieces, and the worker tries or imports it as soon as it can.

The file stands in the database until it is imported, so that any machine's worker finds it and a killed one is replaced: a run
that begins again ends with the same rows. Nothing of a file is believed before it is read; see ``app.importers.sources``.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import orjson
import structlog
from sqlalchemy import delete, func, or_, select, update

from app.composition.imports import ImportProfile, ImportUpload, ImportUploadPart, Purpose, UploadState
from app.composition.uow import Database, reading, unit_of_work
from app.importers import profiles
from app.importers.flow import IMPORT, UPLOAD
from app.importers.report import Report
from app.importers.runs import Importer
from app.importers.sources import check_file
from app.messages import sentence
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import Conflict, DomainError, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork

log = structlog.get_logger(__name__)

#: The largest file that is taken by browser or API; larger ones go by the command line, or packed.
MOST_BYTES = 128 * 1024 * 1024
#: What stands in one row, and how many rows one unit of work writes, so that nobody waits for a large file.
PIECE, _AT_ONCE = 1024 * 1024, 4
#: So many files of one person may wait at once.
MOST_WAITING = 20
#: A worker that has said nothing for so long was killed, and another takes its file up.
SILENT = timedelta(minutes=2)
#: A file that broke so many workers is given up.
MOST_TRIES = 3
#: How long a file stays that was tried and not imported, and one that did not come in whole.
_KEPT, _ABANDONED = timedelta(days=7), timedelta(hours=1)
#: Rejected lines that the report of a dry run names; those of an import are all kept.
NAMED = 1_000
ENDINGS = (".csv", ".csv.gz", ".xlsx")
_OPEN = (UploadState.RECEIVING, UploadState.WAITING, UploadState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class HandIn:
    """A file to try or to import."""

    profile: str
    purpose: str
    file_name: str


@dataclass(frozen=True, kw_only=True)
class Received:
    """A file that came in whole: its upload, still to be accepted, and its hash."""

    upload: int
    digest: str


def receive(database: Database, stream: IO[bytes], wanted: HandIn, *, actor: Actor, clock: Clock) -> Received:
    """Keep the file of ``stream`` in pieces; ``accept`` lets it wait for the worker, in the unit of work of the request.

    Raises ``RuleBroken`` for a file that is none of this profile's, or too large, before anything of it is kept.
    """
    actor.require(IMPORT)
    name = _plain(wanted.file_name)
    profile = profiles.load(_shipped(wanted.profile))
    with tempfile.TemporaryDirectory(prefix="wavegate-upload-") as folder:
        path = Path(folder) / name
        digest, size = _spool(stream, path)
        check_file(path, profile)
        with unit_of_work(database, actor=actor, clock=clock, source="import") as work:
            _require_place(work, wanted.profile)
            waiting = select(func.count()).where(ImportUpload.actor == actor.id, ImportUpload.state.in_(_OPEN))
            if (work.session.scalar(waiting) or 0) >= MOST_WAITING:
                raise Conflict("upload_queue_full", field="file", count=MOST_WAITING)
            upload = ImportUpload(
                id=work.ids.one(), profile=wanted.profile, purpose=Purpose(wanted.purpose), file_name=name, file_hash=digest,
                size_bytes=size, state=UPLOAD.initial, actor=actor.id, role=actor.role, received_at=work.now, begun_at=None,
                beat_at=work.now, finished_at=None, tries=0, lines=0, lines_done=0, run_id=None, report=None, note=None,
            )  # fmt: skip
            work.session.add(upload)
            made = upload.id
        with path.open("rb") as file:
            for first in range(0, -(-size // PIECE), _AT_ONCE):
                pieces = [part for part in (file.read(PIECE) for _ in range(_AT_ONCE)) if part]
                with unit_of_work(database, actor=actor, clock=clock, source="import") as work:
                    work.session.add_all(
                        ImportUploadPart(upload_id=made, number=number, content=part)
                        for number, part in enumerate(pieces, first)
                    )
    return Received(upload=made, digest=digest)


def accept(work: UnitOfWork, received: Received) -> ImportUpload:
    """Let a file that came in whole wait for the worker. One that waits already is not taken twice: the first is returned."""
    upload = work.session.get_one(ImportUpload, received.upload)
    same = select(ImportUpload).where(
        ImportUpload.actor == upload.actor, ImportUpload.profile == upload.profile, ImportUpload.purpose == upload.purpose,
        ImportUpload.file_hash == upload.file_hash, ImportUpload.state.in_((UploadState.WAITING, UploadState.RUNNING)),
    ).order_by(ImportUpload.id).limit(1)  # fmt: skip
    before = work.session.scalar(same)
    if before is not None:
        work.session.execute(delete(ImportUploadPart).where(ImportUploadPart.upload_id == upload.id))
        work.session.delete(upload)
        return before
    upload.state = UPLOAD.target("receive", upload.state)
    return upload


def import_again(work: UnitOfWork, upload_id: int) -> ImportUpload:
    """Import a file that was tried, or try a failed one again. Raises ``NotFound`` for one of another site."""
    work.actor.require(IMPORT)
    query = select(ImportUpload).where(ImportUpload.id == upload_id).with_for_update(key_share=True)
    upload = work.session.scalar(query)
    if upload is None:
        raise NotFound("not_found")
    _require_place(work, upload.profile)
    state = UPLOAD.target("import", upload.state)
    kept = select(ImportUploadPart.number).where(ImportUploadPart.upload_id == upload.id).limit(1)
    if work.session.scalar(kept) is None:
        raise RuleBroken("upload_gone", file=upload.file_name)
    upload.state, upload.purpose = state, Purpose.IMPORT
    upload.actor, upload.role, upload.tries = work.actor.id, work.actor.role, 0
    upload.begun_at = upload.finished_at = upload.note = None
    upload.lines = upload.lines_done = 0
    return upload


def _require_place(work: UnitOfWork, profile: str) -> None:
    """Files of a site are for those who see it; a profile's first file makes its site, and is for those who see all."""
    site = work.session.scalar(select(ImportProfile.site_id).where(ImportProfile.name == profile))
    if site is not None:
        work.actor.require(IMPORT, site=site)
    elif work.actor.sites is not None:
        raise NotAllowed("import_first_file", profile=profile)


def _shipped(profile: str) -> str:
    """A profile by name. A path is for the command line: here it would open any file of the server."""
    if profile not in profiles.shipped():
        raise RuleBroken("profile_unknown", field="profile", profile=profile, known=profiles.shipped())
    return profile


def _plain(name: str) -> str:
    """The file's own name, without folders and signs that no file system likes; its ending says how it is read."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(sign if sign.isalnum() or sign in " ._-()+" else "_" for sign in last).strip(" .")[-160:]
    if not plain.lower().endswith(ENDINGS) or plain.lower() in ENDINGS:
        raise RuleBroken("upload_kind", field="file", file=plain or "the file", known=list(ENDINGS))
    return plain


def _spool(stream: IO[bytes], path: Path) -> tuple[str, int]:
    """Write the stream to ``path``; its SHA-256 and size. Raises ``RuleBroken`` for nothing, and beyond the limit."""
    hashed, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        while block := stream.read(PIECE):
            size += len(block)
            if size > MOST_BYTES:
                raise RuleBroken("upload_too_large", field="file", file=path.name, limit=MOST_BYTES // 1024 // 1024)
            hashed.update(block)
            file.write(block)
    if not size:
        raise RuleBroken("import_file_empty", field="file", file=path.name)
    return hashed.hexdigest(), size


# -- the worker --------------------------------------------------------------------------------------------------------


def run_waiting(database: Database, *, clock: Clock) -> int:
    """Try or import every file that waits, the oldest first; returns how many."""
    done = 0
    while (upload := _take(database, clock)) is not None:
        _Run(database, clock, upload).go()
        done += 1
    return done


def _take(database: Database, clock: Clock) -> ImportUpload | None:
    """The next file, now in this worker's hands; one that broke its workers is given up instead."""
    with unit_of_work(database, actor=Actor.system("imports"), clock=clock) as work:
        query = select(ImportUpload).where(
            or_(
                ImportUpload.state == UploadState.WAITING,
                (ImportUpload.state == UploadState.RUNNING) & (ImportUpload.beat_at < work.now - SILENT),
            )
        )
        query = (
            query.order_by(ImportUpload.received_at, ImportUpload.id)
            .limit(1)
            .with_for_update(key_share=True, skip_locked=True)
        )
        while (upload := work.session.scalar(query)) is not None:
            upload.state = UPLOAD.target("begin", upload.state)
            upload.beat_at = work.now
            if upload.tries < MOST_TRIES:
                upload.tries += 1
                upload.begun_at = upload.begun_at or work.now
                return upload
            upload.state, upload.finished_at = UPLOAD.target("fail", upload.state), work.now
            upload.note = sentence(RuleBroken("upload_broke", file=upload.file_name, count=MOST_TRIES))
            work.session.flush()
        return None


class _Run:
    """One file in a worker's hands."""

    def __init__(self, database: Database, clock: Clock, upload: ImportUpload) -> None:
        self.database, self.clock, self.upload = database, clock, upload
        self._told = 0.0

    def go(self) -> None:
        """Try or import it; a refusal ends it with its sentence, anything else leaves it for another try."""
        upload = self.upload
        try:
            # Whoever handed it in answers for it, and was asked for the permission then.
            answers = Actor(id=upload.actor, role=upload.role, is_system=True)
            importer = Importer(
                self.database, profiles.load(upload.profile), answers, clock=self.clock, on_progress=self.tell,
                upload=upload.id, named=NAMED,
            )  # fmt: skip
            with self._file() as path:
                if upload.purpose == Purpose.DRY_RUN:
                    report = importer.dry_run(path)
                    self._end("finish", report=_written(report), lines=report.lines, lines_done=report.lines)
                else:
                    report = importer.run(path)
                    self._end("finish", lines=report.lines, lines_done=report.lines)
        except DomainError as refusal:
            log.warning("file not imported", upload=upload.id, code=refusal.code)
            self._end("fail", note=sentence(refusal))

    @contextmanager
    def _file(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="wavegate-import-") as folder:
            path = Path(folder) / self.upload.file_name
            with path.open("wb") as file:
                for number in range(-(-self.upload.size_bytes // PIECE)):
                    with reading(self.database) as session:
                        part = session.get_one(ImportUploadPart, (self.upload.id, number))
                        file.write(part.content)
            yield path

    def tell(self, done: int, lines: int) -> None:
        """Keep how far it is, once a second at most: the page reads it, and it tells a slow worker from a killed one."""
        if time.monotonic() - self._told < 1:
            return
        self._told = time.monotonic()
        self._keep(lines=lines, lines_done=done)

    def _keep(self, **values: Any) -> None:
        with unit_of_work(self.database, actor=Actor.system("imports"), clock=self.clock) as work:
            mine = update(ImportUpload).where(ImportUpload.id == self.upload.id)
            work.session.execute(mine.values(beat_at=work.now, **values))

    def _end(self, move: str, **values: Any) -> None:
        with unit_of_work(self.database, actor=Actor.system("imports"), clock=self.clock) as work:
            query = select(ImportUpload).where(ImportUpload.id == self.upload.id).with_for_update(key_share=True)
            upload = work.session.scalars(query).one()
            if upload.state != UploadState.RUNNING:
                return  # another worker thought this one dead and came first; the rows are the same
            upload.state, upload.beat_at, upload.finished_at = UPLOAD.target(move, upload.state), work.now, work.now
            for name, value in values.items():
                setattr(upload, name, value)
            if move == "finish" and upload.purpose == Purpose.IMPORT:
                work.session.execute(delete(ImportUploadPart).where(ImportUploadPart.upload_id == upload.id))


def _written(report: Report) -> str:
    return orjson.dumps(
        {
            "documents": report.documents, "documents_known": report.documents_known, "lines": report.lines,
            "lines_posted": report.lines_posted, "lines_rejected": report.lines_rejected,
            "lines_known": report.lines_known, "items_opened": report.items_opened, "outcomes": dict(report.outcomes),
            "rejected": report.rejected,
        }
    ).decode()  # fmt: skip


def forget_files(work: UnitOfWork) -> int:
    """Delete the content of files that were tried or refused long ago, and what never came in whole. Returns how many."""
    ended = select(ImportUpload.id).where(
        or_(
            ImportUpload.state.in_((UploadState.DONE, UploadState.FAILED)) & (ImportUpload.beat_at < work.now - _KEPT),
            (ImportUpload.state == UploadState.RECEIVING) & (ImportUpload.beat_at < work.now - _ABANDONED),
        )
    )
    kept = select(ImportUploadPart.upload_id).where(ImportUploadPart.upload_id.in_(ended)).distinct()
    found = list(work.session.scalars(kept))
    for upload in found:
        work.session.execute(delete(ImportUploadPart).where(ImportUploadPart.upload_id == upload))
    abandoned = delete(ImportUpload).where(
        ImportUpload.state == UploadState.RECEIVING, ImportUpload.beat_at < work.now - _ABANDONED
    )
    work.session.execute(abandoned)
    return len(found)
