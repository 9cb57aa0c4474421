"""Figures and counts as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from readiness.gates.rules import GateWord
from readiness.gates.wording import GATE_WORDS, counted, figure


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("0.9497", "%", "94.97 %"),
        ("0.95", "%", "95 %"),
        ("1", "%", "100 %"),
        ("0", "%", "0 %"),
        ("0.0032", "‰", "3.2 ‰"),
        ("86400", "h", "24 h"),
        ("12", "n", "12"),
        ("1200", "money", "1200"),
        ("1.5", "ratio", "1.5"),
    ],
)
def test_a_figure_reads_in_its_unit(value, unit, text):
    assert figure(Decimal(value), unit) == text


def test_no_figure_is_said_so():
    assert figure(None, "%") == "no figure"


@pytest.mark.parametrize(
    ("number", "thing", "text"),
    [(1, "order", "1 order"), (14, "order", "14 orders"), (2, "delivery", "2 deliveries"), (1200, "day", "1,200 days")],
)
def test_things_are_counted_in_words(number, thing, text):
    assert counted(number, thing) == text


def test_every_word_of_a_gate_is_spoken():
    assert set(GATE_WORDS) == set(GateWord)
    assert GATE_WORDS[GateWord.NOT_READY_NO_EVIDENCE] == "not ready: no evidence"
