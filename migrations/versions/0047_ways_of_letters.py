"""How a letter left: by a mail server, or into a folder of this machine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

_WAYS = "ck_letter_way_known"


def upgrade() -> None:
    with op.batch_alter_table("letter") as table:
        table.add_column(sa.Column("way", sa.String(8), nullable=True))
        table.create_check_constraint(op.f(_WAYS), "way IN ('mail', 'folder')")
    op.execute("UPDATE letter SET way = 'mail' WHERE state = 'sent'")


def downgrade() -> None:
    with op.batch_alter_table("letter") as table:
        table.drop_constraint(op.f(_WAYS), type_="check")
        table.drop_column("way")
