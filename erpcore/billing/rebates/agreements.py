"""Rebate agreements: written by one person, agreed to by another, ended when their days are over or before, with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, or_, select

from erpcore.billing.rebates.accruing import Document, accrue_before
from erpcore.billing.rebates.flow import REBATE
from erpcore.billing.rebates.models import Basis, RebateAgreement, RebateStanding, RebateState, RebateTier
from erpcore.billing.rebates.reach import bought, counted_before, year_before
from erpcore.billing.rebates.records import (
    COLUMNS,
    STANDING,
    TIER,
    AgreementRow,
    agreement_values,
    hold_terms,
    lock_agreement,
    save_agreements,
)
from erpcore.billing.rebates.rules import Tier
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.history import Transition, record_move
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import to_minor
from erpcore.kernel.rows import write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import ensure_account, post_entries
from erpcore.masterdata.models import Customer, CustomerGroup, Item, ItemGroup
from erpcore.masterdata.queries import customers, items, site_facts
from erpcore.ports import standard_ruleset
from erpcore.published.rebates import RebateAgreed

#: As many tiers as one agreement may have.
MOST_TIERS = 12
_DAY = timedelta(days=1)
_LONGEST = timedelta(days=3 * 366)


@dataclass(frozen=True, kw_only=True, slots=True)
class TierIn:
    """From so much on a share of the net (0.03: three percent), or an amount per unit."""

    starts_at: Decimal
    percent: Decimal | None = None
    per_unit: Decimal | None = None
    is_retroactive: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteRebate:
    """An agreement as it is written, for one customer or one group, in the currency of the site's company.

    ``base``: what was bought in the year before, where only growth counts; ``base_from_books`` adds it up from what was billed.
    """

    site: int
    name: str
    valid_from: date
    valid_until: date
    tiers: Sequence[TierIn]
    customer: int | None = None
    customer_group: int | None = None
    item: int | None = None
    item_group: int | None = None
    basis: str = Basis.NET.value
    base: Decimal = Decimal(0)
    base_from_books: bool = False
    adds_up: bool = False


def write_rebate(work: UnitOfWork, command: WriteRebate) -> int:
    """Keep a draft; returns its id. Nothing counts before another person agrees."""
    row = _row(work, command, work.ids.one())
    write_rows(work, RebateAgreement.__table__, COLUMNS, [agreement_values(row)])
    write_rows(work, RebateStanding.__table__, STANDING, [(row.id, 0, 0, 0, 0, 0, 0)])
    _write_tiers(work, row)
    record_move(work, "rebate", row.id, "write", None, row.state)
    return row.id


def change_rebate(work: UnitOfWork, key: int, command: WriteRebate, *, seen_version: int | None = None) -> None:
    """Write a draft anew; what was agreed stands as it is. Raises ``RuleBroken("rebate_elsewhere")`` for another company's site."""
    before = lock_agreement(work, key, seen_version)
    state = REBATE.target("change", before.state)
    row = _row(work, command, key)
    if row.entity_id != before.entity_id:
        raise RuleBroken("rebate_elsewhere", field="site")
    row.version, row.written_by, row.written_at, row.state = before.version, before.written_by, before.written_at, state
    work.session.execute(delete(RebateTier).where(RebateTier.agreement_id == key))
    _write_tiers(work, row)
    save_agreements(work, [row])
    record_move(work, "rebate", key, "change", before.state, state)


def withdraw_rebate(work: UnitOfWork, key: int, *, reason: str, seen_version: int | None = None) -> None:
    """A draft that nobody will agree to."""
    row = lock_agreement(work, key, seen_version)
    _require(work, "withdraw", row)
    _move(work, row, "withdraw", reason)
    save_agreements(work, [row])


