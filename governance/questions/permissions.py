"""What may be done with design questions."""

from __future__ import annotations

from enum import StrEnum


class QuestionPermission(StrEnum):
    """Whoever asks does not decide."""

    VIEW = "governance:question:view"
    ASK = "governance:question:ask"
    DECIDE = "governance:question:decide"
