"""Money, quantity, time and content: nothing is lost, nothing is guessed."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy.dialects import sqlite

from erpcore.kernel.canonical import canonical_json, fingerprint
from erpcore.kernel.clock import SetClock, day_end, local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.ids import uuid7s
from erpcore.kernel.model import Scaled, UtcDateTime, scaled_int
from erpcore.kernel.money import Money, exact_amount, line_amount, scaled_amount, share_of, to_minor
from erpcore.kernel.quantity import parse_quantity


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("2.345", "EUR", 235),
        ("-2.345", "EUR", -235),
        ("2.344999", "EUR", 234),
        ("12.5", "JPY", 13),
        ("1.2345", "BHD", 1235),
    ],
)
def test_rounding_is_half_away_from_zero_once(amount, currency, minor):
    assert to_minor(Decimal(amount), currency) == minor


@given(some.integers(-(10**9), 10**9), some.integers(0, 10**9))
def test_rows_round_as_decimals_do(quantity, price):
    decimal = line_amount(Decimal(quantity).scaleb(-3), Decimal(price).scaleb(-6), "EUR")
    assert scaled_amount(quantity, price, "EUR") == decimal


@given(some.integers(-(10**9), 10**9), some.integers(0, 10**8))
def test_exact_amounts_have_six_places(quantity, price):
    exact = Decimal(quantity) * Decimal(price) / 1000
    assert abs(exact_amount(quantity, price) - exact) <= Decimal("0.5")


def test_a_tax_is_rounded_on_the_sum():
    assert share_of(1005, 190_000) == 191
    assert share_of(-1005, 190_000) == -191


@given(some.integers(-(10**12), 10**12), some.lists(some.integers(0, 10**6), min_size=1, max_size=12).filter(any))
def test_shares_add_back_up(minor, weights):
    parts = Money(minor, "EUR").split(weights)
    assert sum(part.minor for part in parts) == minor
    assert all(part.minor == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


def test_two_currencies_are_not_added():
    with pytest.raises(ValueError, match="without a rate"):
        Money(1, "EUR") + Money(1, "USD")


@pytest.mark.parametrize("wrong", [1.5, float("nan"), "2", None])
def test_floats_never_become_money_or_quantity(wrong):
    with pytest.raises(TypeError):
        scaled_int(wrong, 3)


def test_digits_that_would_be_lost_are_refused():
    with pytest.raises(ValueError, match="more than 3"):
        Scaled(3).process_bind_param(Decimal("1.0005"), sqlite.dialect())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x", "not_a_number"),
        ("1e12", "not_a_number"),
        ("1000000000000", "quantity_absurd"),
        ("1.0001", "quantity_too_precise"),
        ("NaN", "not_a_number"),
        ("٣", "not_a_number"),
    ],
)
def test_a_typed_quantity_is_refused_by_name(text, code):
    with pytest.raises(RuleBroken) as refusal:
        parse_quantity(text)
    assert (refusal.value.code, refusal.value.field) == (code, "quantity")


def test_a_naive_instant_is_refused_and_another_zone_is_stored_as_utc():
    column = UtcDateTime()
    with pytest.raises(TypeError, match="time zone"):
        column.process_bind_param(datetime(2026, 3, 2, 9), sqlite.dialect())  # noqa: DTZ001  # the point of the test
    stored = column.process_bind_param(datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=2))), sqlite.dialect())
    assert stored == "2026-03-02 07:00:00.000000"
    assert column.process_result_value(stored, sqlite.dialect()) == datetime(2026, 3, 2, 7, tzinfo=UTC)


def test_a_day_is_the_sites_day_also_when_the_clocks_change():
    assert local_day(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "Europe/Berlin") == date(2026, 3, 2)
    assert day_end(date(2026, 3, 29), "Europe/Berlin") == datetime(2026, 3, 29, 21, 59, 59, 999999, tzinfo=UTC)


def test_a_clock_is_moved_only_with_a_zone():
    with pytest.raises(TypeError):
        SetClock(datetime(2026, 1, 1))  # noqa: DTZ001  # the point of the test


def test_the_same_content_gives_the_same_bytes():
    one = {"b": [Decimal("1.50"), datetime(2026, 1, 1, tzinfo=UTC)], "a": {"y": None, "x": True}}
    other = {"a": {"x": True, "y": None}, "b": [Decimal("1.50"), datetime(2026, 1, 1, tzinfo=UTC)]}
    assert canonical_json(one) == b'{"a":{"x":true,"y":null},"b":["1.50","2026-01-01T00:00:00+00:00"]}'
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize("wrong", [1.5, {"a": [0.1]}, object()])
def test_what_has_no_canonical_form_is_refused(wrong):
    with pytest.raises(TypeError, match="no canonical form"):
        canonical_json(wrong)


def test_event_ids_are_version_seven_and_ascend_with_time():
    early, late = uuid7s(datetime(2026, 1, 1, tzinfo=UTC), 3), uuid7s(datetime(2026, 1, 2, tzinfo=UTC), 3)
    assert len(set(early + late)) == 6
    assert max(early) < min(late)
    assert {uuid.UUID(one).version for one in early} == {7}
    assert {uuid.UUID(one).variant for one in early} == {uuid.RFC_4122}