def agree_rebate(work: UnitOfWork, key: int, *, note: str = "", seen_version: int | None = None) -> None:
    """Let it count from now on, and for what was billed in its days before, which is accrued at once, dated today.

    Raises ``NotAllowed("rebate_own")`` for who wrote or changed it, and ``RuleBroken("rebate_overlaps")`` with the other's number
    where something would count twice and this one does not say that it may.
    """
    hold_terms(work, shared=False)
    row = lock_agreement(work, key, seen_version)
    _require(work, "agree", row)
    REBATE.target("agree", row.state)
    if not work.actor.is_system and _has_written(work, row):
        raise NotAllowed("rebate_own")
    if not row.adds_up and (other := _overlapping(work, row)):
        raise RuleBroken("rebate_overlaps", document=row.number, other=other[0], name=other[1])
    for role in (AccountRole.REBATES, AccountRole.REBATES_ACCRUED):
        ensure_account(work, row.entity_id, role)
    row.agreed_by, row.agreed_at = work.actor.id, work.now
    _move(work, row, "agree", note)
    save_agreements(work, [row])
    work.memo.pop("rebates", None)
    work.audit("rebate_agreed", "rebate", row.id, written_by=row.written_by, until=row.valid_until.isoformat())
    place = place_of(work, row)
    work.publish(
        RebateAgreed(
            customer=row.customer_id, customer_group=row.customer_group_id, item=row.item_id, item_group=row.item_group_id,
            valid_from=row.valid_from, valid_until=row.valid_until,
        ),
        place, step="order_to_cash.invoice", subject=("rebate", row.id, row.version), journey=row.id,
    )  # fmt: skip
    if lines := counted_before(work.session, row, row.valid_from, row.valid_until):
        today = local_day(work.now, place.time_zone)
        document = Document(type="rebate", id=row.id, place=place, journey=row.id, on=today, at=work.now)
        post_entries(work, accrue_before(work, row, document, lines))


def end_rebate(work: UnitOfWork, key: int, *, reason: str = "", seen_version: int | None = None) -> None:
    """Nothing new counts; what is billed late for its days still does. Before its days are over it takes a reason, and today is
    its last day. Raises ``RuleBroken("rebate_not_begun")`` before its first.
    """
    row = lock_agreement(work, key, seen_version)
    _require(work, "end", row)
    REBATE.target("end", row.state)
    today = local_day(work.now, place_of(work, row).time_zone)
    if today < row.valid_from:
        raise RuleBroken("rebate_not_begun", document=row.number, day=row.valid_from)
    if today < row.valid_until - _DAY:
        if not reason.strip():
            raise RuleBroken("rebate_early", field="reason", document=row.number, day=row.valid_until - _DAY)
        row.valid_until = today + _DAY
    _move(work, row, "end", reason)
    save_agreements(work, [row])
    work.memo.pop("rebates", None)


def place_of(work: UnitOfWork, row: AgreementRow) -> Place:
    """Where the events and entries of an agreement itself belong."""
    site = site_facts(work, row.site_id)
    return Place(
        realm=site.entity.realm, entity=row.entity_id, site=row.site_id, customer_group=row.customer_group_id,
        ruleset=standard_ruleset().hash, currency=row.currency, time_zone=site.time_zone,
    )  # fmt: skip


def _require(work: UnitOfWork, move: str, row: AgreementRow) -> None:
    work.actor.require(REBATE.moves[move].permission, site=row.site_id)


def _move(work: UnitOfWork, row: AgreementRow, move: str, reason: str) -> None:
    was, row.state = row.state, REBATE.target(move, row.state, reason=reason)
    record_move(work, "rebate", row.id, move, was, row.state, reason=reason.strip() or None)


def _has_written(work: UnitOfWork, row: AgreementRow) -> bool:
    wrote = select(Transition.id).where(
        Transition.document_type == "rebate", Transition.document_id == row.id, Transition.move.in_(("write", "change")),
        Transition.actor == work.actor.id,
    )  # fmt: skip
    return row.written_by == work.actor.id or work.session.execute(wrote.limit(1)).first() is not None


def _overlapping(work: UnitOfWork, row: AgreementRow) -> tuple[str, str] | None:
    """Number and name of an agreement under which something falls that falls under this one as well."""
    table = RebateAgreement
    whose, what = _whose(work, row), _what(work, row)
    query = (
        select(table.number, table.name)
        .where(
            table.id != row.id, table.entity_id == row.entity_id, table.currency == row.currency,
            table.state.in_((RebateState.AGREED, RebateState.ENDED, RebateState.SETTLED)),
            table.valid_from < row.valid_until, table.valid_until > row.valid_from, whose, what,
        )
        .order_by(table.id)
        .limit(1)
    )  # fmt: skip
    found = work.session.execute(query).first()
    return (found.number, found.name) if found else None


def _whose(work: UnitOfWork, row: AgreementRow) -> Any:
    table = RebateAgreement
    if row.customer_id is not None:
        group = customers(work, [row.customer_id])[row.customer_id].group_id
        same = table.customer_id == row.customer_id
        return same if group is None else or_(same, table.customer_group_id == group)
    members = select(Customer.id).where(Customer.group_id == row.customer_group_id)
    return or_(table.customer_group_id == row.customer_group_id, table.customer_id.in_(members))


