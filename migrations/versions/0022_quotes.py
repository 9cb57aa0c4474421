"""Quotes: every revision a document of its own, one order at most."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_SENT = sa.text("state = 'sent'")
_BINDING = sa.text("state IN ('sent', 'accepted')")
_WRITTEN = sa.text("state IN ('draft', 'waiting')")


def upgrade() -> None:
    op.create_table(
        "quote",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("journey_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("entity_id", Key, nullable=False),
        sa.Column("site_id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("customer_reference", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("ship_country", sa.String(length=64), nullable=False),
        sa.Column("requested_on", sa.Date(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("ruleset", sa.String(length=64), nullable=False),
        sa.Column("variants", sa.String(length=200), nullable=False),
        sa.Column("grant_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("entered_at", UtcDateTime(), nullable=False),
        sa.Column("priced_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("permission", sa.String(length=64), nullable=True),
        sa.Column("level", sa.String(length=16), nullable=True),
        sa.Column("lost_minor", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'waiting', 'sent', 'accepted', 'declined', 'expired', 'superseded')",
            name=op.f("ck_quote_state_known"),
        ),
        sa.CheckConstraint("revision > 0", name=op.f("ck_quote_counted_from_one")),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_quote_validity")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_quote_channel_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_quote_customer_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_quote_entity_id")),
        sa.ForeignKeyConstraint(["ruleset"], ["ruleset.hash"], name=op.f("fk_quote_ruleset")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_quote_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote")),
        sa.UniqueConstraint("journey_id", "revision", name=op.f("uq_quote_journey_id_revision")),
    )
    op.create_index("ix_quote_customer", "quote", ["customer_id", "entered_at"], unique=False)
    op.create_index(op.f("ix_quote_number"), "quote", ["number"], unique=False)
    op.create_index("ix_quote_sent", "quote", ["valid_until"], unique=False, sqlite_where=_SENT, postgresql_where=_SENT)
    op.create_index("ix_quote_site", "quote", ["site_id", "entered_at"], unique=False)
    op.create_index(
        "uq_quote_binding", "quote", ["journey_id"], unique=True, sqlite_where=_BINDING, postgresql_where=_BINDING
    )
    op.create_index(
        "uq_quote_written", "quote", ["journey_id"], unique=True, sqlite_where=_WRITTEN, postgresql_where=_WRITTEN
    )
    op.create_table(
        "quote_line",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("quote_id", Key, nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("item_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("price_source", sa.String(length=24), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate", sa.BigInteger(), nullable=True),
        sa.Column("requested_on", sa.Date(), nullable=True),
        sa.Column("promised_on", sa.Date(), nullable=False),
        sa.Column("promise_reason", sa.String(length=48), nullable=False),
        sa.Column("ruleset", sa.String(length=64), nullable=True),
        sa.Column("price_rule_id", sa.BigInteger(), nullable=True),
        sa.Column("list_price", sa.BigInteger(), nullable=True),
        sa.Column("resolved_price", sa.BigInteger(), nullable=True),
        sa.Column("price_floor", sa.BigInteger(), nullable=True),
        sa.Column("unit_cost", sa.BigInteger(), nullable=True),
        sa.Column("price_losers", sa.Text(), nullable=True),
        sa.Column("price_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_quote_line_offers_something")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_quote_line_price_not_negative")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_quote_line_item_id")),
        sa.ForeignKeyConstraint(["quote_id"], ["quote.id"], name=op.f("fk_quote_line_quote_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote_line")),
        sa.UniqueConstraint("quote_id", "line_no", name=op.f("uq_quote_line_quote_id_line_no")),
    )


def downgrade() -> None:
    op.drop_table("quote_line")
    op.drop_index("uq_quote_written", table_name="quote", sqlite_where=_WRITTEN, postgresql_where=_WRITTEN)
    op.drop_index("uq_quote_binding", table_name="quote", sqlite_where=_BINDING, postgresql_where=_BINDING)
    op.drop_index("ix_quote_site", table_name="quote")
    op.drop_index("ix_quote_sent", table_name="quote", sqlite_where=_SENT, postgresql_where=_SENT)
    op.drop_index(op.f("ix_quote_number"), table_name="quote")
    op.drop_index("ix_quote_customer", table_name="quote")
    op.drop_table("quote")
