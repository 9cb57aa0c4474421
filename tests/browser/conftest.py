"""A site that is served for real, and people signed in to it in Chromium."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from functools import wraps
from threading import Thread

import pytest
from playwright.sync_api import Locator, Page, expect
from werkzeug.serving import make_server

from app.composition.uow import connect
from erpcore.kernel.clock import SetClock
from tests.support.core import MONDAY
from tests.support.showroom import a_showroom
from tests.support.web import a_person, a_site

# A busy machine may pause for half a minute; a test that fails waits for it, one that passes does not.
PATIENCE = 120_000
expect.set_options(timeout=PATIENCE)

#: What a person does with a page that stands there. A click returns once the next page has begun, a slow machine shows it later.
_ON_A_WHOLE_PAGE = (
    (Page, ("evaluate", "screenshot", "fill")),
    (Locator, ("fill", "press", "press_sequentially", "select_option", "check", "uncheck", "evaluate")),
)


def _whole(act):
    @wraps(act)
    def patient(self, *args, **options):
        (self if isinstance(self, Page) else self.page).wait_for_load_state()
        return act(self, *args, **options)

    return patient


for _kind, _acts in _ON_A_WHOLE_PAGE:
    for _act in _acts:
        setattr(_kind, _act, _whole(getattr(_kind, _act)))
Page.keyboard = property(_whole(Page.keyboard.fget))


@pytest.fixture(scope="session")
def browser(browser):
    """Chromium that waits as long for a page, and for what is to be clicked on it, as a machine may pause."""
    open_context = browser.new_context

    def patient(**options):
        context = open_context(**options)
        context.set_default_timeout(PATIENCE)
        return context

    browser.new_context = patient
    return browser


@pytest.fixture
def address(sqlite_database, tmp_path, clock):
    """Where the site of the test is served."""
    server = make_server("127.0.0.1", 0, a_site(sqlite_database, tmp_path, clock), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def signed(browser, address):
    """Signs somebody in on a page of a browser of their own; the other options are the browser's."""
    contexts = []

    def sign(who, *, width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 780}, base_url=address, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("[name=sign_in]", who.sign_in)
        page.fill("[name=password]", who.password)
        page.click("main button[type=submit]")
        return page

    yield sign
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def furnished(sqlite_template, tmp_path_factory):
    """A showroom in a file, made once: tests work in copies of it."""
    path = tmp_path_factory.mktemp("showroom") / "showroom.sqlite3"
    shutil.copyfile(sqlite_template, path)
    database = connect(f"sqlite:///{path}")
    made = a_showroom(database, SetClock(MONDAY))
    database.dispose()
    return path, made


@pytest.fixture
def showroom(furnished, tmp_path, clock):
    """A copy of the showroom, half an hour after it was made."""
    path, made = furnished
    shutil.copyfile(path, tmp_path / "copy.sqlite3")
    database = connect(f"sqlite:///{tmp_path / 'copy.sqlite3'}")
    clock.set(MONDAY + timedelta(minutes=30))
    yield replace(made, business=replace(made.business, database=database, clock=clock))
    database.dispose()


@pytest.fixture
def person(browser, showroom, tmp_path, clock):
    """``person("buyer", width=360)`` is a page of somebody with that role in the showroom; the other options are the browser's."""
    database, contexts = showroom.business.database, []
    server = make_server("127.0.0.1", 0, a_site(database, tmp_path, clock), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()

    def open_page(role, *, width=1440, **options):
        who = a_person(database, role, clock=clock)
        address = f"http://127.0.0.1:{server.server_port}"
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=address, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("[name=sign_in]", who.sign_in)
        page.fill("[name=password]", who.password)
        page.click("main button[type=submit]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    server.shutdown()
    thread.join()
    server.server_close()
