"""What changed between two evaluations of a gate, criterion by criterion, and what did that do to the score?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One criterion that reads differently. ``points`` is what the score gained or lost by it, in shares of the whole.

    ``before`` or ``after`` ``None``: the criterion was added or removed. ``waived``: a waiver makes the word.
    """

    criterion: str
    title: str
    before: str | None
    after: str | None
    waived_before: bool
    waived_after: bool
    points: Decimal
    held_before: int | None
    held_after: int | None
    sentence: str


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs between the contents of two snapshots, largest effect on the score first."""
    old = {line["code"]: line for line in before["criteria"]}
    new = {line["code"]: line for line in after["criteria"]}
    found = []
    for code in {**old, **new}:
        was, now = old.get(code), new.get(code)
        if was is not None and now is not None and _same(was, now):
            continue
        shown = now or was or {}
        found.append(
            Change(
                criterion=code, title=shown["title"], before=was and was["word"], after=now and now["word"],
                waived_before=bool(was and was["waiver"]), waived_after=bool(now and now["waiver"]),
                points=_share(now, after) - _share(was, before), held_before=was and was["held"],
                held_after=now and now["held"], sentence=shown["sentence"],
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda change: (-abs(change.points), change.criterion)))


def _same(was: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    return all(was[key] == now[key] for key in ("word", "counts_as", "waiver", "held"))


def _share(line: Mapping[str, Any] | None, content: Mapping[str, Any]) -> Decimal:
    """What a criterion gives to the score of its snapshot."""
    if line is None:
        return Decimal(0)
    whole = sum((Decimal(each["weight"]) for each in content["criteria"]), Decimal(0))
    if not whole:
        return Decimal(0)
    return (Decimal(line["weight"]) * Decimal(line["points"]) / whole).quantize(Decimal("0.000001"))
