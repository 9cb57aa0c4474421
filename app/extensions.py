"""The Flask extensions of the site, without an application yet."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from app.read_only import only_read
from erpcore.kernel.model import Base

#: Where ``create_app`` leaves the engine that only reads.
READ_ENGINE = "wavegate_read_engine"


class _ReadOnly(SQLAlchemy):
    """``db.session`` reads, on the engine that cannot write; only a unit of work writes, on its own connection."""

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> Engine:
        engine: Engine = app.extensions[READ_ENGINE]
        return engine


db = _ReadOnly(model_class=Base, session_options={"autoflush": False})
csrf = CSRFProtect()
login = LoginManager()


@event.listens_for(db.session.session_factory, "after_begin")
def _read_only(_session: Session, _transaction: Any, connection: Any) -> None:
    # On SQLite the engine itself refuses; PostgreSQL has one engine for both and is told for each transaction.
    only_read(connection)
