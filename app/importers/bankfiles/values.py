"""What do amounts, days and texts of a bank's file mean? What cannot be read says why, in words for the person who asks the bank."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.money import places, to_minor

_PLAIN = re.compile(r"[0-9]{1,15}(\.[0-9]{0,12})?")
#: The most a file may hold; a bank's day has fewer.
MOST_BYTES, MOST_LINES = 20_000_000, 50_000


class Unreadable(Exception):
    """Why a line, or a whole statement, cannot be read."""


def whole_file(content: bytes) -> bytes:
    """The file, when it is one that may be read; raises ``RuleBroken`` for none and for one that is too long."""
    if not content.strip():
        raise RuleBroken("bank_file_empty", field="file")
    if len(content) > MOST_BYTES:
        raise RuleBroken("bank_file_too_long", field="file", most=MOST_BYTES // 1_000_000)
    return content


def text_of(content: bytes) -> str:
    """The text of a file that does not say in which character set it is: UTF-8, or what Windows and SWIFT machines write.

    Raises ``Unreadable`` for one that is none.
    """
    found = _decoded(content)
    if "\0" in found:
        raise Unreadable("the file is no text, or in a character set that it does not name")
    return found


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError as error:
            raise Unreadable("the file is cut off in the middle of a character") from error
    for charset in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(charset)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def minor_of(text: str, currency: str, *, mark: str = ".") -> int:
    """An amount without sign in minor units; raises ``Unreadable`` for what is none or has more decimals than the currency."""
    found = text.strip().replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    # What parts thousands has three digits behind it: a point before two is the decimal mark of somebody else.
    found = re.sub(rf"{'[.]' if mark == ',' else ','}(?=[0-9]{{3}}(?:\D|$))", "", found)
    if mark == ",":
        if "." in found:
            raise Unreadable(f"“{text.strip()[:40]}” is written with a point where a comma is due")
        found = found.replace(",", ".")
    if not _PLAIN.fullmatch(found):
        raise Unreadable(f"“{text.strip()[:40]}” is no amount")
    value = Decimal(found.removesuffix("."))
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places(currency):
        raise Unreadable(f"“{text.strip()[:40]}” has more decimals than {currency} has ({places(currency)})")
    return to_minor(value, currency)


def day_of(text: str, form: str = "%Y-%m-%d") -> date:
    """A day as it is written; raises ``Unreadable`` for one that no calendar has."""
    try:
        found = datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - a day of the bank, in no time zone
    except ValueError as error:
        raise Unreadable(f"“{text.strip()[:40]}” is no day") from error
    if not 1990 <= found.year <= 2100:
        raise Unreadable(f"“{text.strip()[:40]}” is no day of these times")
    return found


def clean(text: str | None, longest: int = 500) -> str:
    """One line of printable text."""
    kept = "".join(mark if mark.isprintable() else " " for mark in text or "")
    return " ".join(kept.split())[:longest]
