"""The life of a closing as a table."""

from __future__ import annotations

from erpcore.kernel.flow import Flow, Move
from erpcore.ledger.closing.models import ClosingState as S
from erpcore.ledger.periods import AUTHORITY

CLOSING = Flow(
    "closing",
    S,
    S.OPEN,
    (
        Move(name="soft_lock", sources=(S.OPEN,), target=S.SOFT, permission=AUTHORITY),
        Move(name="lock", sources=(S.OPEN, S.SOFT), target=S.LOCKED, permission=AUTHORITY),
        Move(name="reopen", sources=(S.SOFT, S.LOCKED), target=S.OPEN, permission=AUTHORITY, reason_required=True),
    ),
)  # fmt: skip
