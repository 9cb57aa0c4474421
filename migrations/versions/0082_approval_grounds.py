"""Which rules a request for approval stands under, in rows; of those asked before, as the audit trail has it."""

from __future__ import annotations

import orjson
import sqlalchemy as sa
from alembic import op

from erpcore.kernel.model import Key
from migrations.ddl import refuse_changes

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None

_BATCH = 1_000


def upgrade() -> None:
    op.create_table(
        "approval_ground",
        sa.Column("request_id", Key, nullable=False),
        sa.Column("rule_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["approval_request.id"], name=op.f("fk_approval_ground_request_id")),
        sa.ForeignKeyConstraint(["rule_id"], ["approval_rule.id"], name=op.f("fk_approval_ground_rule_id")),
        sa.PrimaryKeyConstraint("request_id", "rule_id", name=op.f("pk_approval_ground")),
    )
    op.create_index("ix_approval_ground_rule", "approval_ground", ["rule_id"], unique=False)
    refuse_changes("approval_ground")
    _fill()


def downgrade() -> None:
    op.drop_index("ix_approval_ground_rule", table_name="approval_ground")
    op.drop_table("approval_ground")


def _fill() -> None:
    connection = op.get_bind()
    requests = set(connection.execute(sa.text("SELECT id FROM approval_request")).scalars())
    rules = set(connection.execute(sa.text("SELECT id FROM approval_rule")).scalars())
    entries = sa.text(
        "SELECT subject_id, content FROM audit_entry WHERE subject_type = 'approval_request'"
        " AND kind IN ('approval.requested', 'approval.routed')"
    )
    found = {
        (request, rule)
        for request, content in connection.execute(entries)
        for rule in orjson.loads(content)["facts"].get("rules", ())
        if request in requests and rule in rules
    }
    table = sa.table("approval_ground", sa.column("request_id", sa.BigInteger), sa.column("rule_id", sa.BigInteger))
    rows = [{"request_id": request, "rule_id": rule} for request, rule in sorted(found)]
    for start in range(0, len(rows), _BATCH):
        op.bulk_insert(table, rows[start : start + _BATCH])
