"""Which rows belong together? The documents of a file, found however their rows are scattered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import NamedTuple

from app.importers.profiles import Profile
from app.importers.reading import LONGEST_KEY, NO_DOCUMENT, Document, Line, LineReader
from app.importers.sources import Header, Row, rows


class Scan(NamedTuple):
    """A first look at a file: its rows, and in which row each document ends."""

    rows: int
    ends: dict[str, int]


def scan(path: Path, profile: Profile) -> Scan:
    """Read the whole file once for where documents end: one may be split by others."""
    header, stream = rows(path, profile)
    key_of = _key_reader(header, profile)
    ends: dict[str, int] = {}
    count = 0
    for row in stream:
        count += 1
        ends[key_of(row)] = row.number
    return Scan(count, ends)


def documents(
    path: Path, profile: Profile, ends: dict[str, int], *, known: Container[str] = (), sealed: bool = True
) -> Iterator[Document]:
    """The documents of a file, each as soon as its last row is read; at the end the lines that name none.

    Those ``known`` come without a reading of their lines; without ``sealed`` no hashes are taken.
    """
    header, stream = rows(path, profile)
    key_of = _key_reader(header, profile)
    reader = LineReader(header, profile)
    open_: dict[str, list[Row]] = defaultdict(list)
    for row in stream:
        key = key_of(row)
        open_[key].append(row)
        if ends.get(key) == row.number and key != NO_DOCUMENT:
            source = open_.pop(key)
            if key in known:
                yield Document(key, "known", lines=[Line(n, one.number) for n, one in enumerate(source, 1)])
            else:
                yield reader.document(key, source, sealed=sealed)
    for key, left in open_.items():
        yield reader.document(key, left, sealed=sealed)


def _key_reader(header: Header, profile: Profile) -> Callable[[Row], str]:
    """The document's key of a row; a broken row still belongs to the document that it names."""
    position = header.position[profile.columns.document]
    whole = "document" in profile.formats.whole_number_codes
    nothing = frozenset(profile.file.nothing)

    def key_of(row: Row) -> str:
        cells = row.cells
        # A cut-off row names its document only if the next cell has begun.
        if len(cells) <= position or (row.broken and len(cells) <= position + 1):
            return NO_DOCUMENT
        key = cells[position].strip()
        if whole:
            key = key.removesuffix(".0")
        if (
            key in nothing
            or len(key) > LONGEST_KEY
            or not key.isprintable()
            or cells[position] == header.names[position]
        ):
            return NO_DOCUMENT
        return key

    return key_of
