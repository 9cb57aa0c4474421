"""A figure is compared exactly and shown in its unit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from erpcore.kernel.canonical import fingerprint
from readiness.measures.reading import Form, Unit, from_shown, ratio, rounded, shown
from tests.unit.readiness.builders import a_reading


def test_a_value_is_compared_without_rounding():
    assert a_reading(2, 3).value == Decimal("0.666667")
    assert a_reading(2, 3).exact() == Fraction(2, 3)


def test_a_value_without_a_ratio_is_compared_as_it_is():
    assert a_reading(value=Decimal(86400), numerator=None, denominator=None).exact() == 86400


def test_a_scaled_ratio_is_compared_in_the_unit_of_its_value():
    assert a_reading(3, 200, scale=Fraction(100)).exact() == Fraction(3, 2)


def test_a_ratio_over_nothing_has_no_value_to_compare():
    empty = a_reading(0, 0)
    assert empty.value is None
    assert empty.nothing_measured
    with pytest.raises(ValueError, match="no value to compare"):
        empty.exact()


def test_a_value_over_nothing_is_not_believed_even_where_one_is_given():
    assert a_reading(0, 0, value=Decimal(1)).nothing_measured
    assert not a_reading(0, 1).nothing_measured


def test_figures_are_shown_in_their_unit_and_typed_back():
    assert shown(Decimal("0.9497"), Unit.PERCENT) == Decimal("94.97")
    assert shown(Decimal(86400), Unit.HOURS) == Decimal("24.00")
    assert shown(Decimal(86400), Unit.DAYS) == Decimal("1.00")
    assert shown(Decimal("0.0032"), Unit.PERMILLE) == Decimal("3.20")
    assert shown(Decimal("12.345"), Unit.MONEY) == Decimal("12.34")
    assert from_shown(Decimal(95), Unit.PERCENT) == Decimal("0.95")
    assert from_shown(Decimal("1.5"), Unit.HOURS) == Decimal(5400)


def test_halves_are_rounded_to_even():
    assert rounded(Fraction(1, 2000000)) == Decimal("0.000000")
    assert rounded(Fraction(3, 2000000)) == Decimal("0.000002")
    assert ratio(1, 0) is None
    assert ratio(Decimal("1.5"), 3) == Decimal("0.500000")


def test_a_census_has_no_interval_even_if_a_sample_is_at_hand():
    assert a_reading(form=Form.STATE).interval is None
    assert a_reading(form=Form.COMPOSITE).interval is None
    assert a_reading().interval is not None


def test_the_facts_of_a_reading_have_a_canonical_form():
    assert fingerprint(a_reading().facts()) == fingerprint(a_reading().facts())
    assert fingerprint(a_reading(199).facts()) != fingerprint(a_reading().facts())
    assert a_reading(196).facts()["interval"] == {"low": Decimal("0.949712"), "high": Decimal("0.992196")}
