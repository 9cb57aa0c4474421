"""Statements of banks: taken as a whole when they add up, refused as a whole when they do not; every line is kept either way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from erpcore.billing.bank_identity import Known, Source, follows_on, known_lines
from erpcore.billing.bank_models import (
    BankAccount,
    BankPayer,
    BankStatement,
    BankStatementLine,
    LineState,
    StatementState,
)
from erpcore.billing.cash import MOST_MINOR
from erpcore.billing.cash_records import cash_entry, place_of
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.money import from_minor
from erpcore.kernel.rows import read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.kinds import JournalKind
from erpcore.ledger.models import AccountRole
from erpcore.ledger.periods import first_open_day
from erpcore.ledger.services import Side, ensure_account, post_entries
from erpcore.masterdata.queries import customers
from erpcore.published.cash import StatementAccepted

_ACCOUNT = ("id", "entity_id", "number", "name", "currency", "mapping", "version")
_STATEMENT = (
    "id", "entity_id", "account_id", "reference", "format", "file_name", "digest", "part", "state", "fault", "currency",
    "opening_minor", "closing_minor", "taken_by", "taken_at",
)  # fmt: skip
_LINE = (
    "id", "entity_id", "account_id", "statement_id", "line_no", "state", "fault", "booked_on", "valued_on", "amount_minor",
    "fee_minor", "is_return", "foreign_amount", "payer_name", "payer_account", "end_to_end", "bank_ref", "text", "raw",
    "identity", "owner_id",
)  # fmt: skip


class BankAccountFacts(NamedTuple):
    """An account at a bank."""

    id: int
    entity_id: int
    number: str
    name: str
    currency: str
    mapping: str | None
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BankLine:
    """A movement as a file has it; ``fault`` says why it cannot be read. ``fee_minor`` the bank kept of what was paid."""

    raw: str
    fault: str = ""
    booked_on: date | None = None
    valued_on: date | None = None
    amount_minor: int | None = None
    fee_minor: int = 0
    is_return: bool = False
    foreign: str = ""
    name: str = ""
    payer: str = ""
    end_to_end: str = ""
    bank_ref: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeStatement:
    """A statement as a file has it; ``account`` is the number that the file names, ``fault`` what is wrong with the whole."""

    format: str
    reference: str
    account: str
    currency: str
    opening_minor: int | None
    closing_minor: int | None
    lines: Sequence[BankLine] = field(default_factory=list)
    fault: str = ""


class Taken(NamedTuple):
    """What became of a statement; ``fault`` is empty for one that was accepted.

    ``moved`` of the new lines were booked by the bank on days that are closed here: they are posted on the first open one.
    """

    id: int
    fault: str
    new: int
    repeated: int
    moved: int = 0


def add_bank_account(work: UnitOfWork, entity: int, *, number: str, name: str) -> int:
    """Name an account of a company at a bank; returns its id. Raises ``RuleBroken("bank_account_taken")`` for one that is there."""
    work.actor.require("billing:bank:account")
    place = place_of(work, entity, None)
    number = "".join(number.split()).upper()
    if not 4 <= len(number) <= 64 or not number.isalnum():
        raise RuleBroken("bank_account_unusable", field="number", number=number)
    key = work.ids.one()
    row = BankAccount(
        id=key, entity_id=entity, number=number, name=name.strip(), currency=place.currency, mapping=None, version=1
    )
    add_first(work, row, "bank_account_taken", number=number)
    work.audit("bank_account_added", "bank_account", key, entity=entity, number=number)
    return key


def map_bank_account(work: UnitOfWork, account: int, mapping: str) -> None:
    """Say how tables of this account's bank are read."""
    work.actor.require("billing:bank:account")
    row = work.session.get(BankAccount, account)
    if row is None:
        raise NotFound("bank_account_unknown", id=account)
    place_of(work, row.entity_id, None)
    row.mapping = mapping
    row.version += 1
    work.audit("bank_account_mapped", "bank_account", account, mapping=mapping)


def name_payer(work: UnitOfWork, entity: int, payer_account: str, customer: int) -> None:
    """Say that a customer pays from this account; said twice it is said once."""
    work.actor.require("billing:receipt:apply")
    if customers(work, {customer})[customer].entity_id != entity:
        raise RuleBroken("other_entity", field="customer", customer=str(customer), site="")
    known = read_rows(work, BankPayer, ("customer_id", "entity_id"), "payer_account", [payer_account])
    if (customer, entity) not in {(row.customer_id, row.entity_id) for row in known}:
        columns = ("id", "entity_id", "payer_account", "customer_id", "said_by", "said_at")
        write_rows(
            work, BankPayer.__table__, columns,
            [(work.ids.one(), entity, payer_account, customer, work.actor.id, work.now)],
        )  # fmt: skip


def account_facts(work: UnitOfWork, account: int) -> BankAccountFacts:
    """The account, locked so that two files of it come one after the other."""
    rows = read_rows(work, BankAccount, _ACCOUNT, "id", [account], lock=True)
    if not rows:
        raise NotFound("bank_account_unknown", id=account)
    return BankAccountFacts(*rows[0])


