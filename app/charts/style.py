"""Which colours does a chart wear? One set of rules, written with the screen's variables or with literal colours."""

from collections.abc import Callable

from app.charts.glyphs import KINDS
from app.charts.picture import Chart

PALETTE: dict[str, str] = {
    "surface": "#ffffff",
    "sunken": "#efefeb",
    "line": "#e0e0da",
    "line-strong": "#858b92",
    "ink": "#171c21",
    "ink-2": "#434b53",
    "ink-3": "#5b646d",
    "accent": "#0b5468",
    "accent-soft": "#e3eef1",
    "pass": "#1a6b3c",
    "pass-soft": "#e2efe7",
    "warn": "#845100",
    "warn-soft": "#faf0dc",
    "fail": "#ad231b",
    "fail-soft": "#fbe9e7",
    "none": "#4a5561",
    "none-soft": "#eceef0",
    "waived": "#5a4a94",
    "waived-soft": "#eeebf7",
    "wait": "#5b646d",
    "font": "Inter, sans-serif",
}
"""The light theme's values, which are also the paper's. A test holds them equal to the style sheet's."""


def literal(name: str) -> str:
    """The colour itself, for paper."""
    return PALETTE[name]


def variable(name: str) -> str:
    """The style sheet's variable, for the screen."""
    return f"var(--{name})"


def for_paper(chart: Chart) -> str:
    """The chart's SVG with its literal colours inside, ready for a PDF."""
    return chart.with_style(chart_css())


def chart_css(value: Callable[[str], str] = literal) -> str:
    """The rules for every class a chart uses. Without an argument: literal colours, for paper."""
    v = value
    shared = [
        f"text{{font-family:{v('font')};font-size:11px;fill:{v('ink-3')}}}",
        f".c-strong{{fill:{v('ink')};font-weight:600}}",
        f".c-ink{{fill:{v('ink')}}}",
        f".c-soft{{fill:{v('ink-2')}}}",
        f".c-over{{fill:{v('fail')};font-weight:600}}",
        f".c-ax{{fill:none;stroke:{v('line-strong')};stroke-width:1}}",
        f".c-grid{{fill:none;stroke:{v('line')};stroke-width:1}}",
        f".c-zone{{fill:{v('pass-soft')}}}",
        f".c-mark{{fill:none;stroke:{v('ink')};stroke-width:1.5}}",
        f".c-warnmark{{fill:none;stroke:{v('ink-3')};stroke-width:1;stroke-dasharray:2 2}}",
        f".c-target{{fill:none;stroke:{v('pass')};stroke-width:1;stroke-dasharray:3 2}}",
        f".c-line{{fill:none;stroke:{v('accent')};stroke-width:1.8;stroke-linejoin:round}}",
        f".c-spark{{fill:none;stroke:{v('ink-2')};stroke-width:1.4;stroke-linejoin:round}}",
        f".c-base{{fill:none;stroke:{v('ink-3')};stroke-width:1;stroke-dasharray:1 3}}",
        f".c-ribbon{{fill:{v('accent')};opacity:.14}}",
        f".c-point{{fill:{v('accent')}}}",
        f".c-last{{fill:{v('ink')}}}",
        f".c-event{{fill:none;stroke:{v('ink-2')};stroke-width:1;stroke-dasharray:2 3}}",
        f".c-now{{fill:none;stroke:{v('fail')};stroke-width:1.5}}",
        f".c-rail{{fill:{v('sunken')}}}",
        f".c-black{{fill:{v('sunken')}}}",
        f".c-prep{{fill:{v('surface')};stroke:{v('line-strong')}}}",
        f".c-hyper{{fill:{v('accent-soft')};stroke:{v('accent')}}}",
        f".c-cut{{fill:{v('ink')}}}",
        f".c-planned{{fill:none;stroke:{v('ink')};stroke-width:1.2;stroke-dasharray:2 2}}",
        f".c-gate{{fill:{v('surface')};stroke:{v('wait')};stroke-width:1.6}}",
        f".c-depends{{fill:none;stroke:{v('ink-2')};stroke-width:1.1}}",
        f".c-head{{fill:{v('ink-2')}}}",
        f".c-s1{{fill:{v('ink-3')}}}",
        f".c-s2{{fill:{v('line-strong')};opacity:.55}}",
        f".c-s3{{fill:{v('accent')}}}",
        f".c-s4{{fill:{v('fail')}}}",
        f".c-lane{{fill:{v('surface')}}}",
        f".c-thread{{fill:none;stroke:{v('accent')};stroke-width:1.2;opacity:.5}}",
        f".c-onhead{{fill:{v('surface')};font-size:10px;font-weight:600}}",
        f".c-a1{{fill:{v('accent')};opacity:.25}}",
        f".c-a2{{fill:{v('accent')};opacity:.5}}",
        f".c-a3{{fill:{v('accent')};opacity:.8}}",
        f".c-a4{{fill:{v('warn')}}}",
        f".c-a5{{fill:{v('fail')}}}",
    ]
    for kind in KINDS:
        shared += [
            f".{kind} .c-bar{{fill:{v(kind)};opacity:.36}}",
            f".{kind} .c-dot{{fill:{v(kind)};stroke:{v('surface')};stroke-width:1.5}}",
            f".{kind} .c-glyph{{fill:none;stroke:{v(kind)};stroke-width:2;stroke-linecap:round;stroke-linejoin:round}}",
            f".{kind} .c-gate{{stroke:{v(kind)}}}",
        ]
    return "\n".join(shared)
