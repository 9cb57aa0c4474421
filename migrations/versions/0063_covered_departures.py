"""Which steps a variant covered is looked up by the variant."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

_COVERED = sa.text("covered_by IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_conformance_deviation_covered", "conformance_deviation", ["covered_by", "occurred_on"],
        sqlite_where=_COVERED, postgresql_where=_COVERED,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_conformance_deviation_covered", "conformance_deviation")
