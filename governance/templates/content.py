"""What does a template say? Facts, and sections of rows; each cell is text that means something or is refused by its name.

A section is one text to read and to type: a row a line, its cells parted by semicolons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from erpcore.kernel.canonical import canonical_json, fingerprint
from erpcore.kernel.clock import out_of_time
from erpcore.kernel.errors import RuleBroken

MOST_ROWS: Final = 2000
LONGEST_CELL: Final = 300
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class PlaceKind(StrEnum):
    """What a template makes."""

    SITE = "site"
    ENTITY = "entity"
    CHANNEL = "channel"


class Cell(StrEnum):
    """What a cell holds."""

    TEXT = "text"
    CODE = "code"
    COUNT = "count"
    AMOUNT = "amount"
    TIME = "time"
    DAY = "day"
    WEEKDAY = "weekday"
    WEEKDAYS = "weekdays"


@dataclass(frozen=True, kw_only=True)
class Column:
    """A cell of a row, or a fact. ``choices``: the words it may be, where there are few; ``longest``: what a place has room for."""

    name: str
    title: str
    cell: Cell = Cell.TEXT
    is_needed: bool = True
    choices: tuple[str, ...] = ()
    longest: int = LONGEST_CELL


@dataclass(frozen=True, kw_only=True)
class Section:
    """Rows of one kind. No two have the same cells in the columns of ``key``."""

    name: str
    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    example: str


def _code(name: str, title: str, *, needed: bool = True, longest: int = 120) -> Column:
    return Column(name=name, title=title, cell=Cell.CODE, is_needed=needed, longest=longest)


def _country(title: str = "country") -> Column:
    return Column(name="country", title=title, longest=64)


def _count(name: str, title: str, *, needed: bool = True) -> Column:
    return Column(name=name, title=title, cell=Cell.COUNT, is_needed=needed)


_POLICIES = Section(
    name="policies", title="Policy values to propose", key=("point",), example="partial_shipment; false",
    columns=(_code("point", "point"), Column(name="value", title="value")),
)  # fmt: skip
_COMMITMENTS = Section(
    name="commitments", title="What customers are promised", key=("channel", "group"),
    example="wholesale; ; ship; 2; 1; 14:00; 0; 1",
    columns=(
        _code("channel", "channel"), _code("group", "customer group", needed=False),
        Column(name="basis", title="basis", choices=("ship", "delivery")), _count("lead_days", "lead days"),
        _count("transit_days", "days on the way"), Column(name="cut_off", title="cut-off", cell=Cell.TIME, is_needed=False),
        _count("early_days", "days early"), _count("late_days", "days late"),
        Column(name="weekdays", title="weekdays", cell=Cell.WEEKDAYS, is_needed=False),
        _count("fill_permille", "fill, per mille", needed=False),
    ),
)  # fmt: skip
_SITE_SECTIONS = (
    Section(
        name="hours", title="Working hours", key=("weekday",), example="Mon; 08:00; 17:00",
        columns=(
            Column(name="weekday", title="weekday", cell=Cell.WEEKDAY), Column(name="opens", title="opens", cell=Cell.TIME),
            Column(name="closes", title="closes", cell=Cell.TIME),
        ),
    ),
    Section(
        name="closed", title="Closed days", key=("day",), example="2027-01-01",
        columns=(Column(name="day", title="day", cell=Cell.DAY),),
    ),
    Section(
        name="zones", title="Zones", key=("code",), example="A; Racks",
        columns=(_code("code", "code"), Column(name="name", title="name")),
    ),
    Section(
        name="locations", title="Locations", key=("code",), example="A-01-01; storage; A; 10",
        columns=(
            _code("code", "code"), _code("kind", "kind"), _code("zone", "zone", needed=False), _count("walk", "place on the way"),
        ),
    ),
    Section(
        name="collections", title="Collections by carriers", key=("carrier", "service", "weekday"),
        example="RHEIN; standard; Mon; 16:00",
        columns=(
            _code("carrier", "carrier"), _code("service", "service"), Column(name="weekday", title="weekday", cell=Cell.WEEKDAY),
            Column(name="cut_off", title="cut-off", cell=Cell.TIME),
        ),
    ),
    _COMMITMENTS,
    Section(
        name="lanes", title="What it takes to serve countries", key=("country",), example="Germany; 1; 450",
        columns=(
            _country(), _count("transit_days", "days on the way"),
            _count("cost_minor", "cost of a line in minor units"),
        ),
    ),
    _POLICIES,
    Section(
        name="roles", title="People it needs", key=("role",), example="site_lead; 1",
        columns=(_code("role", "role"), _count("people", "people")),
    ),
)  # fmt: skip
_ENTITY_SECTIONS = (
    Section(
        name="accounts", title="Chart of accounts", key=("code",), example="1200; Trade receivables; asset; receivable",
        columns=(
            _code("code", "code", longest=24), Column(name="name", title="name"), _code("kind", "kind"),
            _code("role", "role of the postings", needed=False),
        ),
    ),
    Section(
        name="taxes", title="Tax rates", key=("country", "customers", "items"), example="Germany; *; *; 0.19",
        columns=(
            _country(), Column(name="customers", title="tax class of customers", longest=24),
            Column(name="items", title="tax class of items", longest=24), Column(name="rate", title="rate", cell=Cell.AMOUNT),
        ),
    ),
    Section(
        name="services", title="Carriers and their services", key=("carrier", "service"),
        example="RHEIN; Rheinfracht; standard; Standard; 1; 4.50; 0.12",
        columns=(
            _code("carrier", "carrier"), Column(name="carrier_name", title="its name"), _code("service", "service"),
            Column(name="service_name", title="its name"), _count("transit_days", "days on the way"),
            Column(name="base_charge", title="charge", cell=Cell.AMOUNT), Column(name="per_kg", title="per kg", cell=Cell.AMOUNT),
        ),
    ),
    _POLICIES,
)  # fmt: skip
SECTIONS: Final[Mapping[PlaceKind, tuple[Section, ...]]] = {
    PlaceKind.SITE: _SITE_SECTIONS, PlaceKind.ENTITY: _ENTITY_SECTIONS, PlaceKind.CHANNEL: (_COMMITMENTS, _POLICIES),
}  # fmt: skip
_ZONE = Column(name="time_zone", title="Time zone")
FACTS: Final[Mapping[PlaceKind, tuple[Column, ...]]] = {
    PlaceKind.SITE: (
        Column(
            name="kind", title="Kind", choices=("distribution_centre", "branch", "store", "third_party", "drop_ship")
        ),
        _country("Country"), Column(name="region", title="Region", is_needed=False, longest=64), _ZONE,
        _code("criteria", "Template of its gate’s criteria", needed=False),
    ),
    PlaceKind.ENTITY: (_country("Country"), _code("currency", "Currency"), _ZONE),
    PlaceKind.CHANNEL: (_count("priority", "Rank for scarce stock, 1 comes first"),),
}  # fmt: skip

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a template says: facts by name, and the rows of each section by its name."""

    kind: PlaceKind
    facts: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    def of(self, section: str) -> Sequence[Row]:
        """The rows of a section, none where nothing is said."""
        return self.rows.get(section, ())

    def plain(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "facts": dict(self.facts),
            "rows": {name: [dict(row) for row in rows] for name, rows in self.rows.items() if rows},
        }

    def text(self) -> str:
        """As it is kept, as text."""
        return canonical_json(self.plain()).decode()

    def digest(self) -> str:
        """The same for the same content."""
        return fingerprint(self.plain())


