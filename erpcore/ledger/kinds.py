"""The kinds of journal there are, and how strongly one may be locked."""

from __future__ import annotations

from enum import StrEnum


class JournalKind(StrEnum):
    """The kinds of journal: what the entries of a rule are about."""

    SALES = "sales"
    CASH = "cash"
    STOCK = "stock"
    MANUAL = "manual"


class Strength(StrEnum):
    """A soft lock lets Finance post, a hard one nobody."""

    SOFT = "soft"
    HARD = "hard"
