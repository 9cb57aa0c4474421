"""Which programme, wave and site has this person chosen in the top bar, and how do lists keep to it?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import g, request, session, url_for

from app.composition.request import reader
from app.queries.scope import Scope, picks, scope_of
from app.security.require import actor
from erpcore.kernel.actor import Actor

#: Where the sign-in's cookie keeps the choice, and what it is made of.
KEY = "scope"
PARTS = ("programme", "wave", "site")
#: The realms that a list may be asked for.
REALMS = ("live", "rehearsal", "training", "legacy")
#: With more than these, a switch leads to a page of its own instead of a menu.
_MENU = 24


def chosen_ids() -> dict[str, int | None]:
    """What the cookie holds; whatever else stands there counts as nothing."""
    kept = session.get(KEY)
    kept = kept if isinstance(kept, dict) else {}
    return {part: kept[part] if isinstance(kept.get(part), int) else None for part in PARTS}


def scope() -> Scope:
    """The choice as it may be made now, read once per request."""
    if "scope" not in g:
        found = picks(reader(), actor())
        g.scope = scope_of(reader(), found, **chosen_ids())
    made: Scope = g.scope
    return made


def viewer(*named: int | None) -> Actor:
    """Whose eyes a list is seen with: the person's, kept to the chosen sites. A site that the address names goes first."""
    who = actor()
    if any(one is not None for one in named) or not any(chosen_ids().values()):
        return who
    sites = scope().sites
    return who if sites is None else replace(who, sites=sites)


def usual_realm() -> str:
    """The realm a list shows unless its address says another: that of the chosen site."""
    return scope().realm if any(chosen_ids().values()) else "live"


def asked_realm() -> str:
    """The realm that the address asks for, else the chosen site's; what makes no sense counts as not asked."""
    realm = request.args.get("realm", "")
    return realm if realm in REALMS else usual_realm()


def said_realm(realm: str) -> dict[str, Any]:
    """The part of an address that keeps a list at this realm."""
    return {} if realm == usual_realm() else {"realm": realm}


def in_short() -> str:
    """The choice in a few words, for a small screen."""
    here = scope()
    said = [here.wave.code] if here.wave else []
    said += [here.site.label] if here.site else []
    return " · ".join(said) or "all sites"


def switches() -> list[dict[str, Any]]:
    """The switches of the top bar. What cannot be chosen otherwise is said, and leads to its page."""
    here = scope()
    found = here.picks
    waves = [one for one in found.waves if here.programme in (None, one.programme_id)]
    sites = [one for one in found.sites if here.wave is None or one.live_id in here.wave.sites]
    out = []
    if len(found.programmes) > 1:
        out.append(_switch("Programme", "programme", here.programme, [(key, name) for key, name in found.programmes]))
    elif found.programmes:
        out.append({"label": "Programme", "value": found.programmes[0][1], "href": url_for("programme.show")})
    if waves:
        out.append(
            _switch(
                "Wave",
                "wave",
                here.wave.id if here.wave else None,
                [(one.id, f"{one.code} · {one.name}") for one in waves],
            )
        )
    if len(found.sites) == 1:
        out.append({"label": "Site", "value": found.sites[0].label, "href": url_for("scope.choose")})
    elif found.sites:
        out.append(_switch("Site", "site", here.site.id if here.site else None, [(one.id, one.label) for one in sites]))
    return out


def _switch(label: str, part: str, chosen: int | None, found: list[tuple[int, str]]) -> dict[str, Any]:
    value = next((name for key, name in found if key == chosen), "all")
    shown = value.partition(" · ")[0] if part == "wave" else value
    where = _here()
    if len(found) > _MENU:
        return {"label": label, "value": shown, "href": url_for("scope.choose"), "on": chosen is not None}
    choices = [{"name": part, "value": 0, "label": "All", "current": chosen is None}]
    choices += [{"name": part, "value": key, "label": name, "current": key == chosen} for key, name in found]
    return {
        "label": label, "value": shown, "choices": choices, "action": url_for("scope.keep"), "next": where,
        "on": chosen is not None,
    }  # fmt: skip


def _here() -> str:
    """Where the choice leads back to: this page, or home where it cannot be loaded again."""
    if request.method != "GET":
        return url_for("today.show")
    return request.full_path.rstrip("?")
