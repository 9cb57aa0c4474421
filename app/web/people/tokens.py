"""Tokens of programs: made, shown once, revoked. Part of the pages of people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import abort, flash, redirect, render_template, url_for

from app.composition.request import change, now, reader
from app.identity.queries import Person, list_tokens, live_sites
from app.identity.queries import person as find_person
from app.identity.tokens import CreateToken, create_token, revoke_token
from app.security.permissions import Permission
from app.security.require import require
from app.security.roles import permissions_of, title_of
from app.web.forms import choices
from app.web.people.forms import ALL_SITES, ReasonForm, TokenForm
from app.web.people.views import blueprint


@blueprint.route("/<int:account_id>/tokens/new", methods=["GET", "POST"])
@require(Permission.TOKEN_MANAGE)
def make_token(account_id: int) -> Any:
    person = find_person(reader(), account_id, now())
    if person is None or person.is_closed or not person.roles:
        abort(404)
    form = _form_for(person)
    if form.validate_on_submit():
        secret = ""
        # What the role does not have, the token does not get: the list offers the permissions of all the person's roles.
        chosen = frozenset(form.permissions.data or ()) & permissions_of(str(form.role.data))
        with form.refusals(), change() as work:
            _, secret = create_token(
                work,
                CreateToken(
                    account=account_id,
                    name=str(form.name.data),
                    role=str(form.role.data),
                    permissions=chosen,
                    sites=frozenset({form.site.data}) if form.site.data else None,
                    lasting=timedelta(days=form.days.data or 0),
                ),
            )
        if form.accepted:
            return render_template("people/token_made.html", person=person, secret=secret, name=form.name.data)
    return render_template("people/token_new.html", person=person, form=form), form.status


def _form_for(person: Person) -> TokenForm:
    form = TokenForm()
    roles = sorted({granted.role for granted in person.roles})
    within = frozenset[str]().union(*(permissions_of(role) for role in roles))
    form.role.choices = choices((role, title_of(role)) for role in roles)
    form.site.choices = choices([(ALL_SITES, "All sites of the role"), *live_sites(reader())])
    form.permissions.choices = choices(
        (permission.value, f"{permission.sentence.capitalize()} ({permission.value})")
        for permission in Permission
        if permission in within
    )
    return form


@blueprint.route("/tokens/<int:token_id>/revoke", methods=["GET", "POST"])
@require(Permission.TOKEN_MANAGE)
def end_token(token_id: int) -> Any:
    token = next((one for one in list_tokens(reader()) if one.id == token_id), None)
    if token is None or token.revoked_at is not None:
        abort(404)
    form = ReasonForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            revoke_token(work, token_id, reason=str(form.reason.data))
        if form.accepted:
            flash("The token has ended.", "success")
            return redirect(url_for("people.show_tokens"))
    return render_template("people/token_end.html", token=token, form=form), form.status
