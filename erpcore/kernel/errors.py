"""Why something was refused: a code and facts; the edges choose words, status and field."""

from __future__ import annotations

from typing import Any


class DomainError(Exception):
    """A refusal that a person can act on. ``code`` names the message; ``facts`` fill it."""

    def __init__(self, code: str, /, *, field: str | None = None, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code} {self.facts}" if self.facts else self.code


class RuleBroken(DomainError):
    """The request contradicts a rule of the business."""


class NotFound(DomainError):
    """The thing does not exist, or not for this person."""


class NotAllowed(DomainError):
    """This person may not do this."""


class Conflict(DomainError):
    """Somebody else changed the thing, or the same key came with other content."""


class Busy(DomainError):
    """Others hold what this needs; trying again is safe."""


class NeedsConfirmation(DomainError):
    """A warning that may be accepted with a reason."""


class IllegalMove(RuleBroken):
    """The document's state does not allow this move."""

    def __init__(self, document: str, move: str, state: str) -> None:
        super().__init__("illegal_move", document=document, move=move, state=state)
