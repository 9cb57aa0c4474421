"""A site that is served for real, and people signed in to it in Chromium."""

from __future__ import annotations

from threading import Thread

import pytest
from werkzeug.serving import make_server

from tests.support.web import a_site


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
