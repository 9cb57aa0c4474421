"""Is this pack what was put before the committee? Each check says what it compared and what it found."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.reports.dossier import FORMAT
from app.reports.packs import recorded
from app.reports.paper import EVIDENCE_NAME, REST_NAME
from app.reports.seal import carried, digest_of
from readiness.gates.evaluation import FORMAT as EVIDENCE_FORMAT
from readiness.gates.models import GateSnapshot


@dataclass(frozen=True)
class Check:
    """One question to a pack. ``holds`` ``None``: it could not be asked, and ``said`` tells why."""

    name: str
    said: str
    holds: bool | None = None


def _holds(name: str, said: str) -> Check:
    return Check(name, said, holds=True)


def _fails(name: str, said: str) -> Check:
    return Check(name, said, holds=False)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of verifying a file; ``digest`` is recomputed, the other two are as the file says."""

    digest: str
    fingerprint: str | None
    wave: str | None
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """No check failed. A check that could not be asked is told, and fails nothing."""
        return all(check.holds is not False for check in self.checks)


def verify_pack(content: bytes, session: Session | None = None) -> Report:
    """Check a pack by itself and, with a session, against the database it came from."""
    digest, claimed = digest_of(content), carried(content)
    checks = [_sealed(digest, claimed)]
    read = _read(content) if checks[0].holds else None
    if read is None:
        unasked = Check("evidence", "not looked at: the file is not as it was written")
        unread = _fails("evidence", "the PDF or what is attached to it cannot be read")
        return Report(
            digest=digest, fingerprint=None, wave=None, checks=(*checks, unread if checks[0].holds else unasked)
        )
    checks += [_evidence(read), _pages(read)]
    found = orjson.loads(read.evidence) if checks[1].holds else None
    if session is None:
        checks.append(Check("record", "no database was asked"))
    elif found is None:
        checks.append(Check("record", "not asked: the evidence is not what the pack says"))
    else:
        checks += _on_record(session, found, read.fingerprint, digest)
    wave = found["wave"]["code"] if found else None
    return Report(digest=digest, fingerprint=read.fingerprint, wave=wave, checks=tuple(checks))


def _sealed(digest: str, claimed: str | None) -> Check:
    if claimed is None:
        return _fails("digest", "the file carries no digest: it is no decision pack, or was changed where it stands")
    if claimed != digest:
        return _fails(
            "digest", f"the file carries {claimed}, its bytes give {digest}: it was changed after it was made"
        )
    return _holds("digest", f"the bytes of the file give the digest it carries, {digest}")


@dataclass(frozen=True)
class _Parts:
    evidence: bytes
    rest: bytes
    fingerprint: str
    pages: tuple[str, ...]


def _read(content: bytes) -> _Parts | None:
    """The attachments and the words of every page; ``None`` for a file that is no PDF with both."""
    from pypdf import PdfReader  # noqa: PLC0415  a fifth of a second to import, needed here alone

    try:
        reader = PdfReader(io.BytesIO(content), strict=True)
        evidence, rest = (_attached(reader, name) for name in (EVIDENCE_NAME, REST_NAME))
        pages = tuple("".join(page.extract_text().split()) for page in reader.pages)
        fingerprint = orjson.loads(rest)["fingerprint"]
    except Exception:  # noqa: BLE001  whatever a reader of foreign files stumbles over, the file cannot be read
        return None
    return _Parts(evidence, rest, str(fingerprint), pages)


def _attached(reader: Any, name: str) -> bytes:
    (content,) = reader.attachments[name]
    return bytes(content)


def _evidence(parts: _Parts) -> Check:
    found = sha256(parts.evidence).hexdigest()
    if found != parts.fingerprint:
        return _fails("evidence", f"the attached evaluation gives {found}, the pack speaks of {parts.fingerprint}")
    forms = orjson.loads(parts.evidence)["format"], orjson.loads(parts.rest)["format"]
    if forms != (EVIDENCE_FORMAT, FORMAT):
        return _fails("evidence", f"it is written in the forms {' and '.join(forms)}, which this version does not know")
    return _holds("evidence", f"the attached evaluation gives the fingerprint {found}")


def _pages(parts: _Parts) -> Check:
    missing = [number for number, text in enumerate(parts.pages, start=1) if _printed(text) != parts.fingerprint]
    if missing or not parts.pages:
        return _fails("pages", f"the fingerprint is not the one printed on page {', '.join(map(str, missing))}")
    return _holds("pages", f"the fingerprint is printed on each of {len(parts.pages)} pages")


def _printed(text: str) -> str | None:
    """The fingerprint in the foot of a page, from its text without blanks."""
    found = re.findall(r"Evidence([0-9a-f]{64})", text)
    return found[-1] if found else None


def _on_record(session: Session, evidence: dict[str, Any], fingerprint: str, digest: str) -> Iterator[Check]:
    gate, number = evidence["gate"]["id"], evidence["number"]
    kept = session.execute(
        select(GateSnapshot.id, GateSnapshot.sha256).where(GateSnapshot.gate_id == gate, GateSnapshot.number == number)
    ).one_or_none()
    if kept is None:
        yield _fails("evaluation", f"this database has no evaluation {number} of gate {gate}")
        yield Check("record", "not asked: the audit trail names packs by their evaluation")
        return
    if kept.sha256 != fingerprint:
        yield _fails("evaluation", f"evaluation {number} of gate {gate} has the fingerprint {kept.sha256} here")
    else:
        yield _holds("evaluation", f"evaluation {number} of gate {gate} has this fingerprint here")
    known = [each for each in recorded(session, kept.id) if each.digest == digest and each.fingerprint == fingerprint]
    if known:
        at = known[0].at
        yield _holds("record", f"the audit trail has the digest, first on {at:%d %b %Y %H:%M} UTC")
    else:
        yield _fails("record", "the audit trail has no pack with this digest: it was not made here")
