"""What may be done with processes."""

from __future__ import annotations

from enum import StrEnum


class ProcessPermission(StrEnum):
    """Writing is apart from approving, since whoever wrote a version never approves it."""

    VIEW = "governance:process:view"
    MANAGE = "governance:process:manage"
    WRITE = "governance:process:write"
    APPROVE = "governance:process:approve"
