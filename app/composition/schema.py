"""Which schema does this database have, and how does it get to another revision?

One upgrade is one transaction: it arrives as a whole or not at all, and two at once wait for each other.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations.ops import DowngradeOps, UpgradeOps
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, NullPool, create_engine, event, inspect, text
from sqlalchemy.engine import make_url

from app.composition import models
from erpcore.kernel.model import Key, Scaled, UtcDateTime

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
#: Held on PostgreSQL while the schema changes.
SCHEMA_LOCK = 7_331_002


def metadata() -> MetaData:
    """All tables of all packages."""
    return models.Base.metadata


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at ``url`` up to ``revision``; an SQLite file is created when there is none."""
    with _changing(url) as config:
        command.upgrade(config, revision)


def downgrade(url: str, revision: str) -> None:
    """Take the database at ``url`` back to ``revision`` (``base``: no tables at all)."""
    with _changing(url) as config:
        command.downgrade(config, revision)


def current(url: str) -> str | None:
    """The revision the database stands on; ``None`` before the first."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def head() -> str:
    """The newest revision this code knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise RuntimeError("there are no migrations")
    return revision


def draft(url: str) -> str:
    """Python code for the revision that would take the database at ``url`` to the models; to be read before it is used."""
    tables = metadata()
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"target_metadata": tables})
            script = produce_migrations(context, tables)
            present = set(inspect(connection).get_table_names())
    finally:
        engine.dispose()
    history = sorted(
        name for name, table in tables.tables.items() if table.info.get("append_only") and name not in present
    )
    parts = {
        "upgrade": [_python(script.upgrade_ops, context), *(f'refuse_changes("{name}")' for name in history)],
        "downgrade": [_python(script.downgrade_ops, context)],
    }
    return "\n\n".join(
        f"def {name}() -> None:\n" + textwrap.indent("\n".join(lines), "    ") + "\n" for name, lines in parts.items()
    )


def _python(operations: UpgradeOps | DowngradeOps | None, context: MigrationContext) -> str:
    if operations is None or operations.is_empty():
        return "pass"
    rendered = render_python_code(operations, render_item=_render, migration_context=context)
    code = re.sub(r",\ninfo=\{[^}]*\}", "", textwrap.dedent("    " + rendered))
    return "\n".join(line for line in code.splitlines() if not line.lstrip().startswith("# ###"))


def _render(kind: str, item: object, _context: object) -> str | Literal[False]:
    """How a revision writes our column types: by what they are in the database, not by the models of today."""
    if kind != "type":
        return False
    if isinstance(item, Scaled):
        return "sa.BigInteger()"
    if isinstance(item, UtcDateTime):
        return "UtcDateTime()"
    return "Key" if item is Key else False


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _changing(url: str) -> Iterator[Config]:
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEMA_LOCK})
            config = _config()
            config.attributes["connection"] = connection
            yield config
            if connection.dialect.name == "sqlite":
                _check_references(connection)
    finally:
        engine.dispose()


def _check_references(connection: Connection) -> None:
    """Foreign keys are off while SQLite tables are rebuilt, so they are checked as a whole before the commit."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(f"the migration left {len(broken)} rows that point nowhere, first in {broken[0][0]}")


def _engine(url: str) -> Engine:
    is_sqlite = make_url(url).get_backend_name() == "sqlite"
    # Who upgrades meanwhile has all revisions to go through.
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 120.0} if is_sqlite else {})
    if is_sqlite:

        @event.listens_for(engine, "connect")
        def _on_connect(connection: Any, _record: object) -> None:
            # The driver would commit before DDL; with its own handling off, DDL takes part in the transaction.
            connection.isolation_level = None
            connection.execute("PRAGMA foreign_keys = OFF")

        @event.listens_for(engine, "begin")
        def _on_begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
