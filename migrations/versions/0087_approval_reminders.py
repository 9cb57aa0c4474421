"""When people are told again of a request for approval that waits, and the mails that do so. What waits already is not reminded of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("approval_need", sa.Column("remind_at", UtcDateTime(), nullable=True))
    op.add_column("approval_need", sa.Column("reminded_at", UtcDateTime(), nullable=True))
    op.create_table(
        "approval_reminder",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("request_id", Key, nullable=False),
        sa.Column("need", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'parked')", name=op.f("ck_approval_reminder_state_known")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_approval_reminder_account_id")),
        sa.ForeignKeyConstraint(["request_id"], ["approval_request.id"], name=op.f("fk_approval_reminder_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_reminder")),
        sa.UniqueConstraint(
            "request_id", "need", "account_id", name=op.f("uq_approval_reminder_request_id_need_account_id")
        ),
    )
    op.create_index(
        "ix_approval_reminder_due",
        "approval_reminder",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_approval_reminder_due",
        table_name="approval_reminder",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_table("approval_reminder")
    op.drop_column("approval_need", "reminded_at")
    op.drop_column("approval_need", "remind_at")
