"""Holds say why, who asked and who may end them; exposure keeps its three parts apart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_KINDS = ("credit", "price", "data", "address", "export", "duplicate", "substitution", "manual")
_OLD_KINDS = ("credit", "price", "data", "address", "duplicate", "manual")
_OPEN = sa.text("released_at IS NULL")


def _kinds(names: tuple[str, ...]) -> str:
    return "kind IN ({})".format(", ".join(f"'{name}'" for name in names))


def upgrade() -> None:
    with op.batch_alter_table("order_hold") as batch:
        batch.add_column(sa.Column("reason", sa.Text(), nullable=False, server_default=""))
        batch.add_column(sa.Column("asked_by", sa.BigInteger(), nullable=True))
        batch.add_column(
            sa.Column("permission", sa.String(length=64), nullable=False, server_default="orders:hold:release")
        )
        batch.add_column(sa.Column("level", sa.String(length=16), nullable=True))
        batch.drop_constraint(op.f("ck_order_hold_kind_known"), type_="check")
        batch.create_check_constraint(op.f("ck_order_hold_kind_known"), _kinds(_KINDS))
    op.execute("UPDATE order_hold SET permission = 'credit:hold:release' WHERE kind = 'credit'")
    with op.batch_alter_table("order_hold") as batch:
        batch.alter_column("reason", existing_type=sa.Text(), server_default=None)
        batch.alter_column("permission", existing_type=sa.String(length=64), server_default=None)
    op.create_index(
        "ix_order_hold_due", "order_hold", ["due_at"], unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN
    )

    # The parts are counted from the documents, so that the sum of before is not split by guess.
    with op.batch_alter_table("credit_exposure") as batch:
        for name in ("receivable_minor", "shipped_minor", "released_minor"):
            batch.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE credit_exposure SET receivable_minor = COALESCE((SELECT SUM(open_minor) FROM receivable "
        "WHERE receivable.customer_id = credit_exposure.customer_id), 0)"
    )
    for column, worth, where in (
        ("shipped_minor", _worth("l.shipped - l.invoiced"), "l.shipped <> l.invoiced"),
        (
            "released_minor",
            f"{_worth('l.quantity - l.cancelled - l.invoiced')} - {_shipped()}",
            "o.state = 'released'",
        ),
    ):
        op.execute(
            f"UPDATE credit_exposure SET {column} = COALESCE((SELECT SUM({worth}) FROM order_line l "  # noqa: S608  # of constants
            f"JOIN sales_order o ON o.id = l.order_id WHERE o.customer_id = credit_exposure.customer_id AND {where}), 0)"
        )
    with op.batch_alter_table("credit_exposure") as batch:
        for name in ("receivable_minor", "shipped_minor", "released_minor"):
            batch.alter_column(name, existing_type=sa.BigInteger(), server_default=None)
        batch.drop_column("exposure_minor")


def _worth(quantity: str) -> str:
    """So much of a line in minor units, half up, in the places of the order's currency."""
    divisor = (
        "(CASE WHEN o.currency IN ('JPY', 'KRW', 'VND', 'CLP', 'ISK') THEN 1000000000 "
        "WHEN o.currency IN ('BHD', 'KWD', 'JOD', 'OMR', 'TND') THEN 1000000 ELSE 10000000 END)"
    )
    return (
        f"(CASE WHEN {quantity} = l.quantity THEN l.value_minor "
        f"ELSE (2 * ({quantity}) * l.unit_price + {divisor}) / (2 * {divisor}) END)"
    )


def _shipped() -> str:
    return f"CASE WHEN l.shipped = l.invoiced THEN 0 ELSE {_worth('l.shipped - l.invoiced')} END"


def downgrade() -> None:
    with op.batch_alter_table("credit_exposure") as batch:
        batch.add_column(sa.Column("exposure_minor", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE credit_exposure SET exposure_minor = receivable_minor + shipped_minor + released_minor")
    with op.batch_alter_table("credit_exposure") as batch:
        batch.alter_column("exposure_minor", existing_type=sa.BigInteger(), server_default=None)
        for name in ("receivable_minor", "shipped_minor", "released_minor"):
            batch.drop_column(name)
    op.drop_index("ix_order_hold_due", table_name="order_hold", sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.execute("UPDATE order_hold SET kind = 'manual' WHERE kind IN ('export', 'substitution')")
    with op.batch_alter_table("order_hold") as batch:
        batch.drop_constraint(op.f("ck_order_hold_kind_known"), type_="check")
        batch.create_check_constraint(op.f("ck_order_hold_kind_known"), _kinds(_OLD_KINDS))
        for name in ("level", "permission", "asked_by", "reason"):
            batch.drop_column(name)
