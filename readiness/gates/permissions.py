"""What may be done with gates and waivers."""

from __future__ import annotations

from enum import StrEnum


class GatePermission(StrEnum):
    """Drafting criteria, freezing them and granting waivers are for different people."""

    VIEW = "readiness:gate:view"
    DRAFT = "readiness:gate:define"
    FREEZE = "readiness:gate:freeze"
    EVALUATE = "readiness:gate:evaluate"
    ATTEST = "readiness:attestation:give"
    ASK_WAIVER = "readiness:waiver:request"
    GRANT_WAIVER = "readiness:waiver:approve"
