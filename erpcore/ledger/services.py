"""Posting to the books: balanced by construction, once per document and rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from erpcore.kernel.audit import audit_all
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.rows import read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import Account, AccountKind, AccountRole, JournalEntry, JournalLine
from erpcore.ledger.periods import require_open_period
from erpcore.ledger.posting_rules import require_side, rule_of
from erpcore.published import LedgerPosted

_ENTRY = (
    "id", "entity_id", "site_id", "channel_id", "rule", "entry_on", "posted_at", "currency", "document_type", "document_id",
    "reverses_id", "rounding", "text",
)  # fmt: skip
_LINE = ("entry_id", "line_no", "account_id", "party_id", "debit_minor", "credit_minor")

#: The chart a new entity starts with: role, code, name, kind.
STANDARD_CHART = (
    (AccountRole.BANK, "1000", "Bank", AccountKind.ASSET),
    (AccountRole.BANK_CLEARING, "1090", "Bank entries not assigned", AccountKind.LIABILITY),
    (AccountRole.RECEIVABLE, "1200", "Trade receivables", AccountKind.ASSET),
    (AccountRole.SISTER_RECEIVABLE, "1220", "Receivables from sister companies", AccountKind.ASSET),
    (AccountRole.UNBILLED, "1250", "Revenue not invoiced yet", AccountKind.ASSET),
    (AccountRole.PARTNER, "1300", "Payouts of partners", AccountKind.ASSET),
    (AccountRole.PARTNER_RESERVE, "1310", "Reserves held by partners", AccountKind.ASSET),
    (AccountRole.PARTNER_TAX, "1320", "Tax that partners withheld and paid", AccountKind.ASSET),
    (AccountRole.PARTNER_FEE_TAX, "1330", "Tax on fees of partners", AccountKind.ASSET),
    (AccountRole.PARTNER_DIFFERENCE, "1340", "Payouts not explained", AccountKind.ASSET),
    (AccountRole.INPUT_TAX, "1350", "Input tax", AccountKind.ASSET),
    (AccountRole.INVENTORY, "1400", "Inventory", AccountKind.ASSET),
    (AccountRole.TRANSFER, "1450", "Stock in transfer between sites", AccountKind.ASSET),
    (AccountRole.ON_THE_WAY, "1460", "Goods on the way to customers", AccountKind.ASSET),
    (AccountRole.RETURNS_EXPECTED, "1480", "Goods expected back from customers", AccountKind.ASSET),
    (AccountRole.SUPPLIER_CLAIMS, "1490", "Owed by suppliers for goods sent back", AccountKind.ASSET),
    (AccountRole.SUPPLIER_CREDITS, "1495", "Credit notes of suppliers", AccountKind.ASSET),
    (AccountRole.PAYABLE, "2000", "Trade payables", AccountKind.LIABILITY),
    (AccountRole.SISTER_PAYABLE, "2050", "Payables to sister companies", AccountKind.LIABILITY),
    (AccountRole.RECEIVED_NOT_INVOICED, "2100", "Goods received, not invoiced", AccountKind.LIABILITY),
    (AccountRole.FREIGHT_ACCRUED, "2120", "Freight not billed yet", AccountKind.LIABILITY),
    (AccountRole.TAX, "2200", "Tax payable", AccountKind.LIABILITY),
    (AccountRole.ON_ACCOUNT, "2300", "Receipts on account", AccountKind.LIABILITY),
    (AccountRole.DEFERRED, "2350", "Deferred revenue", AccountKind.LIABILITY),
    (AccountRole.REFUNDS_EXPECTED, "2360", "Refunds expected", AccountKind.LIABILITY),
    (AccountRole.REBATES_ACCRUED, "2380", "Rebates accrued", AccountKind.LIABILITY),
    (AccountRole.OPENING, "3000", "Opening balances", AccountKind.EQUITY),
    (AccountRole.REVENUE, "4000", "Sales", AccountKind.INCOME),
    (AccountRole.SISTER_REVENUE, "4050", "Sales to sister companies", AccountKind.INCOME),
    (AccountRole.CHARGES, "4100", "Charges to customers", AccountKind.INCOME),
    (AccountRole.RESTOCKING, "4150", "Restocking fees", AccountKind.INCOME),
    (AccountRole.COST_OF_SALES, "5000", "Cost of sales", AccountKind.EXPENSE),
    (AccountRole.SISTER_COST, "5050", "Cost of sales to sister companies", AccountKind.EXPENSE),
    (AccountRole.ADJUSTMENT, "5200", "Stock adjustments", AccountKind.EXPENSE),
    (AccountRole.FREIGHT, "5300", "Freight to customers", AccountKind.EXPENSE),
    (AccountRole.REBATES, "5800", "Rebates to customers", AccountKind.EXPENSE),
    (AccountRole.BAD_DEBT, "6000", "Bad debt", AccountKind.EXPENSE),
    (AccountRole.PARTNER_FEES, "6700", "Fees of partners", AccountKind.EXPENSE),
    (AccountRole.BANK_FEES, "6800", "Bank fees", AccountKind.EXPENSE),
    (AccountRole.CURRENCY_DIFFERENCE, "6850", "Currency differences", AccountKind.EXPENSE),
)


#: A chart of its own may lack these: it gets the standard account when one is first posted to.
LATER_ROLES = frozenset(
    {
        AccountRole.UNBILLED, AccountRole.DEFERRED, AccountRole.ON_THE_WAY, AccountRole.FREIGHT, AccountRole.FREIGHT_ACCRUED,
        AccountRole.REFUNDS_EXPECTED, AccountRole.RETURNS_EXPECTED, AccountRole.REBATES, AccountRole.REBATES_ACCRUED,
        AccountRole.RESTOCKING, AccountRole.SUPPLIER_CLAIMS, AccountRole.SUPPLIER_CREDITS,
        AccountRole.PAYABLE, AccountRole.INPUT_TAX,
        AccountRole.SISTER_RECEIVABLE, AccountRole.SISTER_PAYABLE, AccountRole.SISTER_REVENUE, AccountRole.SISTER_COST,
    }
)  # fmt: skip


class Side(NamedTuple):
    """One line of an entry: a positive ``amount`` debits the account, a negative one credits it. The entity's chart says which
    account has the role; a journal by hand names its ``account``, whose role may be none.
    """

    role: AccountRole | None
    amount: int
    party: int | None = None
    account: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What one document does to the books, in minor units of ``currency``. ``rounding`` in millionths."""

    rule: str
    place: Place
    document_type: str
    document_id: int
    journey: int
    entry_on: date
    posted_at: datetime
    currency: str
    sides: Sequence[Side]
    rounding: int = 0
    text: str | None = None
    reverses: int | None = None


