"""What does a partner's payout file say? CSV or a workbook, by the mapping that a person has set for the partner.

One that cannot be read at all is a payout with a fault and no lines; a line that cannot be read says why.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256

import orjson

from app.importers.bankfiles.table import DAYS
from app.importers.bankfiles.values import MOST_BYTES, MOST_LINES, Unreadable, clean, day_of, minor_of, text_of
from app.importers.sheets import workbook_rows
from erpcore.billing.settling.models import PayoutLineKind
from erpcore.billing.settling.records import lock_partner
from erpcore.billing.settling.taking import PayoutEntry, TakenPayout, TakePayout, map_partner, take_payout
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork

_MINUS = ("-", "\N{MINUS SIGN}")
#: How a workbook begins.
_PACKED = b"PK\x03\x04"
_DELIMITERS = (";", ",", "\t", "|")


@dataclass(frozen=True, kw_only=True, slots=True)
class PayoutMapping:
    """The columns of a partner's files by their headings, and the partner's words for the kinds of lines. Columns for tax, currency
    and text may be empty.
    """

    delimiter: str
    decimal: str
    day_form: str
    day: str
    kind: str
    order: str
    amount: str
    tax: str = ""
    currency: str = ""
    text: str = ""
    kinds: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raise ``RuleBroken`` for a mapping by which nothing could be read."""
        for name, value, among in (
            ("delimiter", self.delimiter, _DELIMITERS), ("decimal", self.decimal, (",", ".")),
            ("day_form", self.day_form, tuple(DAYS)),
        ):  # fmt: skip
            if value not in among:
                raise RuleBroken("choice_unknown", field=name, value=value)
        for name in ("day", "kind", "order", "amount"):
            if not getattr(self, name).strip():
                raise RuleBroken("column_missing", field=name, column=name)
        for word, kind in self.kinds.items():
            if kind not in set(PayoutLineKind) or not word.strip():
                raise RuleBroken(
                    "payout_kinds_unclear", field="kinds", word=f"{word} = {kind}", kinds=list(PayoutLineKind)
                )
        if PayoutLineKind.SALE not in self.kinds.values():
            raise RuleBroken("payout_kinds_unclear", field="kinds", word="", kinds=list(PayoutLineKind))

    @property
    def needed(self) -> list[str]:
        """The headings without which no row is a heading."""
        return [self.day, self.kind, self.order, self.amount]


