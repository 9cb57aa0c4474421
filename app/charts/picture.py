"""What is a chart made of? SVG elements as text, and the record that carries picture, words and numbers together."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from html import escape
from typing import Literal

Number = Decimal | int
Direction = Literal["up", "down"]
"""Which way is better: up (a rate of right invoices) or down (a failure rate, hours)."""

TENTH = Decimal("0.1")


@dataclass(frozen=True)
class ChartTable:
    """The chart's numbers as text, ready to print. The first `words` columns hold words, the others numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1


@dataclass(frozen=True)
class Chart:
    """A picture with its title, its text alternative and its numbers. Printing it in a template writes the SVG."""

    svg: str
    title: str
    description: str
    table: ChartTable

    def __html__(self) -> str:
        return self.svg

    def with_style(self, css: str) -> str:
        """The SVG with rules inside, for a PDF: a renderer does not apply the page's style sheet to inline SVG."""
        start, rest = self.svg.split(">", 1)
        return f"{start}><style>{css}</style>{rest}"


def fixed(value: Number) -> str:
    """A coordinate with at most one decimal. One rule for all charts keeps the bytes the same everywhere."""
    rounded = Decimal(value).quantize(TENTH, rounding=ROUND_HALF_EVEN)
    text = format(rounded, "f")
    text = text.removesuffix(".0")
    return "0" if text == "-0" else text


def el(name: str, *children: str, **attributes: str | Number | None) -> str:
    """One element. Attribute names take `_` for `-` and `class_` for `class`; None leaves an attribute out.

    Children are SVG already; text goes through `words`.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is None:
            continue
        text = escape(value) if isinstance(value, str) else fixed(value)
        parts.append(f'{key.rstrip("_").replace("_", "-")}="{text}"')
    head = " ".join(parts)
    return f"<{head}>{''.join(children)}</{name}>" if children else f"<{head}/>"


def words(
    text: str, x: Number, y: Number, class_: str = "c-text", anchor: Literal["start", "middle", "end"] = "start"
) -> str:
    """A line of text at its baseline; `anchor` says which end of it stands at x."""
    return el("text", escape(text), class_=class_, x=x, y=y, text_anchor=None if anchor == "start" else anchor)


def line(x1: Number, y1: Number, x2: Number, y2: Number, class_: str) -> str:
    """A straight stroke between two points."""
    return el("path", class_=class_, d=f"M{fixed(x1)} {fixed(y1)}L{fixed(x2)} {fixed(y2)}")


def polyline(points: Sequence[tuple[Number, Number]], class_: str, *, closed: bool = False) -> str:
    """A stroke through all points; closed, it bounds an area."""
    path = "M" + "L".join(f"{fixed(x)} {fixed(y)}" for x, y in points)
    return el("path", class_=class_, d=path + ("Z" if closed else ""))


def drawing(
    width: Number,
    height: Number,
    children: Sequence[str],
    *,
    class_: str,
    title: str,
    description: str,
    key: str | None = None,
    role: Literal["img", "group"] = "img",
) -> str:
    """The outer element; one with links inside is a `group`, whose parts are read one by one. With a `key` (unique on its page) title and description become elements of their own, which
    a screen reader offers one after the other; without one, as in table rows, a single label carries both.
    """
    box = f"0 0 {fixed(width)} {fixed(height)}"
    if key is None:
        label = f"{title}: {description}" if description else title
        return el("svg", *children, class_=class_, viewBox=box, role="img", aria_label=label)
    named = (
        el("title", escape(title), id=f"{key}-title"),
        el("desc", escape(description), id=f"{key}-desc"),
    )
    return el(
        "svg",
        *named,
        *children,
        class_=class_,
        viewBox=box,
        width=width,
        height=height,
        role=role,
        aria_labelledby=f"{key}-title {key}-desc",
    )


NARROW = frozenset("ijltfrI.,:;'|!()[] ·’‘-")
WIDE = frozenset("mwMWQO@%&—≥≤")
NUMERALS = frozenset("0123456789")


def text_width(text: str, size: Number = 11) -> Decimal:
    """About how wide a line of text is at `size`, in user units: enough to keep labels apart, not to set type."""
    ems = Decimal()
    for letter in text:
        if letter in NARROW:
            ems += Decimal("0.32")
        elif letter in WIDE:
            ems += Decimal("0.86")
        else:
            ems += Decimal("0.65") if letter in NUMERALS else Decimal("0.59")
    return ems * size
