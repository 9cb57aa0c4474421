"""Which orders does a file hold? Rows of one name are one order; codes stand for site, channel, customer and item.

The rows are kept as text and given a meaning whenever they are looked at: what was unknown yesterday may be known today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.importers.sheets import Layout, ReadSheet, read_day, read_sheet
from erpcore.kernel.canonical import fingerprint
from erpcore.kernel.errors import DomainError, NotFound, RuleBroken
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.quantity import parse_quantity
from erpcore.kernel.rows import chunks
from erpcore.masterdata.addresses import CustomerAddress
from erpcore.masterdata.models import Channel, Customer, Item, Site
from erpcore.masterdata.queries import find_by_code
from erpcore.orders.commands import CaptureOrder, NewLine

#: What a row says of its whole order, and of its line.
HEAD = ("order", "site", "channel", "customer", "customer_reference", "wanted_on", "ship_to", "rush")
LINE = (
    "item", "quantity", "unit", "unit_price", "price_reason", "line_wanted_on", "line_ship_to", "line_rush", "drop_ship",
)  # fmt: skip
COLUMNS = (*HEAD, *LINE)
#: The columns of rows that were kept before orders in files could say all that typed ones do.
_FORMER = (*HEAD[:6], *LINE[:5])
MOST_ORDERS = 300
#: Characters of an order's name and of its customer's reference; an order keeps no more.
MOST_LETTERS = 120
LAYOUT = Layout(
    columns=COLUMNS, required=frozenset({"order", "site", "channel", "customer", "item", "quantity"}), model="template",
    most_rows=3_000,
)  # fmt: skip
#: The template: three lines of one order, the last a charge, and one line of another.
EXAMPLE = tuple(
    tuple(row.get(column, "") for column in COLUMNS)
    for row in (
        {
            "order": "A-1", "site": "DUI", "channel": "wholesale", "customer": "10482", "customer_reference": "PO-7741",
            "ship_to": "main", "item": "40-0", "quantity": "12",
        },
        {"order": "A-1", "item": "40-1", "quantity": "3", "line_wanted_on": "2027-01-27", "line_ship_to": "YARD"},
        {"order": "A-1", "item": "FREIGHT", "quantity": "1"},
        {
            "order": "A-2", "site": "DUI", "channel": "wholesale", "customer": "10482", "wanted_on": "2027-01-29",
            "rush": "yes", "item": "40-0", "quantity": "5", "unit_price": "9.50", "price_reason": "agreed by telephone",
        },
    )
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SheetOrder:
    """An order of a file: its name there, the numbers of its rows, and the command it means, or the row that is wrong and why."""

    name: str
    rows: tuple[int, ...]
    command: CaptureOrder | None = None
    why: DomainError | None = None
    wrong: int | None = None

    @property
    def key(self) -> str:
        """What says that it is the same order: the customer and its name, in whatever file it comes."""
        return f"{self.command.customer}:{self.name}" if self.command else ""

    @property
    def digest(self) -> str:
        """Of what it orders; how a number is written does not matter."""
        c = self.command
        lines = [
            [
                line.item, scaled_int(line.quantity, QUANTITY_PLACES), line.unit,
                None if line.unit_price is None else scaled_int(line.unit_price, PRICE_PLACES), line.price_reason,
            ]
            for line in c.lines
        ] if c else []  # fmt: skip
        head = [c.site, c.channel, c.customer_reference, c.requested_on and c.requested_on.isoformat()] if c else []
        more = _more(c) if c else []
        return fingerprint([head, lines, more] if more else [head, lines])


def _more(command: CaptureOrder) -> list[Any]:
    """What an order says of addresses, wishes of lines and rush; nothing of one that says nothing, so that it stays known."""
    lines = [
        [line.requested_on and line.requested_on.isoformat(), line.ship_to, line.rush, line.drop_ship]
        for line in command.lines
    ]
    more = [command.ship_to, command.rush, lines]
    said = command.ship_to or command.rush or any(any(line) for line in lines)
    return more if said else []


@dataclass(frozen=True)
class _Codes:
    """``addresses`` are those of customers, by customer and code."""

    sites: Mapping[str, int]
    channels: Mapping[str, int]
    customers: Mapping[str, int]
    items: Mapping[str, int]
    addresses: Mapping[tuple[int, str], int]


class _WrongRow(Exception):
    """A row that means nothing, and why."""

    def __init__(self, row: int, why: DomainError) -> None:
        super().__init__(why.code)
        self.row, self.why = row, why


def read_orders(file_name: str, stream: IO[bytes]) -> ReadSheet:
    """The file's rows. Raises ``RuleBroken`` for one that is too large, damaged, packed to do harm, or has other columns."""
    read = read_sheet(file_name, stream, LAYOUT)
    count = len({row[1] for row in read.content if _is_row(row)})
    if count > MOST_ORDERS:
        raise RuleBroken("order_file_too_many", field="file", orders=count, most=MOST_ORDERS)
    return read


