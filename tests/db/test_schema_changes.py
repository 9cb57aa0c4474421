"""An upgrade arrives as a whole or not at all, and two at once wait for each other."""

import shutil
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, inspect, text

from app.cli import cli
from app.composition import schema


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    else:
        server = request.getfixturevalue("postgres_server")
        name = server.create()
        yield server.url(name)
        server.drop(name)


@pytest.fixture
def two_revisions(tmp_path, monkeypatch):
    """A history of two revisions: the first builds a table with rows, the second is for the test to write."""
    folder = tmp_path / "history"
    (folder / "versions").mkdir(parents=True)
    shutil.copy(schema.MIGRATIONS / "env.py", folder)
    monkeypatch.setattr(schema, "MIGRATIONS", folder)

    def write(number, previous, up):
        body = f"""
            from alembic import op
            import sqlalchemy as sa
            revision, down_revision = {number!r}, {previous!r}
            def upgrade():
                {up}
            def downgrade():
                pass
        """
        (folder / "versions" / f"{number}.py").write_text(textwrap.dedent(body), encoding="utf-8")

    write("0001", None, 'op.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")')
    return write


def tables(url):
    engine = create_engine(url)
    found = set(inspect(engine).get_table_names()) - {"alembic_version"}
    engine.dispose()
    return found


def test_an_upgrade_that_fails_half_way_leaves_nothing(empty_url, two_revisions):
    two_revisions("0002", "0001", 'op.execute("CREATE TABLE half (id INTEGER)"); raise RuntimeError("power cut")')
    with pytest.raises(RuntimeError, match="power cut"):
        schema.upgrade(empty_url)
    assert schema.current(empty_url) is None
    assert tables(empty_url) == set()


def test_an_upgrade_that_leaves_rows_pointing_nowhere_is_refused_on_sqlite(tmp_path, two_revisions):
    url = f"sqlite:///{tmp_path / 'orphans.sqlite3'}"
    orphan = "CREATE TABLE child (parent_id INTEGER REFERENCES parent (id))"
    two_revisions("0002", "0001", f'op.execute("{orphan}"); op.execute("INSERT INTO child VALUES (7)")')
    with pytest.raises(RuntimeError, match="1 rows that point nowhere, first in child"):
        schema.upgrade(url)
    assert tables(url) == set()


def test_two_upgrades_at_once_end_as_one(empty_url):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(schema.upgrade, [empty_url, empty_url]))
    assert schema.current(empty_url) == schema.head()


def test_the_command_upgrades_tells_where_it_stands_and_goes_back(empty_url, monkeypatch):
    monkeypatch.setenv("WAVEGATE_DATABASE_URL", empty_url)
    run = CliRunner().invoke
    before = run(cli, ["db", "current"])
    assert (before.exit_code, before.output) == (1, f"current None, needed {schema.head()}\n")
    assert run(cli, ["db", "upgrade"]).output == f"The schema went from None to {schema.head()}.\n"
    assert run(cli, ["db", "upgrade"]).output == f"The schema stands at {schema.head()}.\n"
    assert run(cli, ["db", "current", "--json"]).exit_code == 0
    assert run(cli, ["db", "downgrade", "base"], input="n\n").exit_code == 1
    assert schema.current(empty_url) == schema.head()
    assert run(cli, ["db", "downgrade", "base", "--yes"]).exit_code == 0
    assert tables(empty_url) == set()


def test_a_draft_for_an_up_to_date_database_says_that_there_is_nothing_to_do(database_url):
    assert schema.draft(database_url).count("pass") == 2


def test_a_draft_names_a_missing_table_and_its_triggers(database_url):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE audit_link"))
    engine.dispose()
    draft = schema.draft(database_url)
    assert "op.create_table('audit_link'" in draft
    assert 'refuse_changes("audit_link")' in draft
    assert "sa.Column('at', UtcDateTime(), nullable=False)" in draft
