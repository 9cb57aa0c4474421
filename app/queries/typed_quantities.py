"""What would the core say to the quantities of an order being typed? Asked while typing, so that nothing is sent to hear it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from app.composition.trading import looking
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import RuleBroken
from erpcore.masterdata.queries import items
from erpcore.orders.checking import quantity_trouble


def quantity_troubles(
    session: Session, actor: Actor, now: datetime, realm: str, lines: Sequence[tuple[int, Decimal] | None]
) -> list[RuleBroken | None]:
    """For each line (item and quantity, or nothing that could be read) the refusal it would meet, in the same order."""
    look = looking(session, actor=actor, now=now, realm=realm)
    known = items(look, {line[0] for line in lines if line})
    return [quantity_trouble(known[line[0]], line[1], number) if line else None for number, line in enumerate(lines, 1)]
