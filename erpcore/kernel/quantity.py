"""Quantities: decimals with the places of their unit, never floats."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.model import QUANTITY_PLACES

#: How people write numbers: no powers of ten, no digits of other scripts, which a decimal would take too.
_PLAIN = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")
#: Above this a typed quantity is taken for a slip of the finger.
ABSURD = Decimal(10) ** 9
#: In units of the currency: a line that is worth more is a slip of the finger.
MOST_WORTH = Decimal(10) ** 12


def parse_quantity(text: str | int | Decimal, *, places: int = QUANTITY_PLACES, field: str = "quantity") -> Decimal:
    """The quantity that ``text`` states.

    Raises ``RuleBroken`` naming what is wrong: not a number, too precise for the unit, absurdly large.
    """
    try:
        value = Decimal(text if not isinstance(text, str) or _PLAIN.fullmatch(text) else "none")
    except (InvalidOperation, ValueError, TypeError):
        raise RuleBroken("not_a_number", field=field, value=str(text)) from None
    if not value.is_finite() or abs(value) >= ABSURD:
        raise RuleBroken("quantity_absurd", field=field, value=str(text))
    if value != value.quantize(Decimal(1).scaleb(-places)):
        raise RuleBroken("quantity_too_precise", field=field, value=str(text), places=places)
    return value


def as_units(thousandths: int) -> str:
    """Thousandths as the quantity that people read."""
    whole, part = divmod(thousandths, 1000)
    return f"{whole}.{part:03d}".rstrip("0").rstrip(".") if part else str(whole)
