"""What may be done in the register of variants."""

from __future__ import annotations

from enum import StrEnum


class VariantPermission(StrEnum):
    """Who asks for another way than the standard, and who else decides."""

    VIEW = "governance:variant:view"
    REQUEST = "governance:variant:request"
    CONSENT = "governance:variant:consent"
    DECIDE = "governance:variant:decide"
    DECIDE_EXCEPTION = "governance:variant:decide-exception"
    DECIDE_STANDARD = "governance:variant:decide-standard"
