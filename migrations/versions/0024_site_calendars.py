"""Sites have calendars, and journeys know by which of them their working hours count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime
from migrations.ddl import refuse_changes

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

#: As a rebuild would find it; no calendar was told before this, so nothing counted in working hours yet.
_FINISHED = """
UPDATE journey SET calendar_seq = (
    SELECT MAX(seq) FROM event_log WHERE event_log.journey = journey.root_id AND event_log.type = 'shipment.confirmed'
    AND NOT EXISTS (SELECT 1 FROM parked_event WHERE consumer = 'journeys' AND parked_event.seq = event_log.seq)
) WHERE kind = 'order' AND shipments > 0 AND id = root_id
"""


def upgrade() -> None:
    op.create_table(
        "site_calendar",
        sa.Column("site_id", Key, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("week", sa.Text(), nullable=False),
        sa.Column("closed", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_calendar_site_id")),
        sa.PrimaryKeyConstraint("site_id", "number", name=op.f("pk_site_calendar")),
    )
    refuse_changes("site_calendar")
    op.create_table(
        "measure_calendar",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("site", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("time_zone", sa.String(length=48), nullable=False),
        sa.Column("week", sa.Text(), nullable=False),
        sa.Column("closed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_measure_calendar")),
        sqlite_with_rowid=False,
    )
    op.add_column("journey", sa.Column("calendar_seq", sa.BigInteger(), nullable=True))
    op.execute(_FINISHED)


def downgrade() -> None:
    op.drop_column("journey", "calendar_seq")
    op.drop_table("measure_calendar")
    op.drop_table("site_calendar")
