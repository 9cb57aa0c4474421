"""Quotes as services hold them: rows read under lock, written back by conditional updates.

Quantities are thousandths of the unit, prices and amounts millionths, values minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import delete, select, update

from erpcore.kernel.errors import Conflict, NotFound
from erpcore.kernel.events import Place
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import customers, site_facts
from erpcore.orders.quotes.models import Quote, QuoteLine


@dataclass(slots=True)
class Offered:
    """One line of a quote, as stored."""

    id: int
    quote_id: int
    line_no: int
    item_id: int
    kind: str
    quantity: int
    unit_price: int
    price_source: str
    amount: int
    value_minor: int
    tax_rate: int | None
    requested_on: date | None
    promised_on: date
    promise_reason: str
    ruleset: str | None = None
    price_rule_id: int | None = None
    list_price: int | None = None
    resolved_price: int | None = None
    price_floor: int | None = None
    unit_cost: int | None = None
    price_losers: str | None = None
    price_reason: str | None = None
    is_rush: bool = False
    is_rush_charge: bool = False


@dataclass(slots=True)
class Offer:
    """One quote with its lines, as stored."""

    id: int
    journey_id: int
    revision: int
    number: str
    entity_id: int
    site_id: int
    channel_id: int
    customer_id: int
    customer_reference: str | None
    note: str | None
    state: str
    currency: str
    ship_country: str
    requested_on: date | None
    valid_from: date
    valid_until: date
    value_minor: int
    ruleset: str
    variants: str
    grant_id: int | None
    source: str
    entered_at: datetime
    priced_by: int
    asked_by: int | None
    asked_digest: str | None
    permission: str | None
    level: str | None
    lost_minor: int
    sent_at: datetime | None
    settled_at: datetime | None
    version: int
    lines: list[Offered] = field(kw_only=True)

    def place(self, work: UnitOfWork) -> Place:
        """The dimensions of this quote's events."""
        site = site_facts(work, self.site_id)
        group = customers(work, {self.customer_id})[self.customer_id].group_id
        return Place(
            realm=site.entity.realm, entity=self.entity_id, site=self.site_id, channel=self.channel_id, customer_group=group,
            grant=self.grant_id, ruleset=self.ruleset, variants=self.variants, currency=self.currency,
            time_zone=site.time_zone,
        )  # fmt: skip


QUOTE_COLUMNS = tuple(f.name for f in fields(Offer) if f.name != "lines")
LINE_COLUMNS = tuple(f.name for f in fields(Offered))
_quote_values = attrgetter(*QUOTE_COLUMNS)
_line_values = attrgetter(*LINE_COLUMNS)
#: What a move may change of a quote; who, where and in which revision stay.
_CHANGING = (
    "customer_reference", "note", "state", "requested_on", "valid_from", "valid_until", "value_minor", "ruleset",
    "variants", "priced_by", "asked_by", "asked_digest", "permission", "level", "lost_minor", "sent_at", "settled_at",
)  # fmt: skip


def insert_quotes(work: UnitOfWork, quotes: Sequence[Offer]) -> None:
    """Write new quotes with their lines."""
    write_rows(work, Quote.__table__, QUOTE_COLUMNS, [_quote_values(quote) for quote in quotes])
    _insert_lines(work, quotes)


def _insert_lines(work: UnitOfWork, quotes: Sequence[Offer]) -> None:
    rows = [_line_values(line) for quote in quotes for line in quote.lines]
    write_rows(work, QuoteLine.__table__, LINE_COLUMNS, rows)


def replace_lines(work: UnitOfWork, quote: Offer, lines: list[Offered]) -> None:
    """Write the lines of a draft anew; what a draft said before binds nobody."""
    work.session.execute(delete(QuoteLine).where(QuoteLine.quote_id == quote.id))
    quote.lines = lines
    _insert_lines(work, [quote])


def lock_quotes(work: UnitOfWork, ids: Iterable[int], *, seen: dict[int, int] | None = None) -> list[Offer]:
    """The quotes, in the order of their ids, locked with all their revisions; ``seen`` are the versions that the person saw.

    The lock is that of the first revision, so that two who work on different revisions wait for each other. Raises
    ``NotFound`` for an unknown quote (or one of a site outside the actor's scope), ``Conflict`` when it changed since.
    """
    wanted = sorted(set(ids))
    journeys = {row.journey_id for row in read_rows(work, Quote, ("id", "journey_id"), "id", wanted)}
    read_rows(work, Quote, ("id",), "journey_id", journeys, also=("revision", 1), lock=True)
    found = _read(work, wanted)
    for key in wanted:
        quote, sites = found.get(key), work.actor.sites
        if quote is None or (sites is not None and quote.site_id not in sites):
            raise NotFound("quote_unknown", quote=key)
        # Refuses a quote of another realm.
        site_facts(work, quote.site_id)
        if seen and key in seen and seen[key] != quote.version:
            raise Conflict("changed_meanwhile", document=quote.number)
    return [found[key] for key in wanted]


def _read(work: UnitOfWork, ids: Sequence[int]) -> dict[int, Offer]:
    found = {row.id: Offer(*row, lines=[]) for row in read_rows(work, Quote, QUOTE_COLUMNS, "id", ids)}
    for row in read_rows(work, QuoteLine, LINE_COLUMNS, "quote_id", ids):
        found[row.quote_id].lines.append(Offered(*row))
    for quote in found.values():
        quote.lines.sort(key=lambda line: line.line_no)
    return found


def revisions_of(work: UnitOfWork, quote: Offer) -> list[Offer]:
    """All revisions of a locked quote but itself, the oldest first."""
    query = select(Quote.id).where(Quote.journey_id == quote.journey_id, Quote.id != quote.id)
    found = _read(work, list(work.session.execute(query).scalars()))
    return sorted(found.values(), key=lambda one: one.revision)


def _save() -> Any:
    table = Quote.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in _CHANGING})
    )


_SAVE = Change(_save)


def save_quotes(work: UnitOfWork, quotes: Sequence[Offer]) -> None:
    """Write back the changed quotes, each one version on. They must be locked."""
    rows = []
    for quote in quotes:
        values = {f"new_{name}": getattr(quote, name) for name in _CHANGING}
        rows.append({"of": quote.id, "was": quote.version, **values})
    _SAVE.run(work, rows)
    for quote in quotes:
        quote.version += 1
