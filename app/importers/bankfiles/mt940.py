"""What does an MT940 message say? Tags with their lines; what stands in :86: by its sub-fields or as it is."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from app.importers.bankfiles.values import Unreadable, clean, day_of, minor_of, text_of
from erpcore.billing.bank import BankLine, TakeStatement

_TAG = re.compile(r"^:(\d{2}[A-Z]?):", re.MULTILINE)
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})([\d.,]+)")
_ENTRY = re.compile(
    r"(?P<day>\d{6})(?P<entry>\d{4})?(?P<sign>R?[CD])(?P<funds>[A-Z])?(?P<amount>[\d.,]+?)(?P<kind>[NSF][A-Z0-9]{3})"
    r"(?P<ref>[^/\n]*(?:/(?!/)[^/\n]*)*)(?://(?P<bank>[^\n]*))?(?:\n(?P<more>.*))?", re.DOTALL,
)  # fmt: skip
_SUB = re.compile(r"\?(\d{2})")
_WORD = re.compile(r"(EREF|KREF|SVWZ|IBAN)\+")


def read_mt940(content: bytes) -> list[TakeStatement]:
    """The statements of a file; raises ``Unreadable`` for one that is no MT940."""
    text = text_of(content).replace("\r\n", "\n").replace("\r", "\n")
    fields = _fields(text)
    starts = [at for at, (tag, _) in enumerate(fields) if tag == "20"]
    if not starts:
        raise Unreadable("the file holds no statement of MT940")
    return [_statement(fields[start:end]) for start, end in zip(starts, [*starts[1:], len(fields)], strict=True)]


def _fields(text: str) -> list[tuple[str, str]]:
    found = list(_TAG.finditer(text))
    ends = [*[one.start() for one in found[1:]], len(text)]
    return [
        (one[1], re.sub(r"\n-\}?\s*$|\n-\s*\{.*$", "", text[one.end() : end], flags=re.DOTALL).strip("\n"))
        for one, end in zip(found, ends, strict=True)
    ]


def _statement(fields: list[tuple[str, str]]) -> TakeStatement:
    said = {tag: value.strip() for tag, value in reversed(fields)}
    opening, closing = said.get("60F", said.get("60M")), said.get("62F", said.get("62M"))
    currency = opening[7:10] if opening and len(opening) > 10 else ""
    fault, sums = "", list[int | None]()
    for name, value in (("opening", opening), ("closing", closing)):
        try:
            sums.append(_balance(value, currency, name))
        except Unreadable as unread:
            fault = fault or str(unread)
            sums.append(None)
    account = said.get("25", "").split("\n")[0].replace(" ", "")
    return TakeStatement(
        format="mt940", reference=clean(f"{said.get('28C', '')} {said.get('20', '')}", 120) or "–",
        account=account.rpartition("/")[2] or account, currency=currency, opening_minor=sums[0], closing_minor=sums[1],
        fault=fault, lines=_lines(fields, currency),
    )  # fmt: skip


def _balance(value: str | None, currency: str, name: str) -> int:
    if not value:
        raise Unreadable(f"the statement has no {name} balance")
    found = _BALANCE.fullmatch(value)
    if found is None:
        raise Unreadable(f"“{value[:40]}” is no {name} balance")
    if found[3] != currency:
        raise Unreadable(f"the {name} balance is in {found[3]}, the account in {currency}")
    minor = minor_of(found[4], currency, mark=",")
    return minor if found[1] == "C" else -minor


def _lines(fields: list[tuple[str, str]], currency: str) -> list[BankLine]:
    out: list[BankLine] = []
    for tag, value in fields:
        if tag == "61":
            out.append(_entry(value, currency))
        elif tag == "86" and out:
            out[-1] = _described(out[-1], value)
    return out


def _entry(value: str, currency: str) -> BankLine:
    raw = f":61:{value}"[:4000]
    found = _ENTRY.fullmatch(value)
    if found is None:
        return BankLine(raw=raw, fault="the entry is not as :61: has to be")
    try:
        valued = day_of(found["day"], "%y%m%d")
        booked = _entry_day(found["entry"], valued) if found["entry"] else valued
        minor = minor_of(found["amount"], currency or "EUR", mark=",")
    except Unreadable as unread:
        return BankLine(raw=raw, fault=str(unread))
    sign = 1 if found["sign"] in ("C", "RD") else -1
    reference = clean(found["ref"], 120)
    return BankLine(
        raw=raw, booked_on=booked, valued_on=valued, amount_minor=sign * minor, is_return=found["sign"].startswith("R"),
        bank_ref=clean(found["bank"], 120), end_to_end="" if reference in ("NONREF", "") else reference,
        text=clean(found["more"]),
    )  # fmt: skip


def _entry_day(text: str, valued: date) -> date:
    """The day of booking, which names no year: the one that is nearest to the day of value."""
    found = [day_of(f"{year:04d}{text}", "%Y%m%d") for year in _years(text, valued)]
    return min(found, key=lambda day: abs((day - valued).days))


def _years(text: str, valued: date) -> list[int]:
    years = [valued.year - 1, valued.year, valued.year + 1]
    # The last of February is there in some years only: then those that have it are meant.
    return [year for year in years if text != "0229" or (year % 4 == 0 and year % 100) or year % 400 == 0] or years


def _described(line: BankLine, value: str) -> BankLine:
    flat = value.replace("\n", "")
    parts = _SUB.split(flat)
    subs: dict[str, str] = {}
    for code, said in zip(parts[1::2], parts[2::2], strict=True):
        subs[code] = subs.get(code, "") + said
    if not subs:
        return replace(line, text=clean(f"{line.text} {value}"), raw=f"{line.raw}\n:86:{value}"[:4000])
    told = "".join(subs.get(f"{code}", "") for code in (*range(20, 30), *range(60, 64)))
    words = _WORD.split(told)
    named = dict(zip(words[1::2], words[2::2], strict=True))
    return replace(
        line, raw=f"{line.raw}\n:86:{value}"[:4000], text=clean(named.get("SVWZ") or told),
        name=clean(f"{subs.get('32', '')}{subs.get('33', '')}", 300), payer=clean(subs.get("31", "")).replace(" ", "")[:64],
        end_to_end=clean(named.get("EREF") or line.end_to_end, 120),
        is_return=line.is_return or parts[0].strip().startswith(("108", "109")),
    )  # fmt: skip
