"""What may be done with a programme."""

from __future__ import annotations

from enum import StrEnum


class ProgrammePermission(StrEnum):
    """Seats and delegates are given apart from the rest, since they carry votes."""

    VIEW = "governance:programme:view"
    MANAGE = "governance:programme:manage"
    SEATS = "governance:seat:assign"
    DELEGATE = "governance:seat:delegate"
