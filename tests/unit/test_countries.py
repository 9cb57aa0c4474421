"""Countries by the names that people write, and the codes that documents tell."""

from __future__ import annotations

import pytest

from erpcore.masterdata.countries import country_code, country_name, country_names


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Germany", "DE"), ("Deutschland", "DE"), (" germany ", "DE"), ("de", "DE"), ("Österreich", "AT"), ("OSTERREICH", "AT"),
        ("United Kingdom", "GB"), ("U.K.", "GB"), ("Schweiz", "CH"), ("Ireland", "IE"), ("Liechtenstein", "LI"), ("Nederland", "NL"),
        ("Türkiye", "TR"), ("Turkey", "TR"), ("Czech Republic", "CZ"),
    ],
)  # fmt: skip
def test_a_country_is_found_by_name_in_several_languages_and_by_its_code(said, code):
    assert country_code(said) == code


@pytest.mark.parametrize("said", ["", "EU", "XX", "Nowhere", "European Union", "Kosova-land", "*"])
def test_what_is_no_country_has_no_code(said):
    assert country_code(said) is None


def test_the_list_has_every_country_of_the_standard_by_name():
    names = country_names()
    assert len(names) == 249, "as many as ISO 3166-1 has"
    assert list(names)[:2] == ["AF", "AX"], "Åland Islands is sorted as Aland"
    assert country_name("GB") == "United Kingdom"
    assert all(country_code(name) == code for code, name in names.items())
