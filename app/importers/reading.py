"""What do the rows of a document say? Rows become lines with a meaning, or lines kept as rejected with the reason.

A line is known by its document and its position in it: equal lines are different lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import orjson

from app.importers.profiles import Profile
from app.importers.sources import Header, Row
from erpcore.fulfilment.services import Freight
from erpcore.kernel.clock import zone
from erpcore.kernel.model import PRICE_PLACES

#: The key under which lines are kept that name no document, per file.
NO_DOCUMENT = "(no document)"
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,12})?")
_NOON = time(12)
#: What a place in the core can hold of a code and of a name.
_LONGEST_CODE, _LONGEST_NAME, LONGEST_KEY = 120, 300, 100


class Rejected(Exception):
    """Why a line is kept instead of posted, in words for the person who corrects it."""


@dataclass(slots=True)
class Line:
    """One line of a document as the file means it. ``outcome`` says what it becomes; ``quantity`` keeps the file's sign."""

    position: int
    row: int
    outcome: str = "rejected"
    item: str = ""
    item_name: str = ""
    is_charge: bool = False
    quantity: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    amount: Decimal | None = None
    at: datetime | None = None
    day: date | None = None
    promised: date | None = None
    delivered: date | None = None
    shipment: str | None = None
    drop_ship: bool = False
    freight: Freight | None = None
    kept: str | None = None
    digest: int = 0
    reason: str | None = None
    text: str | None = None


@dataclass(slots=True)
class Document:
    """One document of the file. ``content`` is a hash over its lines as they are meant, whatever file they came in."""

    key: str
    kind: str
    at: datetime | None = None
    customer: str | None = None
    customer_name: str | None = None
    country: str | None = None
    lines: list[Line] = field(default_factory=list)
    content: str = ""

    @property
    def good(self) -> list[Line]:
        """The lines that can be posted."""
        return [line for line in self.lines if line.outcome != "rejected"]


class Figure(NamedTuple):
    """A number with the one form in which it is compared, however the file writes it."""

    value: Decimal
    words: str


class Instant(NamedTuple):
    """When something is said to have been: the instant, the day where the business is, and both in one form."""

    at: datetime
    day: date
    words: str


