"""Exchange rates: those told, a new one, a file of them, and what holds on a day."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import change, now, reader
from app.importers.ratefiles import COLUMNS, keep_file, read_rates
from app.queries.exchange_rates import EXCHANGE_RATES, RateRow, held_rate
from app.security.permissions import Permission
from app.security.require import require
from app.web.areas import area
from app.web.chosen import usual_realm
from app.web.figures import on
from app.web.lists.listing import Cell, Empty, Listing, column, flag, text_filter
from app.web.lists.page import list_page
from app.web.navigation import Entry, Group, navigation_entry
from app.web.rates.forms import HeldForm, RateFileForm, RateForm
from app.web.steps import form_step
from erpcore.kernel.clock import local_day
from erpcore.masterdata.rates import HeldRate, NewRate, keep_rates

blueprint = area("rates")
navigation_entry(
    Entry(
        label="Exchange rates", endpoint="rates.show_all", permission=Permission.MASTERDATA_READ, group=Group.MONEY, order=62
    )
)  # fmt: skip


def _day(row: RateRow) -> Cell:
    if row.is_corrected:
        return Cell(on(row.day), sub="corrected since", muted=True)
    return Cell(on(row.day), sub=f"correction {row.revision - 1}" if row.revision > 1 else "")


def _plain(row: RateRow) -> str:
    """At least four places, so that rates of a column stand under each other."""
    whole, _, part = f"{row.rate.normalize():f}".partition(".")
    return f"{whole}.{part.ljust(4, '0')}"


RATE_LIST = list_page(
    blueprint,
    Listing(
        name="exchange-rates", endpoint="rates.show_all", path="/exchange-rates", permission=Permission.MASTERDATA_READ,
        title="Exchange rates", lead="What one currency is worth in another: a day's rate is the last one told at or before it",
        unit="rates", source=EXCHANGE_RATES, sort="-day", template="rates/list.html",
        empty=Empty(
            title="No rate fits", sign="file",
            text="Tell a rate or hand a file in; until then nothing can be translated between currencies.",
        ),
        filters=(text_filter("Currency, source or reason"), flag("last", "Last of each pair"), flag("corrected", "Corrected")),
        columns=(
            column("day", "Day", cell=_day),
            column("pair", "Pair", cell=lambda row: Cell(f"1 {row.currency} in {row.against}"), page_only=True),
            column("currency", "Currency", file_only=True),
            column("against", "Against", file_only=True),
            column("rate", "Rate", cell=_plain, num=True),
            column("source", "Source", cell=lambda row: Cell(row.source, sub=row.reason or "")),
            column("holds_days", "holds_days", file_only=True, num=True),
            column("until", "May be used until", cell=lambda row: on(row.until), page_only=True),
            column("reason", "Reason", file_only=True),
        ),
    ),
)  # fmt: skip


@blueprint.route("/exchange-rates/new", methods=["GET", "POST"])
@require(Permission.RATE_KEEP)
def tell() -> Any:
    form, realm = RateForm(), usual_realm()
    if not form.is_submitted():
        form.day.data = local_day(now(), "UTC")
    if form.validate_on_submit():
        command = NewRate(
            currency=str(form.currency.data), against=str(form.against.data), day=form.day.data or date.min, rate=form.rate.data,
            source=str(form.source.data), holds_days=int(form.holds_days.data or 0), reason=str(form.reason.data or ""),
        )  # fmt: skip
        with form_step(form, realm=realm) as work:
            form.once(work, lambda: keep_rates(work, [command])[0].id)
        if form.accepted:
            flash("The rate is kept. What was translated before keeps the rate that it was translated by.", "success")
            return redirect(url_for("rates.show_all"))
    html = render_template(
        "billing/small_form.html", form=form, trail=_trail(), of="Exchange rates", unit="", realm=realm, title="Tell a rate",
        label="Keep the rate", note="A rate is never edited: telling the same day anew is a correction, and the former stays to be seen.",
    )  # fmt: skip
    return html, form.status


@blueprint.route("/exchange-rates/file", methods=["GET", "POST"])
@require(Permission.RATE_KEEP)
def hand_in() -> Any:
    form, realm = RateFileForm(), usual_realm()
    if form.validate_on_submit():
        kept = 0
        with form.refusals():
            read = read_rates(str(form.file.data.filename), form.file.data.stream)
            with change(realm=realm) as work:
                kept = len(keep_file(work, read))
        if form.accepted:
            flash(f"{kept} rates of the file are kept; those that were told already stayed as they are.", "success")
            return redirect(url_for("rates.show_all"))
    return render_template("rates/hand_in.html", form=form, columns=COLUMNS, trail=_trail(), realm=realm), form.status


@blueprint.get("/exchange-rates/held")
@require(Permission.MASTERDATA_READ)
def look() -> Any:
    # It only asks, so its address can be kept and sent to others.
    form, realm = HeldForm(request.args or None, meta={"csrf": False}), usual_realm()
    held: HeldRate | None = None
    if not request.args:
        form.day.data = local_day(now(), "UTC")
    elif form.validate():
        with form.refusals():
            held = held_rate(
                reader(), realm, str(form.currency.data), str(form.against.data), form.day.data or date.min
            )
    factor = "" if held is None else f"{held.factor.normalize():f}"
    html = render_template("rates/held.html", form=form, held=held, factor=factor, trail=_trail(), realm=realm)
    return html, form.status


def _trail() -> list[tuple[str, str]]:
    return [("Exchange rates", url_for("rates.show_all"))]
