"""The lives of an import, and of a file that was handed in for one, as tables."""

from __future__ import annotations

from app.composition.imports import RunState, UploadState
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

UPLOAD = Flow(
    "upload",
    UploadState,
    UploadState.RECEIVING,
    (
        Move(name="receive", sources=(UploadState.RECEIVING,), target=UploadState.WAITING, permission=IMPORT),
        # Also one whose worker was killed.
        Move(
            name="begin", sources=(UploadState.WAITING, UploadState.RUNNING), target=UploadState.RUNNING,
            permission=IMPORT,
        ),
        Move(name="finish", sources=(UploadState.RUNNING,), target=UploadState.DONE, permission=IMPORT),
        Move(name="fail", sources=(UploadState.RUNNING,), target=UploadState.FAILED, permission=IMPORT),
        # What was tried may be imported, and what was refused may be tried again once the reason is gone.
        Move(
            name="import", sources=(UploadState.DONE, UploadState.FAILED), target=UploadState.WAITING, permission=IMPORT,
        ),
    ),
)  # fmt: skip
