"""How does a list of the screens become one for programs? By the list's own source: the same filters, the same sight, read on by key.

The query of such a list has a field for every filter of its page, by the name that the page's address has; ``only``, ``part_of``,
``which`` and ``OneOf`` say of what kind it is. What is asked for, what is seen and what is kept back is then decided by the source.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from app.api.values import Body, Page, PageQuery, page_of, set_filters
from app.composition.request import now, reader
from app.queries.listing import EVERY_REALM, Asked, Readable
from app.security.require import actor

R = TypeVar("R")
A = TypeVar("A")

#: As long as words may be that are looked for.
_LONGEST = 120


@dataclass(frozen=True)
class OneOf:
    """A filter whose value is one of these words; another one is refused by the filter's name. Nothing counts as not asked.

    ``words`` may be a function, for words that are known only when everything is loaded.
    """

    words: Sequence[str] | Callable[[], Sequence[str]]

    def known(self) -> list[str]:
        return [str(one) for one in (self.words() if callable(self.words) else self.words)]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._checked)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "enum": self.known()}, {"type": "null"}]}

    def _checked(self, value: Any) -> str | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str) or value.strip() not in self.known():
            raise ValueError(f"this is none of {', '.join(self.known())}")
        return value.strip()


def only(those: str) -> Any:
    """A filter that is on or off."""
    return Field(default=False, description=f"Only {those}.")


def part_of(what: str) -> Any:
    """Words that are looked for."""
    return Field("", max_length=_LONGEST, description=f"A part of {what}.")


def which(words: str) -> Any:
    """A value that is named, or none."""
    return Field(None, description=words)


#: In the query of a list that shows every realm unless one is named.
REALM = Field(None, description="Only of this realm; without it, of all of them.")


def asked_of(query: Body, **values: Any) -> Asked:
    """What the query asks of the list's source; ``values`` are asked besides."""
    realm = getattr(query, "realm", EVERY_REALM) or EVERY_REALM
    return Asked(values={**set_filters(query), **values}, realm=realm)


def listed(
    source: Readable[R],
    query: PageQuery,
    answer: Callable[[R], A],
    *,
    key: Callable[[R], Any] = attrgetter("id"),
    asked: Asked | None = None,
) -> Page[A]:
    """The part of the list that is asked for, in the order of its keys."""
    rows = source.after(
        reader(), actor(), asked or asked_of(query), now(), after=query.position(source.kinds), limit=query.limit + 1
    )
    return page_of([answer(row) for row in rows], [key(row) for row in rows], query.limit)
