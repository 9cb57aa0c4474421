"""Code 128: the symbols of known texts, and what cannot be a barcode."""

from __future__ import annotations

import pytest

from app.reports.barcode import _STOP, _WIDTHS, code_128, modules, symbols
from erpcore.kernel.errors import RuleBroken


def test_every_symbol_is_eleven_modules_wide_and_none_is_there_twice():
    assert len(_WIDTHS) == 106
    assert {sum(map(int, widths)) for widths in _WIDTHS} == {11}
    assert len(set(_WIDTHS)) == 106
    assert sum(map(int, _STOP)) == 13
    # Bars of a symbol of Code 128 add up to an even number of modules.
    assert {sum(map(int, widths[::2])) % 2 for widths in _WIDTHS} == {0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "PJJ123C",
            [104, 48, 42, 42, 17, 18, 19, 35, 55],
        ),  # the usual worked example, which begins with set A and so ends with 54
        ("1234", [105, 12, 34, 82]),
        ("CT-1065", [104, 35, 52, 13, 99, 10, 65, 88]),
        ("A12345", [104, 33, 17, 99, 23, 45, 64]),
    ],
)
def test_a_text_becomes_its_symbols(text, expected):
    assert symbols(text) == expected


@pytest.mark.parametrize("text", ["", "Straße", "a\n", "x" * 61])
def test_what_no_scanner_reads_is_refused(text):
    with pytest.raises(RuleBroken) as refusal:
        symbols(text)
    assert refusal.value.code == "barcode_unusable"


def test_the_drawing_has_a_bar_for_each_bar_a_quiet_margin_and_its_text():
    drawn = str(code_128("SH-1", height_mm=10, module_um=250))
    width = sum(int(sign) for sign in modules("SH-1")) + 20
    assert f'viewBox="0 0 {width} 40"' in drawn
    assert drawn.count("M") == (len(modules("SH-1")) + 1) // 2
    assert "<title>Barcode SH-1</title>" in drawn
    assert 'd="M10 0h2' in drawn
