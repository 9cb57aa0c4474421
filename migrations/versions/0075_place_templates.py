"""Templates of places: what a new site, company or channel begins with, in versions, and what was made from which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "place_template",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.Column("retired_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('site', 'entity', 'channel')", name=op.f("ck_place_template_kind_known")),
        sa.CheckConstraint(
            "(retired_at IS NULL) = (retired_by IS NULL)", name=op.f("ck_place_template_retired_by_somebody")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_template")),
        sa.UniqueConstraint("code", name=op.f("uq_place_template_code")),
    )
    op.create_table(
        "template_version",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("template_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["template_id"], ["place_template.id"], name=op.f("fk_template_version_template_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_version")),
        sa.UniqueConstraint("template_id", "number", name=op.f("uq_template_version_template_id_number")),
    )
    op.create_table(
        "template_use",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("version_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("place_id", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("made", sa.Text(), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('site', 'entity', 'channel')", name=op.f("ck_template_use_kind_known")),
        sa.ForeignKeyConstraint(["version_id"], ["template_version.id"], name=op.f("fk_template_use_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_use")),
        sa.UniqueConstraint("kind", "place_id", name=op.f("uq_template_use_kind_place_id")),
    )
    op.create_index("ix_template_use_version", "template_use", ["version_id"], unique=False)
    refuse_changes("template_use")
    refuse_changes("template_version")


def downgrade() -> None:
    op.drop_index("ix_template_use_version", table_name="template_use")
    op.drop_table("template_use")
    op.drop_table("template_version")
    op.drop_table("place_template")
