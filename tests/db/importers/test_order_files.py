"""Files of orders: each order is looked at, entered once by the rules of typed ones, or stays with its reason."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from functools import partial
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select

from app.composition.orderfiles import BadRows
from app.composition.uow import reading
from app.importers.orderfiles import EnterOrders, enter_orders, hand_in, look_again, plan_of, rows_of
from app.importers.ordersheets import COLUMNS, cells_of, orders_of, read_orders
from erpcore.kernel.errors import Busy, Conflict, DomainError, NotFound, RuleBroken
from erpcore.kernel.requests import documents_kept
from erpcore.masterdata.addresses import AddressContent, add_address
from erpcore.masterdata.models import Item
from erpcore.orders.allocation_models import ShortageChoice
from erpcore.orders.models import OrderLine, SalesOrder
from erpcore.orders.services import capture_orders
from tests.support.charges import a_charge
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.policies import approve
from tests.support.policy import Rules
from tests.support.pricing import DESK
from tests.support.queries import all_statements
from tests.support.warehouse import second_site


@pytest.fixture
def business(database):
    return a_business(database)


def a_row(**cells):
    return {
        "order": "A-1",
        "site": "DUI",
        "channel": "wholesale",
        "customer": "10482",
        "item": "40-0",
        "quantity": "5",
        **cells,
    }


def a_csv(*rows):
    lines = [",".join(COLUMNS)] + [",".join(row.get(name, "") for name in COLUMNS) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def handed_in(business, *rows, by=DESK, data=None, name="orders.csv"):
    read = read_orders(name, io.BytesIO(data if data is not None else a_csv(*rows)))
    with business.work(by) as work:
        return hand_in(work, business.entity, read, rules=RULES, cells=OPEN)


def entered(business, file, *, bad_rows=BadRows.GOOD_ONES, by=DESK, **more):
    with business.work(by, source=more.pop("source", "system")) as work:
        return enter_orders(
            work, EnterOrders(file=file.id, bad_rows=bad_rows, version=more.pop("version", file.version), **more),
            rules=RULES, cells=OPEN,
        )  # fmt: skip


def another_address(business, code="YARD"):
    """Another address of the customer's; its id."""
    content = AddressContent(
        code=code, name="Bautechnik", street="Am Hafen 2", postal_code="47059", city="Duisburg", country="Germany"
    )
    with business.work() as work:
        return add_address(work, business.customer, content, valid_from=date(2020, 1, 1)).id


def orders(business):
    with reading(business.database) as session:
        return session.scalar(select(func.count()).select_from(SalesOrder))


def outcomes(file):
    return {one.name: (one.outcome, one.row, one.code) for one in plan_of(file)}


def test_rows_of_one_name_are_one_order_priced_and_promised_before_anything_is_entered(business):
    file = handed_in(
        business, a_row(customer_reference="PO-1"), a_row(item="40-1", quantity="3", site="", channel="", customer=""),
        a_row(order="A-2", quantity="2"),
    )  # fmt: skip
    first, second = plan_of(file)
    assert (first.rows, first.value_minor, first.promised_on, first.prices) == (
        [2, 3],
        8000,
        "2026-03-04",
        [10_000_000] * 2,
    )
    assert (second.rows, second.outcome) == ([4], "new")
    assert orders(business) == 0
    done = entered(business, file)
    assert (done.entered, done.refused, done.entered_by) == (2, 0, DESK.id)
    with reading(business.database) as session:
        rows = session.execute(
            select(SalesOrder.customer_reference, OrderLine.quantity)
            .join(OrderLine, OrderLine.order_id == SalesOrder.id)
            .order_by(OrderLine.id)
        ).all()
    assert [(row.customer_reference, int(row.quantity)) for row in rows] == [("PO-1", 5), ("PO-1", 3), (None, 2)]
    assert_books_agree(business.database)


def test_the_same_file_twice_adds_nothing_and_neither_does_a_mended_one(business):
    good, bad = a_row(), a_row(order="A-2", item="nothing")
    file = handed_in(business, good, bad)
    assert handed_in(business, good, bad, name="again.csv").id == file.id
    done = entered(business, file)
    assert outcomes(done) == {"A-1": ("entered", None, ""), "A-2": ("refused", 3, "price_code_unknown")}
    with pytest.raises(RuleBroken) as refusal:
        entered(business, done)
    assert refusal.value.code == "order_file_nothing_new"
    mended = handed_in(business, good, {**bad, "item": "40-1"})
    assert outcomes(mended) == {"A-1": ("known", None, ""), "A-2": ("new", None, "")}
    assert entered(business, mended).entered == 1
    assert orders(business) == 2
    other = handed_in(business, {**good, "quantity": "6"})
    assert outcomes(other) == {"A-1": ("refused", None, "order_file_entered_otherwise")}
    assert_books_agree(business.database)


