"""What an address lacks to be shipped to, and to stand on an invoice."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from erpcore.masterdata.addresses import missing_on_bills, missing_parts

WHOLE = {
    "name": "Bautechnik",
    "street": "Ruhrstraße 4",
    "postal_code": "47051",
    "city": "Duisburg",
    "country": "Germany",
}


def test_a_whole_address_lacks_nothing():
    address = SimpleNamespace(**WHOLE)
    assert (missing_parts(address), missing_on_bills(address)) == ([], [])


@pytest.mark.parametrize("said", ["", " ", None])
def test_goods_arrive_without_a_postal_code_and_an_invoice_asks_for_it(said):
    address = SimpleNamespace(**{**WHOLE, "postal_code": said})
    assert (missing_parts(address), missing_on_bills(address)) == ([], ["postal_code"])


def test_no_postal_code_is_asked_for_where_a_country_has_none():
    assert missing_on_bills(SimpleNamespace(**{**WHOLE, "postal_code": "", "country": "Hong Kong SAR China"})) == []
    assert missing_on_bills(SimpleNamespace(**{**WHOLE, "postal_code": "", "country": "Nowhere"})) == ["postal_code"]


def test_what_lacks_is_said_in_the_order_of_an_address():
    address = SimpleNamespace(name="", street=None, postal_code=" ", city="", country="")
    assert missing_on_bills(address) == ["name", "street", "postal_code", "city", "country"]
