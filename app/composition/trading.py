"""Which rules and which open cells do the transactions of this application ask, and how is something only looked up?"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from flask import current_app
from sqlalchemy.orm import Session

from app.composition.cells import RegisteredCells
from app.composition.policies import RegisterRules
from erpcore.fulfilment.carriers.models import TroubleKind
from erpcore.fulfilment.models import Condition, Disposition
from erpcore.fulfilment.returns import ReturnedLine
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.ids import IdPool
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.holds import HoldOrder
from erpcore.orders.models import HoldKind

_RULES = RegisterRules()


def rules() -> RegisterRules:
    """The policy values in force."""
    return _RULES


def cells() -> RegisteredCells:
    """The register of open cells of this application's database; kept, so that its index is read once."""
    found: RegisteredCells = current_app.extensions.setdefault("wavegate_cells", RegisteredCells())
    return found


class _Looking:
    """What the core's readers ask of a unit of work, over a session that cannot write: they look prices and terms up."""

    def __init__(self, session: Session, *, actor: Actor, now: datetime, realm: str) -> None:
        self.session = session
        self.connection = session.connection()
        self.dialect = self.connection.dialect
        self.driver = self.connection.connection.driver_connection
        self.actor, self.now, self.realm, self.source = actor, now, realm, "screen"
        self.memo: dict[str, Any] = {}
        self.pool = IdPool()


def looking(session: Session, *, actor: Actor, now: datetime, realm: str) -> UnitOfWork:
    """A unit of work for the core's readers alone, so that a screen quotes by the very rules that capture will apply.

    Anything that would write fails: it has no ids, and its connection only reads.
    """
    return cast("UnitOfWork", _Looking(session, actor=actor, now=now, realm=realm))


def hold_command(order: int, kind: str, reason: str, seen_version: int | None) -> HoldOrder:
    """The command that holds an order; raises ``RuleBroken`` for a kind of hold that nobody knows."""
    if kind not in set(HoldKind):
        raise RuleBroken("choice_unknown", field="kind", value=kind)
    return HoldOrder(order=order, kind=HoldKind(kind), reason=reason, seen_version=seen_version)


def trouble_kind(kind: str) -> TroubleKind:
    """What a carrier reports, by its word; raises ``RuleBroken`` for one that nobody knows."""
    if kind not in set(TroubleKind):
        raise RuleBroken("choice_unknown", field="kind", value=kind)
    return TroubleKind(kind)


def disposition_named(word: str) -> Disposition:
    """What becomes of returned goods, by its word; raises ``RuleBroken`` for one that nobody knows."""
    if word not in set(Disposition):
        raise RuleBroken("choice_unknown", field="disposition", value=word)
    return Disposition(word)


def condition_named(word: str) -> Condition:
    """In which condition goods come back, by its word; raises ``RuleBroken`` for one that nobody knows."""
    if word not in set(Condition):
        raise RuleBroken("choice_unknown", field="condition", value=word)
    return Condition(word)


def returned_line(
    item: int, quantity: Decimal, order_line: int | None, disposition: str, unit_price: Decimal | None = None
) -> ReturnedLine:
    """One line of a return; raises ``RuleBroken`` for a disposition that nobody knows."""
    return ReturnedLine(
        item=item,
        quantity=quantity,
        order_line=order_line,
        disposition=disposition_named(disposition),
        unit_price=unit_price,
    )
