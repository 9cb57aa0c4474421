"""Which lines of a statement came before, in another file of the same account?

Two equal payments of one file are two. Across files a line is known by the bank's own reference, else by its statement and its
place among the lines that say the same. A table names no statement: there an equal line is the same one, unless the table begins
with the balance that the one before it ended with and so cannot overlap it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import select

from erpcore.billing.bank_models import BankStatement, BankStatementLine, LineState, StatementState
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork

_NO_REFERENCE = "–"


class Source(NamedTuple):
    """The statement that a line came with; ``follows``: it begins where the one before it ended."""

    reference: str
    format: str
    digest: str
    follows: bool = False

    @property
    def is_named(self) -> bool:
        return self.format != "table" and self.reference != _NO_REFERENCE


class Known(NamedTuple):
    """By what a line is known, and whether it came before."""

    identity: str
    is_repeated: bool


def said_of(line: Any) -> str:
    """What tells a line from others of its account: the bank's reference where there is one, else all that it says."""
    parts = (
        ("ref", line.bank_ref, line.booked_on, line.amount_minor)
        if line.bank_ref
        else ("all", line.booked_on, line.amount_minor, line.end_to_end, line.payer, line.name, line.text)
    )
    return "\x1f".join(map(str, parts))


def identity_of(said: str, at: int) -> str:
    """The name of the ``at``-th line of an account that says this."""
    return sha256(f"{said}\x1f{at}".encode()).hexdigest()


def follows_on(work: UnitOfWork, account: int, opening_minor: int | None) -> bool:
    """Whether a statement begins with the balance that the newest accepted one ended with, and that one moved something."""
    row = work.session.execute(
        select(BankStatement.opening_minor, BankStatement.closing_minor)
        .where(BankStatement.account_id == account, BankStatement.state == StatementState.ACCEPTED)
        .order_by(BankStatement.id.desc())
        .limit(1)
    ).one_or_none()
    return row is not None and row.closing_minor == opening_minor != row.opening_minor


def known_lines(work: UnitOfWork, account: int, lines: Sequence[Any], source: Source) -> list[Known]:
    """What each line is known by. Reads once for each time that the account has the most frequent equal line."""
    said, turn = [said_of(line) for line in lines], Counter[str]()
    found: dict[int, Known] = {}
    pending = list(range(len(lines)))
    while pending:
        names = {}
        for at in pending:
            turn[said[at]] += 1
            names[at] = identity_of(said[at], turn[said[at]])
        before = _before(work, account, list(names.values()))
        for at, name in names.items():
            origin = before.get(name)
            if origin is None or _is_same(lines[at], source, origin):
                found[at] = Known(name, origin is not None)
        pending = [at for at in pending if at not in found]
    return [found[at] for at in range(len(lines))]


def _before(work: UnitOfWork, account: int, names: Sequence[str]) -> dict[str, Source]:
    """The statements with which lines of these names came."""
    rows = read_rows(
        work, BankStatementLine, ("identity", "state", "statement_id"), "identity", names, also=("account_id", account)
    )
    live = [row for row in rows if row.state in (LineState.OPEN, LineState.ASSIGNED)]
    heads = read_rows(
        work, BankStatement, ("id", "reference", "format", "digest"), "id", {row.statement_id for row in live}
    )
    sources = {row.id: Source(row.reference, row.format, row.digest) for row in heads}
    return {row.identity: sources[row.statement_id] for row in live}


def _is_same(line: Any, mine: Source, other: Source) -> bool:
    if line.bank_ref:
        return True
    if mine.digest == other.digest:
        return False
    if mine.is_named and other.is_named:
        return mine.reference == other.reference
    return not mine.follows
