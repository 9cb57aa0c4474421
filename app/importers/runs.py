"""How is a file imported? Two readings, batches of 500 documents, one unit of work each; killed anywhere, it goes on.

The first reading finds documents and the stock that must have been there; the second posts. What is in already is known by
its document and its content, so that the same file adds nothing, and a corrected one adds what was rejected before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.composition.cells import RegisteredCells
from app.composition.garbage import no_garbage_collection
from app.composition.imports import (
    ImportDocument,
    ImportLine,
    ImportProfile,
    ImportRun,
    ImportUpload,
    Outcome,
    RunState,
)
from app.composition.policies import RegisterRules
from app.composition.uow import Database, reading, unit_of_work
from app.importers.documents import documents, scan
from app.importers.flow import IMPORT, RUN
from app.importers.places import Place, settle_place
from app.importers.posting import Batch, Codes
from app.importers.profiles import Profile
from app.importers.reading import NO_DOCUMENT, Document, Line
from app.importers.report import Report
from app.importers.sources import fingerprint_of
from app.importers.stock import Shelf, effect_of
from app.messages import sentence
from erpcore.inventory.models import StockBalance
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock, SystemClock
from erpcore.kernel.errors import Busy, DomainError, NotAllowed
from erpcore.kernel.requests import claim_documents
from erpcore.kernel.rows import chunks, raw_columns
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Item
from erpcore.ports import CellStates, ProcessRules

BATCH = 500
#: A run that has said nothing for so long was killed.
SILENT = timedelta(minutes=5)
#: How often a batch waits for another importer, and how long (seconds).
_TRIES, _PAUSE = 40, 0.25
T = TypeVar("T")


Progress = Callable[[int, int], None]
"""Told how many lines of how many are done."""


@dataclass
class Importer:
    """Imports files of one profile into one database."""

    database: Database
    profile: Profile
    actor: Actor
    clock: Clock = field(default_factory=SystemClock)
    rules: ProcessRules = field(default_factory=RegisterRules)
    cells: CellStates = field(default_factory=RegisteredCells)
    batch: int = BATCH
    on_progress: Progress | None = None
    #: The file that was handed in for this, so that it shows the import it became.
    upload: int | None = None
    #: Rejected lines that a report names one by one.
    named: int = 50
    codes: Codes = field(default_factory=Codes)

    def dry_run(self, path: Path) -> Report:
        """Say what an import would do; nothing is written."""
        found = scan(path, self.profile)
        report = Report(
            self.profile.name, path.name, dry_run=True, lines=found.rows, documents=len(found.ends), named=self.named
        )
        _, shelf, _ = self._first_reading(path, found.ends, fingerprint_of(path), report)
        report.items_opened = len(shelf.short)
        return report

    def run(self, path: Path) -> Report:
        """Import the file. Raises ``RuleBroken`` for a file that is none of the profile's, before anything is written."""
        self.actor.require(IMPORT)
        found = scan(path, self.profile)
        digest = fingerprint_of(path)
        place, run = self._retried(lambda: self._begin(path, digest, found.rows, len(found.ends)))
        report = Report(
            self.profile.name, path.name, dry_run=False, run=run, lines=found.rows, documents=len(found.ends),
            named=self.named,
        )  # fmt: skip
        try:
            self._retried(lambda: self._open(path, found.ends, digest, place, run, report))
            for batch in _batches(documents(path, self.profile, found.ends), self.batch):
                with no_garbage_collection():
                    self._post(batch, path, digest, place, run, report)
                if self.on_progress:
                    self.on_progress(report.lines_known + sum(report.outcomes.values()), found.rows)
        except DomainError as refusal:
            why = sentence(refusal)
            self._retried(lambda: self._end(run, "fail", why))
            raise
        self._retried(lambda: self._end(run, "finish", None))
        return report

    # -- before the first batch ----------------------------------------------------------------------------------------

    def _retried(self, step: Callable[[], T]) -> T:
        """Do it, waiting while another importer or session holds what it needs."""
        for attempt in range(_TRIES):
            try:
                return step()
            except (Busy, IntegrityError):
                # Two that begin at once make the same place: one of them finds it made.
                if attempt == _TRIES - 1:
                    raise
                time.sleep(_PAUSE)
        raise AssertionError("unreachable")

    def _begin(self, path: Path, digest: str, lines: int, count: int) -> tuple[Place, int]:
        with unit_of_work(self.database, actor=self.actor, clock=self.clock, source="import") as work:
            place = settle_place(work, self.profile)
            silent = select(ImportRun).where(
                ImportRun.profile_id == place.profile, ImportRun.state == RunState.RUNNING,
                ImportRun.beat_at < work.now - SILENT,
            )  # fmt: skip
            for other in work.session.scalars(silent):
                other.state, other.finished_at = RUN.target("stop", other.state), work.now
            handed_in = None if self.upload is None else work.session.get_one(ImportUpload, self.upload)
            if handed_in is not None and handed_in.run_id is not None:
                # Taken up again by the worker, so whoever had it is gone.
                before = work.session.get_one(ImportRun, handed_in.run_id)
                if before.state == RunState.RUNNING:
                    before.state, before.finished_at = RUN.target("stop", before.state), work.now
            run = ImportRun(
                id=work.ids.one(), profile_id=place.profile, file_name=path.name, file_hash=digest, state=RUN.initial,
                actor=work.actor.id, started_at=work.now, beat_at=work.now, finished_at=None, lines=lines, documents=count,
                lines_done=0, lines_rejected=0, lines_known=0, documents_done=0, documents_known=0, batches=0,
                items_opened=0, note=None,
            )  # fmt: skip
            work.session.add(run)
            if handed_in is not None:
                work.session.flush()
                handed_in.run_id = run.id
            return place, run.id

    def _first_reading(
        self, path: Path, ends: dict[str, int], digest: str, report: Report | None
    ) -> tuple[int, Shelf, dict[str, str]]:
        """The profile's revision, the stock that is missing, and the names of its items."""
        revision, known, on_hand = self._present()
        shelf = Shelf(on_hand)
        names: dict[str, str] = {}
        begins: datetime | None = None
        for count, document in enumerate(documents(path, self.profile, ends, known=known, sealed=False), 1):
            if report is not None and self.on_progress and count % self.batch == 0:
                self.on_progress(report.lines_known + sum(report.outcomes.values()), report.lines)
            key = _key(document, digest)
            if known.get(key) is not None:
                if report is not None:
                    report.documents_known += 1
                    report.lines_known += len(document.lines)
                continue
            if report is not None:
                report.take(document)
            if document.at:
                begins = min(begins or document.at, document.at)
            shelf.post(effect_of(document))
            for line in document.lines:
                if line.item in shelf.short and not names.get(line.item):
                    names[line.item] = line.item_name
        self._begins = begins
        return revision, shelf, names

    def _present(self) -> tuple[int, dict[str, str], dict[str, int]]:
        """Revision, content by document, and free stock by item code, of one moment."""
        with reading(self.database, snapshot=True) as session:
            profile = session.execute(
                select(ImportProfile).where(ImportProfile.name == self.profile.name)
            ).scalar_one_or_none()
            if profile is None:
                return 0, {}, {}
            seen = session.execute(
                select(ImportDocument.key, ImportDocument.content).where(
                    ImportDocument.profile_id == profile.id, ImportDocument.part == 1
                )
            )
            balances = session.execute(
                select(Item.code, *raw_columns(StockBalance, "on_hand", "reserved"))
                .join_from(StockBalance, Item, Item.id == StockBalance.item_id)
                .where(StockBalance.site_id == profile.site_id)
            )
            return profile.revision, {row.key: row.content for row in seen}, {
                code: on_hand - reserved for code, on_hand, reserved in balances
            }  # fmt: skip

    def _open(self, path: Path, ends: dict[str, int], digest: str, place: Place, run: int, report: Report) -> None:
        """Post the stock that must have been there, unless somebody imported since it was counted."""
        revision, shelf, names = self._first_reading(path, ends, digest, None)
        if not shelf.short:
            return
        with unit_of_work(self.database, actor=self.actor, clock=self.clock, source="import") as work:
            if _lock_profile(work, place.profile) != revision:
                raise Busy("import_running", scope=self.profile.name)
            batch = self._batch(work, place, run, path)
            batch.ensure_items({code: names.get(code, "") for code in shelf.short})
            batch.open_stock(shelf.short, at=self._begins or work.now)
            _advance(work, place.profile)
            _progress(work, run, items_opened=batch.opened)
        report.items_opened += batch.opened
        self._take_over(batch)

    def _batch(self, work: UnitOfWork, place: Place, run: int, path: Path) -> Batch:
        return Batch(work, self.profile, place, self.codes, run=run, file=path.name, rules=self.rules, cells=self.cells)

    def _take_over(self, batch: Batch) -> None:
        """Codes of a batch that is committed are known from now on."""
        self.codes.items |= batch.fresh.items
        self.codes.customers |= batch.fresh.customers

    # -- batches -------------------------------------------------------------------------------------------------------

    def _post(self, batch: Sequence[Document], path: Path, digest: str, place: Place, run: int, report: Report) -> None:
        """Post a batch; if the core refuses it, its halves, down to the one document that is then kept as rejected."""
        for document in batch:
            document.key = _key(document, digest)
        try:
            self._retried(lambda: self._post_once(batch, path, place, run, report))
        except DomainError as refusal:
            if isinstance(refusal, Busy | NotAllowed) or refusal.code == "cell_closed":
                raise
            if len(batch) > 1:
                half = len(batch) // 2
                self._post(batch[:half], path, digest, place, run, report)
                self._post(batch[half:], path, digest, place, run, report)
                return
            why = sentence(refusal)
            for line in batch[0].lines:
                if line.outcome != "rejected":
                    line.outcome, line.reason, line.text = "rejected", why, _words(line)
            self._retried(lambda: self._post_once(batch, path, place, run, report))

    def _post_once(self, batch: Sequence[Document], path: Path, place: Place, run: int, report: Report) -> None:
        with unit_of_work(self.database, actor=self.actor, clock=self.clock, source="import") as work:
            _lock_profile(work, place.profile)
            known = claim_documents(work, f"import:{self.profile.name}", {d.key: d.content for d in batch})
            fresh: list[Document] = []
            parts: dict[str, int] = {}
            lines_known = documents_known = 0
            for document in batch:
                if document.key not in known:
                    fresh.append(document)
                    continue
                added = None if known[document.key] else _supplement(work, place, document, parts)
                lines_known += len(document.lines) - (len(added.lines) if added else 0)
                if added is None:
                    documents_known += 1
                else:
                    fresh.append(added)
            doing = self._batch(work, place, run, path)
            if fresh:
                doing.post(fresh, parts)
            _advance(work, place.profile)
            _progress(
                work, run, batches=1, documents_done=len(fresh), documents_known=documents_known, lines_known=lines_known,
                lines_done=sum(len(d.good) for d in fresh), lines_rejected=sum(len(d.lines) - len(d.good) for d in fresh),
                items_opened=doing.opened,
            )  # fmt: skip
        self._take_over(doing)
        report.batches += 1
        report.items_opened += doing.opened
        report.lines_known += lines_known
        report.documents_known += documents_known
        for document in fresh:
            report.take(document)

    def _end(self, run: int, move: str, note: str | None) -> None:
        with unit_of_work(self.database, actor=self.actor, clock=self.clock, source="import") as work:
            row = work.session.get_one(ImportRun, run)
            row.state = RUN.target(move, row.state)
            row.note, row.finished_at, row.beat_at = note, work.now, work.now