def _what(work: UnitOfWork, row: AgreementRow) -> Any:
    table = RebateAgreement
    on_all = table.item_id.is_(None) & table.item_group_id.is_(None)
    if row.item_id is not None:
        group = items(work, [row.item_id])[row.item_id].group_id
        same = or_(on_all, table.item_id == row.item_id)
        return same if group is None else or_(same, table.item_group_id == group)
    if row.item_group_id is not None:
        of_group = select(Item.id).where(Item.group_id == row.item_group_id)
        return or_(on_all, table.item_group_id == row.item_group_id, table.item_id.in_(of_group))
    return table.id == table.id


def _row(work: UnitOfWork, command: WriteRebate, key: int) -> AgreementRow:
    site = site_facts(work, command.site)
    work.actor.require(REBATE.moves["change"].permission, site=command.site)
    _check(work, command, site.entity.id, site.code)
    places = 0 if command.basis == Basis.NET else QUANTITY_PLACES
    currency = site.entity.currency

    def measure(value: Decimal) -> int:
        return to_minor(value, currency) if not places else scaled_int(value, places)

    row = AgreementRow(
        id=key, number=f"RB-{key}", name=command.name.strip(), entity_id=site.entity.id, site_id=command.site,
        customer_id=command.customer, customer_group_id=command.customer_group, item_id=command.item,
        item_group_id=command.item_group, valid_from=command.valid_from, valid_until=command.valid_until, currency=currency,
        basis=command.basis, base=measure(command.base), adds_up=command.adds_up, state=REBATE.initial,
        written_by=work.actor.id, written_at=work.now, agreed_by=None, agreed_at=None, version=1,
        tiers=[
            Tier(
                level, measure(one.starts_at), None if one.percent is None else scaled_int(one.percent, PRICE_PLACES),
                None if one.per_unit is None else scaled_int(one.per_unit, PRICE_PLACES), one.is_retroactive,
            )
            for level, one in enumerate(command.tiers, 1)
        ],
    )  # fmt: skip
    if command.base_from_books:
        before = replace(row, base=0)
        row.base = bought(work.session, before, year_before(row.valid_from), year_before(row.valid_until))
    return row


def _write_tiers(work: UnitOfWork, row: AgreementRow) -> None:
    write_rows(
        work, RebateTier.__table__, TIER,
        [(row.id, one.level, one.starts_at, one.percent, one.per_unit, one.is_retroactive) for one in row.tiers],
    )  # fmt: skip


def _check(work: UnitOfWork, command: WriteRebate, entity: int, site: str) -> None:
    """Refuse what is no agreement: nobody or nothing meant, days that are none, tiers that do not rise."""
    if not command.name.strip():
        raise RuleBroken("rebate_nameless", field="name")
    if (command.customer is None) == (command.customer_group is None):
        raise RuleBroken("rebate_for_nobody", field="customer")
    if command.item is not None and command.item_group is not None:
        raise RuleBroken("rebate_on_two", field="item_group")
    if not command.valid_from < command.valid_until <= command.valid_from + _LONGEST:
        raise RuleBroken("rebate_days", field="valid_until")
    if command.basis not in set(Basis):
        raise RuleBroken("choice_unknown", field="basis", value=command.basis)
    if command.base < 0:
        raise RuleBroken("amount_not_positive", field="base")
    if command.customer is not None and customers(work, [command.customer])[command.customer].entity_id != entity:
        code = customers(work, [command.customer])[command.customer].code
        raise RuleBroken("other_entity", field="customer", customer=code, site=site)
    if command.item is not None and items(work, [command.item])[command.item].entity_id != entity:
        raise NotFound("item_unknown", id=command.item)
    for table, key, code in (
        (CustomerGroup, command.customer_group, "customer_group"), (ItemGroup, command.item_group, "item_group"),
    ):  # fmt: skip
        if key is not None and work.session.get(table, key) is None:
            raise RuleBroken("choice_unknown", field=code, value=str(key))
    _check_tiers(command.tiers)


def _check_tiers(tiers: Sequence[TierIn]) -> None:
    if not 1 <= len(tiers) <= MOST_TIERS:
        raise RuleBroken("rebate_tiers_few", field="tiers-0-starts_at", most=MOST_TIERS)
    before = Decimal(-1)
    for number, one in enumerate(tiers):
        if one.starts_at <= before:
            raise RuleBroken("rebate_tiers_rise", field=f"tiers-{number}-starts_at", row=number + 1)
        before = one.starts_at
        if (one.percent is None) == (one.per_unit is None):
            raise RuleBroken("rebate_tier_gives", field=f"tiers-{number}-percent", row=number + 1)
        if one.percent is not None and not 0 <= one.percent <= 1:
            raise RuleBroken("rebate_percent", field=f"tiers-{number}-percent", row=number + 1)
        if one.per_unit is not None and one.per_unit < 0:
            raise RuleBroken("amount_not_positive", field=f"tiers-{number}-per_unit")
