"""How does a code become bars that any scanner reads? Code 128 (ISO/IEC 15417), drawn as SVG.

Our own, because it is one table and a checksum, and the papers then need no further library (docs/decisions/0002).
"""

from __future__ import annotations

from markupsafe import Markup, escape

from erpcore.kernel.errors import RuleBroken

#: Widths of bar, space, bar, space, bar, space for each of the 106 symbols; the stop has one bar more.
_WIDTHS = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122 123221 "
    "223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 "
    "112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 "
    "311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 "
    "122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 "
    "214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 211214 211232"
).split()
_STOP = "2331112"
_START_B, _START_C, _TO_B, _TO_C = 104, 105, 100, 99
#: A clear margin on both sides, in modules, without which scanners do not find the beginning.
QUIET = 10
MOST_SIGNS = 60


def symbols(text: str) -> list[int]:
    """The symbol values of ``text`` with start and checksum: pairs of digits in set C where that is shorter, else set B.

    Raises ``RuleBroken("barcode_unusable")`` for text that is empty, too long, or holds other than printable ASCII.
    """
    if not 0 < len(text) <= MOST_SIGNS or any(not " " <= sign <= "~" for sign in text):
        raise RuleBroken("barcode_unusable", text=text[:MOST_SIGNS])
    out: list[int] = []
    at, in_c = 0, False
    while at < len(text):
        run = _digits(text, at)
        # Four digits pay for the change of set; at either end two pairs are enough as well.
        if not in_c and (run >= 4 or (run == len(text) and run >= 2)):
            if run % 2:
                if not out:
                    out.append(_START_B)
                out.append(ord(text[at]) - 32)
                at += 1
            out.append(_TO_C if out else _START_C)
            in_c = True
        elif in_c and run < 2:
            out.append(_TO_B)
            in_c = False
        elif in_c:
            out.append(int(text[at : at + 2]))
            at += 2
        else:
            if not out:
                out.append(_START_B)
            out.append(ord(text[at]) - 32)
            at += 1
    check = (out[0] + sum(place * value for place, value in enumerate(out[1:], start=1))) % 103
    return [*out, check]


def _digits(text: str, at: int) -> int:
    end = at
    while end < len(text) and text[end].isascii() and text[end].isdigit():
        end += 1
    return end - at


def modules(text: str) -> str:
    """The widths of bars and spaces in turn, beginning with a bar, stop included."""
    return "".join(_WIDTHS[value] for value in symbols(text)) + _STOP


def code_128(text: str, *, height_mm: int = 12, module_um: int = 330, label: bool = True) -> Markup:
    """The barcode as SVG in true size: a module is ``module_um`` thousandths of a millimetre wide. Its text is its title."""
    x, bars = QUIET, []
    for place, width in enumerate(int(sign) for sign in modules(text)):
        if place % 2 == 0:
            bars.append(f"M{x} 0h{width}v{height_mm * 4}h-{width}z")
        x += width
    width_um = (x + QUIET) * module_um
    shown = Markup('<span class="bar-text">{}</span>').format(text) if label else Markup("")
    size = f"{width_um // 1000}.{width_um % 1000:03d}mm"
    return Markup(
        '<span class="barcode"><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" width="{}" height="{}mm" '
        'preserveAspectRatio="none" role="img"><title>{}</title><path fill="#000" d="{}"/></svg>{}</span>'
    ).format(x + QUIET, height_mm * 4, size, height_mm, escape(f"Barcode {text}"), Markup("".join(bars)), shown)  # noqa: S704  numbers
