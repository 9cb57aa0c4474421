"""Is a line of a carrier's bill what we expected? Pure: shipments as they are known, lines as the carrier wrote them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from erpcore.billing.freight.models import LineResult
from erpcore.kernel.money import from_minor


class Known(NamedTuple):
    """A shipment that a line may mean. ``expected``: what was noted of its freight, else its estimate, in minor units; ``tolerance``: so
    many thousandths more are owed without asking, by the order's rules; ``billed``: the bills that are in the books for it.
    """

    shipment: int
    number: str
    has_left: bool
    is_taken_back: bool
    carrier: int | None
    expected: int | None
    tolerance: int
    billed: tuple[str, ...] = ()


class Told(NamedTuple):
    """A line as the carrier wrote it; ``chosen`` is the shipment that a person named for it."""

    id: int
    reference: str | None
    amount: int
    chosen: int | None = None


class Verdict(NamedTuple):
    """What a line was found to be, and why, in words for who decides on it."""

    line: int
    result: LineResult
    why: str
    shipment: int | None = None
    expected: int | None = None


def judge(
    lines: Sequence[Told], by_reference: Mapping[str, Sequence[Known]], by_id: Mapping[int, Known], *, carrier: int, currency: str
) -> list[Verdict]:  # fmt: skip
    """A verdict for each line. All lines of one shipment are compared together: carriers bill what they add on lines of their own."""
    meant: dict[int, Known] = {}
    out: dict[int, Verdict] = {}
    sums: dict[int, int] = defaultdict(int)
    for line in lines:
        named = None if line.chosen is None else by_id.get(line.chosen)
        found = [named] if named else list(by_reference.get(line.reference or "", ()))
        if len(found) == 1:
            meant[line.id] = found[0]
            sums[found[0].shipment] += line.amount
        elif not line.reference:
            out[line.id] = Verdict(line.id, LineResult.UNKNOWN, "It names no shipment.")
        elif not found:
            out[line.id] = Verdict(line.id, LineResult.UNKNOWN, f"We have no shipment {line.reference}.")
        else:
            numbers = ", ".join(one.number for one in found[:4])
            out[line.id] = Verdict(
                line.id, LineResult.UNKNOWN, f"{line.reference} is the number of several shipments: {numbers}."
            )
    for key, one in meant.items():
        result, why = compare(one, sums[one.shipment], carrier, currency)
        # Of what was billed nothing more is expected.
        expected = None if result is LineResult.BILLED else one.expected
        out[key] = Verdict(key, result, why, one.shipment, expected)
    return [out[line.id] for line in lines]


def compare(one: Known, amount: int, carrier: int, currency: str) -> tuple[LineResult, str]:
    """What a bill asks for a shipment altogether, set against what we know of it."""

    def said(minor: int) -> str:
        return f"{from_minor(minor, currency)} {currency}"

    if one.is_taken_back:
        return LineResult.NOT_LEFT, f"{one.number} was taken back and never left."
    if not one.has_left:
        return LineResult.NOT_LEFT, f"{one.number} has not left."
    if one.carrier is None:
        return LineResult.OTHER_CARRIER, f"{one.number} left without a carrier of ours."
    if one.carrier != carrier:
        return LineResult.OTHER_CARRIER, f"{one.number} travelled with another carrier."
    if one.billed:
        return LineResult.BILLED, f"{one.number} was billed before, with {', '.join(one.billed[:4])}."
    if one.expected is None:
        return LineResult.DIFFERS, f"We expected nothing for {one.number}: it was never weighed."
    if amount < 0:
        return LineResult.DIFFERS, f"It gives back {said(-amount)} for {one.number}, which nobody has billed."
    over, share = amount - one.expected, f"{one.tolerance / 10:g} %"
    if over * 1000 > one.expected * one.tolerance:
        return (
            LineResult.DIFFERS,
            f"{said(over)} more than the {said(one.expected)} expected; {share} more would be owed.",
        )
    if over > 0:
        return LineResult.MATCHED, f"{said(over)} more than the {said(one.expected)} expected, within {share}."
    if over < 0:
        return LineResult.MATCHED, f"{said(-over)} less than the {said(one.expected)} expected."
    return LineResult.MATCHED, f"{said(one.expected)}, as expected."
