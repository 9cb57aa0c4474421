"""The life of a journal by hand as a table."""

from __future__ import annotations

from erpcore.kernel.flow import Flow, Move
from erpcore.ledger.models import JournalState as S

#: Moves of its history by which somebody writes what the journal says; who made one of them does not decide on it.
WRITING = ("write", "change")
_WRITE, _DECIDE = "ledger:entry:post", "ledger:journal:approve"

JOURNAL = Flow(
    "journal",
    S,
    S.DRAFT,
    (
        Move(name="submit", sources=(S.DRAFT,), target=S.SUBMITTED, permission=_WRITE),
        Move(name="approve", sources=(S.SUBMITTED,), target=S.APPROVED, permission=_DECIDE),
        Move(name="reject", sources=(S.SUBMITTED, S.APPROVED), target=S.REJECTED, permission=_DECIDE, reason_required=True),
        Move(name="rework", sources=(S.REJECTED,), target=S.DRAFT, permission=_WRITE),
        Move(name="post", sources=(S.APPROVED,), target=S.POSTED, permission=_WRITE, event="journal.posted"),
        Move(name="reverse", sources=(S.POSTED,), target=S.REVERSED, permission=_WRITE),
    ),
)  # fmt: skip
