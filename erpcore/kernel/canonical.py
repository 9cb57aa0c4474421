"""One byte string for one content: the form that is hashed, signed and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson

#: Most of what is ever asked: seen by its type at once.
_AS_THEY_ARE = frozenset({type(None), bool, int, str})


def plain(value: Any) -> Any:
    """``value`` as dicts, lists, strings, integers and booleans; decimals become strings, floats are refused."""
    if type(value) in _AS_THEY_ARE or isinstance(value, int):
        return value
    if type(value) in (list, tuple):
        return [each if type(each) in _AS_THEY_ARE else plain(each) for each in value]
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a naive datetime has no canonical form")
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    raise TypeError(f"{type(value).__name__} has no canonical form")


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces; the same content always gives the same bytes."""
    return orjson.dumps(plain(value), option=orjson.OPT_SORT_KEYS)


def fingerprint(value: Any) -> str:
    """SHA-256 over the canonical JSON, as 64 hexadecimal digits."""
    return sha256(canonical_json(value)).hexdigest()
