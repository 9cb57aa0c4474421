"""Filters of a list are kept under a name, shared, and may open the list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("list_name", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("owner_role", sa.String(length=64), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("shared_role", sa.String(length=32), nullable=True),
        sa.Column("shared_site", Key, nullable=True),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_saved_view_account_id")),
        sa.ForeignKeyConstraint(["shared_site"], ["site.id"], name=op.f("fk_saved_view_shared_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("account_id", "list_name", "name", name=op.f("uq_saved_view_account_id_list_name_name")),
    )
    op.create_index("ix_saved_view_list", "saved_view", ["list_name", "shared_role"], unique=False)
    op.create_table(
        "default_view",
        sa.Column("account_id", Key, nullable=False),
        sa.Column("list_name", sa.String(length=48), nullable=False),
        sa.Column("view_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_default_view_account_id")),
        sa.ForeignKeyConstraint(["view_id"], ["saved_view.id"], name=op.f("fk_default_view_view_id")),
        sa.PrimaryKeyConstraint("account_id", "list_name", name=op.f("pk_default_view")),
    )


def downgrade() -> None:
    op.drop_table("default_view")
    op.drop_index("ix_saved_view_list", table_name="saved_view")
    op.drop_table("saved_view")
