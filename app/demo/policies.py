"""How the demo's companies depart from the standard, and who looks after what goes wrong."""

from __future__ import annotations

from datetime import timedelta

from app.composition.cases import Queue, set_rule
from app.composition.uow import Database, unit_of_work
from app.demo.people import Staff
from app.demo.world import World
from app.security.roles import Role
from erpcore.kernel.clock import Clock
from erpcore.masterdata.models import Realm
from governance.variants.register import Scope
from governance.variants.services import MoveVariant, move_variant
from governance.variants.writing import Content, DraftVariant, request_variant

#: A fifth off, as site leads have always given, stands by itself.
_TOLERANCE = 250
_LASTS = timedelta(days=365)


def approve_departures(database: Database, world: World, staff: Staff, clock: Clock) -> None:
    """The tolerance within which site leads give their customers prices, in every live company."""
    for (realm, _), entity in sorted(world.entities.items()):
        if realm != Realm.LIVE:
            continue
        with unit_of_work(database, actor=staff["process"], clock=clock) as work:
            asked = request_variant(
                work,
                DraftVariant(
                    values={"price_tolerance_permille": _TOLERANCE}, scope=Scope(entity=entity),
                    valid_until=clock.now() + _LASTS,
                    content=Content(
                        reason="Site leads have given regulars up to a fifth off for years; contracts follow by the summer."
                    ),
                ),
            )  # fmt: skip
        with unit_of_work(database, actor=staff["design"], clock=clock) as work:
            move_variant(
                work,
                MoveVariant(variant=asked.id, move="approve", reason="Agreed for a year, until the contracts are in."),
            )


def share_out_exceptions(database: Database, world: World, staff: Staff, clock: Clock) -> None:
    """The buyer looks after what is short everywhere, and after the supplier's own site, where none of us works."""
    with unit_of_work(database, actor=staff["process"], clock=clock) as work:
        set_rule(work, site=None, queue=Queue.SHORT, role=Role.BUYER)
        for key, node in sorted(world.nodes.items()):
            if key[1] == "WKD":
                for queue in Queue:
                    set_rule(work, site=node.id, queue=queue, role=Role.BUYER)
