"""What do the rows of a document say? Rows become lines with a meaning, or lines kept as rejected with the reason.

A line is known by its document and its position in it: equal lines are different lines.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import orjson

from app.importers.profiles import Profile
from app.importers.sources import Header, Row, rows
from erpcore.fulfilment.services import Freight
from erpcore.kernel.clock import zone

#: The key under which lines are kept that name no document, per file.
NO_DOCUMENT = "(no document)"
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,12})?")
_NOON = time(12)
#: What a place in the core can hold of a code and of a name.
_LONGEST_CODE, _LONGEST_NAME, _LONGEST_KEY = 120, 300, 100


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


class Scan(NamedTuple):
    """A first look at a file: its rows, and in which row each document ends."""

    rows: int
    ends: dict[str, int]


def scan(path: Path, profile: Profile) -> Scan:
    """Read the whole file once for where documents end: one may be split by others."""
    header, stream = rows(path, profile)
    key_of = _key_reader(header, profile)
    ends: dict[str, int] = {}
    count = 0
    for row in stream:
        count += 1
        ends[key_of(row)] = row.number
    return Scan(count, ends)


def documents(path: Path, profile: Profile, ends: dict[str, int]) -> Iterator[Document]:
    """The documents of a file, each as soon as its last row is read; at the end the lines that name none."""
    header, stream = rows(path, profile)
    key_of = _key_reader(header, profile)
    reader = LineReader(header, profile)
    open_: dict[str, list[Row]] = defaultdict(list)
    for row in stream:
        key = key_of(row)
        open_[key].append(row)
        if ends.get(key) == row.number and key != NO_DOCUMENT:
            yield reader.document(key, open_.pop(key))
    for key, left in open_.items():
        yield reader.document(key, left)


def _key_reader(header: Header, profile: Profile) -> Callable[[Row], str]:
    """The document's key of a row; a broken row still belongs to the document that it names."""
    position = header.position[profile.columns.document]
    whole = "document" in profile.formats.whole_number_codes
    nothing = frozenset(profile.file.nothing)

    def key_of(row: Row) -> str:
        cells = row.cells
        # A cut-off row names its document only if the next cell has begun.
        if len(cells) <= position or (row.broken and len(cells) <= position + 1):
            return NO_DOCUMENT
        key = cells[position].strip()
        if whole:
            key = key.removesuffix(".0")
        if (
            key in nothing
            or len(key) > _LONGEST_KEY
            or not key.isprintable()
            or cells[position] == header.names[position]
        ):
            return NO_DOCUMENT
        return key

    return key_of


