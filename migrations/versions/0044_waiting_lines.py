"""Lines of journeys know since when they are backordered and what was sent instead of them.

Journeys and flow buckets are made of the events: they are emptied here and the consumer makes them anew, since what is there
already does not know the new figures. Until it has caught up, every reading says that it is behind.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import UtcDateTime

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

#: Numbers of measures and sums that are sampled, not made of events.
_SAMPLED = (13, 20, 21, 22, 23, 101)
_NEW = (24, 25, 26, 27)
_MADE_OF_EVENTS = ("journey", "journey_line", "journey_wait", "measure_actor", "control_result", "measure_calendar")


def upgrade() -> None:
    for name in _MADE_OF_EVENTS:
        op.execute(sa.table(name).delete())
    for name in ("measure_bucket", "measure_sketch"):
        table = sa.table(name, sa.column("measure_id", sa.Integer()))
        op.execute(table.delete().where(table.c.measure_id.not_in(_SAMPLED)))
    op.execute("DELETE FROM parked_event WHERE consumer = 'journeys'")
    op.execute("UPDATE consumer_cursor SET seq = 0, changes = changes + 1 WHERE name = 'journeys'")
    op.add_column("journey_line", sa.Column("backordered_at", UtcDateTime(), nullable=True))
    op.add_column("journey_line", sa.Column("substitutes", sa.Text(), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM journey_wait WHERE point = 'backorder'")
    for name in ("measure_bucket", "measure_sketch"):
        table = sa.table(name, sa.column("measure_id", sa.Integer()))
        op.execute(table.delete().where(table.c.measure_id.in_(_NEW)))
    op.drop_column("journey_line", "substitutes")
    op.drop_column("journey_line", "backordered_at")
