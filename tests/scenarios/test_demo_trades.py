"""The demo trades through all that a distributor does, and leaves something in every table of the core."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import func, select

from app.composition.models import Base
from app.composition.uow import reading
from tests.support.demo import rows

#: Tables of the core that a demo leaves empty, each with its reason.
EMPTY = {
    "dunning_fee_reversal": "the one fee is waived: no money has paid it that could go back",
    "stock_revaluation": "the one site that values otherwise goes on at what its stock was worth",
}
AREAS = ("orders", "inventory", "fulfilment", "purchasing", "pricing", "masterdata", "credit", "billing", "ledger")


def tables_of(area: str) -> dict[str, object]:
    return {
        mapper.local_table.name: mapper.local_table
        for mapper in Base.registry.mappers
        if mapper.class_.__module__.startswith(f"erpcore.{area}.")
    }


@pytest.mark.parametrize("area", AREAS)
def test_no_table_of_the_core_stays_empty(demo, area):
    tables = tables_of(area)
    assert tables
    with reading(demo) as session:
        empty = {name for name, table in tables.items() if not session.scalar(select(func.count()).select_from(table))}
    assert empty == {name for name in tables if name in EMPTY}


def test_goods_lie_at_places_by_lot_and_number_and_what_came_too_old_lies_apart(demo):
    where = (
        "SELECT COALESCE(z.code, l.kind), i.code, b.status, SUM(b.quantity) / 1000 FROM stock_bin b"
        " JOIN location l ON l.id = b.location_id LEFT JOIN zone z ON z.id = l.zone_id JOIN item i ON i.id = b.item_id"
        " WHERE b.lot_id IS NOT NULL AND b.quantity > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    assert [tuple(row) for row in rows(demo, where)] == [
        ("HALL", "90-1302", "available", 84), ("HALL", "90-1303", "available", 4), ("YARD", "90-1301", "available", 20),
        ("quarantine", "90-1302", "quarantine", 12),
    ]  # fmt: skip
    assert rows(demo, "SELECT COUNT(*) FROM stock_arrival WHERE put_away < quantity") == [(0,)]
    # What expires first has left first: the whole pallet of the older lot.
    left = "SELECT t.code FROM lot t JOIN stock_bin b ON b.lot_id = t.id WHERE t.code LIKE 'C2-%' AND b.quantity > 0"
    assert [row[0] for row in rows(demo, left)] == ["C2-2611"]
    packs = "SELECT code, numerator, denominator FROM item_unit ORDER BY code"
    assert [tuple(row) for row in rows(demo, packs)] == [("CTN", 12, 1), ("PAL", 24, 1)]


def test_an_order_was_picked_zone_by_zone_and_somebody_signed_for_it(demo):
    waves = "SELECT zone, state FROM pick_wave WHERE zone IS NOT NULL ORDER BY zone"
    assert [tuple(row) for row in rows(demo, waves)] == [("HALL", "completed"), ("YARD", "completed")]
    signed = "SELECT received_by FROM delivery_proof ORDER BY recorded_at, shipment_id"
    assert {row[0] for row in rows(demo, signed)} == {"J. Orth", "M. Pauels", "R. Orth", "H. Kolb"}


def test_a_branch_keeps_cost_layers_and_freight_came_late_for_goods_that_were_partly_sold(demo):
    chosen = rows(demo, "SELECT s.code, c.method FROM site_costing c JOIN site s ON s.id = c.site_id")
    assert [tuple(row) for row in chosen] == [("KOL", "fifo")]
    ((amount, stock),) = rows(demo, "SELECT amount_minor, stock_minor FROM late_cost")
    assert (amount, 0 < stock < amount) == (9600, True)
    used = "SELECT COUNT(*) FROM cost_layer_step WHERE reason = 'went'"
    assert rows(demo, used)[0][0] > 0


def test_what_a_carrier_had_trouble_with_was_looked_after(demo):
    troubles = "SELECT kind, resolved_at IS NOT NULL, owner_id IS NOT NULL FROM shipment_trouble ORDER BY kind"
    assert [(row[0], bool(row[1]), bool(row[2])) for row in rows(demo, troubles)] == [
        ("delayed", True, True), ("delayed", True, True), ("lost", True, True), ("refused", True, True),
    ]  # fmt: skip


def test_a_carrier_has_billed_what_it_drove_and_a_second_bill_waits_for_somebodys_word(demo):
    bills = "SELECT number, state, owed_minor > 0, taken_by = posted_by FROM carrier_bill ORDER BY id"
    assert [tuple(row) for row in rows(demo, bills)] == [
        ("RL-88120", "posted", 1, 0),
        ("RL-88197", "received", 0, None),
    ]
    lines = (
        "SELECT b.number, l.result, l.decision, COUNT(*) FROM carrier_bill_line l JOIN carrier_bill b ON b.id = l.bill_id"
        " WHERE l.result <> 'matched' GROUP BY 1, 2, 3 ORDER BY 1, 2"
    )
    assert [tuple(row) for row in rows(demo, lines)] == [
        ("RL-88120", "differs", "accepted", 2), ("RL-88197", "billed", None, 1), ("RL-88197", "differs", None, 1),
        ("RL-88197", "unknown", None, 1),
    ]  # fmt: skip


def test_shelves_are_counted_by_class_and_a_difference_by_two_people(demo):
    counted = dict(map(tuple, rows(demo, "SELECT why, COUNT(*) FROM count_task WHERE state = 'done' GROUP BY why")))
    assert counted["cadence"] > 50
    again = "SELECT COUNT(*), SUM(recounted_by = counted_by), SUM(difference <> 0) FROM count_task WHERE recounted_by IS NOT NULL"
    ((recounts, by_the_same, different),) = rows(demo, again)
    assert (by_the_same, different > 1, recounts >= different) == (0, True, True)


def test_the_floor_is_in_the_middle_of_its_work_and_one_shipment_was_taken_back(demo):
    assert rows(demo, "SELECT state, COUNT(*) FROM pick_wave WHERE state = 'released' GROUP BY state") == [
        ("released", 1)
    ]
    begun = "SELECT COUNT(*) FROM warehouse_task t JOIN warehouse_task_line l ON l.task_id = t.id WHERE t.state = 'started' AND l.picked > 0"
    assert rows(demo, begun) == [(1,)]
    counts = "SELECT state, COUNT(*) FROM count_task WHERE state IN ('open', 'counting') GROUP BY state ORDER BY state"
    assert [tuple(row) for row in rows(demo, counts)] == [("counting", 1), ("open", 3)]
    back = "SELECT t.reason, l.allocated > 0 FROM shipment s JOIN transition t ON t.document_id = s.id AND t.move = 'put_back' JOIN order_line l ON l.order_id = s.order_id WHERE s.state = 'taken_back'"
    assert [tuple(row) for row in rows(demo, back)] == [("the customer asks us to wait for the scaffold", 1)]


def test_what_another_site_ships_by_lane_arrives_and_is_billed_with_its_week(demo):
    lane = "SELECT s.state, i.state FROM shipment s JOIN sales_order o ON o.id = s.order_id JOIN invoice i ON i.id = s.invoice_id WHERE s.site_id <> o.site_id"
    assert [tuple(row) for row in rows(demo, lane)] == [("delivered", "posted")]


def test_late_payers_were_asked_twice_and_what_they_said_is_written_down(demo):
    assert rows(demo, "SELECT COUNT(*) FROM dunning_run WHERE state = 'done'") == [(2,)]
    levels = "SELECT DISTINCT level FROM dunning_notice WHERE state = 'issued' ORDER BY level"
    assert [row[0] for row in rows(demo, levels)] == [1, 2]
    assert rows(demo, "SELECT COUNT(*) FROM dunning_run WHERE proposed_by = confirmed_by") == [(0,)]
    waived = "SELECT f.amount_minor, s.reason FROM dunning_fee_settlement s JOIN dunning_fee f ON f.id = s.fee_id"
    assert list(map(tuple, rows(demo, waived))) == [(500, "first time in nine years")]
    assert rows(demo, "SELECT COUNT(*) FROM payment_promise") == [(1,)]
    assert rows(demo, "SELECT reason FROM dunning_block") == [("says that two pallets came wet; sales looks at it",)]


def test_a_debt_was_given_up_and_credits_settled_what_nobody_pays(demo):
    debts = "SELECT amount_minor < 0, open_minor FROM receivable WHERE document_type = 'debt_journal'"
    assert [(bool(row[0]), row[1]) for row in rows(demo, debts)] == [(True, 0)]
    assert rows(demo, "SELECT COUNT(*) FROM receipt_return WHERE fee_minor = 350") == [(1,)]
    assert rows(demo, "SELECT COUNT(*) FROM credit_application") == [(3,)]


def test_a_frame_contract_gets_one_invoice_a_week_and_a_certificate_takes_the_tax_off(demo):
    weekly = (
        "SELECT invoice_id, COUNT(*) FROM shipment WHERE bill_with LIKE 'period%' AND invoice_id IS NOT NULL GROUP BY 1"
    )
    # Two of a week's counter, and what another site shipped in another week.
    assert sorted(row[1] for row in rows(demo, weekly)) == [1, 2]
    exempt = "SELECT DISTINCT i.tax_minor FROM invoice i JOIN invoice_line l ON l.invoice_id = i.id WHERE l.tax_exemption_id IS NOT NULL"
    assert list(map(tuple, rows(demo, exempt))) == [(0,)]


def test_a_frame_contract_is_served_from_where_a_line_costs_least_and_comes_in_time(demo):
    routed = (
        "SELECT s.code, c.facts FROM order_line l JOIN site s ON s.id = l.site_id JOIN sales_order o ON o.id = l.order_id "
        "JOIN shortage_choice c ON c.order_line_id = l.id WHERE l.source_reason = 'commitment' AND o.site_id <> l.site_id"
    )
    found = rows(demo, routed)
    assert [row[0] for row in found] == ["DUI", "DUI"]
    for _, facts in found:
        cologne, duisburg = json.loads(facts)["sites"]
        assert min(cologne["free"], duisburg["free"]) > 0
        assert (cologne["cost_minor"], duisburg["cost_minor"]) == (620, 490)


def test_prices_are_agreed_in_every_way_and_months_are_closed(demo):
    kinds = {row[0] for row in rows(demo, "SELECT DISTINCT kind FROM price_rule")}
    assert kinds == {"list", "channel", "group", "break", "promotion", "customer", "contract"}
    closed = "SELECT closed_until, COUNT(DISTINCT entity_id) FROM period_close GROUP BY 1"
    assert [(str(row[0]), row[1]) for row in rows(demo, closed)] == [("2026-11-01", 3)]
    assert rows(demo, "SELECT COUNT(*) FROM sourcing_lane") == [(8,)]


def test_the_trading_has_everything_that_goes_wrong_in_a_warehouse(demo):
    counted = dict(map(tuple, rows(demo, "SELECT type, COUNT(*) FROM event_log GROUP BY 1")))
    for happened in (
        "order.held", "order.hold_released", "order.backordered", "order.cancelled", "order.price_overridden",
        "shipment.short_picked", "shipment.damaged", "return.credited", "credit_memo.posted", "invoice.blocked",
        "invoice.unblocked", "invoice.corrected", "cash.applied", "stock.counted", "stock.adjusted",
    ):  # fmt: skip
        assert counted.get(happened, 0) > 0, happened
    assert rows(demo, "SELECT COUNT(*) FROM order_line WHERE kind = 'drop_ship'")[0][0] > 0
    (orders, lines), *_ = rows(demo, "SELECT COUNT(DISTINCT order_id), COUNT(*) FROM order_line")
    assert 900 <= orders <= 1200
    assert 3.5 < lines / orders < 5


def test_the_trading_goes_through_all_that_a_distributor_does_besides(demo):
    counted = dict(map(tuple, rows(demo, "SELECT type, COUNT(*) FROM event_log GROUP BY 1")))
    for happened in (
        "quote.issued", "quote.revised", "quote.accepted", "quote.declined", "order.amended", "order.allocation_overridden",
        "order.deallocated", "order.repromised", "order.substituted", "purchase.ordered", "purchase.confirmed", "purchase.received",
        "purchase.closed", "transfer.requested", "transfer.approved", "stock.transfer_shipped", "stock.transfer_received",
        "stock.recounted", "pick_wave.interrupted", "pick_wave.resumed", "pick_wave.completed", "fallback.declared", "fallback.ended",
    ):  # fmt: skip
        assert counted.get(happened, 0) > 0, happened

    def states(table):
        return dict(map(tuple, rows(demo, f"SELECT state, COUNT(*) FROM {table} GROUP BY state")))  # names of this test

    assert states("quote") == {"accepted": 1, "declined": 1, "sent": 2, "superseded": 1, "waiting": 1}
    assert states("order_amendment") == {"applied": 3, "withdrawn": 1}
    assert {"simulated", "committed", "rejected"} & states("allocation_run").keys() >= {"committed", "rejected"}
    assert (states("take_back_wish"), states("price_list"), states("pick_wave")) == (
        {"done": 1}, {"applied": 2}, {"completed": 7, "released": 1},
    )  # fmt: skip
    assert states("purchase_order") == {"closed": 1, "received": 3}
    rules = rows(demo, "SELECT DISTINCT rule FROM allocation_run_place")
    assert {row[0] for row in rules} == {"first_come", "priority", "contract_protection", "fair_share"}
    held = rows(demo, "SELECT DISTINCT kind FROM order_hold WHERE released_at IS NOT NULL")
    assert {row[0] for row in held} >= {
        "manual",
        "data",
        "address",
        "export",
        "duplicate",
        "price",
        "substitution",
        "credit",
    }
    assert rows(demo, "SELECT number FROM sales_order WHERE source = 'back-entry' ORDER BY number") == [
        ("KOL-P-001",), ("KOL-P-002",),
    ]  # fmt: skip
    assert rows(demo, "SELECT COUNT(*) FROM saved_view") == [(2,)]
    assert {row[0] for row in rows(demo, "SELECT DISTINCT act FROM exception_entry")} == {
        "assigned",
        "noted",
        "snoozed",
    }
    assert set(states("letter")) == {"sent", "skipped"}


def test_goods_of_a_pick_wave_leave_with_the_carrier_whose_collection_it_was_planned_for(demo):
    left = rows(
        demo,
        "SELECT v.code, c.missed_cut_off, c.packed_at IS NOT NULL, COUNT(*) FROM carriage c"
        " JOIN carrier_service v ON v.id = c.service_id WHERE c.tracking_number LIKE 'RTL%' GROUP BY 1, 2, 3",
    )
    assert [(row[0], bool(row[1]), bool(row[2]), row[3]) for row in left] == [
        ("PALLET", True, True, 1), ("PARCEL", False, True, 5),
    ]  # fmt: skip
    gone = "SELECT COUNT(*) FROM warehouse_task t JOIN shipment s ON s.id = t.document_id WHERE t.document_type = 'shipment' AND t.state = 'open' AND s.state <> 'picked'"
    assert rows(demo, gone) == [(0,)]
    stops = "SELECT s.code, COUNT(*) FROM carrier_cut_off c JOIN site s ON s.id = c.site_id GROUP BY 1 ORDER BY 1"
    assert list(map(tuple, rows(demo, stops))) == [("BRE", 10), ("DUI", 10), ("KOL", 10)]


def test_a_supplier_confirms_each_window_for_the_day_it_is_wanted(demo):
    found = rows(
        demo,
        "SELECT l.requested_on, l.confirmed_on FROM purchase_order_line l JOIN purchase_order p ON p.id = l.purchase_id"
        " WHERE p.order_id IS NOT NULL ORDER BY l.line_no",
    )
    first, second = ((date.fromisoformat(str(wanted)), date.fromisoformat(str(said))) for wanted, said in found)
    assert first[1] <= first[0]
    assert second[0] == second[1] > first[0]


def test_a_counter_has_handed_a_file_of_orders_in(demo):
    assert list(map(tuple, rows(demo, "SELECT orders, entered, refused FROM order_file"))) == [(3, 2, 1)]


def test_a_request_was_approved_by_nobody_one_by_somebody_one_went_on_to_others_and_each_person_was_mailed_once(
    built, demo
):
    found = rows(
        demo,
        "SELECT state, is_automatic, escalated_at IS NOT NULL FROM approval_request WHERE kind = 'stock_adjustment' ORDER BY id",
    )
    states = [(row[0], bool(row[1]), bool(row[2])) for row in found]
    assert states == [
        ("approved", True, False), ("approved", False, False), ("waiting", False, True), ("waiting", False, False),
    ]  # fmt: skip
    reminders = "SELECT r.reason FROM approval_need n JOIN transition r ON r.document_id = n.request_id AND r.at = n.reminded_at WHERE r.move = 'remind'"
    assert [row[0].startswith("told ") for row in rows(demo, reminders)] == [True]
    mailed = [row[0] for row in rows(demo, "SELECT message_id FROM approval_reminder WHERE state = 'sent'")]
    assert sorted(path.stem for path in (built.folder / "reminders").glob("*.eml")) == sorted(
        name.strip("<>").partition("@")[0] for name in mailed
    )
    assert mailed
    kept = rows(demo, "SELECT message_id FROM digest WHERE state = 'sent'")
    files = sorted(path.stem for path in (built.folder / "digests").glob("*.eml"))
    assert files == sorted(row[0].strip("<>").partition("@")[0] for row in kept)
    assert files
    assert rows(demo, "SELECT COUNT(*) FROM digest WHERE state NOT IN ('sent', 'nothing')") == [(0,)]


def test_a_rush_leaves_with_its_charge_and_a_layer_with_a_piece_more_at_the_desk_and_on_the_floor(demo):
    extra = "SELECT o.customer_reference, l.extra / 1000 FROM order_line l JOIN sales_order o ON o.id = l.order_id WHERE l.extra > 0 ORDER BY o.id"
    assert [tuple(row) for row in rows(demo, extra)] == [("by tonight, please", 1), ("a layer", 1)]
    assert rows(demo, "SELECT SUM(extra) / 1000 FROM warehouse_task_line") == [(1,)]
    offered = (
        "SELECT COUNT(*) FROM quote_line WHERE is_rush_charge UNION ALL SELECT COUNT(*) FROM quote_line WHERE is_rush"
    )
    assert [row[0] for row in rows(demo, offered)] == [1, 1]
    parts = "SELECT COUNT(*) FROM order_line p JOIN purchase_order_line b ON b.order_line_id = p.id WHERE p.split_from_id IS NOT NULL"
    assert rows(demo, parts) == [(1,)]


def test_customers_were_told_and_the_letters_lie_in_a_folder_and_reached_nobody(built, demo):
    told = rows(demo, "SELECT state, way, COUNT(*) FROM letter GROUP BY 1, 2")
    assert {(row[0], row[1]) for row in told} == {("sent", "folder"), ("skipped", None)}
    sent = sum(row[2] for row in told if row[0] == "sent")
    assert sent > 10
    kept = rows(
        demo,
        "SELECT message_id FROM letter WHERE state = 'sent'"
        " UNION ALL SELECT message_id FROM dunning_letter WHERE state = 'sent'",
    )
    files = sorted(path.stem for path in (built.folder / "letters").glob("*.eml"))
    assert files == sorted(row[0].strip("<>").partition("@")[0] for row in kept)
    assert {row[0] for row in rows(demo, "SELECT DISTINCT event FROM letter")} >= {
        "confirmation",
        "shipment",
        "correction",
    }
    # On the evening of what they tell, not in the night.
    assert rows(demo, "SELECT COUNT(*) FROM letter WHERE sent_at < made_at")[0][0] == 0
    assert str(built.folder / "letters") in built.said.replace("\n", "")


def test_a_price_that_was_not_ordered_waits_or_was_put_right(demo):
    changed = (
        "SELECT DISTINCT i.state, i.number IS NULL, i.block_reason LIKE 'line 10 charges%' FROM invoice i JOIN transition t"
        " ON t.document_type = 'invoice' AND t.document_id = i.id WHERE t.reason = 'freight put on the price' ORDER BY 1"
    )
    assert [(row[0], bool(row[1]), bool(row[2])) for row in rows(demo, changed)] == [
        ("blocked", True, True),
        ("posted", False, False),
    ]


def test_a_month_was_locked_only_once_its_revenue_was_accrued_and_its_journal_approved(demo):
    found = (
        "SELECT f.name, f.agrees FROM closing_finding f JOIN closing c ON c.id = f.closing_id WHERE c.state = 'locked' "
        "AND f.name IN ('accruals', 'revenue', 'journals') ORDER BY f.name, f.id"
    )
    assert [(row[0], bool(row[1])) for row in rows(demo, found)] == [
        ("accruals", False), ("accruals", True), ("journals", False), ("journals", True), ("revenue", False), ("revenue", True)
    ]  # fmt: skip
    # Every line was turned back on the day after the period, by an entry of its own.
    lines = rows(demo, "SELECT COUNT(*), COUNT(DISTINCT entry_id), COUNT(DISTINCT reversal_id) FROM accrual_line")
    assert lines[0][0] > 0
    assert len(set(lines[0])) == 1
    days = "SELECT DISTINCT entry_on FROM journal_entry WHERE document_type = 'accrual' ORDER BY 1"
    assert [str(row[0]) for row in rows(demo, days)] == ["2026-10-31", "2026-11-01"]
