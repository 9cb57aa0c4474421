"""Which technical settings does this installation run with? All of them, read from the environment once, at start-up.

Business settings are governed values or master data and never stand here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[1]


class SettingError(Exception):
    """A setting cannot be used; the message names it and the way out."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one process, complete and checked."""

    #: Folder for what this installation writes: the default database, keys. ``WAVEGATE_INSTANCE``, default ``instance/``.
    instance: Path
    #: ``WAVEGATE_DATABASE_URL``: ``sqlite:///FILE`` or ``postgresql+psycopg://…``; default a file in the instance folder.
    database_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The settings as the environment has them; raises ``SettingError`` for one that cannot be used."""
        instance = Path(environment.get("WAVEGATE_INSTANCE") or ROOT / "instance").resolve()
        url = environment.get("WAVEGATE_DATABASE_URL") or f"sqlite:///{instance / 'wavegate.sqlite3'}"
        return cls(instance=instance, database_url=_checked(url))


def _checked(url: str) -> str:
    if url.startswith("postgresql://"):
        return url.replace("postgresql://", "postgresql+psycopg://", 1)
    if url.startswith(("sqlite:///", "postgresql+psycopg://")):
        return url
    raise SettingError(
        f"WAVEGATE_DATABASE_URL begins with '{url.partition(':')[0]}:'. Wavegate runs on sqlite:///FILE and "
        "postgresql+psycopg://USER@HOST/DATABASE."
    )
