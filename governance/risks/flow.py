"""The life of an entry of the RAID register, and of what is done about it, as tables. How late it is, is derived."""

from __future__ import annotations

from enum import StrEnum

from erpcore.kernel.flow import Flow, Move
from governance.risks.permissions import RiskPermission


class EntryKind(StrEnum):
    """What an entry is: it may happen, is taken for granted, has happened, or is waited for."""

    RISK = "risk"
    ASSUMPTION = "assumption"
    ISSUE = "issue"
    DEPENDENCY = "dependency"


class EntryState(StrEnum):
    """Open; triggered, since its threshold was crossed; closed; or turned into another entry."""

    OPEN = "open"
    TRIGGERED = "triggered"
    CLOSED = "closed"
    TURNED = "turned"


class Layer(StrEnum):
    """Which of the four layers of control an entry is about."""

    PROCESS = "process"
    DATA = "data"
    DEPLOYMENT = "deployment"
    ADOPTION = "adoption"


class Response(StrEnum):
    """What is done about a risk."""

    AVOID = "avoid"
    REDUCE = "reduce"
    TRANSFER = "transfer"
    ACCEPT = "accept"


class Side(StrEnum):
    """On which side of its limit a figure triggers an entry."""

    BELOW = "below"
    ABOVE = "above"


class LinkKind(StrEnum):
    """What an entry touches, besides its wave, site and process."""

    STEP = "step"
    POINT = "policy_point"


class ActionState(StrEnum):
    """To be done, done, or no longer needed."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


_S = EntryState
_A = ActionState
_P = RiskPermission
#: Entries that somebody still answers for.
STANDING = (_S.OPEN, _S.TRIGGERED)

ENTRY_FLOW = Flow(
    "raid entry",
    EntryState,
    _S.OPEN,
    (
        Move(
            name="trigger",
            sources=(_S.OPEN,),
            target=_S.TRIGGERED,
            permission=_P.WORK,
            reason_required=True,
            event="raid.triggered",
        ),
        Move(
            name="stand_down",
            sources=(_S.TRIGGERED,),
            target=_S.OPEN,
            permission=_P.WORK,
            reason_required=True,
            event="raid.stood_down",
        ),
        Move(
            name="close",
            sources=STANDING,
            target=_S.CLOSED,
            permission=_P.WORK,
            reason_required=True,
            event="raid.closed",
        ),
        Move(
            name="reopen",
            sources=(_S.CLOSED,),
            target=_S.OPEN,
            permission=_P.WORK,
            reason_required=True,
            event="raid.reopened",
        ),
        Move(
            name="turn",
            sources=STANDING,
            target=_S.TURNED,
            permission=_P.WORK,
            reason_required=True,
            event="raid.turned",
        ),
    ),
)

ACTION_FLOW = Flow(
    "action",
    ActionState,
    _A.OPEN,
    (
        Move(name="finish", sources=(_A.OPEN,), target=_A.DONE, permission=_P.WORK),
        Move(name="drop", sources=(_A.OPEN,), target=_A.DROPPED, permission=_P.WORK, reason_required=True),
    ),
)

#: Into what an entry turns when it comes true, or proves wrong.
TURNS: dict[EntryKind, tuple[EntryKind, ...]] = {
    EntryKind.RISK: (EntryKind.ISSUE,),
    EntryKind.ASSUMPTION: (EntryKind.RISK, EntryKind.ISSUE),
    EntryKind.ISSUE: (),
    EntryKind.DEPENDENCY: (EntryKind.RISK, EntryKind.ISSUE),
}
