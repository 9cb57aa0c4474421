"""The rules that give prices: a list with its files, one rule, a new one, and the end of one."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import change, now, reader
from app.composition.trading import rules
from app.importers.pricechanges import Saved, save_row
from app.importers.pricelists import COLUMNS
from app.queries.places import EntityPick, all_channels, entities_seen
from app.queries.policies import scope_picks
from app.queries.prices import (
    KINDS,
    STANDINGS,
    PriceFilter,
    PriceRow,
    beside,
    code_choices,
    every_price,
    list_prices,
    lists_to_decide,
    price_row,
)
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key, asked_page
from app.web.exports import csv_file, xlsx_file
from app.web.figures import heading
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.prices.forms import EndForm, PriceForm
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from erpcore.pricing.services import EndPrice, end_prices

blueprint = area("prices")
navigation_entry(
    Entry(label="Prices", endpoint="prices.show_all", permission=Permission.MASTERDATA_READ, group=Group.MONEY, order=40)
)  # fmt: skip
_DEFAULTS = PriceFilter()
_WORDS = {"now": "Hold now", "later": "Begin later", "ended": "Ended"}


def today() -> date:
    """The day it is where most of the companies that the person sees are."""
    seen = entities()
    return local_day(now(), seen[0].time_zone if seen else "UTC")


def entities() -> list[EntityPick]:
    """Companies whose prices may be changed: live ones first, none of the past."""
    return [one for one in entities_seen(reader(), actor()) if one.realm in ("live", "rehearsal")]


def asked() -> PriceFilter:
    """The filter that the address holds."""
    args = request.args
    kind, standing = args.get("kind", ""), args.get("standing", "now")
    return PriceFilter(
        entity=asked_key("entity"), kind=kind if kind in KINDS else "",
        standing=standing if standing in STANDINGS or standing == "all" else "now", text=args.get("text", "").strip()[:120],
        customer_group=asked_key("customer_group"), channel=asked_key("channel"), page=asked_page(),
    )  # fmt: skip


def address(wanted: PriceFilter, endpoint: str = "prices.show_all", **changes: Any) -> str:
    """The list's address with these changes."""
    wished = asdict(replace(wanted, **{"page": 1, **changes}))
    return url_for(endpoint, **{name: value for name, value in wished.items() if value != getattr(_DEFAULTS, name)})


@blueprint.get("/prices")
@require(Permission.MASTERDATA_READ)
def show_all() -> str:
    wanted, day = asked(), today()
    found = list_prices(reader(), actor(), wanted, day)
    chips = [
        {"label": label, "on": wanted.standing == key, "href": address(wanted, standing="all" if wanted.standing == key else key)}
        for key, label in _WORDS.items()
    ]  # fmt: skip
    chips += [
        {"label": heading(kind), "on": wanted.kind == kind, "count": found.by_kind.get(kind, 0),
         "href": address(wanted, kind="" if wanted.kind == kind else kind)}
        for kind in KINDS
        if found.by_kind.get(kind) or wanted.kind == kind
    ]  # fmt: skip
    return render_template(
        "prices/list.html", asked=wanted, found=found, chips=chips, address=address, entities=entities(), today=day,
        picks=scope_picks(reader(), actor()), waiting=lists_to_decide(reader(), actor()) if actor().may(Permission.PRICE_RULE_APPROVE) else [],
    )  # fmt: skip


def cells(row: PriceRow) -> tuple[Any, ...]:
    """A rule in the columns of a list, so that an export can be changed and handed in."""
    values = {
        "kind": row.kind, "item": row.item_code, "item_group": row.item_group_code, "customer": row.customer_code,
        "customer_group": row.customer_group_code, "channel": row.channel_code,
        "minimum_quantity": row.minimum_quantity.normalize() if row.minimum_quantity else None, "unit_price": row.unit_price,
        "discount_percent": None if row.discount is None else (row.discount * 100).normalize(), "currency": row.currency,
        "valid_from": row.valid_from.isoformat(), "valid_until": row.valid_until.isoformat() if row.valid_until else "",
        "reference": row.reference,
    }  # fmt: skip
    return tuple(values[name] for name in COLUMNS)


def _file_rows() -> Any:
    for row in every_price(reader(), actor(), asked(), today()):
        yield cells(row)


@blueprint.get("/prices.csv")
@require(Permission.MASTERDATA_READ)
def as_csv() -> Any:
    return csv_file("prices", COLUMNS, _file_rows())


@blueprint.get("/prices.xlsx")
@require(Permission.MASTERDATA_READ)
def as_xlsx() -> Any:
    return xlsx_file("prices", COLUMNS, _file_rows())


def _price_form() -> PriceForm:
    form = PriceForm()
    form.entity.choices = choices((one.id, one.label) for one in entities())
    for name in ("item_group", "customer_group", "channel"):
        form[name].choices = choices([("", "any"), *code_choices(reader(), name)])
    return form


@blueprint.route("/prices/new", methods=["GET", "POST"])
@require(Permission.PRICE_CHANGE)
def add() -> Any:
    """A price that holds from its first day; one that gives away too much waits for somebody else."""
    form, seen = _price_form(), entities()
    chosen = next((one for one in seen if one.id == form.entity.data), seen[0] if seen else None)
    if form.validate_on_submit() and chosen is not None:
        saved: Saved | None = None
        try:
            with form.refusals(), change(realm=chosen.realm) as work:
                saved = _saved(work, form, chosen)
        except NotFound as missing:  # a code that nothing has
            form.refuse(missing)
            form.status = 422
        if form.accepted and saved is not None:
            if saved.waits is not None:
                flash("It waits for somebody else to look at it.", "success")
                return redirect(url_for("prices.show_list", list_id=saved.waits))
            flash("The price is saved.", "success")
            return redirect(url_for("prices.show", rule_id=saved.rule))
    elif not form.is_submitted():
        form.valid_from.data, form.item.data = today(), request.args.get("item", "")[:120]
    return render_template("prices/new.html", form=form, chosen=chosen, entities=seen), form.status


def _saved(work: UnitOfWork, form: PriceForm, chosen: EntityPick) -> Saved:
    found: dict[str, Saved] = {}

    def make() -> int:
        found["it"] = save_row(
            work, chosen.id, form.row(chosen.currency), rules=rules(), accepted=form.accepted_warnings
        )
        return -(found["it"].waits or 0) or (found["it"].rule or 0)

    made = form.once(work, make)
    return found.get("it") or (Saved(waits=-made) if made < 0 else Saved(rule=made))


@blueprint.get("/prices/<int:rule_id>")
@require(Permission.MASTERDATA_READ)
def show(rule_id: int) -> str:
    row = price_row(reader(), actor(), rule_id)
    return render_template(
        "prices/show.html",
        row=row,
        beside=beside(reader(), row, today()),
        today=today(),
        standing=row.standing(today()),
    )


@blueprint.route("/prices/<int:rule_id>/end", methods=["GET", "POST"])
@require(Permission.PRICE_CHANGE)
def end(rule_id: int) -> Any:
    row, form = price_row(reader(), actor(), rule_id), EndForm()
    if form.validate_on_submit() and form.on.data:
        with form.refusals(), change() as work:
            end_prices(work, [EndPrice(rule=rule_id, on=form.on.data)])
        if form.accepted:
            flash("The rule ends. Lines that were priced by it keep their price.", "success")
            return redirect(url_for("prices.show", rule_id=rule_id))
    return render_template("prices/end.html", row=row, form=form), form.status


def channel_names() -> list[tuple[int, str]]:
    """The channels of a select."""
    return [(0, "any"), *((one.id, one.name) for one in all_channels(reader()))]
