"""Whose money is it, and which invoices does it pay? Proposals with a confidence and the sentence that explains it.

Nothing is learnt: what is known of payers was said by people. The same money and the same open invoices give the same proposal.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

#: Numbers of documents as people write them: with or without what stands between their parts.
_WORD = re.compile(r"[0-9A-Z]+(?:[-/. ]?[0-9A-Z]+)*", re.IGNORECASE)
_SPLIT = re.compile(r"[-/. ]")
#: So many open invoices of a customer are combined, the longest due first, and so many sums are looked at: enough for what people
#: really pay together, and an end for what has none.
MOST_COMBINED, MOST_SUMS, MOST_TOGETHER = 24, 20_000, 8
#: At and above this confidence (percent) proposals may be accepted together.
SURE = 90


class OpenItem(NamedTuple):
    """An invoice that is not settled. ``references``: how else it is called (order, the customer's own number)."""

    id: int
    number: str
    customer: int
    open_minor: int
    due: int
    references: tuple[str, ...] = ()


class OpenCredit(NamedTuple):
    """A credit memo of which something is not set against any invoice: customers deduct it before they pay."""

    id: int
    number: str
    customer: int
    left_minor: int


class Money(NamedTuple):
    """What came in. ``payers``: customers who are said to pay from its account; ``named``: whom its text or name means."""

    id: int
    amount_minor: int
    text: str
    payers: tuple[int, ...] = ()
    named: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """Whose the money is and what it settles, oldest first. ``confidence`` in percent; nothing is found at 0.

    ``credits``: credit memos that the customer deducted, the invoice that each is set against, and how much of it.
    """

    money: int
    confidence: int = 0
    customer: int | None = None
    parts: tuple[tuple[int, int], ...] = ()
    credits: tuple[tuple[int, int, int], ...] = ()
    why: str = "Nothing in it names a customer or an invoice, and no open invoice has this amount."


@dataclass(slots=True)
class Ledger:
    """Open items by everything that money is found by."""

    items: Sequence[OpenItem]
    by_word: dict[str, list[OpenItem]] = field(default_factory=lambda: defaultdict(list))
    by_customer: dict[int, list[OpenItem]] = field(default_factory=lambda: defaultdict(list))
    by_amount: dict[int, list[OpenItem]] = field(default_factory=lambda: defaultdict(list))
    names: Mapping[int, str] = field(default_factory=dict)
    credits: Sequence[OpenCredit] = ()
    credits_of: dict[int, list[OpenCredit]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for credit in self.credits:
            self.credits_of[credit.customer].append(credit)
        for item in sorted(self.items, key=lambda one: (one.due, one.id)):
            self.by_customer[item.customer].append(item)
            self.by_amount[item.open_minor].append(item)
            for name in {plain(item.number), *map(plain, item.references)}:
                if len(name) >= 4:
                    self.by_word[name].append(item)

    def name(self, customer: int) -> str:
        """The customer as people call them."""
        return self.names.get(customer, f"customer {customer}")


def plain(word: str) -> str:
    """A number without what stands between its parts."""
    return _SPLIT.sub("", word).upper()


def words_of(text: str) -> set[str]:
    """Everything in a text that may be the number of a document: words, and neighbours that were torn apart."""
    found: set[str] = set()
    for run in _WORD.findall(text):
        parts = [part.upper() for part in _SPLIT.split(run) if part]
        found.add("".join(parts))
        found.update(parts)
        found.update(map("".join, pairwise(parts)))
        found.update("".join(parts[at : at + 3]) for at in range(len(parts) - 2))
    return {word for word in found if 4 <= len(word) <= 40}


def propose(money: Iterable[Money], ledger: Ledger) -> list[Proposal]:
    """A proposal for each. An invoice that one proposal settles is not open for the next, and a credit is used once."""
    left: dict[int, int] = {item.id: item.open_minor for item in ledger.items}
    left.update({credit.id: credit.left_minor for credit in ledger.credits})
    out = []
    for one in money:
        found = _best(one, ledger, left)
        for invoice, minor in found.parts:
            left[invoice] -= minor
        for credit, invoice, minor in found.credits:
            left[credit] -= minor
            left[invoice] -= minor
        out.append(found)
    return out


def _best(one: Money, ledger: Ledger, left: Mapping[int, int]) -> Proposal:
    named = _named_in(one, ledger)
    if any(left[item.id] > 0 for item in named):
        return _by_number(one, [item for item in named if left[item.id] > 0], ledger, left)
    if len({item.customer for item in named}) == 1:
        why = f"It names {_listed(item.number for item in named)}, which other money settles; it stands on account."
        return Proposal(money=one.id, confidence=40, customer=named[0].customer, why=why)
    for customers, word, lower in ((one.payers, "account", 0), (one.named, "name", 8)):
        if len(customers) == 1:
            return _by_customer(one, ledger, customers[0], left, word, lower)
    return _by_amount(one, ledger, left)


def _named_in(one: Money, ledger: Ledger) -> list[OpenItem]:
    found = {item.id: item for word in words_of(one.text) for item in ledger.by_word.get(word, ())}
    items = sorted(found.values(), key=lambda item: (item.due, item.id))
    known = set(one.payers)
    return [item for item in items if item.customer in known] or items


def _by_number(one: Money, items: Sequence[OpenItem], ledger: Ledger, left: Mapping[int, int]) -> Proposal:
    owners = {item.customer for item in items}
    if len(owners) > 1:
        return Proposal(
            money=one.id, confidence=30,
            why=f"It names invoices of {len(owners)} customers: {_listed(item.number for item in items)}.",
        )  # fmt: skip
    (customer,) = owners
    said, total = _listed(item.number for item in items), sum(left[item.id] for item in items)
    stranger = bool(one.payers) and customer not in one.payers
    parts, rest = _spread(one.amount_minor, items, left)
    credits_: tuple[tuple[int, int, int], ...] = ()
    if total > one.amount_minor and (net := _netted(one, customer, items, ledger, left)):
        parts, credits_ = net.parts, net.credits
        confidence, why = (96, 80)[not net.is_sure], f"It names {said}, and pays what is open of it less {net.said}."
    elif rest == 0 and total == one.amount_minor:
        confidence, why = 99, f"It names {said}, and pays exactly what is open of it."
    elif rest == 0:
        confidence, why = 80, f"It names {said}, and pays less than is open of it."
    else:
        confidence, why = 75, f"It names {said}, and pays more than is open of it; the rest stands on account."
    if stranger:
        confidence, why = confidence - 25, f"{why} But it came from the account of another customer."
    return Proposal(money=one.id, confidence=confidence, customer=customer, parts=parts, credits=credits_, why=why)


class _Netted(NamedTuple):
    """What money and credits settle of invoices together; ``is_sure``: no other credits make the same difference."""

    parts: tuple[tuple[int, int], ...]
    credits: tuple[tuple[int, int, int], ...]
    is_sure: bool
    said: str


def _netted(
    one: Money, customer: int, items: Sequence[OpenItem], ledger: Ledger, left: Mapping[int, int]
) -> _Netted | None:
    """The credits that make the money pay all that is open of these invoices; ``None`` where none do."""
    short = sum(left[item.id] for item in items) - one.amount_minor
    chosen, is_sure = _deducted(
        short, [c for c in ledger.credits_of.get(customer, ()) if left[c.id] > 0], left, one.text
    )
    if not chosen:
        return None
    owed, credits_ = {item.id: left[item.id] for item in items}, []
    for credit in chosen:
        parts, _ = _spread(left[credit.id], items, owed)
        for invoice, minor in parts:
            owed[invoice] -= minor
            credits_.append((credit.id, invoice, minor))
    paid = tuple((key, minor) for key, minor in owed.items() if minor)
    others = "" if is_sure else ", though others make the same difference"
    return _Netted(paid, tuple(credits_), is_sure, f"{_listed(c.number for c in chosen)}{others}")


def _deducted(
    short: int, found: Sequence[OpenCredit], left: Mapping[int, int], said: str
) -> tuple[Sequence[OpenCredit], bool]:
    """The credits, each whole, that make this difference: those that the text names, else one, else several; and whether no others do."""
    if short <= 0 or not found:
        return (), False
    words = words_of(said)
    named = [credit for credit in found if plain(credit.number) in words]
    if named and sum(left[credit.id] for credit in named) == short:
        return named, True
    alone = [credit for credit in found if left[credit.id] == short]
    ways, looked_at_all = combinations(short, [(credit.id, left[credit.id]) for credit in found[:MOST_COMBINED]])
    is_whole = looked_at_all and len(found) <= MOST_COMBINED
    if alone:
        return alone[:1], len(alone) == 1 and not ways and is_whole
    if ways:
        return [credit for credit in found if credit.id in ways[0]], len(ways) == 1 and is_whole
    return (), False


def _by_customer(
    one: Money, ledger: Ledger, customer: int, left: Mapping[int, int], word: str, lower: int
) -> Proposal:  # fmt: skip
    who = f"By its {word} it is from {ledger.name(customer)}"
    items = [item for item in ledger.by_customer.get(customer, ()) if left[item.id] > 0]
    exact = [item for item in items if left[item.id] == one.amount_minor]
    if len(exact) == 1:
        return _proposal(one, customer, exact, left, 95 - lower, f"{who}, and pays exactly {exact[0].number}.")
    if exact:
        why = f"{who}, and pays the oldest of {len(exact)} invoices of this amount, {exact[0].number}."
        return _proposal(one, customer, exact[:1], left, 85 - lower, why)
    if items and sum(left[item.id] for item in items) == one.amount_minor:
        why = f"{who}, and pays all {len(items)} invoices that are open."
        return _proposal(one, customer, items, left, 94 - lower, why)
    less = [credit for credit in ledger.credits_of.get(customer, ()) if left[credit.id] > 0]
    if items and less and sum(left[item.id] for item in items) - sum(left[c.id] for c in less) == one.amount_minor:
        net = _netted(one._replace(text=" ".join(credit.number for credit in less)), customer, items, ledger, left)
        if net:
            why = f"{who}, and pays all that is open less all credit memos: {net.said}."
            return Proposal(
                money=one.id, confidence=92 - lower, customer=customer, parts=net.parts, credits=net.credits, why=why
            )
    found, looked_at_all = combinations(one.amount_minor, [(item.id, left[item.id]) for item in items[:MOST_COMBINED]])
    is_whole = looked_at_all and len(items) <= MOST_COMBINED
    if found:
        chosen = [item for item in items if item.id in set(found[0])]
        said = _listed(item.number for item in chosen)
        if len(found) == 1 and is_whole:
            many = "only" if len(items) <= MOST_TOGETHER else f"of sums of up to {MOST_TOGETHER} invoices only"
            return _proposal(
                one, customer, chosen, left, 88 - lower, f"{who}, and {many} {said} together make this amount."
            )
        if len(found) == 1:
            why = f"{who}; {said} together make this amount. There are too many sums to look at all, so others may too."
            return _proposal(one, customer, chosen, left, 70 - lower, why)
        why = f"{who}; {said} make this amount, but others do too."
        return _proposal(one, customer, chosen, left, 60 - lower, why)
    if not items:
        return Proposal(
            money=one.id,
            confidence=70 - lower,
            customer=customer,
            why=f"{who}, of whom nothing is open; it stands on account.",
        )
    parts, rest = _spread(one.amount_minor, items, left)
    more = (
        "more than is open; the rest stands on account"
        if rest
        else "no sum of invoices; proposed from the longest due on"
    )
    return Proposal(money=one.id, confidence=50 - lower, customer=customer, parts=parts, why=f"{who}, and pays {more}.")


def _by_amount(one: Money, ledger: Ledger, left: Mapping[int, int]) -> Proposal:
    among = set(one.payers) | set(one.named)
    items = [
        item
        for item in ledger.by_amount.get(one.amount_minor, ())
        if left[item.id] == one.amount_minor and (not among or item.customer in among)
    ]
    if len(items) == 1:
        item = items[0]
        confidence = 82 if among else 45
        why = f"{item.number} of {ledger.name(item.customer)} is the only open invoice of exactly this amount"
        why += f" among the {len(among)} customers that it may be from." if among else "; nothing else speaks for it."
        return _proposal(one, item.customer, items, left, confidence, why)
    if items:
        return Proposal(
            money=one.id,
            confidence=10,
            why=f"{len(items)} open invoices have exactly this amount, and nothing says which.",
        )
    return Proposal(money=one.id)


def _proposal(
    one: Money, customer: int, items: Sequence[OpenItem], left: Mapping[int, int], confidence: int, why: str
) -> Proposal:  # fmt: skip
    parts = tuple((item.id, left[item.id]) for item in items)
    return Proposal(money=one.id, confidence=confidence, customer=customer, parts=parts, why=why)


def _spread(amount: int, items: Sequence[OpenItem], left: Mapping[int, int]) -> tuple[tuple[tuple[int, int], ...], int]:
    """The amount over the items in their order, and what is left of it."""
    parts = []
    for item in items:
        part = min(amount, left[item.id])
        if part:
            parts.append((item.id, part))
            amount -= part
    return tuple(parts), amount


def combinations(target: int, items: Sequence[tuple[int, int]]) -> tuple[list[tuple[int, ...]], bool]:
    """Up to two different sets of at least two and at most ``MOST_TOGETHER`` items that make the target exactly, those of fewer
    and earlier items first, and whether every sum was looked at: no more than ``MOST_SUMS`` are.
    """
    made: dict[int, list[tuple[int, ...]]] = {0: [()]}
    looked, found = 0, list[tuple[int, ...]]()
    for key, minor in items:
        if minor <= 0 or minor > target:
            continue
        added: list[tuple[int, tuple[int, ...]]] = []
        for total, ways in made.items():
            looked += 1
            if total + minor > target:
                continue
            added += [(total + minor, (*way, key)) for way in ways if len(way) < MOST_TOGETHER]
            if looked >= MOST_SUMS:
                break
        for total, way in added:
            ways = made.setdefault(total, [])
            # Two ways to a sum are enough to know that it is not the only one.
            if len(ways) < 2:
                ways.append(way)
            if total == target and len(way) > 1:
                found.append(way)
        if looked >= MOST_SUMS:
            break
    return sorted(set(found), key=lambda way: (len(way), way))[:2], looked < MOST_SUMS


def _listed(numbers: Iterable[str]) -> str:
    found = list(numbers)
    return ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")
