"""Journeys are found by the version of the rules that they were judged by, so that figures of earlier ones say so."""

from __future__ import annotations

from alembic import op

revision = "0086"
down_revision = "0085"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_conformance_journey_version", "conformance_journey", ["version"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_conformance_journey_version", table_name="conformance_journey")
