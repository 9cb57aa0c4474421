"""One bill of a carrier: what each line is about, what somebody decided, and its moves."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import now, reader
from app.composition.trading import rules
from app.importers.carrierbills import BillHead, take_bill_file, take_typed_bill, typed_lines
from app.queries.carrier_bills import (
    RESULTS,
    BillPage,
    BillRow,
    bill_line,
    bill_of,
    bill_page,
    bill_row,
    shipment_named,
)
from app.queries.carriers import all_carriers
from app.queries.places import sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_page, closed
from app.web.billing.forms import minor_of
from app.web.carrier_bills.forms import BillForm, ShipmentForm, WhyForm
from app.web.exports import csv_file
from app.web.figures import amount, heading
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import form_step, seen_version, take_step
from erpcore.billing.freight.flow import CARRIER_BILL
from erpcore.billing.freight.matching import accept_line, choose_shipment, decline_line, match_again
from erpcore.billing.freight.posting import post_bill, reverse_bill
from erpcore.billing.freight.taking import TakenBill, refuse_bill
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.money import from_minor
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts

blueprint = area("carrier_bills")
navigation_entry(
    Entry(
        label="Carriers’ bills", endpoint="carrier_bills.show_all", permission=Permission.INVOICE_READ, group=Group.MONEY,
        order=46,
    )
)  # fmt: skip


def _html(bill_id: int, refused: str = "") -> str:
    result, at = request.args.get("result", ""), asked_page()
    page = bill_page(reader(), actor(), bill_id, page=at, result=result)
    chips = [
        {
            "label": heading(one), "count": count, "on": one == result,
            "href": url_for("carrier_bills.show", bill_id=bill_id, result=None if one == result else one),
        }
        for one, count in page.results.items()
    ]  # fmt: skip
    return render_template(
        "carrier_bills/show.html", page=page, row=page.row, at=at, result=result if result in RESULTS else "", chips=chips,
        moves=_moves(page), refused=refused, realm=page.row.realm,
    )  # fmt: skip


@blueprint.get("/carrier-bills/<int:bill_id>")
@require(Permission.INVOICE_READ)
def show(bill_id: int) -> str:
    return _html(bill_id)


def _moves(page: BillPage) -> list[dict[str, Any]]:
    row, out = page.row, list[dict[str, Any]]()
    for name, label, where in (
        ("post", "Approve and post", "action"), ("match", "Match again", "action"), ("refuse", "Send it back…", "href"),
        ("reverse", "Reverse…", "href"),
    ):  # fmt: skip
        if CARRIER_BILL.leads(name, row.state):
            shut = closed(CARRIER_BILL, name, row.state, actor())
            if not shut and name == "post" and row.taken_by == actor().id:
                shut = "you handed it in, so somebody else has to approve it"
            if not shut and name == "post" and row.open_lines:
                shut = "a line waits for somebody’s word"
            out.append(
                {
                    "label": label, "permitted": not shut, "reason": f"{shut[0].upper()}{shut[1:]}." if shut else "",
                    where: url_for(f"carrier_bills.{name}", bill_id=row.id), "primary": name == "post" and not shut,
                    "name": "version", "value": row.version,
                }
            )  # fmt: skip
    return out


@blueprint.post("/carrier-bills/<int:bill_id>/post")
@require(Permission.CARRIER_BILL_POST)
def post(bill_id: int) -> Any:
    row, seen = bill_row(reader(), actor(), bill_id), seen_version()
    return take_step(
        lambda work: post_bill(work, bill_id, rules=rules(), seen_version=seen), realm=row.realm,
        done="The bill is in the books: what is owed of it stands with the trade payables.",
        to=url_for("carrier_bills.show", bill_id=bill_id), again=lambda why: _html(bill_id, why),
    )  # fmt: skip


@blueprint.post("/carrier-bills/<int:bill_id>/match")
@require(Permission.CARRIER_BILL_TAKE)
def match(bill_id: int) -> Any:
    row, seen = bill_row(reader(), actor(), bill_id), seen_version()
    return take_step(
        lambda work: match_again(work, bill_id, rules=rules(), seen_version=seen), realm=row.realm,
        done="The lines are set against our shipments of this moment.",
        to=url_for("carrier_bills.show", bill_id=bill_id), again=lambda why: _html(bill_id, why),
    )  # fmt: skip


@blueprint.route("/carrier-bills/<int:bill_id>/refuse", methods=["GET", "POST"])
@require(Permission.CARRIER_BILL_POST)
def refuse(bill_id: int) -> Any:
    """The bill goes back to the carrier as a whole."""
    return _end(
        bill_id, refuse_bill, title="Send the bill back", label="Refuse it",
        note="It is kept with its lines and this reason; nothing of it is owed.",
        said="The bill is refused. A right one may come under the same number.",
    )  # fmt: skip


@blueprint.route("/carrier-bills/<int:bill_id>/reverse", methods=["GET", "POST"])
@require(Permission.CARRIER_BILL_POST)
def reverse(bill_id: int) -> Any:
    """The bill is taken out of the books."""
    return _end(
        bill_id, reverse_bill, title="Reverse the bill", label="Reverse it",
        note="What it posted is posted the other way round today. Its shipments are accrued again until a bill for them comes.",
        said="The bill is out of the books, and its shipments wait to be billed.",
    )  # fmt: skip


def _end(bill_id: int, act: Any, *, said: str, **words: Any) -> Any:
    row, form = bill_row(reader(), actor(), bill_id), WhyForm()
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            act(work, bill_id, reason=str(form.reason.data))
        if form.accepted:
            flash(said, "success")
            return redirect(url_for("carrier_bills.show", bill_id=bill_id))
    return _small_form(row, form, **words), form.status


@blueprint.route("/carrier-bills/lines/<int:line_id>/shipment", methods=["GET", "POST"])
@require(Permission.CARRIER_BILL_TAKE)
def choose(line_id: int) -> Any:
    """Which shipment a line is about."""
    row, line, form = bill_of(reader(), actor(), line_id), bill_line(reader(), line_id), ShipmentForm()
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            number = (form.number.data or "").strip()
            found = shipment_named(reader(), row.entity_id, number) if number else None
            if number and found is None:
                raise RuleBroken("shipment_unheard", field="number", number=number)
            choose_shipment(work, line_id, found, rules=rules())
        if form.accepted:
            flash(f"Line {line.line_no} is set against what you named.", "success")
            return redirect(url_for("carrier_bills.show", bill_id=row.id))
    note = f"Line {line.line_no}: {line.explanation}"
    return _small_form(row, form, title="Which shipment it is about", label="Match it so", note=note), form.status


@blueprint.route("/carrier-bills/lines/<int:line_id>/accept", methods=["GET", "POST"])
@require(Permission.CARRIER_BILL_POST)
def accept(line_id: int) -> Any:
    """What a line asks is owed although it is not as expected."""
    return _decide(line_id, accept_line, "Accept the line", "Accept it", "is owed as it stands")


@blueprint.route("/carrier-bills/lines/<int:line_id>/decline", methods=["GET", "POST"])
@require(Permission.CARRIER_BILL_POST)
def decline(line_id: int) -> Any:
    """Nothing of a line is owed."""
    return _decide(line_id, decline_line, "Decline the line", "Decline it", "is not owed")


def _decide(line_id: int, act: Any, title: str, label: str, said: str) -> Any:
    row, line, form = bill_of(reader(), actor(), line_id), bill_line(reader(), line_id), WhyForm()
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            act(work, line_id, reason=str(form.reason.data))
        if form.accepted:
            flash(f"Line {line.line_no} {said}.", "success")
            return redirect(url_for("carrier_bills.show", bill_id=row.id))
    asked = f"{amount(line.amount_minor or 0, row.currency)} {row.currency} without tax"
    note = f"Line {line.line_no} asks {asked}. {line.explanation or ''}"
    return _small_form(row, form, title=title, label=label, note=note), form.status


@blueprint.get("/carrier-bills/<int:bill_id>.csv")
@require(Permission.INVOICE_READ)
def export(bill_id: int) -> Any:
    """All lines of the bill, however many."""
    page = bill_page(reader(), actor(), bill_id, page=None)
    code = page.row.currency
    heads = (
        "line", "reference", "shipment", "amount", "tax", "currency", "expected", "result", "explanation", "decision", "reason",
        "owed", "text", "fault",
    )  # fmt: skip
    rows = (
        (
            one.line_no, one.reference, one.shipment, None if one.amount_minor is None else from_minor(one.amount_minor, code),
            from_minor(one.tax_minor, code), code, None if one.expected_minor is None else from_minor(one.expected_minor, code),
            one.result, one.explanation, one.decision, one.reason, from_minor(one.owed_minor, code), one.text, one.fault,
        )
        for one in page.lines
    )  # fmt: skip
    return csv_file(f"carrier-bill-{page.row.number}", heads, rows)


@blueprint.route("/carrier-bills/new", methods=["GET", "POST"])
@require(Permission.CARRIER_BILL_TAKE)
def hand_in() -> Any:
    """A carrier's bill with its file, or with lines as they are typed."""
    form, sites = BillForm(), sites_seen(reader(), actor(), realms=["live"])
    carriers = all_carriers(reader(), actor())
    form.carrier.choices = choices((one.id, f"{one.name} · {one.entity}") for one in carriers)
    form.site.choices = choices((one.id, one.label) for one in sites)
    if not form.is_submitted():
        form.billed_on.data = now().date()
    if form.validate_on_submit():
        taken = None
        with form_step(form, realm="live") as work:
            taken = _take(work, form)
        if form.accepted and taken is not None:
            if taken.fault:
                flash(f"Refused, and nothing moved: {taken.fault}.", "warning")
            else:
                flash("The bill is taken and set against what we expected. Nothing is posted yet.", "success")
            return redirect(url_for("carrier_bills.show", bill_id=taken.id))
    return render_template("carrier_bills/new.html", form=form, carriers=carriers, realm="live"), form.status


def _take(work: UnitOfWork, form: BillForm) -> TakenBill:
    currency = site_facts(work, int(form.site.data)).entity.currency
    head = BillHead(
        carrier=int(form.carrier.data), site=int(form.site.data), number=form.number.data or "", billed_on=form.billed_on.data or now().date(),
        due_on=form.due_on.data, total_minor=minor_of(form.total.data, currency, "total"),
    )  # fmt: skip
    file, typed = form.file.data, (form.lines.data or "").strip()
    if bool(file) == bool(typed):
        raise RuleBroken("carrier_bill_without_lines", field="file")
    if typed:
        return take_typed_bill(work, head, typed_lines(typed, currency), rules=rules())
    return take_bill_file(work, head, file.read(), str(file.filename), rules=rules())


def _small_form(row: BillRow, form: Any, **words: Any) -> str:
    """A form of a few fields about a bill."""
    trail = [
        ("Carriers’ bills", url_for("carrier_bills.show_all")), (row.number, url_for("carrier_bills.show", bill_id=row.id)),
    ]  # fmt: skip
    return render_template(
        "billing/small_form.html", form=form, trail=trail, of=f"{row.carrier} · {row.number}", unit=row.currency,
        realm=row.realm, **words,
    )  # fmt: skip
