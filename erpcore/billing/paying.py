"""Where is a customer asked to pay to, from which day on, and who said so? What invoices and e-invoices name (EN 16931, BG-17).

What was told is never changed: the account told next holds from its first day on. Only the first one of a currency may begin in the
past, since no document has named another; after that, what was given out keeps the account that it named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Date, ForeignKey, Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from erpcore.billing.bank_models import BankAccount
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.model import Base, UtcDateTime, append_only
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Entity

TELL = "billing:bank:account"
_LIKE_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")


class InvoiceAccount(Base):
    """The account that a company's invoices in the account's currency name from ``valid_from`` on, as it was told."""

    __tablename__ = "invoice_account"
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("bank_account.id"))
    valid_from: Mapped[date] = mapped_column(Date)
    bic: Mapped[str | None] = mapped_column(String(11))
    reason: Mapped[str] = mapped_column(String(200))
    set_by: Mapped[int] = mapped_column(BigInteger)
    set_as: Mapped[str] = mapped_column(String(64))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(InvoiceAccount)


@dataclass(frozen=True, kw_only=True)
class TellInvoiceAccount:
    """The account that invoices name next. ``seen`` is the number of the last one that the person saw, 0 for none."""

    entity: int
    account: int
    valid_from: date
    reason: str
    bic: str = ""
    seen: int = 0


def is_iban(number: str) -> bool:
    """Whether a number of an account is an IBAN whose check digits hold (ISO 13616: the remainder by 97 is 1)."""
    if _LIKE_IBAN.fullmatch(number) is None:
        return False
    return int("".join(str(int(one, 36)) for one in number[4:] + number[:4])) % 97 == 1


def tell_invoice_account(work: UnitOfWork, c: TellInvoiceAccount) -> InvoiceAccount:
    """Keep which account invoices name from a day on.

    Raises ``NotFound`` for a company or an account of it that is not there, ``Conflict`` where another one was told meanwhile, and
    ``RuleBroken`` for a first day that documents have passed already, for wrong check digits, and for what is no BIC.
    """
    work.actor.require(TELL)
    entity = work.session.execute(
        select(Entity).where(Entity.id == c.entity).with_for_update(key_share=True)
    ).scalar_one_or_none()
    if entity is None or entity.realm != work.realm:
        raise NotFound("entity_unknown", entity=c.entity)
    account = work.session.get(BankAccount, c.account)
    if account is None or account.entity_id != entity.id:
        raise NotFound("bank_account_unknown", id=c.account)
    known = invoice_accounts_told(work.session, entity.id)
    if c.seen != len(known):
        raise Conflict(
            "invoice_account_changed", company=entity.code, set_at=known[-1][0].set_at if known else work.now
        )
    bic = "".join(c.bic.split()).upper()
    _check(c, account, bic)
    has_one = any(other.currency == account.currency for _, other in known)
    if has_one and c.valid_from < local_day(work.now, entity.time_zone):
        raise RuleBroken("invoice_account_late", field="valid_from", day=c.valid_from, currency=account.currency)
    row = InvoiceAccount(
        entity_id=entity.id, number=len(known) + 1, account_id=account.id, valid_from=c.valid_from, bic=bic or None,
        reason=c.reason.strip(), set_by=work.actor.id, set_as=work.actor.role, set_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    work.audit(
        "invoice_account.told", "entity", entity.id, number=row.number, account=account.number, valid_from=row.valid_from,
        bic=row.bic, reason=row.reason,
    )  # fmt: skip
    return row


def _check(c: TellInvoiceAccount, account: BankAccount, bic: str) -> None:
    if _LIKE_IBAN.fullmatch(account.number) and not is_iban(account.number):
        raise RuleBroken("iban_wrong", field="account", number=account.number)
    if bic and _BIC.fullmatch(bic) is None:
        raise RuleBroken("bic_wrong", field="bic", bic=c.bic.strip())
    if not c.reason.strip():
        raise RuleBroken("invoice_account_reason", field="reason")


def invoice_accounts_told(session: Session, entity: int) -> list[Any]:
    """What a company was told to name, with the account, in the order of telling."""
    query = (
        select(InvoiceAccount, BankAccount)
        .join(BankAccount, BankAccount.id == InvoiceAccount.account_id)
        .where(InvoiceAccount.entity_id == entity)
        .order_by(InvoiceAccount.number)
    )
    return list(session.execute(query))


def invoice_account_on(session: Session, entity: int, currency: str, day: date) -> Any | None:
    """The account that an invoice of a day in a currency names, as told: the last of those that have begun; ``None``: none."""
    told = invoice_accounts_told(session, entity)
    return next((one for one in reversed(told) if one[0].valid_from <= day and one[1].currency == currency), None)
