"""What was approved before the register was there stands in it afterwards, with the same id, and can go back."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from app.composition import schema

_TIMES = {"a": "2026-03-01 08:00:00.000000+00:00", "b": "2026-06-01 22:00:00.000000+00:00"}
_COLUMNS = (
    "id, point, value, site_id, valid_from, valid_until, state, version, reason, requested_by, requested_at, decided_by,"
    " decided_at, decision_reason, revoked_by, revoked_at, revoke_reason"
)
#: Number, point, value, state, who decided, who revoked.
_VALUES = (
    (101, "partial_shipment", "false", "approved", 72, None),
    (104, "price_tolerance_permille", "50", "requested", None, None),
    (107, "price_tolerance_permille", "70", "declined", 72, None),
    (108, "credit_check", "false", "withdrawn", None, None),
    (109, "duplicate_rule", '"off"', "revoked", 72, 73),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def older(request, tmp_path):
    """A database as it was before the register, and the revision it stands on."""
    if request.param == "sqlite":
        url, drop = f"sqlite:///{tmp_path / 'older.sqlite3'}", lambda: None
    else:
        server = request.getfixturevalue("postgres_server")
        name = server.create()
        url, drop = server.url(name), lambda: server.drop(name)
    file = next(Path(schema.MIGRATIONS, "versions").glob("*_variants.py"))
    script = ScriptDirectory.from_config(schema._config())
    before = script.get_revision(file.name[:4]).down_revision
    schema.upgrade(url, before)
    yield url, before, file.name[:4]
    drop()


def run(url, statement, rows=None):
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            found = connection.execute(text(statement), rows) if rows else connection.execute(text(statement))
            return found.all() if found.returns_rows else []
    finally:
        engine.dispose()


def at(url, instant):
    return instant.removesuffix("+00:00") if url.startswith("sqlite") else instant


def fill(url):
    start, end = (at(url, one) for one in _TIMES.values())
    entity = "id, code, name, realm, country, currency, time_zone"
    run(url, f"INSERT INTO entity ({entity}) VALUES (1, 'DE', 'North', 'live', 'DE', 'EUR', 'Europe/Berlin')")
    site = "id, entity_id, code, name, kind, country, time_zone, opens_at, closes_at"
    hours = "'07:00:00.000000', '16:00:00.000000'"
    run(url, f"INSERT INTO site ({site}) VALUES (9, 1, 'LIS', 'Lisboa', 'branch', 'PT', 'Europe/Lisbon', {hours})")
    names = [name.strip() for name in _COLUMNS.split(",")]
    for key, point, value, state, decided, revoked in _VALUES:
        row = (
            key, point, value, 9, start, end, state, 2, "as ever", 71, start, decided, decided and start,
            decided and "agreed", revoked, revoked and end, revoked and "over",
        )  # fmt: skip
        marks = ", ".join(f":{name}" for name in names)
        run(url, f"INSERT INTO policy_value ({_COLUMNS}) VALUES ({marks})", dict(zip(names, row, strict=True)))
    run(url, "UPDATE policy_register SET revision = 'moved'")


def test_every_value_becomes_a_variant_of_the_same_id_and_goes_back(older):
    url, before, after = older
    fill(url)
    stood = run(url, f"SELECT {_COLUMNS} FROM policy_value ORDER BY id")
    schema.upgrade(url, after)
    found = run(
        url,
        "SELECT id, code, title, kind, point, value, state, version, owner_id, zone, entity_id, site_id, decided_by, ended_by"
        " FROM variant JOIN variant_value ON variant_id = id ORDER BY id",
    )
    kind, rest = "controlled_variation", (2, 71, "Europe/Lisbon", None, 9)
    assert [tuple(row) for row in found] == [
        (101, "V-1", "Partial shipment", kind, "partial_shipment", "false", "approved", *rest, 72, None),
        (
            104,
            "V-2",
            "Price tolerance permille",
            kind,
            "price_tolerance_permille",
            "50",
            "submitted",
            *rest,
            None,
            None,
        ),
        (107, "V-3", "Price tolerance permille", kind, "price_tolerance_permille", "70", "rejected", *rest, 72, None),
        (108, "V-4", "Credit check", kind, "credit_check", "false", "withdrawn", *rest, None, None),
        (109, "V-5", "Duplicate rule", kind, "duplicate_rule", '"off"', "revoked", *rest, 72, 73),
    ]
    assert [tuple(row) for row in run(url, "SELECT id, revision, last_number FROM variant_register")] == [
        (1, "moved", 5)
    ]
    schema.downgrade(url, before)
    assert run(url, f"SELECT {_COLUMNS} FROM policy_value ORDER BY id") == stood
    assert [tuple(row) for row in run(url, "SELECT id, revision FROM policy_register")] == [(1, "moved")]