BAD = [
    ({"quantity": ""}, "order_file_cell_empty"), ({"quantity": "many"}, "not_a_number"), ({"quantity": "-1"}, None),
    ({"quantity": "0"}, None), ({"quantity": "1.5"}, None), ({"quantity": "9" * 30}, None), ({"item": "4711"}, "price_code_unknown"),
    ({"customer": "x"}, "price_code_unknown"), ({"site": "XXX"}, "price_code_unknown"), ({"channel": ""}, "order_file_cell_empty"),
    ({"rush": "maybe"}, "order_file_yes"), ({"line_rush": "1"}, "order_file_yes"), ({"drop_ship": "x"}, "order_file_yes"),
    ({"ship_to": "nowhere"}, "order_file_address"), ({"line_ship_to": "nowhere"}, "order_file_address"),
    ({"line_wanted_on": "later"}, "not_a_day"), ({"line_wanted_on": "0001-01-01"}, "day_absurd"),
    ({"order": "b" * 121}, "order_file_cell_long"), ({"customer_reference": "r" * 121}, "order_file_cell_long"),
    ({"wanted_on": "soon"}, "not_a_day"), ({"unit": "palette"}, None), ({"unit_price": "0.01"}, None), ({"order": ""}, "order_file_nameless"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "code"), BAD)
def test_a_bad_row_is_refused_with_its_reason_and_the_others_are_as_chosen(business, cells, code):
    file = handed_in(business, a_row(order="good"), a_row(order="bad") | cells)
    (one,) = [one for one in plan_of(file) if one.outcome == "refused"]
    assert one.text
    assert code is None or one.code == code
    left = entered(business, file, bad_rows=BadRows.ALL_OR_NOTHING)
    assert (left.entered, left.refused, left.entered_at) == (0, 1, None)
    assert orders(business) == 0
    assert entered(business, left).entered == 1
    assert orders(business) == 1


def test_rows_of_one_order_that_disagree_are_refused(business):
    file = handed_in(business, a_row(), a_row(customer="20000"))
    assert outcomes(file) == {"A-1": ("refused", 3, "order_file_rows_differ")}


def test_an_order_like_an_earlier_one_is_entered_with_a_reason_alone(business):
    file = entered(business, handed_in(business, a_row(), a_row(order="A-2")), source="screen")
    assert outcomes(file) == {"A-1": ("entered", None, ""), "A-2": ("refused", None, "order_duplicate")}
    assert plan_of(file)[1].text.startswith("A-1 of this customer has the same content, handed in with it.")
    assert orders(business) == 1
    whole = handed_in(business, a_row(order="A-3"), a_row(order="A-4"))
    left = entered(business, whole, bad_rows=BadRows.ALL_OR_NOTHING, source="screen", duplicate_reason=" ")
    assert (left.entered, left.refused, orders(business)) == (0, 2, 1)
    again = entered(business, file, source="screen", duplicate_reason="both vans")
    assert (again.entered, again.refused) == (2, 0)
    two = handed_in(business, a_row(order="A-9"), a_row(order="A-10", quantity="7"))
    late, good = plan_of(entered(business, two, source="screen"))
    assert (late.outcome, good.outcome) == ("refused", "entered")
    assert "has the same content, entered today." in late.text


def test_an_order_refused_as_a_duplicate_leaves_nothing_of_where_it_would_ship_from(business):
    second_site(business)
    file = handed_in(business, a_row(), a_row(order="A-2"))
    with business.work(DESK, source="screen") as work:
        done = enter_orders(
            work, EnterOrders(file=file.id, bad_rows=BadRows.GOOD_ONES, version=file.version),
            rules=Rules(sourcing_rule="most_stock"), cells=OPEN,
        )  # fmt: skip
    assert outcomes(done) == {"A-1": ("entered", None, ""), "A-2": ("refused", None, "order_duplicate")}
    with reading(business.database) as session:
        chosen = session.scalars(select(ShortageChoice.order_line_id)).all()
        assert chosen == session.scalars(select(OrderLine.id)).all()
    assert_books_agree(business.database)


