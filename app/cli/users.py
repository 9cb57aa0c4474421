"""Who may sign in? Accounts and roles from the command line: the first administrator is made here."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import select

from app.cli.database import change, database
from app.cli.output import json_option, print_json, print_listing
from app.composition.uow import reading
from app.config import Settings
from app.identity import passwords
from app.identity.models import Account
from app.identity.queries import account_by_sign_in, list_people
from app.identity.services import CreateUser, GrantRole, create_user, grant_role, set_password
from app.security.roles import ROLES, Role
from erpcore.kernel.clock import SystemClock
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Site

_ROLE = click.Choice([role.value for role in Role])


@click.group()
def users() -> None:
    """Accounts, their roles and passwords."""


@users.command("list")
@json_option
def list_users(as_json: bool) -> None:
    """List accounts with the roles they have now."""
    with database() as connected, reading(connected) as session:
        people = list_people(session, SystemClock().now())
    rows: list[dict[str, Any]] = [
        {
            "id": one.id,
            "sign_in": one.sign_in,
            "name": one.name,
            "roles": [f"{granted.role}@{granted.site_name}" if granted.site else granted.role for granted in one.roles],
            "closed": one.is_closed,
        }
        for one in people
    ]
    if not as_json:
        for row in rows:
            row["roles"] = ", ".join(row["roles"])
            row["closed"] = "yes" if row["closed"] else ""
    print_listing(
        rows,
        [("id", "Id"), ("sign_in", "Sign-in"), ("name", "Name"), ("roles", "Roles"), ("closed", "Closed")],
        as_json=as_json,
        empty="Nobody yet. `wavegate users add NAME --role administrator` makes the first.",
    )


@users.command("roles")
@json_option
def list_roles(as_json: bool) -> None:
    """List the roles there are, with what each may do."""
    if as_json:
        print_json({role.value: sorted(duty.permissions) for role, duty in ROLES.items()})
        return
    rows = [
        {"role": role.value, "title": duty.title, "permissions": len(duty.permissions)} for role, duty in ROLES.items()
    ]
    print_listing(rows, [("role", "Role"), ("title", "Title"), ("permissions", "Permissions")], as_json=False, empty="")


@users.command("add")
@click.argument("sign_in")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", type=_ROLE, required=True)
@click.option("--site", help="Code of a live site; without it the role holds for all sites.")
@click.option("--time-zone", default="UTC", show_default=True)
@click.password_option(help="Asked for when it is left out, so that it stays out of the shell's history.")
def add(sign_in: str, name: str, role: str, site: str | None, time_zone: str, password: str) -> None:
    """Open an account with SIGN_IN and give it a role."""
    with database() as connected:
        passwords.check_new_password(password, sign_in=sign_in, name=name)
        hashed = passwords.hash_password(password, Settings.from_environment().password_cost)
        with change(connected) as work:
            account = create_user(
                work, CreateUser(sign_in=sign_in, name=name, time_zone=time_zone, password_hash=hashed)
            )
            work.session.flush()  # the grant refers to the account
            where = None
            if site is not None:
                where = work.session.scalar(select(Site.id).where(Site.code == site, Site.twin_id.is_(None)))
                if where is None:
                    raise NotFound("site_unknown", site=site)
            grant_role(work, GrantRole(account=account.id, role=role, site=where, reason="opened on the command line"))
            key = account.id
    click.echo(f"Account {key} is open: {sign_in} as {role}{f' at {site}' if site else ''}.")


@users.command("password", short_help="Set the password of SIGN_IN.")
@click.argument("sign_in")
@click.password_option()
def password_of(sign_in: str, password: str) -> None:
    """Set the password of SIGN_IN; it must be changed at the next sign-in, and every open sign-in ends."""
    with database() as connected:
        with reading(connected) as session:
            account: Account | None = account_by_sign_in(session, sign_in)
            if account is None:
                raise NotFound("account_unknown")
            key, name = account.id, account.name
        passwords.check_new_password(password, sign_in=sign_in, name=name)
        hashed = passwords.hash_password(password, Settings.from_environment().password_cost)
        with change(connected) as work:
            set_password(work, key, hashed)
    click.echo(f"The password of {sign_in} is set.")
