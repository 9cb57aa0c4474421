"""What is put before a committee, and the PDF of it."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body
from app.composition.request import installation, reader
from app.reports.dossier import find_gate, gather
from app.reports.packs import Digest, read_dossier, record_pack, recorded, set_pack
from app.security.permissions import Permission
from erpcore.kernel.work import UnitOfWork


class RecordedAnswer(Answer):
    """A PDF that was made: the digest over its bytes, as the audit trail has it."""

    digest: str
    by: int = Field(description="Account of who made it; 0: a program of the installation.")
    at: datetime


class PackAnswer(Answer):
    """What a pack of this gate would be made from now."""

    gate: int
    wave: str
    phase: str
    evaluation: int = Field(description="Number of the gate's evaluation.")
    evaluated_at: datetime
    verdict: str
    sentence: str
    score: str = Field(description="Share of the whole, six places.")
    fingerprint: str = Field(description="SHA-256 of the evaluation as stored.")
    decision: int | None = Field(description="The decision that stands on this evaluation.")
    made: list[RecordedAnswer]


class PackBody(Body):
    """Which pack."""

    decision: int | None = Field(
        None, ge=1, le=2**63 - 1, description="An earlier decision; null: the one that stands."
    )


class PdfAnswer(Answer):
    """A pack that was made and is on record."""

    digest: str = Field(description="SHA-256 over the file, with zeros where it carries its digest.")
    fingerprint: str
    file_name: str
    size: int
    pdf: str = Field(description="The file in base64.")


@operation(
    "GET", "/gates/{gate_id}/pack", permission=Permission.PACK_MAKE, summary="What the gate's decision pack is made from",
    tag="Packs", answer=PackAnswer,
)  # fmt: skip
def show_pack(gate_id: int) -> PackAnswer:
    gate = find_gate(reader(), gate_id)
    dossier = gather(reader(), gate.wave_code, gate.phase)
    content: dict[str, Any] = orjson.loads(dossier.evidence)
    decision = orjson.loads(dossier.rest)["decision"]
    return PackAnswer(
        gate=gate.id, wave=gate.wave_code, phase=gate.phase.value, evaluation=content["number"],
        evaluated_at=datetime.fromisoformat(content["evaluated_at"]), verdict=content["word"],
        sentence=content["sentence"], score=f"{Decimal(content['score']):f}", fingerprint=dossier.fingerprint,
        decision=decision and decision["id"],
        made=[
            RecordedAnswer(digest=each.digest, by=each.by, at=each.at)
            for each in recorded(reader(), dossier.snapshot_id)
        ],
    )  # fmt: skip


def _set(gate_id: int, body: PackBody) -> tuple[bytes, Digest]:
    gate = find_gate(reader(), gate_id)
    database = installation().database
    return set_pack(read_dossier(database, gate.wave_code, phase=gate.phase, decision_id=body.decision))


@operation(
    "POST", "/gates/{gate_id}/pack", permission=Permission.PACK_MAKE, summary="Make the decision pack as a PDF",
    tag="Packs", body=PackBody, answer=PdfAnswer, status=201, prepare=_set, example={"decision": None},
)  # fmt: skip
def make_gate_pack(work: UnitOfWork, gate_id: int, body: PackBody, prepared: tuple[bytes, Digest]) -> PdfAnswer:
    content, made = prepared
    record_pack(work, made)
    return PdfAnswer(
        digest=made.digest, fingerprint=made.fingerprint, file_name=made.file_name, size=made.size,
        pdf=b64encode(content).decode(),
    )  # fmt: skip
