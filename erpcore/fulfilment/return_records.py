"""Returns as services hold them: rows read once, locked until the unit of work ends, written back by conditional updates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import update

from erpcore.fulfilment.models import ReturnLine, ReturnOrder
from erpcore.kernel.errors import NotFound
from erpcore.kernel.events import Place
from erpcore.kernel.money import exact_amount, scaled_amount
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import customers, site_facts


@dataclass(slots=True)
class ReturnRow:
    """A return as stored, with its lines."""

    id: int
    entity_id: int
    site_id: int
    channel_id: int
    customer_id: int
    order_id: int | None
    number: str
    state: str
    reason: str
    fault: str
    currency: str
    ship_country: str
    ruleset: str
    variants: str
    grant_id: int | None
    requested_at: datetime
    version: int
    condition: str
    judged: str | None
    replacement_id: int | None
    lines: list[ReturnLineRow] = field(kw_only=True)
    customer_group: int | None = None

    def place(self, work: UnitOfWork) -> Place:
        """The dimensions of this return's events."""
        site = site_facts(work, self.site_id)
        return Place(
            realm=site.entity.realm, entity=self.entity_id, site=self.site_id, channel=self.channel_id,
            customer_group=self.customer_group, grant=self.grant_id, ruleset=self.ruleset, variants=self.variants,
            currency=self.currency, time_zone=site.time_zone,
        )  # fmt: skip

    @property
    def value(self) -> int:
        """What is given back, in minor units."""
        return sum(scaled_amount(1000, line.amount, self.currency) for line in self.lines)


@dataclass(slots=True)
class ReturnLineRow:
    """A line of a return as stored."""

    id: int
    return_id: int
    line_no: int
    item_id: int
    order_line_id: int | None
    quantity: int
    unit_price: int
    amount: int
    tax_rate: int | None
    disposition: str
    unlinked: str | None
    asked: int

    def count(self, quantity: int) -> None:
        """So much came; what it is worth follows."""
        self.quantity, self.amount = quantity, exact_amount(quantity, self.unit_price)


COLUMNS = tuple(f.name for f in fields(ReturnRow) if f.name not in ("lines", "customer_group"))


LINE_COLUMNS = tuple(f.name for f in fields(ReturnLineRow))


return_values = attrgetter(*COLUMNS)


line_values = attrgetter(*LINE_COLUMNS)


def _save() -> Any:
    table = ReturnOrder.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(
            version=table.c.version + 1,
            state=param("new_state", table.c.state),
            replacement_id=param("new_replacement", table.c.replacement_id),
        )
    )


SAVE = Change(_save)


def _save_line() -> Any:
    table = ReturnLine.__table__
    names = ("asked", "quantity", "amount", "disposition")
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values({name: param(f"new_{name}", table.c[name]) for name in names})
    )


SAVE_LINE = Change(_save_line)


def save_return_lines(work: UnitOfWork, rows: Iterable[ReturnRow]) -> None:
    """Write what came and what becomes of it; lines without an id yet get one, and the next numbers of their return."""
    known, added = [], []
    for row in rows:
        highest = max((line.line_no for line in row.lines), default=0)
        for line in row.lines:
            if line.id:
                known.append(line)
                continue
            highest += 10
            line.id, line.line_no = work.ids.one(), highest
            added.append(line)
    write_rows(work, ReturnLine.__table__, LINE_COLUMNS, [line_values(line) for line in added])
    SAVE_LINE.run(
        work,
        [
            {
                "of": line.id,
                "new_asked": line.asked,
                "new_quantity": line.quantity,
                "new_amount": line.amount,
                "new_disposition": line.disposition,
            }
            for line in known
        ],
    )


def save_returns(work: UnitOfWork, returns: Sequence[ReturnRow]) -> None:
    """Write back the states of changed returns, each one version on."""
    SAVE.run(
        work,
        [{"of": r.id, "was": r.version, "new_state": r.state, "new_replacement": r.replacement_id} for r in returns],
    )
    for row in returns:
        row.version += 1


def lock_returns(work: UnitOfWork, ids: Iterable[int]) -> list[ReturnRow]:
    """Returns with their lines, locked, in the order of their ids."""
    held: dict[int, ReturnRow] = work.memo.setdefault("returns", {})
    wanted = sorted(set(ids))
    unread = [key for key in wanted if key not in held]
    if unread:
        for row in read_rows(work, ReturnOrder, COLUMNS, "id", unread, lock=True):
            held[row.id] = ReturnRow(*row, lines=[])
        for row in read_rows(work, ReturnLine, LINE_COLUMNS, "return_id", unread):
            held[row.return_id].lines.append(ReturnLineRow(*row))
        read = [held[key] for key in unread if key in held]
        known = customers(work, {row.customer_id for row in read})
        for row in read:
            row.lines.sort(key=lambda line: line.line_no)
            row.customer_group = known[row.customer_id].group_id
    for key in wanted:
        found = held.get(key)
        if found is None or (work.actor.sites is not None and found.site_id not in work.actor.sites):
            raise NotFound("return_unknown", id=key)
        site_facts(work, found.site_id)
    return [held[key] for key in wanted]
