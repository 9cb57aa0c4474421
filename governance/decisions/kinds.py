"""What can a body be asked about a wave?"""

from __future__ import annotations

from enum import StrEnum


class DecisionKind(StrEnum):
    """Go live · leave hypercare · decide again because a condition was missed after going live."""

    GO_LIVE = "go_live"
    EXIT = "exit"
    URGENT = "urgent"
