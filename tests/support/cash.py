"""A cash desk to test: two posted invoices, the site on both databases, and forms sent with the key that their page brought."""

from __future__ import annotations

import pytest

from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.steps import invoiced
from tests.support.web import a_site


@pytest.fixture
def business(database, clock):
    """Two invoices of 120.00 and 60.00."""
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    made.first, made.second = invoiced(made)[2], invoiced(made, [(1, 5)])[2]
    return made


@pytest.fixture
def site(database, business, tmp_path, clock):
    """The application on the business's database."""
    return a_site(database, tmp_path, clock)


def send(browser, path, *, status=200, **fields):
    """Send the form of the page that was loaded last, with the key it brought."""
    if browser.page is not None and 'name="request_key"' in browser.page.html:
        fields = {"request_key": browser.page.value("request_key"), **fields}
    return browser.post(path, fields, status=status)
