"""Which letters do we write with? Inter, out of its package: one small variable file for the screen, static ones for paper.

The package ships the whole variable typeface (0.9 MB). A page needs Latin letters, four weights and tabular numerals,
which is 35 kB. The cut is made once and kept; the same package and recipe give the same bytes.
"""

import os
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

RECIPE = 1
"""Part of the file name, raised with every change of what is cut, so that no cache serves letters of yesterday."""

SCREEN_FILE = f"inter-{RECIPE}.woff2"
FAMILY = "Inter"
WEIGHTS = (400, 600)
FEATURES = ("calt", "case", "ccmp", "cv05", "kern", "locl", "mark", "mkmk", "ss03", "tnum", "zero")
LETTERS = frozenset(range(0x20, 0x7F)) | frozenset(range(0xA0, 0x180))
NUMERALS = frozenset(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
SIGNS = frozenset(ord(sign) for sign in "ȘșȚțẞ‐‑‒–—‘’‚“”„†•…‰′″‹›⁄€№™←↑→↓↖↗↵∅∆∑−∞≈≠≤≥▲▼○●✓✗" + "\u2009\u202f")


@dataclass(frozen=True)
class Face:
    """A static font file of one weight, for a renderer that wants files."""

    weight: int
    path: Path


def package_file() -> Path:
    """The whole typeface as its package ships it."""
    return Path(str(files("fontpkg_inter") / "files" / "Inter[opsz,wght].ttf"))


def screen_face(folder: Path) -> Path:
    """The woff2 file for pages, cut into `folder` when it is not there yet (four seconds, once)."""
    target = folder / SCREEN_FILE
    if not target.exists():
        _write(target, weight=None)
    return target


def paper_faces(folder: Path) -> tuple[Face, ...]:
    """Static TrueType files for PDFs, cut into `folder` when they are not there yet."""
    faces = tuple(Face(weight, folder / f"inter-{RECIPE}-{weight}.ttf") for weight in WEIGHTS)
    for face in faces:
        if not face.path.exists():
            _write(face.path, weight=face.weight)
    return faces


def _write(target: Path, *, weight: int | None) -> None:
    """Cut letters and axes, then put the finished file in place in one move: two processes may do this at once."""
    from fontTools import subset  # noqa: PLC0415  a second to import, needed once
    from fontTools.ttLib import TTFont  # noqa: PLC0415  a second to import, needed once
    from fontTools.varLib import instancer  # noqa: PLC0415  a second to import, needed once

    options = subset.Options(layout_features=list(FEATURES), hinting=False, notdef_outline=True)
    options.recalc_timestamp = False
    font = TTFont(package_file(), recalcTimestamp=False)
    _keep_tabular_numerals_only(font)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=LETTERS | SIGNS)
    cutter.subset(font)
    limits = {"opsz": 14, "wght": (400, 700) if weight is None else weight}
    font = instancer.instantiateVariableFont(font, limits, updateFontNames=weight is not None)
    font.flavor = "woff2" if weight is None else None
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=target.parent, suffix=".part")
    with os.fdopen(handle, "wb") as out:
        font.save(out, reorderTables=True)
    Path(draft).chmod(0o644)
    Path(draft).replace(target)


def _keep_tabular_numerals_only(font: "TTFont") -> None:
    """Inter's tabular figures widen hyphens, points and blanks too, which tears words like e-commerce apart."""
    substitutions = font["GSUB"].table
    for record in substitutions.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for index in record.Feature.LookupListIndex:
                for table in substitutions.LookupList.Lookup[index].SubTable:
                    inner = getattr(table, "ExtSubTable", table)
                    inner.mapping = {k: v for k, v in inner.mapping.items() if k.split(".")[0] in NUMERALS}