def checked(kind: PlaceKind, facts: Mapping[str, str], rows: Mapping[str, Sequence[Row]]) -> Content:
    """The content with its cells in one form. Raises ``RuleBroken`` naming the section, row and column that mean nothing."""
    known = {section.name for section in SECTIONS[kind]}
    if strange := sorted({*facts} - {one.name for one in FACTS[kind]}) or sorted(set(rows) - known):
        raise RuleBroken("template_part_unknown", field=strange[0], part=strange[0], kind=kind)
    said = {one.name: _cell(one, facts.get(one.name, ""), "facts", 0) for one in FACTS[kind]}
    return Content(
        kind=kind, facts=said, rows={one.name: _rows(one, rows.get(one.name, ())) for one in SECTIONS[kind]}
    )  # fmt: skip


def _rows(section: Section, rows: Sequence[Row]) -> list[Row]:
    if len(rows) > MOST_ROWS:
        raise RuleBroken("template_too_long", field=section.name, section=section.title, most=MOST_ROWS)
    out: list[Row] = []
    seen: set[tuple[str, ...]] = set()
    columns = {one.name for one in section.columns}
    for number, row in enumerate(rows, start=1):
        if strange := sorted(set(row) - columns):
            raise RuleBroken("template_part_unknown", field=section.name, part=strange[0], kind=section.title)
        cells = {one.name: _cell(one, row.get(one.name, ""), section.name, number) for one in section.columns}
        key = tuple(cells[name] for name in section.key)
        if key in seen:
            raise RuleBroken("template_row_twice", field=section.name, section=section.title, row=number)
        seen.add(key)
        out.append(cells)
    return out


