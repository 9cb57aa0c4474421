"""Which stock must have been there? A file without opening stock says it by what it sells.

The shortfall of an item is how far its balance would sink below zero if the documents were posted in the order of the file:
within a document first what is sold, then its corrections in their order, then what comes back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.importers.reading import Document
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int

#: Lines that take stock from the shelf.
_SOLD = ("order_line", "free_line")


class Effect(NamedTuple):
    """What a document does to the stock of each item, in thousandths: sold, corrected (sum and lowest point), returned."""

    sold: dict[str, int]
    corrected: dict[str, tuple[int, int]]
    returned: dict[str, int]


def effect_of(document: Document) -> Effect:
    """A document's effect by item code; charges and what leaves from the supplier have none."""
    sold: dict[str, int] = defaultdict(int)
    returned: dict[str, int] = defaultdict(int)
    corrected: dict[str, tuple[int, int]] = {}
    for line in document.lines:
        if line.outcome in _SOLD:
            if not line.drop_ship:
                sold[line.item] += scaled_int(line.quantity, QUANTITY_PLACES)
        elif line.outcome == "return_line":
            if not line.is_charge:
                returned[line.item] -= scaled_int(line.quantity, QUANTITY_PLACES)
        elif line.outcome == "adjustment":
            so_far, lowest = corrected.get(line.item, (0, 0))
            so_far += scaled_int(line.quantity, QUANTITY_PLACES)
            corrected[line.item] = (so_far, min(lowest, so_far))
    return Effect(sold, corrected, returned)


class Shelf:
    """Balances while documents are posted one after the other; what was missing is added and remembered."""

    def __init__(self, on_hand: dict[str, int]) -> None:
        self.on_hand = on_hand
        self.short: dict[str, int] = defaultdict(int)

    def post(self, effect: Effect) -> None:
        """Take a document's effect, adding what is missing for it."""
        for item, missing in missing_for(self.on_hand, effect).items():
            self.short[item] += missing
            self.on_hand[item] = self.on_hand.get(item, 0) + missing
        for item, quantity in effect.sold.items():
            self.on_hand[item] -= quantity
        for item, (change, _) in effect.corrected.items():
            self.on_hand[item] = self.on_hand.get(item, 0) + change
        for item, quantity in effect.returned.items():
            self.on_hand[item] = self.on_hand.get(item, 0) + quantity


def missing_for(on_hand: dict[str, int], effect: Effect) -> dict[str, int]:
    """How much of each item a document needs beyond what is there."""
    out = {}
    for item, quantity in effect.sold.items():
        lowest = effect.corrected[item][1] if item in effect.corrected else 0
        left = on_hand.get(item, 0) - quantity + lowest
        if left < 0:
            out[item] = -left
    for item, (_, lowest) in effect.corrected.items():
        if item not in effect.sold and on_hand.get(item, 0) + lowest < 0:
            out[item] = -(on_hand.get(item, 0) + lowest)
    return out


class Group(NamedTuple):
    """Documents that can be posted together, sales first, and what is missing before the first of them."""

    documents: list[Document]
    missing: dict[str, int]


def groups(documents: Sequence[Document], on_hand: dict[str, int]) -> Iterator[Group]:
    """Cut documents where one sells what another before it brings back: all else may go together.

    ``on_hand`` is what is there and free now, by item code; it is changed along.
    """
    group = Group([], {})
    total = Effect(defaultdict(int), {}, defaultdict(int))
    for document in documents:
        effect = effect_of(document)
        joined = _joined(total, effect)
        if group.documents and missing_for(on_hand, joined):
            yield group
            _fold(on_hand, total)
            group, total, joined = Group([], {}), Effect(defaultdict(int), {}, defaultdict(int)), effect
        if not group.documents:
            for item, missing in missing_for(on_hand, effect).items():
                group.missing[item] = missing
                on_hand[item] = on_hand.get(item, 0) + missing
        group.documents.append(document)
        _add(total, effect)
    if group.documents:
        yield group
        _fold(on_hand, total)


def _joined(total: Effect, effect: Effect) -> Effect:
    """Both, only for the items that the new document takes from."""
    sold = {item: total.sold.get(item, 0) + quantity for item, quantity in effect.sold.items()}
    corrected = {}
    for item in {*effect.corrected, *effect.sold}:
        before, lowest = total.corrected.get(item, (0, 0))
        change, own_lowest = effect.corrected.get(item, (0, 0))
        corrected[item] = (before + change, min(lowest, before + own_lowest))
    for item in effect.corrected:
        sold.setdefault(item, total.sold.get(item, 0))
    return Effect(sold, corrected, {})


def _add(total: Effect, effect: Effect) -> None:
    for item, quantity in effect.sold.items():
        total.sold[item] += quantity
    for item, (change, own_lowest) in effect.corrected.items():
        before, lowest = total.corrected.get(item, (0, 0))
        total.corrected[item] = (before + change, min(lowest, before + own_lowest))
    for item, quantity in effect.returned.items():
        total.returned[item] += quantity


def _fold(on_hand: dict[str, int], total: Effect) -> None:
    for item, quantity in total.sold.items():
        on_hand[item] = on_hand.get(item, 0) - quantity
    for item, (change, _) in total.corrected.items():
        on_hand[item] = on_hand.get(item, 0) + change
    for item, quantity in total.returned.items():
        on_hand[item] = on_hand.get(item, 0) + quantity
