"""One payout: what each line is about, its moves, and the money of it at the bank."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import reader
from app.importers.payoutfiles import take_payout_file
from app.queries.settlement import RESULTS, PartnerRow, PayoutPage, partner_rows, payout_page, payout_row
from app.queries.settlement_transfers import transfer_offers
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key, asked_page, closed, lacking
from app.web.billing.forms import minor_of
from app.web.exports import csv_file
from app.web.figures import heading
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.settlement.forms import PayoutForm, WhyForm
from app.web.steps import form_step, take_step
from erpcore.billing.settling.flow import PAYOUT
from erpcore.billing.settling.matching import match_again
from erpcore.billing.settling.posting import post_payout, reverse_payout
from erpcore.billing.settling.transfers import PayoutByLine, receive_transfers
from erpcore.kernel.money import from_minor

blueprint = area("settlement")
navigation_entry(
    Entry(
        label="Partner payouts", endpoint="settlement.show_payouts", permission=Permission.INVOICE_READ, group=Group.MONEY,
        order=44,
    )
)  # fmt: skip


def _html(payout_id: int, refused: str = "") -> str:
    result, at = request.args.get("result", ""), asked_page()
    page = payout_page(reader(), actor(), payout_id, page=at, result=result)
    chips = [
        {
            "label": heading(one), "count": count, "on": one == result,
            "href": url_for("settlement.show", payout_id=payout_id, result=None if one == result else one),
        }
        for one, count in page.results.items()
    ]  # fmt: skip
    return render_template(
        "settlement/show.html", page=page, row=page.row, at=at, result=result if result in RESULTS else "", chips=chips,
        moves=_moves(page), offers=transfer_offers(reader(), page.row), refused=refused, realm=page.row.realm,
    )  # fmt: skip


@blueprint.get("/partner-payouts/<int:payout_id>")
@require(Permission.INVOICE_READ)
def show(payout_id: int) -> str:
    return _html(payout_id)


def _moves(page: PayoutPage) -> list[dict[str, Any]]:
    row, out = page.row, list[dict[str, Any]]()
    for name, label, where in (
        ("post", "Post", "action"), ("match", "Match again", "action"), ("reverse", "Reverse…", "href"),
    ):  # fmt: skip
        if PAYOUT.leads(name, row.state):
            shut = closed(PAYOUT, name, row.state, actor())
            if not shut and name == "post" and not actor().may(Permission.RECEIPT_APPLY):
                shut = lacking(Permission.RECEIPT_APPLY)
            if not shut and name == "reverse" and row.paid_minor:
                shut = "the bank has brought its money"
            address = url_for(f"settlement.{name}", payout_id=row.id)
            out.append(
                {
                    "label": label, "permitted": not shut, "reason": f"{shut}." if shut else "", where: address,
                    "primary": name == "post" and not shut, "name": "version", "value": row.version,
                }
            )  # fmt: skip
    return out


def _seen_version() -> int | None:
    """The version that the page showed on which the button was."""
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


@blueprint.post("/partner-payouts/<int:payout_id>/post")
@require(Permission.PAYOUT_POST)
def post(payout_id: int) -> Any:
    row, seen = payout_row(reader(), actor(), payout_id), _seen_version()
    return take_step(
        lambda work: post_payout(work, payout_id, seen_version=seen), realm=row.realm,
        done="The payout is posted. What the partner sends is owed until the bank brings it.",
        to=url_for("settlement.show", payout_id=payout_id), again=lambda why: _html(payout_id, why),
    )  # fmt: skip


@blueprint.post("/partner-payouts/<int:payout_id>/match")
@require(Permission.PAYOUT_POST)
def match(payout_id: int) -> Any:
    row, seen = payout_row(reader(), actor(), payout_id), _seen_version()
    return take_step(
        lambda work: match_again(work, payout_id, seen_version=seen), realm=row.realm,
        done="The lines are set against our documents of this moment.",
        to=url_for("settlement.show", payout_id=payout_id), again=lambda why: _html(payout_id, why),
    )  # fmt: skip


@blueprint.route("/partner-payouts/<int:payout_id>/reverse", methods=["GET", "POST"])
@require(Permission.PAYOUT_POST)
def reverse(payout_id: int) -> Any:
    row, form = payout_row(reader(), actor(), payout_id), WhyForm()
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            reverse_payout(work, payout_id, reason=str(form.reason.data))
        if form.accepted:
            flash("The payout is out of the books and waits as before.", "success")
            return redirect(url_for("settlement.show", payout_id=payout_id))
    return small_form(
        row, form, title="Reverse the payout", label="Reverse it",
        note="Its invoices are open again, its credit memos unused, and its lines wait to be matched and posted.",
    ), form.status  # fmt: skip


@blueprint.post("/partner-payouts/<int:payout_id>/transfers/<int:line_id>")
@require(Permission.RECEIPT_APPLY)
def receive_transfer(payout_id: int, line_id: int) -> Any:
    """An entry of the bank is the money of the payout."""
    row = payout_row(reader(), actor(), payout_id)
    offer = next((one for one in transfer_offers(reader(), row) if one.line == line_id), None)
    why = f"{offer.confidence} %: {offer.why}" if offer else ""
    return take_step(
        lambda work: receive_transfers(work, [PayoutByLine(line=line_id, payout=payout_id, explanation=why)]), realm=row.realm,
        done="The entry of the bank is the money of this payout.", to=url_for("settlement.show", payout_id=payout_id),
        again=lambda refused: _html(payout_id, refused),
    )  # fmt: skip


@blueprint.get("/partner-payouts/<int:payout_id>.csv")
@require(Permission.INVOICE_READ)
def export(payout_id: int) -> Any:
    """All lines of the payout, however many."""
    page = payout_page(reader(), actor(), payout_id, page=None)
    code = page.row.currency
    heads = (
        "line", "kind", "booked_on", "order", "amount", "tax", "currency", "result", "confidence", "explanation", "unexplained",
        "documents", "text", "fault",
    )  # fmt: skip
    rows = (
        (
            one.line_no, one.kind, one.booked_on, one.order_reference,
            None if one.amount_minor is None else from_minor(one.amount_minor, code), from_minor(one.tax_minor, code), code,
            one.result, one.confidence, one.explanation, from_minor(one.open_minor, code),
            " ".join(document.number for document in one.documents), one.text, one.fault,
        )
        for one in page.lines
    )  # fmt: skip
    return csv_file(f"payout-{page.row.reference}", heads, rows)


@blueprint.route("/partner-payouts/new", methods=["GET", "POST"])
@require(Permission.PAYOUT_IMPORT)
def hand_in() -> Any:
    """A file of a partner becomes a payout that waits, or one that is kept refused."""
    form, partners = PayoutForm(), partners_seen()
    form.partner.choices = choices((one.id, f"{one.name} · {one.site}") for one in partners)
    if not form.is_submitted() and (wanted := asked_key("partner")):
        form.partner.data = wanted
    if form.validate_on_submit():
        partner = next(one for one in partners if one.id == form.partner.data)
        taken = None
        with form_step(form, realm=partner.realm) as work:
            total = None if form.total.data is None else minor_of(form.total.data, partner.currency, "total")
            taken = take_payout_file(
                work, partner.id, form.file.data.read(), str(form.file.data.filename), reference=form.reference.data or "",
                total_minor=total,
            )  # fmt: skip
        if form.accepted and taken is not None:
            if taken.fault:
                flash(f"Refused, and nothing moved: {taken.fault}.", "warning")
            else:
                flash("The payout is taken and matched. Nothing is posted yet.", "success")
            return redirect(url_for("settlement.show", payout_id=taken.id))
    return render_template("settlement/new.html", form=form, partners=partners, realm="live"), form.status


def partners_seen() -> list[PartnerRow]:
    """The partners that this person sees, of every realm."""
    return partner_rows(reader(), actor())


def small_form(row: Any, form: Any, **words: Any) -> str:
    """A form of a few fields about a payout."""
    trail = [
        ("Partner payouts", url_for("settlement.show_payouts")), (row.reference, url_for("settlement.show", payout_id=row.id)),
    ]  # fmt: skip
    return render_template(
        "billing/small_form.html", form=form, trail=trail, of=f"{row.partner} · {row.reference}", unit=row.currency,
        realm=row.realm, **words,
    )  # fmt: skip
