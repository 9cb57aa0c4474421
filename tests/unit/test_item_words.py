"""By which words an item is found: of its code, its name, and the ends of composed words."""

from __future__ import annotations

from erpcore.masterdata.search import fold, words_of


def test_a_word_its_parts_and_its_ends_are_kept_and_nothing_shorter():
    assert words_of("40-0", "Rohr DN15") == ["0", "15", "40", "40-0", "dn", "dn15", "ohr", "rohr"]


def test_case_accents_and_sharp_s_do_not_matter():
    assert fold("Größe Ø É") == "grosse ø e"


def test_a_word_longer_than_any_is_cut():
    assert max(map(len, words_of("A" * 100, ""))) == 40
