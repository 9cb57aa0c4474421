"""Who is there, in which roles, and who gave them? Giving and taking roles is kept in the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for

from app.composition.request import change, installation, now, reader
from app.composition.variants import person_leaves
from app.identity import passwords
from app.identity.queries import Person, list_tokens, live_sites
from app.identity.queries import person as find_person
from app.identity.services import (
    CreateUser,
    GrantRole,
    create_user,
    grant_role,
    revoke_role,
    set_password,
)
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.people.forms import ALL_SITES, FirstPasswordForm, PersonForm, ReasonForm, RoleForm
from erpcore.kernel.clock import day_start

blueprint = Blueprint("people", __name__, url_prefix="/people")

navigation_entry(
    Entry(
        label="People and roles",
        endpoint="people.show_all",
        permission=Permission.USER_READ,
        group=Group.OPERATE,
        order=80,
    )
)


def _person(account_id: int) -> Person:
    found = find_person(reader(), account_id, now())
    if found is None:
        abort(404)
    return found


@blueprint.route("/new", methods=["GET", "POST"])
@require(Permission.USER_MANAGE)
def create() -> Any:
    form = PersonForm()
    if form.validate_on_submit():
        account_id = 0
        with form.refusals():
            hashed = _hashed(form.password.data, str(form.sign_in.data), str(form.name.data))
            with change() as work:
                account_id = create_user(
                    work,
                    CreateUser(
                        sign_in=str(form.sign_in.data),
                        name=str(form.name.data),
                        email=form.email.data,
                        time_zone=str(form.time_zone.data),
                        password_hash=hashed,
                        must_change=True,
                    ),
                ).id
        if form.accepted:
            flash("The account is open. Give it a role, or nobody can sign in with it.", "success")
            return redirect(url_for("people.show", account_id=account_id))
    return render_template("people/new.html", form=form), form.status


def _hashed(password: str | None, sign_in: str, name: str) -> str | None:
    """Checked and hashed before the unit of work begins; ``None`` for no password."""
    if not password:
        return None
    passwords.check_new_password(password, sign_in=sign_in, name=name)
    return passwords.hash_password(password, installation().settings.password_cost)


@blueprint.get("/<int:account_id>")
@require(Permission.USER_READ)
def show(account_id: int) -> str:
    return _page(_person(account_id))


def _page(person: Person, *, role_form: RoleForm | None = None) -> str:
    form = role_form or RoleForm(formdata=None)
    form.site.choices = choices([(ALL_SITES, "All sites"), *live_sites(reader())])
    tokens = list_tokens(reader(), account=person.id) if actor().may(Permission.TOKEN_READ) else []
    return render_template(
        "people/show.html",
        person=person,
        form=form,
        tokens=tokens,
        at=now(),
        may_manage=actor().may(Permission.USER_MANAGE) and not person.is_closed,
        may_make_tokens=actor().may(Permission.TOKEN_MANAGE) and not person.is_closed and bool(person.roles),
    )


@blueprint.post("/<int:account_id>/roles")
@require(Permission.USER_MANAGE)
def give_role(account_id: int) -> Any:
    person, form = _person(account_id), RoleForm()
    form.site.choices = choices([(ALL_SITES, "All sites"), *live_sites(reader())])
    if form.validate_on_submit():
        until: datetime | None = day_start(form.until.data, person.time_zone) if form.until.data else None
        with form.refusals(), change() as work:
            grant_role(
                work,
                GrantRole(
                    account=account_id,
                    role=str(form.role.data),
                    site=form.site.data or None,
                    until=until,
                    reason=str(form.reason.data),
                ),
            )
        if form.accepted:
            flash("The role is given.", "success")
            return redirect(url_for("people.show", account_id=account_id))
    return _page(person, role_form=form), form.status


@blueprint.route("/<int:account_id>/roles/<int:grant_id>/end", methods=["GET", "POST"])
@require(Permission.USER_MANAGE)
def end_role(account_id: int, grant_id: int) -> Any:
    person, form = _person(account_id), ReasonForm()
    grant = next((granted for granted in person.roles if granted.id == grant_id), None)
    if grant is None:
        abort(404)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            revoke_role(work, grant_id, reason=str(form.reason.data))
        if form.accepted:
            flash("The role has ended. Whoever acted in it is signed out.", "success")
            return redirect(url_for("people.show", account_id=account_id))
    return render_template("people/end_role.html", person=person, grant=grant, form=form), form.status


@blueprint.route("/<int:account_id>/password", methods=["GET", "POST"])
@require(Permission.USER_MANAGE)
def first_password(account_id: int) -> Any:
    person, form = _person(account_id), FirstPasswordForm()
    if form.validate_on_submit():
        with form.refusals():
            hashed = _hashed(form.password.data, person.sign_in, person.name)
            if hashed is not None:
                with change() as work:
                    set_password(work, account_id, hashed)
        if form.accepted:
            flash("The password is set. Tell it to the person, who must choose another.", "success")
            return redirect(url_for("people.show", account_id=account_id))
    return render_template("people/password.html", person=person, form=form), form.status


@blueprint.route("/<int:account_id>/close", methods=["GET", "POST"])
@require(Permission.USER_MANAGE)
def close(account_id: int) -> Any:
    person, form = _person(account_id), ReasonForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            person_leaves(work, account_id, reason=str(form.reason.data))
        if form.accepted:
            flash("The account is closed: roles, sign-ins and tokens have ended.", "success")
            return redirect(url_for("people.show_all"))
    return render_template("people/close.html", person=person, form=form), form.status
