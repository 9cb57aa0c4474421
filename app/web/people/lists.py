"""How do the lists of people and of programs' tokens look?"""

from __future__ import annotations

from flask import g, url_for
from markupsafe import Markup, escape

from app.composition.request import now
from app.identity.queries import Person, TokenEntry
from app.queries.people import PEOPLE, TOKENS
from app.security.permissions import Permission
from app.security.roles import ROLES, title_of
from app.web.context import moment
from app.web.lists.listing import Cell, Empty, Filter, Kind, Listing, choice, column, flag, text_filter
from app.web.lists.page import list_page
from app.web.people.views import blueprint


def _lines(texts: list[str]) -> Markup:
    return Markup("<br>").join(escape(text) for text in texts)


def _signed_in(person: Person) -> Cell:
    if not person.may_sign_in:
        return Cell("closed" if person.is_closed else "tokens only", muted=True)
    return Cell(str(person.open_sign_ins or "–"))


def _roles(person: Person) -> Cell:
    if not person.roles:
        return Cell("none: cannot sign in", muted=True)
    return Cell(_lines([title_of(granted.role) for granted in person.roles]))


PERSON_LIST = list_page(
    blueprint,
    Listing(
        name="people", endpoint="people.show_all", path="", permission=Permission.USER_READ, title="People and roles",
        lead="Everybody acts in one role at a time; giving and taking roles is kept in the audit trail", unit="accounts",
        source=PEOPLE, sort="name", usual={"account": "open"}, realms=False, template="people/list.html",
        empty=Empty(title="Nobody here", text="No account fits this filter.", sign="person"),
        filters=(
            choice("account", ("open", "closed")), flag("present", "Signed in now"), text_filter("Name or sign-in name"),
            Filter(name="role", label="Role", kind=Kind.PICK, options=lambda _: [(role.value, duty.title) for role, duty in ROLES.items()]),
        ),
        columns=(
            column("name", "Name", cell=lambda one: Cell(one.name, sub=one.sign_in, href=url_for("people.show", account_id=one.id))),
            column("sign_in", "Sign-in name", file_only=True),
            column("roles", "Roles", lambda one: ", ".join(title_of(granted.role) for granted in one.roles), cell=_roles),
            column("where", "Where", lambda one: ", ".join(granted.site_name or "all sites" for granted in one.roles),
                   cell=lambda one: Cell(_lines([granted.site_name or "all sites" for granted in one.roles]))),
            column("zone", "Time zone", "time_zone"),
            column("signed_in", "Signed in", "open_sign_ins", cell=_signed_in, num=True),
        ),
    ),
)  # fmt: skip


def _may(token: TokenEntry) -> Cell:
    more = f"and {len(token.permissions) - 3} more" if len(token.permissions) > 3 else ""
    return Cell(_lines(list(token.permissions[:3])), sub=more)


def _until(token: TokenEntry) -> Cell:
    if token.revoked_at:
        return Cell(f"revoked {moment(token.revoked_at)}", muted=True)
    if token.expires_at <= now():
        return Cell(f"expired {moment(token.expires_at)}", muted=True)
    return Cell(moment(token.expires_at))


def _end(token: TokenEntry) -> Cell:
    ended = token.revoked_at is not None or token.expires_at <= now()
    if ended or not g.actor.may(Permission.TOKEN_MANAGE):
        return Cell("")
    return Cell("Revoke…", href=url_for("people.end_token", token_id=token.id))


TOKEN_LIST = list_page(
    blueprint,
    Listing(
        name="tokens", endpoint="people.show_tokens", path="/tokens", permission=Permission.TOKEN_READ, title="Tokens",
        lead="Secrets of programs: for some permissions, at some sites, until a day", unit="tokens", source=TOKENS,
        realms=False, template="people/tokens.html",
        empty=Empty(
            title="No tokens", sign="lock",
            text="A token lets a program act for an account. Make the first one on the page of the account.",
        ),
        filters=(flag("ended", "Ended"), text_filter("Name")),
        columns=(
            column("name", "Name", cell=lambda one: Cell(one.name, sub=f"made {moment(one.created_at)}")),
            column("holder", "Acts as", cell=lambda one: Cell(one.holder, sub=title_of(one.role), href=url_for("people.show", account_id=one.account_id))),
            column("role", "Role", lambda one: title_of(one.role), file_only=True),
            column("may", "May", lambda one: ", ".join(one.permissions), cell=_may),
            column("shown", "Begins", cell=lambda one: f"{one.shown}…"),
            column("until", "Until", "expires_at", cell=_until),
            column("revoked", "Revoked (UTC)", "revoked_at", file_only=True),
            column("end", "Next step", lambda _one: "", cell=_end, page_only=True),
        ),
    ),
)  # fmt: skip
