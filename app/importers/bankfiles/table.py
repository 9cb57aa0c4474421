"""What does a bank's table say? By a mapping that a person has set for the account: which column is what, and how it is written."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date

from app.importers.bankfiles.values import Unreadable, clean, day_of, minor_of, text_of
from erpcore.billing.bank import BankLine, TakeStatement
from erpcore.kernel.errors import RuleBroken

#: How days may be written.
DAYS = {"2026-02-28": "%Y-%m-%d", "28.02.2026": "%d.%m.%Y", "28/02/2026": "%d/%m/%Y", "02/28/2026": "%m/%d/%Y"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapping:
    """The columns of a table by their headings; those for name, payer and reference may be empty."""

    delimiter: str
    decimal: str
    day_form: str
    day: str
    amount: str
    text: str
    name: str = ""
    payer: str = ""
    reference: str = ""

    def check(self) -> None:
        """Raise ``RuleBroken`` for a mapping by which nothing could be read."""
        for field, value, among in (
            ("delimiter", self.delimiter, (";", ",", "\t", "|")), ("decimal", self.decimal, (",", ".")),
            ("day_form", self.day_form, tuple(DAYS)),
        ):  # fmt: skip
            if value not in among:
                raise RuleBroken("choice_unknown", field=field, value=value)
        for field in ("day", "amount", "text"):
            if not getattr(self, field).strip():
                raise RuleBroken("column_missing", field=field, column=field)


def read_table(
    content: bytes, mapping: Mapping, *, account: str, currency: str, opening_minor: int, closing_minor: int
) -> list[TakeStatement]:
    """The statement that a table holds; a table has no balances, so a person says both."""
    try:
        rows = list(csv.reader(io.StringIO(text_of(content), newline=""), delimiter=mapping.delimiter))
    except csv.Error as error:
        raise Unreadable(f"the file is no table ({error})") from error
    wanted = [mapping.day, mapping.amount, mapping.text]
    head = next((at for at, row in enumerate(rows[:30]) if {one.strip() for one in row} >= set(wanted)), None)
    if head is None:
        raise Unreadable(f"no row of the file has the columns {', '.join(wanted)}")
    columns = {name.strip(): at for at, name in enumerate(rows[head])}
    lines, days = [], list[date]()
    for row in rows[head + 1 :]:
        if not any(cell.strip() for cell in row):
            continue
        line = _line(row, columns, mapping, currency)
        lines.append(line)
        if line.booked_on:
            days.append(line.booked_on)
    span = f"{min(days):%Y-%m-%d} – {max(days):%Y-%m-%d}" if days else "–"
    return [
        TakeStatement(
            format="table", reference=span, account=account, currency=currency, opening_minor=opening_minor,
            closing_minor=closing_minor, lines=lines,
        )
    ]  # fmt: skip


def _line(row: list[str], columns: dict[str, int], mapping: Mapping, currency: str) -> BankLine:
    raw = clean(mapping.delimiter.join(row), 4000)

    def cell(name: str) -> str:
        at = columns.get(name, -1) if name else -1
        return row[at].strip() if 0 <= at < len(row) else ""

    try:
        if len(row) < len(columns):
            raise Unreadable("the row is cut off")  # noqa: TRY301 - one way out of a line
        amount = cell(mapping.amount)
        sign = -1 if amount.startswith(("-", "\N{MINUS SIGN}")) or amount.endswith("-") else 1
        minor = minor_of(amount.strip("+-\N{MINUS SIGN} "), currency, mark=mapping.decimal)
        booked = day_of(cell(mapping.day), DAYS[mapping.day_form])
    except Unreadable as unread:
        return BankLine(raw=raw, fault=str(unread))
    return BankLine(
        raw=raw, booked_on=booked, amount_minor=sign * minor, text=clean(cell(mapping.text)),
        name=clean(cell(mapping.name), 300), payer=clean(cell(mapping.payer)).replace(" ", "")[:64],
        end_to_end=clean(cell(mapping.reference), 120),
    )  # fmt: skip
