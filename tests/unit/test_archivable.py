"""What the typesetter leaves open is put right, whatever the content."""

from __future__ import annotations

import zlib

import pydyf
import pytest

from app.reports.archivable import make_archivable
from app.reports.typesetting import set_pages
from tests.support.archive import broken_rules


@pytest.mark.parametrize("end", [b"\r", b"\n"])
def test_a_stream_whose_packed_form_ends_a_line_stays_unpacked(end):
    some = (b"%d %d l" % (n, n * n) for n in range(100_000))
    content = next(one for one in some if zlib.compress(one).endswith(end))
    pdf = pydyf.PDF()
    risky, safe = pydyf.Stream([content], compress=True), pydyf.Stream([b"q 1 0 0 1 0 0 cm Q"], compress=True)
    pdf.add_object(risky)
    pdf.add_object(safe)
    make_archivable(pdf)
    assert risky.data.endswith(b"stream\n" + content + b"\nendstream")
    assert b"/FlateDecode" in safe.data


def test_small_letters_and_signs_keep_every_rule_of_an_archive():
    sizes = "".join(
        f'<p style="font-size:{size / 10}pt">Wave 2 · 93.1 % – ready ≥ 14, “Köln”</p>' for size in range(41, 130, 7)
    )
    assert broken_rules(set_pages(f"<!doctype html><html lang=en><title>Sizes</title><body>{sizes}", "slips")) == []
