"""Tables of imports: profiles in use, runs with their progress, documents, and what became of each line."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Name, UtcDateTime, append_only, states


class RunState(StrEnum):
    """``stopped``: it was killed; the next run of the same file goes on where it ended."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class UploadState(StrEnum):
    """``receiving``: it still comes in. A run of one that was killed begins again, and adds nothing twice."""

    RECEIVING = "receiving"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Purpose(StrEnum):
    """What is wanted of a file that was handed in."""

    DRY_RUN = "dry_run"
    IMPORT = "import"


class Outcome(StrEnum):
    """What a line of the source became."""

    ORDER_LINE = "order_line"
    FREE_LINE = "free_line"
    CHARGE_LINE = "charge_line"
    RETURN_LINE = "return_line"
    ADJUSTMENT = "adjustment"
    DEBT_JOURNAL = "debt_journal"
    REJECTED = "rejected"


class ImportProfile(Base):
    """A profile in use, and the business that its files belong to. ``revision`` counts committed batches, under lock."""

    __tablename__ = "import_profile"
    __table_args__ = (UniqueConstraint("name"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Code)
    title: Mapped[str] = mapped_column(Name)
    totals: Mapped[str] = mapped_column(String(24))
    digest: Mapped[str] = mapped_column(String(64))
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"))
    unknown_customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    revision: Mapped[int] = mapped_column(Integer)
    first_used_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ImportRun(Base):
    """One import of one file. Progress moves with each batch; ``beat_at`` tells a slow run from a killed one."""

    __tablename__ = "import_run"
    __table_args__ = (states("state", RunState), Index("ix_import_run_profile", "profile_id", "started_at"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    profile_id: Mapped[int] = mapped_column(ForeignKey("import_profile.id"))
    file_name: Mapped[str] = mapped_column(Name)
    file_hash: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(8))
    actor: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lines: Mapped[int] = mapped_column(Integer)
    documents: Mapped[int] = mapped_column(Integer)
    lines_done: Mapped[int] = mapped_column(Integer)
    lines_rejected: Mapped[int] = mapped_column(Integer)
    lines_known: Mapped[int] = mapped_column(Integer)
    documents_done: Mapped[int] = mapped_column(Integer)
    documents_known: Mapped[int] = mapped_column(Integer)
    batches: Mapped[int] = mapped_column(Integer)
    items_opened: Mapped[int] = mapped_column(Integer)
    note: Mapped[str | None] = mapped_column(Text)


class ImportDocument(Base):
    """A document that came in. A later ``part`` of the same key holds what a corrected file added to it.

    ``customer_id`` is none where the source names nobody.
    """

    __tablename__ = "import_document"
    __table_args__ = (
        UniqueConstraint("profile_id", "key", "part"),
        states("kind", ("sale", "return", "debt", "rejects")),
        Index("ix_import_document_run", "run_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    profile_id: Mapped[int] = mapped_column(ForeignKey("import_profile.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"))
    key: Mapped[str] = mapped_column(String(200))
    part: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(String(8))
    content: Mapped[str] = mapped_column(String(64))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    country: Mapped[str] = mapped_column(String(64))
    stated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ImportLine(Base):
    """What became of a line, known by its document and position. A return laid over several sales has a row per ``share``.

    ``digest`` hashes what the line says; ``stated_at`` is set where it differs from the document's.
    """

    __tablename__ = "import_line"
    __table_args__ = (
        states("outcome", Outcome),
        CheckConstraint("(outcome = 'rejected') = (reason IS NOT NULL)", name="rejected_says_why"),
        CheckConstraint("outcome = 'rejected' OR target_id IS NOT NULL", name="posted_somewhere"),
        Index(
            "ix_import_line_rejected", "document_id",
            sqlite_where=text("outcome = 'rejected'"), postgresql_where=text("outcome = 'rejected'"),
        ),
        {"sqlite_with_rowid": False},
    )  # fmt: skip
    document_id: Mapped[int] = mapped_column(ForeignKey("import_document.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    share: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    outcome: Mapped[str] = mapped_column(String(12))
    target_id: Mapped[int | None] = mapped_column(BigInteger)
    item_id: Mapped[int | None] = mapped_column(BigInteger)
    stated_on: Mapped[date | None] = mapped_column(Date)
    stated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    digest: Mapped[int] = mapped_column(BigInteger)
    kept: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str | None] = mapped_column(Text)


class ImportUpload(Base):
    """A file handed in by browser or API, for the worker to try or to import. ``run_id`` is the last import of it.

    ``report`` is what a dry run found, as JSON. ``tries`` counts how often a worker took it up.
    """

    __tablename__ = "import_upload"
    __table_args__ = (
        states("state", UploadState),
        states("purpose", Purpose),
        Index(
            "ix_import_upload_open", "id",
            sqlite_where=text("state IN ('receiving', 'waiting', 'running')"),
            postgresql_where=text("state IN ('receiving', 'waiting', 'running')"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    profile: Mapped[str] = mapped_column(Code)
    purpose: Mapped[str] = mapped_column(String(8))
    file_name: Mapped[str] = mapped_column(Name)
    file_hash: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(9))
    actor: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[str] = mapped_column(String(48))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(SmallInteger)
    lines: Mapped[int] = mapped_column(Integer)
    lines_done: Mapped[int] = mapped_column(Integer)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))
    report: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)


class ImportUploadPart(Base):
    """A piece of such a file, kept until it is imported: whichever machine the worker runs on, it finds it here."""

    __tablename__ = "import_upload_part"
    upload_id: Mapped[int] = mapped_column(ForeignKey("import_upload.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


append_only(ImportDocument, ImportLine)
