"""Words of the register: what kinds of variants there are, and for which reasons one may be."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """A way of one's own in how the work is done, one that the business wants whatever the standard, or a new standard."""

    CONTROLLED_VARIATION = "controlled_variation"
    STRATEGIC_EXCEPTION = "strategic_exception"
    STANDARD_CHANGE = "standard_change"


class Rationale(StrEnum):
    """Why it may be: what a law asks, what customers pay for, what sets us apart, what a place cannot do yet, or a change-over."""

    REGULATORY = "regulatory"
    CUSTOMER_VALUE = "customer_value"
    DIFFERENTIATION = "differentiation"
    SITE_LIMIT = "site_limit"
    TRANSITION = "transition"
