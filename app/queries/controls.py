"""Do the books prove themselves? Figures that must agree, each recomputed from its first records, key by key.

A control has two sides, each a query of (entity, site, key, amount). Its difference is the sum over keys of the absolute
difference, so that two wrong keys cannot cancel out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.queries.accrual_controls import ACCRUAL_CONTROLS
from app.queries.billing_controls import BILLING_CONTROLS
from app.queries.cash_controls import CASH_CONTROLS
from app.queries.closed_controls import CLOSED_CONTROLS
from app.queries.costing_controls import COSTING_CONTROLS, VALUED_LATER
from app.queries.dispute_controls import DISPUTE_CONTROLS
from app.queries.dunning_controls import DUNNING_CONTROLS
from app.queries.freight_controls import FREIGHT_CONTROLS
from app.queries.journal_controls import JOURNAL_CONTROLS
from app.queries.programme_controls import PROGRAMME_CONTROLS
from app.queries.rebate_controls import REBATE_CONTROLS
from app.queries.settlement_controls import SETTLEMENT_CONTROLS
from app.queries.sister_controls import SISTER_CONTROLS
from app.queries.supply_controls import SUPPLY_CONTROLS
from erpcore.kernel.money import places


@dataclass(frozen=True)
class Control:
    """Two queries that must give the same amount for each key. ``unit`` says what is counted."""

    name: str
    unit: str
    title: str
    left: str
    right: str


@dataclass(frozen=True)
class Comparison:
    """What a control found for an entity and site; the control agrees when ``difference`` is nil."""

    control: str
    unit: str
    title: str
    entity: int | None
    site: int | None
    left: int
    right: int
    difference: int
    first_key: str | None = None


def _ledger(role: str, *, credit: bool = False, party: bool = False, site: str = "e.site_id") -> str:
    amount = "l.credit_minor - l.debit_minor" if credit else "l.debit_minor - l.credit_minor"
    key = "l.party_id" if party else "0"
    return (
        f"SELECT e.entity_id, {site}, {key}, {amount} FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id "
        f"JOIN ledger_account a ON a.id = l.account_id WHERE a.role = '{role}'"
    )


def _events(*types: str) -> str:
    names = ", ".join(f"'{name}'" for name in types)
    return f"SELECT entity, NULL, subject_id, 1 FROM event_log WHERE type IN ({names})"


def _worth(quantity: str) -> str:
    """So much of an order line in minor units, half up; the whole line is worth what it was captured at."""
    return (
        f"(CASE WHEN {quantity} = l.quantity THEN l.value_minor ELSE "
        f"(2 * ({quantity}) * l.unit_price + {{divisor}}) / (2 * {{divisor}}) END)"
    )


_OPEN = "quantity - consumed - freed"
_ORDER_LINE = "FROM order_line l JOIN sales_order o ON o.id = l.order_id"

CONTROLS: tuple[Control, ...] = (
    Control(
        "stock_on_hand", "thousandths", "Stock on hand = sum of its moves",
        "SELECT entity_id, site_id, item_id, on_hand FROM stock_balance",
        "SELECT entity_id, site_id, item_id, quantity FROM stock_move",
    ),
    Control(
        "stock_value", "minor", "Stock value = sum of its moves, late costs and revaluations",
        "SELECT entity_id, site_id, item_id, value_minor FROM stock_balance",
        f"SELECT entity_id, site_id, item_id, COALESCE(value_minor, 0) FROM stock_move{VALUED_LATER}",
    ),
    *(Control(*row) for row in COSTING_CONTROLS),
    Control(
        "stock_unvalued", "thousandths", "Stock at unknown cost = sum of its moves",
        "SELECT entity_id, site_id, item_id, unvalued FROM stock_balance",
        "SELECT entity_id, site_id, item_id, quantity FROM stock_move WHERE value_minor IS NULL",
    ),
    Control(
        "stock_reserved", "thousandths", "Reserved = sum of open reservations",
        "SELECT entity_id, site_id, item_id, reserved FROM stock_balance",
        f"SELECT entity_id, site_id, item_id, {_OPEN} FROM reservation",
    ),
    Control(
        "stock_bins", "thousandths", "Every place, lot and status = sum of its moves",
        "SELECT entity_id, site_id, item_id || ':' || slot, quantity FROM stock_bin",
        "SELECT entity_id, site_id, item_id || ':' || COALESCE(location_id, 0) || '/' || COALESCE(lot_id, 0) || '/' || status, "
        "quantity FROM stock_move WHERE location_id IS NOT NULL OR lot_id IS NOT NULL OR status <> 'available'",
    ),
    Control(
        "stock_placed", "thousandths", "Stock placed = sum of its places",
        "SELECT entity_id, site_id, item_id, placed FROM stock_balance",
        "SELECT entity_id, site_id, item_id, quantity FROM stock_bin",
    ),
    Control(
        "stock_blocked", "thousandths", "Blocked stock = what lies in another status than available",
        "SELECT entity_id, site_id, item_id, blocked FROM stock_balance",
        "SELECT entity_id, site_id, item_id, quantity FROM stock_bin WHERE status <> 'available'",
    ),
    Control(
        "stock_arrived", "thousandths", "What lies where goods are received = arrivals not put away",
        "SELECT entity_id, site_id, item_id || ':' || slot, quantity FROM stock_bin WHERE status = 'received'",
        "SELECT entity_id, site_id, item_id || ':' || slot, quantity - put_away FROM stock_arrival",
    ),
    Control(
        "stock_in_transit", "thousandths", "In transit = open lines of transfers",
        "SELECT entity_id, site_id, item_id, quantity FROM stock_bin WHERE status = 'in_transit'",
        "SELECT t.entity_id, t.site_id, l.item_id, l.quantity - l.received - l.lost FROM stock_transfer_line l "
        "JOIN stock_transfer t ON t.id = l.transfer_id",
    ),
    Control(
        "transfers_expected", "thousandths", "Received and lost of transfers = settled of what was expected from them",
        "SELECT entity_id, site_id, line_id, received + cancelled FROM expected_receipt WHERE source = 'transfer'",
        "SELECT t.entity_id, t.site_id, l.id, l.received + l.lost FROM stock_transfer_line l "
        "JOIN stock_transfer t ON t.id = l.transfer_id",
    ),
    Control(
        "transfer_ledger", "minor", "Stock in transfer between sites nets to nothing",
        _ledger("transfer", site="NULL"), "SELECT id, NULL, 0, 0 FROM entity",
    ),
    Control(
        "serials_once", "thousandths", "A serial number is in stock at most once",
        "SELECT entity_id, NULL, lot_id, quantity FROM stock_bin WHERE is_serial",
        "SELECT DISTINCT entity_id, NULL, lot_id, 1000 FROM stock_bin WHERE is_serial AND quantity > 0",
    ),
    Control(
        "items_words", "words", "Words by which items are found = those kept of them",
        "SELECT entity_id, NULL, id, search_words FROM item",
        "SELECT entity_id, NULL, item_id, 1 FROM item_word",
    ),
    Control(
        "items_named", "items", "Items are found by the code and name they have now",
        "SELECT entity_id, NULL, id, 1 FROM item",
        "SELECT entity_id, NULL, id, 1 FROM item WHERE searched_as = code || '\n' || name",
    ),
    Control(
        "goods_receipts", "thousandths", "Lines of goods receipts = stock that came with them",
        "SELECT r.entity_id, r.site_id, r.id, l.quantity FROM goods_receipt_line l JOIN goods_receipt r ON r.id = l.receipt_id",
        "SELECT entity_id, site_id, document_id, quantity FROM stock_move WHERE document_type = 'goods_receipt'",
    ),
    Control(
        "expected_received", "thousandths", "Received of what was expected = lines of goods receipts",
        "SELECT entity_id, site_id, id, received FROM expected_receipt WHERE source <> 'transfer'",
        "SELECT r.entity_id, r.site_id, l.expected_receipt_id, l.quantity FROM goods_receipt_line l "
        "JOIN goods_receipt r ON r.id = l.receipt_id WHERE l.expected_receipt_id IS NOT NULL",
    ),
    *(Control(*row) for row in (*ACCRUAL_CONTROLS, *BILLING_CONTROLS, *CLOSED_CONTROLS, *CASH_CONTROLS, *DISPUTE_CONTROLS, *DUNNING_CONTROLS, *FREIGHT_CONTROLS, *JOURNAL_CONTROLS, *PROGRAMME_CONTROLS, *REBATE_CONTROLS, *SETTLEMENT_CONTROLS, *SISTER_CONTROLS, *SUPPLY_CONTROLS)),
    Control(
        "counts_frozen", "counts", "Places that stand still = counts under way that let nothing move",
        "SELECT entity_id, site_id, item_id, frozen FROM stock_balance",
        "SELECT entity_id, site_id, item_id, 1 FROM count_task WHERE is_frozen",
    ),
    Control(
        "order_reserved", "thousandths", "Allocated and picked on orders, reserved on transfer orders = their reservations",
        f"SELECT o.entity_id, l.site_id, l.id, l.allocated + l.picked {_ORDER_LINE} WHERE l.kind IN ('stock', 'free') UNION ALL "
        "SELECT t.entity_id, t.from_site_id, l.id, l.reserved FROM transfer_order_line l JOIN transfer_order t ON t.id = l.order_id",
        f"SELECT entity_id, site_id, order_line_id, {_OPEN} FROM reservation",
    ),
    Control(
        "order_waiting", "thousandths", "Unmet on orders that wait = what their reservations say they wait for",
        f"SELECT o.entity_id, l.site_id, l.id, l.quantity + l.extra - l.shipped - l.cancelled - l.allocated - l.picked {_ORDER_LINE} "
        "WHERE l.kind IN ('stock', 'free') AND (l.backordered_at IS NOT NULL "
        "OR l.promise_reason IN ('transit', 'receipt', 'lead_time'))",
        "SELECT entity_id, site_id, order_line_id, unmet FROM reservation WHERE unmet > 0",
    ),
    Control(
        "order_shipped", "thousandths", "Shipped on orders = confirmed shipments",
        f"SELECT o.entity_id, l.site_id, l.id, l.shipped {_ORDER_LINE}",
        "SELECT s.entity_id, s.site_id, l.order_line_id, l.quantity FROM shipment_line l "
        "JOIN shipment s ON s.id = l.shipment_id WHERE s.state IN ('confirmed', 'delivered')",
    ),
    Control(
        "task_shipments", "thousandths", "Picked by tasks = lines of the shipments they filled",
        "SELECT t.entity_id, t.site_id, l.order_line_id, l.picked + l.extra FROM warehouse_task_line l "
        "JOIN warehouse_task t ON t.id = l.task_id WHERE l.shipment_id IS NOT NULL",
        "SELECT s.entity_id, s.site_id, l.order_line_id, l.quantity FROM shipment_line l JOIN shipment s ON s.id = l.shipment_id "
        "JOIN order_line o ON o.id = l.order_line_id WHERE o.kind IN ('stock', 'free') AND EXISTS "
        "(SELECT 1 FROM warehouse_task_line w WHERE w.shipment_id = s.id)",
    ),
    Control(
        "packed_cartons", "thousandths", "Contents of cartons = packed shipments",
        "SELECT s.entity_id, s.site_id, l.order_line_id, l.quantity FROM carton_line l JOIN carton c ON c.id = l.carton_id "
        "JOIN shipment s ON s.id = c.shipment_id JOIN carriage g ON g.shipment_id = s.id "
        "WHERE c.state = 'closed' AND g.packed_at IS NOT NULL",
        "SELECT s.entity_id, s.site_id, l.order_line_id, l.quantity FROM shipment_line l JOIN shipment s ON s.id = l.shipment_id "
        "JOIN carriage g ON g.shipment_id = s.id JOIN order_line o ON o.id = l.order_line_id "
        "WHERE o.kind IN ('stock', 'free') AND g.packed_at IS NOT NULL",
    ),
    Control(
        "order_invoiced", "thousandths", "Invoiced on orders = posted invoices",
        f"SELECT o.entity_id, o.site_id, l.id, l.invoiced {_ORDER_LINE}",
        "SELECT i.entity_id, i.site_id, l.order_line_id, l.quantity FROM invoice_line l "
        "JOIN invoice i ON i.id = l.invoice_id WHERE i.state = 'posted'",
    ),
    Control(
        "order_returned", "thousandths", "Returned on orders = returns not declined",
        f"SELECT o.entity_id, o.site_id, l.id, l.returned {_ORDER_LINE}",
        "SELECT o.entity_id, o.site_id, l.order_line_id, l.quantity FROM return_line l "
        "JOIN return_order r ON r.id = l.return_id JOIN order_line ol ON ol.id = l.order_line_id "
        "JOIN sales_order o ON o.id = ol.order_id WHERE r.state <> 'declined'",
    ),
    Control(
        "invoice_lines", "minor", "Net of invoices = sum of their lines",
        "SELECT entity_id, site_id, id, net_minor FROM invoice",
        "SELECT i.entity_id, i.site_id, i.id, l.net_minor FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id",
    ),
    Control(
        "credit_memo_lines", "minor", "Net of credit memos = sum of their lines",
        "SELECT entity_id, site_id, id, net_minor FROM credit_memo",
        "SELECT c.entity_id, c.site_id, c.id, l.net_minor FROM credit_memo_line l "
        "JOIN credit_memo c ON c.id = l.credit_memo_id",
    ),
    Control(
        "ledger_balanced", "minor", "Debits = credits of every entry",
        "SELECT e.entity_id, e.site_id, e.id, l.debit_minor FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id",
        "SELECT e.entity_id, e.site_id, e.id, l.credit_minor FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id",
    ),
    Control(
        "inventory_ledger", "minor", "Stock value = inventory account",
        "SELECT entity_id, site_id, 0, value_minor FROM stock_balance",
        _ledger("inventory"),
    ),
    Control(
        "receivable_ledger", "minor", "Open receivables by customer = receivable account",
        "SELECT entity_id, NULL, customer_id, open_minor FROM receivable",
        _ledger("receivable", party=True, site="NULL"),
    ),
    Control(
        "receivable_documents", "minor", "Receivables = posted invoices, credit memos, debt journals and dunning fees",
        "SELECT entity_id, NULL, document_id, amount_minor FROM receivable",
        "SELECT entity_id, NULL, id, gross_minor FROM invoice WHERE state = 'posted' UNION ALL "
        "SELECT entity_id, NULL, id, -gross_minor FROM credit_memo UNION ALL "
        "SELECT entity_id, NULL, id, amount_minor FROM debt_journal UNION ALL "
        "SELECT entity_id, NULL, id, amount_minor FROM dunning_fee",
    ),
    Control(
        "credit_exposure_receivable", "minor", "Receivable part of exposure = open receivables",
        "SELECT entity_id, NULL, customer_id, receivable_minor FROM credit_exposure",
        "SELECT entity_id, NULL, customer_id, open_minor FROM receivable",
    ),
    Control(
        "credit_exposure_shipped", "minor", "Shipped part of exposure = shipped on orders, not invoiced",
        "SELECT entity_id, NULL, customer_id, shipped_minor FROM credit_exposure",
        f"SELECT o.entity_id, NULL, o.customer_id, {_worth('l.shipped - l.invoiced')} {_ORDER_LINE} "
        "WHERE l.shipped <> l.invoiced",
    ),
    Control(
        "credit_exposure_released", "minor", "Released part of exposure = released on orders, not shipped",
        "SELECT entity_id, NULL, customer_id, released_minor FROM credit_exposure",
        f"SELECT o.entity_id, NULL, o.customer_id, {_worth('l.quantity + l.extra - l.cancelled - l.invoiced')} "
        f"- CASE WHEN l.shipped = l.invoiced THEN 0 ELSE {_worth('l.shipped - l.invoiced')} END "
        f"{_ORDER_LINE} WHERE o.state = 'released'",
    ),
    Control(
        "legal_numbers", "documents", "Legal numbers without a gap",
        "SELECT entity_id, NULL, prefix, last FROM number_series",
        "SELECT s.entity_id, NULL, s.prefix, 1 FROM number_series s JOIN invoice i ON i.entity_id = s.entity_id "
        "AND s.journal = 'sales' AND i.number LIKE s.prefix || '%' UNION ALL "
        "SELECT s.entity_id, NULL, s.prefix, 1 FROM number_series s JOIN credit_memo c ON c.entity_id = s.entity_id "
        "AND s.journal = 'credit' AND c.number LIKE s.prefix || '%' UNION ALL "
        "SELECT s.entity_id, NULL, s.prefix, 1 FROM number_series s JOIN purchase_order p ON p.entity_id = s.entity_id "
        "AND s.journal = 'purchase' AND p.number LIKE s.prefix || '%'",
    ),
    Control(
        "events_orders", "documents", "An event for every order captured",
        "SELECT entity_id, NULL, id, 1 FROM sales_order", _events("order.captured"),
    ),
    Control(
        "quotes_lines", "minor", "Value of quotes = sum of their lines",
        "SELECT entity_id, site_id, id, value_minor FROM quote",
        "SELECT q.entity_id, q.site_id, q.id, l.value_minor FROM quote_line l JOIN quote q ON q.id = l.quote_id",
    ),
    Control(
        "quotes_orders", "documents", "An order for every quote accepted, and only then",
        "SELECT entity_id, site_id, journey_id, 1 FROM quote WHERE state = 'accepted'",
        "SELECT o.entity_id, o.site_id, o.id, 1 FROM sales_order o WHERE EXISTS "
        "(SELECT 1 FROM quote q WHERE q.journey_id = o.id)",
    ),
    Control(
        "events_quotes", "documents", "An event for every quote sent",
        "SELECT entity_id, NULL, id, 1 FROM quote WHERE sent_at IS NOT NULL", _events("quote.issued"),
    ),
    Control(
        "events_shipments", "documents", "An event for every shipment confirmed",
        "SELECT entity_id, NULL, id, 1 FROM shipment WHERE state IN ('confirmed', 'delivered')",
        _events("shipment.confirmed"),
    ),
    Control(
        "events_deliveries", "documents", "An event for every shipment delivered",
        "SELECT entity_id, NULL, id, 1 FROM shipment WHERE state = 'delivered'", _events("shipment.delivered"),
    ),
    Control(
        "events_tasks", "documents", "An event for every task finished",
        "SELECT entity_id, NULL, id, 1 FROM warehouse_task WHERE state = 'done'", _events("task.finished"),
    ),
    Control(
        "events_purchases", "documents", "An event for every purchase order",
        "SELECT entity_id, NULL, id, 1 FROM purchase_order", _events("purchase.ordered"),
    ),
    Control(
        "events_invoices", "documents", "An event for every invoice posted",
        "SELECT entity_id, NULL, id, 1 FROM invoice WHERE state = 'posted'", _events("invoice.posted"),
    ),
    Control(
        "events_credit_memos", "documents", "An event for every credit memo posted",
        "SELECT entity_id, NULL, id, 1 FROM credit_memo", _events("credit_memo.posted"),
    ),
    Control(
        "events_returns", "documents", "An event for every return requested",
        "SELECT entity_id, NULL, id, 1 FROM return_order", _events("return.requested"),
    ),
    Control(
        "events_receipts", "documents", "An event for every receipt",
        "SELECT entity_id, NULL, id, 1 FROM receipt", _events("cash.received"),
    ),
    Control(
        "events_stock", "documents", "An event for every stock change that is no shipment or return",
        "SELECT entity_id, NULL, id, 1 FROM stock_move WHERE reason NOT IN ('issue', 'return', 'placement', 'status')",
        _events("stock.moved", "stock.adjusted", "stock.adjustment_reversed"),
    ),
    Control(
        "events_entries", "documents", "An event for every entry in the books",
        "SELECT entity_id, NULL, id, 1 FROM journal_entry", _events("ledger.posted"),
    ),
)  # fmt: skip


def compare_controls(session: Session, names: Iterable[str] | None = None) -> list[Comparison]:
    """Both sides of every control, per entity and site, in the order of the list.

    The session must see one moment (``reading(database, snapshot=True)``), or documents of the meantime look like
    differences.
    """
    wanted = set(names) if names is not None else None
    out: list[Comparison] = []
    for control in CONTROLS:
        if wanted is None or control.name in wanted:
            out += _compare(session, control)
    return out


def _compare(session: Session, control: Control) -> list[Comparison]:
    left, right = (_with_divisor(session, side) for side in (control.left, control.right))
    query = (
        f"WITH a(entity_id, site_id, part, l) AS ({left}), b(entity_id, site_id, part, r) AS ({right}), "
        "u AS (SELECT entity_id, CAST(site_id AS BIGINT) AS site_id, part, l, 0 AS r FROM a UNION ALL "
        "SELECT entity_id, CAST(site_id AS BIGINT), part, 0, r FROM b), "
        "k AS (SELECT entity_id, site_id, part, SUM(l) AS l, SUM(r) AS r FROM u GROUP BY entity_id, site_id, part) "
        "SELECT entity_id, site_id, SUM(l), SUM(r), SUM(ABS(l - r)), "
        "MIN(CASE WHEN l <> r THEN CAST(part AS TEXT) END) FROM k GROUP BY entity_id, site_id ORDER BY entity_id, site_id"
    )
    return [
        Comparison(control.name, control.unit, control.title, row[0], row[1], int(row[2]), int(row[3]), int(row[4]), row[5])
        for row in session.execute(text(query))
    ] or [Comparison(control.name, control.unit, control.title, None, None, 0, 0, 0)]  # fmt: skip


def _with_divisor(session: Session, side: str) -> str:
    if "{divisor}" not in side:
        return side
    currencies = session.execute(text("SELECT DISTINCT currency FROM sales_order")).scalars()
    cases = "".join(f" WHEN '{c}' THEN {10 ** (9 - places(c))}" for c in sorted(currencies) if c.isalpha())
    divisor = f"(CASE o.currency{cases} ELSE 10000000 END)" if cases else "10000000"
    return side.replace("{divisor}", divisor)


def events_read_to(session: Session) -> int:
    """The sequence number that the comparison read up to."""
    return int(session.execute(text("SELECT seq FROM event_head WHERE id = 1")).scalar_one())
