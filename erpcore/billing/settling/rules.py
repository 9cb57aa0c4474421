"""What is each line of a payout about, and how much of it do our documents explain? With a confidence and a sentence.

Nothing is learnt and nothing is netted: the same lines and the same documents give the same answer, line by line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from erpcore.billing.settling.models import MatchResult, PayoutLineKind
from erpcore.kernel.money import from_minor, share_of


class Told(NamedTuple):
    """A line as the partner tells it. ``chosen``: the document that a person says it is about."""

    id: int
    kind: str
    amount: int
    tax: int = 0
    reference: str | None = None
    chosen: int | None = None


class Owing(NamedTuple):
    """An invoice with what is open of it, and what receipts have brought for it."""

    id: int
    number: str
    customer: int
    order: int
    open: int
    gross: int
    paid: int


class Credit(NamedTuple):
    """A credit memo with what of it is not used, and the invoices that it may be set against."""

    id: int
    number: str
    customer: int
    left: int
    invoices: tuple[int, ...]


class Part(NamedTuple):
    """So much of a line is about this invoice, or about this credit memo for the invoice."""

    invoice: int
    minor: int
    credit: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a line is found to be. ``unexplained`` has its sign."""

    line: int
    result: MatchResult
    confidence: int
    why: str
    parts: tuple[Part, ...] = ()
    unexplained: int = 0


@dataclass(slots=True)
class Books:
    """Our documents, by the partner's order number. ``orders``: numbers of ours by that; ``reserve`` is what the partner holds."""

    currency: str
    fee_rate: int
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    invoices: Mapping[int, Owing] = field(default_factory=dict)
    credits: Mapping[int, Credit] = field(default_factory=dict)
    invoices_of: Mapping[str, Sequence[int]] = field(default_factory=dict)
    credits_of: Mapping[str, Sequence[int]] = field(default_factory=dict)
    #: References that are no partner's number but one of ours: still found, but less sure.
    by_ours: frozenset[str] = frozenset()
    reserve: int = 0

    def say(self, minor: int) -> str:
        """An amount in words."""
        return f"{from_minor(abs(minor), self.currency):,} {self.currency}"