def _key(document: Document, digest: str) -> str:
    """Lines without a document are kept per file."""
    return f"{NO_DOCUMENT} {digest[:16]}" if document.key == NO_DOCUMENT else document.key


def _words(line: Line) -> str:
    return f"{line.item} · {line.item_name} · {line.quantity} × {line.price}"


def _batches(stream: Iterator[Document], size: int) -> Iterator[list[Document]]:
    while True:
        with no_garbage_collection():
            batch = list(islice(stream, size))
        if not batch:
            return
        yield batch


def _lock_profile(work: UnitOfWork, profile: int) -> int:
    """Wait for other importers of this profile; returns how many batches it has had."""
    return work.session.execute(
        select(ImportProfile.revision).where(ImportProfile.id == profile).with_for_update(key_share=True)
    ).scalar_one()


def _advance(work: UnitOfWork, profile: int) -> None:
    work.session.execute(
        update(ImportProfile).where(ImportProfile.id == profile).values(revision=ImportProfile.revision + 1)
    )


def _progress(work: UnitOfWork, run: int, **more: int) -> None:
    work.session.execute(
        update(ImportRun)
        .where(ImportRun.id == run)
        .values(beat_at=work.now, **{name: getattr(ImportRun, name) + count for name, count in more.items()})
    )


