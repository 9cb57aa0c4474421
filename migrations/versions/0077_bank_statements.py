"""Accounts at banks, their statements with every line, and who pays from which account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import freeze_when, unfreeze

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None

_ACCEPTED = sa.text("state = 'accepted'")
_KEPT = sa.text("state IN ('open', 'assigned')")
_OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    op.add_column(
        "receipt", sa.Column("difference_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.create_table(
        "bank_account",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_bank_account_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_account")),
        sa.UniqueConstraint("entity_id", "number", name=op.f("uq_bank_account_entity_id_number")),
    )
    op.create_table(
        "bank_statement",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("format", sa.String(length=12), nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("opening_minor", sa.BigInteger(), nullable=True),
        sa.Column("closing_minor", sa.BigInteger(), nullable=True),
        sa.Column("taken_by", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("state IN ('accepted', 'refused')", name=op.f("ck_bank_statement_state_known")),
        sa.CheckConstraint("state <> 'refused' OR fault IS NOT NULL", name=op.f("ck_bank_statement_says_why")),
        sa.CheckConstraint(
            "state <> 'accepted' OR (opening_minor IS NOT NULL AND closing_minor IS NOT NULL)",
            name=op.f("ck_bank_statement_adds_up"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["bank_account.id"], name=op.f("fk_bank_statement_account_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_bank_statement_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
    )
    op.create_index(
        "uq_bank_statement_digest", "bank_statement", ["account_id", "digest", "part"], unique=True,
        sqlite_where=_ACCEPTED, postgresql_where=_ACCEPTED,
    )  # fmt: skip
    op.create_index("ix_bank_statement_taken", "bank_statement", ["account_id", "taken_at", "id"], unique=False)
    freeze_when("bank_statement", "OLD.state IN ('accepted', 'refused')")
    op.create_table(
        "bank_line",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("statement_id", Key, nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("booked_on", sa.Date(), nullable=True),
        sa.Column("valued_on", sa.Date(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("is_return", sa.Boolean(), nullable=False),
        sa.Column("foreign_amount", sa.String(length=40), nullable=True),
        sa.Column("payer_name", sa.String(length=300), nullable=True),
        sa.Column("payer_account", sa.String(length=64), nullable=True),
        sa.Column("end_to_end", sa.String(length=120), nullable=True),
        sa.Column("bank_ref", sa.String(length=120), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("receipt_id", Key, nullable=True),
        sa.Column("assigned_by", sa.BigInteger(), nullable=True),
        sa.Column("assigned_at", UtcDateTime(), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'assigned', 'repeated', 'rejected')", name=op.f("ck_bank_line_state_known")
        ),
        sa.CheckConstraint("outcome IN ('receipt', 'return', 'fee')", name=op.f("ck_bank_line_outcome_known")),
        sa.CheckConstraint(
            "state = 'rejected' OR (booked_on IS NOT NULL AND amount_minor IS NOT NULL AND identity IS NOT NULL)",
            name=op.f("ck_bank_line_readable"),
        ),
        sa.CheckConstraint(
            "(state = 'assigned') = (outcome IS NOT NULL)", name=op.f("ck_bank_line_assigned_to_something")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["bank_account.id"], name=op.f("fk_bank_line_account_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_bank_line_entity_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_bank_line_receipt_id")),
        sa.ForeignKeyConstraint(["statement_id"], ["bank_statement.id"], name=op.f("fk_bank_line_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line")),
        sa.UniqueConstraint("statement_id", "line_no", name=op.f("uq_bank_line_statement_id_line_no")),
    )
    op.create_index(
        "uq_bank_line_identity", "bank_line", ["account_id", "identity"], unique=True, sqlite_where=_KEPT,
        postgresql_where=_KEPT,
    )  # fmt: skip
    op.create_index(
        "ix_bank_line_open", "bank_line", ["entity_id", "id"], unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_table(
        "bank_payer",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("payer_account", sa.String(length=64), nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("said_by", sa.BigInteger(), nullable=False),
        sa.Column("said_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_bank_payer_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_bank_payer_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_payer")),
        sa.UniqueConstraint(
            "entity_id", "payer_account", "customer_id", name=op.f("uq_bank_payer_entity_id_payer_account_customer_id")
        ),
    )


def downgrade() -> None:
    op.drop_table("bank_payer")
    op.drop_index("ix_bank_line_open", table_name="bank_line", sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.drop_index("uq_bank_line_identity", table_name="bank_line", sqlite_where=_KEPT, postgresql_where=_KEPT)
    op.drop_table("bank_line")
    op.drop_index("ix_bank_statement_taken", table_name="bank_statement")
    op.drop_index(
        "uq_bank_statement_digest", table_name="bank_statement", sqlite_where=_ACCEPTED, postgresql_where=_ACCEPTED
    )
    op.drop_table("bank_statement")
    unfreeze("bank_statement")
    op.drop_table("bank_account")
    op.drop_column("receipt", "difference_minor")
