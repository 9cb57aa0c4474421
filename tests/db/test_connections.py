"""The two databases behave as the rest of the code takes for granted."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.composition import schema


def test_the_schema_of_a_fresh_database_is_the_newest(database_url):
    assert schema.current(database_url) == schema.head()


def test_the_read_engine_refuses_to_write_on_sqlite(sqlite_database):
    with sqlite_database.read_engine.connect() as connection, pytest.raises(DBAPIError, match="readonly"):
        connection.execute(text("CREATE TABLE intruder (id INTEGER)"))


def test_foreign_keys_are_enforced(database):
    with database.write_engine.begin() as connection:
        connection.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE child (parent_id INTEGER REFERENCES parent (id))"))
    with pytest.raises(DBAPIError), database.write_engine.begin() as connection:
        connection.execute(text("INSERT INTO child VALUES (7)"))
    with database.write_engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM child")).scalar_one() == 0


def test_two_tests_never_share_a_database(fresh_database):
    assert fresh_database("sqlite") != fresh_database("sqlite")