def orders_of(session: Session, entity: int, content: Sequence[Sequence[str]]) -> list[SheetOrder]:
    """The orders that the rows mean, in the order of their first rows. Codes are looked up for all rows at once."""
    whole = [cells_of(row) for row in content if _is_row(row)]
    buyers = find_by_code(session, Customer, entity, {row["customer"] for row in whole} - {""})
    codes = _Codes(
        find_by_code(session, Site, entity, {row["site"] for row in whole} - {""}),
        {row.code: row.id for row in session.execute(select(Channel.code, Channel.id))},
        buyers,
        find_by_code(session, Item, entity, {row["item"] for row in whole} - {""}),
        _addresses(
            session, buyers.values(), {row[column] for row in whole for column in ("ship_to", "line_ship_to")} - {""}
        ),
    )
    named: dict[str, list[tuple[int, dict[str, str]]]] = {}
    out: dict[str, SheetOrder] = {}
    for row in content:
        number = int(row[0])
        if not _is_row(row):
            name = f"row {number}"
            out[name] = SheetOrder(
                name=name, rows=(number,), wrong=number, why=RuleBroken("price_row_unreadable", why=row[1])
            )
            continue
        if not row[1]:
            name = f"row {number}"
            nameless = RuleBroken("order_file_nameless", field="order")
            out[name] = SheetOrder(name=name, rows=(number,), wrong=number, why=nameless)
            continue
        name = row[1]
        named.setdefault(name, []).append((number, cells_of(row)))
        out.setdefault(name, SheetOrder(name=name, rows=()))
    for name, rows in named.items():
        out[name] = _order(name, rows, codes)
    return list(out.values())


def _order(name: str, rows: Sequence[tuple[int, dict[str, str]]], codes: _Codes) -> SheetOrder:
    numbers = tuple(number for number, _ in rows)
    try:
        return SheetOrder(name=name, rows=numbers, command=_command(rows, codes))
    except _WrongRow as wrong:
        return SheetOrder(name=name, rows=numbers, why=wrong.why, wrong=wrong.row)


def _command(rows: Sequence[tuple[int, dict[str, str]]], codes: _Codes) -> CaptureOrder:
    first, head = rows[0]
    for column in ("order", "customer_reference"):
        if len(head[column]) > MOST_LETTERS:
            raise _WrongRow(
                first, RuleBroken("order_file_cell_long", field=column, column=_said(column), most=MOST_LETTERS)
            )
    for number, row in rows[1:]:
        for column in HEAD[1:]:
            if row[column] and row[column] != head[column]:
                raise _WrongRow(
                    number, RuleBroken("order_file_rows_differ", field=column, column=_said(column), row=first)
                )
    buyer = codes.customers.get(head["customer"], 0)
    lines = []
    for number, row in rows:
        try:
            lines.append(_line(row, codes, buyer))
        except (RuleBroken, NotFound) as refusal:
            raise _WrongRow(number, refusal) from refusal
    try:
        return CaptureOrder(
            site=_code(head, "site", codes.sites), channel=_code(head, "channel", codes.channels),
            customer=_code(head, "customer", codes.customers), customer_reference=head["customer_reference"] or None,
            requested_on=_day(head, "wanted_on"), ship_to=_address(head, "ship_to", codes, buyer), rush=_yes(head, "rush"),
            lines=lines,
        )  # fmt: skip
    except (RuleBroken, NotFound) as refusal:
        raise _WrongRow(first, refusal) from refusal


