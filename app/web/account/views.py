"""My password, the role I act in, the browsers I am signed in with."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from wtforms import PasswordField
from wtforms.validators import InputRequired

from app.composition.digests import choose_digest, wants_digest
from app.composition.request import change, installation, now, reader
from app.identity import passwords
from app.identity.queries import person as find_person
from app.identity.services import set_password
from app.identity.sessions import SignedIn, end_all_sign_ins, end_sign_in, find_sign_in, open_sign_in
from app.security.permissions import Permission
from app.security.require import SignInNeeded, require
from app.security.roles import title_of
from app.web.forms import Form
from app.web.signed_in import farewell, visitor, welcome
from erpcore.kernel.errors import NotFound, RuleBroken

blueprint = Blueprint("account", __name__)


class PasswordForm(Form):
    """The present password is asked for, since the browser may have been left open."""

    present = PasswordField("Present password", [InputRequired("Enter your present password")])
    password = PasswordField(
        "New password",
        [InputRequired("Choose a new password")],
        description=f"At least {passwords.LEAST_LENGTH} characters; four unrelated words are good.",
    )
    again = PasswordField("New password again", [InputRequired("Enter the new password a second time")])


def _me() -> SignedIn:
    found = visitor()
    if found is None:
        raise SignInNeeded
    return found


@blueprint.get("/account")
@require(Permission.OWN_ACCOUNT)
def show() -> str:
    me = _me()
    return render_template(
        "account/show.html", me=me, person=find_person(reader(), me.account_id, now()),
        wants_digest=wants_digest(reader(), me.account_id),
    )  # fmt: skip


@blueprint.post("/account/digest")
@require(Permission.OWN_ACCOUNT)
def digest() -> Any:
    """Get the daily mail of what waits, or no longer."""
    wanted = request.form.get("wanted") == "yes"
    with change() as work:
        choose_digest(work, wanted=wanted)
    flash(
        "You get a mail each morning when something waits." if wanted else "You get no daily mail any more.", "success"
    )
    return redirect(url_for("account.show"))


@blueprint.route("/account/password", methods=["GET", "POST"])
@require(Permission.OWN_ACCOUNT)
def password() -> Any:
    form, me = PasswordForm(), _me()
    if form.validate_on_submit():
        with form.refusals():
            _change_password(me, str(form.present.data), str(form.password.data), str(form.again.data))
        if form.accepted:
            flash("Your password is changed, and every other browser is signed out.", "success")
            return redirect(url_for("account.show"))
    return render_template("account/password.html", form=form, me=me), form.status


def _change_password(me: SignedIn, present: str, new: str, again: str) -> None:
    """Hashes are made before the unit of work begins; the change ends every sign-in, and this browser gets a new one."""
    # The account is read by its id, since the sign-in name may be anything.
    account = find_person(reader(), me.account_id, now())
    if account is None:
        raise NotFound("account_unknown")
    cost = installation().settings.password_cost
    if not passwords.password_matches(present, account.password_hash, cost):
        raise RuleBroken("password_wrong", field="present")
    if new != again:
        raise RuleBroken("password_differs", field="again")
    passwords.check_new_password(new, sign_in=account.sign_in, name=account.name)
    hashed = passwords.hash_password(new, cost)
    with change() as work:
        set_password(work, me.account_id, hashed)
        token = open_sign_in(work, me.account_id, role=me.role, lasting=installation().settings.session)
    _enter(token)


def _enter(token: str) -> None:
    person = find_sign_in(reader(), token, now())
    if person is not None:
        welcome(token, person)


@blueprint.post("/account/role")
@require(Permission.OWN_ACCOUNT)
def act_as() -> Any:
    """Another role means another sign-in: new token, same person, so that a record never mixes two capacities."""
    me, role = _me(), request.form.get("role", "")
    with change() as work:
        token = open_sign_in(work, me.account_id, role=role, lasting=installation().settings.session)
        end_sign_in(work, me.sign_in_id)
    _enter(token)
    flash(f"You now act as {title_of(role)}.", "success")
    return redirect(url_for("today.show"))


@blueprint.post("/account/leave-everywhere")
@require(Permission.OWN_ACCOUNT)
def leave_everywhere() -> Any:
    me = _me()
    with change() as work:
        end_all_sign_ins(work, me.account_id)
    farewell()
    flash("You are signed out everywhere.", "success")
    return redirect(url_for("sign_in.form"))