def _supplement(work: UnitOfWork, place: Place, document: Document, parts: dict[str, int]) -> Document | None:
    """What a document that comes again with other content adds: lines rejected before, and lines that are new in it.

    A line posted before stays as it is; one that says something else now is kept as rejected. ``None``: nothing to add.
    """
    before = work.session.execute(
        select(ImportDocument.id, ImportDocument.part).where(
            ImportDocument.profile_id == place.profile, ImportDocument.key == document.key
        )
    ).all()
    posted: dict[int, int] = {}
    refused: dict[int, set[int]] = {}
    for part in chunks([row.id for row in before]):
        found = work.session.execute(
            select(ImportLine.position, ImportLine.digest, ImportLine.outcome).where(
                ImportLine.document_id.in_(part), ImportLine.share == 0
            )
        )
        for position, digest, outcome in found:
            if outcome == Outcome.REJECTED:
                refused.setdefault(position, set()).add(digest)
            else:
                posted[position] = digest
    lines = []
    for line in document.lines:
        if posted.get(line.position) == line.digest or line.digest in refused.get(line.position, ()):
            continue
        if line.position in posted and line.outcome != "rejected":
            line.text, line.outcome = _words(line), "rejected"
            line.reason = "this line was posted before and said something else; correct it by a return or an adjustment"
        lines.append(line)
    if not lines:
        return None
    parts[document.key] = max(row.part for row in before) + 1
    return Document(
        document.key, document.kind, min((line.at for line in lines if line.at and line.outcome != "rejected"), default=document.at),
        document.customer, document.customer_name, document.country, lines, document.content,
    )  # fmt: skip
