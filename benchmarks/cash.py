"""How long does it take to find whose money 10,000 bank entries are, among 100,000 open invoices of 1,000 customers?

One order is traded by the services and its order, shipment, invoice and receivable are repeated by plain rows. The entries come as
a statement: most name an invoice, others come from an account of a customer and pay one or several, some have an amount only,
some nothing. Taken with all reading from the database, in the parts in which the cash desk accepts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import insert, select

from app.composition.uow import Database, connect, reading
from app.queries.cash_desk import lines_waiting, suggest
from benchmarks.registry import Bench, Figure
from erpcore.billing.bank import BankLine, TakeStatement, add_bank_account, name_payer, take_statements
from erpcore.billing.models import Invoice
from erpcore.credit.models import Receivable
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.actor import Actor
from erpcore.masterdata.services import NewCustomer, add_customers
from erpcore.orders.models import SalesOrder
from tests.support.core import Business, a_business
from tests.support.steps import invoiced

#: What was promised: so many entries among so many invoices in so many seconds.
ENTRIES, INVOICES, CUSTOMERS, SECONDS = 10_000, 100_000, 1_000, 30
_AT_ONCE, _IBAN = 2_000, "DE89370400440532013000"
_READER = Actor.system("benchmark")

#: Id, number, customer and amount.
Open = tuple[int, str, int, int]


def _first(database: Database, table: Any, key: int) -> dict[str, Any]:
    with reading(database) as session:
        columns = table.__table__
        return dict(session.execute(select(columns).where(next(iter(columns.primary_key)) == key)).mappings().one())


def open_invoices(database: Database, business: Business, count: int, customers: int) -> list[Open]:
    """So many open invoices, repeated from one."""
    random = Random(7)
    order, shipment, invoice = invoiced(business)
    with business.work() as work:
        made = add_customers(
            work,
            [
                NewCustomer(entity=business.entity, code=f"C{n:05d}", name=f"Customer {n}", country="Germany", currency="EUR")
                for n in range(customers)
            ],
        )  # fmt: skip
        buyers = [one.id for one in made]
    samples = {
        table: _first(database, table, key)
        for table, key in (
            (SalesOrder, order.id),
            (Shipment, shipment.id),
            (Invoice, invoice.id),
            (Receivable, invoice.id),
        )
    }
    out: list[Open] = []
    for start in range(0, count, _AT_ONCE):
        with business.work() as work:
            ids = work.ids.reserve(3 * _AT_ONCE)
            rows: dict[Any, list[dict[str, Any]]] = {table: [] for table in samples}
            for number in range(start, min(start + _AT_ONCE, count)):
                keys, buyer, minor = (
                    [next(ids) for _ in range(3)],
                    buyers[number % customers],
                    random.randrange(500, 900_000),
                )
                named = f"INV-2025-{number + 1:06d}"
                due = samples[Receivable]["due_on"] - timedelta(days=random.randrange(90))
                changes: dict[Any, dict[str, Any]] = {
                    SalesOrder: {"id": keys[0], "number": f"SO-B{number:06d}", "customer_id": buyer},
                    Shipment: {
                        "id": keys[1],
                        "number": f"SH-B{number:06d}",
                        "order_id": keys[0],
                        "invoice_id": keys[2],
                    },
                    Invoice: {
                        "id": keys[2],
                        "number": named,
                        "customer_id": buyer,
                        "order_id": keys[0],
                        "shipment_id": keys[1],
                    },
                    Receivable: {
                        "document_id": keys[2],
                        "customer_id": buyer,
                        "open_minor": minor,
                        "amount_minor": minor,
                        "due_on": due,
                    },
                }
                for table, sample in samples.items():
                    rows[table].append({**sample, **changes[table]})
                out.append((keys[2], named, buyer, minor))
            for table, many in rows.items():
                work.session.execute(insert(table.__table__), many)
    return out


def entries(business: Business, found: Sequence[Open], count: int) -> tuple[list[BankLine], dict[str, int]]:
    """So many entries, and from which account whose money comes."""
    random, by_buyer, payers = Random(11), dict[int, list[Open]](), dict[str, int]()
    for one in found:
        by_buyer.setdefault(one[2], []).append(one)
    day = business.clock.now().date()
    out = []
    for at in range(count):
        one, kind = found[(at * 9) % len(found)], random.random()
        account = f"DE{one[2]:020d}"
        if kind < 0.6:
            line = {"amount_minor": one[3], "text": f"Rechnung {one[1]} vielen Dank"}
        elif kind < 0.75:
            line = {"amount_minor": one[3], "payer": account, "text": "Zahlung"}
        elif kind < 0.9:
            some = random.sample(by_buyer[one[2]], k=min(3, len(by_buyer[one[2]])))
            line = {"amount_minor": sum(part[3] for part in some), "payer": account, "text": "Sammelzahlung"}
        elif kind < 0.95:
            line = {"amount_minor": one[3], "text": "ohne Angabe"}
        else:
            line = {"amount_minor": 100 + at, "text": "Gutschrift"}
        if line.get("payer"):
            payers[account] = one[2]
        out.append(BankLine(raw="", booked_on=day, bank_ref=f"B{at}", **line))  # type: ignore[arg-type]  # of several types
    return out, payers


def measure(bench: Bench) -> Iterator[Figure]:
    """Seconds of matching, and how many found their customer, per database."""
    count, invoices, customers = (
        (ENTRIES // 20, INVOICES // 20, CUSTOMERS // 20) if bench.quick else (ENTRIES, INVOICES, CUSTOMERS)
    )
    for kind in bench.databases:
        database = connect(bench.new_database(kind))
        business = a_business(database, items=1)
        found = open_invoices(database, business, invoices, customers)
        lines, payers = entries(business, found, count)
        moved = sum(line.amount_minor or 0 for line in lines)
        with business.work() as work:
            account = add_bank_account(work, business.entity, number=_IBAN, name="Bank")
            for number, customer in payers.items():
                name_payer(work, business.entity, number, customer)
        statement = TakeStatement(
            format="camt.053",
            reference="1",
            account=_IBAN,
            currency="EUR",
            opening_minor=0,
            closing_minor=moved,
            lines=lines,
        )
        begin = time.perf_counter()
        with business.work() as work:
            take_statements(work, account, [statement], file_name="day.xml", digest="0" * 64)
        yield Figure(f"taking a statement of {count} entries", kind, time.perf_counter() - begin, "s")
        begin = time.perf_counter()
        with reading(database) as session:
            waiting = lines_waiting(session, business.entity, limit=count)
            made = suggest(session, _READER, business.entity, waiting)
        taken = time.perf_counter() - begin
        yield Figure(f"matching {count} entries to {invoices} open invoices", kind, taken, "s", limit=SECONDS)
        sure = sum(one.proposal.confidence >= 90 for one in made)
        yield Figure("of these surely found", kind, 100 * sure / count, "%")
        database.dispose()
