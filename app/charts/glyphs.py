"""How does a verdict look before it has a colour? One shape per verdict, on a grid of 16, for screen, chart and paper.

"No evidence" has a stroke beyond its ring; "waived" keeps its stroke inside and leans the other way.
"""

from typing import Literal

from app.charts.picture import Number, el

Kind = Literal["pass", "warn", "fail", "none", "waived", "wait"]
"""The looks a verdict can have. `none` is no evidence; `wait` is a place not yet judged, or a seat that has not voted."""

KINDS: tuple[Kind, ...] = ("pass", "warn", "fail", "none", "waived", "wait")

GLYPHS: dict[Kind, str] = {
    "pass": "M2.5 8.6l3.6 3.7 7.4-8.4",
    "warn": "M8 1.8L15 14.2H1zM8 6.2v3.6M8 12v.1",
    "fail": "M3.2 3.2l9.6 9.6M12.8 3.2l-9.6 9.6",
    "none": "M13.4 8A5.4 5.4 0 1 1 2.6 8a5.4 5.4 0 0 1 10.8 0zM2.2 13.8L13.8 2.2",
    "waived": "M14.2 8A6.2 6.2 0 1 1 1.8 8a6.2 6.2 0 0 1 12.4 0zM3.7 3.7l8.6 8.6",
    "wait": "M13.8 8A5.8 5.8 0 1 1 2.2 8a5.8 5.8 0 0 1 11.6 0z",
}


def glyph(kind: Kind, x: Number, y: Number, size: Number = 10) -> str:
    """The verdict's shape with its upper left corner at (x, y), to stand inside a group of the verdict's class."""
    return el(
        "svg", el("path", class_="c-glyph", d=GLYPHS[kind]), x=x, y=y, width=size, height=size, viewBox="0 0 16 16"
    )
