"""How do the rows of a template read? Policy points and roles by the names that people know, and a section in one line."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from app.security.roles import title_of
from erpcore.ports import POLICY_POINTS
from governance.templates.content import Column, Row, Section

#: So many of a section's rows are named in its line.
_MOST_NAMED = 5


def said(section: Section, column: Column, row: Row) -> str:
    """A cell as people read it; a policy point that the core no longer has stands as it was written."""
    text = row.get(column.name, "")
    if section.name == "roles" and column.name == "role":
        return title_of(text)
    point = POLICY_POINTS.get(row["point"]) if section.name == "policies" else None
    if point is None:
        return text
    return point.title if column.name == "point" else point.shown(_value(text))


def sentence_of(section: Section, row: Row) -> str:
    """What a policy point decides; empty for rows of anything else."""
    point = POLICY_POINTS.get(row["point"]) if section.name == "policies" else None
    return point.sentence if point is not None else ""


def in_a_line(section: Section, rows: Sequence[Row]) -> str:
    """The first of a section's rows by their first cell, each once, and how many more there are."""
    named = list(dict.fromkeys(said(section, section.columns[0], row) for row in rows))
    rest = len(named) - _MOST_NAMED
    return ", ".join(named[:_MOST_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")


def _value(text: str) -> object:
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value
