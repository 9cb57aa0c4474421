"""How does a value stand in the cell of a CSV file, so that no spreadsheet runs it?"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

#: A cell that begins with one of these is read as a formula by spreadsheets.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> str:
    """``value`` as the text of a cell. Text that a spreadsheet would run gets an apostrophe before it; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) or text.startswith(_FORMULA) else text