def test_a_number_written_otherwise_is_the_same_order(business):
    price = {"price_reason": "agreed by telephone"}
    file = handed_in(business, a_row(unit_price="9.50", **price))
    assert entered(business, file).entered == 1
    again = handed_in(business, a_row(quantity="5.0", unit_price="9.5", **price))
    assert outcomes(again) == {"A-1": ("known", None, "")}


def test_two_who_hand_in_the_same_file_at_once_get_one_file_or_an_answer(business, monkeypatch):
    handed_in(business, a_row())
    # The other's file is not there yet when this one looks for it.
    with business.work(DESK) as work:
        monkeypatch.setattr(work.session, "scalar", lambda *_: None)
        with pytest.raises(Conflict) as refusal:
            hand_in(work, business.entity, read_orders("o.csv", io.BytesIO(a_csv(a_row()))), rules=RULES, cells=OPEN)
        work.session.rollback()
    assert refusal.value.code == "order_file_handed_in_meanwhile"


def test_a_file_that_was_looked_at_anew_is_not_entered_unseen(business):
    file = handed_in(business, a_row())
    with business.work(DESK) as work:
        look_again(work, file.id, rules=RULES, cells=OPEN)
    with pytest.raises(Conflict) as refusal:
        entered(business, file)
    assert refusal.value.code == "changed_meanwhile"
    assert orders(business) == 0


def test_anothers_file_does_not_exist(business):
    other = replace(DESK, id=DESK.id + 1, sites=frozenset({business.site}))
    file = handed_in(business, a_row())
    with pytest.raises(NotFound):
        entered(business, file, by=other)
    with pytest.raises(Conflict) as refusal:
        handed_in(business, a_row(), by=other)
    assert refusal.value.code == "order_file_of_another"
    assert orders(business) == 0