class LineReader:
    """Turns rows into lines by one profile. Numbers and dates are parsed once per distinct text."""

    def __init__(self, header: Header, profile: Profile) -> None:
        self.profile = profile
        self.names = header.names
        c = profile.columns
        self.at = {name: header.position.get(name) if name else None for name in (
            c.item, c.quantity, c.item_name, c.price, c.amount, c.customer, c.customer_name, c.country, c.promised,
            c.delivered, c.shipment, c.supply, c.freight, c.weight, c.insurance, *c.at, *profile.keep.values(),
        )}  # fmt: skip
        self.nothing = frozenset(profile.file.nothing)
        self.zone = zone(profile.entity.time_zone)
        self.number = lru_cache(maxsize=100_000)(self._number)
        self.instant = lru_cache(maxsize=100_000)(self._instant)
        self.is_charge = lru_cache(maxsize=20_000)(profile.is_charge)
        self.integral = lru_cache(maxsize=20_000)(lambda value: value == value.to_integral_value())
        self._cells = itemgetter(*range(len(header.names))) if header.names else None

    def cell(self, row: Row, column: str | None) -> str:
        """The text of a cell, empty where the file has nothing."""
        position = self.at.get(column)
        if position is None:
            return ""
        value = row.cells[position].strip()
        return "" if value in self.nothing else value

    def _number(self, text: str) -> Decimal:
        marks = self.profile.formats
        plain = text.replace(marks.thousands_mark, "") if marks.thousands_mark else text
        if marks.decimal_mark != ".":
            plain = plain.replace(marks.decimal_mark, ".")
        if not _NUMBER.fullmatch(plain):
            raise Rejected(f"“{text[:40]}” is not a number")
        return Decimal(plain)

    def _instant(self, text: str, column: str) -> tuple[datetime, date] | None:
        """The instant and the local day, or ``None`` for words. A day without a time stands at noon."""
        wanted = self.profile.date_format(column)
        try:
            read = datetime.strptime(text, wanted)  # noqa: DTZ007 - the zone is the profile's
        except ValueError:
            return None
        if not 1990 <= read.year <= 2100:
            return None
        if "%H" not in wanted and "%I" not in wanted:
            read = datetime.combine(read.date(), _NOON)
        return read.replace(tzinfo=self.zone).astimezone(UTC), read.date()

    def document(self, key: str, source: list[Row]) -> Document:
        """A document out of its rows, in the order of the file."""
        profile = self.profile
        kind = "rejects" if key == NO_DOCUMENT else profile.kind_of(key)
        made = Document(key, kind)
        seal = blake2b(digest_size=32)
        for position, row in enumerate(source, 1):
            line = Line(position, row.number)
            try:
                if row.broken or key == NO_DOCUMENT:
                    raise Rejected(row.broken or "the line names no document")  # noqa: TRY301 - one way out of a line
                if position > profile.limits.lines:
                    raise Rejected(f"the document has more than {profile.limits.lines} lines")  # noqa: TRY301
                said = self._read(made, line, row)
            except Rejected as rejected:
                said = f"{rejected}\x1f" + "\x1f".join(row.cells)
                line.outcome, line.reason = "rejected", str(rejected)
                line.text = readable(profile.file.delimiter.join(row.cells))
            seal.update(said.encode("utf-8", "surrogatepass"))
            seal.update(b"\x1e")
            line.digest = int.from_bytes(
                blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True
            )
            made.lines.append(line)
        # A document begins with its earliest line.
        made.at = min((line.at for line in made.good if line.at), default=None)
        made.content = seal.hexdigest()
        return made

    def _read(self, made: Document, line: Line, row: Row) -> str:
        """Fill ``line``; returns what it says, in one form whatever the file's. Raises ``Rejected``."""
        columns = self.profile.columns
        item = self.cell(row, columns.item)
        if "item" in self.profile.formats.whole_number_codes:
            item = item.removesuffix(".0")
        if not item or len(item) > _LONGEST_CODE:
            raise Rejected("the line names no item" if not item else f"“{item[:40]}…” is too long for an item")
        line.item, line.item_name = item, self.cell(row, columns.item_name)[:_LONGEST_NAME]
        line.is_charge = self.is_charge(item)
        line.quantity = self._quantity(row)
        line.price, line.amount = self._price(row, line.quantity)
        self._dates(made, line, row)
        self._party(made, row)
        self._outcome(made, line)
        if columns.shipment or self.profile.keep:
            self._extras(line, row)
        return (
            f"{item}\x1f{line.item_name}\x1f{line.quantity.normalize()}\x1f{line.price.normalize()}\x1f{line.amount}\x1f{line.at}"
            f"\x1f{made.customer}\x1f{made.country}\x1f{line.promised}\x1f{line.delivered}\x1f{line.shipment}\x1f{line.kept}"
        )

    def _quantity(self, row: Row) -> Decimal:
        columns, limits = self.profile.columns, self.profile.limits
        quantity: Decimal = self.number(self.cell(row, columns.quantity))
        if not quantity:
            raise Rejected("the quantity is zero")
        if abs(quantity) > limits.quantity:
            raise Rejected(f"a quantity of {quantity} is more than any order here")
        if limits.quantity_places == 0 and not self.integral(quantity):
            raise Rejected(f"a quantity of {quantity} has decimal places, and items are counted in whole units")
        return quantity

    def _price(self, row: Row, quantity: Decimal) -> tuple[Decimal, Decimal | None]:
        columns, limits = self.profile.columns, self.profile.limits
        amount: Decimal | None = None
        if columns.amount:
            amount = self.number(self.cell(row, columns.amount))
            _six_places(amount)
        if columns.price:
            price: Decimal = self.number(self.cell(row, columns.price))
            _six_places(price)
        else:
            # Known from the amount alone; what six places cannot hold stays in the amount.
            price = ((amount or Decimal(0)) / quantity).quantize(Decimal("0.000001"))
        if abs(price) > limits.price:
            raise Rejected(f"a price of {price} is more than any here")
        return price, amount

    def _dates(self, made: Document, line: Line, row: Row) -> None:
        columns = self.profile.columns
        line.promised = self._day(row, columns.promised)
        arrived = self._day_of(row, columns.delivered)
        line.delivered = arrived[1] if arrived else None
        candidates = [self._day_of(row, column, optional=True) for column in columns.at]
        stated = next((one for one in candidates if one and (arrived is None or one[0] <= arrived[0])), arrived)
        if stated is None:
            text = self.cell(row, columns.at[0])
            raise Rejected(
                f"“{text[:40]}” is not a date as the profile writes them" if text else "the line has no date"
            )
        line.day = stated[1]
        line.at = stated[0]

    def _day_of(self, row: Row, column: str | None, *, optional: bool = False) -> tuple[datetime, date] | None:
        if column is None:
            return None
        text = self.cell(row, column)
        found = self.instant(text, column) if text else None
        if found is None and not optional:
            raise Rejected(f"“{text[:40]}” is not a date as the profile writes them in {column}")
        return found

    def _day(self, row: Row, column: str | None) -> date | None:
        found = self._day_of(row, column)
        return found[1] if found else None

    def _party(self, made: Document, row: Row) -> None:
        columns = self.profile.columns
        customer: str | None = self.cell(row, columns.customer) or None
        if customer and "customer" in self.profile.formats.whole_number_codes:
            customer = customer.removesuffix(".0")
        if customer and len(customer) > _LONGEST_CODE:
            raise Rejected("the customer's code is too long")
        country = self.cell(row, columns.country)[:64] or self.profile.entity.country
        if made.country is None:
            made.customer, made.country = customer, country
            made.customer_name = self.cell(row, columns.customer_name)[:_LONGEST_NAME] or None
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

    def _extras(self, line: Line, row: Row) -> None:
        """Shipment, supply, freight, and what is kept in the file's own words."""
        columns, supply = self.profile.columns, self.profile.supply
        line.shipment = self.cell(row, columns.shipment)[:_LONGEST_KEY] or None
        word = self.cell(row, columns.supply)
        line.drop_ship = word in supply.drop_ship
        if columns.supply and not line.drop_ship and word not in supply.stock:
            raise Rejected(f"“{word[:40]}” is no way of supply that the profile knows")
        if columns.freight or columns.weight or columns.insurance:
            freight, freight_words = self._amount_or_words(row, columns.freight, 6)
            weight, weight_words = self._amount_or_words(row, columns.weight, 3)
            insurance, _ = self._amount_or_words(row, columns.insurance, 6)
            line.freight = Freight(
                freight=freight,
                freight_note=freight_words,
                weight_kg=weight,
                weight_note=weight_words,
                insurance=insurance,
            )
        if self.profile.keep:
            line.kept = orjson.dumps(
                {name: self._kept(row, column) for name, column in self.profile.keep.items()}
            ).decode()

    def _kept(self, row: Row, column: str) -> str:
        """What is kept: a day as a day, anything else in the file's own words."""
        found = self._day_of(row, column, optional=True)
        return found[1].isoformat() if found else self.cell(row, column)

    def _amount_or_words(self, row: Row, column: str | None, places: int) -> tuple[Decimal | None, str | None]:
        text = self.cell(row, column)
        if not text:
            return None, None
        try:
            number: Decimal = self.number(text)
        except Rejected:
            return None, text
        return (number, None) if -number.as_tuple().exponent <= places else (None, text)  # type: ignore[operator]


@lru_cache(maxsize=20_000)
def _six_places(value: Decimal) -> None:
    if -value.as_tuple().exponent > 6 and value != round(value, 6):  # type: ignore[operator]  # read from digits
        raise Rejected(f"{value} has more than six decimal places")


def readable(text: str) -> str:
    """Text that any database holds: what is not of the encoding shows as its bytes, zero bytes as a sign."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", "␀")[:4000]
