"""The site and people to use it (tests/support/web.py), on both databases: what one takes the other may refuse."""

from __future__ import annotations

import pytest

from app.composition.uow import Database
from tests.support.web import caller, signed_in, site

__all__ = ["caller", "signed_in", "site"]


@pytest.fixture
def sqlite_database(database: Database) -> Database:
    """Every page is tested on SQLite and on PostgreSQL."""
    return database
