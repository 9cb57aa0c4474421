"""Of which kind is a bank's file, and what does it say? One that cannot be read at all is a statement with a fault and no lines."""

from __future__ import annotations

from hashlib import sha256

from app.importers.bankfiles.camt import read_camt
from app.importers.bankfiles.mt940 import read_mt940
from app.importers.bankfiles.table import Mapping, read_table
from app.importers.bankfiles.values import MOST_LINES, Unreadable, text_of, whole_file
from erpcore.billing.bank import BankAccountFacts, TakeStatement
from erpcore.kernel.errors import RuleBroken


def digest_of(content: bytes) -> str:
    """By what the same file is known again."""
    return sha256(content).hexdigest()


def kind_of(content: bytes) -> str:
    """camt.053, mt940 or table, by how the file begins."""
    # Without a mark of its order UTF-16 is a text with zeros between its letters.
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        head = text_of(content[:4000] if marked else content[:4000].replace(b"\0", b""))
    except Unreadable:
        return "table"
    start = head.lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        return "camt.053"
    return "mt940" if ":20:" in head and (start.startswith(("{1:", ":20:", ":")) or "\n:20:" in head) else "table"


def read_bank_file(
    content: bytes,
    account: BankAccountFacts,
    mapping: Mapping | None,
    *,
    opening_minor: int | None = None,
    closing_minor: int | None = None,
) -> list[TakeStatement]:
    """The statements of a file for this account.

    Raises ``RuleBroken`` for an empty or too long file, and for a table without mapping or balances.
    """
    whole_file(content)
    kind = kind_of(content)
    try:
        if kind == "camt.053":
            found = read_camt(content)
        elif kind == "mt940":
            found = read_mt940(content)
        elif mapping is None:
            raise RuleBroken("mapping_missing", field="file", account=account.number)
        elif opening_minor is None or closing_minor is None:
            raise RuleBroken("balance_missing", field="opening" if opening_minor is None else "closing")
        else:
            found = read_table(
                content, mapping, account=account.number, currency=account.currency, opening_minor=opening_minor,
                closing_minor=closing_minor,
            )  # fmt: skip
    except Unreadable as unread:
        found = [
            TakeStatement(
                format=kind, reference="–", account=account.number, currency=account.currency, opening_minor=None,
                closing_minor=None, fault=str(unread), lines=[],
            )
        ]  # fmt: skip
    if sum(len(one.lines) for one in found) > MOST_LINES:
        raise RuleBroken("bank_file_too_many", field="file", most=MOST_LINES)
    return found
