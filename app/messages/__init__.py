"""Which words does a refusal have? A sentence that names the thing and the way out, for every code of every package.

The domain raises codes and facts; screens, API and command line all say the same sentence. One module per package: add a
line there for every new code. A test finds codes without words, and words whose facts the code does not bring.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from app.messages import (
    closing,
    composition,
    core,
    disputes,
    dunning,
    floor,
    freight,
    governance,
    identity,
    kernel,
    places,
    processes,
    readiness,
    rebates,
    supply,
    surface,
)
from erpcore.kernel.errors import DomainError

#: A sentence with ``{facts}``, or a function that chooses one by the facts.
Words = str | Callable[[Mapping[str, Any]], str]

#: Code → words.
MESSAGES: Mapping[str, Words] = MappingProxyType(
    kernel.MESSAGES
    | closing.MESSAGES
    | core.MESSAGES
    | disputes.MESSAGES
    | dunning.MESSAGES
    | rebates.MESSAGES
    | floor.MESSAGES
    | freight.MESSAGES
    | supply.MESSAGES
    | governance.MESSAGES
    | processes.MESSAGES
    | places.MESSAGES
    | readiness.MESSAGES
    | identity.MESSAGES
    | composition.MESSAGES
    | surface.MESSAGES
)

_VOWELS = frozenset("aeiou")


def with_article(noun: str) -> str:
    """“an order”, “a shipment”: by the first letter, which suffices for what is named here."""
    return f"{'an' if noun[:1].lower() in _VOWELS else 'a'} {noun}"


def sentence(error: DomainError) -> str:
    """What is said about this refusal. A fact that is missing shows as a dash, since a refusal must never fail itself."""
    text = MESSAGES.get(error.code)
    if text is None:
        return f"This is refused: {error.code.replace('_', ' ')}."
    if callable(text):
        text = text(error.facts)
    facts = {name: _shown(value) for name, value in error.facts.items()}
    # Kinds of documents, their states and moves are codes, and people read words; a document's number stays as it is.
    codes = [name for name in ("document", "state", "move") if facts.get(name, "").islower()]
    facts |= {name: facts[name].replace("_", " ") for name in codes}
    return _Lenient().vformat(text, (), facts)


class _Lenient(string.Formatter):
    """Says ``{document!a}`` with its article: “an order”, “a shipment”."""

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        return with_article(str(value)) if conversion == "a" else super().convert_field(value, conversion)

    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
        return kwargs.get(key, "–")


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, StrEnum):
        return value.value.replace("_", " ")
    if isinstance(value, datetime):
        return f"{value:%d %b %Y, %H:%M} UTC"
    if isinstance(value, date):
        return f"{value:%d %b %Y}"
    if isinstance(value, int):
        return str(value)  # most are the numbers of things, and are looked up as they stand
    if isinstance(value, Decimal):
        return f"{value:,}"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_shown(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value))
    return str(value)
