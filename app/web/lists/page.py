"""How does a declared list become a page and files? Chips, selects, columns and totals from its declaration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from app.composition.request import now, reader
from app.composition.saved_views import LISTS, ListedView, ViewFact, views_of
from app.queries.listing import SIZES, Asked, Found, ends_at, last_page, pages_of
from app.queries.places import all_channels, sites_seen
from app.security.require import actor, require
from app.web.chosen import viewer
from app.web.context import local
from app.web.exports import csv_file, xlsx_file
from app.web.figures import heading, on, quantity
from app.web.lists.address import NOT_SET, address, asked, kept, misfit, parts, said, view_address, with_value
from app.web.lists.listing import LISTINGS, Cell, Column, Filter, Kind, Listing


def list_page(blueprint: Blueprint, listing: Listing, *, own_view: bool = False) -> Listing:
    """Declare the list's page and its two files. ``own_view``: the area serves the page itself by ``list_html``, since it
    also takes a form; the files are declared all the same.
    """
    LISTINGS[listing.name] = listing
    LISTS[listing.name] = ListedView(
        name=listing.name, permission=listing.permission, parts=partial(parts, listing), misfit=partial(misfit, listing)
    )
    name = listing.endpoint.rpartition(".")[2]

    def show() -> Any:
        return list_html(listing)

    def as_csv() -> Any:
        return csv_file(listing.name, *_file(listing))

    def as_xlsx() -> Any:
        return xlsx_file(listing.name, *_file(listing))

    guard = require(listing.permission)
    if not own_view:
        blueprint.add_url_rule(listing.path, name, guard(show))
    # The page of a blueprint's own root has no name to put an ending to.
    file = listing.path or "/list"
    blueprint.add_url_rule(f"{file}.csv", f"{name}_csv", guard(as_csv))
    blueprint.add_url_rule(f"{file}.xlsx", f"{name}_xlsx", guard(as_xlsx))
    return listing


def found_for(listing: Listing, wanted: Asked) -> Found[Any]:
    """The page of rows that is asked for, as this person may see them."""
    return listing.source.page(reader(), _eyes(wanted), wanted, now())


def _eyes(wanted: Asked) -> Any:
    return viewer(wanted.values.get("site"))


def list_html(listing: Listing, **also: Any) -> Any:
    """The page; the bare address leads to the view that this person's list opens with, and an address of a view alone to all
    that the view says.
    """
    views = views_of(reader(), actor(), listing.name)
    only_view = set(request.args) <= {"view"} and request.method == "GET"
    chosen = _opened(views, request.args.get("view")) if only_view else None
    if chosen is not None and (chosen.filters or "view" not in request.args):
        return redirect(view_address(listing, chosen.id, chosen.filters))
    wanted = asked(listing)
    found = found_for(listing, wanted)
    has_default = any(view.is_default for view in views)

    def to(look: Asked, page: int = 1, file: str = "") -> str:
        return address(listing, look, page=page, file=file, bare=has_default)

    sites = sites_seen(reader(), actor()) if listing.realms or listing.filter_named("site") else []
    context = {
        "listing": listing, "sites": sites, "asked": wanted, "found": found, "realm": wanted.realm, "at": now(), "sizes": SIZES,
        "page": last_page(wanted, found.total), "pages": pages_of(wanted, found.total),
        "ends_at": ends_at(wanted, found.total),
        "columns": shown_columns(listing, wanted), "chips": chips(listing, wanted, found, to, sites),
        "controls": controls(listing, wanted, sites), "hidden": hidden(listing, wanted), "cell": shown_cell,
        "to_page": lambda page: to(wanted, page), "to_sort": lambda sort: to(replace(wanted, sort=sort)),
        "to_file": lambda kind: to(wanted, file=kind), "to_size": lambda size: to(replace(wanted, size=size)),
        "views": view_menu(listing, wanted, views), "all_address": to(Asked(realm=wanted.realm, sort=listing.sort)),
        "to_whole": to(replace(wanted, whole=True), page=wanted.page), "is_narrowed": bool(wanted.values), "new_view": _new_view(listing, wanted),
        "column_form": _column_form(listing, wanted),
    }  # fmt: skip
    return render_template(listing.template, **{**context, **listing.also(), **also})


def _opened(views: list[ViewFact], text: str | None) -> ViewFact | None:
    if text is None:
        return next((view for view in views if view.is_default), None)
    return next((view for view in views if str(view.id) == text), None)


def shown_columns(listing: Listing, wanted: Asked) -> list[Column]:
    """The columns of the page: those that are chosen, all otherwise."""
    return [one for one in listing.page_columns if not wanted.columns or one.key in wanted.columns]


def _file(listing: Listing) -> tuple[list[str], Iterator[list[Any]]]:
    """Heads and rows of the file: exactly the rows of the view; the chosen columns, or all there are."""
    wanted = asked(listing)
    shown = [
        one
        for one in listing.open_columns
        if not one.page_only and (not wanted.columns or one.key in wanted.columns)
    ]  # fmt: skip

    def rows() -> Iterator[list[Any]]:
        # A file is streamed after the view has ended, with a session of its own: only one opened then is closed with it.
        for row in listing.source.every(reader(), _eyes(wanted), wanted, now()):
            yield [one.value(row) for one in shown]

    return [one.label for one in shown], rows()


def shown_cell(one: Column, row: Any) -> Cell:
    """What stands in this cell of the page."""
    if one.cell is not None:
        made = one.cell(row)
        return made if isinstance(made, Cell) else Cell(made)
    value = one.value(row)
    if value is None or value == "":
        return Cell("–", muted=True)
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, datetime):
        here = local(value)
        return Cell(on(here.date()), sub=f"{here:%H:%M}")
    if isinstance(value, date):
        return Cell(on(value))
    if isinstance(value, int):
        return Cell(f"{value:,}")
    return Cell(quantity(value) if isinstance(value, Decimal) else str(value))


def chips(listing: Listing, wanted: Asked, found: Found[Any], to: Any, sites: Any) -> list[dict[str, Any]]:
    """The filters that are one press away, each with how many it would show; what only links set, to be taken away."""
    out: list[dict[str, Any]] = []
    for one in listing.filters:
        value, counts = wanted.values.get(one.name), found.counts.get(one.name, {})
        if one.kind is Kind.CHOICE:
            out += [
                {"label": label, "on": value == known, "count": _number(found, counts.get(known, 0)) if counts or one.hide_empty else None,
                 "href": to(with_value(wanted, one.name, None if value == known else known))}
                for known, label in (one.options(wanted) if one.options else ())
                if not one.hide_empty or counts.get(known) or value == known
            ]  # fmt: skip
        elif one.kind is Kind.FLAG:
            out.append({"label": one.label, "on": value is True, "count": _number(found, counts.get(True)),
                        "href": to(with_value(wanted, one.name, None if value else True))})  # fmt: skip
        elif one.kind is Kind.KEY and value is not None:
            words = f"{one.label}: {one.named(value)}" if one.named else one.label
            out.append({"label": words, "on": True, "href": to(with_value(wanted, one.name, None))})
    if listing.realms:
        for realm in sorted({site.realm for site in sites} - {"live"}):
            other = replace(wanted, realm="live" if wanted.realm == realm else realm)
            for place in ("site", "entity"):
                other = with_value(other, place, None)
            out.append({"label": heading(realm), "on": wanted.realm == realm, "href": to(other)})
    return out


def _number(found: Found[Any], count: int | None) -> int | str | None:
    return f"{found.bound:,}+" if count is not None and found.bound is not None and count > found.bound else count


def controls(listing: Listing, wanted: Asked, sites: Any) -> list[dict[str, Any]]:
    """The fields of the filter form."""
    out = []
    for one in listing.filters:
        value = wanted.values.get(one.name)
        made: dict[str, Any] = {"name": one.name, "label": one.label, "kind": one.kind, "value": value}
        if one.kind in (Kind.TEXT, Kind.DAY):
            out.append({**made, "value": "" if value is None else one.written(value)})
        elif one.kind in (Kind.PICK, Kind.SITE, Kind.CHANNEL):
            out.append(
                {
                    **made,
                    "options": _choices(listing, one, wanted, sites),
                    "every": _every(one),
                    "none": _none(listing, one),
                }
            )
    return out


def _choices(listing: Listing, one: Filter, wanted: Asked, sites: Any) -> list[tuple[Any, str]]:
    if one.kind is Kind.SITE:
        return [(site.id, site.name) for site in sites if not listing.realms or site.realm == wanted.realm]
    if one.kind is Kind.CHANNEL:
        return [(channel.id, channel.name) for channel in all_channels(reader())]
    return list(one.options(wanted)) if one.options else []


def _every(one: Filter) -> str:
    return "All my sites" if one.kind is Kind.SITE else "All"


def _none(listing: Listing, one: Filter) -> str:
    return NOT_SET if one.name in listing.usual else ""


def hidden(listing: Listing, wanted: Asked, *, but: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """What the filter form must carry along: everything that its fields do not say."""
    fields = {
        one.name for one in listing.filters if one.kind in (Kind.TEXT, Kind.DAY, Kind.PICK, Kind.SITE, Kind.CHANNEL)
    }
    pairs = [
        (name, value)
        for name, values in kept(listing, wanted).items()
        for value in values
        if name not in fields | set(but)
    ]  # fmt: skip
    return pairs if wanted.view is None else [*pairs, ("view", str(wanted.view))]


def _column_form(listing: Listing, wanted: Asked) -> list[tuple[str, str]]:
    """What the form for choosing columns carries along."""
    pairs = [(name, value) for name, values in kept(listing, wanted).items() for value in values if name != "col"]
    return pairs if wanted.view is None else [*pairs, ("view", str(wanted.view))]


def view_menu(listing: Listing, wanted: Asked, views: list[ViewFact]) -> dict[str, Any]:
    """The saved views to choose among, the chosen one, and whether the page still shows what it says."""
    chosen = next((view for view in views if view.id == wanted.view), None)
    return {
        "items": [
            {"label": view.name, "href": view_address(listing, view.id, view.filters), "current": view.id == wanted.view,
             "note": "opens first" if view.is_default else "", "shared": view.is_shared and not view.is_own, "role": view.owner_role}
            for view in views
        ],
        "chosen": chosen,
        "is_changed": chosen is not None and chosen.filters != kept(listing, wanted),
    }  # fmt: skip


def _new_view(listing: Listing, wanted: Asked) -> str:
    return url_for("lists.create", list=listing.name, **said(listing, replace(wanted, view=None)))
