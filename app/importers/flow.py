"""The life of an import as a table."""

from __future__ import annotations

from app.composition.imports import RunState
from erpcore.kernel.flow import Flow, Move

#: Who may import.
IMPORT = "app:import:run"

RUN = Flow(
    "import",
    RunState,
    RunState.RUNNING,
    (
        Move(name="finish", sources=(RunState.RUNNING, RunState.STOPPED), target=RunState.DONE, permission=IMPORT),
        Move(name="fail", sources=(RunState.RUNNING, RunState.STOPPED), target=RunState.FAILED, permission=IMPORT),
        # It has said nothing for so long that it must have been killed; a slow one finishes all the same.
        Move(name="stop", sources=(RunState.RUNNING,), target=RunState.STOPPED, permission=IMPORT),
    ),
)
