"""Files of orders: handed in, looked at order by order, entered once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from app.composition.orderfiles import BadRows, OrderFile, Outcome
from app.composition.request import change, reader
from app.composition.trading import cells, rules
from app.importers.orderfiles import EnterOrders, PlannedOrder, enter_orders, hand_in, look_again, plan_of, rows_of
from app.importers.ordersheets import COLUMNS, EXAMPLE, MOST_ORDERS, cells_of, read_orders
from app.importers.sheets import ENDINGS, MOST_BYTES
from app.queries.order_files import ORDER_FILES, OrderFileRow, order_file
from app.queries.places import EntityPick, entities_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.exports import csv_file, xlsx_file
from app.web.figures import heading
from app.web.forms import Form, choices, cleaned
from app.web.lists.listing import Cell, Empty, Listing, column, flag, text_filter
from app.web.lists.page import list_page
from app.web.orders.views import blueprint
from erpcore.kernel.money import from_minor


class FileForm(Form):
    """A file of orders."""

    entity = SelectField("Company", coerce=int)
    file = FileField(
        "File", [FileRequired("Choose a file")],
        description=f"CSV or a workbook (.xlsx) in the columns of the template: up to {MOST_ORDERS} orders, {MOST_BYTES // 1_000_000} MB.",
        render_kw={"accept": ",".join(ENDINGS)},
    )  # fmt: skip


class EnterForm(Form):
    """What bad rows do to the others. ``version`` is that of the look that stands on the page."""

    bad_rows = RadioField(
        "What bad rows do",
        [InputRequired("Choose what bad rows do")],
        choices=choices(
            (
                (BadRows.ALL_OR_NOTHING.value, "One that is refused leaves all of them out"),
                (BadRows.GOOD_ONES.value, "Enter the good ones; the others stay here with their reasons"),
            )
        ),
        default=BadRows.ALL_OR_NOTHING.value,
    )
    duplicate_reason = StringField(
        "Why also those that look like earlier orders", [Length(max=200)], filters=[cleaned],
        description="Empty: they are refused",
    )  # fmt: skip
    version = HiddenField()


def _file(row: OrderFileRow) -> Cell:
    return Cell(row.file_name, sub=row.entity, href=url_for("orders.show_file", file_id=row.id))


def _state(row: OrderFileRow) -> Cell:
    if row.entered_at is None:
        return Cell("to be entered" if row.left else "nothing to enter", kind="wait" if row.left else "none")
    return Cell("entered", kind="warn" if row.refused else "pass", sub=f"{row.refused} refused" if row.refused else "")


ORDER_FILE_LIST = list_page(
    blueprint,
    Listing(
        name="order_files", endpoint="orders.show_files", path="/orders/files", permission=Permission.ORDER_CAPTURE,
        title="Files of orders", lead="Orders that came as files: looked at first, entered once", unit="files",
        source=ORDER_FILES, sort="-uploaded", template="orders/files.html",
        empty=Empty(
            title="No file of orders yet", sign="file",
            text="A file in the columns of the template becomes orders, as if each were typed.",
        ),
        filters=(flag("waiting", "Not entered"), flag("refused", "With refused orders"), text_filter("File")),
        columns=(
            column("file", "File", "file_name", cell=_file),
            column("entity", "Company", file_only=True),
            column("state", "State", lambda row: _state(row).text, cell=_state),
            column("rows", "Rows", num=True),
            column("orders", "Orders", num=True),
            column("entered", "Entered", num=True),
            column("refused", "Refused", num=True),
            column("uploaded", "Handed in", "uploaded_at"),
            column("entered_at", "Entered at"),
        ),
    ),
)  # fmt: skip


def _companies() -> list[EntityPick]:
    return [one for one in entities_seen(reader(), actor()) if one.realm in ("live", "rehearsal")]


@blueprint.route("/orders/files/new", methods=["GET", "POST"])
@require(Permission.ORDER_CAPTURE)
def hand_file_in() -> Any:
    form, seen = FileForm(), _companies()
    form.entity.choices = choices((one.id, one.label) for one in seen)
    if form.validate_on_submit():
        kept = 0
        with form.refusals():
            read = read_orders(str(form.file.data.filename), form.file.data.stream)
            realm = next((one.realm for one in seen if one.id == form.entity.data), "live")
            with change(realm=realm) as work:
                kept = hand_in(work, int(form.entity.data), read, rules=rules(), cells=cells()).id
        if form.accepted:
            return redirect(url_for("orders.show_file", file_id=kept))
    return render_template("orders/file_new.html", form=form, columns=COLUMNS, one_company=len(seen) == 1), form.status


@blueprint.get("/orders/files/template.csv")
@require(Permission.ORDER_CAPTURE)
def file_template_csv() -> Any:
    return csv_file("orders-template", COLUMNS, EXAMPLE)


@blueprint.get("/orders/files/template.xlsx")
@require(Permission.ORDER_CAPTURE)
def file_template_xlsx() -> Any:
    return xlsx_file("orders-template", COLUMNS, EXAMPLE)


@blueprint.route("/orders/files/<int:file_id>", methods=["GET", "POST"])
@require(Permission.ORDER_CAPTURE)
def show_file(file_id: int) -> Any:
    """What becomes of each order; posted, it is looked at again, or its orders are entered."""
    row, _ = order_file(reader(), actor(), file_id)
    form = EnterForm()
    if request.form.get("move") == "look":
        with form.refusals(), change() as work:
            look_again(work, file_id, rules=rules(), cells=cells())
        if form.accepted:
            return redirect(url_for("orders.show_file", file_id=file_id))
    elif form.validate_on_submit():
        entered, was = 0, row.entered
        command = EnterOrders(
            file=file_id, bad_rows=BadRows(str(form.bad_rows.data)), duplicate_reason=str(form.duplicate_reason.data or ""),
            version=_version(form),
        )  # fmt: skip
        with form.refusals(), change() as work:
            entered = enter_orders(work, command, rules=rules(), cells=cells()).entered - was
        if form.accepted:
            _tell(entered)
            return redirect(url_for("orders.show_file", file_id=file_id))
    return _html(file_id, form)


def _version(form: EnterForm) -> int:
    text = str(form.version.data or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _tell(entered: int) -> None:
    if entered:
        flash(f"{entered} order{'s are' if entered > 1 else ' is'} entered.", "success")
    else:
        flash("Nothing was entered: some orders are refused. Mend them, or enter the good ones.", "warning")


def _html(file_id: int, form: EnterForm) -> Any:
    row, company = order_file(reader(), actor(), file_id)
    plan = plan_of(row)
    counts = Counter(one.outcome for one in plan)
    only = request.args.get("only", "")
    only = only if only in set(Outcome) else ""
    if not form.is_submitted() or form.accepted:
        form.version.data = str(row.version)
    chips = [
        {"label": heading(one), "on": only == one, "count": counts[one],
         "href": url_for("orders.show_file", file_id=file_id, only=None if only == one else one.value)}
        for one in Outcome
        if counts[one] or only == one
    ]  # fmt: skip
    return render_template(
        "orders/file.html", row=row, company=company, realm=company.realm, form=form, counts=counts, chips=chips, only=only,
        plan=[one for one in plan if not only or one.outcome == only], in_file=_lines(row), price_of=_price,
    ), form.status  # fmt: skip


def _lines(row: OrderFile) -> dict[int, dict[str, Any]]:
    """The cells of each row, by its number."""
    return {int(cells[0]): cells_of(cells) for cells in rows_of(row)}


def _price(one: PlannedOrder, place: int) -> Any:
    """The price of a line of an order that is new, as it was looked up; ``None`` where none was."""
    return None if one.prices is None else Decimal(one.prices[place]).scaleb(-6)


_HEAD = ("row", "outcome", "number", "value", "currency", "promised_on", "why_not")


def _rows(file_id: int, *, bad: bool) -> Iterator[list[Any]]:
    """Every row with what becomes of it, in the columns of the template; of the ``bad`` ones those columns alone, to be mended."""
    row, _ = order_file(reader(), actor(), file_id)
    by_row = {number: one for one in plan_of(row) for number in one.rows}
    for kept in rows_of(row):
        number, one = int(kept[0]), by_row[int(kept[0])]
        own = list(cells_of(kept).values())
        if bad:
            if one.outcome == Outcome.REFUSED:
                yield own
            continue
        value = None if one.value_minor is None else from_minor(one.value_minor, one.currency)
        why = one.text if one.row in (None, number) else ""
        yield [number, one.outcome, one.number, value, one.currency, one.promised, why, *own]


@blueprint.get("/orders/files/<int:file_id>/rows.csv")
@require(Permission.ORDER_CAPTURE)
def file_rows_csv(file_id: int) -> Any:
    return csv_file(f"orders-{file_id}", (*_HEAD, *COLUMNS), list(_rows(file_id, bad=False)))


@blueprint.get("/orders/files/<int:file_id>/rows.xlsx")
@require(Permission.ORDER_CAPTURE)
def file_rows_xlsx(file_id: int) -> Any:
    return xlsx_file(f"orders-{file_id}", (*_HEAD, *COLUMNS), list(_rows(file_id, bad=False)))


@blueprint.get("/orders/files/<int:file_id>/refused.csv")
@require(Permission.ORDER_CAPTURE)
def file_refused_csv(file_id: int) -> Any:
    return csv_file(f"orders-{file_id}-refused", COLUMNS, list(_rows(file_id, bad=True)))


@blueprint.get("/orders/files/<int:file_id>/refused.xlsx")
@require(Permission.ORDER_CAPTURE)
def file_refused_xlsx(file_id: int) -> Any:
    return xlsx_file(f"orders-{file_id}-refused", COLUMNS, list(_rows(file_id, bad=True)))
