"""Who writes next to one SQLite file, when several want to? Whoever asks often enough, and who waits long asks oftener.

SQLite's own waiting sleeps longer and longer, up to a tenth of a second at a time: who has waited long meets the moment between
two transactions of the others ever less likely, and a busy file refuses people that way although it is free ten times a second.
"""

from __future__ import annotations

import random
import sqlite3
import time
from typing import Any

#: Seconds after which a writer gives up: it is "busy, try again" then.
PATIENCE = 3.0
#: Who has waited for so long comes before those who just came.
_LONG = 0.2
#: Seconds between two attempts: at first at most, and for who has waited long.
_PAUSE, _HURRY = 0.004, 0.0005


def begin_writing(connection: Any, *, patience: float = PATIENCE) -> None:
    """Begin a transaction that writes; the driver's connection must not wait by itself. Raises its error after ``patience``."""
    begun = time.monotonic()
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            waited = time.monotonic() - begun
            if (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_BUSY or waited > patience:
                raise
            time.sleep(_HURRY if waited > _LONG else random.uniform(_HURRY, _PAUSE))
        else:
            return
