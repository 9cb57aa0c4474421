"""Journals by hand, and accounts that no posting rule uses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

_STATES = "'draft', 'submitted', 'approved', 'rejected', 'posted', 'reversed'"
_NOT_REJECTED = sa.text("state <> 'rejected'")


def upgrade() -> None:
    op.create_table(
        "manual_journal",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=True),
        sa.Column("channel_id", Key, nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("entry_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("reverses_id", Key, nullable=True),
        sa.Column("entry_id", Key, nullable=True),
        sa.Column("written_by", sa.BigInteger(), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(f"state IN ({_STATES})", name=op.f("ck_manual_journal_state_known")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_manual_journal_channel_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_manual_journal_entity_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["journal_entry.id"], name=op.f("fk_manual_journal_entry_id")),
        sa.ForeignKeyConstraint(["reverses_id"], ["manual_journal.id"], name=op.f("fk_manual_journal_reverses_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_manual_journal_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manual_journal")),
    )
    op.create_index("ix_manual_journal_entity", "manual_journal", ["entity_id", "state", "id"], unique=False)
    op.create_index(
        "uq_manual_journal_reverses", "manual_journal", ["reverses_id"], unique=True, sqlite_where=_NOT_REJECTED,
        postgresql_where=_NOT_REJECTED,
    )  # fmt: skip
    op.create_table(
        "manual_journal_line",
        sa.Column("journal_id", Key, nullable=False),
        sa.Column("line_no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("debit_minor", sa.BigInteger(), nullable=False),
        sa.Column("credit_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "debit_minor >= 0 AND credit_minor >= 0 AND (debit_minor > 0) <> (credit_minor > 0)",
            name=op.f("ck_manual_journal_line_one_side"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_account.id"], name=op.f("fk_manual_journal_line_account_id")),
        sa.ForeignKeyConstraint(["journal_id"], ["manual_journal.id"], name=op.f("fk_manual_journal_line_journal_id")),
        sa.PrimaryKeyConstraint("journal_id", "line_no", name=op.f("pk_manual_journal_line")),
    )
    with op.batch_alter_table("ledger_account") as account:
        account.alter_column("role", existing_type=sa.String(length=32), nullable=True)


def downgrade() -> None:
    # An account without a role is unknown to the schema before; one that was used stays in the way, as it should.
    op.drop_table("manual_journal_line")
    op.drop_table("manual_journal")
    op.execute("DELETE FROM ledger_account WHERE role IS NULL")
    with op.batch_alter_table("ledger_account") as account:
        account.alter_column("role", existing_type=sa.String(length=32), nullable=False)
