"""Other items sent instead, and stock taken back, are decided by rules of approval that name who decided before."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import UtcDateTime

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None

#: Kind and the permission that deciding took before.
_RULES = (
    ("substitution", "may:orders:substitution:approve"),
    ("take_back", "may:orders:allocation:approve_take_back"),
)
_HOURS = 8
_WHY = "comes with the product"


def _ids(count: int) -> int:
    """The first of so many ids that nothing else gets."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        taken = sa.text("UPDATE id_head SET next_id = next_id + :count WHERE id = 1 RETURNING next_id")
        return int(connection.execute(taken, {"count": count}).scalar_one()) - count
    return int(connection.execute(sa.text("SELECT nextval('wavegate_id_block')")).scalar_one()) * 1000


def upgrade() -> None:
    rules = sa.table(
        "approval_rule", sa.column("id", sa.BigInteger), sa.column("kind", sa.String), sa.column("code", sa.String),
        sa.column("version", sa.Integer), sa.column("is_automatic", sa.Boolean), sa.column("capacity", sa.String),
        sa.column("people", sa.Integer), sa.column("timeout_hours", sa.Integer), sa.column("ends_rule", sa.Boolean),
        sa.column("state", sa.String), sa.column("reason", sa.Text), sa.column("proposed_by", sa.BigInteger),
        sa.column("proposed_at", UtcDateTime()),
    )  # fmt: skip
    first, now = _ids(len(_RULES)), datetime.now(UTC)
    op.bulk_insert(
        rules,
        [
            {
                "id": first + place, "kind": kind, "code": "another", "version": 1, "is_automatic": False,
                "capacity": capacity, "people": 1, "timeout_hours": _HOURS, "ends_rule": False, "state": "in_force",
                "reason": _WHY, "proposed_by": 0, "proposed_at": now,
            }
            for place, (kind, capacity) in enumerate(_RULES)
        ],
    )  # fmt: skip


def downgrade() -> None:
    op.execute("DELETE FROM approval_rule WHERE kind IN ('substitution', 'take_back')")
