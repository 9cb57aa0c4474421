"""The worker's lease and runs; imports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The worker: who leads, and what ran when.
    op.create_table(
        "job_lease",
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_lease")),
    )
    op.create_table(
        "job_run",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("job", sa.String(length=48), nullable=False),
        sa.Column("slot", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("items", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name=op.f("ck_job_run_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
    )
    op.create_index("ix_job_run_started", "job_run", ["job", "started_at"], unique=False)
    op.create_index("uq_job_run_slot", "job_run", ["job", "slot"], unique=True)

    # Imports: profiles in use, runs, documents, what became of each line.
    op.create_table(
        "import_profile",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("totals", sa.String(length=24), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("unknown_customer_id", Key, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("first_used_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_import_profile_channel_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_import_profile_entity_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_import_profile_site_id")),
        sa.ForeignKeyConstraint(
            ["unknown_customer_id"], ["customer.id"], name=op.f("fk_import_profile_unknown_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_profile")),
        sa.UniqueConstraint("name", name=op.f("uq_import_profile_name")),
    )
    op.create_table(
        "import_run",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("profile_id", Key, nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("file_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("beat_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("lines_done", sa.Integer(), nullable=False),
        sa.Column("lines_rejected", sa.Integer(), nullable=False),
        sa.Column("lines_known", sa.Integer(), nullable=False),
        sa.Column("documents_done", sa.Integer(), nullable=False),
        sa.Column("documents_known", sa.Integer(), nullable=False),
        sa.Column("batches", sa.Integer(), nullable=False),
        sa.Column("items_opened", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('running', 'done', 'failed', 'stopped')", name=op.f("ck_import_run_state_known")),
        sa.ForeignKeyConstraint(["profile_id"], ["import_profile.id"], name=op.f("fk_import_run_profile_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_index("ix_import_run_profile", "import_run", ["profile_id", "started_at"], unique=False)
    op.create_table(
        "import_document",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("profile_id", Key, nullable=False),
        sa.Column("run_id", Key, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("part", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("customer_id", Key, nullable=True),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("stated_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('sale', 'return', 'debt', 'rejects')", name=op.f("ck_import_document_kind_known")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_import_document_customer_id")),
        sa.ForeignKeyConstraint(["profile_id"], ["import_profile.id"], name=op.f("fk_import_document_profile_id")),
        sa.ForeignKeyConstraint(["run_id"], ["import_run.id"], name=op.f("fk_import_document_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_document")),
        sa.UniqueConstraint("profile_id", "key", "part", name=op.f("uq_import_document_profile_id_key_part")),
    )
    op.create_index("ix_import_document_run", "import_document", ["run_id"], unique=False)
    op.create_table(
        "import_line",
        sa.Column("document_id", Key, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("share", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=True),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column("stated_on", sa.Date(), nullable=True),
        sa.Column("stated_at", UtcDateTime(), nullable=True),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(outcome = 'rejected') = (reason IS NOT NULL)", name=op.f("ck_import_line_rejected_says_why")
        ),
        sa.CheckConstraint(
            "outcome = 'rejected' OR target_id IS NOT NULL", name=op.f("ck_import_line_posted_somewhere")
        ),
        sa.CheckConstraint(
            "outcome IN ('order_line', 'free_line', 'charge_line', 'return_line', 'adjustment', 'debt_journal', 'rejected')",
            name=op.f("ck_import_line_outcome_known"),
        ),
        sa.ForeignKeyConstraint(["document_id"], ["import_document.id"], name=op.f("fk_import_line_document_id")),
        sa.PrimaryKeyConstraint("document_id", "position", "share", name=op.f("pk_import_line")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_import_line_rejected",
        "import_line",
        ["document_id"],
        unique=False,
        sqlite_where=sa.text("outcome = 'rejected'"),
        postgresql_where=sa.text("outcome = 'rejected'"),
    )
    refuse_changes("import_document")
    refuse_changes("import_line")


def downgrade() -> None:
    # Imports: profiles in use, runs, documents, what became of each line.
    op.drop_index(
        "ix_import_line_rejected",
        table_name="import_line",
        sqlite_where=sa.text("outcome = 'rejected'"),
        postgresql_where=sa.text("outcome = 'rejected'"),
    )
    op.drop_table("import_line")
    op.drop_index("ix_import_document_run", table_name="import_document")
    op.drop_table("import_document")
    op.drop_index("ix_import_run_profile", table_name="import_run")
    op.drop_table("import_run")
    op.drop_table("import_profile")

    # The worker: who leads, and what ran when.
    op.drop_index("uq_job_run_slot", table_name="job_run")
    op.drop_index("ix_job_run_started", table_name="job_run")
    op.drop_table("job_run")
    op.drop_table("job_lease")