class _Matching:
    """One going through the lines: what one line settles is not there for the next."""

    def __init__(self, books: Books, lines: Sequence[Told]) -> None:
        self.books = books
        self.left = {key: one.open for key, one in books.invoices.items()}
        self.paid = {key: one.paid for key, one in books.invoices.items()}
        self.unused = {key: one.left for key, one in books.credits.items()}
        self.reserve = books.reserve
        self.fees = _fee_limits(books, lines)

    def sale(self, line: Told) -> Verdict:
        if line.amount <= 0:
            return _unknown(line, "A sale that takes money: it is no sale of ours.")
        found, sure, named = self._documents(line, self.books.invoices, self.books.invoices_of)
        if found is None:
            return _unknown(line, named)
        rest, parts = line.amount, list[Part]()
        for key in found:
            minor = min(rest, self.left[key])
            if minor > 0:
                parts.append(Part(key, minor))
                self.left[key] -= minor
                self.paid[key] += minor
                rest -= minor
        said = _listed(self.books.invoices[part.invoice].number for part in parts)
        if not parts:
            return self._nothing_open(line, found, named)
        owed = sum(self.left[part.invoice] for part in parts)
        if rest:
            why = f"{named}, and pays {self.books.say(rest)} more than is open of {said}."
            return Verdict(line.id, MatchResult.DIFFERS, sure - 20, why, tuple(parts), rest)
        if owed:
            why = f"{named}, and pays {self.books.say(owed)} less than is open of {said}; that stays owed."
            return Verdict(line.id, MatchResult.DIFFERS, sure - 20, why, tuple(parts))
        return Verdict(line.id, MatchResult.MATCHED, sure, f"{named}, and pays exactly {said}.", tuple(parts))

    def _nothing_open(self, line: Told, found: Sequence[int], named: str) -> Verdict:
        why = (
            f"{named}, of which nothing is open: it was paid before."
            if found
            else f"{named}, which we have not invoiced."
        )
        return Verdict(line.id, MatchResult.DIFFERS, 40, why, (), line.amount)

    def refund(self, line: Told) -> Verdict:
        if line.amount >= 0:
            return _unknown(line, "A refund that brings money: ask the partner what it takes back.")
        found, sure, named = self._documents(line, self.books.credits, self.books.credits_of)
        if found is None:
            return _unknown(line, named)
        if not found:
            why = f"{named}, for which we have given no credit: nothing came back, or nobody told us."
            return Verdict(line.id, MatchResult.DIFFERS, 40, why, (), line.amount)
        rest, parts, unpaid = -line.amount, list[Part](), False
        for key in found:
            for invoice in self.books.credits[key].invoices:
                minor = min(rest, self.unused[key], self.paid.get(invoice, 0))
                if minor > 0:
                    parts.append(Part(invoice, minor, key))
                    self.unused[key] -= minor
                    self.paid[invoice] -= minor
                    rest -= minor
            unpaid = unpaid or (rest > 0 and self.unused[key] > 0)
        said = _listed(self.books.credits[key].number for key in found)
        if not rest:
            return Verdict(line.id, MatchResult.MATCHED, sure, f"{named}, and is what {said} gave back.", tuple(parts))
        why = (
            f"{named}, but no payment for the order has come that it could be taken from."
            if unpaid
            else f"{named}, and is {self.books.say(rest)} more than is left of {said}."
        )
        return Verdict(line.id, MatchResult.DIFFERS, sure - 30, why, tuple(parts), -rest)

    def fee(self, line: Told) -> Verdict:
        if line.amount >= 0:
            return Verdict(line.id, MatchResult.MATCHED, 90, "A fee that the partner gives back.")
        key = line.reference if line.reference in self.fees else None
        net, agreed = abs(line.amount - line.tax), self.fees.get(key, 0)
        taken = min(net, agreed)
        self.fees[key] = agreed - taken
        rate = f"{self.books.fee_rate / 10_000:g} %"
        if net - taken <= 1:
            return Verdict(line.id, MatchResult.MATCHED, 95, f"Within the {rate} of what was sold that are agreed.")
        over = -(net - taken) if not line.tax else line.amount + taken + abs(line.tax) * taken // net
        why = (
            f"{self.books.say(over)} more than the {rate} of what was sold that are agreed."
            if taken
            else f"A fee that nobody agreed to: {rate} of what was sold are agreed, and those are charged already."
        )
        return Verdict(line.id, MatchResult.DIFFERS, 80, why, (), over)

    def held(self, line: Told) -> Verdict:
        if line.amount > 0:
            return _unknown(line, "A reserve that is held and yet brings money.")
        self.reserve -= line.amount
        return Verdict(line.id, MatchResult.MATCHED, 95, "The partner holds it; it is owed until it is released.")

    def released(self, line: Told) -> Verdict:
        if line.amount < 0:
            return _unknown(line, "A reserve that is released and yet takes money.")
        rest = max(0, line.amount - self.reserve)
        self.reserve -= line.amount - rest
        if rest:
            why = f"{self.books.say(rest)} more than the partner holds by our books."
            return Verdict(line.id, MatchResult.DIFFERS, 60, why, (), rest)
        return Verdict(line.id, MatchResult.MATCHED, 95, "Out of what the partner held before.")

    def tax(self, line: Told) -> Verdict:
        word = "withheld" if line.kind == PayoutLineKind.TAX_WITHHELD else "collected and pays to the state"
        return Verdict(line.id, MatchResult.MATCHED, 95, f"Tax that the partner {word} in our name.")

    def adjustment(self, line: Told) -> Verdict:
        return _unknown(
            line, "An adjustment: it does not say of what. Accept it, or set it against what it makes good."
        )

    def transfer(self, line: Told) -> Verdict:
        return Verdict(line.id, MatchResult.MATCHED, 99, "The money that was sent to us.")

    def _documents(
        self, line: Told, known: Mapping[int, Owing] | Mapping[int, Credit], by_reference: Mapping[str, Sequence[int]]
    ) -> tuple[Sequence[int] | None, int, str]:
        """The documents that a line is about, how sure that is, and what names them; ``None`` where nothing does."""
        if line.chosen is not None and line.chosen in known:
            return [line.chosen], 99, f"By hand: {known[line.chosen].number}"
        if not line.reference:
            return None, 0, "It names no order."
        ours = self.books.orders.get(line.reference, ())
        if not ours:
            return None, 0, f"We have no order {line.reference} of this partner."
        if len(ours) > 1:
            return None, 10, f"{len(ours)} orders of ours have this number: {_listed(ours)}. Choose one."
        sure = 90 if line.reference in self.books.by_ours else 99
        return by_reference.get(line.reference, ()), sure, f"It names order {ours[0]}"


def match_lines(books: Books, lines: Sequence[Told]) -> list[Verdict]:
    """A verdict for each line, in their order. Sales are looked at before refunds, which may take back what the same payout paid."""
    going = _Matching(books, lines)
    ways: dict[str, Callable[[Told], Verdict]] = {
        PayoutLineKind.SALE: going.sale, PayoutLineKind.REFUND: going.refund, PayoutLineKind.FEE: going.fee,
        PayoutLineKind.RESERVE_HELD: going.held, PayoutLineKind.RESERVE_RELEASED: going.released,
        PayoutLineKind.TAX_WITHHELD: going.tax, PayoutLineKind.TAX_COLLECTED: going.tax,
        PayoutLineKind.ADJUSTMENT: going.adjustment, PayoutLineKind.TRANSFER: going.transfer,
    }  # fmt: skip
    order = list(ways)
    found = {line.id: ways[line.kind](line) for line in sorted(lines, key=lambda one: order.index(one.kind))}
    return [found[line.id] for line in lines]


def _fee_limits(books: Books, lines: Sequence[Told]) -> dict[str | None, int]:
    """The fee that was agreed for each order that has one of its own, and, by ``None``, for all other sales together."""
    sold: dict[str | None, int] = defaultdict(int)
    own = {line.reference for line in lines if line.kind == PayoutLineKind.FEE and line.reference}
    for line in lines:
        if line.kind == PayoutLineKind.SALE:
            sold[line.reference if line.reference in own else None] += line.amount
    for reference in own - set(sold):
        sold[reference] = sum(books.invoices[key].gross for key in books.invoices_of.get(reference or "", ()))
    return {key: share_of(minor, books.fee_rate) for key, minor in sold.items()}


def _unknown(line: Told, why: str) -> Verdict:
    return Verdict(line.id, MatchResult.UNKNOWN, 0, why, (), line.amount)


def _listed(numbers: Iterable[str]) -> str:
    found = list(numbers)
    return ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")
