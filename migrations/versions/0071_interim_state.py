"""Per wave: who masters each process, step and data domain while the old systems still run, and the temporary interfaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "interim_link",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("wave_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("master", sa.String(length=8), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("mapped_by", sa.BigInteger(), nullable=False),
        sa.Column("mapped_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('process', 'datum')", name=op.f("ck_interim_link_kind_known")),
        sa.CheckConstraint("master <> 'both' OR rule <> ''", name=op.f("ck_interim_link_both_by_rule")),
        sa.CheckConstraint("master IN ('legacy', 'ours', 'both')", name=op.f("ck_interim_link_master_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interim_link")),
        sa.UniqueConstraint("wave_id", "kind", "code", name=op.f("uq_interim_link_wave_id_kind_code")),
    )
    op.create_table(
        "interim_interface",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("link_id", Key, nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("direction", sa.String(length=12), nullable=False),
        sa.Column("frequency", sa.String(length=120), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("when_it_stops", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_interim_interface_ended_by_somebody")
        ),
        sa.CheckConstraint(
            "direction IN ('to_us', 'to_legacy', 'both_ways')", name=op.f("ck_interim_interface_direction_known")
        ),
        sa.ForeignKeyConstraint(["link_id"], ["interim_link.id"], name=op.f("fk_interim_interface_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interim_interface")),
        sa.UniqueConstraint("link_id", "name", name=op.f("uq_interim_interface_link_id_name")),
    )


def downgrade() -> None:
    op.drop_table("interim_interface")
    op.drop_table("interim_link")
