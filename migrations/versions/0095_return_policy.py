"""Returns are held against their policy: what it said, the condition of the goods, and a state while others are asked."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import UtcDateTime

revision = "0095"
down_revision = "0094"
branch_labels = None
depends_on = None

_STATE, _CONDITION = "ck_return_order_state_known", "ck_return_order_condition_known"


def _id() -> int:
    """An id that nothing else gets."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        taken = sa.text("UPDATE id_head SET next_id = next_id + 1 WHERE id = 1 RETURNING next_id")
        return int(connection.execute(taken).scalar_one()) - 1
    return int(connection.execute(sa.text("SELECT nextval('wavegate_id_block')")).scalar_one()) * 1000


def _rule() -> None:
    rules = sa.table(
        "approval_rule", sa.column("id", sa.BigInteger), sa.column("kind", sa.String), sa.column("code", sa.String),
        sa.column("version", sa.Integer), sa.column("is_automatic", sa.Boolean), sa.column("capacity", sa.String),
        sa.column("people", sa.Integer), sa.column("timeout_hours", sa.Integer), sa.column("ends_rule", sa.Boolean),
        sa.column("state", sa.String), sa.column("reason", sa.Text), sa.column("proposed_by", sa.BigInteger),
        sa.column("proposed_at", UtcDateTime()),
    )  # fmt: skip
    op.bulk_insert(
        rules,
        [
            {
                "id": _id(), "kind": "return_outside", "code": "another", "version": 1, "is_automatic": False,
                "capacity": "may:returns:return:authorise_outside", "people": 1, "timeout_hours": 16, "ends_rule": False,
                "state": "in_force", "reason": "comes with the product", "proposed_by": 0, "proposed_at": datetime.now(UTC),
            }
        ],
    )  # fmt: skip


def upgrade() -> None:
    with op.batch_alter_table("return_order") as head:
        head.add_column(sa.Column("condition", sa.String(length=12), nullable=False, server_default="unstated"))
        head.add_column(sa.Column("judged", sa.Text(), nullable=True))
        head.drop_constraint(op.f(_STATE), type_="check")
        head.create_check_constraint(
            op.f(_STATE),
            "state IN ('requested', 'waiting', 'authorised', 'declined', 'received', 'inspected', 'credited')",
        )
        head.create_check_constraint(
            op.f(_CONDITION), "condition IN ('unstated', 'sealed', 'opened', 'used', 'damaged')"
        )
    with op.batch_alter_table("return_order") as head:
        head.alter_column("condition", existing_type=sa.String(length=12), server_default=None)
    _rule()


def downgrade() -> None:
    op.execute("DELETE FROM approval_rule WHERE kind = 'return_outside'")
    # Nobody is asked any more: somebody authorises or declines it.
    op.execute("UPDATE return_order SET state = 'requested', version = version + 1 WHERE state = 'waiting'")
    with op.batch_alter_table("return_order") as head:
        head.drop_constraint(op.f(_CONDITION), type_="check")
        head.drop_constraint(op.f(_STATE), type_="check")
        head.create_check_constraint(
            op.f(_STATE), "state IN ('requested', 'authorised', 'declined', 'received', 'inspected', 'credited')"
        )
        head.drop_column("judged")
        head.drop_column("condition")
