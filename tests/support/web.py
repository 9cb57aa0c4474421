"""A browser for tests that checks every page it loads, and people who use it.

``tests/web/conftest.py`` offers ``site`` (the application on a fresh SQLite file, with a clock that stands still),
``signed_in`` (``signed_in("administrator")`` is a browser of somebody with that role) and ``caller`` (the same for a program).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from app import create_app
from app.composition.uow import Database, unit_of_work
from app.config import PasswordCost, Settings
from app.identity.passwords import hash_password
from app.identity.services import CreateUser, GrantRole, create_user, grant_role
from app.identity.tokens import CreateToken, create_token
from app.security.roles import permissions_of
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from tests.support.pages import Page, check

#: Cheap on purpose: a test needs the right answer, not a slow one.
CHEAP = PasswordCost(passes=1, memory_kib=64, lanes=1)
PASSWORD = "seven green kettles hum"
_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Somebody:
    """A person made for a test."""

    id: int
    sign_in: str
    grants: tuple[int, ...] = ()
    password: str = PASSWORD


def a_site(database: Database, tmp_path: Any, clock: Clock, **settings: Any) -> Flask:
    """The application on this database. Failures are raised, not shown, unless a test turns ``PROPAGATE_EXCEPTIONS`` off."""
    app = create_app(
        Settings(
            instance=tmp_path,
            database_url=database.url,
            secret_key="k" * 40,
            password_cost=CHEAP,
            log_level="WARNING",
            **settings,
        ),
        database=database,
        clock=clock,
    )
    app.config["TESTING"] = True
    app.jinja_env.bytecode_cache = _COMPILED
    return app


def a_person(
    database: Database,
    role: str | None = "administrator",
    *,
    site: int | None = None,
    clock: Clock | None = None,
    **fields: Any,
) -> Somebody:
    """An account with a password and, unless ``role`` is ``None``, a role."""
    sign_in = fields.pop("sign_in", f"person{next(_numbers)}@example.com")
    values = {"name": "Kim Example", "password_hash": hash_password(PASSWORD, CHEAP), **fields}
    with unit_of_work(database, actor=Actor.system("test"), clock=clock) as work:
        account = create_user(work, CreateUser(sign_in=sign_in, **values))
        work.session.flush()
        grants = ()
        if role is not None:
            grants = (grant_role(work, GrantRole(account=account.id, role=role, site=site, reason="for the test")).id,)
        return Somebody(id=account.id, sign_in=sign_in.lower(), grants=grants)


def another_role(
    database: Database, who: Somebody, role: str, *, site: int | None = None, clock: Clock | None = None
) -> int:
    """A further role for a person; its id."""
    with unit_of_work(database, actor=Actor.system("test"), clock=clock) as work:
        return grant_role(work, GrantRole(account=who.id, role=role, site=site, reason="for the test")).id


def a_token(
    database: Database, who: Somebody, role: str, *, clock: Clock | None = None, permissions: frozenset[str] | None = None,
    sites: frozenset[int] | None = None, lasting: timedelta = timedelta(days=30),
) -> str:  # fmt: skip
    """A token of this person, with all permissions of the role unless told otherwise."""
    wanted = permissions if permissions is not None else permissions_of(role)
    with unit_of_work(database, actor=Actor.system("test"), clock=clock) as work:
        _, secret = create_token(
            work, CreateToken(account=who.id, name="test", role=role, permissions=wanted, sites=sites, lasting=lasting)
        )
    return secret


class _Compiled(BytecodeCache):
    """Templates as they were compiled for the first application of this process; each test makes one of its own."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """What was kept of this template, if its text is still the same."""
        if bucket.key in self._kept:
            bucket.load_bytecode(BytesIO(self._kept[bucket.key]))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        kept = BytesIO()
        bucket.write_bytecode(kept)
        self._kept[bucket.key] = kept.getvalue()


_COMPILED = _Compiled()


class Browser:
    """Loads pages as a person's browser does, and fails the test when one of them is not as it should be."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()
        self.page: Page | None = None
        self.response: TestResponse | None = None
        #: Who is signed in, when the test asked for somebody.
        self.who: Somebody | None = None

    def get(self, path: str, *, status: int = 200, **options: Any) -> Page:
        """Load a page, following redirects of this site."""
        return self._loaded(self.client.get(path, follow_redirects=True, **options), status)

    def post(self, path: str, data: dict[str, Any] | None = None, *, status: int = 200, **options: Any) -> Page:
        """Send a form with the CSRF token of the page that was loaded last, following the redirect."""
        token = self.page.value("csrf_token") if self.page and 'name="csrf_token"' in self.page.html else None
        fields = {**(data or {}), **({"csrf_token": token} if token else {})}
        return self._loaded(self.client.post(path, data=fields, follow_redirects=True, **options), status)

    def sign_in(self, who: Somebody, password: str | None = None, *, status: int = 200, **options: Any) -> Page:
        """Sign in through the form."""
        self.get("/sign-in")
        fields = {"sign_in": who.sign_in, "password": password or who.password}
        return self.post("/sign-in", fields, status=status, **options)

    @property
    def path(self) -> str:
        """Where the browser ended up."""
        assert self.response is not None
        return self.response.request.path

    def _loaded(self, response: TestResponse, status: int) -> Page:
        self.response = response
        where = f"{response.request.method} {response.request.path}"
        assert response.status_code == status, f"{where} answered {response.status}\n{response.text[:2000]}"
        assert "Content-Security-Policy" in response.headers, where
        if response.mimetype != "text/html":
            return Page("")
        page = Page(response.text)
        wrong = check(page) + [f"a dead link: {link}" for link in page.links() if not leads_somewhere(self.app, link)]
        for form in page.root.find("form"):
            method, action = form.attributes.get("method", "get").upper(), form.attributes.get("action", "")
            if not leads_somewhere(self.app, action or response.request.path, method):
                wrong.append(f"a form that leads nowhere: {method} {action}")
        assert not wrong, f"{where}: " + "; ".join(wrong)
        self.page = page
        return page


