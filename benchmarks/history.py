"""How does a database get a long past? One day of trading, from order to cash, is repeated by plain SQL for each day before it.

The day is made by the product's own services. Each repetition has keys of its own and lies a day earlier; what is kept as one figure
(stock, its value, the last legal number, the last event) is set to what the rows add up to, so that ``prove`` agrees with all of it.
Only what events say inside (their payload) still names the documents of the first day: nothing that trades or shows reads that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import BigInteger, Column, Connection, Date, Integer, Table, text

from app.composition.uow import Database
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.services import DeliverShipment, PickOrder, confirm_shipments, deliver_shipments, pick_orders
from erpcore.kernel.ids import BLOCK
from erpcore.kernel.model import Base, UtcDateTime
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders
from tests.support.core import OPEN, RULES, Business

LINES, ORDERS = 10, 100
DAY = LINES * ORDERS
#: Days repeated in one statement.
_AT_ONCE = 50
_TABLES = (
    "event_log", "transition", "journal_entry", "journal_line", "receipt", "receipt_application", "receivable", "reservation",
    "sales_order", "order_line", "shipment", "shipment_line", "stock_move", "invoice", "invoice_line",
)  # fmt: skip


@dataclass(frozen=True)
class _Base:
    """Where the next repetition goes: the day ``begins`` is written with keys from ``key``, after event ``seq`` and so on."""

    begins: int
    key: int
    seq: int
    invoice: int


@dataclass
class Past:
    """The day that is repeated: its keys lie in [``first``, ``last``), its events and invoices behind ``seq``, ``invoice``."""

    first: int
    last: int
    seq: int
    events: int
    invoice: int = 0
    days: int = 1

    @property
    def span(self) -> int:
        """How far the keys of one repetition lie behind those of the one before."""
        return -(-(self.last - self.first) // BLOCK) * BLOCK


def trade_a_day(business: Business, customers: Sequence[int]) -> Past:
    """A day's orders of ten lines, each taken, shipped, delivered, invoiced and paid."""
    with business.work() as work:
        # Keys are given in blocks; those of the day shall begin behind all others.
        first = max(work.ids.reserve(BLOCK)) + 1
    with business.work() as work:
        seq = work.connection.execute(text("SELECT COALESCE(MAX(seq), 0) FROM event_log")).scalar_one()
    for start in range(0, ORDERS, 25):
        _trade(business, customers, range(start, start + 25))
    with business.work() as work:
        last = work.ids.one()
        events = work.connection.execute(text("SELECT MAX(seq) FROM event_log")).scalar_one() - seq
    return Past(first, last, seq, events)


def _trade(business: Business, customers: Sequence[int], numbers: range) -> None:
    items = business.items
    commands = [
        CaptureOrder(
            site=business.site, channel=business.channel, customer=customers[number % len(customers)],
            lines=[
                NewLine(item=items[(number * 37 + line * 11) % len(items)], quantity=Decimal(1 + (number + line) % 9))
                for line in range(LINES)
            ],
        )
        for number in numbers
    ]  # fmt: skip
    with business.work() as work:
        keys = [order.id for order in capture_orders(work, commands, rules=RULES, cells=OPEN)]
        release_orders(work, keys, rules=RULES, cells=OPEN)
        allocate_orders(work, keys, rules=RULES, cells=OPEN)
    with business.work() as work:
        shipments = [one.id for one in pick_orders(work, [PickOrder(order=key) for key in keys], cells=OPEN)]
        confirm_shipments(work, shipments, rules=RULES, cells=OPEN)
        deliver_shipments(work, [DeliverShipment(shipment=key) for key in shipments], rules=RULES, cells=OPEN)
    with business.work() as work:
        invoices = draft_invoices(work, shipments, cells=OPEN)
        post_invoices(work, [one.id for one in invoices], cells=OPEN)
    with business.work() as work:
        paid = [
            ReceiveCash(entity=business.entity, customer=one.customer_id, amount_minor=one.gross_minor)
            for one in invoices
        ]
        receipts = receive_cash(work, paid)
        apply_cash(
            work,
            [
                ApplyCash(receipt=receipt, invoice=one.id, amount_minor=one.gross_minor)
                for receipt, one in zip(receipts, invoices, strict=True)
            ],
        )


def go_back(database: Database, past: Past, days: int) -> None:
    """Repeat the day until there are so many of them."""
    with database.write_engine.connect() as connection:
        _prepare(connection)
        base = _base(connection, past)
        for start in range(past.days, days, _AT_ONCE):
            repeat = range(start, min(start + _AT_ONCE, days))
            for name in _TABLES:
                connection.execute(
                    text(_repetition(Base.metadata.tables[name], past, base, repeat, connection.dialect.name))
                )
            connection.commit()
        _settle(connection, past, base, max(0, days - past.days))
        past.days = max(past.days, days)
        connection.commit()
        _tidy(connection)


def _prepare(connection: Connection) -> None:
    """Keys fit by how they are made; checking each of ten million again is what this is not about."""
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        for setting in ("foreign_keys = OFF", "synchronous = OFF"):
            driver.execute(f"PRAGMA {setting}")  # type: ignore[union-attr]  # a connection that is open has one
    else:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("SET synchronous_commit = off"))


