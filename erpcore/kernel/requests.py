"""The same request twice has one effect: keys of forms, API calls and imported documents, with their content and result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import BigInteger, String, Text, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from erpcore.kernel.canonical import fingerprint, plain
from erpcore.kernel.errors import Busy, Conflict
from erpcore.kernel.model import Base, UtcDateTime
from erpcore.kernel.rows import chunks

if TYPE_CHECKING:
    from erpcore.kernel.work import UnitOfWork

#: Form and API keys are forgotten after this; keys of imports and EDI never.
KEPT_FOR = timedelta(days=30)


class RequestKey(Base):
    """A key somebody used, what came with it, and what it led to."""

    __tablename__ = "request_key"
    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    content: Mapped[str] = mapped_column(String(64))
    result: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


_TABLE = RequestKey.__table__
#: Said at every keyed call, so made once.
_TAKE = {
    "sqlite": sqlite_insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.key),
    "postgresql": pg_insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.key),
}
_KNOWN = select(_TABLE.c.content, _TABLE.c.result).where(
    _TABLE.c.scope == bindparam("of_scope"), _TABLE.c.key == bindparam("of_key")
)
_SETTLE = (
    update(_TABLE)
    .where(_TABLE.c.scope == bindparam("of_scope"), _TABLE.c.key == bindparam("of_key"))
    .values(result=bindparam("led_to"))
)


def _insert(work: UnitOfWork, rows: Sequence[dict[str, Any]]) -> int:
    """How many of the rows are new. Counted by what comes back: a row count says -1 where the ORM takes part."""
    insert = sqlite_insert if work.dialect.name == "sqlite" else pg_insert
    statement = insert(RequestKey).values(list(rows)).on_conflict_do_nothing().returning(RequestKey.key)
    return len(work.session.execute(statement).all())


def claim(work: UnitOfWork, key: str, content: Any) -> Any | None:
    """Take ``key`` for this actor, or return the result of the first time.

    Returns ``None`` when the key is new: go on, and call ``settle`` with the result. Raises ``Conflict`` when the key came
    before with other content.
    """
    scope = f"actor:{work.actor.id}"
    digest = fingerprint(content)
    row = {
        "scope": scope, "key": key, "content": digest, "actor": work.actor.id,
        "result": None, "created_at": work.now, "expires_at": work.now + KEPT_FOR,
    }  # fmt: skip
    if work.connection.execute(_TAKE[work.dialect.name], row).first() is not None:
        return None
    known = work.connection.execute(_KNOWN, {"of_scope": scope, "of_key": key}).one()
    if known.content != digest:
        raise Conflict("request_key_reused", key=key)
    if known.result is None:
        raise Busy("request_running", key=key)
    return orjson.loads(known.result)


def settle(work: UnitOfWork, key: str, result: Any) -> None:
    """Keep what the request led to, for the next time the key comes."""
    kept = orjson.dumps(plain(result)).decode()
    work.connection.execute(_SETTLE, {"of_scope": f"actor:{work.actor.id}", "of_key": key, "led_to": kept})


def claim_documents(work: UnitOfWork, scope: str, documents: dict[str, str]) -> dict[str, bool]:
    """Take imported documents by key and content hash; says of each that was there before whether the content is the same.

    New keys are taken in this transaction and never expire. Raises ``Busy`` when another importer is taking the same ones:
    what it commits is then found on the next try.
    """
    known: dict[str, bool] = {}
    for part in chunks(sorted(documents)):
        found = work.session.execute(
            select(RequestKey.key, RequestKey.content).where(RequestKey.scope == scope, RequestKey.key.in_(part))
        )
        known |= {row.key: row.content == documents[row.key] for row in found}
    fresh = [key for key in documents if key not in known]
    for part in chunks(fresh, 200):
        rows = [
            {
                "scope": scope, "key": key, "content": documents[key], "actor": work.actor.id,
                "created_at": work.now, "expires_at": None,
            }
            for key in part
        ]  # fmt: skip
        if _insert(work, rows) != len(rows):
            raise Busy("import_running", scope=scope)
    return known


def documents_kept(session: Session, scope: str, keys: Sequence[str]) -> dict[str, tuple[str, Any]]:
    """Of documents that came before, by key: the hash of their content, and what they led to."""
    out: dict[str, tuple[str, Any]] = {}
    for part in chunks(sorted(keys)):
        found = session.execute(
            select(RequestKey.key, RequestKey.content, RequestKey.result).where(
                RequestKey.scope == scope, RequestKey.key.in_(part)
            )
        )
        out |= {row.key: (row.content, None if row.result is None else orjson.loads(row.result)) for row in found}
    return out


def keep_documents(work: UnitOfWork, scope: str, documents: dict[str, tuple[str, Any]]) -> None:
    """Keep for ever what documents led to, with the hashes of their content.

    Raises ``Busy`` when somebody else took one of them meanwhile: what that committed is found on the next try.
    """
    for part in chunks(sorted(documents), 200):
        rows = [
            {
                "scope": scope, "key": key, "content": documents[key][0], "actor": work.actor.id,
                "result": orjson.dumps(plain(documents[key][1])).decode(), "created_at": work.now, "expires_at": None,
            }
            for key in part
        ]  # fmt: skip
        if _insert(work, rows) != len(rows):
            raise Busy("import_running", scope=scope)


def forget_expired(work: UnitOfWork) -> int:
    """Delete keys past their time; returns how many."""
    return int(work.session.execute(delete(RequestKey).where(RequestKey.expires_at < work.now)).rowcount)  # type: ignore[attr-defined]  # of a cursor result
