"""Bodies meet in series, meetings are moved and called off, and a person's calendar program reads them."""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key, UtcDateTime

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

_OPEN = sa.text("revoked_at IS NULL")
_NEW = ("place", "uid", "sequence", "changed_at", "series_id", "series_on", "cancelled_at", "reason")


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_calendar_feed_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feed_token_hash")),
    )
    op.create_index(
        "uq_calendar_feed_open",
        "calendar_feed",
        ["account_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "meeting_series",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("agenda", sa.Text(), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("rhythm", sa.String(length=12), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("week", sa.SmallInteger(), nullable=True),
        sa.Column("begins_at", sa.Time(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("time_zone", sa.String(length=48), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("(rhythm = 'monthly') = (week IS NOT NULL)", name=op.f("ck_meeting_series_week_of_month")),
        sa.CheckConstraint(
            "rhythm IN ('weekly', 'fortnightly', 'monthly')", name=op.f("ck_meeting_series_rhythm_known")
        ),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_meeting_series_minutes")),
        sa.CheckConstraint("until_on IS NULL OR until_on >= first_on", name=op.f("ck_meeting_series_days")),
        sa.CheckConstraint("week IS NULL OR week BETWEEN 1 AND 5", name=op.f("ck_meeting_series_week")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_meeting_series_weekday")),
        sa.ForeignKeyConstraint(["body_id"], ["governance_body.id"], name=op.f("fk_meeting_series_body_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_series")),
        sa.UniqueConstraint("uid", name=op.f("uq_meeting_series_uid")),
    )
    op.create_index(op.f("ix_meeting_series_body_id"), "meeting_series", ["body_id"], unique=False)
    with op.batch_alter_table("meeting") as table:
        table.add_column(sa.Column("place", sa.String(length=300), nullable=True))
        table.add_column(sa.Column("uid", sa.String(length=48), nullable=True))
        table.add_column(sa.Column("sequence", sa.Integer(), nullable=True))
        table.add_column(sa.Column("changed_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("series_id", Key, nullable=True))
        table.add_column(sa.Column("series_on", sa.Date(), nullable=True))
        table.add_column(sa.Column("cancelled_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("reason", sa.Text(), nullable=True))
    _fill()
    with op.batch_alter_table("meeting") as table:
        for column, kind in (
            ("place", sa.String(length=300)), ("uid", sa.String(length=48)), ("sequence", sa.Integer()),
            ("changed_at", UtcDateTime()), ("reason", sa.Text()),
        ):  # fmt: skip
            table.alter_column(column, existing_type=kind, nullable=False)
        table.create_check_constraint(op.f("ck_meeting_series_day"), "(series_id IS NULL) = (series_on IS NULL)")
        table.create_unique_constraint(op.f("uq_meeting_series_id_series_on"), ["series_id", "series_on"])
        table.create_unique_constraint(op.f("uq_meeting_uid"), ["uid"])
        table.create_foreign_key(op.f("fk_meeting_series_id"), "meeting_series", ["series_id"], ["id"])


def _fill() -> None:
    """What calendars know a meeting by has to differ between installations, so it is no number of ours."""
    meeting = sa.table(
        "meeting", sa.column("id"), sa.column("place"), sa.column("uid"), sa.column("sequence"), sa.column("reason"),
        sa.column("changed_at", UtcDateTime()), sa.column("starts_at", UtcDateTime()),
    )  # fmt: skip
    connection = op.get_bind()
    for number in connection.execute(sa.select(meeting.c.id)).scalars().all():
        connection.execute(
            meeting.update()
            .where(meeting.c.id == number)
            .values(place="", uid=str(uuid4()), sequence=0, reason="", changed_at=meeting.c.starts_at)
        )


def downgrade() -> None:
    # What stands in place of a day of a series means nothing without it.
    op.execute("DELETE FROM meeting WHERE series_id IS NOT NULL OR cancelled_at IS NOT NULL")
    with op.batch_alter_table("meeting") as table:
        table.drop_constraint(op.f("fk_meeting_series_id"), type_="foreignkey")
        table.drop_constraint(op.f("uq_meeting_uid"), type_="unique")
        table.drop_constraint(op.f("uq_meeting_series_id_series_on"), type_="unique")
        table.drop_constraint(op.f("ck_meeting_series_day"), type_="check")
        for column in reversed(_NEW):
            table.drop_column(column)
    op.drop_table("meeting_series")
    op.drop_table("calendar_feed")
