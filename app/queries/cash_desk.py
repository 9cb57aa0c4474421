"""Which entries of bank statements wait, and what is proposed for each?

Proposals are made anew each time from what is open now: nothing that was proposed is kept, and nothing is learnt.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from app.identity.models import Account
from app.queries.cash import OpenInvoice, open_invoices
from app.queries.places import EntityPick, entities_seen
from erpcore.billing.bank_models import BankAccount, BankPayer, BankStatementLine
from erpcore.billing.cash_known import Came, Typed, typed_receipts
from erpcore.billing.cash_matching import Ledger, Money, OpenCredit, OpenItem, Proposal, propose, words_of
from erpcore.billing.models import CreditMemo, Invoice, Receipt
from erpcore.credit.models import Receivable
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.rows import chunks
from erpcore.masterdata.models import Customer, Realm
from erpcore.orders.models import SalesOrder

#: So many entries stand on one page of the desk, and so many are accepted together.
PAGE, MOST_TOGETHER = 25, 500
#: So many receipts are offered for a payment that went back.
MOST_RECEIPTS = 40
#: As the partial indexes say it.
_OPEN_LINE, _OWED = text("bank_line.state = 'open'"), text("receivable.open_minor <> 0")
_NUMBERED = re.compile(r"([A-Z]+)([0-9]{4})([0-9]{6,})")


class WaitingLine(NamedTuple):
    """An entry that waits: positive when money came."""

    id: int
    entity_id: int
    booked_on: date
    amount_minor: int
    currency: str
    is_return: bool
    fee_minor: int
    foreign: str | None
    payer_name: str | None
    payer_account: str | None
    text: str
    owner_id: int | None
    owner: str | None
    account: str


class SetAgainst(NamedTuple):
    """So much of a credit memo would be set against an invoice."""

    credit: int
    number: str
    invoice: int
    invoice_number: str
    minor: int


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """What is proposed for an entry, in words and with a token by which it is known again."""

    line: WaitingLine
    proposal: Proposal
    customer: str | None
    parts: list[tuple[int, str, int]]
    token: str
    credits: list[SetAgainst]
    typed: Typed | None = None


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What waits at a company: so many entries of this worth, those of one page with their proposals, and what is on account."""

    entity: EntityPick
    waiting: int
    in_minor: int
    out_minor: int
    on_account_minor: int
    suggestions: list[Suggestion]
    pages: int


@dataclass(frozen=True, kw_only=True)
class LinePage:
    """One entry with its proposal, what the customer chosen has open, and the receipt of theirs that was typed of its money."""

    suggestion: Suggestion
    entity: EntityPick
    customer: Customer | None
    open_invoices: list[OpenInvoice]
    typed: Typed | None


def _lines(entity: int) -> Any:
    line = BankStatementLine
    return (
        select(
            line.id, line.entity_id, line.booked_on, line.amount_minor, BankAccount.currency, line.is_return, line.fee_minor,
            line.foreign_amount, line.payer_name, line.payer_account, line.text, line.end_to_end, line.owner_id, Account.name,
            BankAccount.name,
        )
        .join(BankAccount, BankAccount.id == line.account_id)
        .outerjoin(Account, Account.id == line.owner_id)
        .where(_OPEN_LINE, line.entity_id == entity)
    )  # fmt: skip


def _line(row: Any) -> WaitingLine:
    said = " ".join(part for part in (row[10], row[11]) if part)
    return WaitingLine(
        id=row[0], entity_id=row[1], booked_on=row[2], amount_minor=row[3], currency=row[4], is_return=row[5], fee_minor=row[6],
        foreign=row[7], payer_name=row[8], payer_account=row[9], text=said, owner_id=row[12], owner=row[13], account=row[14],
    )  # fmt: skip


def entity_here(session: Session, actor: Actor, entity: int | None) -> EntityPick:
    """The company asked for, or the one whose entry waits longest, or the first; raises ``NotFound`` for another's."""
    seen = entities_seen(session, actor)
    if entity is None:
        line, live = BankStatementLine, [one.id for one in seen if one.realm == Realm.LIVE]
        entity = session.scalar(
            select(line.entity_id).where(_OPEN_LINE, line.entity_id.in_(live)).order_by(line.id).limit(1)
        )
    found = next((one for one in seen if entity is None or one.id == entity), None)
    if found is None:
        raise NotFound("entity_unknown", entity=entity or "")
    return found


