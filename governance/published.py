"""What governance tells: the typed content of its business events. Ids only; a new shape is a new version."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from erpcore.kernel.events import Event


class DecisionOpened(Event, frozen=True, kw_only=True):
    """``snapshots`` are the fingerprints of the evidence it stands on."""

    type: ClassVar[str] = "decision.opened"
    wave: int
    body: int
    kind: str
    closes_at: datetime
    snapshots: list[str]


class DecisionVoted(Event, frozen=True, kw_only=True):
    """A seat voted, for the first time or again. How it voted stands in the decision's log."""

    type: ClassVar[str] = "decision.voted"
    wave: int
    seat: int


class DecisionMade(Event, frozen=True, kw_only=True):
    """What a closed vote says: go, conditional_go, no_go or postpone."""

    type: ClassVar[str] = "decision.made"
    wave: int
    kind: str
    outcome: str
    snapshots: list[str]
    conditions: list[int]
    postponed_to: date | None = None


class DecisionBecameOutdated(Event, frozen=True, kw_only=True):
    """``reasons`` are codes with what they concern: gate_worse:17, waiver_lapsed:21, criteria_changed:17."""

    type: ClassVar[str] = "decision.became_outdated"
    wave: int
    reasons: list[str]


class DecisionLapsed(Event, frozen=True, kw_only=True):
    """A decision ended without effect: withdrawn, not quorate, not passed, or a condition missed before going live."""

    type: ClassVar[str] = "decision.lapsed"
    wave: int
    reason: str


class DecisionSuperseded(Event, frozen=True, kw_only=True):
    """A later decision ``by`` stands in its place."""

    type: ClassVar[str] = "decision.superseded"
    wave: int
    by: int


class DecisionRevoked(Event, frozen=True, kw_only=True):
    """A go was taken back."""

    type: ClassVar[str] = "decision.revoked"
    wave: int
    reason: str


class ConditionSettled(Event, frozen=True, kw_only=True):
    """A condition was met, missed, met late or withdrawn."""

    type: ClassVar[str] = "condition.settled"
    wave: int
    decision: int
    state: str


class ApprovalRequested(Event, frozen=True, kw_only=True):
    """Others are asked to agree to ``subject``, a document of the kind ``of``. ``due_at``: when the first time-out is over."""

    type: ClassVar[str] = "approval.requested"
    kind: str
    of: str
    subject: int
    due_at: datetime | None = None


class ApprovalDecided(Event, frozen=True, kw_only=True):
    """Approved or rejected; ``automatic``: the rules asked for nobody."""

    type: ClassVar[str] = "approval.decided"
    kind: str
    verdict: str
    automatic: bool
    subject: int


class ApprovalDelegated(Event, frozen=True, kw_only=True):
    """Somebody answers for somebody else for a while."""

    type: ClassVar[str] = "approval.delegated"
    giver: int
    delegate: int
    valid_from: datetime
    valid_until: datetime


class ApprovalEscalated(Event, frozen=True, kw_only=True):
    """A time-out is over, so those of another capacity may decide too."""

    type: ClassVar[str] = "approval.escalated"
    kind: str
    to: str


class ApprovalLapsed(Event, frozen=True, kw_only=True):
    """A request ended without an answer: withdrawn, or outdated by its subject."""

    type: ClassVar[str] = "approval.lapsed"
    kind: str
    reason: str


class _VariantEvent(Event, frozen=True, kw_only=True):
    """Which points and deviations it is about, and from when until before when it holds."""

    kind: str
    points: list[str]
    deviations: list[str]
    valid_from: datetime
    valid_until: datetime | None


class VariantSubmitted(_VariantEvent, frozen=True, kw_only=True):
    """A variant was asked for."""

    type: ClassVar[str] = "variant.submitted"


class VariantApproved(_VariantEvent, frozen=True, kw_only=True):
    """It was agreed to."""

    type: ClassVar[str] = "variant.approved"


class VariantRejected(_VariantEvent, frozen=True, kw_only=True):
    """It was not agreed to."""

    type: ClassVar[str] = "variant.rejected"