def _line(row: Mapping[str, str], codes: _Codes, buyer: int) -> NewLine:
    if not row["quantity"]:
        raise RuleBroken("order_file_cell_empty", field="quantity", column="quantity")
    price = row["unit_price"]
    return NewLine(
        item=_code(row, "item", codes.items), unit=row["unit"] or None, price_reason=row["price_reason"] or None,
        quantity=parse_quantity(row["quantity"], places=QUANTITY_PLACES, field="quantity"),
        unit_price=parse_quantity(price, places=PRICE_PLACES, field="unit_price") if price else None,
        requested_on=_day(row, "line_wanted_on"), ship_to=_address(row, "line_ship_to", codes, buyer),
        rush=_yes(row, "line_rush"), drop_ship=_yes(row, "drop_ship"),
    )  # fmt: skip


def _day(row: Mapping[str, str], column: str) -> date | None:
    return read_day(row[column], column) if row[column] else None


def _yes(row: Mapping[str, str], column: str) -> bool:
    text = row[column].lower()
    if text in ("", "no"):
        return False
    if text != "yes":
        raise RuleBroken("order_file_yes", field=column, column=_said(column), value=row[column])
    return True


def _address(row: Mapping[str, str], column: str, codes: _Codes, buyer: int) -> int | None:
    """The customer's address of that code. Of an unknown customer nothing is said here: the customer is what is wrong."""
    code = row[column]
    if not code or not buyer:
        return None
    if (buyer, code) not in codes.addresses:
        raise NotFound("order_file_address", field=column, code=code)
    return codes.addresses[buyer, code]


def _addresses(session: Session, buyers: Iterable[int], codes: Iterable[str]) -> dict[tuple[int, str], int]:
    """Addresses that no other has followed, by customer and code; one question for each thousand customers."""
    wanted = set(codes)
    out: dict[tuple[int, str], int] = {}
    for part in chunks(sorted(set(buyers))) if wanted else ():
        query = select(CustomerAddress.customer_id, CustomerAddress.code, CustomerAddress.id).where(
            CustomerAddress.customer_id.in_(part), CustomerAddress.followed_by.is_(None)
        )
        out.update({(row.customer_id, row.code): row.id for row in session.execute(query) if row.code in wanted})
    return out


def _code(row: Mapping[str, str], column: str, known: Mapping[str, int]) -> int:
    text = row[column]
    if not text:
        raise RuleBroken("order_file_cell_empty", field=column, column=_said(column))
    if text not in known:
        raise NotFound("price_code_unknown", field=column, what=_said(column), code=text)
    return known[text]


def _said(column: str) -> str:
    return column.replace("_", " ")


def _is_row(row: Sequence[str]) -> bool:
    """Whether a kept row was read; of another there is its number and why it was not."""
    return len(row) in (len(COLUMNS) + 1, len(_FORMER) + 1)


def cells_of(row: Sequence[str]) -> dict[str, str]:
    """The cells of a kept row by their columns; of one that could not be read there is only why."""
    if not _is_row(row):
        return dict.fromkeys(COLUMNS, "") | {"order": row[1]}
    names = COLUMNS if len(row) == len(COLUMNS) + 1 else _FORMER
    return dict.fromkeys(COLUMNS, "") | dict(zip(names, row[1:], strict=True))
