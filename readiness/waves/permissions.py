"""What may be done with waves and grants."""

from __future__ import annotations

from enum import StrEnum


class WavePermission(StrEnum):
    """Planning is apart from rehearsing, and both from what opens or closes a cell."""

    VIEW = "readiness:wave:view"
    PLAN = "readiness:wave:plan"
    REHEARSE = "readiness:wave:rehearse"
    RUN = "readiness:wave:run"
    ROLL_BACK = "readiness:wave:roll-back"
    ALREADY_LIVE = "readiness:grant:record-already-live"
    GRANT = "readiness:grant:open"
    FALLBACK = "readiness:grant:declare-fallback"
