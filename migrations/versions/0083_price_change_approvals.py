"""Changes of prices are decided by the rules of approval: by how much of what is sold they touch."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import UtcDateTime

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None

#: Code, from which materiality on, who, how many, within how many working hours, and who may too afterwards. What one person may
#: do alone asks nobody; what touches much of what is sold asks two.
_RULES = (
    ("alone", None, None, None, None, None),
    ("second", "medium", "may:pricing:rule:approve", 1, 16, "role:sponsor"),
    ("broad", "high", "may:pricing:rule:approve", 2, 16, "role:sponsor"),
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
    rules = sa.table(
        "approval_rule", sa.column("id", sa.BigInteger), sa.column("kind", sa.String), sa.column("code", sa.String),
        sa.column("version", sa.Integer), sa.column("materiality", sa.String), sa.column("is_automatic", sa.Boolean),
        sa.column("capacity", sa.String), sa.column("people", sa.Integer), sa.column("timeout_hours", sa.Integer),
        sa.column("escalate_to", sa.String), sa.column("ends_rule", sa.Boolean), sa.column("state", sa.String),
        sa.column("reason", sa.Text), sa.column("proposed_by", sa.BigInteger), sa.column("proposed_at", UtcDateTime()),
    )  # fmt: skip
    first, now = _ids(len(_RULES)), datetime.now(UTC)
    op.bulk_insert(
        rules,
        [
            {
                "id": first + place, "kind": "price_change", "code": code, "version": 1, "materiality": weight,
                "is_automatic": capacity is None, "capacity": capacity, "people": people,
                "timeout_hours": hours, "escalate_to": then, "ends_rule": False, "state": "in_force", "reason": _WHY,
                "proposed_by": 0, "proposed_at": now,
            }
            for place, (code, weight, capacity, people, hours, then) in enumerate(_RULES)
        ],
    )  # fmt: skip


def downgrade() -> None:
    op.execute("DELETE FROM approval_rule WHERE kind = 'price_change'")
