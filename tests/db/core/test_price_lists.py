"""A list of prices is looked at before it holds, and holds once."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal

import orjson
import pytest
import xlsxwriter
from sqlalchemy import func, select, update

from app.composition.trading import looking
from app.composition.uow import reading
from app.importers.pricelists import COLUMNS, MOST_BYTES, meaning, read_list
from app.queries.listing import Asked
from app.queries.prices import PRICES, day_by_company
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, NotAllowed, RuleBroken
from erpcore.masterdata.models import Customer, Entity, Item
from erpcore.pricing.lists import KeepList, apply_list, keep_list, kept_rows, plan_list
from erpcore.pricing.models import PriceList, PriceRule
from tests.support.core import RULES, a_business
from tests.support.pricing import CHANGES, DESK, a_price, save


@pytest.fixture
def business(database):
    return a_business(database)


def a_csv(*rows, columns=COLUMNS):
    lines = [",".join(columns)] + [",".join(str(row.get(name, "")) for name in columns) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def a_row(**cells):
    return {
        "kind": "list",
        "item": "40-0",
        "unit_price": "11.50",
        "currency": "EUR",
        "valid_from": "2026-04-01",
        **cells,
    }


def _kept(business, *rows, name="april.csv", data=None):
    read = read_list(name, io.BytesIO(data if data is not None else a_csv(*rows)))
    with business.work(CHANGES) as work:
        return keep_list(work, KeepList(entity=business.entity, file_name=read.file_name, content=read.content))


def _plan(business, list_id):
    with business.work(CHANGES) as work:
        content = work.session.scalar(select(PriceList.content).where(PriceList.id == list_id))
        look = looking(work.session, actor=CHANGES, now=work.now, realm="live")
        return plan_list(look, business.entity, meaning(work.session, business.entity, kept_rows(content)), rules=RULES)


def _apply(business, list_id, *, seen=None, by=CHANGES):
    digest = seen or _plan(business, list_id).digest
    with business.work(by) as work:
        content = work.session.scalar(select(PriceList.content).where(PriceList.id == list_id))
        return apply_list(
            work, list_id, meaning(work.session, business.entity, kept_rows(content)), seen=digest, rules=RULES
        )


def _rules(business):
    with business.work() as work:
        return sorted(
            work.session.execute(
                select(
                    Item.code, PriceRule.kind, PriceRule.unit_price, PriceRule.discount, PriceRule.valid_from,
                    PriceRule.valid_until,
                ).join(Item, Item.id == PriceRule.item_id, isouter=True)
            ),
            key=str,
        )  # fmt: skip


def test_the_preview_says_new_changed_ended_unchanged_and_rejected_and_applying_does_exactly_that(business):
    save(business, a_price(business, "9.00", kind="promotion", item=business.items[2]))
    before = _rules(business)
    kept = _kept(
        business,
        a_row(),
        a_row(item="40-1", unit_price="10", valid_from="2020-01-01"),
        a_row(item="40-2", kind="promotion", unit_price="9", valid_from="2026-03-02", valid_until="2026-05-01"),
        a_row(kind="break", minimum_quantity="100", unit_price="10.99"),
        a_row(item="40-9"),
    )
    plan = _plan(business, kept)
    assert dict(plan.counts) == {"new": 1, "changed": 1, "ended": 1, "unchanged": 1, "rejected": 1}
    assert [(one.row.number, one.outcome, one.from_price) for one in plan.rows] == [
        (2, "changed", 10_000_000), (3, "unchanged", None), (4, "ended", 9_000_000), (5, "new", None),
        (6, "rejected", None),
    ]  # fmt: skip
    assert _rules(business) == before, "a preview changes nothing"
    applied = _apply(business, kept)
    facts = orjson.loads(applied.facts)
    assert facts["counts"] == dict(plan.counts)
    assert [(one["row"], one["code"]) for one in facts["rejected"]] == [(6, "price_code_unknown")]
    start = date(2020, 1, 1)
    assert _rules(business) == sorted(
        [
            ("40-0", "list", 10, None, start, date(2026, 4, 1)),
            ("40-0", "list", Decimal("11.5"), None, date(2026, 4, 1), None),
            ("40-0", "break", Decimal("10.99"), None, date(2026, 4, 1), None),
            ("40-1", "list", 10, None, start, None),
            ("40-2", "list", 10, None, start, None),
            ("40-2", "promotion", 9, None, date(2026, 3, 2), date(2026, 5, 1)),
        ],
        key=str,
    )


def test_a_list_is_applied_once_however_often_it_is_handed_in_or_applied(business):
    first = _kept(business, a_row())
    _apply(business, first)
    after = _rules(business)
    assert _kept(business, a_row(), name="again.csv") == first
    applied = _apply(business, first, seen="whatever was seen")
    assert (applied.version, applied.applied_by) == (2, CHANGES.id)
    assert _rules(business) == after


def test_prices_that_moved_since_the_preview_are_not_overwritten(business):
    kept = _kept(business, a_row())
    seen = _plan(business, kept).digest
    save(business, a_price(business, "12.00", kind="promotion"))
    assert _plan(business, kept).digest == seen, "a rule of another rank does not matter to it"
    _apply(business, _kept(business, a_row(unit_price="10.75", valid_from="2026-03-20")))
    after = _rules(business)
    with pytest.raises(Conflict) as refused:
        _apply(business, kept, seen=seen)
    assert refused.value.code == "price_list_moved"
    assert _rules(business) == after


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"unit_price": "-1"}, "price_below_zero"),
        ({"unit_price": "1.1234567"}, "quantity_too_precise"),
        ({"unit_price": "eleven"}, "not_a_number"),
        ({"unit_price": "1e3"}, "not_a_number"),
        ({"unit_price": ""}, "price_or_discount"),
        ({"discount_percent": "5"}, "price_or_discount"),
        ({"unit_price": "", "discount_percent": "5"}, "price_list_absolute"),
        ({"unit_price": "", "discount_percent": "101", "kind": "promotion"}, "discount_outside"),
        ({"item": "40-77"}, "price_code_unknown"),
        ({"customer": "99999", "kind": "contract"}, "price_code_unknown"),
        ({"customer": "10482"}, "price_scope_refused"),
        ({"kind": "gift"}, "choice_unknown"),
        ({"currency": "USD"}, "currency_foreign"),
        ({"valid_from": "01.04.2026"}, "not_a_day"),
        ({"valid_from": "2026-03-01"}, "price_starts_past"),
        ({"valid_until": "2026-04-01"}, "validity_empty"),
        ({"valid_until": "2026-05-01"}, "price_gap"),
        ({"item_group": "NONE"}, "price_code_unknown"),
    ],
)
def test_a_row_that_makes_no_sense_is_rejected_with_its_reason_and_the_others_stay(business, cells, code):
    plan = _plan(business, _kept(business, a_row(**cells), a_row(item="40-1")))
    assert [(one.outcome, one.why and one.why.code) for one in plan.rows] == [("rejected", code), ("changed", None)]


def test_a_row_for_a_deactivated_customer_and_a_second_row_for_the_same_day_are_rejected(business):
    with business.work() as work:
        work.session.execute(update(Customer).values(is_blocked=True))
    plan = _plan(
        business, _kept(business, a_row(kind="contract", customer="10482"), a_row(), a_row(unit_price="12.00"))
    )
    assert [one.why.code if one.why else one.outcome for one in plan.rows] == [
        "customer_blocked", "changed", "price_row_twice",
    ]  # fmt: skip


def test_a_list_that_changes_nothing_is_not_applied(business):
    kept = _kept(business, a_row(unit_price="10", valid_from="2020-01-01"))
    before = _rules(business)
    with pytest.raises(RuleBroken) as refused:
        _apply(business, kept)
    assert refused.value.code == "price_list_changes_nothing"
    assert _rules(business) == before


def test_lists_are_handed_in_and_applied_by_those_who_may(business):
    kept = _kept(business, a_row())
    before = _rules(business)
    with pytest.raises(NotAllowed):
        _apply(business, kept, by=DESK)
    with pytest.raises(NotAllowed), business.work(DESK) as work:
        keep_list(work, KeepList(entity=business.entity, file_name="x.csv", content=[]))
    assert _rules(business) == before
    with business.work() as work:
        assert work.session.scalar(select(func.count()).select_from(PriceList)) == 1


def _workbook(write):
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        write(sheet)
    return buffer.getvalue()


def test_a_workbook_gives_the_same_rows_as_text(business):
    def write(sheet):
        sheet.write_row(1, 0, ["list", "40-0", "", "", "", "", 0, 11.5, "", "EUR", "2026-04-01", "", "-5 agreed"])

    read = read_list("april.xlsx", io.BytesIO(_workbook(write)))
    assert read.content == [
        ["2", "list", "40-0", "", "", "", "", "0", "11.5", "", "EUR", "2026-04-01", "", "-5 agreed"]
    ]
    again = read_list(
        "april.csv", io.BytesIO(a_csv(a_row(reference="'-5 agreed", minimum_quantity="0", unit_price="11.5")))
    )
    assert again.content == read.content


def _bomb():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 70_000_000)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("p.xlsx", lambda: _workbook(lambda sheet: sheet.write_formula(1, 7, "=1+1")), "sheet_formula"),
        ("p.xlsx", _bomb, "import_file_too_large"),
        ("p.xlsx", lambda: b"not a workbook", "import_file_damaged"),
        ("p.csv", lambda: _bomb()[:1000], "import_file_damaged"),
        ("p.csv", lambda: b"\xff\xfe\x00", "import_file_damaged"),
        ("p.csv", lambda: b"x" * (MOST_BYTES + 1), "import_file_too_large"),
        ("p.csv", lambda: b"", "import_file_empty"),
        ("p.csv", a_csv, "import_file_empty"),
        ("p.csv", lambda: a_csv(a_row(), columns=("kind", "item", "unit_price")), "sheet_columns"),
        ("p.csv", lambda: a_csv(a_row(), columns=(*COLUMNS, "colour")), "sheet_columns"),
        ("p.csv", lambda: a_csv(a_row(), columns=(*COLUMNS, "kind")), "import_columns_doubled"),
        ("p.ods", lambda: b"", "sheet_kind"),
    ],
)
def test_files_with_formulas_bombs_other_columns_or_of_another_kind_are_refused_whole(name, data, code):
    with pytest.raises(RuleBroken) as refused:
        read_list(name, io.BytesIO(data()))
    assert refused.value.code == code


def test_a_row_with_more_cells_than_columns_is_kept_with_why_it_is_none(business):
    data = a_csv(a_row()) + b"list,40-1,,,,,,10,,EUR,2026-04-01,,ref,one too many\n"
    plan = _plan(business, _kept(business, data=data))
    assert [(one.outcome, one.why and one.why.code) for one in plan.rows] == [
        ("changed", None), ("rejected", "price_row_unreadable"),
    ]  # fmt: skip


def test_a_price_holds_from_the_day_it_is_where_its_company_is(business):
    with business.work() as work:
        (rule,) = work.session.scalars(select(PriceRule.id).order_by(PriceRule.id).limit(1)).all()
        work.session.execute(update(PriceRule).where(PriceRule.id == rule).values(valid_from=date(2026, 3, 3)))
    asked, by_hand = Asked(values={"standing": "now"}), Actor.system("test")
    late = business.clock.now().replace(hour=23, minute=30)

    def holds(zone):
        with business.work() as work:
            work.session.execute(update(Entity).where(Entity.id == business.entity).values(time_zone=zone))
        with reading(business.database) as session:
            return rule in {row.id for row in PRICES.after(session, by_hand, asked, late, after=None, limit=100)}

    assert day_by_company(late, {1: "Europe/Berlin", 2: "Europe/Paris"}) == date(2026, 3, 3)
    assert holds("Europe/Berlin")
    assert not holds("UTC")
