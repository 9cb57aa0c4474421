"""How do money, quantities, pages and versions look in JSON? Numbers that must not lose a digit are strings."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, field_validator

from erpcore.kernel.clock import FIRST_YEAR, LAST_YEAR, out_of_time
from erpcore.kernel.errors import RuleBroken


class Body(BaseModel):
    """Base of what comes in: unknown names are refused, since a misspelt one would be ignored in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_text(cls, value: Any) -> Any:
        """A zero byte is no text: one database would keep it, the other not."""
        if isinstance(value, str) and "\0" in value:
            raise ValueError("this holds a zero byte; leave it out")
        return value

    @field_validator("*")
    @classmethod
    def _is_in_time(cls, value: Any) -> Any:
        """A day at an end of the calendar overflows where it becomes a moment."""
        if any(out_of_time(one) for one in (value if isinstance(value, list) else [value])):
            raise ValueError(f"name a year from {FIRST_YEAR} to {LAST_YEAR}")
        return value


class Answer(BaseModel):
    """Base of what goes out."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


#: Whose figures and documents: the business's own, of practice, of the replaced system.
Realm = Literal["live", "rehearsal", "training", "legacy"]

_DIGITS, _WORD = re.compile(r"[0-9]{1,18}"), re.compile(r"[a-z0-9_.-]{1,64}")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?")


def _exact(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise ValueError("send the number as a string, so that no digit is lost")  # noqa: TRY004  # pydantic reports ValueErrors only
    if not _NUMBER.fullmatch(value):
        raise ValueError("this is not a number; write 12 or 12.5")
    return Decimal(value)


def _plain(value: Decimal) -> str:
    return format(value, "f")


def _exact_string(places: int, sentence: str, example: str) -> Any:
    pattern = rf"^-?(0|[1-9]\d{{0,12}})(\.\d{{1,{places}}})?$"
    return WithJsonSchema({"type": "string", "pattern": pattern, "description": sentence, "examples": [example]})


def _at_most(places: int) -> Any:
    def check(value: Any) -> Decimal:
        number = _exact(value)
        if isinstance(value, Decimal):
            return number  # what goes out is what is there
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > places:
            raise ValueError(f"at most {places} decimal places")
        if abs(number) >= Decimal(10) ** 13:
            raise ValueError("the number is too large")
        return number

    return BeforeValidator(check)


#: An amount of money in its currency.
Amount = Annotated[Decimal, _at_most(4), PlainSerializer(_plain, str), _exact_string(4, "Amount of money.", "129.90")]
#: A price for one unit.
UnitPrice = Annotated[
    Decimal, _at_most(6), PlainSerializer(_plain, str), _exact_string(6, "Price of one unit.", "2.550000")
]
#: A quantity in the item's unit.
Quantity = Annotated[Decimal, _at_most(3), PlainSerializer(_plain, str), _exact_string(3, "Quantity.", "12")]
#: A mark, a share or a weight.
Mark = Annotated[
    Decimal, _at_most(6), PlainSerializer(_plain, str), _exact_string(6, "Mark, share or weight in base units.", "0.95")
]

Item = TypeVar("Item")


class Page(Answer, Generic[Item]):
    """A part of a list. ``next`` is the cursor of the part after it; null: this was the last."""

    items: list[Item]
    next: str | None = Field(description="Send this as `cursor` to read on; null at the end.")


class PageQuery(Body):
    """Where a list goes on, and how much of it is wanted."""

    cursor: str | None = Field(None, max_length=200, description="`next` of the part before.")
    limit: int = Field(50, ge=1, le=200)

    @property
    def after(self) -> int:
        """The number behind which a list goes on that is read by one."""
        (number,) = self.position((int,)) or (0,)
        return int(number)

    def position(self, kinds: Sequence[type]) -> tuple[Any, ...] | None:
        """The key behind which the list goes on, in parts of these types; raises ``RuleBroken`` for a cursor that this list did
        not make.
        """
        if self.cursor is None:
            return None
        try:
            text = base64.urlsafe_b64decode(self.cursor.encode()).decode()
            mark, *parts = text.split(":")
            if mark == "after":
                return tuple(_part(kind, part) for kind, part in zip(kinds, parts, strict=True))
        except ValueError:
            pass  # binascii.Error and UnicodeError are among them
        raise RuleBroken("cursor_unknown", field="cursor")


def _part(kind: type, text: str) -> int | str | date:
    if kind is date:
        return date.fromisoformat(text)
    if kind is str and _WORD.fullmatch(text):
        return text
    if kind is int and _DIGITS.fullmatch(text):
        return int(text)
    raise ValueError("no such part")


def set_filters(query: Body) -> dict[str, Any]:
    """The filters of a list that the query sets, by the names of the list's source; what is left out or off is not set."""
    told = {
        name: getattr(query, name)
        for name in type(query).model_fields
        if name not in ("cursor", "limit", "page", "realm")
    }
    return {name: value for name, value in told.items() if value is not None and value is not False and value != ""}


def page_of(items: list[Item], keys: Sequence[Any], limit: int) -> Page[Item]:
    """A part of a list that was read with ``limit + 1`` rows: the row too many only says that there is more."""
    if len(items) <= limit:
        return Page[Item](items=items, next=None)
    last = keys[limit - 1]
    parts = last if isinstance(last, tuple) else (last,)
    cursor = base64.urlsafe_b64encode(":".join(["after", *map(str, parts)]).encode()).decode()
    return Page[Item](items=items[:limit], next=cursor)
