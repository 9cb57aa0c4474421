"""The life of a variant, as a table. That it has begun or expired is derived, never stored."""

from __future__ import annotations

from enum import StrEnum

from erpcore.kernel.flow import Flow, Move
from governance.variants.kinds import Kind
from governance.variants.permissions import VariantPermission


class VariantState(StrEnum):
    """Being written, asked for, in force within its time, looked at again, refused, taken back, or ended before its time."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    UNDER_REVIEW = "under_review"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    RETIRED = "retired"
    REVOKED = "revoked"


_S = VariantState
_P = VariantPermission
#: In these states a variant is in force within its time.
AGREED = (_S.APPROVED, _S.UNDER_REVIEW)

VARIANT_FLOW = Flow(
    "variant",
    VariantState,
    _S.DRAFT,
    (
        Move(name="submit", sources=(_S.DRAFT,), target=_S.SUBMITTED, permission=_P.REQUEST),
        Move(name="approve", sources=(_S.SUBMITTED,), target=_S.APPROVED, permission=_P.DECIDE, reason_required=True),
        Move(name="reject", sources=(_S.SUBMITTED,), target=_S.REJECTED, permission=_P.DECIDE, reason_required=True),
        Move(name="withdraw", sources=(_S.DRAFT, _S.SUBMITTED), target=_S.WITHDRAWN, permission=_P.REQUEST,
             reason_required=True),
        Move(name="review", sources=(_S.APPROVED,), target=_S.UNDER_REVIEW, permission=_P.REQUEST, reason_required=True),
        Move(name="keep", sources=(_S.UNDER_REVIEW,), target=_S.APPROVED, permission=_P.DECIDE, reason_required=True),
        Move(name="retire", sources=AGREED, target=_S.RETIRED, permission=_P.REQUEST, reason_required=True),
        Move(name="revoke", sources=AGREED, target=_S.REVOKED, permission=_P.DECIDE, reason_required=True),
    ),
)  # fmt: skip

#: Who decides on what: the design authority, the steering committee, the process council.
DECIDERS = {
    Kind.CONTROLLED_VARIATION: _P.DECIDE,
    Kind.STRATEGIC_EXCEPTION: _P.DECIDE_EXCEPTION,
    Kind.STANDARD_CHANGE: _P.DECIDE_STANDARD,
}


def permission_for(move: str, kind: str) -> str:
    """What the move asks of a person, for a variant of this kind."""
    usual = VARIANT_FLOW.moves[move].permission
    return DECIDERS[Kind(kind)] if usual == _P.DECIDE else usual
