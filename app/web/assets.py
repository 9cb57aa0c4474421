"""What does a page need besides its own words? Letters, scripts from packages, and the functions templates draw with."""

import hashlib
import logging
from functools import cache
from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Flask, request, url_for

from app import charts
from app.charts.typeface import screen_face
from app.web.icons import icon, verdict_look

logger = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
TYPEFACE = STATIC / "typeface"
THEMES = ("light", "dark")
THEME_COOKIE = "wavegate-theme"


def register_assets(app: Flask) -> None:
    """Give the application its letters, htmx out of its package, and the names every template may use.

    Expects `app.static_folder` to be `STATIC`.
    """
    try:
        screen_face(TYPEFACE)
    except OSError:
        logger.warning("typeface not cut, pages use the fallback face", extra={"folder": str(TYPEFACE)})
    app.register_blueprint(
        Blueprint(
            "htmx",
            __name__,
            static_folder=str(files("js_lib_htmx") / "static" / "htmx"),
            static_url_path="/static/htmx",
        )
    )
    app.jinja_env.globals.update(template_names())
    app.jinja_env.globals.update(static_file=static_file, chosen_theme=chosen_theme)


def template_names() -> dict[str, object]:
    """The functions that macros draw with; they need no request."""
    return {
        "icon": icon,
        "verdict_look": verdict_look,
        "ScoreGroup": charts.ScoreGroup,
        "chart_score": charts.score_bar,
    }


def chosen_theme() -> str:
    """The theme this person chose, from its cookie; empty means: as the system says."""
    theme = request.cookies.get(THEME_COOKIE, "")
    return theme if theme in THEMES else ""


def static_file(name: str) -> str:
    """The address of a static file with its fingerprint, so that a browser may keep it and never shows an old one."""
    return url_for("static", filename=name, v=_fingerprint(name))


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
