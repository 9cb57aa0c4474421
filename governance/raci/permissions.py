"""What may be done with the duties of processes, data domains and waves."""

from __future__ import annotations

from enum import StrEnum


class RaciPermission(StrEnum):
    """Everybody may know who answers; the programme office and the design authority say so."""

    VIEW = "governance:raci:view"
    ASSIGN = "governance:raci:assign"
