"""What every control of the books found last, with both sides, and having all compared anew."""

from __future__ import annotations

from datetime import datetime

from app.api.framework import operation
from app.api.values import Answer
from app.composition.proofs import ask_for_proof
from app.composition.request import reader
from app.queries.proof_page import whole_proof
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork

TAG = "Proof"


class SideAnswer(Answer):
    """A control at one place: what is kept, and what its first records add up to, in ``unit``."""

    control: str
    title: str
    unit: str
    entity: int | None
    site: int | None
    left: int
    right: int
    difference: int
    first_key: str | None


class ProofAnswer(Answer):
    """The last comparison; ``waiting``: since when another one is asked for."""

    made_at: datetime | None
    read_to: int | None
    waiting: datetime | None
    sides: list[SideAnswer]


class AskedAnswer(Answer):
    """A comparison that the worker makes within seconds."""

    asked_at: datetime


@operation("GET", "/proof", permission=Permission.MEASURE_VIEW, summary="The last comparison of the books", tag=TAG, answer=ProofAnswer)  # fmt: skip
def show_proof() -> ProofAnswer:
    found = whole_proof(reader(), actor())
    return ProofAnswer(
        made_at=found.made_at, read_to=found.read_to, waiting=found.waiting,
        sides=[SideAnswer.model_validate(one) for one in found.sides],
    )  # fmt: skip


@operation("POST", "/proof", permission=Permission.MEASURE_VIEW, summary="Have the books compared anew", tag=TAG, answer=AskedAnswer, status=202)  # fmt: skip
def ask_proof(work: UnitOfWork) -> AskedAnswer:
    """One that waits already answers this call too."""
    return AskedAnswer(asked_at=ask_for_proof(work).asked_at)
