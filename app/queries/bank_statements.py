"""What came with a bank's statement, line by line, which statements and accounts are there, and when was each line posted?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.queries.places import EntityPick, entities_seen
from erpcore.billing.bank_models import BankAccount, BankStatement, BankStatementLine
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.rows import chunks
from erpcore.ledger.models import JournalEntry

#: So many lines of a statement stand on one page.
MOST_LINES = 200


@dataclass(frozen=True, kw_only=True)
class StatementPage:
    """A statement with the lines of one page as they came, of ``count``. ``posted_on``: of lines that were not posted on the day on
    which the bank booked them.
    """

    statement: BankStatement
    account: BankAccount
    entity: EntityPick
    lines: list[BankStatementLine]
    follows: bool
    count: int = 0
    posted_on: dict[int, date] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // MOST_LINES))


def statement_page(session: Session, actor: Actor, statement_id: int, page: int | None = 1) -> StatementPage:
    """One statement with the lines of a page, all of them for ``None``; raises ``NotFound`` for an unknown one and another company's.
    ``follows``: it begins where the one before ended.
    """
    row = session.get(BankStatement, statement_id)
    seen = {one.id: one for one in entities_seen(session, actor)}
    if row is None or row.entity_id not in seen:
        raise NotFound("bank_statement_unknown", id=statement_id)
    account = session.get_one(BankAccount, row.account_id)
    of_statement = BankStatementLine.statement_id == row.id
    query = select(BankStatementLine).where(of_statement).order_by(BankStatementLine.line_no)
    if page is not None:
        query = query.limit(MOST_LINES).offset((page - 1) * MOST_LINES)
    lines = session.scalars(query).all()
    before = session.scalar(
        select(BankStatement.closing_minor)
        .where(BankStatement.account_id == row.account_id, BankStatement.state == "accepted", BankStatement.id < row.id)
        .order_by(BankStatement.id.desc())
        .limit(1)
    )
    return StatementPage(
        statement=row, account=account, entity=seen[row.entity_id], lines=list(lines),
        follows=before is None or before == row.opening_minor, posted_on=_posted_on(session, lines),
        count=session.scalar(select(func.count()).select_from(BankStatementLine).where(of_statement)) or 0,
    )  # fmt: skip


def _posted_on(session: Session, lines: Sequence[BankStatementLine]) -> dict[int, date]:
    booked = {one.id: one.booked_on for one in lines}
    found: dict[int, date] = {}
    for part in chunks(sorted(booked)):
        rows = session.execute(
            select(JournalEntry.document_id, JournalEntry.entry_on).where(
                JournalEntry.document_type == "bank_line", JournalEntry.rule == "bank_line", JournalEntry.document_id.in_(part)
            )
        )  # fmt: skip
        found.update({row.document_id: row.entry_on for row in rows if row.entry_on != booked[row.document_id]})
    return found


def accounts_of(session: Session, entities: Iterable[int]) -> list[BankAccount]:
    """The accounts of companies at banks."""
    wanted = select(BankAccount).where(BankAccount.entity_id.in_(sorted(set(entities)))).order_by(BankAccount.number)
    return list(session.scalars(wanted))


def statements_of(session: Session, entity: int, limit: int = 12) -> list[tuple[BankStatement, str]]:
    """The newest statements of a company, with the name of the account."""
    rows = session.execute(
        select(BankStatement, BankAccount.name)
        .join(BankAccount, BankAccount.id == BankStatement.account_id)
        .where(BankStatement.entity_id == entity)
        .order_by(BankStatement.id.desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]
