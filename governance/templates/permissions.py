"""What may be done with templates of places."""

from __future__ import annotations

from enum import StrEnum


class TemplatePermission(StrEnum):
    """Who keeps templates, and who makes places from them."""

    VIEW = "governance:template:view"
    WRITE = "governance:template:write"
    APPLY = "governance:template:apply"