def test_two_who_enter_the_same_file_at_once_enter_it_once(business):
    file = handed_in(business, *(a_row(order=f"A-{number}", quantity=str(number + 1)) for number in range(4)))
    both, refused = Barrier(2), []

    def go():
        both.wait()
        try:
            entered(business, file)
        except (Busy, DomainError) as error:
            refused.append(error.code)

    threads = [Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert orders(business) == 4
    assert_books_agree(business.database)


def test_an_order_of_a_file_takes_what_a_typed_one_takes(business):
    """Addresses, wishes and rush, of the order and of its rows, a charge among them, and what the rush costs."""
    yard = another_address(business)
    a_charge(business, "FREIGHT", price="7.50")
    a_charge(business, "RUSH", price="25.00", is_rush=True)
    approve(business, "rush_rule", "allow_with_charge")
    rows = (
        a_row(customer_reference="PO-1", wanted_on="2026-03-10", line_rush="Yes"),
        a_row(item="40-1", quantity="3", line_ship_to="YARD", line_wanted_on="2026-03-12"),
        a_row(item="FREIGHT", quantity="1"),
        a_row(order="A-2", quantity="2", ship_to="YARD", rush="yes"),
    )
    file = handed_in(business, *rows)
    first, second = plan_of(file)
    assert (first.outcome, first.value_minor, first.promised_on) == ("new", 5_000 + 3_000 + 750 + 2_500, "2026-03-12")
    assert (first.added, second.added) == ([["RUSH", 2_500]], [["RUSH", 2_500]])
    assert (second.outcome, second.value_minor, second.promised_on) == ("new", 2_000 + 2_500, "2026-03-02")
    done = entered(business, file, source="api")
    assert (done.entered, done.refused) == (2, 0)
    with reading(business.database) as session:
        found = session.execute(
            select(
                SalesOrder.customer_reference,
                SalesOrder.ship_to_id == yard,
                Item.code,
                OrderLine.is_rush,
                OrderLine.ship_to_id == yard,
                OrderLine.requested_on,
                OrderLine.promised_on,
            )
            .join(OrderLine, OrderLine.order_id == SalesOrder.id)
            .join(Item, Item.id == OrderLine.item_id)
            .order_by(OrderLine.id)
        ).all()
        worth = session.scalars(select(SalesOrder.value_minor).order_by(SalesOrder.id)).all()
    day = partial(date, 2026, 3)
    assert [tuple(row) for row in found] == [
        ("PO-1", False, "40-0", True, None, day(10), day(10)), ("PO-1", False, "40-1", False, True, day(12), day(12)),
        ("PO-1", False, "FREIGHT", False, None, day(10), day(10)), ("PO-1", False, "RUSH", False, None, day(10), day(10)),
        (None, True, "40-0", True, None, day(4), day(2)), (None, True, "RUSH", False, None, day(4), day(2)),
    ]  # fmt: skip
    assert worth == [11_250, 4_500]
    assert_books_agree(business.database)


def test_a_file_kept_before_orders_could_say_all_of_that_is_known_and_read_as_it_was(business):
    file = entered(business, handed_in(business, a_row()))
    (row,) = rows_of(file)
    short = [*row[:7], *row[9:14]]
    with reading(business.database) as session:
        (same,) = orders_of(session, business.entity, [short])
    assert (same.why, len(short), cells_of(short)["item"], cells_of(short)["rush"]) == (None, 12, "40-0", "")
    with business.work(DESK) as work:
        known = documents_kept(work.session, f"order-file:{business.entity}", [same.key])
    assert known[same.key][0] == same.digest


def test_the_number_of_questions_does_not_grow_with_the_number_of_orders(database):
    business = a_business(database, stock=10_000)
    another_address(business)
    a_charge(business, "RUSH", price="25.00", is_rush=True)
    approve(business, "rush_rule", "allow_with_charge")

    def asked(count):
        wishes = [{"rush": "yes"}, {"ship_to": "YARD"}, {"line_wanted_on": "2026-03-12"}]
        rows = [
            a_row(order=f"{count}-{n}", item=f"40-{n % 3}", quantity=str(n + 1), **wishes[n % 3]) for n in range(count)
        ]
        read = read_orders(f"{count}.csv", io.BytesIO(a_csv(*rows)))
        with business.work(DESK, source="screen") as work, all_statements(work) as ran:
            file = hand_in(work, business.entity, read, rules=RULES, cells=OPEN)
        assert {outcome for outcome, _, _ in outcomes(file).values()} == {"new"}
        return len(ran)

    asked(1)  # reads the register of policies, which is kept from then on
    few = asked(6)
    assert 20 <= few <= 40
    assert asked(60) == few


def test_the_second_order_of_a_file_is_promised_what_the_first_leaves_as_it_is_when_entered(business):
    file = handed_in(business, a_row(quantity="90"), a_row(order="A-2", quantity="20"))
    seen = [one.promised_on for one in plan_of(file)]
    entered(business, file)
    with reading(business.database) as session:
        promised = session.scalars(select(OrderLine.promised_on).order_by(OrderLine.id)).all()
    assert [day.isoformat() for day in promised] == seen
    assert seen[0] < seen[1]


def test_what_the_rules_refuse_at_entering_is_refused_for_its_order_alone(business, monkeypatch):
    """The look saw nothing wrong, entering does: then each order is taken for itself."""
    file = handed_in(business, a_row(), a_row(order="A-2", quantity="7"))

    def capture(work, commands, **given):
        if any(command.lines[0].quantity == 7 for command in commands):
            raise RuleBroken("customer_blocked", field="customer", customer="10482")
        return capture_orders(work, commands, **given)

    monkeypatch.setattr("app.importers.orderfiles.capture_orders", capture)
    with pytest.raises(RuleBroken) as refusal:
        entered(business, file, bad_rows=BadRows.ALL_OR_NOTHING)
    assert (refusal.value.code, refusal.value.facts["order"], orders(business)) == ("order_file_not_whole", "A-2", 0)
    done = entered(business, file)
    assert outcomes(done) == {"A-1": ("entered", None, ""), "A-2": ("refused", None, "customer_blocked")}
    assert orders(business) == 1
    assert_books_agree(business.database)


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"order,site\nA,DUI\n", "o.csv", "sheet_columns"), (b"", "o.csv", "import_file_empty"), (b"x", "o.txt", "sheet_kind"),
        (b"\xff\xfe", "o.csv", "import_file_damaged"), (a_csv(*(a_row(order=f"A-{n}") for n in range(301))), "o.csv", "order_file_too_many"),
        (a_csv(*(a_row() for n in range(3001))), "o.csv", "sheet_too_long"),
    ],
)  # fmt: skip
def test_files_that_are_none_are_refused(data, name, code):
    with pytest.raises(RuleBroken) as refusal:
        read_orders(name, io.BytesIO(data))
    assert refusal.value.code == code
