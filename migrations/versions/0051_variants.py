"""The register of variants takes the place of approved values of policy points; each keeps its id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

#: Whoever asked answers for it until somebody else is named; days were chosen in the zone of the site, else of the company.
_VALUES_BECOME_VARIANTS = """
INSERT INTO variant (
  id, code, title, kind, entity_id, site_id, channel_id, customer_group_id, item_group_id, zone, valid_from, valid_until, state, version, owner_id, reason, evidence, benefit,
  support_who, support_hours, support_vendor, controls, trainings, tests, exit_condition, requested_by, requested_at,
  needs_consent, decided_by, decided_at, decision_reason, ended_by, ended_at, end_reason)
SELECT
  id, 'V-' || CAST(row_number() OVER (ORDER BY id) AS VARCHAR(20)),
  upper(substr(point, 1, 1)) || replace(substr(point, 2), '_', ' '), 'controlled_variation', entity_id, site_id, channel_id, customer_group_id, item_group_id,
  coalesce((SELECT time_zone FROM site WHERE site.id = site_id),
           (SELECT time_zone FROM entity WHERE entity.id = policy_value.entity_id), 'UTC'),
  valid_from, valid_until,
  CASE state WHEN 'requested' THEN 'submitted' WHEN 'declined' THEN 'rejected' ELSE state END,
  version, requested_by, reason, '', '', '', '', '', '', '', '', '', requested_by, requested_at,
  false, decided_by, decided_at, decision_reason, revoked_by, revoked_at, revoke_reason
FROM policy_value
"""
_VARIANTS_BECOME_VALUES = """
INSERT INTO policy_value (
  id, point, value, entity_id, site_id, channel_id, customer_group_id, item_group_id, valid_from, valid_until, state, version, reason, requested_by, requested_at, decided_by,
  decided_at, decision_reason, revoked_by, revoked_at, revoke_reason)
SELECT
  id, point, value, entity_id, site_id, channel_id, customer_group_id, item_group_id, valid_from, valid_until,
  CASE state WHEN 'submitted' THEN 'requested' WHEN 'rejected' THEN 'declined' WHEN 'under_review' THEN 'approved'
             WHEN 'retired' THEN 'revoked' ELSE state END,
  version, reason, requested_by, requested_at, decided_by, decided_at, decision_reason, ended_by, ended_at, end_reason
FROM variant JOIN variant_value ON variant_id = id
WHERE state <> 'draft' AND kind <> 'standard_change'
  AND point = (SELECT min(other.point) FROM variant_value AS other WHERE other.variant_id = variant.id)
