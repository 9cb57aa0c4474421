"""The lines of the books one by one, as a figure of a report is followed to what it adds up; and whole entries for programs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.ledger import ENTRIES, EntryLine
from app.queries.listing import SqlList
from erpcore.kernel.actor import Actor
from erpcore.ledger.models import Account, JournalEntry, JournalLine
from erpcore.masterdata.models import Channel, Customer, Entity, Site


@dataclass(frozen=True, kw_only=True)
class LineRow:
    """One side of an entry."""

    entry_id: int
    line_no: int
    entry_on: date
    rule: str
    document_type: str
    document_id: int
    text: str | None
    account: str
    party: str | None
    entity: str
    site: str | None
    channel: str | None
    currency: str
    debit_minor: int
    credit_minor: int


def _all_lines() -> Any:
    return (
        select(
            JournalLine, JournalEntry, Account.code, Account.name, Customer.name.label("party"), Site.name.label("site"),
            Channel.name.label("channel"), Entity.name.label("entity"),
        )
        # Every entry has lines and every line an account; said so that SQLite begins with the entries, in the order of their days.
        .select_from(JournalEntry)
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id, isouter=True)
        .join(Account, Account.id == JournalLine.account_id, isouter=True)
        .join(Entity, Entity.id == JournalEntry.entity_id, isouter=True)
        .join(Customer, Customer.id == JournalLine.party_id, isouter=True)
        .join(Site, Site.id == JournalEntry.site_id, isouter=True)
        .join(Channel, Channel.id == JournalEntry.channel_id, isouter=True)
    )  # fmt: skip


def _counted() -> Any:
    return (
        select(JournalLine.entry_id)
        .select_from(JournalLine)
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
    )


def _scoped(query: Any, actor: Actor) -> Any:
    return query if actor.sites is None else query.where(JournalEntry.site_id.in_(sorted(actor.sites)))


def _row(row: Any) -> LineRow:
    entry, line = row.JournalEntry, row.JournalLine
    return LineRow(
        entry_id=entry.id, line_no=line.line_no, entry_on=entry.entry_on, rule=entry.rule, text=entry.text,
        document_type=entry.document_type, document_id=entry.document_id, account=f"{row.code} {row.name}", party=row.party,
        entity=row.entity, site=row.site, channel=row.channel, currency=entry.currency, debit_minor=line.debit_minor,
        credit_minor=line.credit_minor,
    )  # fmt: skip


#: The list of lines, of all companies that the person sees.
LINES: SqlList[LineRow] = SqlList(
    select=_all_lines, count_from=_counted, row=_row, tie=(JournalEntry.id, JournalLine.line_no), usual="-day", scope=_scoped,
    is_long=True, sorts={"day": JournalEntry.entry_on}, currency=JournalEntry.currency,
    key=(JournalEntry.entry_on, JournalEntry.id, JournalLine.line_no), kinds=(date, int, int),
    sums={"Debit": JournalLine.debit_minor, "Credit": JournalLine.credit_minor},
    wanted={
        "entity": lambda value, _: JournalEntry.entity_id == value,
        "account": lambda value, _: JournalLine.account_id == value,
        "since": lambda value, _: JournalEntry.entry_on >= value,
        "until": lambda value, _: JournalEntry.entry_on <= value,
        "site": lambda value, _: JournalEntry.site_id == value,
        "channel": lambda value, _: JournalEntry.channel_id == value,
        "siteless": lambda _value, _eyes: JournalEntry.site_id.is_(None),
        "channelless": lambda _value, _eyes: JournalEntry.channel_id.is_(None),
    },
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class WholeEntry:
    """An entry with its lines, for programs."""

    id: int
    entity_id: int
    site_id: int | None
    channel_id: int | None
    entry_on: date
    rule: str
    document_type: str
    document_id: int
    reverses_id: int | None
    currency: str
    text: str | None
    lines: list[EntryLine]


def _whole(row: Any) -> WholeEntry:
    head: JournalEntry = row.JournalEntry
    return WholeEntry(
        id=head.id, entity_id=head.entity_id, site_id=head.site_id, channel_id=head.channel_id, entry_on=head.entry_on,
        rule=head.rule, document_type=head.document_type, document_id=head.document_id, reverses_id=head.reverses_id,
        currency=head.currency, text=head.text, lines=[],
    )  # fmt: skip


def _with_lines(session: Session, heads: list[WholeEntry]) -> list[WholeEntry]:
    lines: dict[int, list[EntryLine]] = defaultdict(list)
    rows = session.execute(
        select(JournalLine, Account.code, Account.name, Customer.name.label("party"))
        .join(Account, Account.id == JournalLine.account_id)
        .join(Customer, Customer.id == JournalLine.party_id, isouter=True)
        .where(JournalLine.entry_id.in_([head.id for head in heads]))
        .order_by(JournalLine.entry_id, JournalLine.line_no)
    )
    for row in rows:
        one = row.JournalLine
        lines[one.entry_id].append(
            EntryLine(
                line_no=one.line_no, account_id=one.account_id, account=f"{row.code} {row.name}", party=row.party,
                debit_minor=one.debit_minor, credit_minor=one.credit_minor,
            )
        )  # fmt: skip
    return [replace(head, lines=lines[head.id]) for head in heads]


def entries_with_lines(session: Session, ids: Sequence[int]) -> list[WholeEntry]:
    """These entries, in the order asked for, as the session sees them now: also those that it is about to take back."""
    rows = session.execute(
        select(JournalEntry).where(JournalEntry.id.in_(ids)).execution_options(populate_existing=True)
    )
    found = {row.JournalEntry.id: _whole(row) for row in rows}
    return _with_lines(session, [found[key] for key in ids])


#: The list of entries as programs read it: with their lines, and between two days as well.
WHOLE_ENTRIES: SqlList[WholeEntry] = SqlList(
    select=lambda: select(JournalEntry), row=_whole, finish=_with_lines, tie=(JournalEntry.id,), usual=ENTRIES.usual,
    sorts=ENTRIES.sorts, scope=_scoped, text=ENTRIES.text,
    wanted={
        **ENTRIES.wanted,
        "since": lambda value, _: JournalEntry.entry_on >= value,
        "until": lambda value, _: JournalEntry.entry_on <= value,
    },
)  # fmt: skip
