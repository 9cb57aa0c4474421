"""The migrations build exactly what the models say, on both databases, and can take it down again."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import BigInteger, Float, Numeric, create_engine, text
from sqlalchemy.types import TypeDecorator

from app.composition import schema
from erpcore.kernel.model import REFUSE_CHANGE_FUNCTION, append_only_ddl, frozen_ddl
from tests.architecture.catalogue import differences, read_schema
from tests.architecture.source import ROOT

#: table.column that may be a binary fraction, and why. Money and quantity never may.
FRACTIONS: dict[str, str] = {}


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request):
    return request.param


@pytest.fixture
def empty_url(request, kind, tmp_path):
    """A database without any table."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    else:
        server = request.getfixturevalue("postgres_server")
        name = server.create()
        yield server.url(name)
        server.drop(name)


def _read(url):
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return read_schema(connection)
    finally:
        engine.dispose()


def _build_from_models(url):
    tables = schema.metadata()
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            tables.create_all(connection)
            if engine.dialect.name == "postgresql":
                connection.execute(text(REFUSE_CHANGE_FUNCTION))
            for table in tables.tables.values():
                if table.info.get("append_only"):
                    for statement in append_only_ddl(table.name, engine.dialect.name):
                        connection.execute(text(statement))
                if condition := table.info.get("frozen_when"):
                    for statement in frozen_ddl(table.name, condition, engine.dialect.name):
                        connection.execute(text(statement))
    finally:
        engine.dispose()


def test_the_migrations_build_what_the_models_say(kind, fresh_database, empty_url):
    _build_from_models(empty_url)
    found = differences(_read(fresh_database(kind)), _read(empty_url))
    assert not found, "\n" + "\n".join(found)


def test_going_down_leaves_nothing_and_coming_up_again_the_same(empty_url):
    schema.upgrade(empty_url)
    built = _read(empty_url)
    assert built
    schema.downgrade(empty_url, "base")
    assert _read(empty_url) == {}
    schema.upgrade(empty_url)
    assert _read(empty_url) == built


def test_each_revision_goes_down_as_it_came_up(empty_url):
    revisions = [revision.revision for revision in _scripts().walk_revisions()][::-1]
    before = [_read(empty_url)]
    for revision in revisions:
        schema.upgrade(empty_url, revision)
        before.append(_read(empty_url))
    for number in range(len(revisions) - 1, -1, -1):
        schema.downgrade(empty_url, revisions[number - 1] if number else "base")
        assert _read(empty_url) == before[number], revisions[number]


def _printed(code):
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_no_table_is_unknown_to_the_migrations():
    """Whatever module declares a table, the composition's list of models leads to it."""
    walk = (
        "import importlib, pkgutil\n"
        "for name in ('erpcore', 'governance', 'readiness', 'training', 'app'):\n"
        "    package = importlib.import_module(name)\n"
        "    for found in pkgutil.walk_packages(package.__path__, name + '.'):\n"
        "        importlib.import_module(found.name)\n"
    )
    show = "from {} import Base\nprint('\\n'.join(sorted(Base.metadata.tables)))"
    known, all_of_them = (
        _printed(code) for code in (show.format("app.composition.models"), walk + show.format("erpcore.kernel.model"))
    )
    assert sorted(set(all_of_them) - set(known)) == [], "add their modules to app/composition/models.py"


def test_there_is_one_line_of_revisions():
    assert len(_scripts().get_heads()) == 1


DROP_TRIGGER = {
    "sqlite": "DROP TRIGGER event_log_no_delete",
    "postgresql": "DROP TRIGGER event_log_no_change ON event_log",
}
TAMPERINGS = {
    "a lost trigger": DROP_TRIGGER,
    "a lost index": "DROP INDEX ix_event_log_journey",
    "a new column": "ALTER TABLE event_log ADD COLUMN intruder INTEGER",
    "a new partial index": "CREATE INDEX intruder ON event_log (seq) WHERE site IS NULL",
    "a new table": "CREATE TABLE intruder (id INTEGER CONSTRAINT positive CHECK (id > 0))",
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_the_comparison_sees(tampering, kind, fresh_database):
    url = fresh_database(kind)
    before = _read(url)
    statement = TAMPERINGS[tampering]
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement if isinstance(statement, str) else statement[kind]))
    engine.dispose()
    assert differences(before, _read(url))


def test_the_comparison_sees_another_condition_of_a_check_and_of_a_partial_index(tmp_path):
    built = []
    for number, limit in enumerate((0, 1)):
        engine = create_engine(f"sqlite:///{tmp_path / str(number)}")
        with engine.begin() as connection:
            connection.execute(text(f"CREATE TABLE t (id INTEGER, CONSTRAINT big CHECK (id > {limit}))"))
            connection.execute(text(f"CREATE UNIQUE INDEX one ON t (id) WHERE id > {limit}"))
        with engine.connect() as connection:
            built.append(read_schema(connection))
        engine.dispose()
    assert len(differences(*built)) == 3


def test_no_column_is_a_binary_fraction():
    found = []
    for table in schema.metadata().tables.values():
        for column in table.columns:
            kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
            if isinstance(kind, Float | Numeric) and f"{table.name}.{column.name}" not in FRACTIONS:
                found.append(f"{table.name}.{column.name} is {column.type}")
    assert not found, "money and quantity are scaled integers: " + ", ".join(found)


def test_keys_of_people_and_things_have_64_bits():
    short = [
        f"{column.table.name}.{column.name}"
        for table in schema.metadata().tables.values()
        for column in table.columns
        for key in column.foreign_keys
        if isinstance(key.column.type, BigInteger) and not isinstance(column.type, BigInteger)
    ]
    assert not short, f"these refer to 64-bit keys with fewer bits: {short}"


def test_every_constraint_and_index_has_a_name():
    nameless = [
        f"{table.name}: {type(item).__name__}"
        for table in schema.metadata().tables.values()
        for item in (*table.constraints, *table.indexes)
        if not item.name
    ]
    assert not nameless
