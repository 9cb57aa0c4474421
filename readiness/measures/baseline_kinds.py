"""Where does a baseline come from?"""

from __future__ import annotations

from enum import StrEnum


class BaselineKind(StrEnum):
    """Computed here by the measure's own formula, or typed with its source."""

    TAKEN = "taken"
    TYPED = "typed"
