"""Which processes does a distributor have? A complete set to begin with, kept as data beside this module.

Taking it over makes drafts: whoever takes them over is their author, and the owners approve.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import select

from erpcore.kernel.errors import Conflict
from erpcore.kernel.work import UnitOfWork
from governance.processes.content import Content, Known, read_content
from governance.processes.flow import VersionKind
from governance.processes.models import BusinessProcess, ProcessVersion, ValueStream
from governance.processes.permissions import ProcessPermission
from governance.processes.services import (
    CreateProcess,
    CreateStream,
    DraftVersion,
    create_process,
    create_stream,
    draft_version,
)

_SUMMARY = "The distributor's set, as it is bundled."


@dataclass(frozen=True, kw_only=True)
class BundledStream:
    """A value stream of the set."""

    code: str
    name: str
    purpose: str


@dataclass(frozen=True, kw_only=True)
class BundledProcess:
    """A process of the set with its steps."""

    stream: str
    code: str
    name: str
    purpose: str
    content: Content


@cache
def bundled_streams() -> tuple[BundledStream, ...]:
    """The value streams of the distributor's set, in order."""
    return tuple(BundledStream(**one) for one in _read("streams")["streams"])


@cache
def bundled_processes() -> tuple[BundledProcess, ...]:
    """The processes of the distributor's set, in order."""
    return tuple(_process(code) for code in _read("streams")["processes"])


def _process(code: str) -> BundledProcess:
    raw = _read(code)
    return BundledProcess(
        stream=raw["stream"], code=code, name=raw["name"], purpose=raw["purpose"], content=read_content(raw["steps"])
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("governance.processes") / "sets" / f"{name}.toml").read_text(encoding="utf-8"))


def take_over(work: UnitOfWork, *, known: Known, owners: dict[str, int] | None = None) -> list[ProcessVersion]:
    """Make streams, processes and a first draft of each out of the set; ``owners`` are people by process.

    Raises ``Conflict`` where there are processes already: the set is to begin with, not to mix in.
    """
    work.actor.require(ProcessPermission.MANAGE)
    if work.session.scalar(select(BusinessProcess.id).limit(1)) is not None:
        raise Conflict("processes_there")
    try:
        return _write(work, known, owners or {})
    except Conflict as taken:  # somebody else has begun at the same time
        raise Conflict("processes_there") from taken


def _write(work: UnitOfWork, known: Known, owners: dict[str, int]) -> list[ProcessVersion]:
    known_streams = {row.code: row.id for row in work.session.execute(select(ValueStream.code, ValueStream.id))}
    for stream in bundled_streams():
        if stream.code not in known_streams:
            made = create_stream(work, CreateStream(code=stream.code, name=stream.name, purpose=stream.purpose))
            known_streams[stream.code] = made.id
    out = []
    for one in bundled_processes():
        row = create_process(
            work,
            CreateProcess(
                stream=known_streams[one.stream], code=one.code, name=one.name, purpose=one.purpose,
                owner=owners.get(one.code),
            ),
        )  # fmt: skip
        command = DraftVersion(process=row.id, kind=VersionKind.TO_BE, summary=_SUMMARY, content=one.content)
        out.append(draft_version(work, command, known=known))
    return out
