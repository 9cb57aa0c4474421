"""Accruals of a period's end: runs, their lines, and the accounts they post to."""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0096"
down_revision = "0095"
branch_labels = None
depends_on = None

_ADDED = (
    "unbilled_revenue", "deferred_revenue", "goods_on_the_way", "freight", "freight_accrued", "refunds_expected",
    "returns_expected",
)  # fmt: skip
_NAME = "ck_ledger_account_role_known"


def upgrade() -> None:
    _roles(_ADDED, ())
    op.create_table(
        "accrual_run",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("run_by", sa.BigInteger(), nullable=False),
        sa.Column("run_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_accrual_run_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accrual_run")),
        sa.UniqueConstraint("entity_id", "until", name=op.f("uq_accrual_run_entity_id_until")),
    )
    op.create_table(
        "accrual_line",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("run_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("shipment_id", Key, nullable=True),
        sa.Column("order_id", Key, nullable=True),
        sa.Column("invoice_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("charges_minor", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("entry_id", Key, nullable=False),
        sa.Column("reversal_id", Key, nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(shipment_id IS NULL) = (kind IN ('refund', 'returned'))",
            name=op.f("ck_accrual_line_of_shipment_or_channel"),
        ),
        sa.CheckConstraint(
            "kind IN ('unbilled', 'deferred', 'cost', 'freight', 'refund', 'returned')",
            name=op.f("ck_accrual_line_kind_known"),
        ),
        sa.CheckConstraint("amount_minor <> 0 OR charges_minor <> 0", name=op.f("ck_accrual_line_accrues_something")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_accrual_line_channel_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["journal_entry.id"], name=op.f("fk_accrual_line_entry_id")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_accrual_line_order_id")),
        sa.ForeignKeyConstraint(["reversal_id"], ["journal_entry.id"], name=op.f("fk_accrual_line_reversal_id")),
        sa.ForeignKeyConstraint(["run_id"], ["accrual_run.id"], name=op.f("fk_accrual_line_run_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_accrual_line_shipment_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_accrual_line_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accrual_line")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_accrual_line_entry_id")),
        sa.UniqueConstraint("reversal_id", name=op.f("uq_accrual_line_reversal_id")),
    )
    op.create_index("ix_accrual_line_run", "accrual_line", ["run_id", "kind"], unique=False)
    op.create_index("ix_accrual_line_shipment", "accrual_line", ["shipment_id"], unique=False)
    refuse_changes("accrual_line")


def downgrade() -> None:
    # What was accrued stays in the entries; accounts that were posted to keep the schema from going further down.
    op.drop_index("ix_accrual_line_shipment", table_name="accrual_line")
    op.drop_index("ix_accrual_line_run", table_name="accrual_line")
    op.drop_table("accrual_line")
    op.drop_table("accrual_run")
    op.execute(
        sa.text("DELETE FROM ledger_account WHERE role IN :roles").bindparams(
            sa.bindparam("roles", list(_ADDED), expanding=True)
        )
    )
    _roles((), _ADDED)


def _roles(added: tuple[str, ...], taken: tuple[str, ...]) -> None:
    """Roles behind those that the schema has, whoever added them."""
    (known,) = (
        one["sqltext"]
        for one in sa.inspect(op.get_bind()).get_check_constraints("ledger_account")
        if one["name"] == _NAME
    )
    there = [role for role in re.findall(r"'(\w+)'", known) if role not in taken]
    roles = ", ".join(f"'{role}'" for role in (*there, *added))
    with op.batch_alter_table("ledger_account") as account:
        account.drop_constraint(op.f(_NAME), type_="check")
        account.create_check_constraint(op.f(_NAME), f"role IN ({roles})")
