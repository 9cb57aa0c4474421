"""What does every page know without being told? The navigation, who looks, in which realm, and how to write a time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from flask import Flask, g, url_for

from app.composition.request import now
from app.security.roles import title_of
from app.web.chosen import in_short, said_realm, switches, usual_realm
from app.web.fields import NUMBER_WORDS
from app.web.navigation import groups_for
from app.web.signed_in import own_zone, visitor
from erpcore.kernel.clock import zone


def page_context() -> dict[str, Any]:
    """The names of ``templates/base.html``. A refusal's page stands in the slim shell and needs none of them."""
    person = visitor() if "actor" in g else None
    if person is None:
        return {
            "navigation": [],
            "user": None,
            "realm": "live",
            "scope": [],
            "scope_short": "",
            "scope_url": "",
            "home_url": "/",
            "sign_out_url": "",
        }
    links = [{"label": "Account", "href": url_for("account.show")}]
    return {
        "navigation": groups_for(g.actor),
        "user": {"name": person.name, "role": title_of(person.role), "links": links},
        "realm": usual_realm(),
        "scope": switches(),
        "scope_short": in_short(),
        "scope_url": url_for("scope.choose"),
        "home_url": url_for("today.show"),
        "sign_out_url": url_for("sign_in.sign_out"),
    }


def may(permission: str) -> bool:
    """Whether this person has the permission: for buttons. A catalogue test finds words that are no permission."""
    acting = g.get("actor")
    return acting is not None and acting.may(permission)


def local(at: datetime) -> datetime:
    """``at`` where the person is."""
    return at.astimezone(zone(own_zone()))


def moment(at: datetime | None, *, seconds: bool = False) -> str:
    """An instant as people write it: ``Thu 14 Jan 2027 09:40``, in the person's time zone; a dash for none."""
    if at is None:
        return "–"
    here = local(at)
    return f"{here:%a} {here.day} {here:%b %Y %H:%M:%S}" if seconds else f"{here:%a} {here.day} {here:%b %Y %H:%M}"


def day(on: date | None) -> str:
    """A day as people write it: ``Thu 14 Jan 2027``; a dash for none."""
    return "–" if on is None else f"{on:%a} {on.day} {on:%b %Y}"


def ago(at: datetime | None) -> str:
    """How long ago: ``12 s``, ``5 min``, ``3 h``, ``2 days``; a dash for never."""
    return "–" if at is None else lasting(now() - at)


def lasting(span: timedelta) -> str:
    """A length of time in the largest unit that says enough: ``12 s``, ``5 min``, ``3 h``, ``2 days``."""
    seconds = max(int(span.total_seconds()), 0)
    for unit, length in (("day", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
    return f"{seconds} s"


def register(app: Flask) -> None:
    app.context_processor(page_context)
    app.jinja_env.globals["may"] = may
    app.jinja_env.globals["number_words"] = NUMBER_WORDS
    app.jinja_env.globals["role_title"] = title_of
    app.jinja_env.globals["said_realm"] = said_realm
    app.jinja_env.filters.update(moment=moment, day=day, ago=ago, lasting=lasting, local=local, role_title=title_of)
