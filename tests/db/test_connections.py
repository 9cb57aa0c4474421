"""The two databases behave as the rest of the code takes for granted."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.composition import schema
from app.composition.uow import connect, reading


def test_the_schema_of_a_fresh_database_is_the_newest(database_url):
    assert schema.current(database_url) == schema.head()


def test_the_read_engine_refuses_to_write_on_sqlite(sqlite_database):
    with sqlite_database.read_engine.connect() as connection, pytest.raises(DBAPIError, match="readonly"):
        connection.execute(text("CREATE TABLE intruder (id INTEGER)"))


def test_what_only_reads_refuses_to_write_on_both_databases_and_the_connection_may_write_again(database):
    with reading(database) as session, pytest.raises(DBAPIError, match=r"read-?only"):
        session.execute(text("CREATE TABLE intruder (id INTEGER)"))
    with reading(database, snapshot=True) as session, pytest.raises(DBAPIError, match=r"read-?only"):
        session.execute(text("CREATE TABLE intruder (id INTEGER)"))
    # The pool hands the same connection out again.
    with database.write_engine.begin() as connection:
        connection.execute(text("CREATE TABLE welcome (id INTEGER)"))
    with reading(database) as session:
        assert session.execute(text("SELECT count(*) FROM welcome")).scalar_one() == 0


def test_a_snapshot_on_postgresql_sees_one_moment(fresh_database):
    database = connect(fresh_database("postgresql"))
    with database.write_engine.begin() as connection:
        connection.execute(text("CREATE TABLE told (id INTEGER)"))
    with reading(database, snapshot=True) as session:
        assert session.execute(text("SELECT count(*) FROM told")).scalar_one() == 0
        with database.write_engine.begin() as connection:
            connection.execute(text("INSERT INTO told VALUES (1)"))
        assert session.execute(text("SELECT count(*) FROM told")).scalar_one() == 0
    with reading(database) as session:
        assert session.execute(text("SELECT count(*) FROM told")).scalar_one() == 1
    database.dispose()


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


def test_what_only_read_leaves_postgresql_the_statements_it_has_planned(fresh_database):
    database = connect(fresh_database("postgresql"))
    asked = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%of-the-test%'"
    for _ in range(8):
        with reading(database) as session:
            session.execute(text("SELECT 'of-the-test'"))
    with reading(database) as session:
        # At the sixth time the driver has it prepared, and it stays so: the pool hands the same connection out each time.
        assert session.execute(text(asked)).scalar_one() == 1
    database.dispose()


def test_reading_that_failed_on_postgresql_ends_with_a_rollback_and_the_connection_goes_on(fresh_database):
    database = connect(fresh_database("postgresql"))
    with reading(database) as session, pytest.raises(DBAPIError):
        session.execute(text("SELECT 1 / 0"))
    with reading(database) as session:
        assert session.execute(text("SELECT 7")).scalar_one() == 7
    database.dispose()
