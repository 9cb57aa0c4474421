"""Which programs may act here? Tokens from the command line."""

from __future__ import annotations

from datetime import timedelta

import click

from app.cli.database import change, database
from app.cli.output import json_option, print_json, print_listing
from app.composition.uow import reading
from app.identity.queries import account_by_sign_in, list_tokens
from app.identity.tokens import CreateToken, create_token, revoke_token
from app.security.permissions import Permission
from app.security.roles import Role, permissions_of
from erpcore.kernel.errors import NotFound, RuleBroken

_ROLE = click.Choice([role.value for role in Role])


@click.group()
def tokens() -> None:
    """Secrets with which programs use the API."""


@tokens.command("list")
@json_option
def list_all(as_json: bool) -> None:
    """List tokens, also those that ended; never a secret."""
    with database() as connected, reading(connected) as session:
        rows = [
            {
                "id": one.id, "name": one.name, "account": one.account_id, "role": one.role, "begins": one.shown,
                "permissions": list(one.permissions), "expires_at": one.expires_at.isoformat(),
                "revoked_at": one.revoked_at.isoformat() if one.revoked_at else None,
            }
            for one in list_tokens(session)
        ]  # fmt: skip
    columns = [
        ("id", "Id"),
        ("name", "Name"),
        ("role", "Role"),
        ("begins", "Begins"),
        ("expires_at", "Until"),
        ("revoked_at", "Revoked"),
    ]
    print_listing(rows, columns, as_json=as_json, empty="No tokens.")


@tokens.command("add")
@click.argument("sign_in")
@click.option("--name", required=True, help="What uses the token.")
@click.option("--role", type=_ROLE, required=True)
@click.option(
    "--permission", "permissions", multiple=True, help="May be given several times; without it all of the role."
)
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 366))
@json_option
def add(sign_in: str, name: str, role: str, permissions: tuple[str, ...], days: int, as_json: bool) -> None:
    """Make a token that acts for SIGN_IN in a role, and print it this once."""
    wanted = frozenset(permissions) or permissions_of(role)
    with database() as connected:
        beyond = wanted - (permissions_of(role) & {permission.value for permission in Permission})
        if beyond:
            raise RuleBroken("token_beyond_role", role=role, permissions=sorted(beyond))
        with change(connected) as work:
            account = account_by_sign_in(work.session, sign_in)
            if account is None:
                raise NotFound("account_unknown")
            token, secret = create_token(
                work,
                CreateToken(account=account.id, name=name, role=role, permissions=wanted, lasting=timedelta(days=days)),
            )
            key, until = token.id, token.expires_at
    if as_json:
        print_json({"id": key, "secret": secret, "expires_at": until.isoformat()})
    else:
        click.echo(secret)
        click.echo(f"Token {key}, until {until:%d %b %Y}. It is not shown again.", err=True)


@tokens.command("revoke")
@click.argument("token_id", type=int)
@click.option("--reason", required=True)
def revoke(token_id: int, reason: str) -> None:
    """End token TOKEN_ID with the next call."""
    with database() as connected, change(connected) as work:
        revoke_token(work, token_id, reason=reason)
    click.echo(f"Token {token_id} has ended.")
