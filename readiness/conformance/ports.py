"""What judging a departure needs from the register of variants: who covers it, whether a variant held, what it set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import Connection


class Where(NamedTuple):
    """Where something was done."""

    realm: str
    entity: int
    site: int | None
    channel: int | None
    customer_group: int | None


class Coverage(Protocol):
    """The register as it stands in one transaction. What it says of an instant that has passed never changes."""

    def covering(self, deviation: str, where: Where, at: datetime) -> int | None:
        """The variant that allows this deviation here at this instant, ``None`` where none does."""

    def in_force(self, variant: int, at: datetime) -> bool:
        """Whether a variant held at this instant; one that the register does not know never did."""

    def points(self, ruleset: str) -> Sequence[str]:
        """The policy points that variants set in a stored ruleset. Raises where it cannot be read: it is never guessed."""


#: The register as a connection sees it.
ReadsCoverage = Callable[[Connection], Coverage]
