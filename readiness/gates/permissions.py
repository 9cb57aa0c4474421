"""What may be done with gates and waivers."""

from __future__ import annotations

from enum import StrEnum


class GatePermission(StrEnum):
    """Drafting criteria, freezing them and granting waivers are for different people."""

    VIEW = "readiness:gate:view"
    DRAFT = "readiness:gate:draft"
    FREEZE = "readiness:gate:freeze"
    EVALUATE = "readiness:gate:evaluate"
    CLOSE = "readiness:gate:close"
    ATTEST = "readiness:gate:attest"
    ASK_WAIVER = "readiness:waiver:request"
    GRANT_WAIVER = "readiness:waiver:grant"
