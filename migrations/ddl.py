"""What revisions say that Alembic has no word for: history that refuses to be changed."""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import REFUSE_CHANGE_FUNCTION, append_only_ddl, frozen_ddl


def create_refusal() -> None:
    """The function behind the triggers on PostgreSQL; once, before the first ``refuse_changes``."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(REFUSE_CHANGE_FUNCTION)


def drop_refusal() -> None:
    """Takes the function away again; after the last table that uses it."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION wavegate_refuse_change()")


def refuse_changes(*tables: str) -> None:
    """Triggers that refuse UPDATE and DELETE on history. Dropping the table drops them."""
    dialect = op.get_bind().dialect.name
    for table in tables:
        for statement in append_only_ddl(table, dialect):
            op.execute(statement)


def freeze_when(table: str, condition: str) -> None:
    """Triggers that refuse UPDATE and DELETE on rows for which the condition (over ``OLD``) holds."""
    for statement in frozen_ddl(table, condition, op.get_bind().dialect.name):
        op.execute(statement)


def unfreeze(*tables: str) -> None:
    """Takes the functions behind ``freeze_when`` away; after their tables are dropped."""
    if op.get_bind().dialect.name == "postgresql":
        for table in tables:
            op.execute(f"DROP FUNCTION {table}_frozen()")


def change_words(table: str, column: str, *, added: tuple[str, ...] = (), taken: tuple[str, ...] = ()) -> None:
    """Let a column hold these words besides those that the schema lets it hold, whoever added them, or no longer."""
    name = f"ck_{table}_{column}_known"
    (known,) = (one["sqltext"] for one in sa.inspect(op.get_bind()).get_check_constraints(table) if one["name"] == name)
    there = [word for word in re.findall(r"'(\w+)'", known) if word not in taken]
    words = ", ".join(f"'{word}'" for word in (*there, *added))
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(op.f(name), type_="check")
        batch.create_check_constraint(op.f(name), f"{column} IN ({words})")