def desk(session: Session, actor: Actor, entity: EntityPick, page: int) -> Desk:
    """The cash desk of a company, the oldest entries first."""
    line = BankStatementLine
    count, came, went = session.execute(
        select(
            func.count(), func.coalesce(func.sum(line.amount_minor).filter(line.amount_minor > 0), 0),
            func.coalesce(func.sum(line.amount_minor).filter(line.amount_minor < 0), 0),
        ).where(_OPEN_LINE, line.entity_id == entity.id)
    ).one()  # fmt: skip
    left = session.execute(
        text("SELECT COALESCE(SUM(left_minor), 0) FROM receipt WHERE left_minor > 0 AND entity_id = :entity"),
        {"entity": entity.id},
    ).scalar_one()
    rows = session.execute(_lines(entity.id).order_by(line.id).limit(PAGE).offset((page - 1) * PAGE))
    return Desk(
        entity=entity, waiting=int(count or 0), in_minor=int(came or 0), out_minor=int(went or 0), on_account_minor=int(left),
        suggestions=suggest(session, actor, entity.id, [_line(row) for row in rows]), pages=max(1, -(-int(count or 0) // PAGE)),
    )  # fmt: skip


def lines_waiting(session: Session, entity: int, ids: Iterable[int] | None = None, *, limit: int) -> list[WaitingLine]:
    """Entries that wait, the oldest first; of these ids only when they are given."""
    query = _lines(entity).order_by(BankStatementLine.id).limit(limit)
    if ids is not None:
        query = query.where(BankStatementLine.id.in_(sorted(set(ids))))
    return [_line(row) for row in session.execute(query)]


def line_page(session: Session, actor: Actor, line_id: int, customer: int | None) -> LinePage:
    """One entry that waits; raises ``NotFound`` for one that does not, and for another company's."""
    row = session.get(BankStatementLine, line_id)
    seen = {one.id: one for one in entities_seen(session, actor)}
    if row is None or row.entity_id not in seen:
        raise NotFound("bank_line_unknown", id=line_id)
    found = lines_waiting(session, row.entity_id, [line_id], limit=1)
    if not found:
        raise NotFound("bank_line_unknown", id=line_id)
    (one,) = suggest(session, actor, row.entity_id, found)
    chosen = session.get(Customer, customer or one.proposal.customer or 0)
    if chosen is not None and chosen.entity_id != row.entity_id:
        chosen = None
    typed = one.typed
    if chosen is not None and chosen.id != one.proposal.customer and one.line.amount_minor > 0:
        came = Came(line_id, chosen.id, one.line.amount_minor + one.line.fee_minor, one.line.booked_on)
        typed = typed_receipts(session, row.entity_id, [came]).get(line_id)
    return LinePage(
        typed=typed,
        suggestion=one, entity=seen[row.entity_id], customer=chosen,
        open_invoices=open_invoices(session, actor, chosen.id, one.line.currency) if chosen else [],
    )  # fmt: skip


def suggest(session: Session, actor: Actor, entity: int, lines: Sequence[WaitingLine]) -> list[Suggestion]:
    """A suggestion for each entry, and the receipt that was typed of its money. An invoice that one settles is not open for the next."""
    incoming = [line for line in lines if line.amount_minor > 0]
    money, ledger = matter(session, actor, entity, incoming)
    found = {one.money: one for one in propose(money, ledger)}
    numbers = {item.id: item.number for item in ledger.items} | {memo.id: memo.number for memo in ledger.credits}
    out = []
    for line in lines:
        one = found.get(line.id) or Proposal(money=line.id, why=_outgoing(line))
        out.append(
            Suggestion(
                line=line, proposal=one, customer=ledger.name(one.customer) if one.customer else None, token=token_of(one),
                parts=[(invoice, numbers[invoice], minor) for invoice, minor in one.parts],
                credits=[
                    SetAgainst(credit, numbers[credit], invoice, numbers[invoice], minor)
                    for credit, invoice, minor in one.credits
                ],
            )
        )  # fmt: skip
    typed = typed_receipts(session, entity, came_of(out))
    return [replace(one, typed=typed.get(one.line.id)) for one in out]


def came_of(found: Iterable[Suggestion]) -> list[Came]:
    """What entries would be as receipts of those whose they are proposed to be."""
    return [
        Came(one.line.id, one.proposal.customer, one.line.amount_minor + one.line.fee_minor, one.line.booked_on)
        for one in found
        if one.proposal.customer
    ]


def _outgoing(line: WaitingLine) -> str:
    if line.is_return:
        return "The bank took a payment back. Say which receipt it was."
    return "Money went out: a fee of the bank, or a payment that went back."


def token_of(proposal: Proposal) -> str:
    """By what a proposal is known again: whoever accepts another than the one that was shown is told so."""
    said = f"{proposal.money}:{proposal.customer}:{proposal.parts}:{proposal.credits}:{proposal.confidence}"
    return sha256(said.encode()).hexdigest()[:16]


def matter(
    session: Session, actor: Actor, entity: int, lines: Sequence[WaitingLine]
) -> tuple[list[Money], Ledger]:  # fmt: skip
    """What came in, and everything open that it may be about. So many queries, however many entries there are, for each thousand."""
    texts = {line.id: f"{line.text} {line.payer_name or ''}" for line in lines}
    words = {line.id: words_of(texts[line.id]) for line in lines}
    payers = _payers(session, entity, [line.payer_account for line in lines if line.payer_account])
    names, by_code, by_name = _customers(session, entity, lines, {word for found in words.values() for word in found})
    money = []
    for line in lines:
        named = {key for word in words[line.id] for key in by_code.get(word, ())}
        named = named or set(by_name.get((line.payer_name or "").lower(), ()))
        known = payers.get(line.payer_account or "", ())
        money.append(Money(line.id, line.amount_minor + line.fee_minor, texts[line.id], known, tuple(sorted(named))))
    customers = {key for one in money for key in (*one.payers, *one.named)}
    items = _items(session, actor, entity, words, customers, money, {line.currency for line in lines})
    credits_ = _credits(session, actor, entity, {item.customer for item in items}, {line.currency for line in lines})
    missing = {item.customer for item in items} - set(names)
    for part in chunks(sorted(missing)):
        names.update(
            {
                row.id: row.name
                for row in session.execute(select(Customer.id, Customer.name).where(Customer.id.in_(part)))
            }
        )
    return money, Ledger(items=items, names=names, credits=credits_)


def _credits(
    session: Session, actor: Actor, entity: int, customers: set[int], currencies: set[str]
) -> list[OpenCredit]:
    """The credit memos of these customers of which something is not applied, the oldest first."""
    query = (
        select(CreditMemo.id, CreditMemo.number, CreditMemo.customer_id, -Receivable.open_minor)
        .join(Receivable, Receivable.document_id == CreditMemo.id)
        .where(
            _OWED, CreditMemo.entity_id == entity, CreditMemo.number.is_not(None), Receivable.open_minor < 0,
            Receivable.document_type == "credit_memo", Receivable.currency.in_(sorted(currencies)),
        )
        .order_by(CreditMemo.id)
    )  # fmt: skip
    if actor.sites is not None:
        query = query.where(CreditMemo.site_id.in_(sorted(actor.sites)))
    return [
        OpenCredit(key, number or "", customer, minor)
        for part in chunks(sorted(customers))
        for key, number, customer, minor in session.execute(query.where(Receivable.customer_id.in_(part)))
    ]


def _payers(session: Session, entity: int, accounts: Sequence[str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = defaultdict(list)
    for part in chunks(sorted(set(accounts))):
        rows = session.execute(
            select(BankPayer.payer_account, BankPayer.customer_id)
            .where(BankPayer.entity_id == entity, BankPayer.payer_account.in_(part))
            .order_by(BankPayer.customer_id)
        )
        for account, customer in rows:
            found[account].append(customer)
    return {account: tuple(keys) for account, keys in found.items()}


def _customers(
    session: Session, entity: int, lines: Sequence[WaitingLine], words: set[str]
) -> tuple[dict[int, str], dict[str, list[int]], dict[str, list[int]]]:
    """Names by id, and ids by code and by name, of customers whom the entries may mean."""
    names: dict[int, str] = {}
    by_code: dict[str, list[int]] = defaultdict(list)
    by_name: dict[str, list[int]] = defaultdict(list)
    said = {line.payer_name.lower() for line in lines if line.payer_name}
    for column, values, found in (
        (func.upper(Customer.code), words, by_code), (func.lower(Customer.name), said, by_name),
    ):  # fmt: skip
        for part in chunks(sorted(values)):
            rows = session.execute(
                select(Customer.id, Customer.name, column).where(Customer.entity_id == entity, column.in_(part))
            )
            for key, name, value in rows:
                names[key] = name
                found[value].append(key)
    return names, by_code, by_name


def _items(
    session: Session, actor: Actor, entity: int, words: dict[int, set[str]], customers: set[int], money: Sequence[Money],
    currencies: set[str],
) -> list[OpenItem]:  # fmt: skip
    """What is open in the currency of the money: a receipt settles nothing of another."""
    base = (
        select(
            Invoice.id, Invoice.number, Invoice.customer_id, Receivable.open_minor, Receivable.due_on, SalesOrder.number
        )
        .join(Receivable, Receivable.document_id == Invoice.id)
        .join(SalesOrder, SalesOrder.id == Invoice.order_id)
        .where(
            _OWED, Invoice.entity_id == entity, Receivable.open_minor > 0, Receivable.currency.in_(sorted(currencies))
        )
    )
    if actor.sites is not None:
        base = base.where(Invoice.site_id.in_(sorted(actor.sites)))
    spelt = sorted({spelling for found in words.values() for word in found for spelling in spellings(word)})
    found: dict[int, OpenItem] = {}
    wanted: tuple[tuple[Any, Sequence[Any]], ...] = (
        (Invoice.number, spelt), (SalesOrder.number, spelt), (Invoice.customer_id, sorted(customers)),
        (Receivable.open_minor, sorted({one.amount_minor for one in money})),
    )  # fmt: skip
    for column, values in wanted:
        for part in chunks(values):
            for key, number, customer, minor, due, order in session.execute(base.where(column.in_(part))):
                found[key] = OpenItem(key, number or "", customer, minor, due.toordinal(), (order,))
    return [found[key] for key in sorted(found)]


def spellings(word: str) -> set[str]:
    """How a number that was written together may be written in the books."""
    found = {word}
    parts = _NUMBERED.fullmatch(word)
    if parts:
        found.add("-".join(parts.groups()))
    letters = re.fullmatch(r"([A-Z]+)([0-9]+)", word)
    if letters:
        found.add("-".join(letters.groups()))
    return found


class ReturnPick(NamedTuple):
    """A receipt that may have gone back."""

    id: int
    number: str
    customer: str
    amount_minor: int


def receipts_to_return(session: Session, line: WaitingLine, words: str = "") -> tuple[list[ReturnPick], bool]:
    """Receipts of the company that have not gone back as far as this entry takes, those of exactly its amount and the newest first,
    and whether there are more than are offered. ``words``: a part of the number, the reference or the customer.
    """
    asked = -line.amount_minor
    query = (
        select(Receipt.id, Receipt.number, Customer.name, Receipt.amount_minor)
        .join(Customer, Customer.id == Receipt.customer_id)
        .where(Receipt.entity_id == line.entity_id, Receipt.amount_minor - Receipt.returned_minor > 0)
    )
    if words:
        texts = (Receipt.number, Receipt.reference, Customer.name, Customer.code)
        query = query.where(or_(*(one.icontains(words, autoescape=True) for one in texts)))
    rows = session.execute(
        query.order_by(func.abs(Receipt.amount_minor - asked), Receipt.id.desc()).limit(MOST_RECEIPTS + 1)
    ).all()
    return [ReturnPick(*row) for row in rows[:MOST_RECEIPTS]], len(rows) > MOST_RECEIPTS
