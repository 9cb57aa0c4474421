"""Saved views: keep the filters of a list under a name, change, share and forget them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for

from app.composition.request import change, reader
from app.composition.saved_views import SaveView, ViewFact, open_with, remove_view, save_view, view_named
from app.queries.places import sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.lists.address import address, asked, kept, view_address
from app.web.lists.forms import EVERYBODY, OWN, OpenForm, ViewForm
from app.web.lists.listing import LISTINGS, Listing
from app.web.lists.words import described

blueprint = area("lists")


def _listing(name: str) -> Listing:
    listing = LISTINGS.get(name)
    if listing is None:
        abort(404)
    actor().require(listing.permission)
    return listing


def _offered(form: ViewForm) -> None:
    sites = [(site.id, site.label) for site in sites_seen(reader(), actor())]
    form.offer(sites, may_share=actor().may(Permission.VIEW_SHARE))


@blueprint.route("/list-views/new", methods=["GET", "POST"])
@require(Permission.VIEW_SAVE)
def create() -> Any:
    listing, form = _listing(request.args.get("list", "")), ViewForm()
    filters = kept(listing, asked(listing))
    _offered(form)
    if form.validate_on_submit():
        view = 0
        with form.refusals(), change() as work:
            view = save_view(
                work,
                SaveView(
                    list_name=listing.name, name=str(form.name.data), filters=filters, is_default=form.is_default.data,
                    **form.shared,
                ),
            )  # fmt: skip
        if form.accepted:
            flash("The view is saved.", "success")
            return redirect(view_address(listing, view, filters))
    back = address(listing, replace(asked(listing), view=None))
    html = render_template(
        "lists/view.html", listing=listing, form=form, said=described(listing, filters), back=back, view=None
    )
    return html, form.status


@blueprint.route("/list-views/<int:view_id>", methods=["GET", "POST"])
@require(Permission.VIEW_SAVE)
def show(view_id: int) -> Any:
    """An own view to change; somebody else's, to open the list with it."""
    view = view_named(reader(), actor(), view_id)
    listing = _listing(view.list_name)
    return _change(listing, view) if view.is_own else _use(listing, view)


def _change(listing: Listing, view: ViewFact) -> Any:
    form = ViewForm(data={"name": view.name, "is_default": view.is_default, "site": view.shared_site or 0,
                          "role": (view.shared_role or EVERYBODY) if view.is_shared else OWN})  # fmt: skip
    _offered(form)
    shown = kept(listing, asked(listing)) if request.args.get("now") == "1" else view.filters
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            save_view(
                work,
                SaveView(
                    list_name=listing.name, name=str(form.name.data), filters=shown, is_default=form.is_default.data,
                    view=view.id, version=request.form.get("version", type=int), **form.shared,
                ),
            )  # fmt: skip
        if form.accepted:
            flash("The view is changed.", "success")
            return redirect(view_address(listing, view.id, shown))
    html = render_template(
        "lists/view.html", listing=listing, form=form, said=described(listing, shown), view=view,
        back=view_address(listing, view.id, view.filters),
    )  # fmt: skip
    return html, form.status


def _use(listing: Listing, view: ViewFact) -> Any:
    form = OpenForm(data={"is_default": view.is_default})
    back = view_address(listing, view.id, view.filters)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            open_with(work, view.id, wanted=form.is_default.data)
        if form.accepted:
            return redirect(back)
    said = described(listing, view.filters)
    return render_template("lists/view.html", listing=listing, form=form, said=said, view=view, back=back), form.status


@blueprint.post("/list-views/<int:view_id>/forget")
@require(Permission.VIEW_SAVE)
def forget(view_id: int) -> Any:
    listing = _listing(view_named(reader(), actor(), view_id).list_name)
    with change() as work:
        remove_view(work, view_id)
    flash("The view is gone. Nothing of what it showed has changed.", "success")
    return redirect(url_for(listing.endpoint))
