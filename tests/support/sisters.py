"""Builders: a second company with a site and items of its own that are counterparts, and goods sent between the two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import text

from app.composition.uow import reading
from erpcore.inventory.sisters.services import SendToSister, SisterGoods, send_to_sister, turn_back
from erpcore.ledger.services import open_chart
from erpcore.masterdata.counterparts import KeepCounterpart, keep_counterparts
from erpcore.masterdata.rates import NewRate, keep_rates
from erpcore.masterdata.services import NewEntity, NewItem, NewSite, add_entity, add_items, add_site
from tests.support.core import OPEN, RULES


@dataclass
class Sister:
    """Ids of the other company."""

    entity: int
    site: int
    items: tuple[int, ...]


def a_sister(business, *, currency="CHF", cost="5.00", paired=2, country="Switzerland"):
    """A company of ours in Switzerland; ``paired`` of the business's items have a counterpart there."""
    with business.work() as work:
        entity = add_entity(
            work, NewEntity(code="CH01", name="Nordhaus AG", country="Switzerland", currency=currency, time_zone="Europe/Zurich")
        ).id  # fmt: skip
        open_chart(work, entity)
        site = add_site(
            work,
            NewSite(
                entity=entity, code="PRA", name="Pratteln", kind="distribution_centre", country=country,
                time_zone="Europe/Zurich",
            ),
        ).id  # fmt: skip
        rows = add_items(
            work,
            [
                NewItem(
                    entity=entity, code=f"CH-{n}", name=f"Rohr {n}", abc="A", standard_cost=None if cost is None else Decimal(cost)
                )
                for n in range(3)
            ],
        )  # fmt: skip
        items = tuple(row.id for row in rows)
        pairs = [KeepCounterpart(item=business.items[n], counterpart=items[n]) for n in range(paired)]
        keep_counterparts(work, pairs)
    return Sister(entity, site, items)


def a_rate(business, rate="0.95", day=date(2026, 3, 2), **changes):
    """One euro in francs."""
    with business.work() as work:
        told = NewRate(currency="EUR", against="CHF", day=day, rate=Decimal(rate), source="ECB", **changes)
        return keep_rates(work, [told])[0].id


def sent(business, sister, lines=((0, 10, "6.00"),), *, key="one", actor=None, **changes):
    """Goods for the sister: (item position, quantity, transfer price)."""
    given = {
        "from_site": business.site, "to_site": sister.site, "arrives_on": date(2026, 3, 4), "key": key,
        "lines": [
            SisterGoods(item=business.items[n], quantity=Decimal(quantity), price=None if price is None else Decimal(price))
            for n, quantity, price in lines
        ],
    }  # fmt: skip
    with business.work(actor) as work:
        return send_to_sister(work, SendToSister(**{**given, **changes}), rules=RULES, cells=OPEN)


def sent_back(business, sister, lines, *, key):
    """The other way: goods of the sister for the business."""
    goods = [
        SisterGoods(item=sister.items[n], quantity=Decimal(quantity), price=Decimal(price))
        for n, quantity, price in lines
    ]
    command = SendToSister(
        from_site=sister.site, to_site=business.site, arrives_on=date(2026, 3, 4), key=key, lines=goods
    )
    with business.work() as work:
        return send_to_sister(work, command, rules=RULES, cells=OPEN)


def turned(business, transfer, reason="sent by mistake"):
    """Both sides are turned back."""
    with business.work() as work:
        turn_back(work, transfer, reason, rules=RULES, cells=OPEN)


def balances(business, entity):
    """Debits less credits in minor units by the role of the account, those that are not nil."""
    query = (
        "SELECT a.role, SUM(l.debit_minor - l.credit_minor) FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id "
        "JOIN ledger_account a ON a.id = l.account_id WHERE e.entity_id = :entity GROUP BY a.role"
    )
    with reading(business.database) as session:
        return {role: int(sum_) for role, sum_ in session.execute(text(query), {"entity": entity}) if sum_}


def lose_a_side(business, side):
    """The documents of one side are deleted past the program, by somebody who may change the database."""
    with business.work() as work:
        connection = work.session.connection()
        for table in ("sister_document", "sister_document_line"):
            if connection.dialect.name == "sqlite":
                connection.execute(text(f"DROP TRIGGER {table}_no_delete"))
            else:
                connection.execute(text(f"DROP TRIGGER {table}_no_change ON {table}"))
        lines = f"document_id IN (SELECT id FROM sister_document WHERE side = '{side}')"
        connection.execute(text(f"DELETE FROM sister_document_line WHERE {lines}"))
        connection.execute(text(f"DELETE FROM sister_document WHERE side = '{side}'"))
