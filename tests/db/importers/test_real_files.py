"""The real files come in whole and agree with their published totals, and with a recomputation that shares no code.

They are not part of the source: WAVEGATE_DATA_DIR names the folder that holds them.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, text

from app.cli import cli
from app.importers.queries import choose_profile
from app.importers.totals import totals
from app.queries.controls import compare_controls
from erpcore.credit.models import Receivable
from erpcore.masterdata.models import Customer
from tests.support.beancount import balances, read_by_beancount
from tests.support.orderfiles import content, importer, looking, moved, on_hand

CHARGES = {"POST", "DOT", "M", "m", "C2", "D", "S", "AMAZONFEE", "BANK CHARGES", "CRUK", "B", "PADS"}


def data(*parts):
    folder = os.environ.get("WAVEGATE_DATA_DIR")
    if not folder:
        pytest.skip("WAVEGATE_DATA_DIR does not name the folder of the real files")
    path = Path(folder).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def published(*parts):
    return orjson.loads(data(*parts, "expected_totals.json").read_bytes())


class Recomputation:
    """Stock, receivables and returns of an invoice file, from its rows alone, one after the other."""

    def __init__(self, path):
        self.stock, self.lowest = Counter(), Counter()
        self.receivable = defaultdict(Decimal)
        self.unlinked = Counter()
        self.linked_units = 0
        sales = defaultdict(list)
        documents = defaultdict(list)
        last = {}
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file)):
                documents[row["InvoiceNo"]].append(row)
                last[row["InvoiceNo"]] = number
        for key in sorted(documents, key=last.get):
            for row in documents[key]:
                self._take(key, row, sales)

    def _take(self, key, row, sales):
        quantity, price = int(row["Quantity"]), Decimal(row["UnitPrice"])
        item, customer = row["StockCode"], row["CustomerID"].removesuffix(".0")
        at = datetime.fromisoformat(row["InvoiceDate"])
        is_charge = item in CHARGES or item.startswith("gift_0001_")
        self.receivable[customer] += (quantity * price).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        if key.startswith("A"):
            return
        if not is_charge:
            self.stock[item] += -quantity if price or key.startswith("C") or (customer and quantity > 0) else quantity
            self.lowest[item] = min(self.lowest[item], self.stock[item])
        if key.startswith("C"):
            self._return(-quantity, item, customer, at, is_charge, sales[customer, item])
        elif quantity > 0 and (price or customer) and not is_charge:
            sales[customer, item].append([at, quantity])

    def _return(self, left, item, customer, at, is_charge, sales):
        if is_charge or not customer:
            self.unlinked["charge" if is_charge else "unknown customer"] += 1
            return
        for sale in sorted(sales, key=lambda one: one[0], reverse=True):
            if sale[0] < at and sale[1]:
                part = min(left, sale[1])
                sale[1] -= part
                left -= part
                self.linked_units += part
        if left:
            self.unlinked["sales already returned" if any(sale[0] < at for sale in sales) else "no earlier sale"] += 1


def compared(database, path):
    """What the core has, beside what the file says."""
    plain = Recomputation(path)
    with looking(database) as session:
        owed = {
            "" if unknown else code: Decimal(int(amount)) / 100
            for code, unknown, amount in session.execute(
                select(Customer.code, Customer.is_unknown, func.sum(Receivable.amount_minor))
                .join(Customer, Customer.id == Receivable.customer_id)
                .group_by(Customer.code, Customer.is_unknown)
            )
        }
        reasons = dict(
            session.execute(
                text("SELECT unlinked, count(*) FROM return_line WHERE unlinked IS NOT NULL GROUP BY unlinked")
            ).all()
        )
        linked = session.execute(
            text("SELECT sum(quantity) FROM return_line WHERE order_line_id IS NOT NULL")
        ).scalar_one()
        opened = {
            code: int(quantity) // 1000
            for code, quantity in session.execute(
                text(
                    "SELECT i.code, sum(m.quantity) FROM stock_move m JOIN item i ON i.id = m.item_id "
                    "WHERE m.reason = 'opening' GROUP BY i.code"
                )
            )
        }
    assert opened == {item: -low for item, low in plain.lowest.items() if low < 0}
    assert on_hand(database) == {item: quantity - plain.lowest[item] for item, quantity in plain.stock.items()}
    assert moved(database) == on_hand(database)
    assert owed == {customer: amount for customer, amount in plain.receivable.items() if customer in owed}
    assert all(not amount for customer, amount in plain.receivable.items() if customer not in owed)
    assert reasons == dict(plain.unlinked)
    assert int(linked) == plain.linked_units * 1000


def test_the_first_month_agrees_with_its_own_recomputation(database):
    path = data("online_retail", "subset_2010-12.csv.gz")
    importer(database).run(path)
    compared(database, path)
    with looking(database) as session:
        found = totals(session, choose_profile(session, None))
    assert found["by_month"]["2010-12"] == published("online_retail")["by_month"]["2010-12"]


def test_the_books_of_the_first_month_tie_and_an_independent_book_keeper_comes_to_the_same_balances(
    sqlite_database, tmp_path
):
    path = data("online_retail", "subset_2010-12.csv.gz")
    importer(sqlite_database).run(path)
    with looking(sqlite_database) as session:
        differing = [row for row in compare_controls(session) if row.difference]
    assert not differing, "\n".join(map(str, differing))
    out = tmp_path / "books.beancount"
    shown = CliRunner().invoke(
        cli, ["export", "beancount", "--out", str(out)], env={"WAVEGATE_DATABASE_URL": sqlite_database.url}
    )
    assert shown.exit_code == 0, shown.output
    found = read_by_beancount(out)
    assert not [line for line in found if line.startswith("ERROR")]
    ours = balances(sqlite_database)
    assert {(name, currency): Decimal(number) for name, number, currency in map(str.split, found)} == ours
    assert ours["Assets:OR-UK:1200-Trade-receivables", "GBP"] == sum(Recomputation(path).receivable.values())


def test_the_whole_invoice_file_agrees_with_its_published_totals(sqlite_database):
    path = data("online_retail", "online_retail_2010-12-01_2011-12-09.csv.gz")
    report = importer(sqlite_database).run(path)
    assert (report.lines_posted, report.lines_rejected) == (541_909, 0)
    with looking(sqlite_database) as session:
        found = totals(session, choose_profile(session, "online-retail"))
        debit, credit = session.execute(text("SELECT sum(debit_minor), sum(credit_minor) FROM journal_line")).one()
    assert found == published("online_retail")
    assert debit == credit
    compared(sqlite_database, path)


def test_the_delivery_history_agrees_with_its_published_totals(database):
    report = importer(database, "scms").run(data("scms_delivery", "scms_delivery_history.csv.gz"))
    assert (report.lines_posted, report.lines_rejected) == (10_324, 0)
    with looking(database) as session:
        assert totals(session, choose_profile(session, None)) == published("scms_delivery")
    assert moved(database) == on_hand(database)


def test_daily_files_one_by_one_are_the_same_lines_as_one_file(database, fresh_database, tmp_path):
    from app.composition.uow import connect

    days = sorted(data("online_retail", "by-day-sample").glob("*.csv"))[:3]
    for day in days:
        importer(database).run(day)
    together = tmp_path / "together.csv"
    bodies = [day.read_text(encoding="utf-8").split("\n", 1) for day in days]
    together.write_text(bodies[0][0] + "\n" + "".join(body for _, body in bodies), encoding="utf-8")
    other = connect(fresh_database("sqlite"))
    importer(other).run(together)
    one_by_one, at_once = content(database), content(other)
    other.dispose()
    for name in ("orders", "returns", "stock", "invoices", "memos", "lines", "books", "exposure"):
        assert one_by_one[name] == at_once[name], name
    assert _sums(one_by_one["opened"]) == _sums(at_once["opened"])


def _sums(opened):
    sums = Counter()
    for item, quantity, _ in opened:
        sums[item] += quantity
    return sums
