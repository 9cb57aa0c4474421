"""What the handlers of all events share: dimensions, milestones that may come late, moves of a line, expected postings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from erpcore import published as p
from erpcore.kernel.eventlog import LoggedEvent
from readiness.measures.journeys import Family, Journey, Line, Moves


def later(known: datetime | None, at: datetime) -> datetime:
    """The later of a known milestone and another."""
    return at if known is None or at > known else known


def earlier(known: datetime | None, at: datetime) -> datetime:
    """The earlier of a known milestone and another."""
    return at if known is None or at < known else known


def is_person(event: LoggedEvent) -> bool:
    """Whether somebody did it, not a job."""
    return event.actor != 0


def stamp(root: Journey, event: LoggedEvent, kind: str) -> None:
    """Dimensions of a document as its first event has them."""
    root.kind = kind
    root.realm, root.entity, root.site, root.channel = event.realm, event.entity, event.site, event.channel
    root.customer_group, root.grant_id, root.currency = event.customer_group, event.grant, event.currency
    if root.ruleset is None:
        root.ruleset, root.variants = event.ruleset, event.variants


def open_document(root: Journey, event: LoggedEvent, kind: str) -> None:
    """Begin a document: its dimensions, when it was opened and by whom."""
    stamp(root, event, kind)
    root.opened_at, root.opened_on, root.actor = event.at, event.on, event.actor


def add_moves(family: Family, event: LoggedEvent, quantities: Sequence[p.LineQuantity], kind: str) -> list[Line]:
    """Append what moved to each line's ``shipments`` or ``deliveries``, by time; returns the lines in the order given."""
    at, day = round(event.at.timestamp() * 1_000_000), event.on.toordinal()
    lines = family.lines_of(quantities)
    for line, part in zip(lines, quantities, strict=True):
        move = [at, day, part.quantity]
        moves: Moves | None = getattr(line, kind)
        if moves is None:
            setattr(line, kind, [move])
        else:
            moves.append(move)
            # Stable: of two at the same instant the one reported first stays first.
            moves.sort(key=_instant_of)
    return lines


def _instant_of(move: list[int]) -> int:
    return move[0]


def expect_posting(root: Journey, event: LoggedEvent, document: int) -> None:
    """The books must take this document; an entry that was told before it is matched at once."""
    root.must_post += 1
    known = root.postings.split() if root.postings else []
    if f"posted:{document}" in known:
        known.remove(f"posted:{document}")
    else:
        known.append(f"due:{document}@{round(event.at.timestamp())}")
    root.postings = " ".join(known) or None