def _repetition(table: Table, past: Past, base: _Base, days: range, dialect: str) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.c)
    values = ", ".join(_value(table, column, past, base, dialect) for column in table.c)
    mine = (
        f"r.seq > {past.seq} AND r.seq <= {past.seq + past.events}"
        if table.name == "event_log"
        else _of_the_day(table, past)
    )
    series = (
        f"generate_series({days[0]}, {days[-1]}) AS d(n)"
        if dialect == "postgresql"
        else f"(WITH RECURSIVE d(n) AS (SELECT {days[0]} UNION ALL SELECT n + 1 FROM d WHERE n < {days[-1]}) SELECT n FROM d) d"  # noqa: S608 - numbers
    )
    # By day, so that keys ascend and each index is written at its end.
    return f'INSERT INTO "{table.name}" ({names}) SELECT {values} FROM {series} CROSS JOIN "{table.name}" r WHERE {mine} ORDER BY d.n'  # noqa: S608 - names of our own tables


def _of_the_day(table: Table, past: Past) -> str:
    key = next(iter(table.primary_key.columns)).name
    return f"r.{key} >= {past.first} AND r.{key} < {past.last}"


def _value(table: Table, column: Column[object], past: Past, base: _Base, dialect: str) -> str:
    name, sqlite, number = f'r."{column.name}"', dialect == "sqlite", f"(d.n - {base.begins})"
    if (table.name, column.name) == ("event_log", "seq"):
        return f"{name} + {base.seq - past.seq} + {number} * {past.events}"
    if (table.name, column.name) == ("event_log", "id"):
        return "lower(hex(randomblob(18)))" if sqlite else "gen_random_uuid()"
    if column.name == "duplicate_key":
        return f"{name} + d.n"
    if column.name == "number":
        if table.name != "invoice":
            return f"{name} || '-' || d.n"
        digits = f"CAST(substr({name}, 10) AS INTEGER) + {base.invoice - past.invoice} + {number} * {ORDERS}"
        padded = (
            f"printf('%06d', {digits})"
            if sqlite
            else f"lpad(({digits})::text, greatest(6, length(({digits})::text)), '0')"
        )
        return f"substr({name}, 1, 9) || {padded}"
    if isinstance(column.type, UtcDateTime):
        if sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%S', {name}, '-' || d.n || ' days') || substr({name}, 20)"
        return f"{name} - d.n * interval '1 day'"
    if isinstance(column.type, Date):
        return f"date({name}, '-' || d.n || ' days')" if sqlite else f"{name} - d.n"
    if _is_key(column):
        moved = f"{name} + {base.key - past.first} + {number} * {past.span}"
        return f"CASE WHEN {name} >= {past.first} AND {name} < {past.last} THEN {moved} ELSE {name} END"
    return name


def _is_key(column: Column[object]) -> bool:
    named = column.name == "id" or column.name.endswith("_id") or column.name == "journey"
    return named and isinstance(column.type, BigInteger | Integer)


def _base(connection: Connection, past: Past) -> _Base:
    """Behind everything there is."""
    sqlite = connection.dialect.name == "sqlite"
    asked = "SELECT next_id FROM id_head" if sqlite else f"SELECT nextval('wavegate_id_block') * {BLOCK}"
    found = [
        connection.execute(text(question)).scalar_one()
        for question in (asked, "SELECT seq FROM event_head", "SELECT SUM(last) FROM number_series")
    ]
    return _Base(past.days, found[0] + BLOCK, found[1], found[2])


def _settle(connection: Connection, past: Past, base: _Base, days: int) -> None:
    """Set what is kept as one figure to what the rows add up to."""
    for statement in _settling(connection, past, base, days):
        connection.execute(text(statement))


def _settling(connection: Connection, past: Past, base: _Base, days: int) -> Iterator[str]:
    of_place = "FROM stock_move m WHERE m.site_id = stock_balance.site_id AND m.item_id = stock_balance.item_id"
    yield (
        f"UPDATE stock_balance SET on_hand = (SELECT SUM(quantity) {of_place}), "  # noqa: S608 - our own words
        f"value_minor = (SELECT COALESCE(SUM(value_minor), 0) {of_place})"
    )
    yield f"UPDATE event_head SET seq = {base.seq + past.events * days} WHERE id = 1"  # noqa: S608 - a number
    yield f"UPDATE number_series SET last = {base.invoice + ORDERS * days}"  # noqa: S608 - a number
    end = base.key + past.span * (days + 1)
    if connection.dialect.name == "sqlite":
        yield f"UPDATE id_head SET next_id = {end} WHERE id = 1"  # noqa: S608 - a number
    else:
        yield f"SELECT setval('wavegate_id_block', {end // BLOCK + 1})"


def _tidy(connection: Connection) -> None:
    """As the database's own upkeep leaves it; SQLite has none, and the product asks it for none either."""
    if connection.dialect.name == "sqlite":
        return
    connection.execute(text("RESET session_replication_role"))
    connection.commit()
    loose = connection.execution_options(isolation_level="AUTOCOMMIT")
    loose.execute(text("VACUUM (ANALYZE)"))
    loose.execute(text("CHECKPOINT"))
