"""Tables of templates of places: what each version says, and what was made from which."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Name, UtcDateTime, append_only, states
from governance.templates.content import PlaceKind


class PlaceTemplate(Base):
    """A template by its code. ``last_number`` is that of its newest version; a retired one makes nothing any more."""

    __tablename__ = "place_template"
    __table_args__ = (
        UniqueConstraint("code"),
        states("kind", PlaceKind),
        CheckConstraint("(retired_at IS NULL) = (retired_by IS NULL)", name="retired_by_somebody"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    last_number: Mapped[int] = mapped_column(Integer)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retired_by: Mapped[int | None] = mapped_column(BigInteger)


class TemplateVersion(Base):
    """What a template says. ``source_id``: the site, company or channel that it was taken from, ``None`` for one that was typed."""

    __tablename__ = "template_version"
    __table_args__ = (UniqueConstraint("template_id", "number"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    template_id: Mapped[int] = mapped_column(ForeignKey("place_template.id"))
    number: Mapped[int] = mapped_column(Integer)
    content: Mapped[str] = mapped_column(Text)
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    made_by: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TemplateUse(Base):
    """A place that was made from a version: ``made`` is the JSON of all that was made with it, ``asked`` of what was asked for."""

    __tablename__ = "template_use"
    __table_args__ = (
        Index("ix_template_use_version", "version_id"),
        UniqueConstraint("kind", "place_id"),
        states("kind", PlaceKind),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    version_id: Mapped[int] = mapped_column(ForeignKey("template_version.id"))
    kind: Mapped[str] = mapped_column(String(12))
    place_id: Mapped[int] = mapped_column(BigInteger)
    asked: Mapped[str] = mapped_column(Text)
    made: Mapped[str] = mapped_column(Text)
    made_by: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(TemplateVersion, TemplateUse)
