"""Who are you? The page that asks, and the way out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, g, redirect, render_template, request, url_for
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from app.composition.request import change, installation, now, reader
from app.identity import passwords, throttle
from app.identity.queries import account_by_sign_in
from app.identity.sessions import end_sign_in, find_sign_in, open_sign_in
from app.security.require import public
from app.web.errors import status_of
from app.web.forms import Form
from app.web.signed_in import farewell, visitor, welcome
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError, NotAllowed, RuleBroken

blueprint = Blueprint("sign_in", __name__)
log = structlog.get_logger(__name__)

#: Acts before anybody is known.
DOOR = Actor.system("sign-in")


class SignInForm(Form):
    """``next`` is where the person wanted to go."""

    sign_in = StringField("Name", [InputRequired("Enter your sign-in name"), Length(max=120)])
    password = PasswordField("Password", [InputRequired("Enter your password")])
    next = HiddenField()


def own_path(target: str | None) -> str:
    """``target`` when it is a path of this site, else the home page: nobody is sent elsewhere after signing in."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable():
        parts = urlsplit(target)
        if not parts.scheme and not parts.netloc and "\\" not in target:
            return target
    return url_for("today.show")


@blueprint.get("/sign-in")
@public
def form() -> Any:
    if visitor() is not None:
        return redirect(own_path(request.args.get("next")))
    return render_template("sign_in/form.html", form=SignInForm(next=request.args.get("next", "")))


@blueprint.post("/sign-in")
@public
def enter() -> Any:
    form = SignInForm()
    if form.validate_on_submit():
        try:
            _let_in(str(form.sign_in.data), str(form.password.data))
        except DomainError as error:
            form.refuse(error)
            form.status = 429 if error.code == "sign_in_blocked" else 401 if status_of(error) == 422 else 403
        else:
            return redirect(own_path(form.next.data))
    return render_template("sign_in/form.html", form=form), form.status


def _let_in(sign_in: str, password: str) -> None:
    """Check name and password, and start a sign-in. A name that does not exist costs and says the same as a wrong password.

    The hash is computed outside of any unit of work; only what follows from it is written.
    """
    keys = throttle.throttle_keys(sign_in.lower(), request.remote_addr)
    until = throttle.blocked_until(reader(), keys, now())
    if until is not None:
        log.warning("sign-in blocked", until=until.isoformat())
        raise RuleBroken("sign_in_blocked", until=until)
    account = account_by_sign_in(reader(), sign_in)
    cost = installation().settings.password_cost
    if not passwords.password_matches(password, account.password_hash if account else None, cost) or account is None:
        with change(by=DOOR) as work:
            throttle.count_failure(work, keys)
        log.warning("sign-in refused", account=account.id if account else None)
        raise RuleBroken("sign_in_refused")
    account_id = account.id
    with change(by=DOOR) as work:
        throttle.forget_failures(work, sign_in.lower())
        token = open_sign_in(work, account_id, role=None, lasting=installation().settings.session)
    person = find_sign_in(reader(), token, now())
    if person is None:
        raise NotAllowed("no_role")
    welcome(token, person)
    log.info("signed in", account=account_id)


@blueprint.post("/sign-out")
@public
def sign_out() -> Any:
    person = visitor()
    if person is not None and g.actor is not None:
        with change() as work:
            end_sign_in(work, person.sign_in_id)
    farewell()
    return redirect(url_for("sign_in.form"))