class VariantWithdrawn(_VariantEvent, frozen=True, kw_only=True):
    """Whoever asked took it back."""

    type: ClassVar[str] = "variant.withdrawn"


class VariantReviewed(_VariantEvent, frozen=True, kw_only=True):
    """It was looked at again; ``valid_until`` is its end after that."""

    type: ClassVar[str] = "variant.reviewed"


class VariantRetired(_VariantEvent, frozen=True, kw_only=True):
    """It ended because it was not needed any more, or another took its place."""

    type: ClassVar[str] = "variant.retired"


class VariantRevoked(_VariantEvent, frozen=True, kw_only=True):
    """It was ended at once by those who decide."""

    type: ClassVar[str] = "variant.revoked"


class _PhaseEvent(Event, frozen=True, kw_only=True):
    """Which phase of which programme's roadmap."""

    programme: int
    phase: str


class RoadmapPhaseBegun(_PhaseEvent, frozen=True, kw_only=True):
    """The phase is the current one."""

    type: ClassVar[str] = "roadmap_phase.begun"


class RoadmapPhaseRescheduled(_PhaseEvent, frozen=True, kw_only=True):
    """It has other days."""

    type: ClassVar[str] = "roadmap_phase.rescheduled"
    starts_on: date
    ends_on: date


class RoadmapPhaseClosed(_PhaseEvent, frozen=True, kw_only=True):
    """Its stage gate was passed by the answers to this request."""

    type: ClassVar[str] = "roadmap_phase.closed"
    request: int


class _TrancheEvent(_PhaseEvent, frozen=True, kw_only=True):
    """``amount`` in minor units of the event's currency."""

    amount: int


class TranchePlanned(_TrancheEvent, frozen=True, kw_only=True):
    """Money that the stage gate of the phase is to release."""

    type: ClassVar[str] = "tranche.planned"


class TrancheWithdrawn(_TrancheEvent, frozen=True, kw_only=True):
    """No stage gate releases it any more."""

    type: ClassVar[str] = "tranche.withdrawn"


class TrancheReleased(_TrancheEvent, frozen=True, kw_only=True):
    """The stage gate has released it."""

    type: ClassVar[str] = "tranche.released"
    request: int


class _RaidEvent(Event, frozen=True, kw_only=True):
    """A risk, assumption, issue or dependency. Title and words stand in the register."""

    kind: str
    wave: int | None
    due_on: date


class RaidRaised(_RaidEvent, frozen=True, kw_only=True):
    """An entry was raised; ``turned_from`` is the one that it came of."""

    type: ClassVar[str] = "raid.raised"
    turned_from: int | None


class RaidReviewed(_RaidEvent, frozen=True, kw_only=True):
    """It was judged anew."""

    type: ClassVar[str] = "raid.reviewed"
    probability: int | None
    impact: int


class RaidTriggered(_RaidEvent, frozen=True, kw_only=True):
    """It came true, or crossed its threshold."""

    type: ClassVar[str] = "raid.triggered"


class RaidStoodDown(_RaidEvent, frozen=True, kw_only=True):
    """It is back within its threshold."""

    type: ClassVar[str] = "raid.stood_down"


class RaidClosed(_RaidEvent, frozen=True, kw_only=True):
    """Nobody answers for it any more."""

    type: ClassVar[str] = "raid.closed"


class RaidReopened(_RaidEvent, frozen=True, kw_only=True):
    """It stands again."""

    type: ClassVar[str] = "raid.reopened"


class RaidTurned(_RaidEvent, frozen=True, kw_only=True):
    """It has become another entry, ``into``."""

    type: ClassVar[str] = "raid.turned"
    into: int


class RaidEscalated(_RaidEvent, frozen=True, kw_only=True):
    """Another body hears of it: it was late or over its threshold for too long. ``level`` counts the bodies."""

    type: ClassVar[str] = "raid.escalated"
    to: int
    level: int


class RaidCalmed(_RaidEvent, frozen=True, kw_only=True):
    """Nothing keeps it from being its owner's alone any more."""

    type: ClassVar[str] = "raid.calmed"
