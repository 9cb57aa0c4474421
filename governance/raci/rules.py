"""What are duties about, which are there, and where are they missing?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class SubjectKind(StrEnum):
    """What somebody has a duty for."""

    PROCESS = "process"
    DOMAIN = "data_domain"
    WAVE = "wave"


class Duty(StrEnum):
    """Does the work; answers for it, and is one alone; is asked before; is told afterwards."""

    RESPONSIBLE = "responsible"
    ACCOUNTABLE = "accountable"
    CONSULTED = "consulted"
    INFORMED = "informed"


class HolderKind(StrEnum):
    """A person, or a seat of a body: whoever sits on it then."""

    PERSON = "person"
    SEAT = "seat"


class Gap(StrEnum):
    """What keeps duties from being clear."""

    NOBODY_ACCOUNTABLE = "nobody_accountable"
    NOBODY_RESPONSIBLE = "nobody_responsible"
    HAS_LEFT = "has_left"
    SEAT_VACANT = "seat_vacant"


#: The domains of data that somebody has to answer for, by code.
DOMAINS = {
    "customer": "Customers", "item": "Items", "price": "Prices", "supplier": "Suppliers",
    "inventory_attribute": "Inventory attributes", "location": "Locations", "tax": "Tax", "chart_of_accounts": "Chart of accounts",
    "carrier": "Carriers", "unit": "Units",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Held:
    """A duty with its holder as of now: ``person`` ``None``: the seat is vacant or abolished."""

    duty: Duty
    holder_kind: HolderKind
    person: int | None


def gaps(held: Collection[Held], here: Collection[int]) -> tuple[Gap, ...]:
    """Where these duties of one subject are not clear; ``here``: people whose account is open.

    A duty whose holder has left, or whose seat is vacant, counts as nobody's.
    """
    real = {one.duty for one in held if one.person is not None and one.person in here}
    found = []
    if Duty.ACCOUNTABLE not in real:
        found.append(Gap.NOBODY_ACCOUNTABLE)
    if Duty.RESPONSIBLE not in real:
        found.append(Gap.NOBODY_RESPONSIBLE)
    if any(one.person is not None and one.person not in here for one in held):
        found.append(Gap.HAS_LEFT)
    if any(one.person is None for one in held):
        found.append(Gap.SEAT_VACANT)
    return tuple(found)
