"""Collecting: who looks after a customer, what was said to them, and whose customers of a group are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0085"
down_revision = "0084"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "collection_case",
        sa.Column("customer_id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("follow_up_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_collection_case_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_collection_case_entity_id")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_collection_case")),
    )
    op.create_table(
        "collection_contact",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("spoke_with", sa.String(length=300), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("follow_up_on", sa.Date(), nullable=True),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('call', 'mail', 'letter', 'visit')", name=op.f("ck_collection_contact_kind_known")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_collection_contact_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_collection_contact_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_contact")),
    )
    op.create_index("ix_collection_contact_customer", "collection_contact", ["customer_id", "id"], unique=False)
    op.create_table(
        "collection_route",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("customer_group_id", Key, nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_group_id"], ["customer_group.id"], name=op.f("fk_collection_route_customer_group_id")
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_collection_route_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_route")),
    )
    for name, columns, where in (
        ("uq_collection_route_group", ["entity_id", "customer_group_id"], "customer_group_id IS NOT NULL"),
        ("uq_collection_route_all", ["entity_id"], "customer_group_id IS NULL"),
    ):
        op.create_index(
            name, "collection_route", columns, unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
    refuse_changes("collection_contact")


def downgrade() -> None:
    op.drop_index("uq_collection_route_all", table_name="collection_route")
    op.drop_index("uq_collection_route_group", table_name="collection_route")
    op.drop_table("collection_route")
    op.drop_index("ix_collection_contact_customer", table_name="collection_contact")
    op.drop_table("collection_contact")
    op.drop_table("collection_case")
