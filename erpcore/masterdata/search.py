"""Which items fit what somebody types? Found by words of codes and names that are kept for it, by one index on both databases.

Each item has a row for each word of its code and name, for the whole code, and for the ends of longer words, since names are
often composed ("press|fitting"). What is typed begins one of them: a range of the index. Of several words the rarest leads, and
the others are looked for in what it finds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, func, intersect, select
from sqlalchemy.orm import Session

from erpcore.kernel.rows import chunks, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Item, ItemUnit, ItemWord

_LONGEST = 40
#: Ends of words shorter than this say nothing.
_SHORTEST_END = 3
#: So many candidates are looked at one by one.
_MOST_LOOKED_AT = 1000
#: More hits than this are not ranked.
_MOST_FOUND = 200
_WORD = re.compile(r"[^\W_]+")
_PART = re.compile(r"\d+|[^\W\d_]+")
#: Behind everything that begins with what stands before it.
_LAST = "\U0010ffff"


def fold(text: str) -> str:
    """The text without case and accents: "Größe" → "grosse"."""
    lowered = text.casefold()
    if lowered.isascii():
        return lowered
    return "".join(sign for sign in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(sign))


def words_of(code: str, name: str) -> list[str]:
    """All by which an item of this code and name is found, in the order of bytes."""
    whole = fold(code)
    found = {whole[:_LONGEST]}
    for word in _WORD.findall(f"{whole} {fold(name)}"):
        found.add(word[:_LONGEST])
        found.update(part[:_LONGEST] for part in _PART.findall(word))
        if word.isalpha():
            found.update(word[start:][:_LONGEST] for start in range(1, len(word) - _SHORTEST_END + 1))
    return sorted(found)


def keep_words(work: UnitOfWork, rows: Sequence[Item]) -> None:
    """Keep the words of items that are new, or whose code or name has changed. They must be in the transaction."""
    keys = [row.id for row in rows]
    for part in chunks(keys):
        work.session.execute(delete(ItemWord).where(ItemWord.item_id.in_(part)))
    words = [(row.entity_id, word, row.id) for row in rows for word in words_of(row.code, row.name)]
    write_rows(work, ItemWord.__table__, ("entity_id", "word", "item_id"), words)
    for row in rows:
        row.searched_as, row.search_words = _searched_as(row), len(words_of(row.code, row.name))
    work.session.flush()


def _searched_as(row: Item) -> str:
    return f"{row.code}\n{row.name}"


def rebuild_words(work: UnitOfWork, *, batch: int = 5000) -> int:
    """Keep the words of all items anew; returns how many items there are."""
    done, last = 0, 0
    while True:
        query = select(Item).where(Item.id > last).order_by(Item.id).limit(batch)
        rows = work.session.scalars(query).all()
        if not rows:
            return done
        keep_words(work, rows)
        done, last = done + len(rows), rows[-1].id
        work.session.expire_all()


def search_items(session: Session, entity: int, text: str, *, limit: int = 20) -> list[Item]:
    """Items of the entity that one may sell and that fit the text, the exact code first, then codes that begin so."""
    keys = find_item_ids(session, [entity], text, limit=limit, sellable=True)
    if not keys:
        return []
    rows = {row.id: row for row in session.scalars(select(Item).where(Item.id.in_(keys)))}
    return [rows[key] for key in keys]


def find_item_ids(
    session: Session, entities: Sequence[int], text: str, *, limit: int, sellable: bool = False
) -> list[int]:
    """Ids of items of these entities by any code or name, also by the barcode of a pack; the best first, at most ``limit``."""
    typed = fold(text.strip())
    words = list(dict.fromkeys(_WORD.findall(typed)))
    if not words or not entities:
        return []
    found: dict[int, str] = {}
    for entity in sorted(set(entities)):
        query = _Query(session, entity, sellable)
        here = query.packed(text.strip()) | query.beginning(typed, limit=_MOST_FOUND)
        if len(here) < limit and words != [typed]:
            here |= query.with_all(words, limit=limit)
        found |= here
    ranked = sorted(found.items(), key=lambda one: (*_rank(one[1], typed), one[0]))
    return [key for key, _ in ranked[:limit]]


def _rank(code: str, typed: str) -> tuple[bool, bool, str]:
    folded = fold(code)
    return folded != typed, not folded.startswith(typed), folded


class _Query:
    """Questions to the words of one entity's items; each answers ids with codes."""

    def __init__(self, session: Session, entity: int, sellable: bool) -> None:
        self._session = session
        self._entity = entity
        self._only = [Item.is_blocked.is_(False)] if sellable else []

    def _range(self, word: str) -> Any:
        start = word[:_LONGEST]
        return (ItemWord.entity_id == self._entity) & (ItemWord.word >= start) & (ItemWord.word < start + _LAST)

    def packed(self, barcode: str) -> dict[int, str]:
        """Items with a pack of this barcode."""
        query = select(Item.id, Item.code).join(ItemUnit, ItemUnit.item_id == Item.id)
        rows = self._session.execute(
            query.where(ItemUnit.barcode == barcode, Item.entity_id == self._entity, *self._only).limit(20)
        )
        return {row.id: row.code for row in rows}

    def beginning(self, typed: str, *, limit: int) -> dict[int, str]:
        """Items whose code, or a word of it or of the name, begins with what is typed: the shortest words first."""
        query = select(Item.id, Item.code).select_from(ItemWord).join(Item, Item.id == ItemWord.item_id)
        ordered = query.where(self._range(typed), *self._only).order_by(ItemWord.word).limit(limit)
        return {row.id: row.code for row in self._session.execute(ordered)}

    def with_all(self, words: Sequence[str], *, limit: int) -> dict[int, str]:
        """Items in which all of the words stand: of those that the rarest leads to, at most ``_MOST_LOOKED_AT``.

        Where it leads to more and too few of those looked at have the others, the database intersects all.
        """
        counts = {word: self._count(word) for word in words}
        rarest = min(words, key=lambda word: counts[word])
        query = select(Item.id, Item.code, Item.name).select_from(ItemWord).join(Item, Item.id == ItemWord.item_id)
        rows = self._session.execute(query.where(self._range(rarest), *self._only).limit(_MOST_LOOKED_AT))
        found = dict(_holding(rows, words))
        if len(found) < limit and counts[rarest] > _MOST_LOOKED_AT:
            found |= self._intersection(words, limit=_MOST_FOUND)
        return found

    def _count(self, word: str) -> int:
        some = select(ItemWord.item_id).where(self._range(word)).limit(_MOST_LOOKED_AT + 1).subquery()
        return int(self._session.scalar(select(func.count()).select_from(some)) or 0)

    def _intersection(self, words: Sequence[str], *, limit: int) -> dict[int, str]:
        both = intersect(*(select(ItemWord.item_id).where(self._range(word)) for word in words)).subquery()
        query = select(Item.id, Item.code).join(both, both.c.item_id == Item.id).where(*self._only).limit(limit)
        return {row.id: row.code for row in self._session.execute(query)}


def _holding(rows: Iterable[Any], words: Sequence[str]) -> Iterable[tuple[int, str]]:
    for row in rows:
        text = fold(f"{row.code} {row.name}")
        # The cheap question first: most that the rarest word leads to have the others not at all.
        if all(word in text for word in words):
            kept = words_of(row.code, row.name)
            if all(any(one.startswith(word) for one in kept) for word in words):
                yield row.id, row.code
