"""Asking for a replay: of a variant within one's reach, of points that a replay can show, where there is something to replay."""

from __future__ import annotations

from datetime import timedelta

from app.composition.replaying.inputs import in_scope
from app.composition.replaying.points import not_shown, shown
from app.composition.variants import reachable
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from governance.replays import services
from governance.replays.models import VariantReplay
from governance.replays.services import AskReplay
from governance.variants.checks import values_of
from governance.variants.register import scope_of


def ask_replay(work: UnitOfWork, command: AskReplay) -> VariantReplay:
    """Let a replay wait for the worker.

    Raises ``RuleBroken("replay_shows_nothing")`` where no point of the variant can be replayed, ``replay_nothing_in_scope``
    where no order of its scope was captured in the period, and whatever the register says.
    """
    row = reachable(work, command.variant)
    points = list(values_of(work, row.id))
    if not shown(points):
        named = [title for title, _ in not_shown(points)]
        raise RuleBroken("replay_shows_nothing", points=named or ["what is done by hand"])
    services.check_ask(work, command)
    found = in_scope(scope_of(row), work.now - timedelta(days=command.days), work.now).limit(1)
    if work.session.scalar(found) is None:
        raise RuleBroken("replay_nothing_in_scope", field="days")
    return services.ask_replay(work, command)
