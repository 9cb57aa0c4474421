"""What do the areas of the core's screens share? Figures as people write them, keys that exist, addresses that hold a list."""

from __future__ import annotations

from flask import Blueprint, request, url_for

from app.security.permissions import Permission
from app.web.figures import register_figures
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.flow import Closed, Flow

#: Keys are 64-bit: a larger number in an address is no document.
MOST_KEY = 2**63


def area(name: str) -> Blueprint:
    """The blueprint of an area of the core."""
    blueprint = Blueprint(name, name)
    register_figures(blueprint)
    blueprint.before_request(_check_keys)
    return blueprint


def _check_keys() -> None:
    for value in (request.view_args or {}).values():
        if isinstance(value, int) and value >= MOST_KEY:
            raise NotFound("not_found")


def asked_key(name: str) -> int | None:
    """The id that the address asks for, ``None`` without one; what is no id is one that nothing has."""
    text = request.args.get(name, "").strip()
    return key_of(text) if text else None


def key_of(text: str) -> int:
    """The id that a person's browser sends; what is no id is one that nothing has."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else -1


def paper_desk_address(who: Actor, site: int) -> str:
    """Where this person enters what the site did on paper; empty for who may not."""
    if not who.may(Permission.ORDER_BACK_ENTER) or (who.sites is not None and site not in who.sites):
        return ""
    return url_for("waves.enter_paper", site_id=site)


def asked_page() -> int:
    """The page of a list that the address asks for; the first when it asks for nonsense."""
    text = request.args.get("page", "")
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < 7 else 1


def closed(flow: Flow, move: str, state: str, who: Actor) -> str:
    """Why a move of the flow's table is not open to this person, in words; empty when it is."""
    why = flow.why_not(move, state, who)
    if why is Closed.STATE:
        return f"the {flow.document} is {state.replace('_', ' ')}"
    return "" if why is None else lacking(flow.moves[move].permission)


def lacking(permission: str) -> str:
    """What somebody without the permission is told: what the role may not do."""
    sentence = next((one.sentence for one in Permission if one == permission), permission)
    return f"your role may not {sentence}"
