"""Files become transactions: what each line becomes, what is kept as rejected, and that nothing comes in twice."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text

from app.composition.imports import ImportProfile, ImportRun
from app.importers import profiles
from app.importers.queries import choose_profile, ledger_totals, list_runs, open_rejects
from app.importers.runs import Importer
from app.importers.totals import totals
from erpcore.billing.models import CreditMemo, DebtJournal, Invoice
from erpcore.fulfilment.models import ReturnLine, ReturnOrder, Shipment, ShipmentLine
from erpcore.inventory.models import StockMove
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import RuleBroken
from erpcore.masterdata.models import Customer
from erpcore.orders.models import OrderLine, SalesOrder
from readiness.waves.models import Grant
from tests.support.orderfiles import HEAD, SALE, counts, importer, looking, on_hand, outcomes, written


def test_an_invoice_is_an_order_that_was_shipped_and_invoiced_on_its_own_day(database, tmp_path):
    report = importer(database).run(
        written(tmp_path, SALE + "100,POST,POSTAGE,1,2011-03-01 10:00:00,18.00,17850.0,France\n")
    )

    assert (report.lines, report.lines_posted, report.lines_rejected, report.batches) == (2, 2, 0, 1)
    with looking(database) as session:
        order = session.execute(select(SalesOrder)).scalar_one()
        lines = session.execute(select(OrderLine).order_by(OrderLine.line_no)).scalars().all()
        invoice = session.execute(select(Invoice)).scalar_one()
        customer = session.get_one(Customer, order.customer_id)
        ledger = ledger_totals(session, choose_profile(session, None))
    at = datetime(2011, 3, 1, 10, 0, tzinfo=UTC)
    assert (order.number, order.captured_at, order.source, order.ship_country) == ("100", at, "import", "France")
    assert [(line.kind, line.quantity, line.shipped, line.invoiced) for line in lines] == [
        ("stock", 6, 6, 6), ("charge", 1, 1, 1)
    ]  # fmt: skip
    assert (invoice.number, invoice.posted_at, invoice.net_minor, invoice.state) == ("100", at, 3330, "posted")
    assert (customer.code, customer.is_unknown) == ("17850", False)
    assert ledger == [{"rule": "invoice", "entries": 1, "posted": "33.30", "rounding": "0.000000"}]


def test_stock_that_must_have_been_there_is_opened_and_named_as_such(database, tmp_path):
    lines = (
        SALE
        + "101,A1,RED PIPE,5,2011-03-02 10:00:00,2.55,,France\nC102,A1,RED PIPE,-2,2011-03-03 10:00:00,2.55,17850.0,France\n"
    )
    importer(database).run(written(tmp_path, lines))
    with looking(database) as session:
        moves = session.execute(select(StockMove).order_by(StockMove.id)).scalars().all()
    assert [(m.reason, m.quantity, m.unit_cost, m.value_minor) for m in moves] == [
        ("opening", 11, None, None), ("issue", -6, None, None), ("issue", -5, None, None), ("return", 2, None, None)
    ]  # fmt: skip
    assert moves[0].note == "opening for the shortfall of orders.csv"
    assert on_hand(database) == {"A1": 2}


def test_a_later_file_tops_the_opening_up_by_what_it_lacks(database, tmp_path):
    one = importer(database)
    one.run(written(tmp_path, SALE))
    back = "C101,A1,RED PIPE,-4,2011-03-02 10:00:00,2.55,17850.0,France\n"
    one.run(written(tmp_path, back, "second.csv"))
    report = one.run(written(tmp_path, "102,A1,RED PIPE,9,2011-03-03 10:00:00,2.55,17850.0,France\n", "third.csv"))
    assert report.items_opened == 1
    with looking(database) as session:
        opened = session.execute(
            select(StockMove.quantity, StockMove.note).where(StockMove.reason == "opening").order_by(StockMove.id)
        ).all()
    assert opened == [(6, "opening for the shortfall of orders.csv"), (5, "opening for the shortfall of third.csv")]
    assert on_hand(database) == {"A1": 0}


def test_what_one_document_brings_back_the_next_may_sell(database, tmp_path):
    lines = SALE + (
        "C101,A1,RED PIPE,-6,2011-03-02 10:00:00,2.55,17850.0,France\n"
        "102,A1,RED PIPE,6,2011-03-03 10:00:00,2.55,17850.0,France\n"
        "103,A1,found,4,2011-03-03 11:00:00,0.0,,France\n"
        "104,A1,RED PIPE,4,2011-03-03 12:00:00,2.55,,France\n"
    )
    report = importer(database).run(written(tmp_path, lines))
    assert report.items_opened == 1
    with looking(database) as session:
        opened = session.execute(select(func.sum(StockMove.quantity)).where(StockMove.reason == "opening")).scalar_one()
    assert opened == 6
    assert on_hand(database) == {"A1": 0}


def test_a_return_takes_the_latest_sale_not_yet_returned_and_spreads_over_earlier_ones(database, tmp_path):
    lines = (
        "100,A1,RED PIPE,6,2011-03-01 10:00:00,2.55,17850.0,France\n"
        "101,A1,RED PIPE,3,2011-03-02 10:00:00,2.55,17850.0,France\n"
        "C102,A1,RED PIPE,-5,2011-03-03 10:00:00,2.55,17850.0,France\n"
        "103,A1,RED PIPE,9,2011-03-04 10:00:00,2.55,17850.0,France\n"
        "C104,A1,RED PIPE,-20,2011-03-05 10:00:00,2.55,17850.0,France\n"
    )
    importer(database).run(written(tmp_path, lines))
    with looking(database) as session:
        parts = session.execute(
            select(ReturnOrder.number, SalesOrder.number, ReturnLine.quantity, ReturnLine.unlinked)
            .join(ReturnLine, ReturnLine.return_id == ReturnOrder.id)
            .join(OrderLine, OrderLine.id == ReturnLine.order_line_id, isouter=True)
            .join(SalesOrder, SalesOrder.id == OrderLine.order_id, isouter=True)
            .order_by(ReturnOrder.number, ReturnLine.line_no)
        ).all()
        memos = session.execute(select(CreditMemo.number, CreditMemo.net_minor).order_by(CreditMemo.number)).all()
    assert parts == [
        ("C102", "101", 3, None), ("C102", "100", 2, None),
        ("C104", "103", 9, None), ("C104", "100", 4, None), ("C104", None, 7, "sales already returned"),
    ]  # fmt: skip
    assert memos == [("C102", 1275), ("C104", 5100)]
    assert [(row.key, row.outcome) for row in outcomes(database)].count(("C104", "return_line")) == 3
    with looking(database) as session:
        assert totals(session, choose_profile(session, None))["lines"] == 5


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("C101,B2,GREEN PIPE,-1,2011-03-03 10:00:00,2.55,17850.0,France\n", "no earlier sale"),
        ("C101,A1,RED PIPE,-1,2011-03-03 10:00:00,2.55,,France\n", "unknown customer"),
        ("C101,D,Discount,-1,2011-03-03 10:00:00,27.50,17850.0,France\n", "charge"),
    ],
)
def test_a_return_without_a_sale_says_why(database, tmp_path, line, why):
    importer(database).run(written(tmp_path, SALE + line))
    with looking(database) as session:
        assert session.execute(select(ReturnLine.unlinked)).scalars().all() == [why]


def test_lines_without_a_price_become_corrections_free_lines_or_charges(database, tmp_path):
    lines = (
        "200,A1,damaged,-10,2011-03-01 10:00:00,0.0,,United Kingdom\n"
        "201,A1,found,3,2011-03-01 11:00:00,0.0,,United Kingdom\n"
        "202,A1,RED PIPE,1,2011-03-01 12:00:00,0.0,17850.0,France\n"
        "203,M,Manual,1,2011-03-01 13:00:00,0.0,,United Kingdom\n"
    )
    report = importer(database).run(written(tmp_path, lines))
    assert outcomes(database) == [
        ("200", 1, "adjustment"), ("201", 1, "adjustment"), ("202", 1, "free_line"), ("203", 1, "charge_line")
    ]  # fmt: skip
    assert report.outcomes == {"adjustment": 2, "free_line": 1, "charge_line": 1}
    with looking(database) as session:
        notes = session.execute(
            select(StockMove.quantity, StockMove.note).where(StockMove.reason == "adjustment").order_by(StockMove.id)
        ).all()
        unknown = session.execute(
            select(Customer.is_unknown)
            .join(SalesOrder, SalesOrder.customer_id == Customer.id)
            .where(SalesOrder.number == "203")
        ).scalar_one()
        found = totals(session, choose_profile(session, None))
    assert notes == [(-10, "damaged"), (3, "found")]
    assert unknown is True
    assert on_hand(database) == {"A1": 2}
    assert (found["units_sold"], found["zero_price_lines"], found["lines_without_customer"]) == (-5, 4, 3)


def test_a_bad_debt_journal_posts_with_its_sign(database, tmp_path):
    lines = (
        "A500,B,Adjust bad debt,1,2011-08-12 14:50:00,11062.06,,United Kingdom\n"
        "A501,B,Adjust bad debt,1,2011-08-12 14:51:00,-11062.06,,United Kingdom\n"
    )
    importer(database).run(written(tmp_path, lines))
    with looking(database) as session:
        assert session.execute(select(DebtJournal.number, DebtJournal.amount).order_by(DebtJournal.number)).all() == [
            ("A500", Decimal("11062.06")), ("A501", Decimal("-11062.06"))
        ]  # fmt: skip
        found = totals(session, choose_profile(session, None))
    assert (found["other_prefixed_documents"], found["sum_other_prefixed"], found["negative_price_lines"]) == (
        ["A500", "A501"],
        "0.00",
        1,
    )


def test_equal_lines_are_different_lines(database, tmp_path):
    report = importer(database).run(written(tmp_path, SALE * 3))
    assert report.lines_posted == 3
    assert on_hand(database) == {"A1": 0}
    with looking(database) as session:
        assert session.execute(select(func.sum(OrderLine.quantity))).scalar_one() == 18


def test_a_document_split_by_another_is_one_document(database, tmp_path):
    other = "101,B2,GREEN PIPE,1,2011-03-01 10:00:00,1.00,17850.0,France\n"
    importer(database).run(written(tmp_path, SALE + other + SALE))
    assert outcomes(database) == [("100", 1, "order_line"), ("100", 2, "order_line"), ("101", 1, "order_line")]


def test_the_same_file_again_adds_nothing_under_whatever_name_or_packing(database, tmp_path):
    path = written(tmp_path, SALE + "C102,A1,RED PIPE,-2,2011-03-03 10:00:00,2.55,17850.0,France\n")
    one = importer(database)
    one.run(path)
    before = counts(database)
    packed = tmp_path / "other.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for again in (path, packed):
        report = importer(database).run(again)
        assert (report.lines_posted, report.lines_known, report.documents_known, report.items_opened) == (0, 2, 2, 0)
    assert counts(database) == before


def test_bad_lines_are_kept_with_their_reason_and_the_rest_of_the_document_is_posted(database, tmp_path):
    lines = (
        SALE
        + "100,A1,RED PIPE,many,2011-03-01 10:00:00,2.55,17850.0,France\n"
        + "100,A1,RED PIPE,0,2011-03-01 10:00:00,2.55,17850.0,France\n"
        + "100,A1,RED PIPE,9999999,2011-03-01 10:00:00,2.55,17850.0,France\n"
        + "100,A1,RED PIPE,1.5,2011-03-01 10:00:00,2.55,17850.0,France\n"
        + "100,A1,RED PIPE,1,2011-02-30 10:00:00,2.55,17850.0,France\n"
        + "100,A1,RED PIPE,1,2011-03-01 10:00:00,2.5555555,17850.0,France\n"
        + "100,A1,RED PIPE,1,2011-03-01 10:00:00,-1.00,17850.0,France\n"
        + "100,A1,RED PIPE,1,2011-03-01 10:00:00,1.00,99999.0,France\n"
        + "100,,RED PIPE,1,2011-03-01 10:00:00,1.00,17850.0,France\n"
        + HEAD
        + ",A1,RED PIPE,1,2011-03-01 10:00:00,1.00,17850.0,France\n"
        + "100,A1,RED PIPE,1,2011-03-01 10:00:00,1.00,17850.0,France,more\n"
        + "100,A1,RED PI"
    )
    report = importer(database).run(written(tmp_path, lines))
    assert (report.lines, report.lines_posted, report.lines_rejected) == (14, 1, 13)
    with looking(database) as session:
        found = open_rejects(session, choose_profile(session, None))
    assert [(row["position"], row["reason"]) for row in found if row["document"] == "100"] == [
        (2, "“many” is not a number"),
        (3, "the quantity is zero"),
        (4, "a quantity of 9999999 is more than any order here"),
        (5, "a quantity of 1.5 has more than 0 decimal places"),
        (6, "“2011-02-30 10:00:00” in InvoiceDate is not a date as the profile writes them"),
        (7, "2.5555555 has more than six decimal places"),
        (8, "a price of -1.00 is below zero"),
        (9, "another customer (99999) than the document's first line (17850)"),
        (10, "the line names no item"),
        (11, "the line has more cells than the header: 9 cells instead of 8"),
        (12, "the line is cut off: 3 cells instead of 8"),
    ]
    assert [row["reason"] for row in found if row["document"] != "100"] == [
        "the header stands here again", "the line names no document"
    ]  # fmt: skip
    assert on_hand(database) == {"A1": 0}


def test_lines_of_another_encoding_or_with_zero_bytes_are_kept_readable(database, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_bytes(
        (HEAD + SALE).encode()
        + b"100,A1,CAF\xc9,1,2011-03-01 10:00:00,2.55,17850.0,France\n"
        + b"100,A1,\x00,1,2011-03-01 10:00:00,2.55,17850.0,France\n"
        + "100,A1,CAFÉ,1,2011-03-01 10:00:00,2.55,17850.0,France\n".encode()
    )
    report = importer(database).run(path)
    assert (report.lines_posted, report.lines_rejected) == (2, 2)
    assert [one["reason"] for one in report.rejected] == ["the line is not utf-8", "the line holds a zero byte"]
    with looking(database) as session:
        kept = [row["text"] for row in open_rejects(session, choose_profile(session, None))]
    assert "CAF\\xc9" in kept[0]
    assert "␀" in kept[1]


def test_a_corrected_file_adds_what_was_rejected_and_nothing_else(database, tmp_path):
    one = importer(database)
    one.run(written(tmp_path, SALE + "100,A1,RED PIPE,twelve,2011-03-01 10:00:00,2.55,17850.0,France\n100,A1,RED P"))
    whole = (
        SALE
        + "100,A1,RED PIPE,12,2011-03-01 10:00:00,2.55,17850.0,France\n100,A1,RED PIPE,1,2011-03-01 10:00:00,2.55,17850.0,France\n"
    )
    report = one.run(written(tmp_path, whole))
    assert (report.lines_posted, report.lines_rejected, report.lines_known) == (2, 0, 1)
    with looking(database) as session:
        used = choose_profile(session, None)
        numbers = session.execute(select(SalesOrder.number).order_by(SalesOrder.number)).scalars().all()
        found = totals(session, used)
        assert open_rejects(session, used) == []
    assert numbers == ["100", "100/2"]
    assert (found["lines"], found["documents"], found["units_sold"], found["sum_sales"]) == (3, 1, 19, "48.45")
    before = counts(database)
    again = one.run(written(tmp_path, whole))
    assert (again.lines_posted, again.lines_known) == (0, 3)
    assert counts(database) == before


def test_a_line_that_says_something_else_after_it_was_posted_stays_as_it_was_and_is_reported(database, tmp_path):
    one = importer(database)
    one.run(written(tmp_path, SALE))
    report = one.run(written(tmp_path, SALE.replace(",6,", ",60,")))
    assert (report.lines_posted, report.lines_rejected) == (0, 1)
    assert report.rejected[0]["reason"] == (
        "this line was posted before and said something else; correct it by a return or an adjustment"
    )
    with looking(database) as session:
        assert session.execute(select(func.sum(OrderLine.quantity))).scalar_one() == 6
        assert totals(session, choose_profile(session, None))["lines"] == 1
    assert importer(database).run(written(tmp_path, SALE.replace(",6,", ",60,"))).lines_rejected == 0


def test_a_document_that_the_core_refuses_is_kept_whole_and_the_others_are_posted(database, tmp_path):
    one = importer(database)
    one.run(written(tmp_path, SALE))
    with one.database.write_engine.begin() as connection:
        connection.execute(text("UPDATE item SET is_blocked = :yes WHERE code = 'A1'"), {"yes": True})
    lines = "101,A1,RED PIPE,1,2011-03-02 10:00:00,2.55,17850.0,France\n102,B2,GREEN,1,2011-03-02 10:00:00,1.00,17850.0,France\n"
    report = importer(database).run(written(tmp_path, lines, "second.csv"))
    assert (report.lines_posted, report.lines_rejected) == (1, 1)
    assert (
        report.rejected[0]["reason"]
        == "Item A1 is blocked. Choose another, or ask the owner of item data to lift the block."
    )
    assert outcomes(database) == [("100", 1, "order_line"), ("101", 1, "rejected"), ("102", 1, "order_line")]


def test_a_dry_run_says_what_would_happen_and_writes_nothing(database, tmp_path):
    before = counts(database)
    report = importer(database).dry_run(
        written(tmp_path, SALE + "101,A1,RED PIPE,x,2011-03-01 10:00:00,1.00,,France\n")
    )
    assert (report.lines, report.lines_posted, report.lines_rejected, report.items_opened) == (2, 1, 1, 1)
    assert counts(database) == before
    with looking(database) as session:
        assert session.execute(select(func.count()).select_from(ImportRun)).scalar_one() == 0


def test_the_profile_makes_its_business_with_a_grant_recorded_as_already_live(database, tmp_path):
    actor = Actor(id=4711, role="system:command-line", is_system=True)
    Importer(database, profiles.load("online-retail"), actor).run(written(tmp_path, SALE))
    with looking(database) as session:
        used = session.execute(select(ImportProfile)).scalar_one()
        grants = session.execute(select(Grant).order_by(Grant.process)).scalars().all()
        order = session.execute(select(SalesOrder)).scalar_one()
    assert [(g.site_id, g.channel_id, g.process, g.source, g.opened_by) for g in grants] == [
        (used.site_id, used.channel_id, process, "already_live", 4711)
        for process in ("order_to_cash", "returns_to_credit", "warehouse")
    ]
    assert {g.reason for g in grants} == {"Traded before the programme: history from the Online Retail file"}
    assert order.grant_id == grants[0].id


def test_a_profile_does_not_open_a_site_that_stands_under_the_programme(database, tmp_path):
    importer(database).run(written(tmp_path, SALE))
    with database.write_engine.begin() as connection:
        connection.execute(text("UPDATE cell_grant SET state = 'closed'"))
        connection.execute(text("UPDATE wave_register SET revision = 'changed'"))
    other = profiles.parse(
        (profiles.SHIPPED / "online-retail.toml").read_text().replace('name = "online-retail"', 'name = "mine"')
    )
    before = counts(database)
    with pytest.raises(RuleBroken, match="cell_closed"):
        Importer(database, other, Actor.system("test")).run(written(tmp_path, SALE.replace("100,", "900,"), "more.csv"))
    assert counts(database) == before
    with looking(database) as session:
        assert [(run["profile"], run["state"]) for run in list_runs(session)] == [
            ("mine", "failed"),
            ("online-retail", "done"),
        ]


def test_deliveries_keep_promises_words_and_drop_ship(database, tmp_path):
    profile = profiles.load("scms")
    columns = [*profile.file.ignore, *sorted(_columns(profile))]
    base = dict.fromkeys(columns, "x") | {
        "PO / SO #": "SCMS-4", "ASN/DN #": "ASN-8", "Project Code": "100-CI-T01", "Country": "Côte d'Ivoire",
        "Fulfill Via": "Direct Drop", "Item Description": "HIV test, 30 Tests", "Line Item Quantity": "19",
        "Line Item Value": "551", "Pack Price": "29", "PO Sent to Vendor Date": "Date Not Captured",
        "PQ First Sent to Client Date": "Pre-PQ Process", "Scheduled Delivery Date": "2-Jun-06",
        "Delivered to Client Date": "5-Jun-06", "Delivery Recorded Date": "1-Jun-06", "Weight (Kilograms)": "See DN-304 (ID#:10589)",
        "Freight Cost (USD)": "780.34", "Line Item Insurance (USD)": "",
    }  # fmt: skip
    second = base | {
        "Fulfill Via": "From RDC", "Line Item Value": "7", "Pack Price": "3", "Line Item Quantity": "2", "ASN/DN #": "ASN-9",
        "Freight Cost (USD)": "Freight Included in Commodity Cost", "Weight (Kilograms)": "13", "Line Item Insurance (USD)": "1.5",
        "PO Sent to Vendor Date": "6/30/06", "PQ First Sent to Client Date": "5/20/06", "Delivered to Client Date": "1-Jun-06",
    }  # fmt: skip
    path = tmp_path / "deliveries.csv"
    quoted = [",".join('"' + str(row[name]) + '"' for name in columns) for row in (base, second)]
    path.write_text("\n".join([",".join(f'"{name}"' for name in columns), *quoted]) + "\n", encoding="utf-8")

    assert importer(database, "scms").run(path).lines_posted == 2
    with looking(database) as session:
        lines = session.execute(select(OrderLine).order_by(OrderLine.line_no)).scalars().all()
        shipments = session.execute(select(Shipment).order_by(Shipment.number)).scalars().all()
        parts = session.execute(select(ShipmentLine).order_by(ShipmentLine.order_line_id)).scalars().all()
        order = session.execute(select(SalesOrder)).scalar_one()
        found = totals(session, choose_profile(session, None))
    assert order.captured_at == datetime(2006, 5, 20, 12, 0, tzinfo=UTC)
    assert [(line.kind, line.amount, line.unit_price, line.first_promised_on, line.basis) for line in lines] == [
        ("drop_ship", 551, 29, date(2006, 6, 2), "delivery"), ("stock", 7, 3, date(2006, 6, 2), "delivery")
    ]  # fmt: skip
    assert [(s.number, s.delivered_at, s.state) for s in shipments] == [
        ("ASN-8", datetime(2006, 6, 5, 12, 0, tzinfo=UTC), "delivered"),
        ("ASN-9", datetime(2006, 6, 1, 12, 0, tzinfo=UTC), "delivered"),
    ]
    assert [(p.freight, p.freight_note, p.weight_kg, p.weight_note, p.insurance) for p in parts] == [
        (Decimal("780.34"), None, None, "See DN-304 (ID#:10589)", None),
        (None, "Freight Included in Commodity Cost", 13, None, Decimal("1.5")),
    ]
    names = (
        "delivered_late",
        "delivered_early",
        "recorded_before_delivered",
        "po_sent_after_delivered",
        "quote_after_po",
    )
    assert [found[name] for name in names] == [1, 1, 1, 1, 0]
    assert (found["sum_line_value"], found["shipments"], found["orders"]) == ("558.00", 2, 1)
    assert on_hand(database) == {"HIV test, 30 Tests": 0}


def _columns(profile):
    from app.importers.sources import wanted_columns

    return wanted_columns(profile)
