"""One owner everywhere for a queue of exceptions: of several that raced each other the last one stays."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_EVERYWHERE = sa.text("site_id IS NULL")
_NAME = "uq_exception_rule_everywhere"


def upgrade() -> None:
    op.execute(
        "DELETE FROM exception_rule WHERE site_id IS NULL AND id NOT IN "
        "(SELECT MAX(id) FROM exception_rule WHERE site_id IS NULL GROUP BY queue)"
    )
    op.create_index(
        _NAME, "exception_rule", ["queue"], unique=True, sqlite_where=_EVERYWHERE, postgresql_where=_EVERYWHERE
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index(_NAME, table_name="exception_rule", sqlite_where=_EVERYWHERE, postgresql_where=_EVERYWHERE)
