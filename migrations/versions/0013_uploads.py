"""Files that are handed in by browser or API, and kept in pieces until they are imported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_upload",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("profile", sa.String(length=120), nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("file_hash", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=48), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=True),
        sa.Column("beat_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("lines_done", sa.Integer(), nullable=False),
        sa.Column("run_id", Key, nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("purpose IN ('dry_run', 'import')", name=op.f("ck_import_upload_purpose_known")),
        sa.CheckConstraint(
            "state IN ('receiving', 'waiting', 'running', 'done', 'failed')", name=op.f("ck_import_upload_state_known")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["import_run.id"], name=op.f("fk_import_upload_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_upload")),
    )
    op.create_index(
        "ix_import_upload_open",
        "import_upload",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state IN ('receiving', 'waiting', 'running')"),
        postgresql_where=sa.text("state IN ('receiving', 'waiting', 'running')"),
    )
    op.create_table(
        "import_upload_part",
        sa.Column("upload_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["import_upload.id"], name=op.f("fk_import_upload_part_upload_id")),
        sa.PrimaryKeyConstraint("upload_id", "number", name=op.f("pk_import_upload_part")),
    )


def downgrade() -> None:
    op.drop_table("import_upload_part")
    op.drop_index(
        "ix_import_upload_open",
        table_name="import_upload",
        sqlite_where=sa.text("state IN ('receiving', 'waiting', 'running')"),
        postgresql_where=sa.text("state IN ('receiving', 'waiting', 'running')"),
    )
    op.drop_table("import_upload")