def kinds_written(text: str) -> dict[str, str]:
    """The partner's words for kinds of lines, one a line: ``Order = sale``. Raises ``RuleBroken`` for a line without both."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        word, sign, kind = line.rpartition("=")
        if not sign or not word.strip():
            raise RuleBroken("payout_kinds_unclear", field="kinds", word=line.strip(), kinds=list(PayoutLineKind))
        found[word.strip()] = kind.strip().lower().replace(" ", "_")
    return found


def read_payout_file(
    content: bytes, file_name: str, mapping: PayoutMapping, *, currency: str
) -> tuple[list[PayoutEntry], str]:
    """The lines of a file, and what is wrong with the whole of it.

    Raises ``RuleBroken`` for an empty or too long file.
    """
    if not content.strip():
        raise RuleBroken("payout_file_empty", field="file")
    if len(content) > MOST_BYTES:
        raise RuleBroken("payout_file_too_long", field="file", most=MOST_BYTES // 1_000_000)
    try:
        rows = _rows(content, file_name, mapping)
        if content.startswith(_PACKED):
            # The cells of a workbook hold numbers and days, however the partner writes them elsewhere.
            mapping = replace(mapping, decimal=".", day_form="2026-02-28")
        lines = _lines(rows, mapping, currency)
    except Unreadable as unread:
        return [], str(unread)
    if len(lines) > MOST_LINES:
        raise RuleBroken("payout_file_too_many", field="file", most=MOST_LINES)
    return lines, ""


def _rows(content: bytes, file_name: str, mapping: PayoutMapping) -> list[list[str]]:
    if content.startswith(_PACKED):
        try:
            return list(workbook_rows(file_name, content))
        except RuleBroken as refused:
            why = refused.facts.get("why") or refused.code.replace("_", " ")
            raise Unreadable(f"the workbook cannot be read ({why})") from refused
    try:
        return list(csv.reader(io.StringIO(text_of(content), newline=""), delimiter=mapping.delimiter, strict=True))
    except csv.Error as error:
        raise Unreadable(f"the file is no table, or is cut off ({error})") from error


def _lines(rows: Sequence[Sequence[str]], mapping: PayoutMapping, currency: str) -> list[PayoutEntry]:
    head = next((at for at, row in enumerate(rows[:30]) if {one.strip() for one in row} >= set(mapping.needed)), None)
    if head is None:
        raise Unreadable(f"no row of the file has the columns {', '.join(mapping.needed)}")
    columns = {name.strip(): at for at, name in enumerate(rows[head]) if name.strip()}
    return [
        _line(row, columns, mapping, currency) for row in rows[head + 1 :] if any(cell.strip() for cell in row)
    ]  # fmt: skip


def _line(row: Sequence[str], columns: dict[str, int], mapping: PayoutMapping, currency: str) -> PayoutEntry:
    raw = clean(mapping.delimiter.join(row), 4000)

    def cell(name: str) -> str:
        at = columns.get(name, -1) if name else -1
        return row[at].strip() if 0 <= at < len(row) else ""

    try:
        if len(row) <= max(columns[name] for name in mapping.needed):
            raise Unreadable("the row is cut off")  # noqa: TRY301 - one way out of a line
        word = cell(mapping.kind)
        kind = next((kind for said, kind in mapping.kinds.items() if said.lower() == word.lower()), None)
        if kind is None:
            raise Unreadable(f"“{clean(word, 60)}” is no kind of line that was named for this partner")  # noqa: TRY301 - as above
        amount, tax = _signed(cell(mapping.amount), mapping, currency), 0
        if cell(mapping.tax):
            # Some write the tax within without the sign of what it is within.
            tax = abs(_signed(cell(mapping.tax), mapping, currency)) * (1 if amount > 0 else -1)
        day = day_of(cell(mapping.day)[: 10 if mapping.day_form == "2026-02-28" else None], DAYS[mapping.day_form])
    except Unreadable as unread:
        return PayoutEntry(raw=raw, fault=str(unread))
    return PayoutEntry(
        raw=raw, kind=kind, booked_on=day, reference=clean(cell(mapping.order), 120), amount_minor=amount, tax_minor=tax,
        currency=cell(mapping.currency).upper()[:3], text=clean(cell(mapping.text)),
    )  # fmt: skip


def _signed(text: str, mapping: PayoutMapping, currency: str) -> int:
    sign = -1 if text.startswith(_MINUS) or text.endswith("-") else 1
    return sign * minor_of(text.strip("+-\N{MINUS SIGN} "), currency, mark=mapping.decimal)


def mapping_of(text: str | None) -> PayoutMapping | None:
    """A mapping as it is kept with a partner; ``None`` where nobody has set one."""
    return None if text is None else PayoutMapping(**orjson.loads(text))


def keep_mapping(work: UnitOfWork, partner: int, mapping: PayoutMapping) -> None:
    """Keep how a partner's files are read."""
    mapping.check()
    map_partner(work, partner, orjson.dumps(asdict(mapping), option=orjson.OPT_SORT_KEYS).decode())


def take_payout_file(
    work: UnitOfWork, partner: int, content: bytes, file_name: str, *, reference: str, total_minor: int | None
) -> TakenPayout:
    """Read a partner's file by its mapping, and take the payout. Raises ``RuleBroken("payout_mapping_missing")`` without one."""
    facts = lock_partner(work, partner)
    mapping = mapping_of(facts.mapping)
    if mapping is None:
        raise RuleBroken("payout_mapping_missing", field="partner", partner=facts.name)
    lines, fault = read_payout_file(content, file_name, mapping, currency=facts.currency)
    command = TakePayout(
        partner=partner, reference=reference, file_name=file_name, digest=sha256(content).hexdigest(), lines=lines, fault=fault,
        total_minor=total_minor,
    )  # fmt: skip
    return take_payout(work, command)
