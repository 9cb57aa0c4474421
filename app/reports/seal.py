"""Is this file as it was written? A PDF that carries a digest over all of its own bytes.

The digest stands in a stream object of the file, where PDF/A allows it. It is SHA-256 over the whole file with 64 zeros in its
own place, so there is no byte that it does not cover: not the attachments alone, not the pages alone, also the digest itself.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

_LABEL: Final = b"Wavegate-Seal sha-256 "
_EMPTY: Final = b"0" * 64
_FOUND: Final = re.compile(rb"stream\r?\n" + re.escape(_LABEL) + rb"([0-9a-f]{64})\r?\nendstream")


def placeholder() -> bytes:
    """What a file holds before it is sealed."""
    return _LABEL + _EMPTY


def seal(content: bytes) -> bytes:
    """The file with its digest in place. ValueError for a file that has no place for it, or several."""
    place = _place(content)
    if place is None or content[place : place + 64] != _EMPTY:
        raise ValueError("the file has no empty place for a digest, or more than one")
    return _filled(content, place, digest_of(content).encode())


def digest_of(content: bytes) -> str:
    """SHA-256 over the file with zeros where its digest stands; over the file as it is where it has no such place."""
    place = _place(content)
    return sha256(content if place is None else _filled(content, place, _EMPTY)).hexdigest()


def carried(content: bytes) -> str | None:
    """The digest that the file carries; ``None`` where it carries none, or where more than one place could be meant."""
    place = _place(content)
    return None if place is None else content[place : place + 64].decode("ascii")


def _place(content: bytes) -> int | None:
    found = [match.start(1) for match in _FOUND.finditer(content)]
    return found[0] if len(found) == 1 and content.count(_LABEL) == 1 else None


def _filled(content: bytes, place: int, digest: bytes) -> bytes:
    return content[:place] + digest + content[place + 64 :]