def _cell(column: Column, value: str, where: str, row: int) -> str:
    """The cell in its one form."""
    text = str(value).strip()
    if not text and not column.is_needed:
        return ""
    found = _READ[column.cell](text)
    if (
        found is None
        or len(found) > column.longest
        or ";" in found
        or len(found.splitlines()) > 1
        or (column.choices and found not in column.choices)
    ):
        raise RuleBroken(
            "template_cell_unusable", field=column.name if where == "facts" else where, row=row, column=column.title,
            value=text[:60], where=where,
        )  # fmt: skip
    return found


def _text(text: str) -> str | None:
    return text or None


def _count_of(text: str) -> str | None:
    return str(int(text)) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _amount(text: str) -> str | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if not value.is_finite() or not 0 <= value < 10**9 or value != round(value, 6):
        return None
    return format(value, "f")


def _time(text: str) -> str | None:
    try:
        return time.fromisoformat(text).strftime("%H:%M") if len(text) == len("00:00") else None
    except ValueError:
        return None


def _day(text: str) -> str | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return None if out_of_time(day) else day.isoformat()


def _weekday(text: str) -> str | None:
    return next((day for day in DAYS if day.lower() == text[:3].lower()), None)


def _weekdays(text: str) -> str | None:
    found = [_weekday(part) for part in text.replace(",", " ").split()]
    return None if not found or None in found else " ".join(day for day in DAYS if day in found)


_READ = {
    Cell.TEXT: _text, Cell.CODE: _text, Cell.COUNT: _count_of, Cell.AMOUNT: _amount, Cell.TIME: _time, Cell.DAY: _day,
    Cell.WEEKDAY: _weekday, Cell.WEEKDAYS: _weekdays,
}  # fmt: skip


def lines_of(section: Section, rows: Sequence[Row]) -> str:
    """Rows as people read and type them; cells at the end that are empty are left out."""
    return "\n".join("; ".join(row[one.name] for one in section.columns).rstrip("; ") for row in rows)


def rows_of(section: Section, text: str) -> list[Row]:
    """Rows as they were typed. Raises ``RuleBroken`` for a line with more cells than the section has."""
    out: list[Row] = []
    for number, line in enumerate((one for one in text.splitlines() if one.strip()), start=1):
        cells = [cell.strip() for cell in line.split(";")]
        if len(cells) > len(section.columns):
            raise RuleBroken(
                "template_row_long", field=section.name, section=section.title, row=number, cells=len(section.columns)
            )
        out.append(dict(zip((one.name for one in section.columns), cells, strict=False)))
    return out
