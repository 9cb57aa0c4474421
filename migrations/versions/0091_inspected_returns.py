"""Returns that are inspected: what came apart from what was asked for, and the invoice line that a credit stands on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0091"
down_revision = "0090"
branch_labels = None
depends_on = None

_STATE, _GOODS, _SOME = (
    "ck_return_order_state_known",
    "ck_return_line_disposition_known",
    "ck_return_line_returns_something",
)


def upgrade() -> None:
    with op.batch_alter_table("return_order") as head:
        head.drop_constraint(op.f(_STATE), type_="check")
        head.create_check_constraint(
            op.f(_STATE), "state IN ('requested', 'authorised', 'declined', 'received', 'inspected', 'credited')"
        )
    # Until now goods went into stock as they were received: of those there is nothing left to inspect.
    op.execute("UPDATE return_order SET state = 'inspected', version = version + 1 WHERE state = 'received'")
    op.add_column("return_line", sa.Column("asked", sa.BigInteger(), nullable=True))
    op.execute("UPDATE return_line SET asked = quantity")
    with op.batch_alter_table("return_line") as line:
        line.alter_column("asked", existing_type=sa.BigInteger(), nullable=False)
        line.drop_constraint(op.f(_GOODS), type_="check")
        line.create_check_constraint(
            op.f(_GOODS), "disposition IN ('restock', 'quarantine', 'supplier', 'scrap', 'none')"
        )
        line.drop_constraint(op.f(_SOME), type_="check")
        line.create_check_constraint(op.f(_SOME), "quantity >= 0 AND asked >= 0 AND quantity + asked > 0")
    op.add_column("credit_memo_line", sa.Column("invoice_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_credit_memo_line_order_line", "credit_memo_line", ["order_line_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_credit_memo_line_order_line", table_name="credit_memo_line")
    op.drop_column("credit_memo_line", "invoice_id")
    # What was received and not inspected lay in no stock; before, receiving put it there: it is authorised again.
    op.execute("UPDATE return_order SET state = 'authorised', version = version + 1 WHERE state = 'received'")
    op.execute("UPDATE return_order SET state = 'received', version = version + 1 WHERE state = 'inspected'")
    op.execute("UPDATE return_line SET disposition = 'restock' WHERE disposition IN ('quarantine', 'supplier')")
    op.execute("DELETE FROM return_line WHERE quantity = 0")
    with op.batch_alter_table("return_line") as line:
        line.drop_constraint(op.f(_SOME), type_="check")
        line.create_check_constraint(op.f(_SOME), "quantity > 0")
        line.drop_constraint(op.f(_GOODS), type_="check")
        line.create_check_constraint(op.f(_GOODS), "disposition IN ('restock', 'scrap', 'none')")
        line.drop_column("asked")
    with op.batch_alter_table("return_order") as head:
        head.drop_constraint(op.f(_STATE), type_="check")
        head.create_check_constraint(
            op.f(_STATE), "state IN ('requested', 'authorised', 'declined', 'received', 'credited')"
        )
