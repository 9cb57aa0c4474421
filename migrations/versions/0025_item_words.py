"""Items are found by words that are kept for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from erpcore.masterdata.search import words_of

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_WORD = sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql")
_BATCH = 2000


def upgrade() -> None:
    op.add_column("item", sa.Column("searched_as", sa.Text(), server_default="", nullable=False))
    op.add_column("item", sa.Column("search_words", sa.SmallInteger(), server_default="0", nullable=False))
    words = op.create_table(
        "item_word",
        sa.Column("entity_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("word", _WORD, nullable=False),
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("entity_id", "word", "item_id", name=op.f("pk_item_word")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_item_word_item", "item_word", ["item_id"], unique=False)
    _keep(op.get_bind(), words)


def _keep(connection: sa.Connection, words: sa.Table) -> None:
    """The words of the items that are there."""
    update = sa.text("UPDATE item SET searched_as = :searched, search_words = :count WHERE id = :id")
    last = 0
    while True:
        rows = connection.execute(
            sa.text("SELECT id, entity_id, code, name FROM item WHERE id > :last ORDER BY id LIMIT :batch"),
            {"last": last, "batch": _BATCH},
        ).all()
        if not rows:
            return
        found = {row.id: words_of(row.code, row.name) for row in rows}
        kept = [{"entity_id": row.entity_id, "word": word, "item_id": row.id} for row in rows for word in found[row.id]]
        connection.execute(sa.insert(words), kept)
        connection.execute(
            update,
            [{"searched": f"{row.code}\n{row.name}", "count": len(found[row.id]), "id": row.id} for row in rows],
        )
        last = rows[-1].id


def downgrade() -> None:
    op.drop_index("ix_item_word_item", table_name="item_word")
    op.drop_table("item_word")
    op.drop_column("item", "search_words")
    op.drop_column("item", "searched_as")
