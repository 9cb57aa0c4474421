"""Which moves does a phase of a roadmap know?"""

from __future__ import annotations

from erpcore.kernel.flow import Flow, Move
from governance.programme.permissions import ProgrammePermission
from governance.roadmap.kinds import PhaseState

_S = PhaseState
PHASE_FLOW = Flow(
    "roadmap_phase",
    PhaseState,
    _S.AHEAD,
    (
        Move(
            name="begin",
            sources=(_S.AHEAD,),
            target=_S.CURRENT,
            permission=ProgrammePermission.MANAGE,
            event="roadmap_phase.begun",
        ),
        Move(
            name="close",
            sources=(_S.CURRENT,),
            target=_S.CLOSED,
            permission=ProgrammePermission.MANAGE,
            event="roadmap_phase.closed",
        ),
    ),
)