class LineReader:
    """Turns rows into lines by one profile. Numbers and dates are parsed once per distinct text."""

    def __init__(self, header: Header, profile: Profile) -> None:
        self.profile = profile
        self.columns = columns = profile.columns
        self.at = header.position
        self.nothing = frozenset(profile.file.nothing)
        self.zone = zone(profile.entity.time_zone)
        self.quantity = lru_cache(maxsize=100_000)(self._quantity)
        self.price = lru_cache(maxsize=100_000)(self._price)
        self.amount = lru_cache(maxsize=100_000)(self._amount)
        self.instant = lru_cache(maxsize=100_000)(self._instant)
        self.is_charge = lru_cache(maxsize=20_000)(profile.is_charge)
        self.code = lru_cache(maxsize=100_000)(self._code)
        #: Nothing but one date, and nothing beside the line: the shape of an invoice file.
        self.is_plain = not (columns.promised or columns.delivered or len(columns.at) > 1)
        self.has_extras = bool(
            columns.shipment or columns.supply or columns.freight or columns.weight or columns.insurance or profile.keep
        )

    def cell(self, cells: Sequence[str], column: str | None) -> str:
        """The text of a cell, empty where the file has nothing."""
        if column is None:
            return ""
        value = cells[self.at[column]].strip()
        return "" if value in self.nothing else value

    def document(self, key: str, source: Sequence[Row], *, sealed: bool = True) -> Document:
        """A document out of its rows, in the order of the file; ``sealed`` with the hashes that tell it from another."""
        profile = self.profile
        kind = "rejects" if key == NO_DOCUMENT else profile.kind_of(key)
        made = Document(key, kind)
        said = []
        for position, row in enumerate(source, 1):
            line = Line(position, row.number)
            try:
                if row.broken or key == NO_DOCUMENT:
                    raise Rejected(row.broken or "the line names no document")  # noqa: TRY301 - one way out of a line
                if position > profile.limits.lines:
                    raise Rejected(f"the document has more than {profile.limits.lines} lines")  # noqa: TRY301 - as above
                words = self._read(made, line, row.cells)
            except Rejected as rejected:
                words = "\x1f".join((str(rejected), *row.cells))
                line.outcome, line.reason = "rejected", str(rejected)
                line.text = readable(profile.file.delimiter.join(row.cells))
            made.lines.append(line)
            said.append(words)
        # A document begins with its earliest line.
        made.at = min((line.at for line in made.good if line.at), default=None)
        if sealed:
            written = [words.encode("utf-8", "surrogatepass") for words in said]
            made.content = blake2b(b"\x1e".join(written), digest_size=32).hexdigest()
            for line, each in zip(made.lines, written, strict=True):
                line.digest = int.from_bytes(blake2b(each, digest_size=8).digest(), signed=True)
        return made

    def _read(self, made: Document, line: Line, cells: Sequence[str]) -> str:
        """Fill ``line``; returns what it says, in one form whatever the file's. Raises ``Rejected``."""
        columns = self.columns
        line.item = item = self.code(self.cell(cells, columns.item), "item")
        if not item:
            raise Rejected("the line names no item")
        line.item_name = name = self.cell(cells, columns.item_name)[:_LONGEST_NAME]
        line.is_charge = self.is_charge(item)
        quantity = self.quantity(self.cell(cells, columns.quantity))
        line.quantity = quantity.value
        priced = self._worth(line, cells)
        stated = self._dates(line, cells)
        self._party(made, cells)
        self._outcome(made, line)
        words = f"{item}\x1f{name}\x1f{quantity.words}\x1f{priced}\x1f{stated}\x1f{made.customer}\x1f{made.country}"
        if self.has_extras:
            self._extras(line, cells)
            words += f"\x1f{line.shipment}\x1f{line.drop_ship}\x1f{line.freight}\x1f{line.kept}"
        return words

    def _number(self, text: str) -> Decimal:
        marks = self.profile.formats
        plain = text.replace(marks.thousands_mark, "") if marks.thousands_mark else text
        if marks.decimal_mark != ".":
            plain = plain.replace(marks.decimal_mark, ".")
        if not _NUMBER.fullmatch(plain):
            raise Rejected(f"“{text[:40]}” is not a number")
        return Decimal(plain)

    def _code(self, text: str, what: str) -> str:
        """A code of an item or customer."""
        if what in self.profile.formats.whole_number_codes:
            text = text.removesuffix(".0")
        if len(text) > _LONGEST_CODE:
            raise Rejected(f"“{text[:40]}…” is too long for the code of {'an' if what == 'item' else 'a'} {what}")
        return text

    def _quantity(self, text: str) -> Figure:
        limits, quantity = self.profile.limits, self._number(text)
        if not quantity:
            raise Rejected("the quantity is zero")
        if abs(quantity) > limits.quantity:
            raise Rejected(f"a quantity of {quantity} is more than any order here")
        if quantity != round(quantity, limits.quantity_places):
            raise Rejected(f"a quantity of {quantity} has more than {limits.quantity_places} decimal places")
        return Figure(quantity, str(quantity.normalize()))

    def _amount(self, text: str) -> Figure:
        amount = self._number(text)
        if amount != round(amount, PRICE_PLACES):
            raise Rejected(f"{amount} has more than six decimal places")
        return Figure(amount, str(amount.normalize()))

    def _price(self, text: str) -> Figure:
        price = self._amount(text)
        if abs(price.value) > self.profile.limits.price:
            raise Rejected(f"a price of {price.value} is more than any here")
        return price

    def _instant(self, text: str, column: str) -> Instant | None:
        """``None`` for words. A day without a time stands at noon."""
        wanted = self.profile.date_format(column)
        try:
            read = datetime.strptime(text, wanted)  # noqa: DTZ007 - the zone is the profile's
        except ValueError:
            return None
        if not 1990 <= read.year <= 2100:
            return None
        if "%H" not in wanted and "%I" not in wanted:
            read = datetime.combine(read.date(), _NOON)
        return Instant(read.replace(tzinfo=self.zone).astimezone(UTC), read.date(), read.isoformat())

    def _worth(self, line: Line, cells: Sequence[str]) -> str:
        """Price and, where the file states it, amount."""
        columns, words = self.columns, ""
        if columns.amount:
            amount = self.amount(self.cell(cells, columns.amount))
            line.amount, words = amount.value, amount.words
        if columns.price:
            price = self.price(self.cell(cells, columns.price))
            line.price = price.value
            return f"{price.words}\x1f{words}"
        # Known from the amount alone; what six places cannot hold stays in the amount.
        line.price = ((line.amount or Decimal(0)) / line.quantity).quantize(Decimal("0.000001"))
        if abs(line.price) > self.profile.limits.price:
            raise Rejected(f"a price of {line.price} is more than any here")
        return words

    def _dates(self, line: Line, cells: Sequence[str]) -> str:
        columns = self.columns
        if self.is_plain:
            stated = self._day_of(cells, columns.at[0])
            words = stated.words
        else:
            promised = self._day_of(cells, columns.promised) if columns.promised else None
            arrived = self._day_of(cells, columns.delivered) if columns.delivered else None
            line.promised = promised.day if promised else None
            line.delivered = arrived.day if arrived else None
            stated = self._begun(cells, arrived)
            words = f"{stated.words}\x1f{line.promised}\x1f{line.delivered}"
        line.at, line.day = stated.at, stated.day
        return words

    def _begun(self, cells: Sequence[str], arrived: Instant | None) -> Instant:
        """The first of the columns that is a date, and not after the delivery; else the delivery."""
        for column in self.columns.at:
            text = self.cell(cells, column)
            found = self.instant(text, column) if text else None
            if found and (arrived is None or found.at <= arrived.at):
                return found
        return arrived or self._day_of(cells, self.columns.at[0])

    def _day_of(self, cells: Sequence[str], column: str) -> Instant:
        text = self.cell(cells, column)
        found = self.instant(text, column) if text else None
        if found is None:
            raise Rejected(
                f"“{text[:40]}” in {column} is not a date as the profile writes them" if text else f"{column} is empty"
            )
        return found

    def _party(self, made: Document, cells: Sequence[str]) -> None:
        columns = self.columns
        customer = self.code(self.cell(cells, columns.customer), "customer") or None
        if made.country is None:
            made.customer = customer
            made.country = self.cell(cells, columns.country)[:64] or self.profile.entity.country
            made.customer_name = self.cell(cells, columns.customer_name)[:_LONGEST_NAME] or None
        elif customer != made.customer:
            raise Rejected(
                f"another customer ({customer or 'none'}) than the document's first line ({made.customer or 'none'})"
            )

    def _outcome(self, made: Document, line: Line) -> None:
        """What the line becomes, by the kind of its document and its signs."""
        rules, negative = self.profile.sale, line.quantity < 0
        if made.kind == "debt":
            line.outcome = "debt_journal"
        elif line.price < 0 or (line.amount is not None and line.amount < 0):
            raise Rejected(f"a price of {line.price} is below zero")
        elif made.kind == "return":
            if not negative:
                raise Rejected("a return gives back: its quantities are below zero in this file")
            line.outcome = "return_line"
        elif negative:
            if line.price or not rules.adjust_negative_at_price_zero:
                raise Rejected("a sale with a quantity below zero; what is given back is a document of its own")
            if line.is_charge:
                raise Rejected("a charge has no stock to correct")
            line.outcome = "adjustment"
        elif line.price or line.amount:
            line.outcome = "charge_line" if line.is_charge else "order_line"
        elif line.is_charge:
            line.outcome = "charge_line"
        elif made.customer is None and rules.adjust_unnamed_at_price_zero:
            line.outcome = "adjustment"
        else:
            line.outcome = "free_line"

    def _extras(self, line: Line, cells: Sequence[str]) -> None:
        """Shipment, supply, freight, and what is kept in the file's own words."""
        columns, supply = self.profile.columns, self.profile.supply
        line.shipment = self.cell(cells, columns.shipment)[:LONGEST_KEY] or None
        word = self.cell(cells, columns.supply)
        line.drop_ship = word in supply.drop_ship
        if columns.supply and not line.drop_ship and word not in supply.stock:
            raise Rejected(f"“{word[:40]}” is no way of supply that the profile knows")
        if columns.freight or columns.weight or columns.insurance:
            freight, freight_words = self._amount_or_words(cells, columns.freight, 6)
            weight, weight_words = self._amount_or_words(cells, columns.weight, 3)
            insurance, _ = self._amount_or_words(cells, columns.insurance, 6)
            line.freight = Freight(
                freight=freight,
                freight_note=freight_words,
                weight_kg=weight,
                weight_note=weight_words,
                insurance=insurance,
            )
        if self.profile.keep:
            line.kept = orjson.dumps(
                {name: self._kept(cells, column) for name, column in self.profile.keep.items()}
            ).decode()

    def _kept(self, cells: Sequence[str], column: str) -> str:
        """What is kept: a day as a day, anything else in the file's own words."""
        text = self.cell(cells, column)
        found = self.instant(text, column) if text else None
        return found.day.isoformat() if found else text

    def _amount_or_words(
        self, cells: Sequence[str], column: str | None, places: int
    ) -> tuple[Decimal | None, str | None]:
        text = self.cell(cells, column)
        if not text:
            return None, None
        try:
            number = self._number(text)
        except Rejected:
            return None, text
        return (number, None) if number == round(number, places) else (None, text)


def readable(text: str) -> str:
    """Text that any database holds: what is not of the encoding shows as its bytes, zero bytes as a sign."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", "␀")[:4000]
