"""Is a variant valid at this instant? One function decides, for documents, lists, coverage and figures alike."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, or_

from erpcore.ports import POLICY_POINTS
from governance.variants.flow import AGREED, VariantState
from governance.variants.models import Variant

#: So long a variant outlives the day on which its owner left; then nobody answers for it, and it is not valid.
GRACE = timedelta(days=30)


class Facts(NamedTuple):
    """What validity depends on. ``ends`` ``None``: a new standard has no end. ``fits``: the core has its points and values."""

    state: str
    starts: datetime
    ends: datetime | None
    owner_left_at: datetime | None = None
    fits: bool = True


class Standing(StrEnum):
    """What a variant is at an instant: its state, or what the time, its owner or the core made of it."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    OVER = "over"
    LATER = "later"
    EFFECTIVE = "effective"
    EXPIRED = "expired"
    OWNERLESS = "ownerless"
    UNFIT = "unfit"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    RETIRED = "retired"
    REVOKED = "revoked"


def standing(facts: Facts, now: datetime) -> Standing:
    """What it is at ``now``: half-open ``[from, until)``; the core's verdict on its values comes before the owner's absence."""
    is_past = facts.ends is not None and facts.ends <= now
    if facts.state not in AGREED:
        waits = facts.state in (VariantState.SUBMITTED, VariantState.DRAFT)
        return Standing.OVER if waits and is_past else Standing(facts.state)
    if is_past:
        return Standing.EXPIRED
    if not facts.fits:
        return Standing.UNFIT
    if facts.owner_left_at is not None and facts.owner_left_at + GRACE <= now:
        return Standing.OWNERLESS
    return Standing.LATER if now < facts.starts else Standing.EFFECTIVE


def is_valid(facts: Facts, now: datetime) -> bool:
    """Whether it is in force at ``now``."""
    return standing(facts, now) is Standing.EFFECTIVE


def fits(values: Iterable[tuple[str, Any]]) -> bool:
    """Whether the core still has every point and admits every value: what it has no more is never guessed."""
    return all(point in POLICY_POINTS and POLICY_POINTS[point].admits(value) for point, value in values)


def facts_of(row: Any, is_fit: bool) -> Facts:
    """The facts of a variant, or of a row with its columns."""
    return Facts(row.state, row.valid_from, row.valid_until, row.owner_left_at, is_fit)


def effective_at(now: datetime, unfit: Iterable[int]) -> ColumnElement[bool]:
    """The same as a condition of a query; ``unfit`` are the variants whose values the core does not have. A test holds both together."""
    return and_(
        Variant.state.in_(AGREED), Variant.valid_from <= now,
        or_(Variant.valid_until.is_(None), Variant.valid_until > now),
        or_(Variant.owner_left_at.is_(None), Variant.owner_left_at > now - GRACE),
        Variant.id.not_in(sorted(unfit)),
    )  # fmt: skip
