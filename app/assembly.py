"""How is the site put together? Settings, database, extensions, security, and every area of screens and API there is."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from flask import Flask
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

import app.api.v1
import app.web
from app import logs
from app.api import errors as problems
from app.api import framework
from app.composition.request import Installation
from app.composition.scarcity import FOLLOWERS
from app.composition.uow import Database, connect
from app.config import ROOT, Settings
from app.extensions import READ_ENGINE, csrf, db
from app.security.headers import add_headers
from app.web import assets, context, errors, metrics, signed_in
from erpcore.kernel.clock import Clock, SystemClock

#: The largest request that is taken; a file of orders is the largest there is.
MOST_BYTES = 256 * 1024 * 1024
#: The largest form field kept in memory; larger parts of a request go to disk.
MOST_FIELD_BYTES = 1024 * 1024


def assemble(settings: Settings | None, *, database: Database | None, clock: Clock | None) -> Flask:
    """See ``app.create_app``."""
    settings = settings or Settings.from_environment()
    logs.configure(settings.log_level)
    database = database or connect(settings.database_url, followers=FOLLOWERS)
    site = Flask(
        "wavegate",
        root_path=str(ROOT / "app"),
        static_folder=str(assets.STATIC),
        template_folder=str(ROOT / "templates"),
    )
    site.extensions["wavegate"] = Installation(settings, database, clock or SystemClock())
    site.extensions[READ_ENGINE] = database.read_engine
    site.config.update(
        SECRET_KEY=settings.signing_key(),
        SESSION_COOKIE_NAME="__Host-wavegate" if settings.https else "wavegate",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=settings.session,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        MAX_CONTENT_LENGTH=MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_FIELD_BYTES,
        TRUSTED_HOSTS=list(settings.hosts) or None,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=settings.https,
    )
    site.jinja_env.undefined = StrictUndefined
    site.jinja_env.trim_blocks = True
    site.jinja_env.lstrip_blocks = True
    if settings.proxies:
        count = settings.proxies
        site.wsgi_app = ProxyFix(site.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]  # as Flask's docs do
    # In this order: the request has its number, then a token or a cookie says who asks, then forms are checked.
    logs.register(site)
    metrics.register(site)
    db.init_app(site)
    signed_in.register(site)
    csrf.init_app(site)
    add_headers(site, https=settings.https)
    assets.register_assets(site)
    context.register(site)
    errors.register(site, problem=problems.answer)
    _register_pages(site)
    framework.register(site, _modules(app.api.v1))
    return site


def _register_pages(site: Flask) -> None:
    """Every folder of ``app/web`` with a ``views.py`` is an area; its other modules may add views to the same blueprint."""
    for area in pkgutil.iter_modules(app.web.__path__, "app.web."):
        if area.ispkg:
            modules = _modules(importlib.import_module(area.name))
            for module in modules:
                if module.__name__ == f"{area.name}.views":
                    site.register_blueprint(module.blueprint)


def _modules(package: ModuleType) -> list[ModuleType]:
    return [
        importlib.import_module(found.name) for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    ]
