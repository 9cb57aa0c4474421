"""How does a verdict, a state or a move look in a line of text? Shapes drawn in place, so no page asks for a picture."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from app.charts.glyphs import GLYPHS, Kind

SIGNS: Mapping[str, str] = {
    "wavegate": "M1.6 5.2c2.1 0 2.1 2.3 4.2 2.3s2.1-2.3 4.2-2.3 2.1 2.3 4.2 2.3M1.6 10c2.1 0 2.1 2.3 4.2 2.3"
    "s2.1-2.3 4.2-2.3 2.1 2.3 4.2 2.3M8 1.4v13.2",
    "menu": "M2 4h12M2 8h12M2 12h12",
    "search": "M11.3 6.8a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0zM10.2 10.2l3.6 3.6",
    "theme": "M8 1.8a6.2 6.2 0 1 0 0 12.4zM8 1.8a6.2 6.2 0 0 1 0 12.4",
    "down": "M3 5.5l5 5 5-5",
    "up": "M3 10.5l5-5 5 5",
    "left": "M10.5 3l-5 5 5 5",
    "right": "M5.5 3l5 5-5 5",
    "close": "M3.5 3.5l9 9M12.5 3.5l-9 9",
    "plus": "M8 2.5v11M2.5 8h11",
    "download": "M8 2v8M4.5 7l3.5 3.5L11.5 7M2.5 13.5h11",
    "upload": "M8 10.5v-8M4.5 6L8 2.5 11.5 6M2.5 13.5h11",
    "file": "M3.5 1.8h6l3 3v9.4h-9zM9.5 1.8v3h3",
    "lock": "M3.5 7.5h9v6.5h-9zM5.2 7.5V5a2.8 2.8 0 0 1 5.6 0v2.5",
    "clock": "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0zM8 4.5V8l2.5 1.5",
    "calendar": "M2.5 3.5h11v10.5h-11zM2.5 6.5h11M5.5 1.8v3M10.5 1.8v3",
    "person": "M10.8 5a2.8 2.8 0 1 1-5.6 0 2.8 2.8 0 0 1 5.6 0zM2.5 14c.6-3 2.8-4.5 5.5-4.5s4.9 1.5 5.5 4.5",
    "box": "M2 4.8L8 1.8l6 3v6.4l-6 3-6-3zM2 4.8l6 3 6-3M8 7.8v6.4",
    "list": "M2 4h1M5.5 4H14M2 8h1M5.5 8H14M2 12h1M5.5 12H14",
    "chart": "M2 2v12h12M5 10l3-3.5 2.5 2L14 4",
    "filter": "M2 3h12l-4.7 5.7V13L6.7 14V8.7z",
    "external": "M6.5 3H3v10h10V9.5M9 2.5h4.5V7M13.5 2.5L7.5 8.5",
    "again": "M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 1.5V4.5H10.5",
}


@dataclass(frozen=True)
class VerdictLook:
    """Shape and colour class of a verdict, and its word as it stands alone."""

    kind: Kind
    word: str


LOOKS: Mapping[str, VerdictLook] = {
    "pass": VerdictLook("pass", "Pass"),
    "warn": VerdictLook("warn", "Warn"),
    "fail": VerdictLook("fail", "Fail"),
    "no evidence": VerdictLook("none", "No evidence"),
    "waived": VerdictLook("waived", "Waived"),
    "ready": VerdictLook("pass", "Ready"),
    "conditional": VerdictLook("warn", "Conditional"),
    "not ready": VerdictLook("fail", "Not ready"),
    "not ready: no evidence": VerdictLook("none", "Not ready: no evidence"),
    "not evaluated": VerdictLook("wait", "Not evaluated"),
}


def verdict_look(verdict: str) -> VerdictLook:
    """The look of a criterion's or a gate's verdict, written with blanks or underscores.

    Raises KeyError for any other word: a verdict that nobody knows must not borrow a look.
    """
    return LOOKS[str(verdict).replace("_", " ").strip().lower()]


def icon(name: str, label: str | None = None) -> Markup:
    """A sign or a verdict's shape by its kind. Without a `label` it is decoration and hidden from screen readers."""
    path = GLYPHS[name] if name in GLYPHS else SIGNS[name]
    spoken = (
        Markup(' aria-hidden="true"') if label is None else Markup(' role="img" aria-label="{}"').format(escape(label))
    )
    return Markup('<svg class="i" viewBox="0 0 16 16"{}><path d="{}"/></svg>').format(spoken, path)
