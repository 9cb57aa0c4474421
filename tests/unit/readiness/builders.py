"""A criterion, a reading, a verdict: whole by default, each test names what it is about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from readiness.gates.criteria import Criterion, Evidence, Layer, Phase
from readiness.gates.verdicts import Verdict, Word
from readiness.measures.intervals import Sums, yes_no_sample
from readiness.measures.reading import Direction, Form, Reading, Unit, Window, WindowUnit, ratio

NOW = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)
DAY = date(2026, 3, 20)


def a_criterion(**given: Any) -> Criterion:
    return Criterion(
        **{
            "id": "C1",
            "measure": "invoice_right_at_posting",
            "phase": Phase.ENTRY,
            "evidence": Evidence.OWN_REHEARSAL,
            "cells": ("Ghent",),
            "pass_mark": Decimal("0.95"),
            "owner": "billing lead",
            "layer": Layer.PROCESS,
            **given,
        }
    )


def a_reading(good: int = 200, of: int = 200, **given: Any) -> Reading:
    """A share of yes/no documents, all in one window; other forms name their own value and sample."""
    return Reading(
        **{
            "measure": "invoice_right_at_posting",
            "unit": Unit.PERCENT,
            "direction": Direction.UP,
            "form": Form.YES_NO,
            "realm": "rehearsal",
            "scope": "Ghent",
            "window": Window(WindowUnit.DAY, date(2026, 3, 6), DAY),
            "as_of": NOW,
            "value": ratio(good, of),
            "numerator": good,
            "denominator": of,
            "count": of,
            "documents": "invoice",
            "days": 14,
            "actors": 6,
            "sample": yes_no_sample([Sums(of, good, of, good, good, of)]),
            **given,
        }
    )


def a_verdict(word: Word, criterion: str = "C1") -> Verdict:
    return Verdict(criterion, word, "meets_mark", met=word is Word.PASS)
