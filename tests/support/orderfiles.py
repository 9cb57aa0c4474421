"""Order files to import, and what is in a database afterwards, comparable between databases."""

from __future__ import annotations

from contextlib import contextmanager

from sqlalchemy import select, text

from app.composition.imports import ImportDocument, ImportLine
from app.composition.uow import reading
from app.importers import profiles
from app.importers.runs import Importer
from erpcore.inventory.models import StockBalance, StockMove
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Item

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
SALE = "100,A1,RED PIPE,6,2011-03-01 10:00:00,2.55,17850.0,France\n"


def importer(database, profile="online-retail", **more):
    return Importer(database, profiles.load(profile), Actor.system("test"), **more)


def written(tmp_path, lines, name="orders.csv"):
    path = tmp_path / name
    path.write_text(HEAD + lines, encoding="utf-8")
    return path


def many_orders(count):
    """Sales with a return after every third: enough for several batches, with stock that comes back and goes again."""
    lines = []
    for n in range(count):
        at = f"2011-03-{1 + n // 20:02d} {8 + n % 10:02d}:{n % 60:02d}:00"
        item = f"I{n % 7}"
        lines.append(f"{1000 + n},{item},PIPE {n % 7},{1 + n % 5},{at},2.55,{17000 + n % 4}.0,France\n")
        lines.append(f"{1000 + n},J{n % 5},VALVE,2,{at},0.85,{17000 + n % 4}.0,France\n")
        if n % 3 == 2:
            lines.append(f"C{1000 + n},{item},PIPE,-1,{at},2.55,{17000 + n % 4}.0,France\n")
    return "".join(lines)


@contextmanager
def looking(database):
    """A reading session whose rows stay readable afterwards."""
    with reading(database) as session:
        yield session
        session.expunge_all()


def outcomes(database):
    with looking(database) as session:
        return session.execute(
            select(ImportDocument.key, ImportLine.position, ImportLine.outcome)
            .join(ImportLine, ImportLine.document_id == ImportDocument.id)
            .order_by(ImportDocument.key, ImportLine.position, ImportLine.share)
        ).all()


def counts(database):
    """Rows of every table that an import may write, but for the runs themselves."""
    tables = (
        "sales_order", "order_line", "shipment", "invoice", "return_order", "return_line", "credit_memo", "debt_journal",
        "stock_move", "journal_entry", "journal_line", "event_log", "import_document", "import_line", "item", "customer",
        "cell_grant", "receivable", "reservation", "transition", "request_key",
    )  # fmt: skip
    with looking(database) as session:
        return {name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}


def content(database):
    """What is in the books, by the documents' own names: the same whatever ids and clocks said."""
    questions = {
        "orders": "SELECT o.number, c.code, l.line_no, i.code, l.quantity, l.shipped, l.invoiced, l.returned, l.amount, o.state "
        "FROM order_line l JOIN sales_order o ON o.id = l.order_id JOIN customer c ON c.id = o.customer_id "
        "JOIN item i ON i.id = l.item_id ORDER BY 1, 3",
        "returns": "SELECT r.number, l.line_no, i.code, l.quantity, l.unlinked, o.number FROM return_line l "
        "JOIN return_order r ON r.id = l.return_id JOIN item i ON i.id = l.item_id "
        "LEFT JOIN order_line s ON s.id = l.order_line_id LEFT JOIN sales_order o ON o.id = s.order_id ORDER BY 1, 2",
        "stock": "SELECT i.code, b.on_hand, b.reserved FROM stock_balance b JOIN item i ON i.id = b.item_id ORDER BY 1",
        "opened": "SELECT i.code, m.quantity, m.note FROM stock_move m JOIN item i ON i.id = m.item_id "
        "WHERE m.reason = 'opening' ORDER BY 1, 2",
        "invoices": "SELECT number, net_minor, tax_minor FROM invoice ORDER BY 1",
        "memos": "SELECT number, net_minor, unlinked FROM credit_memo ORDER BY 1",
        "lines": "SELECT d.key, d.part, l.position, l.share, l.outcome, l.digest FROM import_line l "
        "JOIN import_document d ON d.id = l.document_id ORDER BY 1, 2, 3, 4",
        "events": "SELECT type, count(*) FROM event_log GROUP BY type ORDER BY 1",
        "books": "SELECT a.code, sum(debit_minor), sum(credit_minor) FROM journal_line l JOIN ledger_account a ON a.id = l.account_id "
        "GROUP BY a.code ORDER BY 1",
        "exposure": "SELECT c.code, e.receivable_minor, e.shipped_minor, e.released_minor FROM credit_exposure e JOIN customer c ON c.id = e.customer_id ORDER BY 1",
    }
    with looking(database) as session:
        return {name: [tuple(row) for row in session.execute(text(question))] for name, question in questions.items()}


def on_hand(database):
    with looking(database) as session:
        query = select(Item.code, StockBalance.on_hand).join(Item, Item.id == StockBalance.item_id)
        return {row.code: row.on_hand for row in session.execute(query)}


def moved(database):
    """Sum of the moves of each item."""
    with looking(database) as session:
        found = {}
        for code, quantity in session.execute(
            select(Item.code, StockMove.quantity).join(Item, Item.id == StockMove.item_id)
        ):
            found[code] = found.get(code, 0) + quantity
        return found
