"""What may be done with what people record about measures."""

from __future__ import annotations

from enum import StrEnum


class MeasurePermission(StrEnum):
    """Baselines stand beside every reading, and an owner answers for a measure: both are recorded for good."""

    RECORD_BASELINE = "readiness:baseline:record"
    NAME_OWNER = "readiness:measure:name-owner"
