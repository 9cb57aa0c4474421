"""What is a governance body for, and how often does it meet?"""

from __future__ import annotations

from enum import StrEnum


class BodyKind(StrEnum):
    """What a governance body is for. Key criteria are waived by the steering committee alone."""

    STEERING = "steering"
    PMO = "pmo"
    DESIGN_AUTHORITY = "design_authority"
    PROCESS_COUNCIL = "process_council"
    DATA_COUNCIL = "data_council"
    CHANGE_ENABLEMENT = "change_enablement"
    DEPLOYMENT = "deployment"


class Rhythm(StrEnum):
    """How often a body meets."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"
