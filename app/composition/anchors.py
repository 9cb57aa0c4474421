"""How far was the audit trail at a time, as somebody outside the database knows it?

A chain proves that nothing before its last link was changed, not that nothing was cut off behind it. So its last link is written
beside the database, line by line, into a file that is only appended to; the daily mails of what waits carry it too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import orjson
from sqlalchemy import make_url

from app.composition.uow import Database, reading
from erpcore.kernel.audit import Anchor, ChainReport, verify_chain
from erpcore.kernel.clock import Clock


def anchor_file(folder: Path, url: str) -> Path:
    """The file of a database: several may share a folder."""
    name = sha256(make_url(url).render_as_string(hide_password=True).encode()).hexdigest()[:12]
    return folder / f"audit-anchors-{name}.jsonl"


def anchors_known(folder: Path, url: str) -> list[Anchor]:
    """The anchors kept in the folder; a last line that was not written whole says nothing."""
    path = anchor_file(folder, url)
    if not path.is_file():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        try:
            said = orjson.loads(line)
            found.append(Anchor(position=int(said["link"]), hash=str(said["hash"])))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            continue
    return found


def keep_anchor(folder: Path, url: str, clock: Clock, last: tuple[int, str] | None) -> int:
    """Append the last link, unless it stands there already; 1 when a line was written."""
    known = anchors_known(folder, url)
    if last is None or (known and (known[-1].position, known[-1].hash) == last):
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    line = orjson.dumps({"at": clock.now().isoformat(), "link": last[0], "hash": last[1]}) + b"\n"
    with os.fdopen(os.open(anchor_file(folder, url), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    return 1


def check_chain(database: Database, folder: Path, given: Iterable[Anchor] = ()) -> ChainReport:
    """Recompute the chain and hold it against what was kept beside the database and what else is ``given``."""
    # Before the snapshot is taken: an anchor of a link written meanwhile would look like a tail cut off.
    known = anchors_known(folder, database.url)
    with reading(database, snapshot=True) as session:
        return verify_chain(session, [*known, *given])
