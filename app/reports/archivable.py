"""What does an archive ask of a PDF that the typesetter leaves open? Rules of ISO 19005-3 (PDF/A-3), kept before the file is written."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from typing import Any

from fontTools.ttLib import TTFont

_THOUSAND = 1000
#: What a reader takes for the end of the line before ``endstream``, and so for no part of the stream.
_LINE_ENDS = (b"\r", b"\n")


#: So many times the table of objects is packed anew, each time with an object more; one in 128 ends with what reads as a line end.
MOST_SPARE = 4


def is_countable(content: bytes) -> bool:
    """Whether a reader counts every stream of a written PDF as long as it is."""
    return not any(end + b"\nendstream" in content for end in _LINE_ENDS)


def make_archivable(pdf: Any, *, spare: int = 0) -> None:
    """Change the objects of a pydyf document that is about to be written.

    Descriptions stay readable by programs that know no PDF (6.6.2.1), the length of every stream is what a reader counts
    (6.1.7.1), and widths are those of the letters inside (6.2.11.5). ``spare``: so many empty objects more, which nothing refers to.
    """
    for _ in range(spare):
        pdf.add_object(type(pdf.catalog)())
    for found in pdf.objects:
        if isinstance(found, dict) and "W" in found and found.get("Type") == "/Font":
            _take_widths_of_letters(pdf, found)
    for found in pdf.objects:
        if getattr(found, "extra", None) is not None:
            _make_countable(found)


def _make_countable(stream: Any) -> None:
    """Packed streams end with a checksum, which may be a line end; such a stream stays unpacked."""
    is_description = stream.extra.get("Type") == "/Metadata"
    if is_description or stream.data.removesuffix(b"\nendstream").endswith(_LINE_ENDS):
        stream.compress = False


def _take_widths_of_letters(pdf: Any, font: Any) -> None:
    """Widths were measured at the size of a text, rounded there; a letter's own width says how far the next one stands."""
    program = _program(pdf, font)
    if program is None:
        return
    letters, scale = program.getGlyphOrder(), _THOUSAND / program["head"].unitsPerEm
    widths = font["W"]
    for first, row in list(pairwise(widths))[::2]:
        row[:] = [round(program["hmtx"][letters[first + i]][0] * scale, 3) for i in range(len(row))]


def _program(pdf: Any, font: Any) -> TTFont | None:
    descriptor = _referred(pdf, font["FontDescriptor"])
    if "FontFile2" not in descriptor:
        return None
    return TTFont(BytesIO(_referred(pdf, descriptor["FontFile2"]).stream[0]))


def _referred(pdf: Any, reference: bytes | str) -> Any:
    text = reference.decode() if isinstance(reference, bytes) else reference
    return pdf.objects[int(text.split()[0])]
