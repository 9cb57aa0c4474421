"""Carriers' bills with every line, and the accounts for what is owed and its tax."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import change_words

revision = "0106"
down_revision = "0105"
branch_labels = None
depends_on = None

_ADDED = ("payable", "input_tax")
_KEPT = sa.text("state NOT IN ('refused', 'reversed')")
_UNDECIDED = sa.text("decision IS NULL AND result <> 'matched'")
_OWED = sa.text("owed_minor <> 0")


def upgrade() -> None:
    change_words("ledger_account", "role", added=_ADDED)
    change_words("exception_case", "subject", added=("carrier_line",))
    _bills()
    _lines()


def downgrade() -> None:
    # What carriers' bills posted is unknown to the schema before: where there is some the accounts refuse to go.
    op.drop_table("carrier_bill_line")
    op.drop_table("carrier_bill")
    op.execute("DELETE FROM exception_case WHERE subject = 'carrier_line'")
    change_words("exception_case", "subject", taken=("carrier_line",))
    op.execute(
        sa.text("DELETE FROM ledger_account WHERE role IN :roles").bindparams(
            sa.bindparam("roles", list(_ADDED), expanding=True)
        )
    )
    change_words("ledger_account", "role", taken=_ADDED)


def _bills() -> None:
    op.create_table(
        "carrier_bill",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("carrier_id", Key, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("billed_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("owed_minor", sa.BigInteger(), nullable=False),
        sa.Column("taken_by", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.Column("posted_by", sa.BigInteger(), nullable=True),
        sa.Column("posted_at", UtcDateTime(), nullable=True),
        sa.Column("reversed_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'reversed') = (reversed_at IS NOT NULL)", name=op.f("ck_carrier_bill_reversed_once")
        ),
        sa.CheckConstraint(
            "(state IN ('posted', 'reversed')) = (posted_at IS NOT NULL)", name=op.f("ck_carrier_bill_posted_once")
        ),
        sa.CheckConstraint("state <> 'refused' OR fault IS NOT NULL", name=op.f("ck_carrier_bill_says_why")),
        sa.CheckConstraint(
            "state IN ('received', 'posted', 'reversed', 'refused')", name=op.f("ck_carrier_bill_state_known")
        ),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name=op.f("fk_carrier_bill_carrier_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_carrier_bill_entity_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_carrier_bill_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_bill")),
    )
    op.create_index("ix_carrier_bill_taken", "carrier_bill", ["entity_id", "taken_at", "id"], unique=False)
    op.create_index(
        "uq_carrier_bill_digest",
        "carrier_bill",
        ["carrier_id", "digest"],
        unique=True,
        sqlite_where=_KEPT,
        postgresql_where=_KEPT,
    )
    op.create_index(
        "uq_carrier_bill_number",
        "carrier_bill",
        ["carrier_id", "number"],
        unique=True,
        sqlite_where=_KEPT,
        postgresql_where=_KEPT,
    )


def _lines() -> None:
    op.create_table(
        "carrier_bill_line",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("bill_id", Key, nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.Column("shipment_id", Key, nullable=True),
        sa.Column("expected_minor", sa.BigInteger(), nullable=True),
        sa.Column("chosen_id", Key, nullable=True),
        sa.Column("decision", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("owed_minor", sa.BigInteger(), nullable=False),
        sa.Column("settles", sa.Boolean(), nullable=False),
        sa.CheckConstraint("decision IN ('accepted', 'declined')", name=op.f("ck_carrier_bill_line_decision_known")),
        sa.CheckConstraint(
            "result IN ('matched', 'differs', 'unknown', 'not_left', 'other_carrier', 'billed')",
            name=op.f("ck_carrier_bill_line_result_known"),
        ),
        sa.CheckConstraint("(result IS NULL) = (explanation IS NULL)", name=op.f("ck_carrier_bill_line_explained")),
        sa.CheckConstraint(
            "decision IS NULL OR (reason IS NOT NULL AND decided_by IS NOT NULL)",
            name=op.f("ck_carrier_bill_line_decided_with_reason"),
        ),
        sa.CheckConstraint(
            "owed_minor = 0 OR owed_minor = amount_minor + tax_minor", name=op.f("ck_carrier_bill_line_owed_whole")
        ),
        sa.CheckConstraint("result IS NULL OR amount_minor IS NOT NULL", name=op.f("ck_carrier_bill_line_readable")),
        sa.ForeignKeyConstraint(["bill_id"], ["carrier_bill.id"], name=op.f("fk_carrier_bill_line_bill_id")),
        sa.ForeignKeyConstraint(["chosen_id"], ["shipment.id"], name=op.f("fk_carrier_bill_line_chosen_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_carrier_bill_line_entity_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_carrier_bill_line_shipment_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_carrier_bill_line_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_bill_line")),
        sa.UniqueConstraint("bill_id", "line_no", name=op.f("uq_carrier_bill_line_bill_id_line_no")),
    )
    op.create_index(
        "ix_carrier_bill_line_open",
        "carrier_bill_line",
        ["site_id", "id"],
        unique=False,
        sqlite_where=_UNDECIDED,
        postgresql_where=_UNDECIDED,
    )
    op.create_index(
        "ix_carrier_bill_line_shipment",
        "carrier_bill_line",
        ["shipment_id", "bill_id"],
        unique=False,
        sqlite_where=_OWED,
        postgresql_where=_OWED,
    )
