"""Which technical settings does this installation run with? All of them, read from the environment once, at start-up.

Business settings are governed values or master data and never stand here.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[1]

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingError(Exception):
    """A setting cannot be used; the message names it and the way out."""


@dataclass(frozen=True, kw_only=True)
class PasswordCost:
    """What one Argon2id hash costs: passes, memory in KiB, lanes. The defaults are RFC 9106's second choice."""

    passes: int = 3
    memory_kib: int = 65_536
    lanes: int = 4


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one process, complete and checked."""

    #: Folder for what this installation writes: the default database, keys. ``WAVEGATE_INSTANCE``, default ``instance/``.
    instance: Path
    #: ``WAVEGATE_DATABASE_URL``: ``sqlite:///FILE`` or ``postgresql+psycopg://…``; default a file in the instance folder.
    database_url: str
    #: ``WAVEGATE_SECRET_KEY`` signs cookies and forms, at least 32 characters; without it a key is made once and kept in the
    #: instance folder. Several servers of one installation need the same.
    secret_key: str | None = None
    #: ``WAVEGATE_HTTPS=1``: the site is reached over https only, so cookies and browsers are told to insist on it.
    https: bool = False
    #: ``WAVEGATE_HOSTS``: names, separated by commas, under which the site may be addressed; empty: any.
    hosts: tuple[str, ...] = ()
    #: ``WAVEGATE_PROXIES``: how many proxies in front are trusted to tell the client's address.
    proxies: int = 0
    #: ``WAVEGATE_IDLE_MINUTES``: without a request for so long, a person is signed out.
    idle: timedelta = timedelta(minutes=60)
    #: ``WAVEGATE_SESSION_HOURS``: so long after signing in, a person signs in again, however busy.
    session: timedelta = timedelta(hours=12)
    #: ``WAVEGATE_LOG_LEVEL``.
    log_level: str = "INFO"
    #: ``WAVEGATE_SMTP_URL``: ``smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS`` (or ``smtps://``) of the mail server that takes letters to
    #: customers, or ``file:///FOLDER?from=ADDRESS`` of a folder that keeps them instead; without one they are kept and not sent.
    mail_url: str | None = None
    #: ``WAVEGATE_ADDRESS``: how people reach the site, as in ``https://waves.example``; mails to them lead there, or have no links.
    address: str | None = None
    password_cost: PasswordCost = PasswordCost()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The settings as the environment has them; raises ``SettingError`` for one that cannot be used."""
        instance = Path(environment.get("WAVEGATE_INSTANCE") or ROOT / "instance").resolve()
        url = environment.get("WAVEGATE_DATABASE_URL") or f"sqlite:///{instance / 'wavegate.sqlite3'}"
        hosts = environment.get("WAVEGATE_HOSTS", "").split(",")
        return cls(
            instance=instance,
            database_url=_checked(url),
            secret_key=_key(environment.get("WAVEGATE_SECRET_KEY")),
            https=_switch(environment, "WAVEGATE_HTTPS"),
            hosts=tuple(host.strip() for host in hosts if host.strip()),
            proxies=_number(environment, "WAVEGATE_PROXIES", 0, 0, 9),
            idle=timedelta(minutes=_number(environment, "WAVEGATE_IDLE_MINUTES", 60, 1, 1440)),
            session=timedelta(hours=_number(environment, "WAVEGATE_SESSION_HOURS", 12, 1, 168)),
            log_level=_level(environment.get("WAVEGATE_LOG_LEVEL") or "INFO"),
            mail_url=_mail(environment.get("WAVEGATE_SMTP_URL")),
            address=_address(environment.get("WAVEGATE_ADDRESS")),
        )

    def signing_key(self) -> str:
        """``secret_key``, or the key of the instance folder: made on first use, readable by its owner alone."""
        return self.secret_key or _kept_key(self.instance / "secret_key")


def _checked(url: str) -> str:
    if url.startswith("postgresql://"):
        return url.replace("postgresql://", "postgresql+psycopg://", 1)
    if url.startswith(("sqlite:///", "postgresql+psycopg://")):
        return url
    raise SettingError(
        f"WAVEGATE_DATABASE_URL begins with '{url.partition(':')[0]}:'. Wavegate runs on sqlite:///FILE and "
        "postgresql+psycopg://USER@HOST/DATABASE."
    )


def _mail(url: str | None) -> str | None:
    if url and not url.startswith(("smtp://", "smtps://", "file:///")):
        raise SettingError("WAVEGATE_SMTP_URL is not smtp://HOST:PORT, smtps://HOST:PORT or file:///FOLDER.")
    return url or None


def _address(url: str | None) -> str | None:
    if url and not url.startswith(("http://", "https://")):
        raise SettingError("WAVEGATE_ADDRESS is not https://NAME or http://NAME.")
    return url or None


def _key(value: str | None) -> str | None:
    if value and len(value) < 32:
        raise SettingError("WAVEGATE_SECRET_KEY is shorter than 32 characters. Leave it out to have one made.")
    return value or None


def _switch(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "").lower()
    if value not in {"", "0", "1", "no", "yes", "false", "true"}:
        raise SettingError(f"{name} is '{value}'. Say 1 or 0.")
    return value in {"1", "yes", "true"}


def _number(environment: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    value = environment.get(name) or str(default)
    if not value.isdecimal() or not least <= int(value) <= most:
        raise SettingError(f"{name} is '{value}'. Say a whole number from {least} to {most}.")
    return int(value)


def _level(value: str) -> str:
    if value.upper() not in _LEVELS:
        raise SettingError(f"WAVEGATE_LOG_LEVEL is '{value}'. Say one of {', '.join(_LEVELS)}.")
    return value.upper()


def _kept_key(path: Path) -> str:
    """The key in ``path``. Two processes that start at once agree on one: it appears whole, and the first one stays."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes the file with mode 0600.
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".key-")
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(48))
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            Path(draft).unlink()
    return path.read_text(encoding="ascii").strip()
