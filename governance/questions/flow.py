"""The life of a design question, as a table. How old or how late it is, is derived."""

from __future__ import annotations

from enum import StrEnum

from erpcore.kernel.flow import Flow, Move
from governance.questions.permissions import QuestionPermission


class QuestionState(StrEnum):
    """Asked, answered, or no longer asked."""

    OPEN = "open"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"


class LinkKind(StrEnum):
    """What a question bears on, besides its process."""

    STEP = "step"
    POINT = "policy_point"
    VARIANT = "variant"


_S = QuestionState
_P = QuestionPermission

QUESTION_FLOW = Flow(
    "design question",
    QuestionState,
    _S.OPEN,
    (
        Move(name="decide", sources=(_S.OPEN,), target=_S.DECIDED, permission=_P.DECIDE, reason_required=True),
        Move(name="withdraw", sources=(_S.OPEN,), target=_S.WITHDRAWN, permission=_P.ASK, reason_required=True),
        Move(name="reopen", sources=(_S.DECIDED,), target=_S.OPEN, permission=_P.DECIDE, reason_required=True),
    ),
)  # fmt: skip
