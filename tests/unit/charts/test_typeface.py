"""The letters we serve: small, complete for our languages, with numerals of one width, and free to pass on."""

from importlib.metadata import metadata

import pytest
from fontTools.ttLib import TTFont

from app.charts import typeface
from app.charts.typeface import SCREEN_FILE, package_file, screen_face
from app.web.assets import TYPEFACE


@pytest.fixture(scope="module")
def screen():
    return TTFont(screen_face(TYPEFACE))


def test_the_package_ships_the_typeface_under_the_open_font_licence():
    assert package_file().is_file()
    assert metadata("fontpkg-inter")["License-Expression"] == "OFL-1.1"


def test_the_screen_file_is_small_and_carries_the_weights_in_use(screen):
    assert (TYPEFACE / SCREEN_FILE).stat().st_size < 45_000
    (axis,) = screen["fvar"].axes
    assert (axis.axisTag, axis.minValue, axis.maxValue) == ("wght", 400, 700)


def test_it_has_every_sign_our_pages_print(screen):
    letters = screen.getBestCmap()
    for sign in "AZaz09äöüÄÖÜßéèçñøåőşžłŞ€£%‰≥≤±−–—·…’“”„→×↵✓✗∅Ø":
        assert ord(sign) in letters, sign


def substituted(font, feature):
    table = font["GSUB"].table
    pairs = {}
    for record in table.FeatureList.FeatureRecord:
        if record.FeatureTag == feature:
            for index in record.Feature.LookupListIndex:
                for sub in table.LookupList.Lookup[index].SubTable:
                    pairs |= getattr(sub, "ExtSubTable", sub).mapping
    return pairs


def test_tabular_numerals_have_one_width_and_leave_hyphens_alone(screen):
    letters, pairs = screen.getBestCmap(), substituted(screen, "tnum")
    widths = {screen["hmtx"][pairs.get(letters[ord(n)], letters[ord(n)])][0] for n in "0123456789"}
    assert len(widths) == 1
    assert letters[ord("-")] not in pairs


def test_paper_gets_static_files_and_the_same_bytes_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(typeface, "WEIGHTS", (600,))
    (one,), (other,) = typeface.paper_faces(tmp_path / "a"), typeface.paper_faces(tmp_path / "b")
    assert one.weight == 600
    assert one.path.read_bytes() == other.path.read_bytes()
    assert "fvar" not in TTFont(one.path)


def test_what_is_cut_already_is_not_cut_again(tmp_path, monkeypatch):
    (tmp_path / SCREEN_FILE).write_bytes(b"here")
    monkeypatch.setattr(typeface, "_write", None)
    assert screen_face(tmp_path).read_bytes() == b"here"