def leads_somewhere(app: Flask, address: str, method: str = "GET") -> bool:
    """Whether a route of the site answers this address."""
    path = urlsplit(address).path
    if not path:
        return True
    try:
        app.url_map.bind("localhost").match(path, method=method)
    except HTTPException as error:
        # A redirect to the same address with a slash is an answer too.
        return error.code is not None and error.code < 400
    return True


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Any, clock: Clock) -> Flask:
    """The application on a fresh SQLite file."""
    return a_site(sqlite_database, tmp_path, clock)


@pytest.fixture
def signed_in(site: Flask, sqlite_database: Database, clock: Clock) -> Callable[..., Browser]:
    """``signed_in("pmo", site=…)`` is the browser of a new person with that role, on the home page; ``.who`` is the person."""

    def make(role: str = "administrator", **fields: Any) -> Browser:
        who = a_person(sqlite_database, role, clock=clock, **fields)
        browser = Browser(site)
        browser.sign_in(who)
        browser.who = who
        return browser

    return make


def calls_of(site: Flask, database: Database, clock: Clock) -> Callable[..., Callable[..., TestResponse]]:
    """``calls_of(…)("pmo", sites=…)("GET", "/waves")`` is a call of the API with a token of a new person in that role.

    ``version`` is the one that the caller saw; other headers by their names with underscores. ``process``: another application
    that answers.
    """

    def make(role: str, process: Flask | None = None, **scope: Any) -> Callable[..., TestResponse]:
        token = a_token(database, a_person(database, role, clock=clock), role, clock=clock, **scope)

        def call(
            method: str, path: str, body: Any = None, *, data: Any = None, version: int | None = None, **headers: str
        ) -> TestResponse:
            given = {"Authorization": f"Bearer {token}"} | {n.replace("_", "-"): v for n, v in headers.items()}
            if version is not None:
                given["If-Match"] = f'"{version}"'
            client = (process or site).test_client()
            return client.open(f"/api/v1{path}", method=method, json=body, data=data, headers=given)

        return call

    return make


@pytest.fixture
def caller(site: Flask, sqlite_database: Database, clock: Clock) -> Callable[..., Callable[..., TestResponse]]:
    """``caller("super_user")("GET", "/orders")``."""
    return calls_of(site, sqlite_database, clock)
