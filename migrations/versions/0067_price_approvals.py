"""Entered prices are decided by the rules of approval: what is held has a version, and the rules name who decided before."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import UtcDateTime

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

#: Kind, code, from which materiality on, who, how many, within how many working hours: the authority of the policy points.
_RULES = (
    ("price_override", "desk", None, "may:orders:price:approve_desk", 1, 8),
    ("price_override", "site", "medium", "may:orders:price:approve_site", 1, 8),
    ("price_override", "process", "high", "may:orders:price:approve_process", 1, 8),
)
_WHY = "comes with the product"


def _ids(count: int) -> int:
    """The first of so many ids that nothing else gets."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        taken = sa.text("UPDATE id_head SET next_id = next_id + :count WHERE id = 1 RETURNING next_id")
        return int(connection.execute(taken, {"count": count}).scalar_one()) - count
    return int(connection.execute(sa.text("SELECT nextval('wavegate_id_block')")).scalar_one()) * 1000


def upgrade() -> None:
    with op.batch_alter_table("order_hold") as table:
        table.add_column(sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    rules = sa.table(
        "approval_rule", sa.column("id", sa.BigInteger), sa.column("kind", sa.String), sa.column("code", sa.String),
        sa.column("version", sa.Integer), sa.column("materiality", sa.String), sa.column("is_automatic", sa.Boolean),
        sa.column("capacity", sa.String), sa.column("people", sa.Integer), sa.column("timeout_hours", sa.Integer),
        sa.column("ends_rule", sa.Boolean), sa.column("state", sa.String), sa.column("reason", sa.Text),
        sa.column("proposed_by", sa.BigInteger), sa.column("proposed_at", UtcDateTime()),
    )  # fmt: skip
    first, now = _ids(len(_RULES)), datetime.now(UTC)
    op.bulk_insert(
        rules,
        [
            {
                "id": first + place, "kind": kind, "code": code, "version": 1, "materiality": weight, "is_automatic": False,
                "capacity": capacity, "people": people, "timeout_hours": hours, "ends_rule": False, "state": "in_force",
                "reason": _WHY, "proposed_by": 0, "proposed_at": now,
            }
            for place, (kind, code, weight, capacity, people, hours) in enumerate(_RULES)
        ],
    )  # fmt: skip


def downgrade() -> None:
    op.execute("DELETE FROM approval_rule WHERE kind = 'price_override'")
    with op.batch_alter_table("order_hold") as table:
        table.drop_column("version")
