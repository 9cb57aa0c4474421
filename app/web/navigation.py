"""What stands in the navigation, and for whom? Pages enter themselves; what does not exist is not listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, request, url_for
from sqlalchemy.orm import Session

from app.composition.request import reader
from app.security.permissions import Permission
from erpcore.kernel.actor import Actor

#: How many things wait behind an entry; asked with every page, so one short query at most. ``None`` or 0 shows nothing.
Count = Callable[[Session, Actor], int | None]


class Group(StrEnum):
    """What people are doing."""

    TODAY = ""
    STEER = "Steer"
    GO_LIVE = "Go live"
    OPERATE = "Operate"
    WAREHOUSE = "Stock and supply"
    MONEY = "Money"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A place in the navigation. ``blueprint`` is that of its pages: on all of them the entry is the active one."""

    label: str
    endpoint: str
    permission: Permission
    group: Group
    order: int
    count: Count | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def blueprint(self) -> str:
        return self.endpoint.rpartition(".")[0]


_ENTRIES: dict[str, Entry] = {}


def navigation_entry(entry: Entry) -> Entry:
    """Enter a page; called where its blueprint is declared."""
    _ENTRIES[entry.endpoint] = entry
    return entry


def groups_for(actor: Actor | None) -> list[dict[str, Any]]:
    """The navigation of this person: groups with the entries they may open, in order; empty groups are left out."""
    if actor is None:
        return []
    shown = [
        entry
        for entry in sorted(_ENTRIES.values(), key=lambda entry: (list(Group).index(entry.group), entry.order))
        if entry.endpoint in current_app.view_functions and actor.may(entry.permission)
    ]
    here = _active([entry for entry in shown if entry.blueprint == request.blueprint])
    return [
        {
            "label": group.value,
            "items": [_item(entry, actor, active=entry is here) for entry in shown if entry.group == group],
        }
        for group in Group
        if any(entry.group == group for entry in shown)
    ]


def _active(own: list[Entry]) -> Entry | None:
    """Of the entries of an area the one that this page is, or stands under; else its list, for the documents on it."""
    if exact := next((entry for entry in own if entry.endpoint == request.endpoint), None):
        return exact
    paths = {entry.endpoint: urlsplit(url_for(entry.endpoint, **entry.values)).path.rstrip("/") for entry in own}
    above = [entry for entry in own if f"{request.path}/".startswith(f"{paths[entry.endpoint]}/")]
    if above:
        return max(above, key=lambda entry: len(paths[entry.endpoint]))
    return next((entry for entry in own if entry.endpoint.endswith(".show_all")), next(iter(own), None))


def _item(entry: Entry, actor: Actor, *, active: bool) -> dict[str, Any]:
    count = entry.count(reader(), actor) if entry.count else None
    return {
        "label": entry.label,
        "href": url_for(entry.endpoint, **entry.values),
        "active": active,
        "count": count or "",
    }
