"""How fast could order-to-cash be at all? Plain SQL, no rules, no validation, and the rows that any honest ERP leaves.

Each order has five lines and leaves 60 rows: order, reservations, shipment with stock moves and cost of sales, invoice with
its entry, receipt with its application and entry, and eight events; balances change by conditional updates whose row count is
checked. ``step`` commits five times per order, ``batch`` once per 500 orders (executemany on SQLite, COPY on PostgreSQL).
Foreign keys, unique numbers and checks are on, and every commit is on disk.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import psycopg

from benchmarks.registry import Bench, Figure

ITEMS, CUSTOMERS, LINES, BATCH = 200, 50, 5, 500
STOCK = 1_000_000_000
AT = "2026-03-02 09:00:00.000000"
Row = tuple[object, ...]

TABLES = {
    "item": "id BIGINT PRIMARY KEY, code TEXT NOT NULL UNIQUE",
    "customer": "id BIGINT PRIMARY KEY, name TEXT NOT NULL",
    "account": "id BIGINT PRIMARY KEY, code TEXT NOT NULL UNIQUE",
    "balance": "item_id BIGINT PRIMARY KEY REFERENCES item, on_hand BIGINT NOT NULL CHECK (on_hand >= 0), "
    "reserved BIGINT NOT NULL CHECK (reserved BETWEEN 0 AND on_hand)",
    "sales_order": "id BIGINT PRIMARY KEY, number TEXT NOT NULL UNIQUE, customer_id BIGINT NOT NULL REFERENCES customer, "
    "state TEXT NOT NULL, total BIGINT NOT NULL, captured_at TEXT NOT NULL",
    "sales_line": "id BIGINT PRIMARY KEY, order_id BIGINT NOT NULL REFERENCES sales_order, item_id BIGINT NOT NULL "
    "REFERENCES item, quantity BIGINT NOT NULL, price BIGINT NOT NULL, shipped BIGINT NOT NULL, invoiced BIGINT NOT NULL",
    "reservation": "id BIGINT PRIMARY KEY, line_id BIGINT NOT NULL REFERENCES sales_line, quantity BIGINT NOT NULL",
    "shipment": "id BIGINT PRIMARY KEY, number TEXT NOT NULL UNIQUE, order_id BIGINT NOT NULL REFERENCES sales_order, "
    "shipped_at TEXT NOT NULL",
    "shipment_line": "id BIGINT PRIMARY KEY, shipment_id BIGINT NOT NULL REFERENCES shipment, line_id BIGINT NOT NULL "
    "REFERENCES sales_line, quantity BIGINT NOT NULL",
    "stock_move": "id BIGINT PRIMARY KEY, shipment_line_id BIGINT NOT NULL REFERENCES shipment_line, item_id BIGINT NOT NULL "
    "REFERENCES item, quantity BIGINT NOT NULL, unit_cost BIGINT NOT NULL, moved_at TEXT NOT NULL",
    "invoice": "id BIGINT PRIMARY KEY, number TEXT NOT NULL UNIQUE, order_id BIGINT NOT NULL REFERENCES sales_order, "
    "total BIGINT NOT NULL, open BIGINT NOT NULL CHECK (open >= 0), posted_at TEXT NOT NULL",
    "invoice_line": "id BIGINT PRIMARY KEY, invoice_id BIGINT NOT NULL REFERENCES invoice, line_id BIGINT NOT NULL "
    "REFERENCES sales_line, quantity BIGINT NOT NULL, amount BIGINT NOT NULL",
    "entry": "id BIGINT PRIMARY KEY, number TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, posted_at TEXT NOT NULL",
    "entry_line": "id BIGINT PRIMARY KEY, entry_id BIGINT NOT NULL REFERENCES entry, account_id BIGINT NOT NULL "
    "REFERENCES account, amount BIGINT NOT NULL",
    "receipt": "id BIGINT PRIMARY KEY, customer_id BIGINT NOT NULL REFERENCES customer, amount BIGINT NOT NULL",
    "application": "id BIGINT PRIMARY KEY, receipt_id BIGINT NOT NULL REFERENCES receipt, invoice_id BIGINT NOT NULL "
    "REFERENCES invoice, amount BIGINT NOT NULL",
    "event": "id BIGINT PRIMARY KEY, at TEXT NOT NULL, type TEXT NOT NULL, order_id BIGINT NOT NULL REFERENCES sales_order, "
    "data TEXT NOT NULL",
}
INDEXES = (
    ("sales_order", "customer_id"), ("sales_line", "order_id"), ("reservation", "line_id"), ("shipment", "order_id"),
    ("shipment_line", "shipment_id"), ("stock_move", "item_id"), ("invoice", "order_id"), ("invoice_line", "invoice_id"),
    ("entry_line", "entry_id"), ("entry_line", "account_id"), ("application", "invoice_id"), ("event", "order_id"),
)  # fmt: skip
RESERVE = "UPDATE balance SET reserved = reserved + ? WHERE item_id = ? AND on_hand - reserved >= ?"
ISSUE = "UPDATE balance SET on_hand = on_hand - ?, reserved = reserved - ? WHERE item_id = ? AND reserved >= ?"
SHIPPED = "UPDATE sales_line SET shipped = quantity WHERE order_id = ?"
INVOICED = "UPDATE sales_line SET invoiced = quantity WHERE order_id = ?"
STATE = "UPDATE sales_order SET state = ? WHERE id = ?"
PAID = "UPDATE invoice SET open = 0 WHERE order_id = ? AND open > 0"
RECEIVABLE, REVENUE, TAX, COST, STOCK_ACCOUNT, BANK = range(1, 7)


class Store(Protocol):
    """A database as the floor sees it."""

    def script(self, statements: Iterable[str]) -> None: ...
    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def insert(self, table: str, rows: Sequence[Row], *, bulk: bool) -> None: ...
    def change(self, sql: str, rows: Sequence[Row]) -> int: ...
    def close(self) -> None: ...


class SqliteStore:
    """A file in WAL mode that waits for the disk at each commit."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -65536"):
            self.connection.execute(f"PRAGMA {pragma}")

    def script(self, statements: Iterable[str]) -> None:
        for statement in statements:
            # a 64-bit row id instead of a second index
            self.connection.execute(statement.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY"))

    def begin(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.connection.execute("COMMIT")

    def insert(self, table: str, rows: Sequence[Row], *, bulk: bool) -> None:
        self.connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)

    def change(self, sql: str, rows: Sequence[Row]) -> int:
        return self.connection.executemany(sql, rows).rowcount

    def close(self) -> None:
        self.connection.close()


class PostgresStore:
    """One connection; several rows in one INSERT when typed, COPY in batches."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url.replace("+psycopg", ""))
        self.connection.prepare_threshold = 0

    def script(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self.connection.execute(statement.encode(), prepare=False)
        self.connection.commit()

    def begin(self) -> None:
        """The driver begins with the first statement."""

    def commit(self) -> None:
        self.connection.commit()

    def insert(self, table: str, rows: Sequence[Row], *, bulk: bool) -> None:
        if bulk:
            with self.connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
                for row in rows:
                    copy.write_row(row)
            return
        places = ", ".join([f"({', '.join(['%s'] * len(rows[0]))})"] * len(rows))
        self.connection.execute(f"INSERT INTO {table} VALUES {places}".encode(), [v for row in rows for v in row])

    def change(self, sql: str, rows: Sequence[Row]) -> int:
        with self.connection.cursor() as cursor:
            cursor.executemany(sql.replace("?", "%s").encode(), rows)
            return cursor.rowcount

    def close(self) -> None:
        self.connection.close()


class Step:
    """What one step writes for one order: rows per table, and changes with how many rows each must hit."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self.changes: list[tuple[str, Row, int]] = []


class Order:
    """One order of five lines; its ids follow from its number, so that no step has to ask."""

    def __init__(self, number: int, chance: random.Random) -> None:
        self.number = number
        self.lines = [
            (number * LINES + at, item, chance.randint(1, 20), chance.randint(100, 9_999))
            for at, item in enumerate(sorted(chance.sample(range(1, ITEMS + 1), LINES)))
        ]
        self.customer = chance.randint(1, CUSTOMERS)
        self.net = sum(quantity * price for _, _, quantity, price in self.lines)
        self.tax = (self.net * 20 + 50) // 100

    def steps(self) -> Iterator[Step]:
        """Order, allocate, ship, invoice, pay."""
        yield self._capture()
        yield self._allocate()
        yield self._ship()
        yield self._invoice()
        yield self._pay()

    def _events(self, step: Step, first: int, *types: str) -> None:
        for at, kind in enumerate(types):
            step.rows["event"].append(
                (self.number * 8 + first + at, AT, kind, self.number, f'{{"order":{self.number}}}')
            )

    def _entry(self, step: Step, which: int, kind: str, amounts: Sequence[tuple[int, int]]) -> None:
        entry = self.number * 3 + which
        step.rows["entry"].append((entry, f"E{entry}", kind, AT))
        step.rows["entry_line"] += [
            (entry * 10 + at, entry, account, amount) for at, (account, amount) in enumerate(amounts)
        ]

    def _capture(self) -> Step:
        step = Step()
        total = self.net + self.tax
        step.rows["sales_order"].append((self.number, f"SO{self.number}", self.customer, "open", total, AT))
        step.rows["sales_line"] += [(line, self.number, item, n, price, 0, 0) for line, item, n, price in self.lines]
        self._events(step, 0, "order.captured", "order.promised")
        return step

    def _allocate(self) -> Step:
        step = Step()
        step.rows["reservation"] += [(line, line, n) for line, _, n, _ in self.lines]
        step.changes += [(RESERVE, (n, item, n), 1) for _, item, n, _ in self.lines]
        self._events(step, 2, "order.allocated")
        return step

    def _ship(self) -> Step:
        step = Step()
        step.rows["shipment"].append((self.number, f"SH{self.number}", self.number, AT))
        step.rows["shipment_line"] += [(line, self.number, line, n) for line, _, n, _ in self.lines]
        step.rows["stock_move"] += [(line, line, item, -n, price // 2, AT) for line, item, n, price in self.lines]
        step.changes += [(ISSUE, (n, n, item, n), 1) for _, item, n, _ in self.lines]
        step.changes += [(SHIPPED, (self.number,), LINES), (STATE, ("shipped", self.number), 1)]
        costs = [n * (price // 2) for _, _, n, price in self.lines]
        self._entry(step, 0, "cost", [pair for cost in costs for pair in ((COST, cost), (STOCK_ACCOUNT, -cost))])
        self._events(step, 3, "shipment.shipped", "stock.moved")
        return step

    def _invoice(self) -> Step:
        step = Step()
        total = self.net + self.tax
        step.rows["invoice"].append((self.number, f"IN{self.number}", self.number, total, total, AT))
        step.rows["invoice_line"] += [(line, self.number, line, n, n * price) for line, _, n, price in self.lines]
        step.changes += [(INVOICED, (self.number,), LINES)]
        revenue = [(REVENUE, -n * price) for _, _, n, price in self.lines]
        self._entry(step, 1, "invoice", [(RECEIVABLE, total), *revenue, (TAX, -self.tax)])
        self._events(step, 5, "invoice.posted")
        return step

    def _pay(self) -> Step:
        step = Step()
        total = self.net + self.tax
        step.rows["receipt"].append((self.number, self.customer, total))
        step.rows["application"].append((self.number, self.number, self.number, total))
        step.changes += [(PAID, (self.number,), 1), (STATE, ("paid", self.number), 1)]
        self._entry(step, 2, "receipt", [(BANK, total), (RECEIVABLE, -total)])
        self._events(step, 6, "cash.received", "cash.applied")
        return step


def build(store: Store) -> None:
    """Tables, items with ample stock, customers and accounts."""
    store.script(f"CREATE TABLE {name} ({columns})" for name, columns in TABLES.items())
    store.script(f"CREATE INDEX {table}_{column} ON {table} ({column})" for table, column in INDEXES)
    store.begin()
    store.insert("item", [(number, f"I{number}") for number in range(1, ITEMS + 1)], bulk=True)
    store.insert("customer", [(number, f"C{number}") for number in range(1, CUSTOMERS + 1)], bulk=True)
    store.insert("account", [(number, f"A{number}") for number in range(1, 7)], bulk=True)
    store.insert("balance", [(number, STOCK, 0) for number in range(1, ITEMS + 1)], bulk=True)
    store.commit()


def orders(count: int) -> list[Order]:
    """The same orders at each call."""
    chance = random.Random(20260302)
    return [Order(number, chance) for number in range(1, count + 1)]


def write_by_step(store: Store, given: Sequence[Order]) -> float:
    """Seconds for all orders with a commit after each of an order's five steps."""
    work = [list(order.steps()) for order in given]
    start = time.perf_counter()
    for steps in work:
        for step in steps:
            store.begin()
            for table, rows in step.rows.items():
                store.insert(table, rows, bulk=False)
            for sql, row, expected in step.changes:
                _expect(store.change(sql, [row]), expected, sql)
            store.commit()
    return time.perf_counter() - start


def write_in_batches(store: Store, given: Sequence[Order]) -> float:
    """Seconds for all orders with one commit per 500; a balance is changed once per item and step, still conditionally."""
    batches = [
        [_merged(steps) for steps in zip(*(order.steps() for order in given[first : first + BATCH]), strict=True)]
        for first in range(0, len(given), BATCH)
    ]
    start = time.perf_counter()
    for steps in batches:
        store.begin()
        for rows, changes in steps:
            for table, written in rows.items():
                store.insert(table, written, bulk=True)
            for sql, (changed, expected) in changes.items():
                _expect(store.change(sql, changed), expected, sql)
        store.commit()
    return time.perf_counter() - start


def _merged(steps: Iterable[Step]) -> tuple[dict[str, list[Row]], dict[str, tuple[list[Row], int]]]:
    """One step of many orders: all rows of a table together, and per statement its arguments and the rows it must hit."""
    rows: dict[str, list[Row]] = defaultdict(list)
    taken: dict[str, Counter[int]] = {RESERVE: Counter(), ISSUE: Counter()}
    arguments: dict[str, list[Row]] = defaultdict(list)
    hits: Counter[str] = Counter()
    for step in steps:
        for table, written in step.rows.items():
            rows[table] += written
        for sql, row, expected in step.changes:
            if sql in taken:
                taken[sql][int(str(row[-2]))] += int(str(row[0]))
            else:
                arguments[sql].append(row)
                hits[sql] += expected
    for sql, per_item in taken.items():
        if per_item:
            arguments[sql] = [(n, i, n) if sql == RESERVE else (n, n, i, n) for i, n in sorted(per_item.items())]
            hits[sql] = len(per_item)
    return rows, {sql: (changed, hits[sql]) for sql, changed in arguments.items()}


def _expect(hit: int, expected: int, sql: str) -> None:
    if hit != expected:
        raise RuntimeError(f"{hit} rows instead of {expected}: {sql}")


def measure(bench: Bench) -> Iterator[Figure]:
    """Orders per second of both ways on each database."""
    for kind in bench.databases:
        for way, write, count in (("step", write_by_step, 400), ("batch", write_in_batches, 4_000)):
            rates = []
            for _ in range(bench.repeat):
                store = SqliteStore(bench.new_file()) if kind == "sqlite" else PostgresStore(bench.new_postgres())
                try:
                    build(store)
                    given = orders(count)
                    rates.append(len(given) / write(store, given))
                finally:
                    store.close()
            yield Figure(f"raw floor, {way}", kind, bench.median(rates), "orders/s")