def take_statements(
    work: UnitOfWork, account: int, commands: Sequence[TakeStatement], *, file_name: str, digest: str
) -> list[Taken]:
    """Take the statements of one file.

    One that does not add up, has a line that cannot be read, or is of another account is kept refused with all its lines and the
    reason; nothing else moves. A line that came with an earlier statement is kept and moves nothing. Raises
    ``RuleBroken("bank_file_twice")`` for a file that was accepted before.
    """
    work.actor.require("billing:bank:import")
    facts = account_facts(work, account)
    place_of(work, facts.entity_id, None)
    before = read_rows(work, BankStatement, ("id", "account_id", "state", "taken_at"), "digest", [digest])
    if any(row.account_id == account and row.state == StatementState.ACCEPTED for row in before):
        raise RuleBroken("bank_file_twice", field="file", file=file_name)
    out = []
    for part, command in enumerate(commands):
        fault = fault_of(command, facts)
        out.append(_take(work, facts, command, fault, file_name, digest, part))
    return out


def worst_of(taken: Sequence[Taken]) -> Taken:
    """Of the statements of a file the first that was refused, else the last."""
    return next((one for one in taken if one.fault), taken[-1])


def fault_of(command: TakeStatement, account: BankAccountFacts) -> str:
    """Why a statement is refused, in words for the person who asks the bank; empty when it may be taken."""
    faulty = [at for at, line in enumerate(command.lines, 1) if line.fault]
    if command.fault:
        return command.fault
    if not command.account:
        return "it does not say of which account it is"
    if "".join(command.account.split()).upper() != account.number:
        return f"it is of account {command.account}, not of {account.number}"
    if command.currency != account.currency:
        return f"it is in {command.currency or 'no currency'}, the account in {account.currency}"
    if faulty:
        first = command.lines[faulty[0] - 1].fault
        return f"{len(faulty)} of {len(command.lines)} lines cannot be read; line {faulty[0]}: {first}"
    moved = sum(line.amount_minor or 0 for line in command.lines)
    if command.opening_minor is None or command.closing_minor is None:
        return "a balance is missing"
    absurd = next(
        (line for line in command.lines if abs(line.amount_minor or 0) >= MOST_MINOR or not line.amount_minor), None
    )
    if absurd is not None:
        return "a line moves nothing, or more money than there is"
    if command.opening_minor + moved != command.closing_minor:
        said, found = (
            from_minor(minor, account.currency) for minor in (command.closing_minor, command.opening_minor + moved)
        )
        return f"the closing balance says {said}, the opening one and the entries make {found}"
    return ""


def _take(
    work: UnitOfWork, facts: BankAccountFacts, command: TakeStatement, fault: str, file_name: str, digest: str, part: int
) -> Taken:  # fmt: skip
    key, owner = work.ids.one(), None if work.actor.is_system else work.actor.id
    source = Source(
        command.reference[:120], command.format, digest, not fault and follows_on(work, facts.id, command.opening_minor)
    )
    names: Sequence[Known | None] = (
        [None] * len(command.lines) if fault else known_lines(work, facts.id, command.lines, source)
    )
    ids, rows, fresh = work.ids.reserve(len(command.lines)), [], []
    for number, (line, name) in enumerate(zip(command.lines, names, strict=True), 1):
        state = LineState.REJECTED if name is None else LineState.REPEATED if name.is_repeated else LineState.OPEN
        one = next(ids)
        if state == LineState.OPEN:
            fresh.append((one, line))
        rows.append(
            (
                one, facts.entity_id, facts.id, key, number, state, line.fault or None, line.booked_on, line.valued_on,
                line.amount_minor, line.fee_minor, line.is_return, line.foreign or None, line.name or None, line.payer or None,
                line.end_to_end or None, line.bank_ref or None, line.text or None, line.raw, name and name.identity, owner,
            )
        )  # fmt: skip
    verdict = StatementState.REFUSED if fault else StatementState.ACCEPTED
    head = (
        key, facts.entity_id, facts.id, command.reference[:120], command.format, file_name[:300], digest, part, verdict,
        fault or None, command.currency[:3] or facts.currency, command.opening_minor, command.closing_minor, work.actor.id,
        work.now,
    )  # fmt: skip
    write_rows(work, BankStatement.__table__, _STATEMENT, [head])
    write_rows(work, BankStatementLine.__table__, _LINE, rows)
    moved = 0 if fault else _post(work, facts, command, key, fresh)
    return Taken(key, fault, len(fresh), len(rows) - len(fresh) if not fault else 0, moved)


def _post(
    work: UnitOfWork, facts: BankAccountFacts, command: TakeStatement, key: int, fresh: Sequence[tuple[int, BankLine]]
) -> int:
    """Every new movement is on the bank account, and waits on the account of what is not assigned.

    It is posted on the day that the bank booked it; returns of how many that day is closed, which take the first open one.
    """
    place = place_of(work, facts.entity_id, None)
    ensure_account(work, facts.entity_id, AccountRole.BANK_CLEARING)
    today = local_day(work.now, place.time_zone)
    entries, moved = [], 0
    first = min((line.booked_on or today for _, line in fresh), default=today)
    open_from = first_open_day(work, facts.entity_id, first, JournalKind.CASH) if first < today else first
    for one, line in fresh:
        booked = min(line.booked_on or today, today)
        on = max(booked, open_from)
        moved += on != booked
        minor = line.amount_minor or 0
        sides = (Side(AccountRole.BANK, minor), Side(AccountRole.BANK_CLEARING, -minor))
        entries.append(cash_entry("bank_line", place, ("bank_line", one), work.now, sides, journey=key, on=on))
    post_entries(work, entries)
    event = StatementAccepted(
        account=facts.id, lines=len(command.lines), new=len(fresh), opening=command.opening_minor or 0,
        closing=command.closing_minor or 0,
    )  # fmt: skip
    work.publish(event, place, step="order_to_cash.cash", subject=("bank_statement", key, 1), journey=key)
    return moved
