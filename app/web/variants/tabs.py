"""Which pages make up the register? Those that there are, as tabs."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for

from app.security.permissions import Permission
from app.security.require import actor

_TABS = (
    ("variants.show_all", "Variants", Permission.VARIANT_VIEW), ("policies.show_all", "Policy points", Permission.VARIANT_VIEW),
    ("variants.show_health", "Health", Permission.VARIANT_VIEW), ("variants.show_map", "Map", Permission.VARIANT_VIEW),
    ("processes.show_all", "Processes", None), ("conformance.show_all", "Conformance", None),
    ("questions.show_all", "Questions", None), ("impact.show_all", "Impact", None),
)  # fmt: skip


def register_tabs(current: str) -> list[dict[str, Any]]:
    """The tabs of the register, with the one on which the page stands."""
    who = actor()
    return [
        {"label": label, "href": url_for(endpoint), "current": endpoint == current}
        for endpoint, label, permission in _TABS
        if endpoint in current_app.view_functions and (permission is None or who.may(permission))
    ]
