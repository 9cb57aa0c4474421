"""What a database says about its own schema, in a form that two databases can be compared by.

Alembic's own comparison sees neither triggers nor checks nor the condition of a partial index, so the catalogues are read.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

Schema = dict[str, str]

_PG = {
    "column": """
        SELECT c.relname || '.' || a.attname,
               format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
               || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') || ' ' || a.attidentity::text
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraint": """
        SELECT c.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE k.connamespace = 'public'::regnamespace AND k.contype <> 'n'""",
    "index": """
        SELECT c.relname || '.' || i.relname, pg_get_indexdef(x.indexrelid)
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
        WHERE c.relnamespace = 'public'::regnamespace""",
    "trigger": """
        SELECT c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal""",
    "function": """
        SELECT p.proname, pg_get_functiondef(p.oid) FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')""",
    "sequence": """
        SELECT c.relname, 'sequence' FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('S', 'v', 'm')""",
}


def read_schema(connection: Connection) -> Schema:
    """``kind table.name`` → definition, for every column, constraint, index, trigger and function."""
    found = _read_postgresql(connection) if connection.dialect.name == "postgresql" else _read_sqlite(connection)
    return {name: definition for name, definition in found.items() if "alembic_version" not in name}


def _read_postgresql(connection: Connection) -> Schema:
    return {
        f"{kind} {name}": definition.strip()
        for kind, query in _PG.items()
        for name, definition in connection.execute(text(query))
    }


def _read_sqlite(connection: Connection) -> Schema:
    """The statements in ``sqlite_master``; a table's is cut into its columns and constraints, whose order may differ."""
    found: Schema = {}
    rows = connection.execute(text("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    for kind, name, table, sql in rows:
        if kind == "table":
            found |= {f"part {name}.{part}": part for part in _parts(sql)}
            found[f"table {name}"] = "table" + sql[sql.rindex(")") + 1 :]
        else:
            found[f"{kind} {table}.{name}"] = _plain(sql)
    return found


def _plain(sql: str) -> str:
    return re.sub(r"\s+", " ", sql.replace('"', "")).strip()


def _parts(create: str) -> list[str]:
    """What stands between the commas of a CREATE TABLE, outside of brackets and quotation marks."""
    inside = create[create.index("(") + 1 : create.rindex(")")]
    parts, depth, quoted, start = [], 0, False, 0
    for at, sign in enumerate(inside):
        if sign == "'":
            quoted = not quoted
        elif not quoted and sign in "()":
            depth += 1 if sign == "(" else -1
        elif sign == "," and not depth and not quoted:
            parts.append(_plain(inside[start:at]))
            start = at + 1
    return [*parts, _plain(inside[start:])]


def differences(left: Schema, right: Schema) -> list[str]:
    """What stands in one and not, or otherwise, in the other; empty when they are equal."""
    lines = [f"only in the migrations: {name}" for name in sorted(left.keys() - right.keys())]
    lines += [f"only in the models:     {name}" for name in sorted(right.keys() - left.keys())]
    lines += [
        f"differs: {name}\n    migrations: {left[name]}\n    models:     {right[name]}"
        for name in sorted(left.keys() & right.keys())
        if left[name] != right[name]
    ]
    return lines
