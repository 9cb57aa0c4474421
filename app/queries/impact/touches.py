"""What does a reader of the graph declare? From which kind to which it leads, where its rows are, and why each is an edge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.queries.impact.kinds import Kind, Ref
from app.queries.impact.moment import Moment
from app.security.permissions import Permission
from erpcore.kernel.actor import Actor


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A change of ``source`` touches ``target``. The sentence is the source's name, ``verb``, the target's name, ``tail``."""

    source: Ref
    target: Ref
    verb: str
    tail: str = ""

    def sentence(self, source: str, target: str) -> str:
        """Why the edge exists, with both names."""
        return f"{source[:1].upper()}{source[1:]} {self.verb} {target}{self.tail}"


def edge(source: Ref, target: Ref, says: str, what: str = "") -> Edge:
    """An edge from a pattern with ``{target}`` and, at most, ``{what}``; what people wrote is never read as a pattern."""
    verb, _, tail = says.partition("{target}")
    return Edge(
        source=source, target=target, verb=verb.replace("{what}", what).rstrip(), tail=tail.replace("{what}", what)
    )


@dataclass(frozen=True, kw_only=True)
class Touches:
    """One relation of one table: each of its rows says that a change of the source touches the target.

    ``says`` reads after the source's name: ``holds at {target}``, with ``{what}`` for a text of the row, which ``word`` may put
    into words by the target's id. ``joins`` are inner ones, onto ``base``. ``is_one_way``: so many lead there that nobody walks back; the target counts them instead.
    """

    source: Kind
    target: Kind
    says: str
    source_id: Any
    target_id: Any
    what: Any = None
    word: Callable[[str, str], str] | None = None
    base: Any = None
    joins: tuple[tuple[Any, Any], ...] = ()
    where: tuple[Any, ...] = ()
    is_one_way: bool = False

    def edge(self, source: Ref, target: Ref, what: str) -> Edge:
        """One row as an edge."""
        return edge(source, target, self.says, self.word(what, target.id) if self.word is not None else what)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many documents, or people, hang on things of a kind. ``rows`` gives (id, count) of those ids that the person may count; ``None``: it
    counts nothing of them.
    """

    source: Kind
    name: str
    one: str
    many: str
    permission: Permission
    rows: Callable[[Any, Actor, Moment], Any]
    says: str = "has {target}"
    #: Whether it counts documents under way; else things of master data, or people.
    is_open: bool = True
