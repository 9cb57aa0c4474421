"""Partners who sell for us, their payouts with every line, and the accounts for what they keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import change_words, refuse_changes

revision = "0098"
down_revision = "0097"
branch_labels = None
depends_on = None

_ADDED = ("partner", "partner_reserve", "partner_tax", "partner_difference", "partner_fees", "partner_fee_tax")
_KEPT = sa.text("state <> 'refused'")
_OWED = sa.text("state = 'posted' AND transfer_minor <> paid_minor")
_UNEXPLAINED = sa.text("open_minor <> 0")
_REFERRED = sa.text("customer_reference IS NOT NULL")
_PAYOUT = sa.text("payout_id IS NOT NULL")


def upgrade() -> None:
    change_words("ledger_account", "role", added=_ADDED)
    change_words("exception_case", "subject", added=("payout_line",))
    _partners_and_payouts()
    _what_became_of_them()
    with op.batch_alter_table("bank_line") as line:
        line.add_column(sa.Column("payout_id", Key, nullable=True))
        line.create_foreign_key(op.f("fk_bank_line_payout_id"), "settlement_payout", ["payout_id"], ["id"])
        line.drop_constraint(op.f("ck_bank_line_outcome_known"), type_="check")
        line.create_check_constraint(
            op.f("ck_bank_line_outcome_known"), "outcome IN ('receipt', 'return', 'fee', 'payout')"
        )
        line.create_check_constraint(
            op.f("ck_bank_line_payout_named"), "(outcome = 'payout') = (payout_id IS NOT NULL) OR outcome IS NULL"
        )
    op.create_index("ix_bank_line_payout", "bank_line", ["payout_id"], sqlite_where=_PAYOUT, postgresql_where=_PAYOUT)
    op.create_index(
        "ix_sales_order_reference", "sales_order", ["channel_id", "customer_reference"], sqlite_where=_REFERRED,
        postgresql_where=_REFERRED,
    )  # fmt: skip
    refuse_changes("settlement_deed", "settlement_explanation", "settlement_posting")


def downgrade() -> None:
    # Money of a payout is unknown to the schema before: where there is some the checks refuse.
    op.drop_index("ix_sales_order_reference", table_name="sales_order")
    op.drop_index("ix_bank_line_payout", table_name="bank_line")
    with op.batch_alter_table("bank_line") as line:
        line.drop_constraint(op.f("ck_bank_line_payout_named"), type_="check")
        line.drop_constraint(op.f("ck_bank_line_outcome_known"), type_="check")
        line.create_check_constraint(op.f("ck_bank_line_outcome_known"), "outcome IN ('receipt', 'return', 'fee')")
        line.drop_constraint(op.f("fk_bank_line_payout_id"), type_="foreignkey")
        line.drop_column("payout_id")
    for table in ("deed", "explanation", "posting", "line", "payout", "partner"):
        op.drop_table(f"settlement_{table}")
    op.execute("DELETE FROM exception_case WHERE subject = 'payout_line'")
    change_words("exception_case", "subject", taken=("payout_line",))
    op.execute(
        sa.text("DELETE FROM ledger_account WHERE role IN :roles").bindparams(
            sa.bindparam("roles", list(_ADDED), expanding=True)
        )
    )
    change_words("ledger_account", "role", taken=_ADDED)


def _partners_and_payouts() -> None:
    op.create_table(
        "settlement_partner",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("fee_rate", sa.BigInteger(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("fee_rate BETWEEN 0 AND 1000000", name=op.f("ck_settlement_partner_fee_rate_range")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_settlement_partner_channel_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_settlement_partner_entity_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_settlement_partner_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_partner")),
        sa.UniqueConstraint("entity_id", "channel_id", name=op.f("uq_settlement_partner_entity_id_channel_id")),
        sa.UniqueConstraint("entity_id", "code", name=op.f("uq_settlement_partner_entity_id_code")),
    )
    op.create_table(
        "settlement_payout",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("partner_id", Key, nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("transfer_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=False),
        sa.Column("posting_id", sa.BigInteger(), nullable=True),
        sa.Column("taken_by", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.Column("posted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'posted') = (posting_id IS NOT NULL)", name=op.f("ck_settlement_payout_posted_once")
        ),
        sa.CheckConstraint("state <> 'refused' OR fault IS NOT NULL", name=op.f("ck_settlement_payout_says_why")),
        sa.CheckConstraint("state <> 'refused' OR paid_minor = 0", name=op.f("ck_settlement_payout_paid_when_kept")),
        sa.CheckConstraint("state IN ('received', 'posted', 'refused')", name=op.f("ck_settlement_payout_state_known")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_settlement_payout_entity_id")),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["settlement_partner.id"], name=op.f("fk_settlement_payout_partner_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_settlement_payout_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_payout")),
    )
    op.create_index(
        "ix_settlement_payout_owed",
        "settlement_payout",
        ["entity_id", "id"],
        unique=False,
        sqlite_where=_OWED,
        postgresql_where=_OWED,
    )
    op.create_index("ix_settlement_payout_taken", "settlement_payout", ["entity_id", "taken_at", "id"], unique=False)
    op.create_index(
        "uq_settlement_payout_digest",
        "settlement_payout",
        ["partner_id", "digest"],
        unique=True,
        sqlite_where=_KEPT,
        postgresql_where=_KEPT,
    )
    op.create_index(
        "uq_settlement_payout_reference",
        "settlement_payout",
        ["partner_id", "reference"],
        unique=True,
        sqlite_where=_KEPT,
        postgresql_where=_KEPT,
    )
    op.create_table(
        "settlement_line",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("partner_id", Key, nullable=False),
        sa.Column("payout_id", Key, nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=True),
        sa.Column("booked_on", sa.Date(), nullable=True),
        sa.Column("order_reference", sa.String(length=120), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=True),
        sa.Column("confidence", sa.SmallInteger(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("unexplained_minor", sa.BigInteger(), nullable=False),
        sa.Column("open_minor", sa.BigInteger(), nullable=False),
        sa.Column("chosen_id", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.CheckConstraint(
            "kind IN ('sale', 'refund', 'fee', 'reserve_held', 'reserve_released', 'tax_withheld', 'tax_collected', 'adjustment', 'transfer')",
            name=op.f("ck_settlement_line_kind_known"),
        ),
        sa.CheckConstraint("outcome IN ('accepted', 'offset')", name=op.f("ck_settlement_line_outcome_known")),
        sa.CheckConstraint("result IN ('matched', 'differs', 'unknown')", name=op.f("ck_settlement_line_result_known")),
        sa.CheckConstraint("(result IS NULL) = (explanation IS NULL)", name=op.f("ck_settlement_line_explained")),
        sa.CheckConstraint(
            "result IS NULL OR (kind IS NOT NULL AND amount_minor IS NOT NULL)",
            name=op.f("ck_settlement_line_readable"),
        ),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_settlement_line_entity_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["settlement_partner.id"], name=op.f("fk_settlement_line_partner_id")),
        sa.ForeignKeyConstraint(["payout_id"], ["settlement_payout.id"], name=op.f("fk_settlement_line_payout_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_settlement_line_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_line")),
        sa.UniqueConstraint("payout_id", "line_no", name=op.f("uq_settlement_line_payout_id_line_no")),
    )
    op.create_index(
        "ix_settlement_line_open",
        "settlement_line",
        ["site_id", "id"],
        unique=False,
        sqlite_where=_UNEXPLAINED,
        postgresql_where=_UNEXPLAINED,
    )
    op.create_index("ix_settlement_line_order", "settlement_line", ["partner_id", "order_reference"], unique=False)


def _what_became_of_them() -> None:
    op.create_table(
        "settlement_posting",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("payout_id", Key, nullable=False),
        sa.Column("reverses_id", Key, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("posted_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("reverses_id IS NULL OR reason IS NOT NULL", name=op.f("ck_settlement_posting_says_why")),
        sa.ForeignKeyConstraint(["payout_id"], ["settlement_payout.id"], name=op.f("fk_settlement_posting_payout_id")),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["settlement_posting.id"], name=op.f("fk_settlement_posting_reverses_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_posting")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_settlement_posting_reverses_id")),
    )
    op.create_index("ix_settlement_posting_payout", "settlement_posting", ["payout_id"], unique=False)
    op.create_table(
        "settlement_explanation",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("line_id", Key, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("other_line_id", Key, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("explained_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(outcome = 'offset') = (other_line_id IS NOT NULL)", name=op.f("ck_settlement_explanation_offset_against")
        ),
        sa.CheckConstraint("outcome IN ('accepted', 'offset')", name=op.f("ck_settlement_explanation_outcome_known")),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_settlement_explanation_explains_something")),
        sa.ForeignKeyConstraint(["line_id"], ["settlement_line.id"], name=op.f("fk_settlement_explanation_line_id")),
        sa.ForeignKeyConstraint(
            ["other_line_id"], ["settlement_line.id"], name=op.f("fk_settlement_explanation_other_line_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_explanation")),
    )
    op.create_index("ix_settlement_explanation_line", "settlement_explanation", ["line_id"], unique=False)
    op.create_table(
        "settlement_deed",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("posting_id", Key, nullable=False),
        sa.Column("receipt_id", Key, nullable=False),
        sa.Column("credit_application_id", Key, nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_settlement_deed_moves_something")),
        sa.ForeignKeyConstraint(
            ["credit_application_id"], ["credit_application.id"], name=op.f("fk_settlement_deed_credit_application_id")
        ),
        sa.ForeignKeyConstraint(["posting_id"], ["settlement_posting.id"], name=op.f("fk_settlement_deed_posting_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_settlement_deed_receipt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_deed")),
    )
    op.create_index("ix_settlement_deed_posting", "settlement_deed", ["posting_id"], unique=False)
    op.create_index("ix_settlement_deed_receipt", "settlement_deed", ["receipt_id"], unique=False)
