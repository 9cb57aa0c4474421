"""Bad-debt journals: how a debt is given up, or taken on again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from erpcore.billing.models import DebtJournal
from erpcore.billing.records import RECEIVABLE
from erpcore.billing.services import scaled_posted
from erpcore.credit.models import Receivable
from erpcore.credit.services import Part, change_exposures
from erpcore.kernel.clock import local_day
from erpcore.kernel.events import Place
from erpcore.kernel.model import PRICE_PLACES, scaled_int
from erpcore.kernel.money import to_minor
from erpcore.kernel.rows import write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, post_entries
from erpcore.masterdata.queries import customers, site_facts
from erpcore.ports import Cell, CellStates, Process, admit, standard_ruleset
from erpcore.published import DebtWrittenOff

_JOURNAL = (
    "id", "entity_id", "site_id", "customer_id", "number", "reason", "ship_country", "currency", "amount", "amount_minor",
    "posted_at",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PostDebt:
    """A bad-debt journal with its sign, in the currency of the books; ``channel``: of the order whose debt it is."""

    site: int
    customer: int
    amount: Decimal
    reason: str
    number: str | None = None
    ship_country: str | None = None
    at: datetime | None = None
    channel: int | None = None


def post_debts(
    work: UnitOfWork, commands: Sequence[PostDebt], *, cells: CellStates, is_agreed: bool = False
) -> list[int]:
    """Post bad-debt journals with their sign: negative gives a debt up, positive takes it on again. ``is_agreed``: by authority, or
    by a policy, whatever the actor may.
    """
    known = customers(work, {c.customer for c in commands})
    rows, entries, receivables = [], [], []
    deltas: dict[tuple[int, int], int] = defaultdict(int)
    ids = work.ids.reserve(len(commands))
    given = []
    for command in commands:
        if not is_agreed:
            work.actor.require("billing:debt:write_off", site=command.site)
        site = site_facts(work, command.site)
        customer = known[command.customer]
        cell = Cell(site.live_id, command.channel, Process.ORDER_TO_CASH, customer.group_id)
        grant = admit(work, cells, site.entity.realm, cell, begins=False)
        when, currency, key = command.at or work.now, site.entity.currency, next(ids)
        given.append(key)
        minor = to_minor(command.amount, currency)
        day = local_day(when, site.time_zone)
        place = Place(
            realm=site.entity.realm, entity=site.entity.id, site=site.id, channel=command.channel,
            customer_group=customer.group_id, grant=grant, ruleset=standard_ruleset().hash, currency=currency, time_zone=site.time_zone,
        )  # fmt: skip
        exact = scaled_int(command.amount, PRICE_PLACES)
        rows.append(
            (
                key, site.entity.id, site.id, customer.id, command.number or f"DJ-{key}", command.reason,
                command.ship_country or customer.country, currency, exact, minor, when,
            )
        )  # fmt: skip
        entries.append(
            Entry(
                rule="bad_debt", place=place, document_type="debt_journal", document_id=key, journey=key, entry_on=day,
                posted_at=when, currency=currency, text=command.reason,
                sides=(Side(AccountRole.RECEIVABLE, minor, customer.id), Side(AccountRole.BAD_DEBT, -minor)),
                rounding=exact - scaled_posted(minor, currency),
            )
        )  # fmt: skip
        receivables.append((key, "debt_journal", site.entity.id, customer.id, currency, minor, minor, day))
        deltas[customer.id, site.entity.id] += minor
        work.publish(
            DebtWrittenOff(amount=-minor, reason=command.reason), place, step="order_to_cash.cash",
            subject=("debt_journal", key, 1), journey=key, at=when,
        )  # fmt: skip
    write_rows(work, DebtJournal.__table__, _JOURNAL, rows)
    write_rows(work, Receivable.__table__, RECEIVABLE, receivables)
    post_entries(work, entries)
    change_exposures(work, deltas, Part.RECEIVABLE)
    return given
