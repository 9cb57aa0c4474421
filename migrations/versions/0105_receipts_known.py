"""An entry of the bank may be the money of a receipt that somebody typed, once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0105"
down_revision = "0104"
branch_labels = None
depends_on = None

_ONCE = sa.text("outcome IN ('receipt', 'typed')")
_KNOWN = "ck_bank_line_outcome_known"


def upgrade() -> None:
    with op.batch_alter_table("bank_line") as line:
        line.drop_constraint(op.f(_KNOWN), type_="check")
        line.create_check_constraint(op.f(_KNOWN), "outcome IN ('receipt', 'return', 'fee', 'payout', 'typed')")
    op.create_index(
        "uq_bank_line_receipt", "bank_line", ["receipt_id"], unique=True, sqlite_where=_ONCE, postgresql_where=_ONCE
    )


def downgrade() -> None:
    op.drop_index("uq_bank_line_receipt", "bank_line")
    # The books say the same of both: the money of the entry is the receipt's.
    op.execute("UPDATE bank_line SET outcome = 'receipt' WHERE outcome = 'typed'")
    with op.batch_alter_table("bank_line") as line:
        line.drop_constraint(op.f(_KNOWN), type_="check")
        line.create_check_constraint(op.f(_KNOWN), "outcome IN ('receipt', 'return', 'fee', 'payout')")
