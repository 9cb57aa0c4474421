"""The books leave as files: an independent book-keeper accepts them, and comes to the balances that we have."""

import csv
import io
from decimal import Decimal

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from app.cli import cli
from app.composition.uow import reading
from erpcore.billing.debts import PostDebt, post_debts
from tests.support.beancount import balances, read_by_beancount
from tests.support.core import OPEN, a_business
from tests.support.steps import invoiced, paid


@pytest.fixture
def business(database):
    """Sales, money, stock and a debt given up for a reason that no plain text likes."""
    business = a_business(database, items=2)
    paid(business, [(0, 10)])
    invoiced(business, [(1, 3)])
    with business.work() as work:
        debt = PostDebt(
            site=business.site, customer=business.customer, amount=Decimal("-7.01"), reason='=HYPERLINK("x")\n\\ "gone"'
        )
        post_debts(work, [debt], cells=OPEN)
    return business


def _export(business, kind, out, *also):
    return CliRunner().invoke(cli, ["export", kind, "--out", str(out), *also], env={"WAVEGATE_DATABASE_URL": business.database.url})  # fmt: skip


def test_beancount_accepts_the_books_and_comes_to_our_balances(business, tmp_path):
    out = tmp_path / "books.beancount"
    shown = _export(business, "beancount", out)
    assert shown.exit_code == 0, shown.output
    found = read_by_beancount(out)
    assert not [line for line in found if line.startswith("ERROR")]
    ours = {name: amount for (name, _), amount in balances(business.database).items()}
    assert {name: Decimal(number) for name, number, currency in map(str.split, found) if currency == "EUR"} == ours
    assert ours["Assets:DE01:1200-Trade-receivables"] == Decimal("28.99")
    again = tmp_path / "again.beancount"
    _export(business, "beancount", again)
    assert again.read_bytes() == out.read_bytes()


def test_a_file_that_was_changed_is_not_accepted(business, tmp_path):
    out = tmp_path / "books.beancount"
    _export(business, "beancount", out)
    whole = out.read_text()
    assert whole.count(" -7.01 EUR") == 1
    out.write_text(whole.replace(" -7.01 EUR", " -8.01 EUR"))
    assert [line for line in read_by_beancount(out) if "does not balance" in line]
    # Both sides changed alike: the entry balances, and what the accounts must hold at the end does not.
    both = whole.replace(" -7.01 EUR", " -8.01 EUR").replace("  7.01 EUR", "  8.01 EUR")
    out.write_text(both)
    assert [line for line in read_by_beancount(out) if "Balance failed" in line]


def test_the_table_holds_every_line_and_runs_nothing(business, tmp_path):
    out = tmp_path / "books.csv"
    shown = _export(business, "csv", out, "--entity", "DE01")
    assert shown.exit_code == 0, shown.output
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    with reading(business.database) as session:
        assert len(rows) == session.scalar(text("SELECT COUNT(*) FROM journal_line"))
    assert sum(Decimal(row["debit"]) - Decimal(row["credit"]) for row in rows) == 0
    assert {row["text"] for row in rows if row["rule"] == "bad_debt"} == {'\'=HYPERLINK("x")\n\\ "gone"'}
    none = _export(business, "csv", tmp_path / "none.csv", "--entity", "XX")
    assert none.exit_code == 1
    assert "no company XX" in none.output
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == ["books.csv"]
