"""Tables of people: accounts, roles given for a time and a site, sign-ins, tokens, and counters of failed attempts.

Secrets stand here only as hashes. Names stand nowhere else: events and history know a person by id.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Name, UtcDateTime

# The site a role is given for is a row of master data; its table must be known to name it.
from erpcore.masterdata import models as _masterdata  # noqa: F401


class Account(Base):
    """A person, or a program with tokens. ``sign_in`` is lower case. Without a password nobody signs in with it.

    ``must_change``: the password was chosen by somebody else. ``closed_at``: the person left; nothing is deleted.
    """

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("sign_in"), CheckConstraint("sign_in = lower(sign_in)", name="sign_in_lower"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    sign_in: Mapped[str] = mapped_column(String(120))
    name: Mapped[str] = mapped_column(Name)
    email: Mapped[str | None] = mapped_column(String(200))
    time_zone: Mapped[str] = mapped_column(String(48))
    locale: Mapped[str] = mapped_column(String(12))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    must_change: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RoleGrant(Base):
    """A role that a person has from ``valid_from`` until before ``valid_until``, at one live site or (``None``) at all."""

    __tablename__ = "role_grant"
    __table_args__ = (
        Index("ix_role_grant_account", "account_id"),
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="validity"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    role: Mapped[str] = mapped_column(String(32))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text)


class SignIn(Base):
    """One sign-in in one browser. The cookie has the token, this row its hash; a row that ended lets nobody in."""

    __tablename__ = "sign_in"
    __table_args__ = (UniqueConstraint("token_hash"), Index("ix_sign_in_account", "account_id"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    token_hash: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApiToken(Base):
    """A secret with which a program acts for an account, in one role, with some of its permissions, at some of its sites.

    ``permissions`` and ``sites`` are JSON lists; ``sites`` ``None``: all sites of the role. ``shown`` is the part of the
    token that people may see.
    """

    __tablename__ = "api_token"
    __table_args__ = (UniqueConstraint("token_hash"), Index("ix_api_token_account", "account_id"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str] = mapped_column(Name)
    shown: Mapped[str] = mapped_column(String(12))
    token_hash: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(32))
    permissions: Mapped[str] = mapped_column(Text)
    sites: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LoginThrottle(Base):
    """Failed attempts for a sign-in name or a network address, both known by hash alone."""

    __tablename__ = "login_throttle"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    blocked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CalendarFeed(Base):
    """The address at which a person's calendar program reads their meetings; ``token_hash`` is all that is kept of its secret."""

    __tablename__ = "calendar_feed"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(
            "uq_calendar_feed_open", "account_id", unique=True,
            sqlite_where=text("revoked_at IS NULL"), postgresql_where=text("revoked_at IS NULL"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    token_hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