ChartRow = tuple[AccountRole | None, str, str, AccountKind]
"""Role of the postings, code, name, kind; without a role it is for journals by hand."""


def open_chart(work: UnitOfWork, entity: int, chart: Sequence[ChartRow] = STANDARD_CHART) -> None:
    """Give a new entity a chart of accounts, the standard one unless another is named. Raises ``RuleBroken`` for a role that has
    no account in it: some document could not be posted.
    """
    if missing := [role for role in AccountRole if role not in {row[0] for row in chart} | LATER_ROLES]:
        raise RuleBroken("chart_role_missing", roles=[role.replace("_", " ") for role in missing])
    ids = work.ids.reserve(len(chart))
    accounts = [
        Account(id=next(ids), entity_id=entity, role=role, code=code, name=name, kind=kind)
        for role, code, name, kind in chart
    ]
    work.session.add_all(accounts)
    # Postings of the same unit of work look the accounts up.
    work.session.flush()
    said = {one.id: {"code": one.code, "role": one.role, "of": one.kind} for one in accounts}
    audit_all(work, "account_added", "ledger_account", said, entity=entity)


def ensure_account(work: UnitOfWork, entity: int, role: AccountRole) -> None:
    """Give a chart that was opened before this role existed the standard account for it; a chart that has one stays as it is."""
    if role in _accounts(work, entity):
        return
    _, code, name, kind = next(row for row in STANDARD_CHART if row[0] == role)
    key = work.ids.one()
    rows = [{"id": key, "entity_id": entity, "role": role, "code": code, "name": name, "kind": kind}]
    insert: Any = sqlite_insert if work.dialect.name == "sqlite" else pg_insert
    added: Any = work.session.execute(insert(Account).values(rows).on_conflict_do_nothing())
    if added.rowcount == 1:
        work.audit("account_added", "ledger_account", key, entity=entity, code=code, role=role, of=kind)
    work.memo.pop(f"chart:{entity}", None)


def _accounts(work: UnitOfWork, entity: int) -> dict[str, int]:
    key = f"chart:{entity}"
    chart: dict[str, int] | None = work.memo.get(key)
    if chart is None:
        rows = read_rows(work, Account, ("role", "id"), "entity_id", [entity])
        chart = work.memo[key] = {row.role: row.id for row in rows}
    return chart


def read_charts(work: UnitOfWork, entities: Iterable[int]) -> None:
    """Look the accounts of these entities up before anything is locked that others wait for; posting then asks nothing."""
    for entity in sorted(set(entities)):
        _accounts(work, entity)


def post_entries(work: UnitOfWork, entries: Sequence[Entry]) -> list[int]:
    """Post each entry and report it; returns the entry ids, 0 for one without amounts, which posts nothing.

    Raises ``RuleBroken`` when an entry does not balance to the last minor unit, no posting rule allows it, the chart lacks an
    account, or its day lies in a closed period; nothing of the unit of work stays then.
    """
    ids = work.ids.reserve(len(entries))
    heads, lines, given = [], [], []
    for entry in entries:
        sides = [side for side in entry.sides if side.amount]
        if sum(side.amount for side in sides):
            raise RuleBroken("entry_unbalanced", document=entry.document_type, id=entry.document_id, rule=entry.rule)
        if not sides:
            given.append(0)
            continue
        rule = rule_of(entry.document_type, entry.rule)
        entry_id = next(ids)
        given.append(entry_id)
        place = entry.place
        if entry.entry_on < local_day(work.now, place.time_zone):
            require_open_period(work, place.entity, entry.entry_on, rule.journal)
        chart = _accounts(work, place.entity)
        heads.append(
            (
                entry_id, place.entity, place.site, place.channel, entry.rule, entry.entry_on, entry.posted_at, entry.currency,
                entry.document_type, entry.document_id, entry.reverses, entry.rounding, entry.text,
            )
        )  # fmt: skip
        amount = 0
        for number, side in enumerate(sides, 1):
            require_side(entry.document_type, entry.rule, side.role, side.amount)
            account = side.account or chart.get(side.role or "")
            if account is None:
                raise RuleBroken("account_missing", role=side.role, entity=place.entity)
            debit, credit = (side.amount, 0) if side.amount > 0 else (0, -side.amount)
            amount += debit
            lines.append((entry_id, number, account, side.party, debit, credit))
        work.publish(
            LedgerPosted(
                document_type=entry.document_type, document=entry.document_id, amount=amount, rounding=entry.rounding
            ),
            place,
            step="record_to_report.post",
            subject=("entry", entry_id, 1),
            journey=entry.journey,
            at=entry.posted_at,
        )
    write_rows(work, JournalEntry.__table__, _ENTRY, heads)
    write_rows(work, JournalLine.__table__, _LINE, lines)
    return given