"""


def upgrade() -> None:
    op.create_table(
        "variant",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("step", sa.String(length=80), nullable=True),
        sa.Column("entity_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_group_id", sa.BigInteger(), nullable=True),
        sa.Column("item_group_id", sa.BigInteger(), nullable=True),
        sa.Column("zone", sa.String(length=48), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_until", UtcDateTime(), nullable=True),
        sa.Column("extend_until", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("deputy_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_left_at", UtcDateTime(), nullable=True),
        sa.Column("rationale_category", sa.String(length=24), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("benefit", sa.Text(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("cost_currency", sa.String(length=3), nullable=True),
        sa.Column("support_who", sa.String(length=200), nullable=False),
        sa.Column("support_hours", sa.String(length=200), nullable=False),
        sa.Column("support_vendor", sa.String(length=200), nullable=False),
        sa.Column("controls", sa.Text(), nullable=False),
        sa.Column("trainings", sa.Text(), nullable=False),
        sa.Column("tests", sa.Text(), nullable=False),
        sa.Column("review_months", sa.Integer(), nullable=True),
        sa.Column("next_review_on", sa.Date(), nullable=True),
        sa.Column("exit_condition", sa.Text(), nullable=False),
        sa.Column("supersedes_id", Key, nullable=True),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("needs_consent", sa.Boolean(), nullable=False),
        sa.Column("consented_by", sa.BigInteger(), nullable=True),
        sa.Column("consented_at", UtcDateTime(), nullable=True),
        sa.Column("approval_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("review_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'standard_change') = (entity_id IS NULL AND site_id IS NULL AND channel_id IS NULL AND customer_group_id IS NULL AND item_group_id IS NULL)",
            name=op.f("ck_variant_scope_named"),
        ),
        sa.CheckConstraint(
            "kind IN ('controlled_variation', 'strategic_exception', 'standard_change')",
            name=op.f("ck_variant_kind_known"),
        ),
        sa.CheckConstraint(
            "rationale_category IN ('regulatory', 'customer_value', 'differentiation', 'site_limit', 'transition')",
            name=op.f("ck_variant_rationale_category_known"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'approved', 'under_review', 'rejected', 'withdrawn', 'retired', 'revoked')",
            name=op.f("ck_variant_state_known"),
        ),
        sa.CheckConstraint("valid_until IS NOT NULL OR kind = 'standard_change'", name=op.f("ck_variant_end_named")),
        sa.CheckConstraint(
            "consented_by IS NULL OR consented_by <> requested_by", name=op.f("ck_variant_consent_of_another")
        ),
        sa.CheckConstraint(
            "cost_minor IS NULL OR (cost_minor >= 0 AND cost_currency IS NOT NULL)", name=op.f("ck_variant_cost")
        ),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name=op.f("ck_variant_four_eyes")),
        sa.CheckConstraint("deputy_id IS NULL OR deputy_id <> owner_id", name=op.f("ck_variant_deputy_another")),
        sa.CheckConstraint(
            "review_months IS NULL OR review_months BETWEEN 1 AND 36", name=op.f("ck_variant_review_range")
        ),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_variant_validity")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["variant.id"], name=op.f("fk_variant_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant")),
        sa.UniqueConstraint("code", name=op.f("uq_variant_code")),
    )
    op.create_index("ix_variant_owner", "variant", ["owner_id"], unique=False)
    op.create_index("ix_variant_state", "variant", ["state", "valid_until"], unique=False)
    op.create_table(
        "variant_register",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant_register")),
    )
    op.create_table(
        "variant_deviation",
        sa.Column("variant_id", Key, autoincrement=False, nullable=False),
        sa.Column("deviation", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_variant_deviation_variant_id")),
        sa.PrimaryKeyConstraint("variant_id", "deviation", name=op.f("pk_variant_deviation")),
    )
    op.create_index("ix_variant_deviation_deviation", "variant_deviation", ["deviation"], unique=False)
    op.create_table(
        "variant_value",
        sa.Column("variant_id", Key, autoincrement=False, nullable=False),
        sa.Column("point", sa.String(length=48), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_variant_value_variant_id")),
        sa.PrimaryKeyConstraint("variant_id", "point", name=op.f("pk_variant_value")),
    )
    op.create_index("ix_variant_value_point", "variant_value", ["point"], unique=False)
    op.execute(_VALUES_BECOME_VARIANTS)
    op.execute("INSERT INTO variant_value (variant_id, point, value) SELECT id, point, value FROM policy_value")
    op.execute(
        "INSERT INTO variant_register (id, revision, last_number)"
        " SELECT id, revision, (SELECT count(*) FROM policy_value) FROM policy_register"
    )
    op.drop_index(op.f("ix_policy_value_state"), table_name="policy_value")
    op.drop_table("policy_value")
    op.drop_table("policy_register")


def downgrade() -> None:
    """Drafts, new standards, descriptions and what the older register cannot hold are lost; of several values the first stays."""
    op.create_table(
        "policy_register",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_register")),
    )
    op.create_table(
        "policy_value",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("point", sa.String(length=48), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_group_id", sa.BigInteger(), nullable=True),
        sa.Column("item_group_id", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_until", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("revoked_by", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'declined', 'withdrawn', 'revoked')",
            name=op.f("ck_policy_value_state_known"),
        ),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name=op.f("ck_policy_value_four_eyes")),
        sa.CheckConstraint(
            "entity_id IS NOT NULL OR site_id IS NOT NULL OR channel_id IS NOT NULL OR customer_group_id IS NOT NULL OR item_group_id IS NOT NULL",
            name=op.f("ck_policy_value_scope_named"),
        ),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_policy_value_validity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_value")),
    )
    op.create_index("ix_policy_value_state", "policy_value", ["state", "point"], unique=False)
    op.execute(_VARIANTS_BECOME_VALUES)
    op.execute("INSERT INTO policy_register (id, revision) SELECT id, revision FROM variant_register")
    op.drop_index("ix_variant_value_point", table_name="variant_value")
    op.drop_table("variant_value")
    op.drop_index("ix_variant_deviation_deviation", table_name="variant_deviation")
    op.drop_table("variant_deviation")
    op.drop_table("variant_register")
    op.drop_index("ix_variant_state", table_name="variant")
    op.drop_index("ix_variant_owner", table_name="variant")
    op.drop_table("variant")
