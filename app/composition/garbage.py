"""When does the search for cycles of dead objects rest? While a batch is worked on that makes very many and no cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Looking for cycles costs a batch up to a third of its time. Counting references goes on, and the search afterwards."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
