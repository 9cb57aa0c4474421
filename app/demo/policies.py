"""Who looks after what goes wrong in the demo."""

from __future__ import annotations

from app.composition.cases import Queue, set_rule
from app.composition.uow import Database, unit_of_work
from app.demo.people import Staff
from app.demo.world import World
from app.security.roles import Role
from erpcore.kernel.clock import Clock


def share_out_exceptions(database: Database, world: World, staff: Staff, clock: Clock) -> None:
    """The buyer looks after what is short everywhere, and after the supplier's own site, where none of us works."""
    with unit_of_work(database, actor=staff["process"], clock=clock) as work:
        set_rule(work, site=None, queue=Queue.SHORT, role=Role.BUYER)
        for key, node in sorted(world.nodes.items()):
            if key[1] == "WKD":
                for queue in Queue:
                    set_rule(work, site=node.id, queue=queue, role=Role.BUYER)
