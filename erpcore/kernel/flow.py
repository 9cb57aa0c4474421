"""A state machine as a table: which move leads from where to where, who may make it, and whether it needs a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import IllegalMove, RuleBroken


@dataclass(frozen=True, kw_only=True)
class Move:
    """One permitted change of state. ``event`` names the event type that reports it."""

    name: str
    sources: tuple[StrEnum, ...]
    target: StrEnum
    permission: str
    reason_required: bool = False
    event: str | None = None


class Closed(StrEnum):
    """Why a move is not open."""

    STATE = "state"
    PERMISSION = "permission"


class Flow:
    """All moves of one kind of document. Screens ask the same table as services do."""

    def __init__(self, document: str, states: type[StrEnum], initial: StrEnum, moves: Iterable[Move]) -> None:
        self.document = document
        self.states = states
        self.initial = initial
        self.moves = {move.name: move for move in moves}

    def target(self, move: str, state: str, *, reason: str | None = None) -> StrEnum:
        """Where ``move`` leads from ``state``; raises ``IllegalMove`` or asks for the missing reason."""
        step = self.moves[move]
        if not self.leads(move, state):
            raise IllegalMove(self.document, move, state)
        if step.reason_required and not (reason or "").strip():
            raise RuleBroken("reason_required", field="reason", document=self.document, move=move)
        return step.target

    def leads(self, move: str, state: str) -> bool:
        """Whether ``move`` leads anywhere from ``state``."""
        return state in self.moves[move].sources

    def why_not(self, move: str, state: str, actor: Actor) -> Closed | None:
        """What keeps this person from the move; ``None``: it is open. Buttons ask this, services ``target`` and the actor."""
        if not self.leads(move, state):
            return Closed.STATE
        return None if actor.may(self.moves[move].permission) else Closed.PERMISSION

    def finals(self) -> set[StrEnum]:
        """States that no move leaves."""
        left = {source for move in self.moves.values() for source in move.sources}
        return set(self.states) - left

    def diagram(self) -> str:
        """The table as a Mermaid state diagram, for the docs."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        for move in self.moves.values():
            lines += [f"    {source} --> {move.target}: {move.name}" for source in move.sources]
        lines += [f"    {state} --> [*]" for state in sorted(self.finals())]
        return "\n".join(lines)
